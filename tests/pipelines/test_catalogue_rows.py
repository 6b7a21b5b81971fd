"""Rows of docs/catalogue.md that need both ends and everything between: 15, 20, 21, 28, 29, 31, and R8, R9, R10, D1.

Driven by hand on the rig, as `test_promises.py` is. What is judged at the end is read from the systems alone.
"""

from __future__ import annotations

import itertools
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import select

from pipelines import overview
from pipelines.intake import Intake
from pipelines.tables import conflict, delivery
from pipelines.walks import Walker
from pipelines.worker import Worker
from tests.conftest import PROFILE
from tests.rig.hands import KIND, Rig

TIERS = {"alder": "A", "cedar": "B", "elder": "C"}


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Callable[..., Rig]]:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    made: list[Rig] = []

    def rig(tiers: dict[str, str] = TIERS, **more: Any) -> Rig:
        made.append(Rig(tmp_path, tiers, **more))
        return made[-1]

    yield rig
    for one in made:
        one.close()
    structlog.reset_defaults()


def ends_well(rig: Rig) -> None:
    assert rig.never() == []
    rig.rest()
    verdict = rig.verdict()
    assert verdict.well, verdict
    look = overview.look(rig.plant)
    assert look.sums_agree
    assert look.open == 0, look.deliveries


def worked(rig: Rig, council: str, side: str) -> int:
    """A worker sends all that is due there; returns how many calls it made."""
    calls = 0
    while rig.lease(1, council, side, 8):
        while rig.send(1):
            calls += 1
        rig.write(1)
    return calls


def test_row_15_whatever_order_versions_come_in_the_newest_stays(rig: Callable[..., Rig]) -> None:
    here = rig({"alder": "A"})
    desk, wired = here.web.systems["alder/desk"], here.wired("alder", "desk")
    orders = list(itertools.permutations(range(4)))
    names = [f"P{number:02d}" for number in range(len(orders))]
    cases = [desk.type_in(name) for name in names]
    shown = []
    for words in ("one", "two", "three", "four"):
        here.push(60)
        for case in cases:
            desk.change(case.id, reason=words)
        shown.append({item.id: item for item in wired.connector.changes(KIND, watermark="").items})
    intake = Intake(here.plant, here.council("alder"))
    for turn in range(4):  # each record gets its four versions in an order of its own
        items = [shown[order[turn]][case.id] for case, order in zip(cases, orders, strict=True)]
        intake.take(wired, wired.kinds[KIND], items)
        worked(here, "alder", "care")
    assert {case.body["reason"] for case in here.web.systems["alder/care"].cases.values()} == {"four"}
    ends_well(here)


def test_row_20_a_refused_login_pauses_the_connection_and_burns_nothing(rig: Callable[..., Rig]) -> None:
    here = rig({"alder": "A"})
    desk, care = here.web.systems["alder/desk"], here.web.systems["alder/care"]
    for number in range(50):
        desk.type_in(f"P{number}")
    here.read("alder", "desk")
    care.shut = True
    worker = Worker(here.plant, "boot")
    assert worker.drain(here.council("alder"), "care") == 1, "the rest of the batch was not even tried"
    assert worker.drain(here.council("alder"), "care") == 0
    worker.close()
    look = overview.look(here.plant)
    assert look.attention == 0, "a login is one fault and not fifty"
    assert [link.paused != "" for link in look.links] == [False, True]
    with here.plant.ledger.reading() as connection:
        tries = connection.execute(select(delivery.c.tries)).scalars().all()
    assert sum(tries) == 0
    care.shut = False
    from pipelines import control

    control.resume(here.plant, here.wired("alder", "care"), who="officer")
    ends_well(here)


