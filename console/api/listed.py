"""Lists that officers page through: the audit, the timetable and its runs, the hand-over sheet."""

from __future__ import annotations

import dataclasses
from typing import Annotated

from fastapi import APIRouter, Query

from console.api import forms, list_shapes, shapes
from console.api.caller import Seen, needs
from console.show import iso
from console.site import zone_of
from pipelines import audit, handover, lists
from pipelines.rights import Right

router = APIRouter(tags=["lists"])

Before = Annotated[str, Query(pattern=r"^([0-9]{1,18})?$", description="Older than this: `next` of the page before.")]


@router.get("/audit", **needs(Right.PROTECT))
def audited(plant: Seen, after: Before = "", limit: forms.Limit = 50) -> shapes.Page[list_shapes.AuditLine]:
    """Who did what and when, the newest first. Reasons stay sealed."""
    found = lists.audited(plant, before=int(after) if after else None, limit=limit + 1)
    rows = [
        list_shapes.AuditLine(
            seq=one.seq, at=iso(one.at, zone_of(plant, one.council)) or "", who=one.who, council=one.council,
            action=one.action, subject=one.subject, reasoned=one.why is not None,
        )
        for one in found[:limit]
    ]  # fmt: skip
    return shapes.Page(items=rows, next=str(rows[-1].seq) if len(found) > limit else None)


@router.post("/audit/verify", **needs(Right.PROTECT))
def verify(plant: Seen) -> list_shapes.Whole:
    """Go through the whole chain, which takes as long as the audit is."""
    broken = audit.verify(plant.ledger, plant.vault)
    return list_shapes.Whole(whole=broken is None, words="" if broken is None else broken.words)


@router.get("/schedule", **needs(Right.SEE))
def planned(plant: Seen, after: forms.After = "", limit: forms.Limit = 50) -> shapes.Page[list_shapes.PlannedShape]:
    """When each kind of record of each source is read next, and when it was read last."""
    rows = [
        list_shapes.PlannedShape(
            **dataclasses.asdict(one)
            | {name: iso(getattr(one, name), zone_of(plant, one.council)) for name in ("next", "last")}
        )
        for one in lists.planned(plant)
    ]
    return shapes.page(
        rows, [f"{one.council}/{one.connection}/{one.kind}" for one in rows], after=after, limit=limit
    )


@router.get("/handover", **needs(Right.SEE))
def sheet(plant: Seen, after: forms.After = "", limit: forms.Limit = 50) -> shapes.Page[list_shapes.UrgentShape]:
    """Urgent referrals that have not arrived, the oldest first: numbers and whom to ring, never a value."""
    rows = [
        list_shapes.UrgentShape(
            id=one.id, council=one.council, target=one.target, route=one.route, state=one.state,
            since=iso(one.since, zone_of(plant, one.council)) or "", due=iso(one.due, zone_of(plant, one.council)),
            reference=one.reference, referral=one.referral, numbers=dict(one.numbers), words=one.words,
            mender=one.mender.name if one.mender is not None else "",
        )
        for one in handover.urgent(plant)
    ]  # fmt: skip
    return shapes.page(rows, [row.id for row in rows], after=after, limit=limit)
