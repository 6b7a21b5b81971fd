"""A ledger that was put back from a copy: what may have gone since is looked up, and nothing is sent twice.

The systems went on after the copy was made, and so did we. So a council sends nothing until each of its sources has
been read again from where the copy stood: what the lost ledger had made is met in the targets and linked as any record
is. What was open in the copy is judged as if its worker had died in mid-call. What is made anew of a record that was
there before the copy was put back, and cannot be told to be in its target already, waits for a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, or_, select, update

from pipelines import audit, causes, deliveries, lanes, processes, recovery, rows
from pipelines.batch import Batch
from pipelines.causes import Cause
from pipelines.clock import SECOND
from pipelines.holding import held_since, hold, let_go
from pipelines.jobs import NO_RECORD
from pipelines.logs import log, warn
from pipelines.looking import NotPossible, council_of
from pipelines.plant import Council, Plant
from pipelines.rights import Right
from pipelines.rows import Held
from pipelines.schedule import timetable
from pipelines.states import DeliveryState
from pipelines.tables import cause, delivery, record, slot, version, walk

if TYPE_CHECKING:
    from pipelines.runs import Runs

WORDS = "the ledger was put back from a copy"
_AT_ONCE = 200
_EVERY = 5 * SECOND
#: Steps at which something stopped that may have reached its target after the copy was made.
_SENT = ("send", "look up")


def prepare(plant: Plant, made: int, *, who: str, why: str) -> int:
    """Make a ledger that was just put back fit to be run; returns how many are looked up or wait for a person.

    `made`: when the copy was made. Only to be called while nobody runs the site.
    """
    now = plant.clock.now()
    processes.all_others_are_gone(plant)
    recovery.void(plant)
    with plant.ledger.writing() as connection:
        connection.execute(delete(slot).where(slot.c.asked.is_(False)))  # planned runs are made anew
        connection.execute(update(walk).values(owner=None))
        for code, council in plant.councils.items():
            hold(connection, code, now)
            audit.write(
                connection, plant.vault, council=council.code, who=who, action="restore", subject="ledger", why=why,
                now=now, detail={"copied": made},
            )  # fmt: skip
    return sum(_doubt_open(plant, council, made) for council in plant.councils.values())


def _doubt_open(plant: Plant, council: Council, made: int) -> int:
    """Judge everything that was open in the copy as if its worker had died in mid-call."""
    with plant.ledger.reading() as connection:
        ids = list(
            connection.execute(
                select(delivery.c.id)
                .outerjoin(cause, cause.c.id == delivery.c.cause_id)
                .where(
                    delivery.c.council == council.code,
                    or_(
                        delivery.c.state == DeliveryState.WAITING,
                        (delivery.c.state == DeliveryState.ATTENTION) & cause.c.step.in_(_SENT),
                    ),
                )
                .order_by(delivery.c.id)
            ).scalars()
        )
    doubted = 0
    for at in range(0, len(ids), _AT_ONCE):
        doubted += _doubt(plant, council, ids[at : at + _AT_ONCE], sent_at=made)
    return doubted


def _doubt(plant: Plant, council: Council, ids: Sequence[int], *, sent_at: int, ask: bool = False) -> int:
    """Take deliveries for sent: look them up, send them again where that is safe, or ask a person (`ask`: always)."""
    with plant.ledger.writing() as connection:
        batch = Batch(connection, plant.vault, council, plant.clock.now())
        held = [batch.keep_delivery(row) for row in rows.read(connection, delivery, "id", ids)]
        about = {row.referral_id for row in held}
        batch.fetch_deliveries(about)
        travels = _travelling(connection, about)
        free = [row for row in held if (row.referral_id, row.connection, row.kind) not in travels or not _state(row)]
        for row in free:
            if row.state == DeliveryState.ATTENTION:
                deliveries.move(batch, row, DeliveryState.WAITING, reason=WORDS, cause_id=None)
        batch.flush()
        going = [row for row in free if row.state == DeliveryState.WAITING]
        for row in going:
            deliveries.move(batch, row, DeliveryState.SENDING, reason=WORDS, sent_at=sent_at, tries=row.tries + 1)
        batch.flush()
        if ask:
            _ask(batch, going)
        else:
            recovery.recover(batch, council, going)
        batch.flush()
        lanes.refresh(connection, sorted({row.lane for row in held}))
        return sum(row.state == DeliveryState.NOT_SURE for row in going)


def _state(row: Held) -> bool:
    return bool(row.carries == "state")


def _travelling(connection: Connection, about: Iterable[str]) -> set[tuple[str, str, str]]:
    """What is looked up already: what waits behind it follows by itself."""
    return {
        (row.referral_id, row.connection, row.kind)
        for row in rows.look(connection, delivery, "referral_id", about)
        if row.carries == "state" and row.state in (DeliveryState.SENDING, DeliveryState.NOT_SURE)
    }


def _ask(batch: Batch, doubtful: Iterable[Held]) -> None:
    for row in doubtful:
        why = Cause(row.connection, "look up", "Restored", f"{WORDS}: it may be in {row.connection} already")
        cause_id = causes.note(batch.connection, batch.council.code, why, batch.now)
        deliveries.move(batch, row, DeliveryState.NOT_SURE, reason=why.words, cause_id=cause_id)


def unread(plant: Plant, council: Council, since: int) -> list[str]:
    """The sources of a council that have not been read to their end since; nothing is sent before they have."""
    with plant.ledger.reading() as connection:
        done = {
            (row.connection, row.kind): row.completed
            for row in connection.execute(select(walk).filter_by(council=council.code, purpose="live"))
        }
    return [
        f"{wired.name} {kind.name}"
        for wired in council.wired.values()
        for kind in wired.kinds.values()
        if timetable(wired, kind) is not None and (done.get((wired.name, kind.name)) or 0) <= since
    ]


def release(plant: Plant, council: Council, since: int) -> int:
    """Let a council send again; returns how many wait for a person because they may have gone before."""
    with plant.ledger.reading() as connection:
        made_anew: list[Any] = list(
            connection.execute(
                select(
                    delivery.c.id, delivery.c.kind, delivery.c.carries, delivery.c.referral_id, delivery.c.connection
                )
                .outerjoin(version, version.c.id == delivery.c.version_id)
                .where(
                    delivery.c.council == council.code,
                    delivery.c.state == DeliveryState.WAITING,
                    delivery.c.at >= since,
                    or_(version.c.modified.is_(None), version.c.modified < since),
                )
                .order_by(delivery.c.id)
            ).all()
        )
        known = _linked(connection, council.code, [row.referral_id for row in made_anew])
    doubtful = [
        row.id
        for row in made_anew
        if row.carries == "event" or (row.kind not in NO_RECORD and (row.referral_id, row.connection) not in known)
    ]
    asked = 0
    for at in range(0, len(doubtful), _AT_ONCE):
        asked += _doubt(plant, council, doubtful[at : at + _AT_ONCE], sent_at=since, ask=True)
    with plant.ledger.writing() as connection:
        let_go(connection, council.code)
    plant.nudge.set()
    log("restore_over", council=council.code, count=asked)
    return asked


def _linked(connection: Connection, council: str, referrals: Sequence[str]) -> set[tuple[str, str]]:
    return {
        (row.referral_id, row.connection)
        for row in rows.look(connection, record, "referral_id", set(referrals))
        if row.council == council
    }


class Restoring:
    """Lets each council send again once its sources have been read. A chore of the scheduler, quick if none is held."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._looked = 0
        self._told: set[str] = set()

    def __call__(self, _runs: Runs) -> None:
        """Look which councils may go on."""
        now = self._plant.clock.now()
        if 0 <= now - self._looked < _EVERY:
            return
        self._looked = now
        with self._plant.ledger.reading() as connection:
            held = held_since(connection)
        for code, since in held.items():
            council = self._plant.councils.get(code)
            if council is None:
                continue
            if not unread(self._plant, council, since):
                release(self._plant, council, since)
            elif code not in self._told:
                self._told.add(code)
                warn("restore_holds", council=code, count=len(unread(self._plant, council, since)))


def go_on(plant: Plant, code: str, *, who: str, why: str) -> int:
    """Let a council send again because a person says so; returns how many wait for a person. Raises NotPossible."""
    council = council_of(plant, code)
    plant.sight.need(Right.ADMINISTER, code)
    with plant.ledger.reading() as connection:
        since = held_since(connection).get(code)
    if since is None:
        raise NotPossible(f"{code} sends: it is not held")
    asked = release(plant, council, since)
    with plant.ledger.writing() as connection:
        audit.write(
            connection, plant.vault, council=code, who=who, action="go on after restore", subject="ledger", why=why,
            now=plant.clock.now(), detail={"doubtful": asked},
        )  # fmt: skip
    return asked
