"""Where is it? By any reference, or by source and hour. By POST: a number may be a person's."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from fastapi import APIRouter

from console import where_words
from console.api import forms, shapes, where_shapes
from console.api.caller import Seen, needs
from console.show import iso
from console.site import zone_of
from pipelines import by_hour, control, where
from pipelines.clock import to_time
from pipelines.plant import Plant
from pipelines.rights import Right
from pipelines.sight import NoSuch
from pipelines.where import Place, Whereabouts

router = APIRouter(tags=["looking"])


@router.post("/where", **needs(Right.SEE))
def look(plant: Seen, form: forms.Find) -> where_shapes.WhereFound:
    """Where something is, by our id, the resident's reference, d12, v7 or its number in any system."""
    return _told(plant, where.where(plant, form.reference))


@router.post("/where/when", **needs(Right.SEE))
def when(plant: Seen, form: forms.When) -> where_shapes.WhereFound:
    """Where everything is that a source showed in one hour of one day, of a team if one is named."""
    if form.council not in plant.councils:
        raise NoSuch("there is no council of that code that you may see")
    wired = control.one_connection(plant, form.connection, form.council)
    zone = ZoneInfo(zone_of(plant, form.council))
    begins = to_time(datetime(form.day.year, form.day.month, form.day.day, form.hour, tzinfo=zone))
    ids, more = by_hour.shown_in(plant, form.council, wired.name, begins, form.team)
    return _told(plant, where.of_referrals(plant, ids), more=more)


def _told(plant: Plant, found: Sequence[Whereabouts], *, more: bool = False) -> where_shapes.WhereFound:
    return where_shapes.WhereFound(found=[_shape(plant, one) for one in found], more=more)


def _shape(plant: Plant, one: Whereabouts) -> where_shapes.WhereShape:
    now, zone = plant.clock.now(), zone_of(plant, one.council)
    return where_shapes.WhereShape(
        known=one.known.value, council=one.council, referral=one.referral, reference=one.reference, status=one.status,
        restricted=one.restricted, shown_by=one.shown_by, numbers=dict(one.numbers),
        places=[_place(place, zone) for place in one.places],
        sources=[
            shapes.LastRead(council=at.council, connection=at.connection, kind=at.kind,
                            completed=iso(at.read, zone_of(plant, at.council)))
            for at in one.sources
        ],
        en=where_words.sentences(one, now=now, zone=zone, language="en"),
        cy=where_words.sentences(one, now=now, zone=zone, language="cy"),
    )  # fmt: skip


def _place(place: Place, zone: str) -> where_shapes.PlaceShape:
    told = {field.name: getattr(place, field.name) for field in dataclasses.fields(place) if field.name != "mender"}
    told |= {"stands": place.stands.value, "waits": place.waits.value if place.waits else None,
             "since": iso(place.since, zone), "due": iso(place.due, zone),
             "who": where_words.whom(place.mender) if place.mender else ""}  # fmt: skip
    return where_shapes.PlaceShape(**told)