def test_row_21_one_poisonous_record_delays_none_of_a_thousand(rig: Callable[..., Rig]) -> None:
    here = rig({"alder": "A", "cedar": "B"})
    for council in here.tiers:
        desk, care = here.web.systems[f"{council}/desk"], here.web.systems[f"{council}/care"]
        for number in range(500):
            desk.type_in(f"P{number}")
        care.refuses = {"P77"}
        while here.read(council, "desk"):
            pass
        calls = worked(here, council, "care")
        assert calls == 500, "it was tried once, and nobody else had to wait for it"
        assert len(care.cases) == 499
    look = overview.look(here.plant)
    assert look.deliveries["needs attention"] == 2
    assert look.deliveries["arrived"] == 998
    for care in (here.web.systems[f"{council}/care"] for council in here.tiers):
        care.refuses = set()
    ends_well(here)


def test_row_28_r10_an_edit_storm_on_both_sides_ends_by_itself(rig: Callable[..., Rig], rng: random.Random) -> None:
    here = rig({"alder": "A"})
    desk, care = here.web.systems["alder/desk"], here.web.systems["alder/care"]
    for name in ("Ann", "Bob"):
        desk.type_in(name)
    here.read("alder", "desk")
    worked(here, "alder", "care")
    statuses = ("triage", "accepted", "in-progress", "on-hold")
    for turn in range(500):
        if rng.random() < 0.5:
            desk.change(rng.choice(list(desk.cases)), reason=f"words {turn}")
        else:
            care.change(rng.choice(list(care.cases)), status=rng.choice(statuses))
        if turn % 25 == 0:
            here.push(1)
            for side, other in (("desk", "care"), ("care", "desk")):
                here.read("alder", side)
                worked(here, "alder", other)
    for _ in range(2):  # two cycles, one each way
        here.push(5)
        for side, other in (("desk", "care"), ("care", "desk")):
            here.read("alder", side)
            worked(here, "alder", other)
    before = (desk.writes, care.writes)
    here.push(5)
    for side, other in (("desk", "care"), ("care", "desk")):
        assert here.read("alder", side) == 0
        assert worked(here, "alder", other) == 0
    assert (desk.writes, care.writes) == before, "they still tell each other what they know"
    ends_well(here)


def test_row_28_an_edit_that_comes_right_behind_our_write_is_no_echo(rig: Callable[..., Rig]) -> None:
    here = rig({"alder": "A", "cedar": "B"})
    for council in here.tiers:
        desk, care = here.web.systems[f"{council}/desk"], here.web.systems[f"{council}/care"]
        desk.type_in("Ann")
        here.read(council, "desk")
        worked(here, council, "care")
        care.change(care.of("Ann")[0].id, status="triage")  # within the second of our write
        here.read(council, "care")
        worked(here, council, "desk")
        assert desk.of("Ann")[0].body["status"] == "triage"
    ends_well(here)


def test_row_29_when_both_change_one_field_the_owner_wins_and_the_other_is_kept(rig: Callable[..., Rig]) -> None:
    here = rig({"alder": "A"})
    desk, care = here.web.systems["alder/desk"], here.web.systems["alder/care"]
    desk.type_in("Ann")
    here.read("alder", "desk")
    worked(here, "alder", "care")
    here.read("alder", "care")
    worked(here, "alder", "desk")
    here.push(60)
    desk.change(desk.of("Ann")[0].id, reason="the desk's words", safeguarding=True)
    care.change(care.of("Ann")[0].id, reason="care's words", priority="urgent")
    for side in ("care", "desk"):
        here.read("alder", side)
    for _ in range(3):
        worked(here, "alder", "care")
        worked(here, "alder", "desk")
        here.push(60)
        here.read("alder", "care")
        here.read("alder", "desk")
    assert (desk.of("Ann")[0].body["reason"], care.of("Ann")[0].body["reason"]) == ("the desk's words",) * 2
    with here.plant.ledger.reading() as connection:
        lost = connection.execute(select(conflict.c.field, conflict.c.winner, conflict.c.loser)).all()
    assert ("reason.text", "desk", "care") in [tuple(row) for row in lost], "what lost is written down"


