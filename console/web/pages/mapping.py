"""Mappings: what each says, row by row; what it loses; the codes that wait, and letting go what waits for one."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from config.editing import CannotChange
from config.findings import SiteFaults
from console.web.asked import Asked, NoSuchThing
from console.web.doors import Doors
from mappings.codes import CodeFaults, CodeRow
from pipelines import code_desk, counted, explained, releasing, unmapped
from pipelines.looking import NotPossible
from pipelines.rights import Right

doors = Doors("mapping", menu=60)
_A_PAGE, _MOST_LOSSES = 10, 300


@doors.get("/mappings", Right.SEE)
def every(asked: Asked) -> Response:
    """Every mapping, and the code lists for which something waits."""
    kinds = [
        (council.code, wired.name, kind)
        for council in asked.plant.councils.values()
        for wired in council.wired.values()
        for kind in wired.kinds.values()
    ]
    waiting = [one for one in counted.causes(asked.plant, asked.councils) if one.code_list]
    return asked.page("mappings.html", kinds=kinds, waiting=waiting)


@doors.get("/mappings/{system}/{record}", Right.SEE, slow=True)
def one(asked: Asked) -> Response:
    """One mapping: each row with the file and line that it comes from, and what is lost."""
    name = f"{asked.path('system')}/{asked.path('record')}"
    ours = {kind.mapping_name for council in asked.plant.councils.values() for wired in council.wired.values()
            for kind in wired.kinds.values()}  # fmt: skip
    if name not in ours:
        raise NoSuchThing
    shown = explained.explained(asked.plant, name)
    return asked.page("mapping.html", name=name, rows=shown.rows, lost=shown.lost[:_MOST_LOSSES],
                      number=len(shown.lost))  # fmt: skip


@doors.get("/codes", Right.SEE, slow=True)
def codes(asked: Asked) -> Response:
    """The codes that wait, read from the records that hold them."""
    return _codes(asked)


@doors.post("/codes/map", Right.CODES, slow=True)
def map_code(asked: Asked) -> Response:
    """Say what a code means, and have what waits for it let go on, by the running site: a task for each council."""
    name, theirs, ours, why = asked.typed("list"), asked.typed("theirs"), asked.typed("ours"), asked.reason()
    if not name or not theirs or not ours:
        asked.faults["ours"] = "mapping.ours_missing"
    if asked.faults:
        return _codes(asked, status=422)
    direction = "both" if asked.typed("direction") == "both" else "read"
    row = CodeRow(0, theirs, ours, direction, asked.typed("cy"), asked.typed("en"), None, None, "")
    who = asked.officer.who
    try:
        file = code_desk.map_code(asked.plant, name, row, who=who, why=why)
        made = releasing.ask(asked.plant, name, asked.councils, who=who, why=why)
    except (CodeFaults, SiteFaults, CannotChange) as fault:
        raise NotPossible(str(fault)) from None
    return _codes(asked, tasks=made, file=file)


def _codes(asked: Asked, *, status: int = 200, tasks: Sequence[int] = (), file: str = "") -> Response:
    piles, begin = unmapped.piles(asked.plant, asked.councils), asked.place("from")
    waiting = unmapped.opened(asked.plant, piles[begin : begin + _A_PAGE], most=_A_PAGE)
    more = f"/codes?from={begin + _A_PAGE}" if len(piles) > begin + _A_PAGE else ""
    return asked.page("codes.html", status=status, waiting=waiting, number=len(piles), more=more, tasks=tasks,
                      file=file)  # fmt: skip
