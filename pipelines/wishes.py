"""Wishes: what an officer writes into our register for somebody, and reads of what they texted back.

Only what the council's file says is kept here may be written here; everything else is written in the system that owns
it. Each writing and each reading is told by the audit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import select

from pipelines import audit, register
from pipelines.jobs import REPLY_KIND
from pipelines.looking import NotPossible, find_referral, version_of
from pipelines.plant import Plant
from pipelines.states import VersionState
from pipelines.tables import version
from pipelines.vault import PayloadGone

_CHANNELS = ("text", "email", "letter")
_LANGUAGES = ("cy", "en", "both")
_SAFE = "person.telecom[system=phone,use=mobile].safe_to_text"


@dataclass(frozen=True, slots=True)
class Unread:
    """A text that came in and waits for somebody to read it."""

    id: str
    council: str
    at: int
    referral: str


def wanted(*, opt_in: str = "", withdraw: str = "", language: str = "", safe: bool | None = None) -> dict[str, Any]:
    """The fields and values of some wishes. Raises NotPossible for a channel or language that there is not."""
    for channel in (opt_in, withdraw):
        if channel and channel not in _CHANNELS:
            raise NotPossible(f"the channel is one of {', '.join(_CHANNELS)}")
    if language and language not in _LANGUAGES:
        raise NotPossible(f"the language is one of {', '.join(_LANGUAGES)}")
    found: dict[str, Any] = {}
    if opt_in:
        found[f"notify.opt_in[channel={opt_in}].opted_in"] = True
    if withdraw:
        found[f"notify.opt_in[channel={withdraw}].opted_in"] = False
    if language:
        found["language.correspondence"] = language
    if safe is not None:
        found[_SAFE] = safe
    return found


def record(plant: Plant, reference: str, wishes: Mapping[str, Any], *, who: str, why: str) -> str:
    """Write wishes down for the person of a referral; return it in a sentence. Raises NotPossible."""
    found = find_referral(plant, reference)
    if len(found) != 1:
        raise NotPossible("no referral has that reference" if not found else "several referrals have it: give our id")
    (row,) = found
    council = plant.councils[row.council]
    for name in wishes:
        what = next(what for what, paths in register.PLACES.items() if name in paths)
        place = council.preferences.get(what)
        if place != register.REGISTER:
            where = f"in {place}" if place else "in the system that owns it"
            raise NotPossible(f"{council.code} keeps `{what}` {where}: write it there, or name `{what}: register`")
    now = plant.clock.now()
    with plant.ledger.writing() as connection:
        mark = register.about(plant.vault, row.council, row.person_id)
        for name, value in wishes.items():
            register.write(connection, plant.vault, row.council, mark, name, value, by=who, now=now)
        audit.write(
            connection, plant.vault, council=row.council, who=who, action="wishes written down",
            subject=f"referral {row.id}", why=why, now=now, detail={"fields": sorted(wishes)},
        )  # fmt: skip
    return f"written down for {row.citizen_reference}: {', '.join(sorted(wishes))}"


def unread(plant: Plant, council: str = "") -> list[Unread]:
    """Texts that came in and that nobody has dealt with, the oldest first."""
    with plant.ledger.reading() as connection:
        rows = connection.execute(
            select(version.c.id, version.c.council, version.c.at, version.c.referral_id)
            .where(version.c.kind == REPLY_KIND, version.c.state == VersionState.ATTENTION)
            .where(version.c.council.in_([council] if council else list(plant.councils)))
            .order_by(version.c.id)
        ).all()
    return [Unread(f"v{row.id}", row.council, row.at, row.referral_id or "") for row in rows]


def read(plant: Plant, id: str, *, who: str, why: str) -> str:
    """The words of a text that came in. Raises NotPossible."""
    row = version_of(plant, id)
    if row.kind != REPLY_KIND:
        raise NotPossible(f"{id} is no text from a resident")
    with plant.ledger.writing() as connection:
        try:
            held = orjson.loads(plant.vault.get(connection, row.council, row.raw))
        except PayloadGone:
            raise NotPossible(f"what {id} said has expired or was erased") from None
        audit.write(
            connection, plant.vault, council=row.council, who=who, action="text read", subject=id, why=why,
            now=plant.clock.now(),
        )  # fmt: skip
    return str(held.get("content") or held.get("message") or "")
