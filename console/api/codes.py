"""Code lists: what waits for a code, what a code means, and letting go on what waited."""

from __future__ import annotations

import dataclasses

from fastapi import APIRouter

from console.api import forms, shapes
from console.api.caller import Seen, mine, name, needs
from console.show import iso
from console.site import zone_of
from mappings.codes import CodeRow
from pipelines import code_desk, releasing, unmapped
from pipelines.plant import Plant
from pipelines.rights import Right
from pipelines.sight import NotPossible

router = APIRouter(tags=["codes"])


@router.get("/codes/unmapped", **needs(Right.SEE))
def waiting(plant: Seen, after: forms.After = "", limit: forms.Limit = 50) -> shapes.Page[shapes.Unmapped]:
    """Codes that nobody has mapped, those that stop most referrals first."""
    found = unmapped.unmapped(plant)
    rows = [
        shapes.Unmapped(**dataclasses.asdict(one) | {"since": iso(one.since, zone_of(plant, one.council))})
        for one in found
    ]
    return shapes.page(rows, [str(number) for number in range(len(rows))], after=after, limit=limit)


@router.post("/codes/{code_list}/map", status_code=202, **needs(Right.CODES))
def map_code(plant: Seen, code_list: forms.ListName, form: forms.Row) -> shapes.Released:
    """Say what a code means, in the site's own file, and have what waited for it let go on by the running site."""
    plant = mine(plant, Right.CODES)
    theirs, ours = " ".join(form.theirs.split()), " ".join(form.ours.split())
    row = CodeRow(0, theirs, ours, form.direction, form.cy, form.en, None, None, form.owner)
    try:
        file = code_desk.map_code(plant, code_list, row, who=name(plant), why=form.why)
    except ValueError as fault:
        raise NotPossible(str(fault)) from None
    return _released(plant, code_list, form.why, file)


@router.post("/codes/{code_list}/release", status_code=202, **needs(Right.CODES))
def release(plant: Seen, code_list: forms.ListName, form: forms.Reason) -> shapes.Released:
    """Have what waited for codes of a list that have their rows by now let go on by the running site: a task for each
    council, to be watched."""
    return _released(mine(plant, Right.CODES), code_list, form.why, "")


def _released(plant: Plant, code_list: str, why: str, file: str) -> shapes.Released:
    made = releasing.ask(plant, code_list, who=name(plant), why=why)
    return shapes.Released(file=file, tasks=[f"t{id}" for id in made])
