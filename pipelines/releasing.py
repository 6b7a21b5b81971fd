"""Letting go on what waited for a code, as a task: asked for at once, done by the running site, one record at a time.

`pipelines.code_desk` says what a code means; `pipelines.task_runs` has the task in hand and goes on where a killed
process stopped. What has gone on waits no more and is not come upon again, so that nothing is let go twice, however
often and by however many it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sqlalchemy import select

from pipelines import code_desk, desk, tasks, unmapped
from pipelines.looking import NotPossible, delivery_of, version_of
from pipelines.plant import Plant
from pipelines.rights import Right
from pipelines.sight import NOBODYS
from pipelines.states import DeliveryState, VersionState
from pipelines.tables import task
from pipelines.tasks import RELEASE, State
from pipelines.unmapped import TURNS, Held

ANOTHER = "it waits for another code of the list"
UNOPENED = "the kept record was not opened"


def ask(plant: Plant, name: str, councils: Sequence[str] = (), *, who: str, why: str) -> list[int]:
    """Have what waits for a code list let go on, by the running site: a task for each council that uses the list, also
    where nothing waits that may be seen: a rule lets go of the rest too, and whether there is any is told to nobody.
    Return their ids. One that was asked for and not begun serves all. Raises NotPossible, NotAllowed."""
    codes = [code for code in sorted(plant.councils) if not councils or code in councils]
    for code in codes:
        plant.sight.need(Right.CODES, code)
    code_desk.known(plant, name)
    using = [code for code in codes if _uses(plant, code, name)]
    piles = [one for one in unmapped.piles(replace(plant, sight=NOBODYS), using) if one.code_list == name]
    made = []
    for code in using:
        total = sum(one.number for one in piles if one.council == code)
        made.append(_not_begun(plant, code, name) or tasks.for_list(plant, name, code, total, who=who, why=why))
    return made


def _uses(plant: Plant, council: str, name: str) -> bool:
    wired = plant.councils[council].wired.values()
    return any(name in unmapped.lists_of(kind) for one in wired for kind in one.kinds.values())


def _not_begun(plant: Plant, council: str, name: str) -> int | None:
    """A task of the same list that nobody has taken up yet: it will go by the rows of now."""
    wanted = select(task.c.id).where(task.c.council == council, task.c.code_list == name, task.c.begun == 0)
    with plant.ledger.reading() as connection:
        found: int | None = connection.execute(
            wanted.where(task.c.state == State.UNDER_WAY, task.c.owner.is_(None)).order_by(task.c.id).limit(1)
        ).scalar()
    return found


def left(plant: Plant, council: str, name: str, place: str) -> Iterator[tuple[str, Held]]:
    """What waits for a list, from a place on, each with its place. A place is a turn and an id: `0v7`."""
    begins = (int(place[0]), int(place[2:])) if place else (0, 0)
    for held in unmapped.waiting_for(plant, [council], name, begins):
        yield f"{TURNS.index((held.side, held.needed))}{held.id}", held


def one(plant: Plant, held: Held, *, who: str, why: str) -> str:
    """Let one go on; return why it cannot, "" if it does or somebody has let it go already."""
    if held.gaps is None:
        return UNOPENED
    if held.gaps:
        return ANOTHER
    if not held.needed:
        if code_desk.complete(plant, held):
            code_desk.completed(plant, held.code_list, [held.id], who=who, why=why, council=held.council)
        return ""
    try:
        done = desk.replay(plant, [held.id], who=who, why=why)
        fault = done.not_done[0][1] if done.not_done else ""
    except NotPossible as refused:
        fault = str(refused)
    return fault if fault and _still_waits(plant, held.id) else ""


def _still_waits(plant: Plant, id: str) -> bool:
    row = (version_of if id.startswith("v") else delivery_of)(plant, id)
    return row.state in (VersionState.ATTENTION, DeliveryState.ATTENTION)


__all__ = ["RELEASE", "ask", "left", "one"]
