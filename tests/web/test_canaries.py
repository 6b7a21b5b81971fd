"""Nobody's values on a page for whoever may not unmask, nor at the doors for machines; headers, addresses and the names
of what is offered to be saved included. What is looked for is that of `tests/pipelines/test_canary.py`, and the page
that unmasks shows that it would be found."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from config.metrics import Metrics
from console.gauges.server import Gauged
from pipelines.decision import Decision, Do
from pipelines.rights import BRINGS, Right
from pipelines.sending import Result
from tests.pipelines.test_canary import NOT_A_CODE, SHAPES, TEXTS, hits, marked
from tests.web.desk import Browser, Desk, everybody, lane
from tests.web.visits import VISITS, refusal


def whole(answer: requests.Response) -> str:
    """An answer as it came over the wire, with the address that it came from."""
    headers = [f"{name}: {value}" for name, value in answer.headers.items()]
    return "\n".join([answer.url, *headers, answer.text])


@pytest.fixture(scope="module")
def marked_desk(desk: Desk) -> Desk:
    """A desk at which marked people wait, arrived, were refused, and bear a code that nobody knows."""
    bench = desk.bench
    another = {**marked(), "customer__nhs_number": None}  # else it joins an open request of that number
    bench.take(bench.request("K-1", **another))
    bench.arrived(lane(bench), "9917")
    bench.take(bench.request("K-2", **marked(), priority=NOT_A_CODE))
    bench.take(bench.request("K-3", **another))
    result = Result(bench.job(lane(bench)), error="Rejected", words="the date is missing")
    result.decision, result.reply = Decision(Do.ATTENTION), f"no {TEXTS['fault']}".encode()
    assert bench.write(result)
    return desk


class Heard(Browser):
    """A browser that remembers all that it was answered."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.heard: list[str] = []
        self.session.hooks["response"].append(lambda answer, *_, **__: self.heard.append(whole(answer)))


def test_no_page_shows_anybody_to_those_who_may_not_unmask(marked_desk: Desk) -> None:
    desk = marked_desk
    desk.holds(tuple(one for one in everybody() if Right.UNMASK not in BRINGS[one.role]))
    browser = Heard(desk.url, "en", desk.secret)
    paths = [f"/case/d{refusal(desk.bench).id}", *(f"/referral/{one.id}" for one in desk.bench.rows("referral")[-3:])]
    for path in paths:
        browser.get(path)
    shown = [visit for visit in VISITS if not visit.changes and "unmask" not in visit.door]
    for visit in shown:
        if visit.method == "GET":
            browser.get(visit.address(desk.bench))
        else:
            browser.get(visit.on)
            browser.post(visit.address(desk.bench), **visit.form(desk.bench))
    browser.get("/")
    browser.post(f"/referral/{refusal(desk.bench).referral_id}/unmask", why="because", status=403)
    assert len(browser.heard) > len(shown)
    assert [hit for said in browser.heard for hit in hits(said.partition("\n")[0], said, SHAPES)] == []


def test_the_page_that_unmasks_would_be_found(marked_desk: Desk) -> None:
    browser = Heard(marked_desk.url, "en", marked_desk.secret)
    browser.get("/")
    browser.post(f"/referral/{refusal(marked_desk.bench).referral_id}/unmask", why="because")
    assert hits("unmasked", browser.heard[-1], SHAPES)
    assert TEXTS["last"] not in browser.heard[-1].partition("<!")[0], "in the headers"


@pytest.fixture
def machines(marked_desk: Desk) -> Iterator[str]:
    """The doors for machines, on the same ledger."""
    stop, part = threading.Event(), Gauged(marked_desk.bench.plant, Metrics(port=0), marked_desk.bench.folder / "var")
    thread = threading.Thread(target=part.run, args=(stop,))
    thread.start()
    yield part.address
    stop.set()
    thread.join()


def test_the_doors_for_machines_show_nobody(machines: str) -> None:
    answers = [requests.get(f"{machines}{path}", timeout=20) for path in ("/metrics", "/healthz", "/readyz", "/none")]
    assert answers[0].status_code == 200 and "dolen_" in answers[0].text
    assert [hit for one in answers for hit in hits(one.url, whole(one), SHAPES)] == []
