"""Slots: the planned and the asked-for runs, one row each, so that a run happens once whoever finds it due.

A slot is claimed under the lock of its walk's row. What a dead process had claimed is taken over by the next that
looks, and goes on from where its walk stands. A planned run that is older than one already made is not made any more.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from sqlalchemy import Connection, delete, func, insert, select, update

from pipelines.clock import SECOND
from pipelines.places import Key
from pipelines.tables import slot

#: Rows of runs that are done are kept for so long: they are what keeps a run from being made twice.
KEPT = 3600 * SECOND


class Claimed(StrEnum):
    """What came of an attempt to claim a run."""

    FIRST = "first"  # ours, and nobody had begun it
    AGAIN = "again"  # ours; somebody had begun it and is gone
    OVER = "over"  # made already, or made up for by a newer one


def claim(connection: Connection, key: Key, at: int, owner: str, *, now: int, asked: bool, keep_from: int) -> Claimed:
    """Claim one run. The caller holds the lock of its walk's row and knows that nobody walks.

    `asked`: the row is there because a person asked; a planned run gets its row here. Rows of runs that are done and
    were planned before `keep_from` are dropped.
    """
    row = connection.execute(select(slot).filter_by(**key._asdict(), at=at)).first()
    if row is None:
        if asked:
            return Claimed.OVER
        newer = select(slot.c.at).filter_by(**key._asdict()).where(slot.c.asked.is_(False), slot.c.at > at).limit(1)
        if connection.execute(newer).first() is not None:
            return Claimed.OVER
        connection.execute(insert(slot).values(**key._asdict(), at=at, claimed_by=owner, begun=now))
        _tidy(connection, key, asked=False, before=min(at, keep_from, now - KEPT))
        return Claimed.FIRST
    if row.done is not None:
        return Claimed.OVER
    values = {"claimed_by": owner, "begun": now if row.begun is None else row.begun}
    connection.execute(update(slot).filter_by(**key._asdict(), at=at).values(**values))
    _tidy(connection, key, asked=asked, before=min(at, keep_from, now - KEPT))
    return Claimed.FIRST if row.begun is None else Claimed.AGAIN


def ask(connection: Connection, key: Key, *, at: int, since: str) -> int:
    """Ask for a run; return its instant, which is its name. One that was asked for and is not done is joined."""
    open_one = connection.execute(
        select(slot.c.at).filter_by(**key._asdict(), since=since, asked=True).where(slot.c.done.is_(None)).limit(1)
    ).scalar()
    if open_one is not None:
        return int(open_one)
    connection.execute(insert(slot).values(**key._asdict(), at=at, since=since, asked=True))
    return at


def progress(connection: Connection, key: Key, at: int, owner: str, *, read: int, news: int) -> None:
    """Add to what a run has read so far."""
    connection.execute(
        update(slot)
        .filter_by(**key._asdict(), at=at, claimed_by=owner)
        .values(read=slot.c.read + read, records=slot.c.records + news)
    )


def finish(connection: Connection, key: Key, at: int, owner: str, *, now: int, news: int, words: str) -> bool:
    """Write down that a run is done. False: it was taken over, and is another's to finish."""
    done = connection.execute(
        update(slot)
        .filter_by(**key._asdict(), at=at, claimed_by=owner)
        .where(slot.c.done.is_(None))
        .values(done=now, records=slot.c.records + news, words=words)
    )
    return done.rowcount > 0


def release(connection: Connection, key: Key, at: int, owner: str) -> None:
    """Give a run back that was begun and is not done: the next process goes on with it."""
    connection.execute(update(slot).filter_by(**key._asdict(), at=at, claimed_by=owner).values(claimed_by=None))


def refuse(connection: Connection, key: Key, at: int, *, now: int, words: str) -> None:
    """End a run that was asked for and may not be made."""
    connection.execute(
        update(slot).filter_by(**key._asdict(), at=at).where(slot.c.done.is_(None)).values(done=now, words=words)
    )


def open_ones(connection: Connection, busy: Callable[[str], bool]) -> list[tuple[Key, int, bool]]:
    """Runs that nobody is at and that are not done, the oldest first: (walk, instant, asked for by a person)."""
    rows = connection.execute(select(slot).where(slot.c.done.is_(None)).order_by(slot.c.at))
    return [
        (Key(row.council, row.connection, row.kind, row.purpose), row.at, row.asked)
        for row in rows
        if row.claimed_by is None or not busy(row.claimed_by)
    ]


def begun_since(connection: Connection, council: str, name: str, since: int) -> int:
    """How many runs of a connection were begun since then, whatever they read."""
    counted = select(func.count()).select_from(slot).where(
        slot.c.council == council, slot.c.connection == name, slot.c.begun >= since
    )  # fmt: skip
    return int(connection.execute(counted).scalar_one())


def _tidy(connection: Connection, key: Key, *, asked: bool, before: int) -> None:
    connection.execute(
        delete(slot).filter_by(**key._asdict(), asked=asked).where(slot.c.done.is_not(None), slot.c.at < before)
    )