def restored(here: Rig, folder: Path) -> None:
    """Put an older copy of everything that Dolen keeps in the place of what it has."""
    here.plant.close()
    for hand in here.hands.values():
        hand.journal.abandon()
    here.hands.clear()
    shutil.rmtree(here.site.parent / "data")
    shutil.copytree(folder, here.site.parent / "data")
    here.begin()


def test_d1_row_31_a_copy_of_ten_minutes_ago_doubles_and_loses_nothing(rig: Callable[..., Rig], tmp_path: Path) -> None:
    here = rig({"alder": "A", "cedar": "B"}, matched=True)
    for council in here.tiers:
        for name in ("Ann", "Bob"):
            here.web.systems[f"{council}/desk"].type_in(name)
        here.read(council, "desk")
        worked(here, council, "care")
    here.kill_all()
    here.plant.close()
    shutil.copytree(here.site.parent / "data", tmp_path / "copy")
    here.begin()
    here.push(600)
    for council in here.tiers:  # what the copy does not know: new cases, and changes of those that it knows
        desk, care = here.web.systems[f"{council}/desk"], here.web.systems[f"{council}/care"]
        desk.type_in("Cai")
        desk.change(desk.of("Ann")[0].id, reason="second")
        here.read(council, "desk")
        worked(here, council, "care")
        care.change(care.of("Bob")[0].id, status="triage")
        here.read(council, "care")
        worked(here, council, "desk")
    restored(here, tmp_path / "copy")
    here.push(60)
    for council in here.tiers:  # first what the targets hold, and only then what is to be sent to them
        here.read(council, "care")
        here.read(council, "desk")
    ends_well(here)


@pytest.mark.parametrize("council", TIERS)
def test_r8_of_creates_without_an_answer_none_is_doubled_and_each_is_settled(
    rig: Callable[..., Rig], council: str, rng: random.Random
) -> None:
    here = rig({council: TIERS[council]})
    desk, care = here.web.systems[f"{council}/desk"], here.web.systems[f"{council}/care"]
    for number in range(60):
        desk.type_in(f"P{number}")
    here.read(council, "desk")
    unclear = 0
    while jobs := here.lease(1, council, "care", 1):
        answer = rng.choice(("done, unsaid", "late", "not done, unsaid", "fail, done")) if rng.random() < 0.3 else ""
        unclear += bool(answer) and not jobs[0].look_up
        care.answers.extend([answer] if answer else [])
        here.send(1)
        here.write(1)
        care.answers.clear()
        if rng.random() < 0.2:
            here.push(1)
    assert unclear > 5
    ends_well(here)


@pytest.mark.parametrize("number", range(500 if PROFILE == "long" else 12))
def test_row_11_r9_a_paged_history_of_edits_ties_and_late_rows_is_read_whole(
    rig: Callable[..., Rig], rng: random.Random, number: int
) -> None:
    here = rig({"cedar": "B"}, slow=rng.choice((0, 7200, -7200)))
    desk = here.web.systems["cedar/desk"]
    desk.page_size, desk.newest_first = rng.randint(1, 4), rng.random() < 0.5
    wired = here.wired("cedar", "desk")
    for turn in range(60):
        match rng.randrange(6):
            case 0 | 1:
                desk.type_in(f"P{turn}", hidden=rng.random() < 0.3)
            case 2 if desk.cases:
                desk.change(rng.choice(list(desk.cases)), reason=f"words {turn}")
            case 3:
                for case in desk.cases.values():
                    desk.show(case)
            case 4:
                Walker(here.plant, here.council("cedar")).walk(wired, wired.kinds[KIND], most_pages=1)
            case _:
                # A late row is late by less than the overlap, 30 seconds; equal stamps are common.
                here.push(rng.choice((0, 1, 5)))
                if rng.random() < 0.2:
                    desk.forgets = True
        if turn % 20 == 19:
            for case in desk.cases.values():
                desk.show(case)
            here.read("cedar", "desk")
    here.kill_all()
    here.read("cedar", "desk")
    here.read("cedar", "desk")
    ends_well(here)
