"""Reconcile: the two ends of each route, compared by reading both; the proof that nothing was lost."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from console.web.asked import Asked, NoSuchThing
from console.web.doors import Doors
from pipelines import lists
from pipelines.rights import Right

doors = Doors("reconcile", menu=80)
_A_PAGE, _MOST_LINES = 20, 100


@doors.get("/reconcile", Right.SEE)
def every(asked: Asked) -> Response:
    """The newest comparisons."""
    rows, more = lists.newest_of(
        lists.comparisons(asked.plant, before=asked.place("before") or None, limit=_A_PAGE + 1), _A_PAGE
    )
    return asked.page("reconcile.html", rows=rows, more=f"/reconcile?before={rows[-1].id}" if more else "")


@doors.get("/reconcile/{id:int}", Right.SEE)
def one(asked: Asked) -> Response:
    """One comparison: what it counted, and each thing that it found."""
    row = lists.comparison(asked.plant, int(asked.path("id")))
    if row is None:
        raise NoSuchThing
    found = {name: _lines(lines) for name, lines in row.findings.items() if lines and name != "doubt"}
    return asked.page("comparison.html", row=row, found=found, doubt=row.findings.get("doubt", ""))


def _lines(lines: Any) -> list[str]:
    if not isinstance(lines, list):
        return [str(lines)]
    return [
        ", ".join(f"{name}: {value}" for name, value in line.items()) if isinstance(line, dict) else str(line)
        for line in lines[:_MOST_LINES]
    ]
