"""Planned comparisons: one for each planned instant however many keep the timetable, caught up once, given back and
taken over. Nothing is read here; `test_reconcile.py` does that."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipelines import comparing_asked, proofs, prover
from pipelines.clock import SECOND, to_time
from pipelines.looking import NotPossible
from pipelines.proofs import Due
from pipelines.prover import Prover
from pipelines.report import Line, Report
from pipelines.rights import Officer, Role
from pipelines.seeing import through

pytest_plugins = ("tests.pipelines.pieces",)

HOUR = 3600 * SECOND
ROUTE = "contact-to-casework"


def at(day: int, hour: int, minute: int = 0) -> int:
    """An instant of July 2026 by the clocks of Wales, an hour ahead of UTC."""
    return to_time(datetime(2026, 7, day, hour, minute, tzinfo=UTC) - timedelta(hours=1))


@pytest.fixture
def kept(bench: Any) -> Any:
    """A bench on which the timetable is kept since 13:00 on 2 July."""
    assert proofs.due(bench.plant) is None
    return bench


def go_to(bench: Any, instant: int) -> None:
    bench.clock.at = instant


def make_all(bench: Any, owner: str = "boot/1") -> list[Due]:
    made = []
    while (one := proofs.due(bench.plant)) is not None:
        assert proofs.claim(bench.plant, one, owner)
        assert proofs.finish(bench.plant, one, owner, Report(one.council, one.route, "contact", "casework"))
        made.append(one)
    return made


def test_nothing_is_due_before_its_time_and_each_route_once_after_it(kept: Any) -> None:
    go_to(kept, at(3, 3, 14))
    assert make_all(kept) == []
    go_to(kept, at(3, 3, 16))
    made = make_all(kept)
    assert {(one.council, one.route) for one in made} == {
        (code, route.name)
        for code, council in kept.plant.councils.items()
        for route in council.routes
        if route.carries == "state" and not route.text and "occupational" not in route.name
    }
    assert {one.at for one in made} == {at(3, 3, 15)}
    go_to(kept, at(3, 23))
    assert make_all(kept) == []


def test_what_was_planned_before_anybody_kept_the_timetable_was_not_missed(bench: Any) -> None:
    assert make_all(bench) == []
    assert make_all(bench) == []


def test_several_missed_nights_are_made_up_for_once(kept: Any) -> None:
    go_to(kept, at(8, 12))
    assert {one.at for one in make_all(kept)} == {at(8, 3, 15)}


def test_two_claim_and_one_has_it(kept: Any) -> None:
    go_to(kept, at(3, 4))
    one = proofs.due(kept.plant)
    assert one is not None
    claims = [proofs.claim(kept.plant, one, f"boot/{n}") for n in range(4)]
    assert claims == [True, False, False, False]
    other = proofs.due(kept.plant)
    assert other is not None
    assert (other.council, other.route) != (one.council, one.route)


def test_a_claim_that_nobody_renews_is_taken_over_and_its_holder_finds_out(kept: Any) -> None:
    go_to(kept, at(3, 4))
    one = proofs.due(kept.plant)
    assert one is not None
    assert proofs.claim(kept.plant, one, "boot/1")
    kept.clock.at += proofs.CLAIM // 2
    assert proofs.renew(kept.plant, one, "boot/1")
    kept.clock.at += proofs.CLAIM // 2 + SECOND
    assert not proofs.claim(kept.plant, one, "boot/2")
    kept.clock.at += proofs.CLAIM
    assert proofs.claim(kept.plant, one, "boot/2")
    assert not proofs.renew(kept.plant, one, "boot/1")
    found = Report(one.council, one.route, "contact", "casework")
    assert not proofs.finish(kept.plant, one, "boot/1", found)
    assert proofs.finish(kept.plant, one, "boot/2", found)


def test_what_had_to_give_way_is_tried_again_later(kept: Any) -> None:
    go_to(kept, at(3, 4))
    one = proofs.due(kept.plant)
    assert one is not None
    assert proofs.claim(kept.plant, one, "boot/1")
    proofs.put_off(kept.plant, one, "boot/1", words="casework is paused", seconds=900)
    assert one not in make_all(kept)
    kept.clock.at += 900 * SECOND
    assert make_all(kept) == [one]


def test_everything_is_read_whole_once_a_week(kept: Any) -> None:
    whole = []
    for day in range(3, 19):
        go_to(kept, at(day, 5))
        whole += [day for one in make_all(kept) if (one.council, one.route) == ("torfaen", ROUTE) and one.whole]
    assert whole == [3, 10, 17]


def test_a_route_keeps_its_own_time_or_none(bench_with: Any) -> None:
    bench = bench_with(
        ("    creates_persons: true", "    creates_persons: true\n    reconcile: {cron: '30 12 * * *'}"),
        ("    record: Request\n", "    record: Request\n    reconcile: {cron: null}\n"),
    )
    assert proofs.due(bench.plant) is None
    go_to(bench, at(3, 3, 20))
    assert not [one for one in make_all(bench) if one.council == "torfaen"]
    go_to(bench, at(3, 12, 31))
    assert [(one.route, one.at) for one in make_all(bench) if one.council == "torfaen"] == [(ROUTE, at(3, 12, 30))]


def test_old_comparisons_are_let_go_of(kept: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proofs, "KEPT", 3)
    for day in range(4, 9):
        go_to(kept, at(day, 5))
        make_all(kept)
    days = [row.at for row in kept.rows("reconciliation", council="torfaen", route=ROUTE, whole=False)]
    assert days == [at(day, 3, 15) for day in (6, 7, 8)]


def test_a_proof_holds_numbers_and_field_names(kept: Any) -> None:
    found = Report("torfaen", ROUTE, "contact", "casework", compared=9)
    found.add("different", Line("C-1", "881", "r", ("person.name.family",)))
    proofs.keep(kept.plant, found, who="A. Swyddog", whole=True, begun=kept.clock.now())
    row = kept.row("reconciliation")
    assert (row.agrees, row.counts["differ"], row.counts["compared"]) == (False, 1, 9)
    with kept.reading() as connection:
        shown = {(one.council, one.route): one for one in proofs.of_routes(connection, kept.plant)}
    assert (shown["torfaen", ROUTE].agrees, shown["torfaen", ROUTE].differ) == (False, 1)
    assert shown["torfaen", "casework-to-contact"].at is None


@dataclass
class Turn:
    """What the scheduler hands a job."""

    boot: str = "boot"
    stop: threading.Event = field(default_factory=threading.Event)


def test_the_prover_makes_one_at_a_time_beside_the_scheduler(kept: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    going, go_on, made = threading.Event(), threading.Event(), []

    def slow(_plant: Any, one: Due, owner: str, _stop: threading.Event) -> None:
        going.set()
        assert go_on.wait(20)
        made.append(one)
        proofs.finish(kept.plant, one, owner, Report(one.council, one.route, "a", "b"))

    monkeypatch.setattr(prover, "make", slow)
    go_to(kept, at(3, 4))
    job, turn = Prover(kept.plant), Turn()
    began = time.monotonic()
    job(turn)  # type: ignore[arg-type]
    assert going.wait(20)
    for _ in range(3):
        kept.clock.at += 6 * SECOND
        job(turn)  # type: ignore[arg-type]
    assert time.monotonic() - began < 10  # it never waits for the comparison
    assert len(kept.rows("reconciliation")) == 1
    go_on.set()
    job.close()
    kept.clock.at += 6 * SECOND
    job(turn)  # type: ignore[arg-type]
    job.close()
    assert len(made) == 2
    turn.stop.set()
    kept.clock.at += 6 * SECOND
    job(turn)  # type: ignore[arg-type]
    job.close()
    assert len(made) == 2


# --- Asked for --------------------------------------------------------------------------------------------------------


def test_of_a_route_one_comparison_goes_on_at_a_time_whoever_wants_it(kept: Any) -> None:
    comparing_asked.ask(kept.plant, "torfaen", ROUTE, who="ann")
    with pytest.raises(NotPossible, match="is being compared already"):
        comparing_asked.ask(kept.plant, "torfaen", ROUTE, who="bob")
    one = comparing_asked.next_one(kept.plant)
    assert one is not None and one.asked
    go_to(kept, at(3, 3, 16))
    planned = Due("torfaen", ROUTE, at(3, 3, 15), False)
    assert proofs.claim(kept.plant, one, "boot/1")
    assert comparing_asked.next_one(kept.plant) is None, "nobody takes it twice"
    assert not proofs.claim(kept.plant, planned, "boot/2")
    assert ("torfaen", ROUTE) not in {(due.council, due.route) for due in make_all(kept, "boot/3")}
    assert [(row.by, row.runs) for row in comparing_asked.in_hand(kept.plant)] == [("ann", True)]
    assert proofs.finish(kept.plant, one, "boot/1", None, "casework does not answer")
    assert comparing_asked.in_hand(kept.plant) == []
    assert proofs.claim(kept.plant, planned, "boot/2")
    with pytest.raises(NotPossible, match="is being compared already"):
        comparing_asked.ask(kept.plant, "torfaen", ROUTE, who="bob")


def test_what_cannot_be_compared_or_is_not_ones_own_is_not_asked_for(kept: Any) -> None:
    eyes = through(kept.plant, Officer("op", {"torfaen": frozenset({Role.OPERATOR})}, "name op"))
    for council, route in (("torfaen", "tell-the-resident"), ("blaenau-gwent", ROUTE), ("torfaen", "none")):
        with pytest.raises(NotPossible, match="no route of that name"):
            comparing_asked.ask(eyes, council, route, who="op")
    viewer = through(kept.plant, Officer("v", {"torfaen": frozenset({Role.VIEWER})}, "name v"))
    with pytest.raises(NotPossible, match="operator"):
        comparing_asked.ask(viewer, "torfaen", ROUTE, who="v")


def test_one_that_was_asked_for_and_cannot_be_made_ends_with_the_reason(kept: Any) -> None:
    comparing_asked.ask(kept.plant, "torfaen", ROUTE, who="ann")
    one = comparing_asked.next_one(kept.plant)
    assert one is not None and proofs.claim(kept.plant, one, "boot/1")
    assert prover.make(kept.plant, one, "boot/1", threading.Event()) is None  # nothing listens where the site points
    row = kept.row("reconciliation")
    assert row.done is not None and row.agrees is None and row.words
    assert comparing_asked.next_one(kept.plant) is None
