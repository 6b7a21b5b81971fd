"""Who is signed in: one's own sessions, and those of the councils that one administers; end one, or all others."""

from __future__ import annotations

from starlette.responses import Response

from console import signin
from console.web.asked import Asked
from console.web.doors import Doors
from pipelines import signed_in
from pipelines.rights import Right

doors = Doors("sessions", menu=97)
_MOST = 200


@doors.get("/sessions", Right.SEE)
def every(asked: Asked) -> Response:
    """The sessions that the officer may see."""
    return _page(asked)


@doors.post("/sessions/end", Right.SEE)
def end(asked: Asked) -> Response:
    """End one."""
    signed_in.end(asked.plant, signin.entrance(asked.request).limits, asked.typed("id"))
    return _page(asked, ended=True)


@doors.post("/sessions/others", Right.SEE)
def others(asked: Asked) -> Response:
    """End all of the officer's own but this one."""
    door = signin.entrance(asked.request)
    signed_in.end_others(asked.plant, door.limits, secret=door.session.of(asked.request))
    return _page(asked, ended=True)


def _page(asked: Asked, *, ended: bool = False) -> Response:
    door = signin.entrance(asked.request)
    found = signed_in.listed(asked.plant, door.limits, secret=door.session.of(asked.request))[:_MOST]
    return asked.page(
        "sessions.html",
        ended=ended,
        mine=[one for one in found if one.mine],
        theirs=[one for one in found if not one.mine],
        administers=bool(asked.officer.councils(Right.ADMINISTER)),
        code=asked.councils[0],  # in whose zone times are told: a session is of no one council
    )
