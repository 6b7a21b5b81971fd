"""Golden pairs: a system's record and what it is in our words, kept beside the mapping and run in both directions.

`casework/referral.yaml` has its pairs in `casework/golden/referral.<what it shows>.json`. A pair has `about` and
`read`  {record, facts, left_out, stopped}: this record reads as these facts, and
`write` {facts, onto, record, left_out, stopped}: these facts laid over `onto` give this record.
`codes` {field: {their code: our code}}: each of these codes, alone, both ways; `needs[].code` is one of each item.
What `write` leaves out comes from `read`; `onto` left out means a create. Gaps are written as "kind: field".
Values stay masked in every difference unless somebody asks to see them: a pair may have been made from real life.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from mappings.facts import sensitivity
from mappings.mapping import Gap
from mappings.mapping import Mapping as FieldMapping
from mappings.meta import Json, Sensitivity
from mappings.places import holding, look
from mappings.rows import ABSENT
from mappings.terms import Terms

Direction = Literal["read", "write"]
_NOTHING = object()


class Read(BaseModel):
    """What a record reads as."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    record: dict[str, Any]
    facts: dict[str, Any]
    left_out: list[str] = []
    stopped: list[str] = []


class Write(BaseModel):
    """What facts are written as."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    facts: dict[str, Any] | None = None
    onto: dict[str, Any] | None = None
    record: dict[str, Any] | None = None
    left_out: list[str] = []
    stopped: list[str] = []


class Pair(BaseModel):
    """One golden pair."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    about: str
    read: Read | None = None
    write: Write | None = None
    codes: dict[str, dict[str, str]] = {}


class BadPair(ValueError):
    """A golden pair cannot be used. The message names the file and the key, never a value."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where a mapping does something else than a golden pair says."""

    pair: str
    direction: Direction
    path: str
    expected: Json = field(repr=False)
    got: Json = field(repr=False)
    shown: bool = False  # whether the values may be printed as they are

    @property
    def shown_values(self) -> tuple[str, str]:
        """What was expected and what was got, masked unless they may be shown."""
        expected, got = (_words(value, shown=self.shown) for value in (self.expected, self.got))
        if expected == got and isinstance(self.expected, str) and isinstance(self.got, str):
            pairs = zip(self.expected, self.got, strict=False)
            same = next((at for at, (one, other) in enumerate(pairs) if one != other), len(self.got))
            got += f", which differs from character {same + 1} on"
        return expected, got

    def __str__(self) -> str:
        expected, got = self.shown_values
        return f"{self.pair}: {self.direction}: {self.path}: expected {expected}, got {got}"


def load(text: str | bytes, name: str) -> Pair:
    """Read a pair. Raises BadPair."""
    problems: str
    try:
        pair = Pair.model_validate_json(text)
    except ValidationError as error:
        found = error.errors(include_input=False, include_context=False, include_url=False)
        problems = "; ".join(f"{'/'.join(str(part) for part in one['loc']) or 'file'}: {one['msg']}" for one in found)
    else:
        alone = pair.write is not None and pair.write.facts is not None and pair.write.record is not None
        if pair.read is None and not pair.codes and not alone:
            problems = "neither `read` nor `codes` nor a `write` with facts and record"
        else:
            return pair
    raise BadPair(f"{name}: {problems}")  # outside the except: pydantic's own error holds the values


def pattern(mapping: str) -> str:
    """Return where the pairs of a mapping are, as a glob beside the folder of the mappings."""
    folder, _, name = mapping.rpartition("/")
    return f"{folder}/golden/{name}.*.json" if folder else f"golden/{name}.*.json"


def run(mapping: FieldMapping, pairs: Mapping[str, Pair], *, reveal: bool = False) -> list[Difference]:
    """Run every pair in the directions that it has. `reveal`: show values, for somebody who may see them."""
    return [difference for name, pair in pairs.items() for difference in _one(mapping, name, pair, reveal=reveal)]


def accepted(mapping: FieldMapping, pair: Pair) -> dict[str, Any]:
    """The pair as data, with what the mapping makes today of what is given: the record to read, the facts to write."""
    made: dict[str, Any] = {"about": pair.about}
    facts = pair.read.facts if pair.read is not None else {}
    if pair.read is not None:
        reading = mapping.read(pair.read.record)
        facts = dict(reading.facts)
        made["read"] = {"record": pair.read.record, "facts": facts, **gap_words(reading.left_out, reading.stopped)}
    if pair.write is not None:
        given = pair.write.facts if pair.write.facts is not None else facts
        writing = mapping.write(given, pair.write.onto)
        kept = {key: value for key in ("facts", "onto") if (value := getattr(pair.write, key)) is not None}
        made["write"] = {**kept, "record": writing.record, **gap_words(writing.left_out, writing.stopped)}
    return made


def gap_words(left_out: Iterable[Gap], stopped: Iterable[Gap]) -> dict[str, list[str]]:
    """Gaps as a pair spells them, without the keys for which there are none."""
    told = {"left_out": left_out, "stopped": stopped}
    return {name: sorted({f"{gap.kind}: {gap.field}" for gap in gaps}) for name, gaps in told.items() if gaps}


