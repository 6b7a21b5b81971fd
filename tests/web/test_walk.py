"""The walk over every page, in both languages: what a page must be, whoever made it.

Valid HTML that needs nothing but itself, under 100 KB, with its language said; hostile content inert; every door shut
to whoever has not its right, and to another council. `test_eyes.py` looks at the same pages with a browser.
"""

from __future__ import annotations

import re
from pathlib import Path

import html5lib
import pytest

from console.web import pages, words
from console.web.doors import Door
from pipelines.rights import BRINGS, Right, Role
from tests.web.desk import Desk, as_role, everybody, said
from tests.web.visits import VISITS, Visit

DOORS: dict[str, Door] = {door.name: door for one in pages.ALL for door in one}
SHOWN = [visit for visit in VISITS if not visit.changes]
WEB = Path(words.__file__).parent
#: What may be English on a Welsh page, and is marked so: what somebody else said, and what is typed at a machine.
NOT_OURS = tuple(
    re.compile(shape, re.DOTALL)
    for shape in (
        r"refused: .*|the date is missing",  # what a system said of a record
    )
)
#: Pages that show what others wrote in English, marked so: the notes of a mapping's rows, and what a connector's doctor
#: found, with names and numbers of the system's own.
THEIR_OWN = ("GET /mappings/{system}/{record}", "POST /connection/{council}/{name}/doctor")
#: Parts of a page that hold no sentence of ours in the page's language.
NO_SENTENCE = re.compile(r'<span lang="en">.*?</span>|<(code|svg|pre|bdi)\b.*?</\1>', re.DOTALL)
#: Words by which English is known where it is not marked.
ENGLISH = re.compile(r"[^.]*\b(?:the|and|which|with|that|this|there|from)\b[^.]*", re.IGNORECASE)


def knock(desk: Desk, visit: Visit, status: int = 200, language: str = "en", *, signed_in: bool = True) -> str:
    browser, held = desk.browser(language, signed_in=signed_in), desk.bench.plant.roles
    if visit.method == "GET":
        return browser.get(visit.address(desk.bench), status)
    desk.holds(everybody())
    address, form = visit.address(desk.bench), visit.form(desk.bench)
    browser.get("/", 200 if signed_in else 401)
    desk.bench.plant.roles = held
    return browser.post(address, status, **form)


def test_every_door_is_visited() -> None:
    assert sorted({visit.door for visit in VISITS}) == sorted(DOORS)


def test_every_door_has_a_right_and_its_page_a_place_of_its_own() -> None:
    assert all(isinstance(door.right, Right) for door in DOORS.values())
    assert len(DOORS) == sum(len(list(one)) for one in pages.ALL)
    places = [one.menu for one in pages.ALL if one.menu is not None]
    assert len(places) == len(set(places))


@pytest.mark.parametrize("language", words.LANGUAGES)
@pytest.mark.parametrize("visit", SHOWN, ids=lambda visit: visit.door)
def test_a_page_is_whole(desk: Desk, visit: Visit, language: str) -> None:
    html = knock(desk, visit, language=language)
    html5lib.HTMLParser(strict=True).parse(html)
    assert len(html.encode()) < 100_000
    assert f'<html lang="{language}"' in html
    assert len(re.findall(r"<h1\b", html)) == 1
    ids = re.findall(r'\bid="([^"]*)"', html)
    assert len(ids) == len(set(ids)), sorted(id for id in ids if ids.count(id) > 1)
    assert re.findall(r"<script(?![^>]*\bsrc=\"/assets/)|\bon[a-z]+=\"|\bstyle=\"|<style|javascript:", html) == []
    assert re.findall(r'(?:src|href|action)="(?!/|#)[^"]*"', html) == []
    assert ("awaits a Welsh checker" not in html) and (("yn aros am wiriwr" in html) == (language == "cy"))
    if language == "cy":
        main = html.partition("<main")[2].partition("</main>")[0]
        marked = [said(f"<main>{one}</main>") for one in re.findall(r'<span lang="en">(.*?)</span>', main, re.DOTALL)]
        marked = [] if visit.door in THEIR_OWN else marked
        assert [one for one in marked if not any(shape.fullmatch(one) for shape in NOT_OURS)] == []
        rest = NO_SENTENCE.sub("", main)
        assert visit.door in THEIR_OWN or ENGLISH.findall(said(f"<main>{rest}</main>")) == []


@pytest.mark.parametrize("visit", SHOWN, ids=lambda visit: visit.door)
def test_hostile_content_is_inert(desk: Desk, visit: Visit) -> None:
    html = knock(desk, visit)
    assert "<script>alert" not in html and "<img src=x" not in html
    assert "\u202e" not in html and "\x00" not in html
    assert "{49}" not in said(html)


