"""The whole story in a person's browser, in both languages: a supplier is down, a code is unmapped, a record is
rejected, a restricted referral is stuck. The officer finds each, mends it, looks, sends it again and proves that it
arrived, by what the pages show and nothing else. With DOLEN_STORY_PICTURES naming a folder it takes a picture of each
step."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from console.web.words import LANGUAGES, Language, Speech
from pipelines import pauses, sessions
from pipelines.rights import Role
from pipelines.roles import Holding
from pipelines.task_runs import TaskRuns
from tests.web.desk import COOKIE, COUNCILS, LIMITS, Desk, everybody, refused
from tests.web.test_eyes import chromium as chromium

BOB = sessions.Person("Bob Protector", "name bob@example.org", names=("bob@example.org",))
WHY = "agreed on the telephone"


@dataclass
class Officer:
    """Somebody in front of a page, who reads it in one language."""

    page: Page
    desk: Desk
    t: Speech
    prefix: str  # of the numbers of their own referrals

    def said(self, key: str, **values: str) -> str:
        """How the pages say this in the officer's language."""
        return " ".join(self.t(key, **values).unescape().split())

    def opens(self, path: str) -> None:
        """Go to a page of the menu."""
        self.page.goto(self.desk.url + path)

    def presses(self, key: str) -> None:
        """Press the button that says this, and wait for what comes of it."""
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=self.said(key), exact=True).first.click()

    def follows(self, key: str) -> None:
        """Follow the link that says this."""
        with self.page.expect_navigation():
            self.page.get_by_role("link", name=self.said(key)).first.click()

    def fills(self, **fields: str) -> None:
        """Type into fields of the page, by their names."""
        for name, text in fields.items():
            self.page.locator(f"[name={name}]:visible").first.fill(text)

    def finds(self, reference: str) -> str:
        """Ask where something is; what the page says."""
        self.opens("/")
        self.fills(reference=reference)
        self.presses("front.look")
        return self.reads()

    def reads(self) -> str:
        """What the page says."""
        return " ".join(self.page.inner_text("main").split())

    def sees(self, key: str, **values: str) -> None:
        """The page says this."""
        assert self.said(key, **values) in self.reads(), key

    def keeps(self, step: str) -> None:
        """A picture of this step, where pictures are asked for."""
        if folder := os.environ.get("DOLEN_STORY_PICTURES"):
            self.page.screenshot(path=str(Path(folder) / f"story-{step}-{self.t.language}.png"))

    def arrives(self, reference: str, number: str) -> None:
        """The system takes it, and the front page says under which number."""
        bench = self.desk.bench
        referral = bench.row("record", external_id=reference, connection="contact").referral_id
        bench.arrived(str(bench.rows("delivery", referral_id=referral, connection="casework")[-1].lane), number)
        told = self.finds(reference)
        said = {"en": f"It arrived in casework as {number}", "cy": f"Mae wedi cyrraedd casework fel {number}"}
        assert said[self.t.language] in told


@pytest.fixture(scope="module", params=LANGUAGES)
def ann(request: pytest.FixtureRequest, chromium: Browser, desk: Desk) -> Iterator[Officer]:
    """An officer of every role, who reads in one language."""
    yield from _officer(chromium, desk, request.param, desk.secret)


def _officer(chromium: Browser, desk: Desk, language: Language, secret: str) -> Iterator[Officer]:
    context = chromium.new_context(viewport={"width": 1000, "height": 900})
    cookies = {"dolen_language": language, COOKIE: secret}
    context.add_cookies([{"name": name, "value": value, "url": desk.url} for name, value in cookies.items()])
    yield Officer(context.new_page(), desk, Speech(language), language.upper())
    context.close()


def a_supplier_is_down_and_up_again(ann: Officer) -> None:
    bench, id = ann.desk.bench, f"{ann.prefix}-1"
    bench.take(bench.request(id))
    with bench.writing() as connection:
        pauses.trip(connection, "torfaen", "casework", why=pauses.BY_BREAKER, words="no answer", now=bench.clock.now())
    assert f"d{bench.rows('delivery')[-1].id}" in ann.finds(id)
    ann.opens("/overview")
    ann.sees("pause.not_reachable")
    ann.opens("/connection/torfaen/casework")
    ann.keeps("down")
    ann.fills(why=WHY)
    ann.presses("connection.resume")
    ann.arrives(id, f"{ann.prefix}901")


