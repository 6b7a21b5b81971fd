"""The life of the councils: planned by the seed, done on time, written down as done, and resumed after a kill."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox import shape
from sandbox.casework_words import as_referral
from sandbox.life import Life, Refused
from sandbox.people import COUNCILS
from sandbox.plan import Plan, Sort
from sandbox.truth import Truth
from sandbox.world import World
from tests.sandbox.conftest import Running


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "sandbox")
    yield made
    made.close()


def pass_time(world: World, seconds: float) -> None:
    """Let time pass in steps, so that what follows from something is done too."""
    for _ in range(max(1, int(seconds))):
        world.clock.set(world.clock() + timedelta(seconds=min(1, seconds)))
        while world.life.tick():
            pass


def truths(world: World) -> list[Truth]:
    return list(world.life.account.each())


def body(world: World, tenant: str, system: str, id: str) -> dict[str, Any]:
    held = world.store.collection(tenant, system).get(id)
    assert held is not None
    return held.body


def arrive(world: World, truth: Truth, **change: Any) -> str:
    casework: Any = world.systems["casework"]
    sent = {**as_referral(truth.tenant, truth.wish), "SourceReference": truth.contact_id, **change}
    made: str = casework.type_in(truth.tenant, sent)["ReferralId"]
    return made


def plan(referrals: int = 3000, **more: Any) -> Plan:
    return Plan(1, referrals, COUNCILS, **{"same_day": 3, "unreadable": 1, **more})


def test_the_plan_has_the_shares_that_were_promised() -> None:
    errands = [plan().errand(number) for number in range(3000)]
    assert Counter(each.tenant for each in errands) == dict.fromkeys(COUNCILS, 1000)
    assert 0.06 < sum(each.in_casework for each in errands) / 3000 < 0.10
    corrected = [each for each in errands if {step.what for step in each.contact} - {"internal_notes"}]
    assert 0.24 < len(corrected) / 3000 < 0.36
    sorts = Counter((each.tenant, each.sort) for each in errands if each.sort is not Sort.PLAIN)
    assert sorts == {
        ("blaenau-gwent", Sort.SAME_DAY): 3,
        ("torfaen", Sort.UNREADABLE): 1,
        ("neath-port-talbot", Sort.ELSEWHERE): 20,
    }
    last = Counter(each.case[-1].what for each in errands if each.case)
    assert set(last) == {"CLO", "REJ", "ACC", "INP"}
    closing = [step.change for each in errands for step in each.case if step.what == "CLO"]
    assert all(change["Outcome"] for change in closing)
    npt = [each for each in errands if each.tenant == "neath-port-talbot"]
    assert all(step.change["Worker"] for each in npt for step in each.case if step.what == "ACC")


def test_a_plan_is_the_same_again_and_another_for_another_seed() -> None:
    assert [plan().errand(n) for n in range(200)] == [plan().errand(n) for n in range(200)]
    other = Plan(2, 3000, COUNCILS, 3, 1)
    assert [plan().errand(n).case for n in range(50)] != [other.errand(n).case for n in range(50)]


@pytest.mark.parametrize("referrals", [1, 2, 3, 5, 12, 60])
def test_small_stories_work_too(world: World, referrals: int) -> None:
    world.life.start({"referrals": referrals, "seed": 5, "pace": 1000})
    pass_time(world, 2)
    assert world.life.progress()["started"] == referrals
    assert len(truths(world)) == referrals


def test_requests_begin_at_the_pace_that_was_asked_for(world: World) -> None:
    world.life.start({"referrals": 100, "seed": 5, "pace": 10})
    pass_time(world, 3)
    assert 30 <= world.life.progress()["started"] <= 33
    assert world.life.progress()["quiet"] is False


def test_contact_staff_correct_and_note_what_the_truth_then_says(world: World) -> None:
    world.life.start({"referrals": 60, "seed": 5, "pace": 1000})
    pass_time(world, 12)
    changed = [truth for truth in truths(world) if truth.contact_id and not truth.unreadable]
    for truth in changed:
        held = body(world, truth.tenant, "contact", truth.contact_id)
        assert {name: held[name] for name in truth.wish} == truth.wish
    assert any(truth.wish["internal_notes"] for truth in changed)
    assert any(body(world, truth.tenant, "contact", truth.contact_id)["version"] > 1 for truth in changed)
    assert world.life.progress()["refused"] == 0


def test_staff_write_only_what_is_theirs(world: World) -> None:
    world.life.start({"referrals": 60, "seed": 5, "pace": 1000})
    pass_time(world, 0.1)
    for truth in truths(world):
        if truth.contact_id and not truth.unreadable:
            held = body(world, truth.tenant, "contact", truth.contact_id)
            world.systems["contact"].staff_put(truth.tenant, truth.contact_id, {**held, "case_number": "R-1"})
    pass_time(world, 12)
    numbers = {
        body(world, truth.tenant, "contact", truth.contact_id)["case_number"]
        for truth in truths(world)
        if truth.contact_id and not truth.unreadable
    }
    assert numbers == {"R-1"}


def test_a_case_moves_on_once_it_has_arrived_and_not_before(world: World) -> None:
    world.life.start({"referrals": 30, "seed": 5, "pace": 1000})
    pass_time(world, 12)
    truth = next(t for t in truths(world) if t.contact_id and t.sort == "plain")
    assert truth.case == {}
    number = arrive(world, truth)
    pass_time(world, 8)
    truth = next(t for t in truths(world) if t.token == truth.token)
    case = body(world, truth.tenant, "casework", number)
    assert truth.case_id == number
    assert case["Status"] == truth.case["Status"] == truth.reached[-1][0] != "NEW"
    assert [status for status, _ in truth.reached][:2] == ["NEW", "TRI"]
    assert case["Subject"]["Surname"] == truth.wish["customer"]["last_name"]


def test_an_arrival_is_recognised_by_the_token_alone_or_by_the_reference_alone(world: World) -> None:
    world.life.start({"referrals": 30, "seed": 5, "pace": 1000})
    pass_time(world, 1)
    one, two = [t for t in truths(world) if t.contact_id and t.sort == "plain"][:2]
    ids = arrive(world, one, SourceReference=""), arrive(world, two, Reason="typed in a hurry")
    pass_time(world, 1)
    assert [t.case_id for t in truths(world) if t.token in (one.token, two.token)] == list(ids)


def test_a_second_record_of_one_request_is_nobodys_business(world: World) -> None:
    world.life.start({"referrals": 30, "seed": 5, "pace": 1000})
    pass_time(world, 1)
    truth = next(t for t in truths(world) if t.contact_id and t.sort == "plain")
    first, second = arrive(world, truth), arrive(world, truth)
    pass_time(world, 8)
    assert body(world, truth.tenant, "casework", first)["Status"] != "NEW"
    assert body(world, truth.tenant, "casework", second)["Status"] == "NEW"


def test_requests_typed_into_casework_move_by_themselves(world: World) -> None:
    world.life.start({"referrals": 60, "seed": 5, "pace": 1000})
    pass_time(world, 8)
    born = [truth for truth in truths(world) if truth.in_casework]
    assert born
    assert all(len(truth.reached) > 1 for truth in born)


def test_the_unreadable_request_breaks_the_interface_until_it_is_mended(world: World) -> None:
    world.life.start({"referrals": 60, "seed": 5, "pace": 1000})
    pass_time(world, 1)
    truth = next(t for t in truths(world) if t.unreadable)
    broken = body(world, "torfaen", "contact", truth.contact_id)
    with pytest.raises(shape.Misshapen):
        shape.check("Request", broken)
    assert world.life.progress()["waiting"]["to be mended at its source"] == 1
    assert world.life.mend_source() == 1
    assert world.life.mend_source() == 0
    mended = body(world, "torfaen", "contact", truth.contact_id)
    shape.check("Request", mended)
    assert mended["version"] == broken["version"] + 1
    assert {name: mended[name] for name in truth.wish} == truth.wish


def test_quiet_waits_for_arrivals_but_not_for_people(world: World) -> None:
    world.life.start({"referrals": 60, "seed": 5, "pace": 1000})
    pass_time(world, 12)
    progress = world.life.progress()
    assert progress["quiet"] is False
    assert progress["waiting"]["to arrive in casework"] > 40
    for truth in truths(world):
        if truth.sort == "plain" and (truth.contact_id or truth.health_id):
            arrive(world, truth)
    pass_time(world, 10)
    progress = world.life.progress()
    assert progress["quiet"] is True, progress
    assert progress["waiting"] == {
        "for a code that is not mapped": 3,
        "to be mended at its source": 1,
        "to arrive in casework": 0,
    }


def test_what_was_typed_in_by_hand_is_written_down_and_moves_on(world: World) -> None:
    world.life.start({"referrals": 30, "seed": 5, "pace": 1000})
    pass_time(world, 1)
    truth = next(t for t in truths(world) if t.contact_id and t.sort == "plain")
    casework: Any = world.systems["casework"]
    typed = {**as_referral(truth.tenant, truth.wish), "Reason": "by telephone"}
    number = casework.type_in(truth.tenant, typed)["ReferralId"]
    world.life.typed(truth.tenant, truth.contact_id, number)
    pass_time(world, 8)
    after = next(t for t in truths(world) if t.token == truth.token)
    assert after.typed is not None
    assert (after.typed["number"], after.case_id) == (number, number)
    assert len(after.reached) > 1
    with pytest.raises(Refused):
        world.life.typed(truth.tenant, "C-999999", number)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({}, "referrals"),
        ({"referrals": 0}, "referrals"),
        ({"referrals": True}, "referrals"),
        ({"referrals": 5, "seed": "x"}, "seed"),
        ({"referrals": 5, "pace": 0}, "pace"),
        ({"referrals": 5, "pace": "fast"}, "pace"),
        ({"referrals": 5, "colour": 1}, "colour"),
    ],
)
def test_what_life_is_told_is_checked(world: World, wanted: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused, match=words):
        world.life.start(wanted)
    assert world.life.progress()["quiet"] is True


def test_one_story_at_a_time_and_each_seed_once(world: World) -> None:
    world.life.start({"referrals": 1, "seed": 5, "pace": 1000, "councils": ["torfaen"]})
    with pytest.raises(Refused, match="still going on"):
        world.life.start({"referrals": 1, "seed": 6})
    pass_time(world, 1)
    for truth in truths(world):
        if not truth.in_casework:
            arrive(world, truth)
    pass_time(world, 12)
    with pytest.raises(Refused, match="another seed"):
        world.life.start({"referrals": 1, "seed": 5})
    assert world.life.start({"referrals": 1, "seed": 6})["planned"] == 1


def test_stories_are_started_watched_and_judged_over_http(running: Running) -> None:
    assert running.control("GET", "life")["quiet"] is True
    assert "referrals" in running.control("POST", "life", {"referrals": "many"}, status=409)["error"]
    started = running.control("POST", "life", {"referrals": 12, "seed": 9, "pace": 500, "pause": 0.01}, status=201)
    assert started["planned"] == 12
    until = time.monotonic() + 20
    while (progress := running.control("GET", "life"))["deeds_due"] or progress["started"] < 12:
        assert time.monotonic() < until, progress
        time.sleep(0.05)
    verdict = running.control("GET", "verdict")
    assert verdict["referrals"] == 12
    assert verdict["lost"] == 12
    assert verdict["texts"] == {"cy": 0, "en": 0, "both": 0}
    one = verdict["examples"]["lost"][0].split(":")[0]
    assert running.control("GET", f"verdict?except={one}")["lost"] == 11
    assert running.control("POST", "life/mend-source") == {"mended": 1}
    typed = {"tenant": "torfaen", "contact_id": "C-000001", "number": "OT-1"}
    assert running.control("POST", "truth/typed", typed, status=201) == typed
    assert "tenant" in running.control("POST", "truth/typed", {}, status=409)["error"]


def test_a_sandbox_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sandbox", "serve", "--dir", str(tmp_path), "--until-stdin-closes"]
    asked = {"referrals": 90, "seed": 3, "pace": 60, "pause": 0.3}
    for life in range(4):
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
        ) as process:
            assert process.stdout is not None
            url = json.loads(process.stdout.readline())["url"]
            if life == 0:
                requests.post(f"{url}/control/life", json=asked, timeout=10).raise_for_status()
            until = time.monotonic() + (0.5 if life < 3 else 20)
            while time.monotonic() < until:
                progress = requests.get(f"{url}/control/life", timeout=10).json()
                if progress["started"] == 90 and not progress["deeds_due"]:
                    break
                time.sleep(0.05)
            process.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
    assert (progress["started"], progress["refused"], progress["deeds_due"]) == (90, 0, 0)
    world = World(tmp_path)
    held = truths(world)
    assert len({truth.token for truth in held}) == len(held) == 90
    records = sum(
        world.store.collection(tenant, name).count()
        for tenant in COUNCILS
        for name in ("contact", "casework", "health")
    )
    assert records == 90
    tale = Plan(3, 90, COUNCILS, 3, 1, 0.3)
    for truth in held:
        errand = tale.errand(truth.number)
        if truth.in_casework:
            assert [status for status, _ in truth.reached] == ["NEW", *(step.what for step in errand.case)]
        elif any(step.what == "internal_notes" for step in errand.contact):
            assert truth.wish["internal_notes"]
    world.close()


def test_life_that_was_never_begun_can_be_stopped(world: World) -> None:
    assert isinstance(world.life, Life)
    world.life.stop()
