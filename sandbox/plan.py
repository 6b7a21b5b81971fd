"""What the staff of the councils are going to do with each request: decided by the seed alone, before anything happens.

Most requests begin in the contact centre and are corrected there now and then; some are typed straight into the case
system. Case staff then move each along a path of statuses. A few awkward ones are laid in on purpose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from random import Random
from typing import Any

from sandbox import names, people
from sandbox.health_words import as_health_knows
from sandbox.store import Json


class Sort(StrEnum):
    """What is special about a request."""

    PLAIN = "plain"
    SAME_DAY = "same-day"  # bears a priority that nobody has mapped
    UNREADABLE = "unreadable"  # does not fit its own interface until staff mend it
    ELSEWHERE = "elsewhere"  # for a team whose system no machine may enter


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that staff do, `pause` seconds after the thing before it.

    `change` holds case fields for case staff; for contact staff `what` says which field they touch, with which luck.
    """

    pause: float
    what: str
    change: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Errand:
    """One request: whose, what sort, where it begins, and what happens to it in either system."""

    number: int
    tenant: str
    sort: Sort
    in_casework: bool
    contact: tuple[Step, ...]
    case: tuple[Step, ...]
    in_health: bool = False


# Paths through the case system and how often each is taken, of a hundred.
_PATHS = (
    (70, ("TRI", "ACC", "INP", "CLO")),
    (8, ("TRI", "ACC", "HLD", "INP", "CLO")),
    (8, ("TRI", "REJ")),
    (10, ("TRI", "ACC")),
    (4, ("TRI", "ACC", "INP")),
)
_CASEWORK_BORN = 0.08
# Of the council that takes referrals from the health service, this share of the plain ones begins there.
_FROM_HEALTH = {"neath-port-talbot": 0.15}
_CORRECTED = 0.3
_RISK_NOTE = '<note xmlns="urn:example:local">{0}</note>'


@dataclass(frozen=True)
class Plan:
    """The whole story of `referrals` requests. `pause` stretches (or shrinks) every pause of staff."""

    seed: int
    referrals: int
    councils: tuple[str, ...]
    same_day: int
    unreadable: int
    pause: float = 1.0

    def errand(self, number: int) -> Errand:
        """What happens to request `number`, from 0."""
        tenant = self.councils[number % len(self.councils)]
        sort = self._awkward.get(number, Sort.PLAIN)
        chance = Random(f"{self.seed}/{number}/errand")  # noqa: S311 - a story, not a secret
        in_casework = sort is Sort.PLAIN and chance.random() < _CASEWORK_BORN
        # Drawn from a chance of its own, so that every other request stays as it was.
        apart = Random(f"{self.seed}/{number}/health")  # noqa: S311 - a story, not a secret
        in_health = sort is Sort.PLAIN and not in_casework and apart.random() < _FROM_HEALTH.get(tenant, 0.0)
        contact = () if in_casework or in_health else tuple(self._contact(chance, sort))
        case = () if sort is Sort.ELSEWHERE else tuple(self._case(chance, tenant))
        return Errand(number, tenant, sort, in_casework, contact, case, in_health)

    def request(self, errand: Errand) -> Json:
        """The request as it is first typed, with what makes it awkward but readable."""
        invented = people.request(self.seed, errand.number, errand.tenant)
        if errand.sort is Sort.SAME_DAY:
            invented["priority"] = "same-day"
        if errand.sort is Sort.ELSEWHERE:
            invented["team"] = "occupational-therapy"
        return as_health_knows(invented) if errand.in_health else invented

    @cached_property
    def _awkward(self) -> dict[int, Sort]:
        chance = Random(f"{self.seed}/awkward")  # noqa: S311 - a story, not a secret
        awkward: dict[int, Sort] = {}
        for council, sort, wanted in (
            ("blaenau-gwent", Sort.SAME_DAY, self.same_day),
            ("torfaen", Sort.UNREADABLE, self.unreadable),
            ("neath-port-talbot", Sort.ELSEWHERE, max(1, round(self.referrals / len(self.councils) * 0.02))),
        ):
            if council in self.councils:
                own = range(self.councils.index(council), self.referrals, len(self.councils))
                awkward |= dict.fromkeys(chance.sample(own, min(wanted, len(own) // 2)), sort)
        return awkward

    def _contact(self, chance: Random, sort: Sort) -> list[Step]:
        moments = [(chance.uniform(0.2, 4), "internal_notes")] if chance.random() < 0.5 else []
        if sort in (Sort.PLAIN, Sort.SAME_DAY) and chance.random() < _CORRECTED:
            touched = ["mobile", "address", "needs"] + ["priority"] * (sort is Sort.PLAIN)
            moments += [(chance.uniform(0.5, 8), each) for each in chance.sample(touched, chance.choice((1, 1, 2)))]
        if sort is Sort.UNREADABLE:
            moments = []  # nobody can open it before it is mended
        steps, before = [], 0.0
        for moment, what in sorted(moments):
            steps.append(Step((moment - before) * self.pause, what))
            before = moment
        return steps

    def _case(self, chance: Random, tenant: str) -> list[Step]:
        path = chance.choices([each for _, each in _PATHS], [weight for weight, _ in _PATHS])[0]
        steps = []
        for status in path:
            change: dict[str, Any] = {"Status": status}
            if status == "TRI" and chance.random() < 0.8:
                change["OfficerNotes"] = chance.choice(names.OFFICER_NOTES)
            if status == "TRI" and chance.random() < 0.1:
                change["Extra"] = _RISK_NOTE.format(chance.choice(("ci mawr", "two steps at the door")))
            if status == "ACC" and (tenant == "neath-port-talbot" or chance.random() < 0.3):
                change["Worker"] = chance.choice(names.WORKERS)
            if status == "REJ":
                change["StatusReason"] = chance.choice(names.REASONS_FOR_NO)
            if status == "CLO":
                change["Outcome"] = f"O0{chance.randrange(1, 7)}"
            steps.append(Step(chance.uniform(0.3, 1.2) * self.pause, status, change))
        return steps


def correction(seed: int, number: int, council: str, what: str, request: Json) -> Json:
    """What contact staff write when they correct `what`: the fields that change, as they are then."""
    chance = Random(f"{seed}/{number}/correction/{what}")  # noqa: S311 - a story, not a secret
    customer = request["customer"]
    if what == "internal_notes":
        return {"internal_notes": chance.choice(names.INTERNAL_NOTES)}
    if what == "mobile":
        mobile = {"type": "mobile", "value": people.mobile(chance), "ok_to_text": True}
        others = [each for each in customer["contacts"] if each["type"] != "mobile"]
        return {"customer": {**customer, "contacts": [*others, mobile]}}
    if what == "address":
        return {"customer": {**customer, "address": people.address(chance, council)}}
    if what == "needs":
        wanted = sorted(chance.sample(people.NEEDS, chance.choice((1, 2, 3))), key=people.NEEDS.index)
        return {"needs": [{"code": code, "note": chance.choice(names.NOTE) or None} for code in wanted]}
    if what == "priority":
        return {"priority": "urgent" if request["priority"] != "urgent" else "routine"}
    raise ValueError(f"Contact staff do not correct {what!r}.")


def awkward_by_size(referrals: int) -> tuple[int, int]:
    """How many unmapped priorities and unreadable requests suit a story of that size."""
    return (3 if referrals >= 50 else int(referrals >= 12)), int(referrals >= 12)


def councils_of(wanted: Sequence[str] | None) -> tuple[str, ...]:
    """The councils of a story: those asked for, or the three."""
    return tuple(wanted or people.COUNCILS)
