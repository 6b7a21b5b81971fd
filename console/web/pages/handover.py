"""The hand-over sheet: urgent referrals that have not arrived, to be printed for the duty team."""

from __future__ import annotations

from starlette.responses import Response

from console import where_words
from console.web.asked import Asked
from console.web.doors import Doors
from pipelines import handover
from pipelines.rights import Right

doors = Doors("handover", menu=32)


@doors.get("/handover", Right.SEE)
def sheet(asked: Asked) -> Response:
    """The sheet, as it is now."""
    found = handover.urgent(asked.plant)
    lines = [(one, where_words.whom(one.mender, asked.t.language) if one.mender else "") for one in found]
    return asked.page("handover.html", lines=lines[: handover.MOST], more=len(found) > handover.MOST,
                      now=asked.plant.clock.now())  # fmt: skip
