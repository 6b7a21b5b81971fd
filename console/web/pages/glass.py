"""Break-glass: an operator opens a restricted referral in an emergency; what they may see now, and until when."""

from __future__ import annotations

from starlette.responses import Response

from console.web.asked import Asked
from console.web.doors import Doors
from pipelines import grants
from pipelines.rights import Right

doors = Doors("glass", menu=38)


@doors.get("/glass", Right.SEND)
def open_one(asked: Asked) -> Response:
    """What breaking the glass means, and the form that does it."""
    return _page(asked)


@doors.post("/glass/take", Right.SEND)
def take(asked: Asked) -> Response:
    """Open one now; data protection reviews it afterwards."""
    reference, why = asked.typed("reference"), asked.reason()
    if not reference:
        asked.faults = {"reference": "glass.reference_missing", **asked.faults}
    if asked.faults:
        return _page(asked, status=422)
    return _page(asked, made=grants.take(asked.plant, reference, why=why))


def _page(asked: Asked, *, status: int = 200, made: str = "") -> Response:
    minutes = int(asked.plant.roles.break_glass.total_seconds() // 60)
    return asked.page("glass.html", status=status, made=made, minutes=minutes, mine=grants.mine(asked.plant))
