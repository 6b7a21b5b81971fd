"""A council's file as it would be: what is wrong with it before it takes the place of the one that is there."""

from __future__ import annotations

from config.checks import Surroundings, council_problems, pieces_of
from config.council import CouncilSettings
from config.documents import Document
from config.findings import Finding, errors
from config.site import Site
from config.validation import validated


def faults(site: Site, council: str, document: Document) -> tuple[Finding, ...]:
    """What would stop this council's file from being used on this site."""
    around = Surroundings(site.settings.stage, site.layers, site.texts, tuple(site.texts), site.groups)
    _, problems = validated(CouncilSettings, document.data)
    found = [*document.locate(problems)]
    if isinstance(document.data, dict):
        found += document.locate(council_problems(pieces_of(document.data), council, around))
    return tuple(errors(found))
