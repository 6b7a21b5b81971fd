"""Four eyes: what another officer asks to be done with a restricted referral; confirm or refuse."""

from __future__ import annotations

from starlette.responses import Response

from console.web.asked import Asked
from console.web.doors import Doors
from pipelines import four_eyes, replaying
from pipelines.rights import Right

doors = Doors("confirm", menu=37)


@doors.get("/confirm", Right.SEND)
def waiting(asked: Asked) -> Response:
    """What waits for another officer."""
    return _page(asked)


@doors.post("/confirm/answer", Right.SEND)
def answer(asked: Asked) -> Response:
    """Confirm, or refuse."""
    why = asked.reason()
    if asked.typed("answer") not in ("yes", "no"):
        asked.faults["answer"] = "confirm.answer_missing"
    if asked.faults:
        return _page(asked, status=422)
    yes = asked.typed("answer") == "yes"
    replaying.confirm(asked.plant, asked.typed("id"), yes=yes, why=why)
    return _page(asked, said="confirm.confirmed" if yes else "confirm.refused")


def _page(asked: Asked, *, status: int = 200, said: str = "") -> Response:
    found = [(one, four_eyes.reason(asked.plant, one.id)) for one in four_eyes.waiting(asked.plant)[:50]]
    return asked.page("confirm.html", status=status, asked_for=found, said=said)
