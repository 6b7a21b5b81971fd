"""What must hold of a mapping: five laws, and which row breaks one for a given record or referral.

- *reads*: a record that the interface allows is not of a wrong type to us.
- *keeps theirs*: a record that is read and written anew holds, in each row that goes both ways, what it held. To the
  letter where nothing is declared lost. Where the converter's own law allows another spelling, what it reads as is the
  same. Where the row is declared lossy, something may be lost the first time, and nothing more the second time.
- *keeps ours*: a referral that is written and read again says the same, in the same three degrees.
- *fits*: what is written is of a shape that the interface takes.
- *leaves the rest*: what is read and laid over its own record changes nothing there that no row maps.

Nothing is held against a row for what Dolen says aloud: a value that was left out as too long, a record that was
stopped because something needed is missing, a group that goes because the value that leads it is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field
from typing import Any

from mappings.golden import differences
from mappings.interface import Schema
from mappings.laws.shape import misfits
from mappings.mapping import Gap, Mapping
from mappings.meta import Json
from mappings.paths import Path, spell
from mappings.places import look
from mappings.read import as_items, unwrap
from mappings.rows import ABSENT
from mappings.swift_write import blank
from mappings.terms import Terms

_REFUSED = ("wrong type", "unknown code")


@dataclass(frozen=True, slots=True)
class Breach:
    """One row that breaks one law. `row` is None where something changed that no row maps."""

    law: str
    row: Terms | None
    at: str  # the path, ours or theirs
    expected: Json = field(repr=False)
    got: Json = field(repr=False)
    why: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What makes two breaches the same one: the law and the row, or the path that no row maps."""
        return self.law, self.row.shown if self.row is not None else self.at


def there_and_back(mapping: Mapping, record: dict[str, Any]) -> list[Breach]:
    """Every breach that reading this record and writing it again shows."""
    reading = mapping.read(record)
    found = [*_refused(mapping, "reads", [*reading.left_out, *reading.stopped])]
    if reading.stopped:
        return found
    anew = mapping.write(reading.facts)
    found += _refused(mapping, "keeps theirs", [*anew.left_out, *anew.stopped])
    found += _left_alone(mapping, record, reading.facts)
    if anew.stopped:
        return found
    gone = {gap.field for gap in (*reading.left_out, *anew.left_out)}
    again = mapping.read(anew.record).facts
    third = mapping.write(again).record
    for row in _both_ways(mapping, reading.facts, gone):
        found += _same_facts("keeps theirs", row, reading.facts, again, lambda: mapping.read(third).facts)
        found += _same_spelling(row, record, anew.record, third)
    return found


def back_and_there(mapping: Mapping, facts: Dictionary[str, Json], shape: Schema | None = None) -> list[Breach]:
    """Every breach that writing these facts and reading them again shows. `shape`: what a record that is sent is."""
    writing = mapping.write(facts)
    found = [*_refused(mapping, "keeps ours", [*writing.left_out, *writing.stopped])]
    found += _fits(mapping, writing.record, shape)
    if writing.stopped:
        return found
    reading = mapping.read(writing.record)
    found += _refused(mapping, "keeps ours", [*reading.left_out, *reading.stopped])
    if reading.stopped:
        return found
    gone = {gap.field for gap in (*reading.left_out, *writing.left_out)}

    def second() -> Dictionary[str, Json]:
        return mapping.read(mapping.write(reading.facts).record).facts

    for row in _both_ways(mapping, facts, gone):
        found += _same_facts("keeps ours", row, facts, reading.facts, second)
    return found


def _refused(mapping: Mapping, law: str, gaps: list[Gap]) -> Iterator[Breach]:
    """What a converter would not take although both sides allow it. A row that is declared lossy may say no."""
    for gap in gaps:
        row = next((row for row in mapping.terms if gap.field in row.ours), None)
        if gap.kind in _REFUSED and not (row is not None and row.admits_loss):
            wanted = f": {gap.reason}" if gap.reason else ""
            yield Breach(law, row, gap.field, gap.value, ABSENT, f"{gap.kind} at {gap.theirs}{wanted}")


def _both_ways(mapping: Mapping, facts: Dictionary[str, Json], gone: set[str]) -> Iterator[Terms]:
    """The rows that a law speaks of: those that go both ways, whose group is led, and of which nothing was left out."""
    leads = [row for row in mapping.terms if row.lead]
    for row in mapping.terms:
        if row.direction != "both" or not row.ours or gone.intersection(row.ours):
            continue
        unled = any(
            not any(_known(facts.get(ours)) for ours in lead.ours)
            for lead in leads
            if lead is not row and any(_beside(lead_path, path) for lead_path in lead.theirs for path in row.theirs)
        )
        if not unled:
            yield row


def _beside(lead: Path, path: Path) -> bool:
    """Whether a path lies in the group, or the picked item, that another one leads."""
    return path[: len(lead) - 1] == lead[:-1]


