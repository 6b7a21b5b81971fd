"""The support desk: send again, settle, close, decide, join and part. Two callers who do one thing do it once."""

from __future__ import annotations

import dataclasses
from typing import Annotated

from fastapi import APIRouter, Path

from console.api import forms, list_shapes, shapes
from console.api.caller import Seen, name, needs
from console.show import iso
from console.site import zone_of
from pipelines import candidates, control, deciding, desk, joining, looking
from pipelines.choosing import Chooser
from pipelines.replaying import Done
from pipelines.rights import Right
from pipelines.sight import NoSuch

router = APIRouter(tags=["desk"])

ConflictId = Annotated[str, Path(pattern=r"^c[0-9]{1,18}$", description="A conflict.", examples=["c3"])]


def told(done: Done) -> shapes.DoneShape:
    """What sending again did."""
    return shapes.DoneShape(
        done=done.done,
        not_done=[shapes.NotDone(id=id, why=why) for id, why in done.not_done],
        asked=[shapes.NotDone(id=id, why=why) for id, why in done.asked],
    )


@router.post("/replay", **needs(Right.SEND))
def replay(plant: Seen, form: forms.Again) -> shapes.DoneShape:
    """Send again: some, all of a cause, or all of a route that need attention. Nothing is sent twice: whoever comes
    second is told so, one by one."""
    ids = form.ids if isinstance(form, forms.AgainById) else []
    cause = form.cause if isinstance(form, forms.AgainByCause) else ""
    route = form.route if isinstance(form, forms.AgainByRoute) else ""
    council = "" if isinstance(form, forms.AgainById) else form.council
    if council and council not in plant.councils:
        raise NoSuch("there is no council of that code that you may see")
    chosen = control.to_replay(plant, ids, fingerprint=cause, route=route, council=council)
    return told(
        desk.replay(plant, chosen, who=name(plant), why=form.why, chooser=Chooser(plant, form.mapping))
    )


@router.post("/items/{id}/settle", **needs(Right.SEND))
def settle(plant: Seen, id: forms.ItemId, form: forms.Settle) -> shapes.Said:
    """Say what was found in the target. A number makes later changes update that record."""
    number = form.number if isinstance(form, forms.There) else ""
    return shapes.Said(
        done=desk.settle(plant, id, how=form.how, number=number, who=name(plant), why=form.why)
    )


@router.post("/items/{id}/close", **needs(Right.SEND))
def close(plant: Seen, id: forms.ItemId, form: forms.Reason) -> shapes.Said:
    """Close without sending."""
    return shapes.Said(done=desk.close(plant, id, who=name(plant), why=form.why))


@router.post("/items/{id}/decide", **needs(Right.SEND))
def decide(plant: Seen, id: forms.ItemId, form: forms.Decide) -> shapes.Said:
    """Say whose a version is."""
    who = name(plant)
    if isinstance(form, forms.Chosen):
        return shapes.Said(done=deciding.choose(plant, id, form.referral, who=who, why=form.why))
    said = deciding.same if form.whose == "same" else deciding.new
    return shapes.Said(done=said(plant, id, who=who, why=form.why))


@router.get("/items/{id}/candidates", **needs(Right.SEE))
def may_be(plant: Seen, id: forms.ItemId) -> list_shapes.CandidatesShape:
    """Of which referrals a version may be that names several."""
    found = candidates.candidates(plant, id)
    zone = zone_of(plant, looking.version_of(plant, id).council)
    seen = [list_shapes.CandidateShape(**dataclasses.asdict(one) | {"at": iso(one.at, zone)}) for one in found.seen]
    return list_shapes.CandidatesShape(seen=seen, hidden=found.hidden)


@router.post("/conflicts/{id}/close", **needs(Right.SEND))
def seen_conflict(plant: Seen, id: ConflictId, form: forms.Reason) -> shapes.Said:
    """Say that somebody has looked at a conflict."""
    return shapes.Said(done=desk.close(plant, id, who=name(plant), why=form.why))


@router.post("/referrals/{id}/join", **needs(Right.SEND))
def join(plant: Seen, id: forms.OurId, form: forms.Join) -> shapes.Said:
    """Make two referrals of one request one: this one stays."""
    return shapes.Said(done=joining.join(plant, id, form.goes, who=name(plant), why=form.why))


@router.post("/referrals/{id}/part", **needs(Right.SEND))
def part(plant: Seen, id: forms.OurId, form: forms.Reason) -> shapes.Said:
    """Undo a join: this one, which went, is a referral of its own again."""
    return shapes.Said(done=joining.part(plant, id, who=name(plant), why=form.why))
