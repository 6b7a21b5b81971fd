"""What officers do on pages that stand apart from the story of one cause: what each act leaves behind."""

from __future__ import annotations

from pipelines.rights import Role
from tests.web.desk import Desk, as_role, everybody, said


def test_an_alert_is_taken_on_once_and_the_audit_says_by_whom(desk: Desk) -> None:
    browser = desk.browser()
    html = browser.get("/alerts")
    assert "Not answered" in said(html) and f'href="/attention/{desk.bench.row("alert", id=1).cause}"' in html
    assert "Say which alert you take on" in said(browser.post("/alerts/answer", 422, why=""))
    assert "a1 is answered by Ann Officer" in said(browser.post("/alerts/answer", alert="a1", why="I ring them"))
    assert "is answered already" in said(browser.post("/alerts/answer", 409, alert="a1", why="I ring them"))
    assert desk.bench.row("alert", id=1).answered_by == "Ann Officer"
    assert [row.action for row in desk.bench.rows("audit", subject="a1")] == ["answer alert"]


def test_an_alert_of_another_council_is_not_there_and_a_viewer_only_reads(desk: Desk) -> None:
    desk.holds(everybody("blaenau-gwent"))
    html = desk.browser().get("/alerts")
    assert 'id="a1"' not in html and 'id="a2"' in html
    desk.holds(as_role(Role.VIEWER))
    html = desk.browser().get("/alerts")
    assert 'id="a1"' in html and "/alerts/answer" not in html and "/alerts/test" not in html


def test_the_test_of_alerts_says_that_nobody_is_named(desk: Desk) -> None:
    browser = desk.browser()
    browser.get("/alerts")
    assert "Nobody is named whom an alert could reach" in said(browser.post("/alerts/test", council="torfaen"))
    assert [row.subject for row in desk.bench.rows("audit", action="test alerts")] == ["torfaen"]
