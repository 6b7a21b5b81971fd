"""What the staff of the peers' councils are going to type, decided by the seed alone, before anything happens.

Every deed has its place in the story as a share of the whole, from 0 to 1, so that whoever plays it sets the pace.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from random import Random
from typing import Any

from sandbox import names
from sandbox.peers.faults import Weather

#: Each council has a desk, where requests are typed, and a care system of one tier: by routes 40, 40 and 20 of 100.
COUNCILS = {"alder": "A", "birch": "A", "cedar": "B", "damson": "B", "elder": "C"}
STATUSES = ("triage", "accepted", "in-progress", "on-hold", "closed")
UNMAPPED = "same-day"  # a priority that nobody has mapped: such a version must need attention and hold up no other
LAST_CREATE = 0.85  # the rest of the story is edits


class Deed(StrEnum):
    """One kind of thing that staff do."""

    CREATE = "create"  # at the desk
    EDIT = "edit"  # at the desk: reason, and priority or mobile
    STATUS = "status"  # in care
    MOBILE = "mobile"  # in care: a field that the desk owns
    NOTES = "notes"  # either: a field that nobody maps


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """One deed: when (share of the story), which request, where."""

    at: float
    number: int
    nth: int
    side: str  # desk, care
    deed: Deed
    unmapped: bool = False
    with_mobile: bool = False
    late: float = 0.0  # seconds from typing to commit


@dataclass(frozen=True, slots=True)
class Story:
    """`referrals` requests, spread evenly over the councils."""

    weather: Weather
    referrals: int
    latest: float = 2.0  # seconds: a late commit of staff takes no longer

    def steps(self) -> list[Step]:
        """All deeds in order."""
        return sorted(step for number in range(self.referrals) for step in self._of(number))

    def council(self, number: int) -> str:
        """Where request `number` is made."""
        return list(COUNCILS)[number % len(COUNCILS)]

    def token(self, number: int) -> str:
        """The mark by which request `number` is known in any system, whatever keys it bears."""
        return f"{self.council(number)}-{number:06d}"

    def person(self, number: int) -> dict[str, Any]:
        """Whom it is about."""
        chance = self.weather.chance("person", number)
        return {
            "last_name": chance.choice(names.FAMILY),
            "first_names": [chance.choice(names.FEMALE + names.MALE)],
            "date_of_birth": date(chance.randrange(1925, 2005), chance.randrange(1, 13), 1).isoformat(),
            "mobile": self.mobile(number, 0),
        }

    def mobile(self, number: int, nth: int) -> str:
        """A number that this request never had before; invented numbers are few, so others may have it too."""
        return f"07700 900{(number * 7 + nth) % 1000:03d}"

    def reason(self, number: int, nth: int) -> str:
        """What the desk typed the `nth` time."""
        text = self.weather.chance("reason", number).choice(names.HELP)
        return f"{text} [#{self.token(number)}] (v{nth})"

    def _of(self, number: int) -> Iterator[Step]:
        chance = self.weather.chance("story", number)
        begins = number / max(1, self.referrals) * LAST_CREATE
        unmapped = chance.random() < 0.004
        yield Step(begins, number, 0, "desk", Deed.CREATE, unmapped, late=self._late(chance))
        if unmapped and chance.random() < 0.5:
            yield Step(_after(begins, chance), number, 90, "desk", Deed.EDIT)
        at = begins
        for nth in range(chance.choices((0, 1, 2), (50, 35, 15))[0]):
            at = _after(at, chance)
            wrong = chance.random() < 0.004
            yield Step(at, number, 10 + nth, "desk", Deed.EDIT, wrong, chance.random() < 0.4, self._late(chance))
            if wrong and chance.random() < 0.5:
                at = _after(at, chance)
                yield Step(at, number, 20 + nth, "desk", Deed.EDIT)
        at = begins
        for nth in range(chance.choices((0, 1, 2, 3), (30, 35, 25, 10))[0]):
            at = _after(at, chance)
            yield Step(at, number, 30 + nth, "care", Deed.STATUS, late=self._late(chance))
        if chance.random() < 0.12:
            yield Step(_after(at, chance), number, 40, "care", Deed.MOBILE)
        for nth, side in enumerate(("desk", "care")):
            if chance.random() < 0.25:
                yield Step(_after(begins, chance), number, 50 + nth, side, Deed.NOTES)

    def _late(self, chance: Random) -> float:
        return chance.uniform(0.2, self.latest) if chance.random() < 0.08 else 0.0


def _after(at: float, chance: Random) -> float:
    return min(1.0, at + chance.expovariate(1 / 0.03))
