"""Who is signed in to the pages: one's own sessions, and those of the councils that one administers."""

from __future__ import annotations

import dataclasses
from typing import Annotated

from fastapi import APIRouter, Path, Request

from console.api import forms, list_shapes, shapes
from console.api.caller import Seen, needs
from console.show import iso
from console.signin.asked import entrance
from pipelines import signed_in
from pipelines.rights import Right

router = APIRouter(tags=["sessions"])

SessionId = Annotated[str, Path(pattern=r"^s[0-9a-f]{1,64}$", description="A session.", examples=["s0f3a"])]


@router.get("/sessions", **needs(Right.SEE))
def listed(
    plant: Seen, request: Request, after: forms.After = "", limit: forms.Limit = 50
) -> shapes.Page[list_shapes.SessionShape]:
    """One's own sessions, and for an administrator those of whoever holds a role for their councils."""
    door = entrance(request)
    rows = [
        list_shapes.SessionShape(
            **dataclasses.asdict(one) | {name: iso(getattr(one, name)) for name in ("at", "seen", "until")}
        )
        for one in signed_in.listed(plant, door.limits, secret=door.session.of(request))
    ]
    return shapes.page(rows, [row.id for row in rows], after=after, limit=limit)


@router.post("/sessions/others", **needs(Right.SEE))
def others(plant: Seen, request: Request) -> shapes.Said:
    """End all of one's own sessions but the one that this call is made with."""
    door = entrance(request)
    return shapes.Said(done=signed_in.end_others(plant, door.limits, secret=door.session.of(request)))


@router.post("/sessions/{id}/end", **needs(Right.SEE))
def end(plant: Seen, request: Request, id: SessionId) -> shapes.Said:
    """End a session now. Whoever used it has to sign in again."""
    return shapes.Said(done=signed_in.end(plant, entrance(request).limits, id))
