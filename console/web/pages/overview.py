"""The overview: each connection's state, lag and queue, today's flow, and the last comparison of the two ends."""

from __future__ import annotations

from starlette.responses import Response

from console.web.asked import Asked
from console.web.doors import Doors
from console.web.flow import picture
from pipelines import glance, processes
from pipelines.rights import Right

doors = Doors("overview", menu=20)


@doors.get("/overview", Right.SEE)
def overview(asked: Asked) -> Response:
    """Everything at a glance."""
    seen = glance.glance(asked.plant, asked.councils)
    beat = processes.last_beat(asked.plant)
    return asked.page(
        "overview.html",
        seen=seen,
        running=processes.is_running(asked.plant),
        last_ran=int(beat["at"]) if beat else None,
        pictures=[picture(code, seen.flows) for code in asked.councils],
        most=glance.MOST_COUNTED,
        attention=sum(link.attention + link.unread for link in seen.links),
    )
