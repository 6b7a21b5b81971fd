"""Whether the codes of a mapping, and the closed lists of the interface and of the referral, cover one another."""

from __future__ import annotations

from collections.abc import Iterator

from mappings.codes import CodeList, CodeRow
from mappings.fitting.leaves import refuses, word
from mappings.fitting.lines import WRITES, Line, Misfit
from mappings.interface import Schema, Use, item_of

_KIND, _TOTAL = "code not in the enumeration", "code list not total"


def of(line: Line) -> Iterator[Misfit]:
    """Everything wrong with a line's codes."""
    if line.each or not line.plain:
        return
    found = {use: item_of(schema) for use, schema in line.found()}
    if line.codes is None:
        yield from _uncoded(line, found)
        return
    told: set[int] = set()
    for use in WRITES:
        for row in line.codes.rows if use in found else ():
            if row.writes and row.line not in told and (wrong := refuses(found[use], row.theirs)):
                told.add(row.line)
                yield _of_list(line.codes, row, line, wrong)
    if "read" in found:
        yield from _never_read(line, line.codes, found["read"], told)
    if line.writes and any(use in found or use in line.spots for use in WRITES):
        yield from _never_written(line, line.codes)


def _of_list(codes: CodeList, row: CodeRow, line: Line, wrong: str, *, warn: bool = False) -> Misfit:
    return Misfit(
        _KIND, codes.name, ("theirs",), f"the code {row.theirs!r}, which the interface does not take at `{line.shown}`",
        wrong, "Correct the code, or let the row be for `read` only.", warn, code_list=codes.name, line=row.line,
    )  # fmt: skip


def _never_read(line: Line, codes: CodeList, leaf: Schema, told: set[int]) -> Iterator[Misfit]:
    """Their words that no row reads, and rows that read a word which never comes."""
    words = leaf.get("enum")
    if words is None:
        return
    theirs = {word(one) for one in words}
    absent = {str(one) for one in line.keys.get("absent", ())}
    reads = {row.theirs for row in codes.rows if row.reads}
    if unread := sorted(theirs - reads - absent - {""}):
        does = "stops its record" if line.stops else "leaves the field out"
        yield line.misfit(
            _TOTAL, "codes", f"the list {codes.name}, which does not read {_listed(unread)}",
            f"a row for every code that the interface has at `{line.shown}`",
            f"Add the rows: until then such a code {does} and waits.", warn=not line.stops,
        )  # fmt: skip
    for row in codes.rows:
        if row.reads and row.valid_to is None and row.line not in told and row.theirs not in theirs:
            yield _of_list(codes, row, line, f"one of {', '.join(sorted(theirs)[:20])}", warn=True)


def _never_written(line: Line, codes: CodeList) -> Iterator[Misfit]:
    """Our own closed codes that no row writes."""
    ours = () if line.declared is None or line.declared.meta.codes is None else tuple(line.declared.meta.codes)
    writes = {row.ours for row in codes.rows if row.writes}
    if line.keys.get("lossy"):
        return  # what is lost is said
    if writes and (unwritten := [code.value for code in ours if code.value not in writes]):
        does = "is not sent" if line.stops else "goes without the field"
        yield line.misfit(
            _TOTAL, "codes", f"the list {codes.name}, which does not write {_listed(unwritten)}",
            f"a row for every code of {line.ours[0]}",
            f"Add the rows, or say what is lost with `lossy`: such a referral {does}.", warn=True,
        )  # fmt: skip


def _uncoded(line: Line, found: dict[Use, Schema]) -> Iterator[Misfit]:
    """A row without a code list onto a closed list of theirs."""
    if line.converter is None or line.declared is None or line.converter.name == "as-is":
        return
    codes = None if line.declared.meta.codes is None else [code.value for code in line.declared.meta.codes]
    for use, leaf in found.items():
        if "enum" not in leaf or line.converter.theirs in (("boolean",), ("integer",)):
            continue
        theirs = [word(one) for one in leaf["enum"]]
        ours = _spellings(line) or codes
        if use == "read":
            fits = ours is None or set(theirs) <= set(ours)  # any text of theirs may be a text of ours
        else:
            fits = ours is not None and set(ours) <= set(theirs)
        if not fits:
            yield line.misfit(
                _KIND, "theirs", f"`{line.shown}`, which takes {_listed(theirs)} and nothing else",
                "a code list between the two", "Add `codes` with a list that has a row for each.",
            )  # fmt: skip
            return


def _spellings(line: Line) -> list[str] | None:
    """What a converter of few words writes; None for one that writes any text."""
    if line.converter is None or line.converter.name not in ("boolean", "opposite"):
        return None
    return [word(line.converter.write(value)) for value in (True, False)]


def _listed(codes: list[str], most: int = 12) -> str:
    shown = ", ".join(repr(code) for code in codes[:most])
    return shown + (f" and {len(codes) - most} more" if len(codes) > most else "")
