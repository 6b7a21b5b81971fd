"""Alerts: what is amiss now; take one on; try whom an alert of a council would reach."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path

from console.api import forms, list_shapes, shapes
from console.api.caller import Seen, name, needs
from console.show import iso
from console.site import zone_of
from pipelines import alert_post, alert_words, alerting
from pipelines.plant import Plant
from pipelines.rights import Right
from pipelines.sight import NoSuch

router = APIRouter(tags=["alerts"])

AlertId = Annotated[str, Path(pattern=r"^a[0-9]{1,18}$", description="An alert.", examples=["a3"])]


@router.get("/alerts", **needs(Right.SEE))
def amiss(plant: Seen, after: forms.After = "", limit: forms.Limit = 50) -> shapes.Page[list_shapes.AlertShape]:
    """What is amiss now with the site and the caller's councils, the most urgent and oldest first."""
    rows = [_shape(plant, row) for row in alerting.open_alerts(plant)]
    return shapes.page(rows, [row.id for row in rows], after=after, limit=limit)


@router.post("/alerts/{id}/answer", **needs(Right.CONTROL))
def answer(plant: Seen, id: AlertId, form: forms.Reason) -> shapes.Said:
    """Say that somebody has taken it on: the duty contact is not told again of what is there now."""
    return shapes.Said(done=alerting.answer(plant, id, who=name(plant), why=form.why))


@router.post("/alerts/test/{council}", **needs(Right.CONTROL))
def test(plant: Seen, council: forms.CouncilCode) -> list_shapes.Tried:
    """Tell everybody whom alerts of a council go to that this is a test, and say who could not be reached."""
    if council not in plant.councils:
        raise NoSuch("there is no council of that code that you may see")
    plant.sight.need(Right.CONTROL, council)
    assert plant.alerts is not None  # the composition root gives every plant its rules
    return list_shapes.Tried(ways=alert_post.test(plant, plant.alerts, plant.alerts.of(council), who=name(plant)))


def _shape(plant: Plant, row: Any) -> list_shapes.AlertShape:
    assert plant.alerts is not None
    entry, told = alert_post.entry(row, "opened", row.name), plant.alerts.of(row.council)
    zone = zone_of(plant, row.council) if row.council else None
    return list_shapes.AlertShape(
        id=f"a{row.id}", kind=row.kind, council=row.council, connection=row.connection, route=row.route,
        cause=row.cause, urgent=bool(row.urgent), count=row.count, since=_time(row.since, zone),
        opened=_time(row.opened, zone), answered=iso(row.answered, zone) if zone else iso(row.answered),
        answered_by=row.answered_by, en=alert_words.sentence(entry, told, "en"),
        cy=alert_words.sentence(entry, told, "cy"), remedy_en=alert_words.REMEDY[row.kind]["en"],
        remedy_cy=alert_words.REMEDY[row.kind]["cy"],
    )  # fmt: skip


def _time(at: int, zone: Any) -> str:
    return (iso(at, zone) if zone else iso(at)) or ""
