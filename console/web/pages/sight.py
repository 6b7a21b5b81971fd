"""Restricted referrals, for data protection: who may see one, who opened one unasked; give, review, end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from starlette.responses import Response

from console.web.asked import Asked
from console.web.doors import Doors
from pipelines import grants
from pipelines.rights import Right

doors = Doors("sight", menu=39)
_A_PAGE = 50


@doors.get("/sight", Right.PROTECT)
def every(asked: Asked) -> Response:
    """What was opened and nobody reviewed, then every grant, the newest first."""
    return _list(asked)


@doors.post("/sight/give", Right.PROTECT)
def give(asked: Asked) -> Response:
    """Let one officer see one restricted referral for some days."""
    why, days = asked.reason(), asked.typed("days")
    for field in ("reference", "whom"):
        if not asked.typed(field):
            asked.faults[field] = f"sight.{field}_missing"
    if not (days.isdecimal() and len(days) < 4 and 1 <= int(days) <= grants.LONGEST.days):
        asked.faults["days"] = "sight.days_missing"
    if asked.faults:
        return _list(asked, status=422)
    made = grants.give(asked.plant, asked.typed("reference"), asked.typed("whom"), lasts=timedelta(days=int(days)),
                       why=why)  # fmt: skip
    return _list(asked, made=made)


@doors.get("/sight/{id}", Right.PROTECT)
def one(asked: Asked) -> Response:
    """One grant, with the reason that was typed for it."""
    return _one(asked)


@doors.post("/sight/{id}/review", Right.PROTECT)
def review(asked: Asked) -> Response:
    """Say what the review of a break-glass found."""
    finding = asked.reason()
    if asked.faults:
        return _one(asked, status=422)
    return _one(asked, words=grants.review(asked.plant, asked.path("id"), finding=finding))


@doors.post("/sight/{id}/end", Right.PROTECT)
def end(asked: Asked) -> Response:
    """End it now."""
    why = asked.reason()
    if asked.faults:
        return _one(asked, status=422)
    return _one(asked, words=grants.end(asked.plant, asked.path("id"), why=why))


def _list(asked: Asked, *, status: int = 200, made: str = "") -> Response:
    found, begin = grants.listed(asked.plant), asked.place("from")
    return asked.page(
        "sights.html",
        status=status,
        made=made,
        waits=[one for one in found if one.waits_for_review][:_A_PAGE],
        grants=found[begin : begin + _A_PAGE],
        more=f"/sight?from={begin + _A_PAGE}" if len(found) > begin + _A_PAGE else "",
    )


def _one(asked: Asked, *, status: int = 200, **values: Any) -> Response:
    found = grants.one(asked.plant, asked.path("id"))
    return asked.page(
        "sight.html",
        status=status,
        one=found,
        reason=grants.reason(asked.plant, found.id),
        over=not found.holds(asked.plant.clock.now()),
        **{"words": "", **values},
    )
