"""One referral: where it is, its numbers in every system, and everything that happened to it, in order."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from console.web.asked import Asked, NoSuchThing
from console.web.doors import Doors
from pipelines import masking, story, unmasking, where
from pipelines.rights import Right

doors = Doors("referral")
_MOST_LINES = 200


@doors.get("/referral/{id}", Right.SEE)
def referral(asked: Asked) -> Response:
    """The whole story."""
    return _page(asked)


@doors.post("/referral/{id}/unmask", Right.UNMASK)
def unmask(asked: Asked) -> Response:
    """Its values, for a case-reader who says why."""
    why = asked.reason()
    if asked.faults:
        return _page(asked, status=422)
    found = unmasking.unmask(asked.plant, asked.path("id"), why=why)
    shown = [(path, masking.shown(path, value, reveal=True)) for path, value in found.facts if value is not None]
    return _page(asked, shown=shown)


def _page(asked: Asked, *, status: int = 200, shown: Sequence[tuple[str, str]] = ()) -> Response:
    id = asked.path("id")
    council = story.council_of(asked.plant, id)
    if council is None:
        raise NoSuchThing
    told = story.tell(asked.plant, id)
    begin = asked.place("from")
    end = begin + _MOST_LINES
    return asked.page(
        "referral.html",
        status=status,
        shown=shown,
        told=told,
        lines=told.lines[begin:end],
        more=f"/referral/{id}?from={end}" if len(told.lines) > end else "",
        places=[place for one in where.where(asked.plant, id) for place in one.places],
    )
