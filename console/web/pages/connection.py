"""Connections: how each one is, its limits and calendar, leaving it alone and taking it up again, and the doctor."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from console.web.asked import Asked, NoSuchThing
from console.web.doors import Doors
from pipelines import alerting, control, doctor, glance, lists, menders
from pipelines.plant import Wired
from pipelines.rights import Right

doors = Doors("connection", menu=40)


@doors.get("/connection", Right.SEE)
def every(asked: Asked) -> Response:
    """Every connection."""
    return asked.page("connections.html", links=glance.glance(asked.plant, asked.councils).links,
                      most=glance.MOST_COUNTED)  # fmt: skip


@doors.get("/connection/{council}/{name}", Right.SEE)
def one(asked: Asked) -> Response:
    """One connection."""
    return _page(asked, _wired(asked))


@doors.post("/connection/{council}/{name}/pause", Right.CONTROL)
def pause(asked: Asked) -> Response:
    """Leave it alone until somebody takes it up again."""
    wired, why = _wired(asked), asked.reason()
    if asked.faults:
        return _page(asked, wired, status=422)
    control.pause(asked.plant, wired, who=asked.officer.who, why=why)
    return _page(asked, wired, said="connection.paused")


@doors.post("/connection/{council}/{name}/resume", Right.CONTROL)
def resume(asked: Asked) -> Response:
    """Take it up again."""
    wired = _wired(asked)
    control.resume(asked.plant, wired, who=asked.officer.who)
    return _page(asked, wired, said="connection.resumed")


@doors.post("/connection/{council}/{name}/doctor", Right.CONTROL, slow=True)
def look(asked: Asked) -> Response:
    """Look at the living system, without changing anything."""
    wired = _wired(asked)
    found = [finding for *_, finding in doctor.examine(asked.plant, wired.council, wired.name)]
    return _page(asked, wired, findings=found)


def _wired(asked: Asked) -> Wired:
    council = asked.plant.councils.get(asked.path("council"))
    wired = council.wired.get(asked.path("name")) if council else None
    if wired is None:
        raise NoSuchThing
    return wired


def _page(asked: Asked, wired: Wired, *, status: int = 200, **values: Any) -> Response:
    settings = wired.settings
    return asked.page(
        "connection.html",
        status=status,
        wired=wired,
        link=lists.standing(asked.plant, wired),
        mend=menders.of_connection(asked.plant.councils[wired.council], wired.name),
        alerts=sum(row.connection == wired.name for row in alerting.open_alerts(asked.plant, wired.council)),
        windows=settings.get("windows") or (),
        limits={
            "at_once": wired.at_once,
            "timeout": wired.timeout_seconds,
            "settle": wired.settle_seconds,
            "polls_a_day": settings.get("polls_a_day") or "-",
            "most_waiting": settings.get("most_waiting") or "-",
            "after_failures": (settings.get("pause") or {}).get("after_failures", "-"),
        },
        **{"findings": None, "said": "", **values},
    )
