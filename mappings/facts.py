"""Facts: a referral seen as a flat dict from field path to JSON value. Facts are what is compared and merged.

A path that is not there is unknown; None is known to be empty, and an empty list or text is spelled None too.
`assemble` makes the nested referral of them, `facts_of` goes back. Both plan once per set of paths.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mappings.fieldpaths import group, sensitivity
from mappings.meta import Json
from mappings.referral import Referral

__all__ = ["Refused", "assemble", "facts_of", "group", "normal", "sensitivity"]

Facts = Mapping[str, Json]


class Refused(ValueError):
    """What breaks identity, or a value of a shape that its field cannot hold. `problems`: (path, what was expected)."""

    def __init__(self, problems: Iterable[tuple[str, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{path}: {expected}" for path, expected in self.problems))


def assemble(facts: Facts, given: Mapping[str, Json]) -> Referral:
    """The referral of these facts and of what the ledger owns (`given`: referral_id, council, source_identifiers ...).

    `given` uses top-level field names and wins over facts. Raises Refused.
    """
    raise NotImplementedError


def facts_of(referral: Referral, paths: Iterable[str]) -> dict[str, Json]:
    """The value at each path, None where the referral has none."""
    raise NotImplementedError


def normal(facts: Facts) -> dict[str, Json]:
    """The same facts in their one spelling: normalised paths; empty text, list and object as None.

    `facts_of(assemble(f, given), f) == normal(f)` for every f that maps to a referral.
    """
    raise NotImplementedError
