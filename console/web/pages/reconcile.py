"""Reconcile: the two ends of each route, compared by reading both; the proof that nothing was lost. Ask
the running site for a comparison."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from console.web.asked import Asked, NoSuchThing
from console.web.doors import Doors
from pipelines import comparing_asked, lists, proofs
from pipelines.rights import Right

doors = Doors("reconcile", menu=80)
_A_PAGE, _MOST_LINES = 20, 100


@doors.get("/reconcile", Right.SEE)
def every(asked: Asked) -> Response:
    """The newest comparisons, and what is going on."""
    return _page(asked)


@doors.post("/reconcile/compare", Right.CONTROL)
def compare(asked: Asked) -> Response:
    """Have the running site compare the two ends of one route now."""
    council, _, route = asked.typed("route").partition(".")
    if not route:
        asked.faults["route"] = "reconcile.route_missing"
        return _page(asked, status=422)
    return _page(asked, words=comparing_asked.ask(asked.plant, council, route, who=asked.officer.who))


@doors.get("/reconcile/{id:int}", Right.SEE)
def one(asked: Asked) -> Response:
    """One comparison: what it counted, and each thing that it found."""
    row = lists.comparison(asked.plant, int(asked.path("id")))
    if row is None:
        raise NoSuchThing
    lines = lists.lines_of(asked.plant, row)
    found = {name: _lines(some) for name, some in lines.items() if some and name != "doubt"}
    return asked.page("comparison.html", row=row, found=found, doubt=row.findings.get("doubt", ""))


def _page(asked: Asked, *, status: int = 200, words: str = "") -> Response:
    rows, more = lists.newest_of(
        lists.comparisons(asked.plant, before=asked.place("before") or None, limit=_A_PAGE + 1), _A_PAGE
    )
    return asked.page(
        "reconcile.html",
        status=status,
        rows=rows,
        more=f"/reconcile?before={rows[-1].id}" if more else "",
        in_hand=comparing_asked.in_hand(asked.plant),
        routes=[
            (f"{code}.{route.name}", f"{asked.council_name(code)}: {route.name}")
            for code, council in sorted(asked.plant.councils.items())
            if asked.may(Right.CONTROL, code)
            for route in proofs.comparable(council)
        ],
        words=words,
    )


def _lines(lines: Any) -> list[list[tuple[str, str]]]:
    """Each line of a finding as (what, value) of what it tells."""
    told = lines[:_MOST_LINES] if isinstance(lines, list) else [lines]
    lines_of = [line if isinstance(line, dict) else {"": line} for line in told]
    return [[(name, _value(value)) for name, value in line.items() if value] for line in lines_of]


def _value(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
