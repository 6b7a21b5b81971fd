"""Tasks: one thing done to many, such as sending a whole cause again; watched, paused, taken up again and cancelled.

A task is a row. Whoever runs the site does it (`pipelines.task_runs`), one item at a time, and goes on where a killed
process stopped. What needs attention after it was asked for is not part of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from pipelines import audit, counted
from pipelines.ids import number_of
from pipelines.looking import NotPossible, delivery_of, version_of
from pipelines.plant import Plant
from pipelines.rights import Right
from pipelines.tables import cause, delivery, task, version

SEND_AGAIN, CLOSE, RELEASE = "send again", "close", "release"
#: Ids that can be named one by one for one task.
MOST_NAMED = 1_000


class State(StrEnum):
    """Where a task is."""

    UNDER_WAY = "under way"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    DONE = "done"

    @property
    def open(self) -> bool:
        """Something is still to be done."""
        return self in (State.UNDER_WAY, State.PAUSED)


@dataclass(frozen=True, slots=True)
class Task:
    """One task as an officer watches it."""

    id: int
    council: str
    action: str
    cause: str  # fingerprint, "" where ids were named
    code_list: str  # what a release is about, "" for any other task
    total: int
    done: int
    not_done: int
    notes: tuple[tuple[str, str], ...]
    state: State
    who: str
    at: int
    changed_at: int

    @property
    def shown_id(self) -> str:
        """As people are shown it: t3."""
        return f"t{self.id}"


def for_cause(plant: Plant, fingerprint: str, councils: Sequence[str], *, action: str, who: str, why: str) -> int:
    """Ask for something to be done to all of one cause; return the task's id. Raises NotPossible where nothing waits
    because of it, or somebody has asked already."""
    found = counted.causes(plant, councils, fingerprint=fingerprint)
    if not found:
        raise NotPossible(f"nothing needs attention because of {fingerprint}")
    one = found[0]
    with plant.ledger.reading() as connection:
        last_version, last_delivery = (
            connection.execute(select(func.max(table.c.id)).where(table.c.cause_id == one.id)).scalar() or 0
            for table in (version, delivery)
        )
    return _begin(
        plant, one.council, action=action, who=who, why=why, subject=f"all of {fingerprint}", total=one.count,
        cause_id=one.id, ids=[], last_version=last_version, last_delivery=last_delivery,
    )  # fmt: skip


def for_ids(plant: Plant, ids: Sequence[str], *, action: str, who: str, why: str) -> int:
    """Ask for something to be done to these, which belong to one council; return the task's id. Raises NotPossible."""
    if not 0 < len(ids) <= MOST_NAMED:
        raise NotPossible(f"name between one and {MOST_NAMED} of them, or all of a cause")
    looked_up = [(version_of if id.startswith("v") else delivery_of)(plant, id) for id in ids]
    councils = {row.council for row in looked_up}
    if len(councils) != 1:
        raise NotPossible("what belongs to several councils is done for each of them apart")
    ordered = in_order(ids)
    return _begin(
        plant, councils.pop(), action=action, who=who, why=why, subject=f"{len(ordered)} named", total=len(ordered),
        ids=ordered,
    )  # fmt: skip


def for_list(plant: Plant, name: str, council: str, total: int, *, who: str, why: str) -> int:
    """Ask for what waits for a code list in one council to be let go on; return the task's id. `total`: how much waits
    now."""
    return _begin(
        plant, council, action=RELEASE, who=who, why=why, subject=f"codes/{name}", total=total, right=Right.CODES,
        code_list=name, ids=[],
    )  # fmt: skip


def in_order(ids: Sequence[str]) -> list[str]:
    """The order in which things are sent again: versions before deliveries, the oldest first."""
    return sorted(set(ids), key=lambda one: (one[:1] != "v", number_of(one, one[:1]) or 0))


