"""Alerts: what is amiss now and who has taken it on; take one on; try whom an alert would reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from console.web.asked import Asked
from console.web.doors import Doors
from pipelines import alert_post, alert_words, alerting
from pipelines.rights import Right

if TYPE_CHECKING:
    from pipelines.alert_rules import AlertRules

doors = Doors("alerts", menu=31)
_A_PAGE = 50


@doors.get("/alerts", Right.SEE)
def every(asked: Asked) -> Response:
    """What is amiss now, the most urgent and oldest first."""
    return _page(asked)


@doors.post("/alerts/answer", Right.CONTROL)
def answer(asked: Asked) -> Response:
    """Say that somebody has taken it on, so that the duty contact is not told again of what is there now."""
    why, id = asked.reason(), asked.typed("alert")
    if not id:
        asked.faults["alert"] = "alerts.alert_missing"
    if asked.faults:
        return _page(asked, status=422)
    return _page(asked, words=alerting.answer(asked.plant, id, who=asked.officer.who, why=why))


@doors.post("/alerts/test", Right.CONTROL, slow=True)
def test(asked: Asked) -> Response:
    """Tell everybody of one council that this is a test, and show who could not be reached."""
    council = asked.typed("council")
    asked.must(council)
    rules = _rules(asked)
    return _page(asked, tried=alert_post.test(asked.plant, rules, rules.of(council), who=asked.officer.who))


def _rules(asked: Asked) -> AlertRules:
    assert asked.plant.alerts is not None  # the composition root gives every plant its rules
    return asked.plant.alerts


def _page(asked: Asked, *, status: int = 200, **values: Any) -> Response:
    rules, language = _rules(asked), asked.t.language
    rows = alerting.open_alerts(asked.plant)
    shown = []
    for row in rows[:_A_PAGE]:
        entry = alert_post.entry(row, "opened", row.name)
        said = alert_words.sentence(entry, rules.of(row.council), language)
        shown.append((row, said, alert_words.REMEDY[row.kind][language], alert_words.page(entry)))
    ids = {row.id for row in rows}
    return asked.page(
        "alerts.html",
        status=status,
        alerts=shown,
        more=len(rows) - len(shown),
        untold=[row for row in alerting.untold(asked.plant) if row.alert_id in ids],
        answerable=[(f"a{row.id}", said) for row, said, *_ in shown if row.answered is None and _may(asked, row)],
        councils=[code for code in asked.councils if asked.may(Right.CONTROL, code)],
        **{"words": "", "tried": None, **values},
    )


def _may(asked: Asked, row: Any) -> bool:
    """What concerns the site may be answered by whoever may act for one of its councils."""
    return any(asked.may(Right.CONTROL, code) for code in ([row.council] if row.council else asked.councils))
