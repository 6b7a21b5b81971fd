"""Wishes: what an officer writes into our register for somebody, and reads of what they texted back.

Only what the council's file says is kept here may be written here; everything else is written in the system that owns
it. Each writing and each reading is told by the audit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import select, update

from pipelines import audit, register, revisions
from pipelines import facts as fact_store
from pipelines.clock import to_instant
from pipelines.jobs import REPLY_KIND
from pipelines.looking import NotPossible, find_referral, version_of
from pipelines.plant import Plant
from pipelines.revisions import WANTS_NEWS
from pipelines.states import VersionState
from pipelines.tables import referral, version
from pipelines.vault import PayloadGone

_CHANNELS = ("text", "email", "letter")
_LANGUAGES = ("cy", "en", "both")
_SAFE = "person.telecom[system=phone,use=mobile].safe_to_text"
_REFERRERS_SAFE = "referrer.telecom[system=phone,use=mobile].safe_to_text"
_REFERRER = "referrer.wants_updates"
_WAIVER = "referrer.agreement_waiver"


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


def of_referrer(
    *, wants: bool | None = None, agrees: bool | None = None, language: str = "", safe: bool | None = None
) -> dict[str, Any]:
    """The same of whoever referred somebody. `agrees`: what the person said to it. Raises NotPossible."""
    if language and language not in _LANGUAGES:
        raise NotPossible(f"the language is one of {', '.join(_LANGUAGES)}")
    given = {
        _REFERRER: wants,
        "referrer.person_agrees": agrees,
        "referrer.language": language or None,
        _REFERRERS_SAFE: safe,
    }
    return {name: value for name, value in given.items() if value is not None}


def record(
    plant: Plant, reference: str, wishes: Mapping[str, Any], *, who: str, why: str, waived: bool = False
) -> str:
    """Write wishes down for the person of a referral, or for whoever made it; return it in a sentence.

    `waived`: the officer `who` says that the person's agreement is not needed for the referrer to hear, and `why` not.
    Raises NotPossible.
    """
    if waived:
        if not why.strip() or not who.strip():
            raise NotPossible("who says that the person need not agree, and why, must both be written down")
        at = to_instant(plant.clock.now()).strftime("%Y-%m-%dT%H:%M:%SZ")
        wishes = {**wishes, f"{_WAIVER}.by": who, f"{_WAIVER}.reason": why, f"{_WAIVER}.at": at}
    row = _one(plant, reference)
    council = plant.councils[row.council]
    for name in wishes:
        what = next(what for what, paths in register.PLACES.items() if name in paths)
        place = council.preferences.get(what)
        if place != register.REGISTER:
            where = f"in {place}" if place else "in the system that owns it"
            raise NotPossible(f"{council.code} keeps `{what}` {where}: write it there, or name `{what}: register`")
    now = plant.clock.now()
    with plant.ledger.writing() as connection:
        marks = {
            False: register.about(plant.vault, row.council, row.person_id),
            True: register.about_referrer(plant.vault, row.council, row.id),
        }
        for name, value in wishes.items():
            mark = marks[name.startswith("referrer.")]
            register.write(connection, plant.vault, row.council, mark, name, value, by=who, now=now)
        news_of = [value for name, value in wishes.items() if name in WANTS_NEWS]
        if news_of:  # what the figures count
            whose = referral.c.id == row.id if _REFERRER in wishes else referral.c.person_id == row.person_id
            connection.execute(
                update(referral).where(referral.c.council == row.council, whose).values(wants_news=True in news_of)
            )
        audit.write(
            connection, plant.vault, council=row.council, who=who, action="wishes written down",
            subject=f"referral {row.id}", why=why, now=now, detail={"fields": sorted(wishes)},
        )  # fmt: skip
    return f"written down for {row.citizen_reference}: {', '.join(sorted(wishes))}"


def again(plant: Plant, reference: str, *, who: str, why: str) -> str:
    """Use the numbers and addresses of a referral again that texted STOP or reached nobody; return it in a sentence.

    Whether anything goes there is judged as ever: an opt-in that was taken back stays so. Raises NotPossible.
    """
    row = _one(plant, reference)
    now = plant.clock.now()
    with plant.ledger.writing() as connection:
        found = revisions.get(connection, row.council, row.id)
        assert found is not None
        try:
            facts = fact_store.plain(fact_store.load(connection, plant.vault, row.council, found.facts))
        except PayloadGone:
            raise NotPossible("what was kept of this referral has expired or was erased") from None
        marks = {
            register.whom(plant.vault, row.council, str(value))
            for name, value in facts.items()
            if value and ".telecom[" in name and name.endswith("].value")
        }
        lifted = register.lift(connection, row.council, marks, (register.OPTED_OUT, register.WRONG))
        if not lifted:
            raise NotPossible("none of its numbers texted STOP or reached nobody")
        audit.write(
            connection, plant.vault, council=row.council, who=who, action="number used again",
            subject=f"referral {row.id}", why=why, now=now, detail={"numbers": lifted},
        )  # fmt: skip
    return f"{lifted} of the numbers of {row.citizen_reference} may be used again"


def _one(plant: Plant, reference: str) -> Any:
    found = find_referral(plant, reference)
    if len(found) != 1:
        raise NotPossible("no referral has that reference" if not found else "several referrals have it: give our id")
    return found[0]


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
