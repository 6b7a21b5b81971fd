"""People's data: the values of one referral, restricted referrals, and what takes two officers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query

from console.api import forms, list_shapes, shapes
from console.api.caller import Seen, needs
from console.api.desk import ConflictId, told
from console.show import iso
from console.site import zone_of
from pipelines import conflict_values, four_eyes, grants, replaying, unmasking
from pipelines.plant import Plant
from pipelines.rights import Right
from pipelines.sight import NotPossible
from pipelines.vault import PayloadGone

router = APIRouter(tags=["people"])

AskedId = Annotated[str, Path(pattern=r"^q[0-9]{1,18}$", description="What was asked for.", examples=["q3"])]
GrantId = Annotated[str, Path(pattern=r"^g[0-9]{1,18}$", description="A grant.", examples=["g3"])]
Unreviewed = Annotated[bool, Query(description="Only what was taken and nobody reviewed.")]


@router.post("/referrals/{id}/unmask", **needs(Right.UNMASK))
def unmask(plant: Seen, id: forms.OurId, form: forms.Reason) -> shapes.Unmasked:
    """Show the values of one referral to a case-reader. The audit keeps who looked, and why."""
    found = unmasking.unmask(plant, id, why=form.why)
    return shapes.Unmasked(
        council=found.council, referral=found.referral, revision=found.revision, facts=dict(found.facts)
    )


@router.post("/conflicts/{id}/values", **needs(Right.UNMASK))
def both(plant: Seen, id: ConflictId, form: forms.Reason) -> list_shapes.BothShape:
    """Both values of a conflict, to a case-reader. The audit keeps who looked, and why."""
    found = conflict_values.both(plant, int(id[1:]), why=form.why)
    return list_shapes.BothShape(
        field=found.field, winner=found.winner, loser=found.loser, stands=found.stands, lost=found.lost, gone=found.gone
    )


@router.get("/four-eyes", **needs(Right.SEE))
def waiting(plant: Seen, after: forms.After = "", limit: forms.Limit = 50) -> shapes.Page[shapes.AskedFor]:
    """What one officer asked for and another is to confirm."""
    rows = [
        shapes.AskedFor(**dataclasses.asdict(one) | _times(plant, one.council, at=one.at, until=one.until))
        for one in four_eyes.waiting(plant)
    ]
    return shapes.page(rows, [row.id for row in rows], after=after, limit=limit)


@router.get("/four-eyes/{id}", **needs(Right.SEND))
def asked_why(plant: Seen, id: AskedId) -> shapes.AskedWhy:
    """Why it was asked for."""
    return shapes.AskedWhy(why=_reason(lambda: four_eyes.reason(plant, id)))


@router.post("/four-eyes/{id}", **needs(Right.SEND))
def answer(plant: Seen, id: AskedId, form: forms.Answer) -> shapes.DoneShape:
    """Confirm what another officer asked for, which is then done in both names; or refuse."""
    return told(replaying.confirm(plant, id, yes=form.answer == "confirm", why=form.why))


@router.get("/grants", **needs(Right.PROTECT))
def listed(
    plant: Seen, unreviewed: Unreviewed = False, after: forms.After = "", limit: forms.Limit = 50
) -> shapes.Page[shapes.GrantShape]:
    """Who may see restricted referrals, and who opened one."""
    rows = [_grant(plant, one) for one in grants.listed(plant, unreviewed=unreviewed)]
    return shapes.page(rows, [row.id for row in rows], after=after, limit=limit)


@router.post("/grants", status_code=201, **needs(Right.PROTECT))
def give(plant: Seen, form: forms.Give) -> shapes.Made:
    """Let one officer see one restricted referral for a while."""
    return shapes.Made(
        id=grants.give(plant, form.reference, form.whom, lasts=timedelta(days=form.days), why=form.why)
    )


@router.get("/break-glass", **needs(Right.SEND))
def mine(plant: Seen, after: forms.After = "", limit: forms.Limit = 50) -> shapes.Page[shapes.GrantShape]:
    """The restricted referrals that the caller may see at this moment."""
    rows = [_grant(plant, one) for one in grants.mine(plant)]
    return shapes.page(rows, [row.id for row in rows], after=after, limit=limit)


@router.post("/break-glass", status_code=201, **needs(Right.SEND))
def take(plant: Seen, form: forms.Take) -> shapes.Made:
    """Break-glass: open a restricted referral now. It is reviewed afterwards."""
    return shapes.Made(id=grants.take(plant, form.reference, why=form.why))


@router.get("/grants/{id}", **needs(Right.PROTECT))
def given_why(plant: Seen, id: GrantId) -> shapes.AskedWhy:
    """Why a grant was given or taken."""
    return shapes.AskedWhy(why=_reason(lambda: grants.reason(plant, id)))


@router.post("/grants/{id}/review", **needs(Right.PROTECT))
def review(plant: Seen, id: GrantId, form: forms.Reason) -> shapes.Said:
    """Note what the review of a break-glass found."""
    return shapes.Said(done=grants.review(plant, id, finding=form.why))


@router.post("/grants/{id}/end", **needs(Right.PROTECT))
def end(plant: Seen, id: GrantId, form: forms.Reason) -> shapes.Said:
    """End a grant now."""
    return shapes.Said(done=grants.end(plant, id, why=form.why))


def _grant(plant: Plant, one: grants.Grant) -> shapes.GrantShape:
    times = _times(plant, one.council, at=one.at, until=one.until, ended=one.ended, reviewed=one.reviewed)
    return shapes.GrantShape(**dataclasses.asdict(one) | times)


def _reason(ask: Callable[[], str]) -> str:
    try:
        return ask()
    except PayloadGone:
        raise NotPossible("the reason has expired") from None


def _times(plant: Plant, council: str, **times: int | None) -> dict[str, str | None]:
    return {name: iso(at, zone_of(plant, council)) for name, at in times.items()}