def _same_facts(
    law: str,
    row: Terms,
    before: Dictionary[str, Json],
    after: Dictionary[str, Json],
    later: Callable[[], Dictionary[str, Json]],
) -> Iterator[Breach]:
    for ours in row.ours:
        was, now = before.get(ours), after.get(ours)
        if not _known(was):
            if _known(now) and not row.assumes:
                yield Breach(law, row, ours, was, now, "nobody said this, and no default is declared")
        elif now != was or type(now) is not type(was):
            if not row.admits_loss:
                yield Breach(law, row, ours, was, now, "it does not come back the same")
            elif (then := later().get(ours)) != now:
                why = "it changes again the second time, which `lossy` does not cover"
                yield Breach(law, row, ours, now, then, why)


def _same_spelling(row: Terms, record: dict[str, Any], anew: dict[str, Any], third: dict[str, Any]) -> Iterator[Breach]:
    for path in row.theirs:
        held, written, again = (look(one, path) for one in (record, anew, third))
        if row.exact:
            for at, was, now in _to_the_letter(row, path, held, written):
                yield Breach("keeps theirs", row, at, was, now, "it is not written as it was, and no loss is declared")
        filled_in = row.assumes and blank(_plain(written))  # what was empty reads as the declared default from then on
        if not filled_in and list(differences(_plain(written), _plain(again), "")):
            yield Breach("keeps theirs", row, spell(path), written, again, "it changes again the second time")


def _to_the_letter(row: Terms, path: Path, held: Json, written: Json) -> Iterator[tuple[str, Json, Json]]:
    """Where a value that was there is another one now. What is empty on both sides, however it is said, is the same."""
    if row.items:
        before, after = as_items(held) or [], as_items(written) or []
        if len(before) != len(after):
            return  # items that say nothing are not kept; the facts have been compared
        for was, now in zip(before, after, strict=True):
            for item in row.items:
                for inner in item.theirs if item.direction == "both" else ():
                    yield from _to_the_letter(item, (*path, *inner), look(was, inner), look(now, inner))
        return
    was, now = unwrap(held), unwrap(written)
    if was is ABSENT or blank(was) or was in row.absent:
        return
    if isinstance(was, list) or isinstance(now, list):
        return  # empty members of a list are not kept; the facts have been compared
    if type(was) is not type(now) or was != now:
        yield spell(path), was, now


def _left_alone(mapping: Mapping, record: dict[str, Any], facts: Dictionary[str, Json]) -> Iterator[Breach]:
    """What writing a record's own facts over it changes, although no row maps it."""
    onto = mapping.write(facts, record)
    places = [place for row in mapping.terms if row.writes for path in row.theirs for place in _places(path)]
    for at, was, _ in differences(record, onto.record, ""):
        for keys, value in _said(was, _keys(at)) if isinstance(was, dict) else [(_keys(at), was)]:
            if not any(keys[: len(place)] == place or place[: len(keys)] == keys for place in places):
                yield Breach("leaves the rest", None, "/".join(keys), value, ABSENT, "no row maps it, and it changed")


def _places(path: Path) -> Iterator[tuple[str, ...]]:
    """What a row's path maps: its own place, and the fixed keys by which it picks an item, which it writes too."""
    for number, step in enumerate(path, 1):
        above = tuple(one.key for one in path[:number])
        yield from ((*above, key) for key, _ in step.where)
    yield tuple(step.key for step in path)


def _said(value: Json, at: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Json]]:
    """What a group that went as a whole had said, value by value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _said(inner, (*at, key))
    elif not blank(value):
        yield at, value


def _fits(mapping: Mapping, record: dict[str, Any], shape: Schema | None) -> Iterator[Breach]:
    """Where what is written is not what the interface takes, and the row that wrote it."""
    for keys, wanted in misfits(shape, record) if shape is not None else ():
        row = next((row for row in mapping.terms if row.writes and _reaches(row, keys)), None)
        yield Breach("fits", row, "/".join(keys), wanted, ABSENT, f"the interface takes {wanted} there")


def _reaches(row: Terms, keys: tuple[str, ...]) -> bool:
    """Whether the row writes what stands at those keys, or what is above it."""
    for path in row.theirs:
        place = tuple(step.key for step in path)
        below = [(*place, *(step.key for step in inner)) for item in row.items for inner in item.theirs]
        if any(one[: len(keys)] == keys for one in (place, *below)):
            return True
    return False


def _keys(at: str) -> tuple[str, ...]:
    return tuple(part.partition("[")[0] for part in at.split("/"))


def _plain(value: Json) -> Json:
    return None if value is ABSENT or blank(value) else unwrap(value)


def _known(value: Json) -> bool:
    return value is not None and value is not ABSENT and value != "" and value != []
