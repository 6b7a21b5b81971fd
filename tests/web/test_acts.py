"""What officers do on pages that stand apart from the story of one cause: what each act leaves behind."""

from __future__ import annotations

import re

from sqlalchemy import insert

from pipelines import comparing_asked, proofs, sessions
from pipelines.report import Report
from pipelines.rights import Role
from pipelines.tables import conflict, reconciliation
from tests.web.desk import ANN, LIMITS, Desk, as_role, everybody, said
from tests.web.visits import torn


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


def test_a_restricted_referral_is_opened_in_an_emergency_and_reviewed_by_another_officer(desk: Desk) -> None:
    browser, hidden = desk.browser(), desk.bench.row("record", external_id="C-9").referral_id
    browser.get(f"/referral/{hidden}", 404)
    browser.get("/glass")
    assert "Say which referral" in said(browser.post("/glass/take", 422, reference="", why="x"))
    told = said(browser.post("/glass/take", reference="C-9", why="a child is in danger"))
    assert "Data protection is going to review why" in told
    browser.get(f"/referral/{hidden}")
    assert f'href="/referral/{hidden}"' in browser.get("/glass")
    mine = desk.bench.rows("sight_grant", whom="name ann@example.org")[-1].id
    assert f'href="/sight/g{mine}"' in browser.get("/sight")
    assert "a child is in danger" in said(browser.get(f"/sight/g{mine}"))
    assert "cannot review what you opened yourself" in said(
        browser.post(f"/sight/g{mine}/review", 403, why="it was right")
    )
    browser.get("/sight/g1")
    assert "g1 is reviewed" in said(browser.post("/sight/g1/review", why="it was right"))
    assert "is over" in said(browser.post(f"/sight/g{mine}/end", why="it is done"))
    browser.get(f"/referral/{hidden}", 404)


def test_data_protection_gives_sight_to_a_named_officer_for_some_days(desk: Desk) -> None:
    browser = desk.browser()
    browser.get("/sight")
    form = {"reference": "C-9", "whom": "bob@example.org", "days": "3", "why": "his caseworker"}
    for field, wrong in (("days", "0"), ("days", "91"), ("days", "soon"), ("whom", ""), ("reference", "")):
        assert f'href="#{field}"' in browser.post("/sight/give", 422, **{**form, field: wrong})
    assert "cannot give yourself" in said(browser.post("/sight/give", 403, **{**form, "whom": "ann@example.org"}))
    browser.get("/sight")
    assert "is given" in said(browser.post("/sight/give", **form))
    made = desk.bench.rows("sight_grant")[-1]
    assert (made.whom, made.how, made.until - made.at) == ("name bob@example.org", "given", 3 * 86_400_000_000)


def test_of_several_candidates_an_officer_chooses_one_by_its_numbers(desk: Desk) -> None:
    browser, id = desk.browser(), torn(desk.bench, 32)
    chosen = desk.bench.row("record", external_id="772").referral_id
    html = browser.get(f"/whose/{id}")
    assert f'value="of-{chosen}"' in html and "casework 772" in said(html) and 'value="same"' not in html
    assert "9990000026" not in html
    assert "Say whose it is" in said(browser.post(f"/whose/{id}/decide", 422, whose="of-", why="x y z"))
    stranger = desk.bench.row("record", external_id="C-1").referral_id
    told = said(browser.post(f"/whose/{id}/decide", 409, whose=f"of-{stranger}", why="the team says so"))
    assert "names no such referral" in told
    browser.get(f"/whose/{id}")
    told = said(browser.post(f"/whose/{id}/decide", whose=f"of-{chosen}", why="the team says so"))
    assert "of the referral that was chosen" in told and "It is decided" in told
    assert desk.bench.row("record", external_id="C-32").referral_id == chosen