def _begin(
    plant: Plant, council: str, *, action: str, who: str, why: str, subject: str, right: Right = Right.SEND,
    **values: Any,
) -> int:  # fmt: skip
    plant.sight.need(right, council)
    now = plant.clock.now()
    try:
        with plant.ledger.writing() as connection:
            made: int = connection.execute(
                insert(task)
                .values(
                    council=council, action=action, state=State.UNDER_WAY, who=who, at=now, changed_at=now, notes=[],
                    why=plant.vault.put(connection, council, "why", why.encode(), now) if why else None, **values,
                )
                .returning(task.c.id)
            ).scalar_one()  # fmt: skip
            audit.write(
                connection, plant.vault, council=council, who=who, action=f"task: {action}", subject=f"t{made}",
                why=why, now=now, detail={"of": subject, "count": values["total"]},
            )  # fmt: skip
    except IntegrityError:
        raise NotPossible("somebody has asked for all of this cause already; the task is under way or paused") from None
    plant.nudge.set()
    return made


def shown(plant: Plant, id: int, councils: Sequence[str]) -> Task:
    """One task. Raises NotPossible where these councils have none of that number."""
    with plant.ledger.reading() as connection:
        row = connection.execute(_all().where(task.c.id == id, task.c.council.in_(councils))).first()
    if row is None:
        raise NotPossible(f"there is no task t{id}")
    return _task(row)


def newest(plant: Plant, councils: Sequence[str], *, before: int | None = None, limit: int = 20) -> list[Task]:
    """The newest tasks of these councils; `before`: older than this one."""
    statement = _all().where(task.c.council.in_(councils)).order_by(task.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(task.c.id < before)
    with plant.ledger.reading() as connection:
        return [_task(row) for row in connection.execute(statement)]


def open_for(plant: Plant, cause_id: int) -> Task | None:
    """The task that is about all of a cause and not over, None if there is none."""
    with plant.ledger.reading() as connection:
        row = connection.execute(
            _all().where(task.c.cause_id == cause_id, task.c.state.in_([State.UNDER_WAY, State.PAUSED]))
        ).first()
    return _task(row) if row is not None else None


def pause(plant: Plant, id: int, *, who: str) -> None:
    """Leave a task where it is. What is being done at this moment is done. Raises NotPossible."""
    _move(plant, id, (State.UNDER_WAY,), State.PAUSED, who, "task paused")


def go_on(plant: Plant, id: int, *, who: str) -> None:
    """Take a paused task up again. Raises NotPossible."""
    _move(plant, id, (State.PAUSED,), State.UNDER_WAY, who, "task taken up again")
    plant.nudge.set()


def cancel(plant: Plant, id: int, *, who: str) -> None:
    """End a task; what it has done stays done. Raises NotPossible."""
    _move(plant, id, (State.UNDER_WAY, State.PAUSED), State.CANCELLED, who, "task cancelled")


def _move(plant: Plant, id: int, before: tuple[State, ...], after: State, who: str, action: str) -> None:
    now = plant.clock.now()
    with plant.ledger.writing() as connection:
        row = connection.execute(select(task.c.council, task.c.state).where(task.c.id == id)).one()
        plant.sight.need(Right.SEND, row.council)
        moved = connection.execute(
            update(task).where(task.c.id == id, task.c.state.in_(before)).values(state=after, changed_at=now)
        ).rowcount
        if not moved:
            raise NotPossible(f"the task is {row.state} by now")
        audit.write(
            connection, plant.vault, council=row.council, who=who, action=action, subject=f"t{id}", why="", now=now
        )


def _all() -> Any:
    return select(task, cause.c.fingerprint).outerjoin(cause, cause.c.id == task.c.cause_id)


def _task(row: Row[Any]) -> Task:
    return Task(
        row.id, row.council, row.action, row.fingerprint or "", row.code_list or "", row.total, row.done, row.not_done,
        tuple((str(id), str(why)) for id, why in row.notes), State(row.state), row.who, row.at, row.changed_at,
    )  # fmt: skip
