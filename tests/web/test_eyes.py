"""The same pages as a person's browser shows them: axe finds nothing, a narrow window needs no scrolling sideways, the
keyboard reaches everything, and nothing is asked of another machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from console.web import words
from tests.web.desk import COOKIE, Desk, refused
from tests.web.visits import VISITS, Visit

CHROMIUM = Path(os.environ.get("DOLEN_TEST_CHROMIUM", "/usr/bin/chromium"))
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SHOWN = [visit for visit in VISITS if not visit.changes]
#: Half of a heading or a table may be wider than a window at 400 %; the page itself may not.
NARROW = {"width": 320, "height": 640}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's own Chromium."""
    if not CHROMIUM.is_file():
        pytest.skip(f"there is no browser at {CHROMIUM}; name one with DOLEN_TEST_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def page(chromium: Browser, desk: Desk) -> Iterator[Page]:
    """One window; what it asks of other machines, and what goes wrong in it, is remembered."""
    context = chromium.new_context(viewport={"width": 1000, "height": 900})
    context.add_cookies([{"name": COOKIE, "value": desk.secret, "url": desk.url}])
    page = context.new_page()
    trouble: list[str] = []
    page.on("request", lambda request: trouble.append(request.url) if not request.url.startswith(desk.url) else None)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("console", lambda said: trouble.append(said.text) if said.type == "error" else None)
    page.on("dialog", lambda dialog: (trouble.append(f"a dialog: {dialog.message}"), dialog.dismiss()))
    page.trouble = trouble  # type: ignore[attr-defined]
    yield page
    context.close()


def show(page: Page, desk: Desk, visit: Visit, language: str) -> None:
    cookies = {"dolen_language": language, COOKIE: desk.secret}
    page.context.add_cookies([{"name": name, "value": value, "url": desk.url} for name, value in cookies.items()])
    if visit.method == "GET":
        page.goto(desk.url + visit.address(desk.bench))
        return
    page.goto(desk.url + visit.on)
    fields: dict[str, Any] = dict(visit.form(desk.bench))
    with page.expect_navigation():
        page.evaluate(
            """([action, fields, token]) => {
                const form = document.createElement("form"); form.method = "post"; form.action = action;
                for (const [name, given] of Object.entries({...fields, csrf: token}))
                    for (const value of [given].flat()) {
                        const input = document.createElement("input"); input.type = "hidden";
                        input.name = name; input.value = value; form.append(input);
                    }
                document.body.append(form); form.submit(); }""",
            [visit.address(desk.bench), fields, page.locator("input[name=csrf]").first.input_value()],
        )


@pytest.mark.parametrize("language", words.LANGUAGES)
@pytest.mark.parametrize("visit", SHOWN, ids=lambda visit: visit.door)
def test_a_page_is_for_everybody(page: Page, desk: Desk, visit: Visit, language: str) -> None:
    show(page, desk, visit, language)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    wide = page.evaluate("document.scrollingElement.scrollWidth")
    page.set_viewport_size({"width": 1000, "height": 900})
    assert wide <= NARROW["width"], f"{wide} pixels wide at 400 %"
    assert page.trouble == []  # type: ignore[attr-defined]


def test_the_keyboard_alone_finds_a_referral(page: Page, desk: Desk) -> None:
    page.goto(desk.url + "/language/en?to=/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Skip to main content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "reference"
    page.keyboard.type("C-1")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "It arrived in casework as 881" in page.inner_text("main")


def keys_to(page: Page, kind: str, words: str) -> None:
    """Press Tab until what has the focus is of this kind and says this, or is the field of this name."""
    for _ in range(200):
        page.keyboard.press("Tab")
        at: list[str] = page.evaluate(
            """() => { const at = document.activeElement, said = at.textContent.trim().replace(/\\s+/g, " ");
                return [at.tagName.toLowerCase(), at.name || "", at.id, said]; }"""
        )
        if at[0] == kind and words in (at[1:3] if kind in ("input", "textarea") else at[3:]):
            return
    raise AssertionError(f"no key leads to {kind} {words}")


def enter(page: Page, kind: str, words: str) -> None:
    """Go by keys to a link or button, and press Enter."""
    keys_to(page, kind, words)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_a_whole_task_is_done_by_keyboard_alone(page: Page, desk: Desk) -> None:
    """Find one, look at what would be sent, send it again, and settle another: no mouse, and nothing filled in."""
    sent, settled = refused(desk.bench, "K-1"), refused(desk.bench, "K-2")
    page.goto(desk.url + "/language/en?to=/")
    keys_to(page, "input", "reference")
    page.keyboard.type("K-1")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "needs attention" in page.inner_text("main")
    enter(page, "a", "What needs attention, and what to do")
    keys_to(page, "input", f"c-{sent}")
    page.keyboard.press("Space")
    enter(page, "button", "Look at what would be sent")
    assert "Nothing was sent" in page.inner_text("main")
    enter(page, "a", "Back to the cause")
    keys_to(page, "input", f"c-{sent}")
    page.keyboard.press("Space")
    keys_to(page, "textarea", "why")
    page.keyboard.type("agreed on the telephone")
    enter(page, "button", "Send again")
    assert desk.bench.row("delivery", id=int(sent[1:])).state == "waiting"
    enter(page, "a", "Where is it?")
    keys_to(page, "input", "reference")
    page.keyboard.type("K-2")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    enter(page, "a", settled)
    keys_to(page, "textarea", "why")
    page.keyboard.type("it stands there")
    keys_to(page, "input", "how")
    page.keyboard.press("Space")
    keys_to(page, "input", "number")
    page.keyboard.type("7001")
    enter(page, "button", "Settle it")
    assert "It is settled" in page.inner_text("main")
    assert desk.bench.row("delivery", id=int(settled[1:])).state == "settled"
