"""One referral: where it is, its numbers in every system, and everything that happened to it, in order."""

from __future__ import annotations

from starlette.responses import Response

from console.web.asked import Asked, NoSuchThing
from console.web.doors import Doors
from pipelines import story, where
from pipelines.rights import Right

doors = Doors("referral")
_MOST_LINES = 200


@doors.get("/referral/{id}", Right.SEE)
def referral(asked: Asked) -> Response:
    """The whole story."""
    id = asked.path("id")
    council = story.council_of(asked.plant, id)
    if council is None or council not in asked.councils:
        raise NoSuchThing
    told = story.tell(asked.plant, id)
    begin = asked.place("from")
    end = begin + _MOST_LINES
    return asked.page(
        "referral.html",
        told=told,
        lines=told.lines[begin:end],
        more=f"/referral/{id}?from={end}" if len(told.lines) > end else "",
        places=[place for one in where.where(asked.plant, id) for place in one.places],
    )
