"""The schedule: when each source is read next, and what came of the newest runs."""

from __future__ import annotations

from starlette.responses import Response

from console.web.asked import Asked
from console.web.doors import Doors
from pipelines import lists
from pipelines.rights import Right

doors = Doors("schedule", menu=70)
_A_PAGE = 50


@doors.get("/schedule", Right.SEE)
def schedule(asked: Asked) -> Response:
    """What is planned, and what was done."""
    rows, more = lists.newest_of(
        lists.runs(asked.plant, before=asked.place("before") or None, limit=_A_PAGE + 1), _A_PAGE
    )
    return asked.page("schedule.html", planned=lists.planned(asked.plant), runs=rows,
                      more=f"/schedule?before={rows[-1].at}" if more else "")  # fmt: skip
