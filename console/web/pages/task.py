"""Tasks: what was asked for that takes longer than a page; watch, pause, take up again, cancel."""

from __future__ import annotations

from starlette.responses import Response

from console.web.asked import Asked, NoSuchThing
from console.web.doors import Doors
from pipelines import tasks
from pipelines.looking import NotPossible
from pipelines.rights import Right
from pipelines.tasks import Task

doors = Doors("task", menu=35)
_A_PAGE = 20


@doors.get("/task", Right.SEE)
def newest(asked: Asked) -> Response:
    """The newest tasks."""
    found = tasks.newest(asked.plant, asked.councils, before=asked.place("before") or None, limit=_A_PAGE + 1)
    more = f"/task?before={found[_A_PAGE - 1].id}" if len(found) > _A_PAGE else ""
    return asked.page("tasks.html", tasks=found[:_A_PAGE], more=more)


@doors.get("/task/{id:int}", Right.SEE)
def task(asked: Asked) -> Response:
    """One task, watched."""
    return asked.page("task.html", one=_task(asked))


@doors.post("/task/{id:int}/move", Right.SEND)
def move(asked: Asked) -> Response:
    """Pause it, take it up again, or cancel it."""
    one = _task(asked)
    steps = {"pause": tasks.pause, "go on": tasks.go_on, "cancel": tasks.cancel}
    step = steps.get(asked.typed("step"))
    if step is None:
        raise NotPossible("a task is paused, taken up again or cancelled")
    step(asked.plant, one.id, who=asked.officer.who)
    return asked.go(f"/task/{one.id}")


def _task(asked: Asked) -> Task:
    try:
        return tasks.shown(asked.plant, int(asked.path("id")), asked.councils)
    except NotPossible:
        raise NoSuchThing from None