def uncovered(mapping: FieldMapping, pairs: Iterable[Pair], origin: str = "") -> list[str]:
    """Name the rows that no pair gives a value, by direction: "read person.name.family".

    `origin`: only the rows that this file wrote or changed, for a file that extends another.
    """
    read: set[str] = set()
    written: set[str] = set()
    for pair in pairs:
        if pair.read is not None:
            read |= {path for path, value in pair.read.facts.items() if value is not None}
        if pair.write is not None:
            written |= {path for path, value in _facts_to_write(pair).items() if value is not None}
    rows = [row for row in mapping.rows if row.ours and origin in ("", row.origin)]
    missing = [f"read {row.ours}" for row in rows if row.direction != "write" and row.ours not in read]
    return missing + [f"write {row.ours}" for row in rows if row.direction != "read" and row.ours not in written]


def _one(mapping: FieldMapping, name: str, pair: Pair, *, reveal: bool) -> Iterator[Difference]:
    if pair.read is not None:
        reading = mapping.read(pair.read.record)
        for path in sorted({*pair.read.facts, *reading.facts}):
            expected, got = pair.read.facts.get(path, _NOTHING), reading.facts.get(path, _NOTHING)
            shown = reveal or sensitivity(path) is Sensitivity.NONE
            for inner, one, other in differences(expected, got, path):
                yield Difference(name, "read", inner, one, other, shown)
        yield from _gaps(name, "read", pair.read, reading.left_out, reading.stopped)
    if pair.write is not None:
        writing = mapping.write(_facts_to_write(pair), pair.write.onto)
        wanted = pair.write.record if pair.write.record is not None else pair.read.record if pair.read else {}
        for inner, one, other in differences(wanted, writing.record, ""):
            yield Difference(name, "write", inner, one, other, reveal)
        yield from _gaps(name, "write", pair.write, writing.left_out, writing.stopped)
    for ours, codes in pair.codes.items():
        yield from _codes(mapping, name, ours, codes)


def _codes(mapping: FieldMapping, name: str, ours: str, codes: Mapping[str, str]) -> Iterator[Difference]:
    """Each code alone in a record, and alone in the facts. Codes are no secret, so they are shown."""
    listed, _, inner = ours.partition("[].")
    for direction, row in _ways(mapping, listed):
        item = next((one for one in row.items if inner in one.ours), None) if inner else row
        for theirs, code in codes.items() if item is not None else ():
            assert item is not None
            path = (*row.theirs[0], *item.theirs[0]) if inner else row.theirs[0]
            if direction == "read":
                facts = mapping.read(holding(path, theirs)).facts.get(listed, _NOTHING)
                got = facts[0].get(inner, _NOTHING) if inner and isinstance(facts, list) else facts
                wanted = code
            else:
                written = mapping.write({listed: [{inner: code}] if inner else code}).record
                got, wanted = look(written, path), theirs
            if got != wanted and not (type(got) is int and str(got) == wanted):  # a code list holds texts alone
                yield Difference(name, direction, f"{ours}, the code {theirs} <-> {code}", wanted, got, shown=True)
        if item is None:
            yield Difference(name, direction, ours, "a row of the mapping", _NOTHING, shown=True)
    if not _ways(mapping, listed):
        yield Difference(name, "read", ours, "a row of the mapping", _NOTHING, shown=True)


def _ways(mapping: FieldMapping, ours: str) -> list[tuple[Direction, Terms]]:
    rows = [row for row in mapping.terms if ours in row.ours]
    ways: list[tuple[Direction, Terms]] = [("read", row) for row in rows if row.reads]
    return [*ways, *(("write", row) for row in rows if row.writes)]


def _facts_to_write(pair: Pair) -> dict[str, Json]:
    assert pair.write is not None
    if pair.write.facts is not None:
        return pair.write.facts
    return pair.read.facts if pair.read is not None else {}


def _gaps(
    name: str, direction: Direction, wanted: Read | Write, left_out: list[Gap], stopped: list[Gap]
) -> Iterator[Difference]:
    for where, expected, gaps in (("left_out", wanted.left_out, left_out), ("stopped", wanted.stopped, stopped)):
        got = sorted({f"{gap.kind}: {gap.field}" for gap in gaps})
        if got != sorted(expected):
            yield Difference(name, direction, where, sorted(expected), got, shown=True)


def differences(expected: Json, got: Json, at: str) -> Iterator[tuple[str, Json, Json]]:
    """Yield (path, expected, got) for every leaf that differs; True is not 1, and null is not nothing."""
    if isinstance(expected, dict) and isinstance(got, dict):
        for key in [*expected, *(key for key in got if key not in expected)]:
            inner = f"{at}/{key}" if at else key
            yield from differences(expected.get(key, _NOTHING), got.get(key, _NOTHING), inner)
    elif isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        for place, (one, other) in enumerate(zip(expected, got, strict=True), start=1):
            yield from differences(one, other, f"{at}[{place}]")
    elif type(expected) is not type(got) or expected != got:
        yield at, expected, got


def _words(value: Json, *, shown: bool) -> str:
    if value is _NOTHING or value is ABSENT:
        return "nothing"
    if value is None:
        return "null"
    if shown:
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str):
        return f"a text of {len(value)} characters" if value else "an empty text"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return {bool: "a boolean", int: "a number", float: "a number"}.get(type(value), "keys")
