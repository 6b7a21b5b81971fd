"""Lists that officers page through: the audit, the timetable and its runs, comparisons, the hand-over sheet."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from console.api import forms, list_shapes, shapes, site_shapes
from console.api.caller import Seen, needs
from console.show import iso
from console.site import zone_of
from pipelines import audit, handover, lists
from pipelines.plant import Plant
from pipelines.rights import Right
from pipelines.sight import NoSuch

router = APIRouter(tags=["lists"])

Before = Annotated[str, Query(pattern=r"^([0-9]{1,18})?$", description="Older than this: `next` of the page before.")]
ComparisonId = Annotated[str, Path(pattern=r"^r[0-9]{1,18}$", description="A comparison.", examples=["r3"])]
_MOST_LINES = 200


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


@router.get("/schedule/runs", **needs(Right.SEE))
def runs(plant: Seen, after: Before = "", limit: forms.Limit = 50) -> shapes.Page[site_shapes.RunShape]:
    """The newest runs, planned and asked for."""
    found = lists.runs(plant, before=int(after) if after else None, limit=limit + 1)
    rows = [
        site_shapes.RunShape(
            council=one.council, connection=one.connection, kind=one.kind, purpose=one.purpose, records=one.records,
            words=one.words, asked=one.asked,
            **{name: iso(getattr(one, name), zone_of(plant, one.council)) for name in ("at", "begun", "done")},
        )
        for one in found[:limit]
    ]  # fmt: skip
    return shapes.Page(items=rows, next=str(found[limit - 1].at) if len(found) > limit else None)


@router.get("/comparisons", **needs(Right.SEE))
def comparisons(plant: Seen, after: Before = "", limit: forms.Limit = 50) -> shapes.Page[site_shapes.ComparisonShape]:
    """The newest comparisons of the two ends of routes. `GET /reconcile` has the newest of each route."""
    found = lists.comparisons(plant, before=int(after) if after else None, limit=limit + 1)
    rows = [site_shapes.ComparisonShape(**_comparison(plant, one)) for one in found[:limit]]
    return shapes.Page(items=rows, next=str(found[limit - 1].id) if len(found) > limit else None)


@router.get("/comparisons/{id}", **needs(Right.SEE))
def comparison(plant: Seen, id: ComparisonId) -> site_shapes.ComparedShape:
    """One comparison: what it counted, and the first of each kind of thing that it found."""
    row = lists.comparison(plant, int(id[1:]))
    if row is None:
        raise NoSuch("there is no comparison of that number that you may see")
    found = {
        kind: lines[:_MOST_LINES] if isinstance(lines, list) else lines
        for kind, lines in lists.lines_of(plant, row).items()
    }
    return site_shapes.ComparedShape(**_comparison(plant, row), found=found)


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


def _comparison(plant: Plant, one: Any) -> dict[str, Any]:
    zone = zone_of(plant, one.council)
    return {
        "id": f"r{one.id}", "council": one.council, "route": one.route, "at": iso(one.at, zone),
        "done": iso(one.done, zone), "agrees": one.agrees, "counts": one.counts, "words": one.words,
    }  # fmt: skip
