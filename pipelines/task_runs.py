"""Doing tasks: a part of the process that sends, which takes each open task up where it stands.

One process has a task at a time, under a lease that it renews with each item. Before an item is done its id is written
down; after a crash the audit, which is written in the transaction that does it, says whether it was done. So each item
is done at most once, and none is left out.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, or_, select, text, update

from pipelines import desk, releasing
from pipelines.clock import SECOND
from pipelines.ids import new_id
from pipelines.logs import log, warn
from pipelines.looking import NotPossible, delivery_of, referral_of, version_of
from pipelines.plant import Plant
from pipelines.sight import NOBODYS
from pipelines.states import IllegalMove
from pipelines.tables import DESK_DELIVERY, DESK_VERSION, audit, delivery, referral, task, version
from pipelines.tasks import CLOSE, RELEASE, State, in_order
from pipelines.worklist import waits_for_a_person

LEASE = 60 * SECOND
LOOK_SECONDS = 1.0
LONGEST_WAIT = 10.0
_A_PAGE = 50
_MOST_NOTES = 50


class TaskRuns:
    """Runs in a thread of its own."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._owner = new_id()

    def run(self, stop: threading.Event) -> None:
        """Do what is asked for until told to stop; an item in hand is done to its end."""
        faults = 0
        while not stop.is_set():
            try:
                busy = self.turn(stop)
                faults = 0
            except Exception as fault:
                busy = False
                if not faults:
                    warn("task_waits", error=type(fault).__name__)
                faults += 1
            if not busy:
                self._plant.clock.wait(stop, min(LOOK_SECONDS * 2.0 ** min(faults, 5), LONGEST_WAIT))

    def turn(self, stop: threading.Event) -> bool:
        """Take one open task up and do it as far as one may; False if there is none."""
        row = self._claim()
        if row is None:
            return False
        counts = {"done": row.done, "not_done": row.not_done, "notes": list(row.notes)}
        over = False
        try:
            over = self._do(row, counts, stop)
        finally:
            ended = {"state": State.DONE, "changed_at": self._now()} if over else {}
            with self._plant.ledger.writing() as connection:
                connection.execute(self._mine(row.id).values(owner=None, until=None, **ended, **counts))
        if over:
            log("task_done", count=counts["done"], council=row.council)
        return True

    def _claim(self) -> Row[Any] | None:
        now = self._plant.clock.now()
        free = or_(task.c.owner.is_(None), task.c.until < now)
        with self._plant.ledger.looking() as connection:
            id = connection.execute(
                select(task.c.id)
                .where(task.c.state == State.UNDER_WAY, free, ~_behind())
                .order_by(task.c.id)
                .limit(1)
            ).scalar()
        if id is None:
            return None
        with self._plant.ledger.writing() as connection:
            taken = connection.execute(
                update(task)
                .where(task.c.id == id, task.c.state == State.UNDER_WAY, free)
                .values(owner=self._owner, until=now + LEASE)
            ).rowcount
            return connection.execute(select(task).where(task.c.id == id)).one() if taken else None

    def _do(self, row: Row[Any], counts: dict[str, Any], stop: threading.Event) -> bool:
        """Do what is left, and count it; False if it was stopped before the end."""
        why = ""
        if row.why:
            with self._plant.ledger.reading() as connection:
                why = self._plant.vault.get(connection, row.council, row.why).decode()
        if row.action == RELEASE:
            return self._release(row, why, counts, stop)
        if row.done + row.not_done < row.begun:  # whoever had it in hand was killed before he could count it
            self._one(row, row.in_hand, why, counts, again=True)
        for id in self._left(row):
            if stop.is_set() or not self._take_in_hand(row, id, counts):
                return False
            self._one(row, id, why, counts)
        return True

    def _release(self, row: Row[Any], why: str, counts: dict[str, Any], stop: threading.Event) -> bool:
        """Let go on what is left of what waits for a code list; False if it was stopped before the end."""
        self._plant.refresh()  # the rows of now
        killed = row.done + row.not_done < row.begun
        for place, held in releasing.left(self._plant, row.council, row.code_list, row.in_hand):
            if place == row.in_hand and not killed:
                continue  # it was counted, and waits for something else
            if self._is_restricted(held.id):  # nothing of it is counted or noted, for whoever may not see it
                if stop.is_set():
                    return False
                releasing.one(self._plant, held, who=row.who, why=why)
                continue
            if killed:
                counts["done"] += place != row.in_hand  # the one in hand waits no more: it went on before the kill
                killed = False
            if stop.is_set() or not self._take_in_hand(row, place, counts):
                return False
            self._count(counts, held.id, releasing.one(self._plant, held, who=row.who, why=why))
        counts["done"] += killed
        self._plant.nudge.set()
        return True

    def _take_in_hand(self, row: Row[Any], id: str, counts: dict[str, Any]) -> bool:
        """Write down what is done next, and what has come of those before; False if the task is no more ours to do."""
        now = self._now()
        with self._plant.ledger.writing() as connection:
            return bool(
                connection.execute(
                    self._mine(row.id)
                    .where(task.c.state == State.UNDER_WAY)
                    .values(
                        in_hand=id,
                        begun=counts["done"] + counts["not_done"] + 1,
                        until=now + LEASE,
                        changed_at=now,
                        **counts,
                    )
                ).rowcount
            )

    def _one(self, row: Row[Any], id: str, why: str, counts: dict[str, Any], *, again: bool = False) -> None:
        """Do one item and count it. `again`: a process that was killed had it in hand."""
        if again and self._was_done(row, id):
            counts["done"] += 1
        else:
            self._count(counts, id, self._try(row, id, why))

    @staticmethod
    def _count(counts: dict[str, Any], id: str, fault: str) -> None:
        counts["not_done" if fault else "done"] += 1
        if fault and len(counts["notes"]) < _MOST_NOTES:
            counts["notes"] = [*counts["notes"], [id, fault]]

    def _try(self, row: Row[Any], id: str, why: str) -> str:
        """Do one item; return why it was not possible, "" if it was."""
        try:
            if self._is_restricted(id):
                return "it is restricted: it is done by itself, by two officers"
            if row.action == CLOSE:
                desk.close(self._plant, id, who=row.who, why=why)
                return ""
            done = desk.replay(self._plant, [id], who=row.who, why=why)
        except (NotPossible, IllegalMove) as fault:
            return str(fault)
        return done.not_done[0][1] if done.not_done else ""

    def _is_restricted(self, id: str) -> bool:
        row = (version_of if id.startswith("v") else delivery_of)(self._plant, id)
        about = referral_of(self._plant, row) if id.startswith("v") else row.referral_id
        with self._plant.ledger.reading() as connection:
            return bool(connection.execute(select(referral.c.restricted).where(referral.c.id == about)).scalar())

    def _was_done(self, row: Row[Any], id: str) -> bool:
        with self._plant.ledger.reading() as connection:
            done = connection.execute(
                select(audit.c.seq)
                .where(audit.c.subject == id, audit.c.council == row.council, audit.c.at >= row.at)
                .where(audit.c.action.startswith(row.action), audit.c.action.notlike("%nothing to do"))
                .limit(1)
            ).first()
        return done is not None

    def _left(self, row: Row[Any]) -> Iterator[str]:
        """The ids that come after the one in hand, a page at a time."""
        if row.cause_id is None:
            ids = in_order(row.ids)
            yield from ids[ids.index(row.in_hand) + 1 if row.in_hand in ids else 0 :]
            return
        for letter, table, last in (("v", version, row.last_version), ("d", delivery, row.last_delivery)):
            if letter == "v" and row.in_hand.startswith("d"):
                continue
            after = int(row.in_hand[1:]) if row.in_hand.startswith(letter) else 0
            while True:
                with self._plant.ledger.reading() as connection:
                    ids_ = _page(connection, row, letter, table, after, last)
                yield from (f"{letter}{number}" for number in ids_)
                if len(ids_) < _A_PAGE:
                    break
                after = ids_[-1]

    def _mine(self, id: int) -> Any:
        return update(task).where(task.c.id == id, task.c.owner == self._owner)

    def _now(self) -> int:
        return self._plant.clock.now()


def _behind() -> ColumnElement[bool]:
    """The condition that an older release of the same list is under way: two at once would tell the audit of one
    record twice."""
    older = task.alias()
    same = (older.c.council == task.c.council, older.c.code_list == task.c.code_list, older.c.id < task.c.id)
    return select(older.c.id).where(*same, older.c.state == State.UNDER_WAY).exists()


def _page(connection: Connection, row: Row[Any], letter: str, table: Any, after: int, last: int) -> list[int]:
    waits = [text(DESK_VERSION)] if letter == "v" else [text(DESK_DELIVERY), waits_for_a_person()]
    return list(
        connection.execute(
            select(table.c.id)
            .where(table.c.council == row.council, table.c.cause_id == row.cause_id, *waits)
            .where(table.c.id > after, table.c.id <= last, NOBODYS.of(table.c.referral_id))
            .order_by(table.c.id)
            .limit(_A_PAGE)
        ).scalars()
    )
