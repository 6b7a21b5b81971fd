"""Tasks: something done to many that takes longer than one call; asked for, watched, paused, cancelled."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from console.api import forms, list_shapes, shapes
from console.api.caller import Seen, name, needs
from console.show import iso
from console.site import zone_of
from pipelines import tasks
from pipelines.plant import Plant
from pipelines.rights import Right
from pipelines.sight import NoSuch
from pipelines.tasks import Task

router = APIRouter(tags=["tasks"])

_NUMBER = r"^t[0-9]{1,18}$"
TaskId = Annotated[str, Path(pattern=_NUMBER, description="A task.", examples=["t3"])]
Before = Annotated[str, Query(pattern=r"^(t[0-9]{1,18})?$", description="Older than this one: `next` of the page.")]


@router.get("/tasks", **needs(Right.SEE))
def newest(plant: Seen, after: Before = "", limit: forms.Limit = 50) -> shapes.Page[list_shapes.TaskShape]:
    """The newest tasks of the caller's councils."""
    before = int(after[1:]) if after else None
    found = tasks.newest(plant, sorted(plant.councils), before=before, limit=limit + 1)
    rows = [_shape(plant, one) for one in found[:limit]]
    return shapes.Page(items=rows, next=rows[-1].id if len(found) > limit else None)


@router.get("/tasks/{id}", **needs(Right.SEE))
def task(plant: Seen, id: TaskId) -> list_shapes.TaskShape:
    """One task: how far it is, and which of it could not be done."""
    return _shape(plant, _task(plant, id))


@router.post("/tasks", status_code=201, **needs(Right.SEND))
def ask(plant: Seen, form: forms.Bulk | forms.BulkOfSome) -> shapes.Made:
    """Have all of a cause, or some that are named, sent again or closed without sending by the running site, in
    order."""
    if isinstance(form, forms.BulkOfSome):
        some = tasks.for_ids(plant, form.ids, action=form.action, who=name(plant), why=form.why)
        return shapes.Made(id=f"t{some}")
    if form.council and form.council not in plant.councils:
        raise NoSuch("there is no council of that code that you may see")
    councils = [form.council] if form.council else sorted(plant.councils)
    made = tasks.for_cause(plant, form.cause, councils, action=form.action, who=name(plant), why=form.why)
    return shapes.Made(id=f"t{made}")


@router.post("/tasks/{id}/move", **needs(Right.SEND))
def move(plant: Seen, id: TaskId, form: forms.Move) -> list_shapes.TaskShape:
    """Pause it, take it up again, or cancel it: what it has done stays done."""
    one = _task(plant, id)
    step = {"pause": tasks.pause, "go on": tasks.go_on, "cancel": tasks.cancel}[form.step]
    step(plant, one.id, who=name(plant))
    return _shape(plant, _task(plant, id))


def _task(plant: Plant, id: str) -> Task:
    return tasks.shown(plant, int(id[1:]), sorted(plant.councils))


def _shape(plant: Plant, one: Task) -> list_shapes.TaskShape:
    zone = zone_of(plant, one.council)
    return list_shapes.TaskShape(
        id=one.shown_id, council=one.council, action=one.action, cause=one.cause, code_list=one.code_list,
        total=one.total, done=one.done, not_done=one.not_done, state=one.state.value, who=one.who,
        notes=[shapes.NotDone(id=id, why=why) for id, why in one.notes], at=iso(one.at, zone) or "",
        changed_at=iso(one.changed_at, zone) or "",
    )  # fmt: skip
