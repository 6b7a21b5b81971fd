"""A first golden pair for a new mapping: an invented person's request, in the system's words and in ours.

It shows what the rows do today, so that the next change to them shows as a difference. Whether it is right is for the
person who knows the system to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from mappings import fieldpaths, inventing
from mappings.golden import gap_words
from mappings.guessing import Guess
from mappings.mapping import Mapping
from mappings.meta import Json, Kind

_ABOUT = "A first pair with invented data, made by `dolen mapping scaffold`: see whether each value is right."


def first_pair(mapping: Mapping, guesses: Sequence[Guess]) -> dict[str, Any]:
    """The pair as data: a record that reads as these facts and is written from them."""
    chance = Random(mapping.name)  # noqa: S311 - a story, not a secret
    facts = {one.ours: value for one in guesses if one.active and (value := _fact(one, chance)) is not None}
    record = mapping.write(facts, None).record
    reading = mapping.read(record)
    back = mapping.write(reading.facts, None)
    return {
        "about": _ABOUT,
        "read": {"record": record, "facts": dict(reading.facts), **gap_words(reading.left_out, reading.stopped)},
        "write": {"record": back.record, **gap_words(back.left_out, back.stopped)},
    }


def _fact(one: Guess, chance: Random) -> Json:
    if one.each:
        code = next((each.ours for each in one.codes if each.direction == "both"), None)
        texts = [each for each in one.each if each.ours == "text"]
        item = {"code": code, **({"text": inventing.text(chance, _most(texts[0], 40))} if texts else {})}
        return [item] if code else None
    if one.codes:
        return next((code.ours for code in one.codes if code.direction == "both"), None)
    return invented(one.ours, chance, _most(one, 60))


def _most(one: Guess, wanted: int) -> int:
    return min(wanted, int(one.spot.schema.get("maxLength", wanted)))


def invented(ours: str, chance: Random, most: int) -> Json:
    """An invented value of one of our fields, in our words."""
    declared = fieldpaths.type_of(ours)
    name = ours.rsplit(".", 1)[-1]
    made = _of_name(ours, name, chance)
    if made is None:
        made = {
            Kind.BOOLEAN: False, Kind.INTEGER: 1, Kind.INSTANT: f"2026-07-01T08:{chance.randrange(10, 60)}:00Z",
            Kind.DATE: "2026-07-06", Kind.PARTIAL_DATE: "2026-07-06", Kind.WHEN: "2026-07-06",
            Kind.CODE: "A" if name == "ethnicity" else "cy" if name == "spoken" else "A1",
        }.get(declared.kind)  # fmt: skip
    if made is None:
        made = inventing.text(chance, min(most, 30 if "text" not in name else 60))
    if isinstance(made, str) and len(made) > most:
        made = made[:most].rstrip()
    return [made] if declared.many else made


def _of_name(ours: str, name: str, chance: Random) -> Json:
    if "telecom[" in ours and name == "value":
        return (
            inventing.email(chance)
            if "email" in ours
            else f"+44{inventing.phone(chance, mobile='mobile' in ours)[1:].replace(' ', '')}"
        )
    drawn = {
        "given": inventing.GIVEN, "family": inventing.FAMILY, "preferred": inventing.PREFERRED,
        "title": inventing.TITLES,
        "town": inventing.TOWNS, "organisation": inventing.ORGANISATIONS, "relationship": inventing.RELATIONSHIPS,
        "team": inventing.TEAMS,
    }.get(name)  # fmt: skip
    if drawn is not None:
        return chance.choice(drawn)
    if name in ("worker_ref",) or ours == "referrer.name":
        return f"{chance.choice(inventing.GIVEN)} {chance.choice(inventing.FAMILY)}"
    made = {"nhs_number": inventing.nhs_number, "date_of_birth": inventing.birthday, "uprn": inventing.uprn,
            "postcode": inventing.postcode, "lines": inventing.line}.get(name)  # fmt: skip
    if made is not None:
        return made(chance)
    return inventing.alike(chance, "TOR-000") if name in ("citizen_reference", "code", "value") else None
