"""Which files a check looks at: all of a site's own, and of the shipped ones those that the site uses.

A dozen systems are shipped, and most sites have two. What they do not use is checked where Dolen is made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from config.findings import SiteFaults
from config.site import Site
from pipelines.library import ROWS, Library


@dataclass(frozen=True, slots=True)
class LookedAt:
    """Names of files, sorted: profiles, mappings, and code lists without those that only lie over others."""

    profiles: tuple[str, ...]
    mappings: tuple[str, ...]
    codes: tuple[str, ...]


def everything(site: Site, library: Library) -> LookedAt:
    """All files that there are."""
    names = site.layers.names
    return LookedAt(names("profiles"), names("mappings"), tuple(library.code_lists()))


def of_site(site: Site, library: Library) -> LookedAt:
    """The site's own files, and what its councils use."""
    uses = [each for council in site.councils.values() for each in council.settings.connections.values()]
    profiles = {*_own(site, "profiles"), *(connection.profile for connection in uses)}
    mappings = {*_own(site, "mappings"), *(use.mapping for each in uses for use in each.records.values())}
    codes = {name.removesuffix(ROWS) for name in _own(site, "codes")}
    codes |= {name for mapping in mappings for name in _lists(library, mapping)}
    there = everything(site, library)
    return LookedAt(
        tuple(name for name in there.profiles if name in profiles),
        tuple(name for name in there.mappings if name in mappings),
        tuple(name for name in there.codes if name in codes),
    )


def _own(site: Site, kind: str) -> Iterator[str]:
    for name in site.layers.names(kind):
        found = site.layers.find(kind, name)
        if found is not None and found.layer == "site":
            yield name


def _lists(library: Library, mapping: str) -> Iterator[str]:
    """The code lists that a mapping names, also in the rows of its lists; none of one that cannot be compiled."""
    try:
        compiled = library.mapping(mapping, "UTC")
    except (SiteFaults, LookupError):
        return  # told where it is compiled
    _, body = compiled.artifacts[compiled.digest]
    waiting = list(orjson.loads(body)["rows"])
    while waiting:
        row = waiting.pop()
        waiting += row.get("each") or ()
        if "codes" in row:
            yield row["codes"]
