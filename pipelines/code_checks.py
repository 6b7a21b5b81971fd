"""Code lists as `dolen check` looks at them: what is wrong with a file, what waits, and what has no Welsh."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from config.findings import Finding, Severity, SiteFaults, did_you_mean
from config.site import Site
from mappings.codes import CodeList, parse
from pipelines.library import ROWS, Library
from pipelines.looked_at import LookedAt

#: Fields whose words residents read. A code of theirs without Welsh would be shown in English alone.
FOR_RESIDENTS = ("type", "status", "outcome", "decision")


def code_lists(site: Site, library: Library, look: LookedAt) -> Iterator[Finding]:
    """Look at each code list."""
    shown = _for_residents(look, library)
    names = library.code_lists()
    for name in site.layers.names("codes"):
        if name.endswith(ROWS) and name.removesuffix(ROWS) not in names:
            remedy = did_you_mean(name.removesuffix(ROWS), names) or f"name it codes/{name.removesuffix(ROWS)}.csv"
            file = library.called("codes", name)
            yield Finding(file, 0, 0, "", "rows of a list that is not there", "rows laid over a code list", remedy)
    for name in look.codes:
        try:
            found = library.code_list(name)
        except SiteFaults as faults:
            yield from faults.findings
            continue
        if found.waiting:
            yield _finding(
                site, library, found, found.waiting[0].theirs, "ours",
                f"{len(found.waiting)} codes that nobody has mapped" if len(found.waiting) > 1 else
                "a code that nobody has mapped",
                "what each means", f"have its owner say so: dolen codes map {name} THEIRS OURS",
            )  # fmt: skip
        bare = [row for row in found.rows if row.reads and not row.cy] if name in shown else []
        if bare:
            yield _finding(
                site, library, found, bare[0].theirs, "cy", f"{len(bare)} without Welsh",
                f"a Welsh display, since residents read {shown[name]}", "write it in the column cy",
            )  # fmt: skip


def _finding(
    site: Site, library: Library, of: CodeList, theirs: str, column: str, found: str, expected: str, remedy: str
) -> Finding:
    """A warning at the row of a code, in the file that the row came from."""
    name = of.name
    own = site.layers.find("codes", name + ROWS)
    if own is not None:
        mine = parse(own.path.read_bytes(), name + ROWS)
        if any(row.theirs == theirs for row in mine.rows):
            name, of = name + ROWS, mine
    line = next((row.line for row in of.rows if row.theirs == theirs), 1)
    return Finding(library.called("codes", name), line, 1, column, found, expected, remedy, Severity.WARNING)


def _for_residents(look: LookedAt, library: Library) -> dict[str, str]:
    """Code list -> the field for which a mapping uses it, of those that residents read."""
    found: dict[str, str] = {}
    for name in look.mappings:
        try:
            mapping = library.mapping(name, "UTC")
        except SiteFaults:
            continue  # told where the mapping is compiled
        _, body = mapping.artifacts[mapping.digest]
        for row in orjson.loads(body)["rows"]:
            if row.get("ours") in FOR_RESIDENTS and "codes" in row:
                found.setdefault(row["codes"], row["ours"])
    return found
