"""Tokens: made, listed and ended by an administrator who is signed in."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path

from console.api import forms, shapes
from console.api.caller import Seen, needs
from console.show import iso
from pipelines import tokens
from pipelines.rights import Right, Role

router = APIRouter(tags=["tokens"])

TokenId = Annotated[str, Path(pattern=r"^t[0-9]{1,18}$", description="A token.", examples=["t3"])]


@router.get("/tokens", **needs(Right.ADMINISTER))
def listed(plant: Seen, after: forms.After = "", limit: forms.Limit = 50) -> shapes.Page[shapes.TokenShape]:
    """Which tokens there are, what they may do, and when they were last used."""
    rows = [
        shapes.TokenShape(
            **dataclasses.asdict(one)
            | {name: iso(getattr(one, name)) for name in ("at", "until", "last_used", "revoked")}
        )
        for one in tokens.listed(plant)
    ]
    return shapes.page(rows, [row.id for row in rows], after=after, limit=limit)


@router.post("/tokens", status_code=201, **needs(Right.ADMINISTER))
def add(plant: Seen, form: forms.NewToken) -> shapes.TokenMade:
    """Make a token. It is answered this once and kept nowhere."""
    roles = dict.fromkeys(form.councils, tuple(dict.fromkeys(Role(one) for one in form.roles)))
    return shapes.TokenMade(
        token=tokens.add(plant, form.name, roles, lasts=timedelta(days=form.days), why=form.why)
    )


@router.post("/tokens/{id}/revoke", **needs(Right.ADMINISTER))
def revoke(plant: Seen, id: TokenId, form: forms.Reason) -> shapes.Said:
    """End a token now."""
    return shapes.Said(done=tokens.revoke(plant, id, why=form.why))
