"""The peers: tiers that behave as declared, a feed that plays tricks, faults that depend on the seed alone."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from random import Random
from typing import Any
from urllib.parse import urlsplit

import pytest

from console.bench.peers import Peers
from console.bench.site import COUNCILS
from sandbox.peers import story
from sandbox.peers.faults import TRIES, Fault, Weather
from sandbox.peers.story import Deed, Story
from sandbox.peers.system import Refused, System

WISH = {
    "status": "new", "kind": "contact", "priority": "routine", "received_at": "2026-01-15T10:00:00Z",
    "reason": "help [#alder-000001] (v1)", "person": {"last_name": "Jones", "mobile": "07700 900001"},
}  # fmt: skip


def system(tier: str, now: list[float] | None = None) -> System:
    clock = now or [1_000.0]
    return System("alder/care", tier, prefix="AC-", now=lambda: clock[0])


@pytest.mark.parametrize(("tier", "records"), [("A", 1), ("B", 2), ("C", 2)])
def test_a_create_asked_for_twice(tier: str, records: int) -> None:
    there = system(tier)
    for _ in range(2):
        there.create(dict(WISH), key="k1", token="alder-000001")
    assert len(there.records) == records
    assert len(there.by_token["alder-000001"]) == records


def test_tier_a_lays_a_second_create_over_what_staff_typed() -> None:
    there = system("A")
    held = there.create(dict(WISH), key="k1", token="alder-000001")
    there.change(held, {"status": "triage"})
    there.create(dict(WISH), key="k1", token="alder-000001")
    assert held.body["status"] == "new", "a real system of this kind does so, and Dolen must reckon with it"


def test_only_a_and_b_can_be_searched_and_only_they_show_our_key() -> None:
    for tier in ("A", "B"):
        there = system(tier)
        there.create(dict(WISH), key="k1", token="alder-000001")
        assert [held.body["external_reference"] for held in there.search("k1")] == ["k1"]
    there = system("C")
    assert there.create(dict(WISH), key="", token="alder-000001").body["external_reference"] is None
    with pytest.raises(Refused):
        there.search("k1")


def test_an_update_is_checked_against_the_version() -> None:
    there = system("A")
    held = there.create(dict(WISH), key="k1", token="alder-000001")
    with pytest.raises(Refused, match="precondition_failed"):
        there.update(held.id, {"status": "triage"}, match='"7"')
    with pytest.raises(Refused, match="precondition_required"):
        there.update(held.id, {"status": "triage"}, match=None)
    there.update(held.id, {"status": "triage"}, match='"1"')
    assert (held.version, held.body["status"]) == (2, "triage")


def test_a_walk_shows_everything_since_a_stamp_once_in_any_order() -> None:
    now = [1_000.0]
    there = system("A", now)
    for number in range(25):
        now[0] += 0.3  # several share a stamp
        there.create(dict(WISH), key=f"k{number}", token=f"alder-{number:06d}")
    since = 1_003
    wanted = {held.id for held in there.records.values() if held.stamp >= since}
    orders = set()
    for chance in range(8):
        seen: list[str] = []
        cursor = ""
        while True:
            page, following = there.page(since, cursor, 4, Random(chance))
            seen += [held.id for held in page]
            if following is None:
                break
            cursor = following
        assert len(seen) == len(set(seen))
        assert set(seen) == wanted
        orders.add(tuple(seen))
    assert len(orders) > 1


def test_a_late_commit_shows_up_under_the_stamp_that_it_began_with() -> None:
    now = [1_000.0]
    there = system("A", now)
    there.create(dict(WISH), key="k1", token="alder-000001")
    now[0] = 1_005.0
    body = {**WISH, "notes": None}
    late = there.enter(body, token="alder-000002", stamp=1_002)
    assert late.id not in {held.id for held in there.page(1_003, "", 10, Random(1))[0]}
    assert late.id in {held.id for held in there.page(1_002, "", 10, Random(1))[0]}


# --- Chance -----------------------------------------------------------------------------------------------------------


def test_the_same_seed_tells_the_same_story_and_another_seed_another() -> None:
    first, again, other = (Story(Weather(seed), 200).steps() for seed in (7, 7, 8))
    assert first == again != other


def test_routes_are_forty_forty_twenty_by_tier() -> None:
    steps = [step for step in Story(Weather(1), 1_000).steps() if step.deed is Deed.CREATE]
    tiers = [story.COUNCILS[Story(Weather(1), 1_000).council(step.number)] for step in steps]
    assert [tiers.count(tier) for tier in "ABC"] == [400, 400, 200]
    assert story.COUNCILS == COUNCILS, "the bench and the peers must speak of the same councils"


def test_a_fault_depends_on_the_seed_and_the_record_alone_and_ends() -> None:
    calm, rough = Weather(3, 0.0), Weather(3, 5.0)
    records = [f"alder/care/alder-{number:06d}" for number in range(500)]
    struck = [rough.strikes("create", record, 1) for record in records]
    assert struck == [rough.strikes("create", record, 1) for record in records]
    assert set(struck) >= {Fault.LATE_COMMIT, Fault.TIMED_OUT_AFTER, Fault.ERROR_AFTER, Fault.ERROR_BEFORE, Fault.CUT}
    assert {calm.strikes("create", record, 1) for record in records} == {Fault.NONE}
    assert {rough.strikes("create", record, TRIES + 1) for record in records} == {Fault.NONE}


# --- The process ------------------------------------------------------------------------------------------------------


@pytest.fixture
def peers() -> Iterator[Peers]:
    with Peers(seed=5, referrals=40, faults=0.0, latest=1.0) as running:
        yield running


def test_staff_type_what_is_released_and_everything_is_written_down(peers: Peers) -> None:
    peers.go(1.0, 0.0)
    until = time.monotonic() + 20
    while sum(held for at, held in peers.state()["records"].items() if at.endswith("desk")) < 40:
        assert time.monotonic() < until
        time.sleep(0.05)
    peers.calm()
    truth = peers.truth()
    created = {each["token"] for each in truth if each["deed"] == "create"}
    assert len(created) == 40
    assert [each["nth"] for each in truth] == list(range(len(truth)))
    for record in peers.records():
        last = [each for each in truth if each["token"] == record["token"] and "reason" in each["fields"]][-1]
        assert record["body"]["reason"] == last["mark"]


def test_thousands_of_posts_over_one_line_that_stays_open(peers: Peers) -> None:
    there = urlsplit(peers.url)
    line = http.client.HTTPConnection(there.hostname or "", there.port or 0, timeout=10)
    line.connect()
    kept = line.sock
    began = time.monotonic()
    for number in range(1_000):
        body = json.dumps({**WISH, "reason": f"help [#alder-{number:06d}] (v1)"})
        line.request("PUT", f"/alder/care/cases/by-key/k{number}", body, {"Content-Type": "application/json"})
        answer = line.getresponse()
        assert answer.status == 201
        assert json.loads(answer.read())["external_reference"] == f"k{number}"
    seconds = time.monotonic() - began
    assert line.sock is kept
    assert seconds < 5, "the bench would measure the peers instead of Dolen"
    line.close()


def test_the_peers_end_with_whoever_started_them() -> None:
    command = [sys.executable, "-m", "sandbox", "peers", "--until-stdin-closes"]
    process: subprocess.Popen[Any] = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["url"].startswith("http://127.0.0.1:")
    process.stdin.close()
    assert process.wait(10) == 0
    process.stdout.close()
