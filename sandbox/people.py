"""Invents people and their requests for help, the same ones for the same seed to the byte.

Every request is made from its own seed and number alone, so that fifty thousand can be made one at a time and any one
again. The shape is the contact centre's (interfaces/contact.openapi.yaml). Each carries a token in its reason text,
so that the truth can be recognised in any system without trusting anybody's references.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from sandbox import names

COUNCILS = ("torfaen", "blaenau-gwent", "neath-port-talbot")
NEEDS = ("bathing", "meals", "mobility", "memory", "carer-break", "home-safety", "loneliness", "medication")
# Fixed, because a reproducible story cannot look at the clock. Two clock changes lie inside the span.
FIRST_RECEIVED = datetime(2025, 3, 24, 8, 0, tzinfo=UTC)
RECEIVED_WITHIN_DAYS = 240
LONDON = ZoneInfo("Europe/London")
# As in the Notify documentation these two numbers always fail, so nobody here has them.
FAILING_MOBILES = ("07700900002", "07700900003")
TOKEN = re.compile(r"\[#([0-9a-z]+-[0-9]{6})\]")

Request = dict[str, Any]


def token(seed: int, number: int) -> str:
    """The mark of request `number` of story `seed`, unique among all stories."""
    return f"{seed:x}-{number:06d}"


def token_in(text: str | None) -> str | None:
    """Find the mark in a reason text; None when there is none."""
    found = TOKEN.search(text or "")
    return found.group(1) if found else None


def request(seed: int, number: int, council: str) -> Request:
    """Invent request `number` of story `seed` for `council`, as contact staff first type it.

    It has no `id`, `version` or `changed_at`: those belong to the system it is typed into.
    """
    chance = Random(f"{seed}/{number}/{council}")  # noqa: S311 - a story, not a secret
    received = FIRST_RECEIVED + timedelta(seconds=chance.randrange(RECEIVED_WITHIN_DAYS * 86_400))
    customer = _customer(chance, council)
    wanted = sorted(chance.sample(range(len(NEEDS)), chance.choice((0, 1, 1, 2, 2, 3, 4))))
    invented: Request = {
        "status": "new",
        "status_reason": None,
        "status_changed_at": None,
        "category": _weighted(
            chance, contact=20, referral=45, assessment=12, carer=8, safeguarding=3, onward=6, signpost=6
        ),
        "priority": _weighted(chance, routine=78, urgent=18, emergency=4),
        "received_at": received.astimezone(LONDON).isoformat(timespec="seconds"),
        "channel": chance.choice(("phone", "phone", "phone", "web", "email", "face-to-face")),
        "reason": {
            "code": chance.choice((None, "R01", "R02", "R07")),
            "text": f"{chance.choice(names.HELP)} [#{token(seed, number)}]",
        },
        "team": "adults",
        "worker": None,
        "visit_on": None,
        "outcome": None,
        "case_number": None,
        "public_reference": None,
        "customer": customer,
        "language": {
            "letters": _weighted(chance, en=45, cy=25, both=10, unknown=20),
            "speech": chance.choice((None, "en", "en", "cy", "cy", "pl")),
            "interpreter": chance.random() < 0.03,
        },
        "updates": _updates(chance, received),
        "referred_by": _referrer(chance),
        "needs": [{"code": NEEDS[n], "note": chance.choice(names.NOTE) or None} for n in wanted],
        "flags": {"safeguarding": chance.random() < 0.02, "restricted": chance.random() < 0.015},
        "transport_needs": chance.choice(names.TRANSPORT)
        if council == "blaenau-gwent" and chance.random() < 0.3
        else None,
        "internal_notes": None,
    }
    return invented


def _weighted(chance: Random, **weights: int) -> str:
    return chance.choices(list(weights), list(weights.values()))[0]


def _customer(chance: Random, council: str) -> dict[str, Any]:
    gender = _weighted(chance, F=52, M=42, O=2, U=4)
    known = names.MALE if gender == "M" else names.FEMALE if gender == "F" else names.MALE + names.FEMALE
    single = chance.random() < 0.01
    first = [names.NO_FIRST_NAME] if single else chance.sample(known, chance.choice((1, 1, 1, 2, 2, 3)))
    last = chance.choice(names.SINGLE if single else names.FAMILY)
    born = datetime(1925, 1, 1, tzinfo=UTC) + timedelta(days=chance.randrange(80 * 365))
    customer: dict[str, Any] = {
        "first_names": first,
        "last_name": last,
        "title": chance.choice((None, *names.TITLES)),
        "known_as": chance.choice(names.KNOWN_AS) if chance.random() < 0.15 else None,
        "date_of_birth": born.date().isoformat() if chance.random() < 0.93 else None,
        "gender": gender,
        "nhs_number": nhs_number(chance, wrong=chance.random() < 0.05) if chance.random() < 0.7 else None,
        "ethnicity": chance.choice((None, "A", "A", "A", "B", "C", "H", "M", "Z")),
        "address": address(chance, council) if chance.random() < 0.95 else None,
        "contacts": _contacts(chance),
    }
    # A field that nobody filled in is left out by some screens and sent empty by others.
    for field in ("known_as", "ethnicity", "title"):
        if customer[field] is None and chance.random() < 0.5:
            del customer[field]
    return customer


def nhs_number(chance: Random, *, wrong: bool = False) -> str:
    """Ten digits beginning 999 (never issued), with a check digit that fits, or, `wrong`, one that does not."""
    while True:
        digits = [9, 9, 9, *(chance.randrange(10) for _ in range(6))]
        check = (11 - sum(weight * digit for weight, digit in zip(range(10, 1, -1), digits, strict=True)) % 11) % 11
        if check == 10:
            continue
        last = (check + chance.randrange(1, 10)) % 10 if wrong else check
        return "".join(map(str, [*digits, last]))


def mobile(chance: Random) -> str:
    """A mobile number from the range kept for fiction, written as people write them."""
    while True:
        number = f"07700900{chance.randrange(1000):03d}"
        if number not in FAILING_MOBILES:
            return chance.choice((number, f"{number[:5]} {number[5:]}", f"+44{number[1:]}"))


def landline(chance: Random) -> str:
    """A landline number from the range kept for fiction."""
    return f"01632 960{chance.randrange(1000):03d}"


def address(chance: Random, council: str) -> dict[str, Any]:
    """An address in a street that is nowhere; now and then with a postcode that cannot be."""
    town, outward = chance.choice(names.TOWNS.get(council, names.ELSEWHERE))
    inward = f"{chance.randrange(1, 10)}{chance.choice('ABDEFGHJLNPQRSTUWXYZ')}{chance.choice('ABDEFGHJLNPQRSTUWXYZ')}"
    postcode: str | None = f"{outward} {inward}"
    slip = chance.random()
    if slip < 0.03:
        postcode = outward
    elif slip < 0.05:
        postcode = f"{outward} O{inward[1:]}"
    elif slip < 0.08:
        postcode = None
    lines = [f"{chance.randrange(1, 140)} {chance.choice(names.STREETS)}"]
    if chance.random() < 0.25:
        lines.insert(0, chance.choice(names.HOUSES))
    return {
        "uprn": f"{chance.randrange(10**10, 10**11):012d}" if chance.random() < 0.5 else None,
        "lines": lines,
        "town": town,
        "postcode": postcode,
    }


def _contacts(chance: Random) -> list[dict[str, Any]]:
    contacts: list[dict[str, Any]] = []
    if chance.random() < 0.55:
        contacts.append({"type": "phone", "value": landline(chance), "ok_to_text": None})
    if chance.random() < 0.85:
        contacts.append({"type": "mobile", "value": mobile(chance), "ok_to_text": chance.random() < 0.93})
    if chance.random() < 0.4:
        word = f"person{chance.randrange(100_000):05d}"
        contacts.append({"type": "email", "value": f"{word}@example.org", "ok_to_text": None})
    return contacts


def _updates(chance: Random, received: datetime) -> dict[str, Any]:
    answer = _weighted(chance, yes=88, no=7, unknown=5)
    if answer == "unknown":
        return {"opted_in": None, "asked_at": None}
    asked = received + timedelta(seconds=chance.randrange(30, 600))
    return {"opted_in": answer == "yes", "asked_at": asked.isoformat(timespec="seconds").replace("+00:00", "Z")}


def _referrer(chance: Random) -> dict[str, Any]:
    kind = _weighted(chance, self=50, family=30, professional=16, other=4)
    referrer: dict[str, Any] = {
        "kind": kind,
        "name": None,
        "relationship": None,
        "organisation": None,
        "mobile": None,
        "wants_updates": None,
        "customer_agrees": None,
        "letters": None,
    }
    if kind != "self":
        referrer["name"] = f"{chance.choice(names.FEMALE + names.MALE)} {chance.choice(names.FAMILY)}"
    if kind == "family":
        referrer["relationship"] = chance.choice(names.RELATIONSHIPS)
        referrer["mobile"] = mobile(chance) if chance.random() < 0.9 else None
        referrer["wants_updates"] = chance.random() < 0.85
        referrer["customer_agrees"] = chance.choice((True, True, True, True, False, None))
        # Drawn from nothing: the same seed makes the same people as before anybody asked this.
        referrer["letters"] = names.READS.get(referrer["relationship"], "unknown")
    if kind == "professional":
        referrer["organisation"] = chance.choice(names.ORGANISATIONS)
        referrer["wants_updates"] = chance.choice((None, False))
    return referrer