def a_code_is_unmapped(ann: Officer) -> None:
    bench, id, code = ann.desk.bench, f"{ann.prefix}-2", f"soonest-{ann.t.language}"
    bench.take(bench.request(id, priority=code))
    ann.finds(id)
    ann.follows("front.cause")
    ann.follows("group.to_codes")
    ann.follows("mapping.to_codes")
    section = ann.page.locator("section", has=ann.page.locator("code", has_text=code))
    for name, text in {"ours": "urgent", "cy": "Yn fuan", "en": "Soon", "why": WHY}.items():
        section.locator(f"[name={name}]").fill(text)
    ann.keeps("code")
    with ann.page.expect_navigation():
        section.get_by_role("button").click()
    ann.sees("mapping.goes_on")
    while TaskRuns(bench.plant).turn(threading.Event()):  # as the running site does
        pass
    ann.opens("/codes")
    assert code not in ann.reads()
    ann.arrives(id, f"{ann.prefix}902")


def a_record_is_rejected(ann: Officer) -> None:
    id = f"{ann.prefix}-3"
    delivery = refused(ann.desk.bench, id)
    ann.finds(id)
    ann.follows("front.cause")
    ann.page.check(f"#c-{delivery}")
    ann.presses("group.preview")
    ann.sees("effect.create")
    ann.sees("look.nothing_sent")
    ann.keeps("preview")
    ann.follows("look.back")
    ann.page.check(f"#c-{delivery}")
    ann.fills(why=WHY)
    ann.presses("group.send")
    ann.sees("done.send_again", count="1")
    ann.arrives(id, f"{ann.prefix}903")


def a_restricted_referral_is_opened_sent_and_reviewed(ann: Officer, chromium: Browser) -> None:
    desk, id = ann.desk, f"{ann.prefix}-4"
    delivery = refused(desk.bench, id, flags__restricted=True)
    assert delivery not in ann.finds(id)
    ann.sees("front.never_shown")
    ann.opens("/glass")
    ann.fills(reference=id, why="a child is in danger")
    ann.presses("glass.take")
    assert delivery in ann.finds(id)
    ann.opens(f"/case/{delivery}")
    ann.presses("case.look_button")
    ann.sees("effect.create")
    ann.keeps("restricted")
    ann.fills(why=WHY)
    ann.presses("group.send")
    ann.arrives(id, f"{ann.prefix}904")
    desk.holds((*everybody(), Holding(Role.DATA_PROTECTION, frozenset(COUNCILS), names=frozenset(BOB.names))))
    other = _officer(chromium, desk, ann.t.language, sessions.open_session(desk.bench.plant, BOB, LIMITS, how="link"))
    bob = next(other)
    grant = desk.bench.rows("sight_grant", whom="name ann@example.org")[-1].id
    bob.opens(f"/sight/g{grant}")
    assert "a child is in danger" in bob.reads()
    bob.fills(why="it was right")
    bob.presses("sight.review")
    bob.sees("sight.reviewed")
    other.close()


def it_is_proved(ann: Officer) -> None:
    for number in (1, 2, 3):
        ann.finds(f"{ann.prefix}-{number}")
        ann.follows("front.whole_story")
        assert f"{ann.prefix}90{number}" in ann.reads()
    ann.opens("/audit")
    ann.presses("audit.verify")
    ann.sees("audit.holds")
    ann.keeps("proof")


def test_the_whole_story(ann: Officer, chromium: Browser) -> None:
    """In this order: the last step proves what the others sent."""
    a_supplier_is_down_and_up_again(ann)
    a_code_is_unmapped(ann)
    a_record_is_rejected(ann)
    a_restricted_referral_is_opened_sent_and_reviewed(ann, chromium)
    it_is_proved(ann)
