"""What the site's files say, to be read: settings line by line, and each mapping row by row with what it loses."""

from __future__ import annotations

import dataclasses
from typing import Annotated

from fastapi import APIRouter, Path, Query

from console import settings_files
from console.api import forms, shapes, site_shapes
from console.api.caller import Seen, mine, needs
from pipelines import explained
from pipelines.mapping_origin import Origin
from pipelines.rights import Right
from pipelines.sight import NoSuch

router = APIRouter(tags=["files"])

_MOST_FINDINGS, _MOST_LOSSES = 100, 300
NamedFile = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{0,60}$", description="`dolen`, or a council's code.")]
Words = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,80}$", description="As the list of mappings names.")]
Place = Annotated[str, Query(pattern=r"^([0-9]{1,6})?$", description="`next` of the page before.")]


@router.get("/settings", **needs(Right.ADMINISTER))
def settings(plant: Seen) -> site_shapes.Files:
    """The files of the site and of the caller's councils, and what is wrong with them. They are changed where they are
    kept."""
    plant = mine(plant, Right.ADMINISTER)
    found = settings_files.files(plant, sorted(plant.councils))
    return site_shapes.Files(
        files=[site_shapes.FileShape(name=one, path=settings_files.shown(plant, path)) for one, path in found.items()],
        findings=[str(one) for one in plant.findings][:_MOST_FINDINGS],
    )


@router.get("/settings/{file}", **needs(Right.ADMINISTER))
def file(
    plant: Seen, file: NamedFile, after: Place = "", limit: forms.Limit = 200
) -> shapes.Page[site_shapes.LineShape]:
    """One file, line by line. Secrets stand in none: a setting names where one is kept."""
    plant = mine(plant, Right.ADMINISTER)
    path = settings_files.files(plant, sorted(plant.councils)).get(file)
    if path is None:
        raise NoSuch("there is no file of that name that you may see")
    some, more = settings_files.lines(path, int(after or 0), limit)
    rows = [site_shapes.LineShape(line=number, text=text) for number, text in some]
    return shapes.Page(items=rows, next=None if more is None else str(more))


@router.get("/mappings", **needs(Right.SEE))
def mappings(plant: Seen, after: forms.After = "", limit: forms.Limit = 50) -> shapes.Page[site_shapes.KindShape]:
    """Which mapping carries each kind of record of each connection."""
    rows = [
        site_shapes.KindShape(council=code, connection=wired.name, kind=kind.name, mapping=kind.mapping_name)
        for code, council in sorted(plant.councils.items())
        for wired in council.wired.values()
        for kind in wired.kinds.values()
    ]
    return shapes.page(
        rows, [f"{one.council}/{one.connection}/{one.kind}" for one in rows], after=after, limit=limit
    )


@router.get("/mappings/{system}/{record}", **needs(Right.SEE))
def mapping(plant: Seen, system: Words, record: Words) -> site_shapes.MappingShape:
    """One mapping: each row with the file and line that it comes from, and what is lost."""
    name = f"{system}/{record}"
    if all(
        kind.mapping_name != name
        for council in plant.councils.values()
        for wired in council.wired.values()
        for kind in wired.kinds.values()
    ):
        raise NoSuch("there is no mapping of that name that you may see")
    shown = explained.explained(plant, name)
    lost = [
        site_shapes.LossShape(
            way=one.way, sort=one.sort, ours=one.ours, theirs=one.theirs, what=one.what,
            sensitivity=one.sensitivity.value,
        )
        for one in shown.lost[:_MOST_LOSSES]
    ]  # fmt: skip
    return site_shapes.MappingShape(
        name=name, rows=[_row(one) for one in shown.rows], lost=lost, losses=len(shown.lost)
    )


def _row(one: Origin) -> site_shapes.RowShape:
    return site_shapes.RowShape(
        ours=one.ours, theirs=one.theirs, direction=one.direction, lossy=one.lossy, file=one.file, line=one.line,
        keys=[site_shapes.KeyShape(**dataclasses.asdict(at)) for at in one.keys],
        each=[_row(part) for part in one.each],
    )  # fmt: skip
