"""Control: leave a connection alone, take it up again, read it now."""

from __future__ import annotations

from fastapi import APIRouter

from console.api import forms, shapes
from console.api.caller import Seen, name, needs
from pipelines import comparing_asked, control
from pipelines.plant import Plant, Wired
from pipelines.rights import Right
from pipelines.sight import NoSuch

router = APIRouter(tags=["control"])


@router.post("/connections/{council}/{connection}/pause", **needs(Right.CONTROL))
def pause(
    plant: Seen, council: forms.CouncilCode, connection: forms.ConnectionName, form: forms.Reason
) -> shapes.Said:
    """Leave a connection alone until somebody resumes it. What is for it waits and burns no try."""
    wired = wired_of(plant, council, connection)
    control.pause(plant, wired, who=name(plant), why=form.why)
    return shapes.Said(done=f"{council}/{connection} is paused")


@router.post("/connections/{council}/{connection}/resume", **needs(Right.CONTROL))
def resume(plant: Seen, council: forms.CouncilCode, connection: forms.ConnectionName) -> shapes.Said:
    """Take a paused connection up again."""
    ended = control.resume(plant, wired_of(plant, council, connection), who=name(plant))
    return shapes.Said(done=f"{council}/{connection} {'goes on' if ended else 'was not paused'}")


@router.post("/connections/{council}/{connection}/sync", status_code=202, **needs(Right.CONTROL))
def sync(plant: Seen, council: forms.CouncilCode, connection: forms.ConnectionName) -> shapes.Asked:
    """Have the running site read a source now. It is asked for and not waited for."""
    wired = wired_of(plant, council, connection)
    return shapes.Asked(feeds=control.ask(plant, [wired], who=name(plant), why=""))


@router.post("/reconcile/{council}/{route}/compare", status_code=202, **needs(Right.CONTROL))
def compare(plant: Seen, council: forms.CouncilCode, route: forms.RouteName) -> shapes.Said:
    """Have the running site compare the two ends of a route now. It is asked for and not waited for."""
    return shapes.Said(done=comparing_asked.ask(plant, council, route, who=name(plant)))


def wired_of(plant: Plant, council: str, connection: str) -> Wired:
    """A connection that the caller may see. Raises NoSuch."""
    found = plant.councils.get(council)
    if found is None or connection not in found.wired:
        raise NoSuch("there is no connection of that name that you may see")
    return found.wired[connection]