@pytest.mark.parametrize("visit", VISITS, ids=lambda visit: visit.door)
def test_a_door_is_shut_to_who_has_not_its_right(desk: Desk, visit: Visit) -> None:
    for role in Role:
        if DOORS[visit.door].right not in BRINGS[role]:
            desk.holds(as_role(role))
            assert said(knock(desk, visit, 403)).startswith("You may not do this"), role
    desk.holds(everybody())
    assert "csrf" not in knock(desk, visit, 401 if visit.method == "GET" else 403, signed_in=False)


@pytest.mark.parametrize("visit", [visit for visit in VISITS if visit.council], ids=lambda visit: visit.door)
def test_a_door_is_shut_to_another_council(desk: Desk, visit: Visit) -> None:
    desk.holds(everybody("blaenau-gwent"))
    assert said(knock(desk, visit, 404)).startswith("There is no such page")


@pytest.mark.parametrize("visit", [v for v in VISITS if v.method == "POST"], ids=lambda visit: visit.door)
def test_a_form_from_elsewhere_is_refused(desk: Desk, visit: Visit) -> None:
    browser, path, form = desk.browser(), visit.address(desk.bench), visit.form(desk.bench)
    browser.get("/")
    assert "form is too old" in browser.post(path, 403, **form, csrf="0" * 64)
    browser.get("/")
    for header, value in (("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")):
        ours = browser.session.headers.get(header)
        browser.session.headers[header] = value
        browser.post(path, 403, **form)
        browser.session.headers.pop(header) if ours is None else browser.session.headers.update({header: ours})
        browser.get("/")
    stranger = desk.browser(signed_in=False)
    stranger.page = browser.page  # a token belongs to one session
    assert "form is too old" in stranger.post(path, 403, **form)


def test_every_answer_says_what_the_browser_may_do(desk: Desk) -> None:
    for path in ("/", "/nothing", "/assets/console.css", "/where", "/sign-in"):
        headers = desk.browser().session.get(desk.url + path, timeout=20).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Cache-Control"] == "no-store"
        assert "server" not in headers


def test_a_page_that_is_not_there_is_a_page_in_words(desk: Desk) -> None:
    assert "There is no such page" in said(desk.browser().get("/nothing", 404))
    assert "Nid oes tudalen" in said(desk.browser("cy").get("/nothing", 404))
    assert "There is no such page" in said(desk.browser().get("/where", 405))


def test_a_fault_of_ours_is_a_page_in_words(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("Siân Llŷr")

    monkeypatch.setattr("pipelines.where.sources", broken)
    html = desk.browser().get("/", 500)
    assert "Something went wrong in Dolen itself" in said(html)
    assert "Siân" not in html and "Traceback" not in html


def test_a_form_too_long_or_of_another_kind_is_told(desk: Desk) -> None:
    browser = desk.browser()
    browser.get("/")
    browser.post("/where", 413, reference="x" * 70_000)
    answer = browser.session.post(desk.url + "/where", json={"reference": "x"}, timeout=20)
    assert answer.status_code == 415 and "could not be read" in answer.text


def test_the_language_is_kept_and_leads_nowhere_else(desk: Desk) -> None:
    browser = desk.browser()
    assert 'lang="cy"' in browser.get("/language/cy?to=/")
    assert browser.session.cookies["dolen_language"] == "cy"
    for to in ("//evil.example/", "https://evil.example/", "/\\evil.example"):
        answer = browser.session.get(desk.url + "/language/en", params={"to": to}, allow_redirects=False, timeout=20)
        assert answer.headers["Location"] == "/"
    browser.get("/language/fr", 404)


def begun(code: str) -> set[str]:
    """What keys begin with that are put together: `t("menu." ~ page)`, `t.of("front", "stand_" ~ name)`."""
    whole = re.findall(r"""t\.of\("(\w+)", (?!")""", code)
    parts = re.findall(r"""t\.of\("(\w+)", "(\w+)" ~""", code)
    joined = re.findall(r"""\("(\w+\.\w*)" ~""", code) + re.findall(r"""f"(\w+\.\w*)\{""", code)
    return {f"{group}." for group in whole} | {".".join(one) for one in parts} | set(joined)


def test_every_sentence_has_both_languages_and_is_said_somewhere() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in [*WEB.rglob("*.py"), *WEB.rglob("*.html")])
    for key, both in words.catalogue().items():
        assert set(both) == {"en", "cy"}, key
        assert all(both.values()), key
        names = {frozenset(re.findall(r"\{(\w*)\}", text)) for text in both.values()}
        assert len(names) == 1, f"{key} puts different things into the two languages"
        assert f'"{key}"' in code or key.startswith(tuple(begun(code))), f"nobody says {key}"


def test_every_file_of_words_says_that_its_welsh_awaits_a_checker() -> None:
    for file in words.FOLDER.glob("*.toml"):
        assert "Welsh: awaits a Welsh checker" in file.read_text(encoding="utf-8").splitlines()[0], file.name
