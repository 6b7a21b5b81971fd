"""Who is signed in at this moment, for themselves and for whoever administers their council; and ending a session.

Everybody sees where they are signed in and can end that, as one does who has left a browser open somewhere. Whoever
administers a council sees and ends the sessions of those who hold a role for it. `pipelines.sessions` opens them. A
session is named by a part of its hash, with which nobody can sign in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, update

from pipelines import audit
from pipelines.plant import Plant
from pipelines.rights import Officer, Right
from pipelines.sessions import Limits, hash_in_ledger, is_open, roles_of
from pipelines.sight import NoSuch
from pipelines.tables import session

_LETTERS = 16


@dataclass(frozen=True, slots=True)
class SignedIn:
    """One session that is open."""

    id: str  # s0f3...
    who: str
    at: int  # since when
    seen: int  # when a page was asked for last, to half a minute
    until: int  # when it ends, whatever they do
    mine: bool  # of whoever looks
    this: bool  # the one that they look through


def listed(plant: Plant, limits: Limits, *, secret: str = "") -> list[SignedIn]:
    """The sessions that this officer may see: their own first, the newest first. `secret`: what their browser holds."""
    officer, held = _officer(plant), hash_in_ledger(secret)
    with plant.ledger.reading() as connection:
        found = [
            SignedIn(_id(row), row.who, row.at, row.seen, row.until, row.identity == officer.key, row.hash == held)
            for row, _ in _seen(connection, plant, officer, limits)
        ]
    return sorted(found, key=lambda one: (not one.mine, not one.this, -one.at))


def end(plant: Plant, limits: Limits, id: str) -> str:
    """End one session. Says what was done. Raises NoSuch for one that is over, or not for this officer to see."""
    return _end(plant, limits, lambda row: _id(row) == id.strip().lower(), id)


def end_others(plant: Plant, limits: Limits, *, secret: str) -> str:
    """End every session of the officer's own but the one that they look through. Says what was done."""
    held, key = hash_in_ledger(secret), _officer(plant).key
    return _end(plant, limits, lambda row: row.identity == key and row.hash != held)


def _end(plant: Plant, limits: Limits, wanted: Any, id: str = "") -> str:
    officer, now = _officer(plant), plant.clock.now()
    with plant.ledger.writing(making_room=True) as connection:
        ended = [(row, councils) for row, councils in _seen(connection, plant, officer, limits) if wanted(row)]
        if id and not ended:
            raise NoSuch(f"there is no open session {id} that you may see")
        for row, councils in ended:
            connection.execute(
                update(session).where(session.c.hash == row.hash, session.c.ended.is_(None)).values(ended=now)
            )
            for code in councils:
                audit.write(
                    connection, plant.vault, council=code, who=officer.who, action="end session", subject="pages",
                    why="", now=now, detail={"of": row.who},
                )  # fmt: skip
    return f"{len(ended)} ended"


def _seen(connection: Connection, plant: Plant, officer: Officer, limits: Limits) -> Iterator[tuple[Any, list[str]]]:
    """Each open session that an officer may see, and the councils for which its person holds a role."""
    now = plant.clock.now()
    mine = set(officer.councils(Right.ADMINISTER))
    for row in connection.execute(select(session).where(session.c.ended.is_(None), session.c.until > now)).all():
        if not is_open(row, limits, now):
            continue
        theirs = sorted(roles_of(plant.whole, row))
        if row.identity == officer.key or mine.intersection(theirs):
            yield row, theirs


def _officer(plant: Plant) -> Officer:
    assert plant.sight.officer is not None
    return plant.sight.officer


def _id(row: Any) -> str:
    return f"s{row.hash[:_LETTERS]}"
