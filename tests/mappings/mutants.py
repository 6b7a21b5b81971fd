"""Small wrongs, made one at a time in a mapping file or a code list: what the checks, the laws and the pairs must see.

Each mutant is one thing that a tired hand does: a row lost, a path that is another row's or nobody's, a direction, a
converter or a code list taken for another, two codes exchanged. Files are read once and changed in memory.
"""

from __future__ import annotations

import copy
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mappings import converters, fieldpaths
from mappings.meta import Kind

_BY_KIND: dict[Kind, tuple[str, ...]] = {
    Kind.TEXT: ("text", "trimmed", "phone", "postcode", "nhs-number", "number-as-text"),
    Kind.CODE: ("text", "trimmed", "number-as-text"),
    Kind.BOOLEAN: ("boolean", "opposite"),
    Kind.INTEGER: ("integer",),
    Kind.DATE: ("date",),
    Kind.PARTIAL_DATE: ("date", "partial-date"),
    Kind.INSTANT: ("time", "local-time", "offset-time"),
    Kind.WHEN: ("when", "date", "time"),
}
_OF_LISTS = ("list", "lines", "joined", "text")
_OTHER_DATES = {"options": {"format": "DD/MM/YYYY"}}
Keys = tuple[Any, ...]


@dataclass(frozen=True)
class Mutant:
    """One wrong. `data` is the mapping file with it, or None; `codes` the text of one code list with it."""

    name: str
    data: dict[str, Any] | None = None
    list_name: str = ""
    codes: str = ""


def of_file(data: dict[str, Any], below: dict[str, dict[str, Any]], lists: list[str]) -> Iterator[Mutant]:
    """The wrongs of a mapping file. `below`: the rows that it extends, by `ours`; `lists`: all code lists there are."""
    for keys, rows, within in _levels(data):
        for place, row in enumerate(rows):
            known = {**below.get(str(row.get("ours", "")), {}), **row}
            if within and (one_way := data["fields"][keys[1]].get("direction")):
                known["direction"] = one_way  # an item goes no other way than its list
            what = f"{within}{row.get('ours', row.get('theirs'))}"
            for change, changed in _of_row(rows, place, known, within, lists):
                mutated = copy.deepcopy(data)
                _put(mutated, keys, changed)
                yield Mutant(f"{what}: {change}", mutated)


def of_list(name: str, text: str) -> Iterator[Mutant]:
    """The wrongs of a code list: each row lost, one way only, misspelt, or exchanged with the next one."""
    head, *rows = [row for row in csv.reader(io.StringIO(text)) if row]
    theirs, ours, direction = (head.index(column) for column in ("theirs", "ours", "direction"))
    for place, row in enumerate(rows):
        after = [*rows[place + 1 :], *rows[:place]]
        following = next((one for one in after if one[ours] != row[ours]), row)
        if following is not row and (following[theirs], following[direction]) == (row[theirs], row[direction]):
            following = row  # to exchange these is no wrong
        what = f"{name}: {row[theirs]} <-> {row[ours]}"
        changes: dict[str, list[list[str]]] = {"dropped": rows[:place] + rows[place + 1 :]}
        for other in {"both", "read", "write"} - {row[direction]}:
            changes[f"direction {other}"] = _with(rows, place, {direction: other})
        changes["theirs misspelt"] = _with(rows, place, {theirs: f"{row[theirs]}X"})
        if following is not row:
            changes[f"ours as {following[ours]}"] = _with(rows, place, {ours: following[ours]})
        if following[theirs] != row[theirs]:
            changed = _with(rows, place, {theirs: following[theirs]})
            changes[f"exchanged with {following[theirs]}"] = _with(
                changed, rows.index(following), {theirs: row[theirs]}
            )
        for change, changed in sorted(changes.items()):
            body = io.StringIO()
            csv.writer(body, lineterminator="\n").writerows([head, *changed])
            yield Mutant(f"{what}: {change}", None, name, body.getvalue())


def _levels(data: dict[str, Any]) -> Iterator[tuple[Keys, list[dict[str, Any]], str]]:
    """The rows of the file, and those of each list row."""
    yield ("fields",), data["fields"], ""
    for place, row in enumerate(data["fields"]):
        if row.get("each"):
            yield ("fields", place, "each"), row["each"], f"{row['ours']}/"


def _of_row(
    rows: list[dict[str, Any]], place: int, known: dict[str, Any], within: str, lists: list[str]
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    row = rows[place]
    yield "dropped", rows[:place] + rows[place + 1 :]
    directions = {"both", "read", "write"} - {known.get("direction", "both")}
    if within and known.get("direction"):
        directions -= {"both"}
    if "constant" in known:
        directions -= {"write"}  # it goes no other way, said or unsaid
    for other in sorted(directions):
        yield f"direction {other}", _with(rows, place, {"direction": other})
    if isinstance(known.get("theirs"), str):
        if known["theirs"] != ".":
            yield "a path into nowhere", _with(rows, place, {"theirs": f"{known['theirs']}X"})
        following = next((at for at in [*range(place + 1, len(rows)), *range(place)] if "theirs" in rows[at]), None)
        alike = following is not None and row.get("constant", ...) == rows[following].get("constant")
        if "theirs" in row and following is not None and not alike:
            changed = _with(rows, place, {"theirs": rows[following]["theirs"]})
            named = rows[following].get("ours", "a constant")
            yield f"path exchanged with {named}", _with(changed, following, {"theirs": row["theirs"]})
    for change, keys in _other_words(known, within.rstrip("/"), lists):
        yield change, _with(rows, place, keys)


def _other_words(known: dict[str, Any], within: str, lists: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The row with another converter, or another code list."""
    if "each" in known or not isinstance(known.get("ours"), str):
        return
    declared = fieldpaths.type_of(known["ours"], within)
    if "codes" in known:
        at = lists.index(known["codes"])
        yield f"the code list {lists[(at + 1) % len(lists)]}", {"codes": lists[(at + 1) % len(lists)]}
        yield "no code list", {"codes": None}
        return
    now = known.get("as") or converters.default_for(declared.kind, declared.many)
    others = _OF_LISTS if declared.many else _BY_KIND.get(declared.kind, ("text", "trimmed", "as-is"))
    for other in others:
        if known.get("direction") == "read" and {other, now} == {"time", "offset-time"}:
            continue  # they differ in what they write alone
        if other != now:
            yield f"{other} for {now}", {"as": other, "options": None}
    if now == "date":
        yield "days written as DD/MM/YYYY", {"as": "date", **_OTHER_DATES}


def _with(rows: list[Any], place: int, changes: dict[Any, Any]) -> list[Any]:
    changed = copy.deepcopy(rows)
    for key, value in changes.items():
        if value is None and isinstance(changed[place], dict):
            changed[place].pop(key, None)
        else:
            changed[place][key] = value
    return changed


def _put(data: Any, keys: Keys, rows: list[dict[str, Any]]) -> None:
    *above, last = keys
    for key in above:
        data = data[key]
    data[last] = rows
