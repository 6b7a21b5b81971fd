"""The front page: any reference, one sentence, and nothing of a person in an address."""

from __future__ import annotations

from pipelines import processes
from pipelines.lock import only_one
from pipelines.processes import Presence
from tests.web.desk import Desk, said


def look(desk: Desk, reference: str, language: str = "en", status: int = 200) -> str:
    browser = desk.browser(language)
    browser.get("/")
    return said(browser.post("/where", status, reference=reference))


def test_what_arrived_is_told_with_its_number(desk: Desk) -> None:
    for reference in ("C-1", "881", desk.bench.rows("referral")[0].citizen_reference.lower()):
        assert "It arrived in casework as 881" in look(desk, reference)
    assert "Mae wedi cyrraedd casework fel 881" in look(desk, "C-1", "cy")


def test_what_waits_and_what_needs_attention_is_told_with_who_can_mend_it(desk: Desk) -> None:
    assert "It waits for casework" in look(desk, "C-2")
    kept = look(desk, "C-3")
    assert "It needs attention" in kept and "01632 960102" in kept and "Mon-Fri 8.30-17.00" in kept
    assert "could not be taken in" in look(desk, "C-4")
    assert "did not answer" in look(desk, "C-6")


def test_what_was_never_shown_is_told_with_when_each_source_was_read(desk: Desk) -> None:
    words = look(desk, "nothing-of-the-kind")
    assert "never shown to us" in words and "Torfaen: contact" in words and "Last read" in words


def test_a_source_can_be_asked_now(desk: Desk) -> None:
    browser = desk.browser()
    browser.get("/")
    browser.post("/where/ask", 409, source="torfaen/contact")  # nobody runs the site
    presence = Presence(desk.bench.plant, "boot-1", [processes.SCHEDULE])
    presence.register()
    try:
        browser.get("/")
        with only_one(desk.bench.plant.lock_file):
            assert "contact will be read now" in said(browser.post("/where/ask", source="torfaen/contact"))
    finally:
        presence.leave()
    assert [row.connection for row in desk.bench.rows("slot", asked=True)] == ["contact"]
    browser.post("/where/ask", 404, source="nowhere/contact")
    browser.get("/")
    browser.post("/where/ask", 409, source="torfaen/nothing")


def test_nothing_typed_is_told_beside_the_field(desk: Desk) -> None:
    assert "There is a problem" in look(desk, "  ", status=422)


def test_the_other_language_is_a_form_where_a_form_was_sent(desk: Desk) -> None:
    browser = desk.browser()
    browser.get("/")
    browser.post("/where", reference="C-1")
    assert 'name="_language" value="cy"' in browser.page
    assert "Mae wedi cyrraedd" in said(browser.post("/where", reference="C-1", _language="cy"))
    assert 'lang="cy"' in browser.get("/")


def test_without_a_reference_source_day_hour_and_team_find_it(desk: Desk) -> None:
    browser = desk.browser()
    browser.get("/")
    form = {"source": "torfaen/contact", "day": "2026-07-02", "hour": "13"}
    assert "It arrived in casework as 881" in said(browser.post("/where/when", **form, team="Adults"))
    assert "nothing of the kind in that hour" in said(browser.post("/where/when", **form, team="children"))
    assert "nothing of the kind in that hour" in said(browser.post("/where/when", **{**form, "hour": "12"}))
    assert "an hour from 0 to 23" in said(browser.post("/where/when", 422, **{**form, "hour": "24"}))
