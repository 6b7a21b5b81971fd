"""Needs attention: what waits for a person, grouped by cause, the most urgent first."""

from __future__ import annotations

from starlette.responses import Response

from console.web.asked import Asked
from console.web.doors import Doors
from pipelines import alerting, counted, desk, left_out
from pipelines.counted import mender_of
from pipelines.rights import Right

doors = Doors("attention", menu=30)
_A_PAGE = 25
_MOST_LACKING = 50


@doors.get("/attention", Right.SEE)
def attention(asked: Asked) -> Response:
    """Every cause: what, where, since when, how many people, how urgent, what to do and who can."""
    found = counted.causes(asked.plant, asked.councils)
    begin = asked.place("from")
    some = found[begin : begin + _A_PAGE]
    more = f"/attention?from={begin + _A_PAGE}" if len(found) > begin + _A_PAGE else ""
    return asked.page(
        "attention.html",
        groups=[(one, mender_of(asked.plant, one)) for one in some],
        more=more,
        total=len(found),
        alerts=len(alerting.open_alerts(asked.plant)),
        conflicts=len(desk.open_conflicts(asked.plant, asked.councils)),
        lacking=[] if begin else left_out.left_out(asked.plant, asked.councils)[:_MOST_LACKING],
    )
