"""Both changed: fields that two systems changed at once, side by side, until a person has looked."""

from __future__ import annotations

from starlette.responses import Response

from console.web.asked import Asked
from console.web.doors import Doors
from pipelines import conflict_values, desk, lists, masking
from pipelines.rights import Right

doors = Doors("conflict", menu=55)
_A_PAGE = 25


@doors.get("/conflict", Right.SEE)
def every(asked: Asked) -> Response:
    """The conflicts that wait for a person."""
    return _page(asked)


@doors.post("/conflict/{id:int}/seen", Right.SEND)
def seen(asked: Asked) -> Response:
    """A person has looked at it, and what stands stays."""
    id, why = int(asked.path("id")), asked.reason()
    if asked.faults:
        return _page(asked, status=422)
    desk.settle_conflict(asked.plant, id, who=asked.officer.who, why=why)
    return _page(asked, said=f"c{id}")


@doors.post("/conflict/{id:int}/values", Right.UNMASK)
def values(asked: Asked) -> Response:
    """Both values, for a case-reader who says why."""
    id, why = int(asked.path("id")), asked.reason()
    if asked.faults:
        return _page(asked, status=422)
    found = conflict_values.both(asked.plant, id, why=why)
    stands, lost = (masking.shown(found.field, one, reveal=True) for one in (found.stands, found.lost))
    return _page(asked, shown=(id, stands, lost, found.gone))


def _page(
    asked: Asked, *, status: int = 200, said: str = "", shown: tuple[int, str, str, bool] | None = None
) -> Response:
    rows, more = lists.newest_of(lists.conflicts(asked.plant, after=asked.place("after"), limit=_A_PAGE + 1), _A_PAGE)
    return asked.page("conflicts.html", status=status, conflicts=rows, said=said, shown=shown,
                      more=f"/conflict?after={rows[-1].id}" if more else "")  # fmt: skip
