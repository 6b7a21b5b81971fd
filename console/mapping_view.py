"""How the mapping bench looks. Values arrive here masked already, unless somebody asked to see them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from console.show import count, safe, say, table
from mappings.golden import Difference
from pipelines.mapping_bench import Preview, Tried
from pipelines.mapping_origin import Origin
from pipelines.scaffold import Scaffold


def begun(made: Scaffold, site: Path) -> None:
    """What was written for a new system, and what to do next."""
    say(*(f"written: {safe(name)}" for name in made.written))
    for kind in made.kinds:
        found = kind.sureness
        say(
            f"{safe(kind.mapping)}: of {count(found['values'], 'value')} {found['in_force']} in force "
            f"({found['sure']} sure), "
            f"{found['commented']} guessed and commented out, {found['unknown']} that nobody could guess"
        )
    say(*(f"note: {safe(note)}" for note in made.notes))
    first = made.kinds[0].mapping
    say(f"Next: go through mappings/{safe(first)}.yaml and its guesses, then run: dolen check --site {site}")


def begun_plain(made: Scaffold) -> dict[str, Any]:
    """The same as data."""
    kinds = [{"record": kind.record, "mapping": kind.mapping, **kind.sureness} for kind in made.kinds]
    return {"system": made.system, "written": list(made.written), "kinds": kinds, "notes": list(made.notes)}


def tried(all_tried: Sequence[Tried]) -> None:
    """What became of each mapping's examples."""
    for one in all_tried:
        mark = "well" if one.well else "NOT WELL"
        without = list(dict.fromkeys(one.uncovered))  # a row with several paths of theirs is one row
        bare = f", {count(len(without), 'row')} without an example" if without else ""
        say(f"{one.mapping}: {mark}, {count(one.pairs, 'pair')}{bare}")
        if len(all_tried) == 1 and one.well:  # with many the list would hide what is wrong
            say(*(f"  no example: {safe(row)}" for row in without))
        say(*(f"  {finding}" for finding in one.findings))
        for difference, row in zip(one.differences, one.rows, strict=True):
            say(*(f"  {line}" for line in _difference(difference, row)))


def _difference(one: Difference, row: str) -> Iterator[str]:
    """One difference on lines of its own: where, what the pair says, what came out, and the row that made it."""
    expected, got = one.shown_values
    yield f"{safe(one.pair)}, {one.direction}: {safe(one.path)}"
    yield f"    expected {safe(expected)}"
    yield f"    got      {safe(got)}"
    if row:
        yield f"    by the row {row}"


def tried_plain(one: Tried) -> dict[str, Any]:
    """The same as data; a difference is the sentence that masks its values."""
    return {
        "mapping": one.mapping, "file": one.file, "pairs": one.pairs, "well": one.well,
        "differences": [str(difference) for difference in one.differences], "rows": list(one.rows),
        "findings": [dataclasses.asdict(finding) for finding in one.findings], "uncovered": list(one.uncovered),
    }  # fmt: skip


def preview(seen: Preview) -> None:
    """One record, row by row, and what the way back would do."""
    if seen.unreadable:
        say(f"It cannot be read: {seen.unreadable}")
        return
    table(
        ["theirs", "value", "ours", "value", "back"],
        [
            (
                _clipped(row.theirs, 27, tail=True), _clipped(_brief(row.their_value), 17),
                _clipped(row.ours, 27, tail=True), _clipped("not carried" if row.gap else _brief(row.value), 17),
                row.back if row.back in ("", "same", "nothing") else "other",
            )
            for row in seen.rows
        ],
    )  # fmt: skip
    say(*(f"Not carried: {safe(row.gap)}" for row in seen.rows if row.gap and row.gap not in _told(seen)))
    for title, gaps in (
        ("Stops the record", seen.stopped), ("Left out", seen.left_out),
        ("Stops writing it back", seen.back_stopped), ("Left out on the way back", seen.back_left_out),
    ):  # fmt: skip
        say(*(f"{title}: {safe(gap)}" for gap in gaps))
    say(*(f"Written back, changes: {safe(one.path)}: {safe(one.before)} -> {safe(one.after)}" for one in seen.onto))
    say(*(f"Lost on the way: {safe(one.path)}: {safe(one.before)} -> {safe(one.after)}" for one in seen.lost))


def _told(seen: Preview) -> set[str]:
    return {str(gap) for gap in (*seen.stopped, *seen.left_out)}


def _brief(value: str) -> str:
    return value.removeprefix("a text of ")


def _clipped(text: str, width: int, *, tail: bool = False) -> str:
    """A text in so many columns; of a path the end tells most."""
    text = safe(text)
    if len(text) <= width:
        return text
    return f"…{text[1 - width :]}" if tail else f"{text[: width - 1]}…"


def preview_plain(seen: Preview) -> dict[str, Any]:
    """The same as data."""
    gaps = ("left_out", "stopped", "back_stopped", "back_left_out")
    return {
        "mapping": seen.mapping, "unreadable": seen.unreadable, "rows": [dataclasses.asdict(row) for row in seen.rows],
        **{name: [str(gap) for gap in getattr(seen, name)] for name in gaps},
        "remarks": [dataclasses.asdict(remark) for remark in seen.remarks],
        "written_back": [dataclasses.asdict(one) for one in seen.onto],
        "lost": [dataclasses.asdict(one) for one in seen.lost],
    }  # fmt: skip


def origins(rows: Sequence[Origin]) -> None:
    """Every row with its file and line, and for a row laid over another which keys that file wrote."""
    table(["ours", "theirs", "direction", "from", "changed there"], _origin_lines(rows, ""))


def origins_plain(rows: Sequence[Origin]) -> list[dict[str, Any]]:
    """The same as data, with the place of every key."""
    return [dataclasses.asdict(row) for row in rows]


def _origin_lines(rows: Sequence[Origin], indent: str) -> list[tuple[str, ...]]:
    lines: list[tuple[str, ...]] = []
    for row in rows:
        changed = ", ".join(one.key for one in row.changed)
        where = f"{row.file}:{row.line}"
        lines.append((indent + (row.ours or "(constant)"), row.theirs, row.direction, where, changed))
        lines += _origin_lines(row.each, indent + "  ")
    return lines
