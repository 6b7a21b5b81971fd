"""The outcomes for programs: how soon people hear, in which language, and what that spares them; few never shown."""

from __future__ import annotations

import dataclasses
from typing import Annotated

from fastapi import APIRouter, Query

from console.api import forms, shapes, site_shapes
from console.api.caller import Seen, needs
from console.show import iso
from console.site import zone_of
from pipelines import figures, figures_as
from pipelines.clock import SECOND
from pipelines.plant import Plant
from pipelines.rights import Right

router = APIRouter(tags=["lists"])

Days = Annotated[int, Query(ge=1, le=3660, description="Of so many days until now.")]


@router.get("/outcomes", **needs(Right.SEE))
def outcomes(
    plant: Seen, days: Days = 90, after: forms.After = "", limit: forms.Limit = 50
) -> shapes.Page[site_shapes.OutcomesShape]:
    """The figures of each council, in which nobody is named and few are never shown."""
    codes = sorted(plant.councils)
    page = shapes.page(codes, codes, after=after, limit=limit)
    return shapes.Page(items=[_shape(plant, code, days) for code in page.items], next=page.next)


def _shape(plant: Plant, code: str, days: int) -> site_shapes.OutcomesShape:
    until = plant.clock.now() + 1
    found = figures.figures(plant, code, since=until - days * 86_400 * SECOND, until=until)
    assumed = site_shapes.Assumed(
        patience_days=found.assumed.patience.total_seconds() / 86_400, ring_rate=found.assumed.ring_rate
    )
    zone = zone_of(plant, code)
    told = {"since": iso(found.since, zone), "until": iso(found.until, zone), "assumed": assumed,
            "en": figures_as.method(found, "en"), "cy": figures_as.method(found, "cy")}  # fmt: skip
    return site_shapes.OutcomesShape(**dataclasses.asdict(found) | told)
