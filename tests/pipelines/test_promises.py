"""The shortest histories in which one rule of the movement decides between well and harm.

Each is what the state machine of `test_model.py` would find by chance, written down so that it happens every time:
`tests/mutants` takes the rules out one by one and sees the test that is named for it turn red. Rows 2, 12, 13, 15, 16
and 27 of docs/catalogue.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from pipelines import overview
from pipelines.relay import Relay
from pipelines.walks import Walker
from tests.rig.hands import KIND, Rig

TIERS = {"alder": "A", "cedar": "B", "elder": "C"}


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Callable[..., Rig]]:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    made: list[Rig] = []

    def rig(**more: Any) -> Rig:
        made.append(Rig(tmp_path, TIERS, **more))
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


def asked(rig: Rig, council: str, answer: str = "") -> None:
    """Somebody asks for help, a worker has leased the create, and care will answer so."""
    rig.web.systems[f"{council}/desk"].type_in("Ann")
    rig.read(council, "desk")
    assert len(rig.lease(1, council, "care", 4)) == 1
    if answer:
        rig.web.systems[f"{council}/care"].answers.append(answer)


class Hole:
    """A broker that takes every message and delivers none."""

    def __init__(self) -> None:
        self.got: list[Any] = []

    def publish(self, wakes: list[Any]) -> None:
        self.got += wakes


def test_row_2_a_wake_up_that_was_lost_is_published_again(rig: Callable[..., Rig]) -> None:
    here, hole = rig(), Hole()
    here.web.systems["alder/desk"].type_in("Ann")
    here.read("alder", "desk")
    relay = Relay(here.plant)
    relay.turn(hole)  # type: ignore[arg-type]
    assert [wake.connection for wake in hole.got] == ["care"]
    for seconds in (1, 60, 3600):
        hole.got.clear()
        here.push(seconds)
        relay.turn(hole)  # type: ignore[arg-type]
        assert [wake.connection for wake in hole.got] == ["care"]


@pytest.mark.parametrize("council", TIERS)
def test_row_1_a_worker_that_dies_before_it_calls_has_done_nothing(rig: Callable[..., Rig], council: str) -> None:
    here = rig()
    asked(here, council)
    here.kill(1)
    assert len(here.lease(2, council, "care", 4)) == 1, "what was never sent waits again at once"
    assert here.send(2) is not None
    here.write(2)
    ends_well(here)


@pytest.mark.parametrize("how", ["done, unsaid", "late", "fail, done", "dies"])
@pytest.mark.parametrize("council", TIERS)
def test_row_16_what_is_done_and_not_said_is_looked_up_before_it_is_sent_again(
    rig: Callable[..., Rig], council: str, how: str
) -> None:
    here = rig()
    asked(here, council, "" if how == "dies" else how)
    here.send(1)
    if how == "dies":
        here.kill(1)
    else:
        here.write(1)
    ends_well(here)


@pytest.mark.parametrize("council", ["alder", "cedar"])
def test_row_16_a_create_that_is_repeated_does_not_write_over_what_staff_wrote_meanwhile(
    rig: Callable[..., Rig], council: str
) -> None:
    here = rig()
    asked(here, council, "done, unsaid")
    here.send(1)
    here.write(1)
    care = here.web.systems[f"{council}/care"]
    care.change(care.of("Ann")[0].id, status="triage", notes="rang her")
    for _ in range(3):  # before care is read, which would tell by itself that it is there
        here.push(3)
        here.lease(2, council, "care", 4)
        here.send(2)
        here.write(2)
    ends_well(here)


def test_g3_a_lane_that_somebody_holds_is_nobody_elses(rig: Callable[..., Rig]) -> None:
    here = rig()
    asked(here, "cedar")
    for _ in range(5):  # all within the lease of the first, who is slow and has not begun
        here.push(3)
        here.lease(2, "cedar", "care", 4)
        here.send(2)
        here.write(2)
    here.send(1)
    here.write(1)
    ends_well(here)


def test_row_27_the_late_word_of_an_old_lease_is_not_written(rig: Callable[..., Rig]) -> None:
    here = rig()
    asked(here, "cedar", "throttle")  # not done; and before that is written down, the worker sleeps
    here.send(1)
    for _ in range(4):  # somebody takes over, looks it up twice, and has it leased again to be sent
        here.push(400)
        jobs = here.lease(2, "cedar", "care", 4)
        if jobs and not jobs[0].look_up:
            break
        here.send(2)
        here.write(2)
    assert jobs, "nobody took over"
    lost = here.write(1)
    here.lease(3, "cedar", "care", 4)
    here.send(3)
    here.write(3)
    here.send(2)
    here.write(2)
    assert len(lost) == 1, "it was let write"
    ends_well(here)


def test_row_9_a_walk_that_ended_in_the_middle_begins_where_the_last_whole_one_ended(rig: Callable[..., Rig]) -> None:
    here = rig()
    desk = here.web.systems["cedar/desk"]
    desk.page_size, desk.newest_first = 2, True
    for age, name in ((5000, "Ann"), (4000, "Bob"), (3000, "Cai"), (1, "Dai"), (0, "Eve")):
        desk.type_in(name, stamp=int(here.clock.seconds()) - age)
    wired = here.wired("cedar", "desk")
    Walker(here.plant, here.council("cedar")).walk(wired, wired.kinds[KIND], most_pages=1)
    here.kill_all()
    desk.forgets = True  # and it knows the place no more
    ends_well(here)


def test_row_12_a_commit_that_began_earlier_and_shows_up_later_is_not_passed_over(rig: Callable[..., Rig]) -> None:
    here = rig()
    desk = here.web.systems["alder/desk"]
    late = desk.type_in("Ann", hidden=True)
    here.push(20)
    desk.type_in("Bob")
    here.read("alder", "desk")
    here.push(5)
    desk.show(late)
    here.push(300)
    ends_well(here)


def test_row_12_equal_stamps_on_both_sides_of_a_reading_are_not_passed_over(rig: Callable[..., Rig]) -> None:
    here = rig()
    desk = here.web.systems["alder/desk"]
    for name in ("Ann", "Bob", "Cai"):
        desk.type_in(name)
        here.read("alder", "desk")
    ends_well(here)


@pytest.mark.parametrize("slow", [7200, -7200])
def test_row_13_a_source_whose_clock_is_wrong_loses_nothing(rig: Callable[..., Rig], slow: float) -> None:
    here = rig(slow=slow)
    desk = here.web.systems["alder/desk"]
    for name in ("Ann", "Bob", "Cai"):
        desk.type_in(name)
        here.read("alder", "desk")
        here.push(120)
    desk.change(desk.of("Ann")[0].id, reason="second")
    ends_well(here)
