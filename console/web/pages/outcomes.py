"""The outcomes: how soon people hear, in which language, and what that spares them; nobody named, few never shown."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup
from starlette.responses import Response

from console.web.asked import Asked
from console.web.doors import Doors
from pipelines import figures, figures_as
from pipelines.clock import SECOND
from pipelines.rights import Right

doors = Doors("outcomes", menu=85)
_DAYS, _MOST_DAYS = 90, 3660


@doors.get("/outcomes", Right.SEE)
def page(asked: Asked) -> Response:
    """The figures of each council, as a table and as plots that need no script."""
    days = _days(asked)
    found = _figures(asked, days)
    at = 0 if asked.t.language == "cy" else 1
    shown = [
        (one, _rows(asked, one, at), _plots(asked, one), figures_as.method(one, asked.t.language)) for one in found
    ]
    return asked.page("outcomes.html", shown=shown, days=days, spans=(30, 90, 365))


@doors.get("/outcomes/csv", Right.SEE)
def for_a_spreadsheet(asked: Asked) -> Response:
    """The same figures as a file."""
    days = _days(asked)
    named = {"Content-Disposition": f'attachment; filename="dolen-outcomes-{days}-days.csv"'}
    # The mark at the beginning is by what Excel knows that Welsh letters follow.
    text = "\ufeff" + figures_as.as_csv(_figures(asked, days))
    return Response(text, media_type="text/csv; charset=utf-8", headers=named)


def _days(asked: Asked) -> int:
    return min(asked.place("days") or _DAYS, _MOST_DAYS)


def _figures(asked: Asked, days: int) -> list[figures.Figures]:
    until = asked.plant.clock.now() + 1
    since = until - days * 86_400 * SECOND
    return [figures.figures(asked.plant, code, since=since, until=until) for code in asked.councils]


def _rows(asked: Asked, one: figures.Figures, at: int) -> list[tuple[str, str, str]]:
    """Each figure: its name, of what, its value. None is said in words."""
    rows = []
    for name, words in figures_as.WORDS.items():
        value = getattr(one, name, ...)
        parts = value.items() if isinstance(value, Mapping) else [] if value is ... else [("", value)]
        rows += [(words[at], figures_as.named(of, at) if of else "", _said(asked, number, at)) for of, number in parts]
    return rows


def _said(asked: Asked, value: float | None, at: int) -> str:
    if value is None:
        return figures_as.WORDS["few"][at]
    return asked.t.number(value) if isinstance(value, int) else f"{value:.3g}"


def _plots(asked: Asked, one: figures.Figures) -> list[tuple[str, Markup]]:
    """Each plot of which there is something to draw: its name, and the drawing, in which every word is escaped."""
    drawn = [name for name in figures_as.plots() if getattr(one, name)]
    return [(name, Markup(figures_as.as_svg(one, name, asked.t.language))) for name in drawn]  # noqa: S704 - ours
