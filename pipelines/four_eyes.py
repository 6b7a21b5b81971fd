"""Four eyes: an act on a restricted referral that one officer asks for and another confirms, or refuses.

Whoever confirms must be somebody else, must be allowed to do it alone elsewhere, and must see the referral: a yes from
somebody who cannot look is none. What was asked waits for a day. Of two who answer at once, one is heard.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, update

from pipelines import audit
from pipelines.clock import SECOND
from pipelines.ids import number_of
from pipelines.plant import Plant
from pipelines.rights import Officer, Right
from pipelines.sight import NoSuch, NotAllowed, NotPossible
from pipelines.tables import four_eyes

WAITS_SECONDS = 86_400
CONFIRMED, REFUSED = "confirmed", "refused"


class Asked(NotPossible):
    """It was not done and is written down for another officer to confirm. The message says under which id."""


@dataclass(frozen=True, slots=True)
class Asking:
    """One act that waits for another officer."""

    id: str  # q3
    council: str
    referral: str
    subject: str  # what is to be sent again: d12, v7
    asked_by: str
    at: int
    until: int
    mine: bool  # whoever looks asked it themselves


def ask(plant: Plant, *, council: str, referral: str, subject: str, who: str, why: str) -> Asked:
    """Write down that somebody asks to send something again; returns what to raise. Asked twice it is one row."""
    now, asker = plant.clock.now(), plant.sight.officer
    assert asker is not None
    with plant.ledger.writing(making_room=True) as connection:
        waiting = connection.execute(
            select(four_eyes.c.id, four_eyes.c.asker).where(
                four_eyes.c.subject == subject, four_eyes.c.council == council, *_open(now)
            )
        ).first()
        if waiting is not None:
            return Asked(_words(subject, waiting.id))
        made = connection.execute(
            four_eyes.insert().values(
                council=council,
                referral_id=referral,
                subject=subject,
                asked_by=who,
                asker=asker.key,
                why=plant.vault.put(connection, council, "why", why.encode(), now),
                at=now,
                until=now + WAITS_SECONDS * SECOND,
            )
        ).inserted_primary_key
        assert made is not None
        _tell(connection, plant, council, who, "send again: asked for", subject, why, now, made[0])
    return Asked(_words(subject, made[0]))


def waiting(plant: Plant) -> list[Asking]:
    """What waits for another officer, of what this one may see, the oldest first."""
    me = plant.sight.officer
    with plant.ledger.reading() as connection:
        rows = connection.execute(
            select(four_eyes)
            .where(
                four_eyes.c.council.in_(list(plant.councils)),
                plant.sight.of(four_eyes.c.referral_id),
                *_open(plant.clock.now()),
            )
            .order_by(four_eyes.c.id)
        ).all()
    return [
        Asking(
            f"q{row.id}", row.council, row.referral_id, row.subject, row.asked_by, row.at, row.until,
            me is not None and me.key == row.asker,
        )
        for row in rows
    ]  # fmt: skip


def reason(plant: Plant, id: str) -> str:
    """Why somebody asks, for whoever is to answer. Raises NotPossible, PayloadGone."""
    with plant.ledger.reading() as connection:
        row = _one(connection, plant, id)
        return plant.vault.get(connection, row.council, row.why).decode() if row.why else ""


def answer(plant: Plant, id: str, *, yes: bool, why: str) -> Any:
    """Confirm or refuse what another officer asked for; returns the row that was answered. Raises NotPossible,
    NotAllowed. Whoever confirms has to carry it out."""
    officer, now = _officer(plant), plant.clock.now()
    with plant.ledger.writing(making_room=True) as connection:
        row = _one(connection, plant, id)
        plant.sight.need(Right.SEND, row.council)
        if row.asker == officer.key:
            raise NotAllowed(f"you asked for q{row.id} yourself: another officer has to answer")
        said = CONFIRMED if yes else REFUSED
        heard = connection.execute(
            update(four_eyes)
            .where(four_eyes.c.id == row.id, *_open(now))
            .values(answered=now, answered_by=officer.who, answer=said)
        ).rowcount
        if not heard:
            raise NotPossible(f"q{row.id} waits for no answer any more")
        _tell(connection, plant, row.council, officer.who, f"send again: {said}", row.subject, why, now, row.id)
    return row


def _officer(plant: Plant) -> Officer:
    officer = plant.sight.officer
    if officer is None:
        raise NotAllowed("four eyes are between officers, and nobody is named here")
    return officer


def _open(now: int) -> tuple[Any, ...]:
    return four_eyes.c.answered.is_(None), four_eyes.c.until > now


def _one(connection: Connection, plant: Plant, id: str) -> Any:
    number = number_of(id, "q")
    row = None
    if number is not None:
        row = connection.execute(
            select(four_eyes).where(
                four_eyes.c.id == number,
                four_eyes.c.council.in_(list(plant.councils)),
                plant.sight.of(four_eyes.c.referral_id),
            )
        ).first()
    if row is None:
        raise NoSuch(f"nothing of the id {id} waits for another officer; ids look like q3")
    return row


def _words(subject: str, number: int) -> str:
    return f"{subject} is restricted, so another officer has to confirm it: q{number} waits for them"


def _tell(
    connection: Connection, plant: Plant, council: str, who: str, action: str, subject: str, why: str, now: int, id: int
) -> None:
    audit.write(
        connection, plant.vault, council=council, who=who, action=action, subject=subject, why=why, now=now,
        detail={"asked": f"q{id}"},
    )  # fmt: skip
