"""Looks before sending: what it would do, with which mapping, and how many people it would text. Nothing is sent."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from console.api import forms, shapes, where_shapes
from console.api.caller import Seen, name, needs
from console.desk_view import preview_plain
from console.looked import look_at, looked
from pipelines import counted, sheets, showing, would_text
from pipelines.plant import Plant
from pipelines.rights import Right
from pipelines.sight import NoSuch

router = APIRouter(tags=["looking"])

#: So many are looked at in one call, and no new look is begun after so many seconds.
_LOOKS, _LOOK_SECONDS = 5, 8.0
With = Annotated[
    Literal["current", "original"],
    Query(description="Today's mapping, or what it was mapped with: that is for who tends mappings."),
]


@router.get("/items/{id}/preview", **needs(Right.SEE))
def previewed(plant: Seen, id: forms.ItemId, mapping: With = "current") -> where_shapes.LookShape:
    """What sending it now would do: create, update, nothing, refuse; and how many people it would text. Paths and no
    values; the target is only read."""
    if mapping != "current":
        plant.sight.need(Right.MAPPINGS, showing.show(plant, id).council)
    return where_shapes.LookShape(**preview_plain(looked(plant, id, mapping)), texted=_texted(plant, [id]))


@router.post("/attention/{cause}/preview", **needs(Right.SEE))
def group(plant: Seen, cause: forms.Fingerprint, form: forms.Some) -> where_shapes.GroupLook:
    """What sending some of a cause, or all of it, would do: a look at the first, and the people whom all would text."""
    found = counted.causes(plant, sorted(plant.councils), fingerprint=cause)
    if not found:
        raise NoSuch("nothing needs attention because of that cause")
    if form.ids:
        ids = [id for id in dict.fromkeys(form.ids) if counted.has(plant, found[0], id)]
    else:  # the first of all stand for the rest
        ids = [one.id for one in counted.cases(plant, found[0], limit=would_text.MOST_LOOKED_AT)[0]]
    begun, looks = time.monotonic(), list[where_shapes.OneLook]()
    for id in ids[:_LOOKS]:
        if time.monotonic() - begun > _LOOK_SECONDS:
            break
        one = look_at(plant, id)
        shown = shapes.PreviewShape(**preview_plain(one.preview)) if one.preview else None
        looks.append(where_shapes.OneLook(id=id, preview=shown, unknown=one.unknown))
    count = len(ids) if form.ids else found[0].count
    return where_shapes.GroupLook(count=count, texted=_texted(plant, ids), looks=looks)


@router.post("/items/{id}/sheet", **needs(Right.UNMASK))
def sheet(plant: Seen, id: forms.ItemId, form: forms.Sheet) -> where_shapes.SheetShape:
    """The page from which somebody types a referral in by hand. It shows a person: the audit keeps who asked."""
    html = sheets.sheet(plant, id, language=form.language, who=name(plant), why=form.why)
    return where_shapes.SheetShape(html=html)


def _texted(plant: Plant, ids: Sequence[str]) -> where_shapes.TextedShape:
    return where_shapes.TextedShape(**dataclasses.asdict(would_text.would_be_texted(plant, ids)))