def test_a_comparison_is_asked_for_once_and_made_by_the_running_site(desk: Desk) -> None:
    browser, route = desk.browser(), {"route": "neath-port-talbot.contact-to-casework"}
    browser.get("/reconcile")
    assert "Say which route" in said(browser.post("/reconcile/compare", 422))
    told = said(browser.post("/reconcile/compare", **route))
    assert "look again in a while" in told and "it waits for the running site" in told
    assert "is being compared already" in said(browser.post("/reconcile/compare", 409, **route))
    one = comparing_asked.next_one(desk.bench.plant)
    assert one is not None and one.council == "neath-port-talbot" and proofs.claim(desk.bench.plant, one, "boot/1")
    assert "it is being compared" in said(browser.get("/reconcile"))
    report = Report(one.council, one.route, "contact", "casework")
    assert proofs.finish(desk.bench.plant, one, "boot/1", report)
    told = said(browser.get("/reconcile"))
    assert "Going on now" not in told and f"{one.route} agrees" in told
    assert [row.who for row in desk.bench.rows("audit", action="compare")] == ["Ann Officer"]


def test_the_lines_of_a_restricted_referral_are_kept_from_who_may_not_see_it(desk: Desk) -> None:
    hidden = desk.bench.row("record", external_id="C-9").referral_id
    other = desk.bench.row("record", external_id="C-1").referral_id
    lines = [{"referral": hidden, "source": "C-9"}, {"referral": other, "source": "C-1"}]
    with desk.bench.writing() as connection:
        made = connection.execute(insert(reconciliation).values(
            council="torfaen", route="contact-to-casework", at=5, begun=5, done=6, agrees=False, counts={},
            findings={"missing": lines},
        )).inserted_primary_key  # fmt: skip
    html = said(desk.browser().get(f"/reconcile/{made[0]}"))
    assert "source: C-1" in html and "C-9" not in html and hidden not in html


def test_one_sees_where_one_is_signed_in_and_ends_it_elsewhere(desk: Desk) -> None:
    elsewhere, browser = sessions.open_session(desk.bench.plant, ANN, LIMITS, how="link"), desk.browser()
    html = browser.get("/sessions")
    (id,) = re.findall(r'name="id" value="(s[0-9a-f]+)"', html)
    assert "This one: sign out ends it" in said(html) and elsewhere not in html
    assert "Nobody else is signed in" in said(html)
    browser.post("/sessions/end", 404, id="s00")
    browser.get("/sessions")
    assert "has to sign in again" in said(browser.post("/sessions/end", id=id))
    assert sessions.officer_of(desk.bench.plant, elsewhere, LIMITS) is None
    more = [sessions.open_session(desk.bench.plant, ANN, LIMITS, how="link") for _ in range(2)]
    browser.get("/sessions")
    browser.post("/sessions/others")
    assert [sessions.officer_of(desk.bench.plant, one, LIMITS) for one in more] == [None, None]
    browser.get("/sessions")


def test_both_values_of_a_conflict_are_shown_to_who_says_why(desk: Desk) -> None:
    bench = desk.bench
    bench.take(bench.request("K-1", customer__last_name="Cyntaf"))
    bench.take(bench.request("K-1", minute=3, customer__last_name="Olaf"))
    first = bench.rows("version", external_id="K-1")[0]
    with bench.writing() as connection:
        connection.execute(insert(conflict).values(
            council="torfaen", referral_id=first.referral_id, field="person.name.family", winner="casework",
            loser="contact", lost="k", version_id=first.id, revision=1, why="safeguarding", open=True, at=1,
        ))  # fmt: skip
    made, browser = bench.rows("conflict", open=True)[-1], desk.browser()
    html = browser.get("/conflict")
    assert "Cyntaf" not in html and "Olaf" not in html
    address = f"/conflict/{made.id}/values"
    assert "Say why" in said(browser.post(address, 422, why=""))
    told = said(browser.post(address, why="the team asks which is right"))
    assert "What it says stands. Olaf" in told and "It said something else. Cyntaf" in told
    assert bench.rows("audit", action="unmask")[-1].subject.startswith(f"conflict c{made.id} ")
    desk.holds(as_role(Role.OPERATOR))
    assert "Show both values" not in said(browser.get("/conflict"))
    browser.post(address, 403, why="the team asks which is right")
