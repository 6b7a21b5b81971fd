"""The outcomes as a council sees them: figures, plots and file in both languages, few never shown, no script needed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import insert, select

from console.web import words
from pipelines.tables import delivery, news
from tests.web.desk import COOKIE, Desk, as_role, said
from tests.web.test_eyes import CHROMIUM, QUIET


@pytest.fixture(scope="module")
def told(desk: Desk) -> Desk:
    """The desk, when eighteen texts had gone, three of which did not arrive."""
    bench = desk.bench
    now = bench.clock.now()
    with bench.writing() as connection:
        referral = connection.execute(select(delivery.c.referral_id).limit(1)).scalar_one()
    for number in range(18):
        id = bench.plain_delivery(f"torfaen/texts/told-{number}", kind="Text", connection="texts", state="not sent",
                                  due=None, referral_id=referral, reason="not opted in")  # fmt: skip
        row: dict[str, Any] = {
            "delivery_id": id, "council": "torfaen", "connection": "texts", "referral_id": referral, "route": "tell",
            "recipient": "person", "words": "track", "channel": "text", "language": ("cy", "en", "both")[number % 3],
            "status": "accepted", "whom": "", "parts": 2, "asked": now - 3_600_000_000, "changed": now - 2_000_000,
            "at": now, "report": "delivered" if number > 2 else "temporary-failure",
        }  # fmt: skip
        with bench.writing() as connection:
            connection.execute(insert(news).values(**row))
    return desk


@pytest.mark.parametrize(("language", "few"), [("cy", "llai na 5"), ("en", "fewer than 5")])
def test_the_page_shows_figures_plots_and_how_they_were_made(told: Desk, language: str, few: str) -> None:
    html = told.browser(language).get("/outcomes?days=30")
    page = said(html)
    assert few in page
    at = 0 if language == "cy" else 1
    for welsh_english in (("Newyddion yn ôl iaith", "News by language"), ("Cymraeg", "Welsh")):
        assert welsh_english[at] in page
    assert ("Amcangyfrif yw hwn", "It is an estimate")[at] in page
    assert html.count("<svg") >= 4
    assert "temporary-failure: 3" not in page, "three are never shown"


def test_the_file_is_for_whoever_may_see_the_page_and_holds_what_it_shows(told: Desk) -> None:
    browser = told.browser()
    told.holds(as_role(next(iter(told.bench.plant.roles.holdings)).role))
    page = browser.get("/outcomes?days=30")
    assert 'href="/outcomes/csv?days=30"' in page
    answer = browser.session.get(f"{told.url}/outcomes/csv?days=30", timeout=20)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="dolen-outcomes-30-days.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert {row["council"] for row in rows} == {"torfaen"}, "of no other council"
    held = {(row["figure"], row["of"]): row["value"] for row in rows}
    assert held["messages", "cy"] == "6"
    assert held["lag_between", ""] == "0"
    assert held["reports", "temporary-failure"] == "", "three are never shown"
    assert "Siân" not in answer.text


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's own Chromium."""
    if not CHROMIUM.is_file():
        pytest.skip(f"there is no browser at {CHROMIUM}; name one with DOLEN_TEST_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=QUIET)
        yield browser
        browser.close()


def opened(chromium: Browser, told: Desk, language: str, *, script: bool) -> Page:
    context = chromium.new_context(java_script_enabled=script, viewport={"width": 1000, "height": 900})
    cookies = {"dolen_language": language, COOKIE: told.secret}
    context.add_cookies([{"name": name, "value": value, "url": told.url} for name, value in cookies.items()])
    return context.new_page()


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_a_browser_without_script_shows_all_of_it(chromium: Browser, told: Desk, language: str) -> None:
    page = opened(chromium, told, language, script=False)
    page.goto(told.url + "/")
    # By the menu, as an officer comes here; then to another span, and to the file: all by links.
    page.get_by_role("link", name="Canlyniadau" if language == "cy" else "Outcomes", exact=True).click()
    page.locator('a[href="/outcomes?days=365"]').click()
    assert page.url.endswith("/outcomes?days=365")
    drawn = page.locator("svg[role=img]")
    assert drawn.count() >= 4
    box = drawn.nth(1).bounding_box()
    assert box is not None
    assert box["width"] > 300
    with page.expect_download() as begun:
        page.locator('a[href^="/outcomes/csv"]').click()
    assert begun.value.suggested_filename == "dolen-outcomes-365-days.csv"
    page.context.close()


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_axe_finds_nothing_in_plots_with_figures(chromium: Browser, told: Desk, language: str) -> None:
    page = opened(chromium, told, language, script=True)
    page.goto(told.url + "/outcomes?days=30")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.context.close()
