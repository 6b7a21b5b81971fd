"""How code lists look to those who own them: what waits, what was released, what a code book would change."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from console.show import complain, count, iso, safe, say, table, when
from console.site import zone_of

if TYPE_CHECKING:
    from mappings.code_book import Book
    from mappings.codes import CodeRow
    from mappings.codes_edit import Import
    from pipelines.code_desk import Released
    from pipelines.code_drift_known import Drift
    from pipelines.plant import Plant
    from pipelines.unmapped import Waiting


def unmapped(plant: Plant, found: Sequence[Waiting]) -> None:
    """Codes that wait, grouped by list and council, and the command that maps one."""
    if not found:
        say("No code waits.")
        return
    for name, code in dict.fromkeys((one.code_list, one.council) for one in found):
        say(f"{name}, {code}")
        rows = []
        for one in found:
            if (one.code_list, one.council) != (name, code):
                continue
            since = when(one.since, zone_of(plant, code))
            shown = one.code or f"({one.words})"
            words = one.words if one.code else ""
            where = f"{one.connection} {one.theirs}" if one.theirs else one.connection
            what = f"{one.side} {one.field}" if one.field else one.side
            rows.append((shown, words, what, where, one.stopped, one.left_out, since, ", ".join(one.near)))
        heads = ["code", "shown as", "field", "where", "stopped", "left out", "since", "may mean"]
        table(heads, rows)
        say("")
    first = next((one for one in found if one.code and one.side == "read"), None)
    name, code = (first.code_list, first.code) if first else (found[0].code_list, "THEIRS")
    say("Whoever owns the list decides what a code means, then:", f"  dolen codes map {name} {safe(code)} OURS")


def unmapped_plain(plant: Plant, found: Sequence[Waiting]) -> list[dict[str, Any]]:
    """The same as data."""
    return [dataclasses.asdict(one) | {"since": iso(one.since, zone_of(plant, one.council))} for one in found]


def released(done: Released, file: str = "") -> None:
    """What goes on now."""
    if file:
        say(f"{file} says so now.")
    say(f"Released: {' '.join(done.stopped) or 'nothing was stopped for it'}")
    if done.completed:
        say(f"Taken again, because the field was left out: {' '.join(done.completed)}")
    if done.waits:
        say(f"Still waiting for other codes of the list: {count(len(done.waits), 'item')}; see dolen codes unmapped")


def released_plain(done: Released) -> dict[str, Any]:
    """The same as data."""
    return dataclasses.asdict(done)


def imported(name: str, book: Book, plan: Import, written: str) -> None:
    """What a code book changes, and how it was read."""
    read = ", ".join(f"{column}: {safe(head)}" for column, head in book.columns.items())
    separator = {"\t": "tab"}.get(book.separator, book.separator)
    say(f"Read {count(len(book.codes), 'code')} ({book.encoding}, parted by {separator}; {read}).")
    for title, rows in (("new, waiting to be mapped", plan.added), ("other words", plan.changed),
                        ("ended: not in the code book any more", plan.ended),
                        ("in the code book again", plan.revived)):  # fmt: skip
        if rows:
            say("", f"{title}: {len(rows)}")
            table(["theirs", "ours", "cy", "en", "to"], [_cells(row) for row in rows])
    for ours in plan.unwritten:
        complain(f"Nothing will be written for {safe(ours)} any more: map another code to it.")
    if not plan.rows:
        say("The list agrees with it; there is nothing to change.")
    elif written:
        say("", f"Written to {written}. Map what is new: dolen codes map {name} THEIRS OURS")
    else:
        say("", "Nothing was written. Do it with --go.")


def drift(rows: Sequence[tuple[str, str, Drift]]) -> None:
    """What differs between code lists and the systems' own, list by list."""
    if not rows:
        say("No connection has a look-up for codes; a profile names them under lookups.")
        return
    heads = ["council", "connection", "where", "list", "found"]
    table(heads, [(code, name, f"{one.kind} {one.path}", one.code_list, _found(one)) for code, name, one in rows])
    for code, name, one in rows:
        for theirs, words in one.new:
            say(f"{code}/{name} {one.code_list}: new {safe(theirs)} ({safe(words) or 'without words'}); "
                f"dolen codes map {one.code_list} {safe(theirs)} OURS")  # fmt: skip
        for theirs, ours in one.gone:
            say(f"{code}/{name} {one.code_list}: {safe(theirs)} is gone there, and would be written for {safe(ours)}")


def _found(one: Drift) -> str:
    if one.words:
        return f"could not be asked: {one.words}"
    return f"{len(one.new)} new, {len(one.gone)} gone" if one.drifted else "agrees"


def drift_plain(rows: Sequence[tuple[str, str, Drift]]) -> list[dict[str, Any]]:
    """The same as data."""
    return [{"council": code, "connection": name, **dataclasses.asdict(one), "drifted": one.drifted}
            for code, name, one in rows]  # fmt: skip


def _cells(row: CodeRow) -> tuple[str, ...]:
    cells = row.cells
    return (cells["theirs"], cells["ours"], cells["cy"], cells["en"], cells["to"])


def import_plain(book: Book, plan: Import) -> dict[str, Any]:
    """The same as data."""
    rows = {name: [row.cells for row in getattr(plan, name)] for name in ("added", "changed", "ended", "revived")}
    return {"columns": dict(book.columns), "encoding": book.encoding, "separator": book.separator, **rows,
            "unwritten": list(plan.unwritten)}  # fmt: skip
