"""Comparing two systems, on real pretend ones: by stamps first, giving way, and believing no short listing. Catalogue
rows 12 and 14 (late commits, deletes at the source); G10."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import insert

from connectors.port import Page
from pipelines import courtesy, overview, pauses, proofs, repair, tables
from pipelines.courtesy import PutOff
from pipelines.looking import NotPossible
from pipelines.prover import compare, make
from pipelines.reconcile import reconcile
from tests.pipelines.comparisons import (
    CODE,
    ROUTE,
    bring_in_step,
    cases,
    council,
    forward,
    long_ago,
    planned,
    report,
    rows,
    surname,
    watched,
)


@pytest.fixture
def in_step(town: Any) -> Any:
    """Three requests of Torfaen that both systems hold."""
    return bring_in_step(town)


# --- Stamps first -----------------------------------------------------------------------------------------------------


def test_what_agreed_under_the_same_stamps_is_not_read_whole_again(in_step: Any) -> None:
    kind = council(in_step).wired["casework"].kinds["Referral"]
    looked: list[str] = []
    kind.mapping = _Watched(kind.mapping, looked)
    found = report(in_step)
    assert (found.compared, found.unchanged, looked) == (3, 3, [])
    in_step.change(CODE, "casework", cases(in_step)[1], Subject={"Surname": "Arall"})
    found = report(in_step)
    assert (found.compared, found.unchanged) == (3, 2)
    assert [line.fields for line in found.different] == [("person.name.family",)]
    assert set(looked) == {cases(in_step)[1]}


class _Watched:
    def __init__(self, real: Any, looked: list[str]) -> None:
        self._real, self._looked = real, looked

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def read(self, record: dict[str, Any]) -> Any:
        self._looked.append(str(record["ReferralId"]))
        return self._real.read(record)


def test_a_change_at_the_source_has_its_target_read_by_number(in_step: Any) -> None:
    """The target's stamp is the old one, so its record is asked for when, and only when, the source's has moved."""
    in_step.change(CODE, "contact", "C-000001", internal_notes="Ffoniodd eto")
    in_step.read()
    in_step.deliver()
    with watched(in_step, "casework") as calls:
        found = report(in_step)
    assert (found.agrees, found.compared, found.unchanged) == (True, 3, 2)
    assert calls.asked.count("fetch") == 1


def test_whole_reads_everything(in_step: Any) -> None:
    assert report(in_step, whole=True).unchanged == 0
    assert report(in_step).unchanged == 3


def test_another_owner_makes_stamps_worthless(in_step: Any) -> None:
    assert report(in_step).unchanged == 3
    council(in_step).owners = {**council(in_step).owners, "needs": "casework"}
    assert report(in_step).unchanged == 0


# --- Row 14: deletes at the source ------------------------------------------------------------------------------------


def test_row_14_what_the_source_deleted_is_told_and_nothing_is_deleted(in_step: Any) -> None:
    in_step.control("DELETE", f"{CODE}/contact/records/C-000002")
    found = report(in_step)
    assert [(line.source, line.words) for line in found.gone] == [("C-000002", "contact no longer has it")]
    assert found.agrees
    in_step.rest()
    assert len(cases(in_step)) == 3


def test_row_14_an_empty_listing_is_not_believed(in_step: Any) -> None:
    with watched(in_step, "contact") as calls:
        calls.pages = lambda page: Page([], "", page.watermark)
        found = report(in_step)
    assert not found.agrees
    assert "lists nothing at all, and not 3 of the 3" in found.doubt
    assert (found.gone, found.differences) == ([], 0)
    steps = repair.plan(in_step.plant, council(in_step), found)
    assert steps == []


def test_row_14_a_much_shorter_listing_is_not_believed(in_step: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.listing._FEW", 1)
    with watched(in_step, "contact") as calls:
        calls.pages = lambda page: Page(list(page.items)[:1], "", page.watermark)
        found = report(in_step)
    assert "lists 1 records, and not 2 of the 3" in found.doubt
    assert not found.agrees


def test_row_14_an_empty_listing_of_the_target_sends_nothing_twice(in_step: Any) -> None:
    with watched(in_step, "casework") as calls:
        calls.pages = lambda page: Page([], "", page.watermark)
        found = report(in_step)
    assert found.agrees  # each was asked for by its number before anything was said
    assert found.compared == 3


# --- Row 12: late commits ---------------------------------------------------------------------------------------------


def test_row_12_a_commit_too_late_for_every_overlap_is_found_and_taken_in(in_step: Any) -> None:
    with long_ago(in_step):
        in_step.ask(CODE)
    assert in_step.read() == 0  # its stamp lies before the watermark: the feed never shows it
    found = report(in_step)
    assert [(line.source, line.words) for line in found.missing] == [("C-000004", "its feed never showed this")]
    assert planned(in_step).taken_in == 1
    in_step.rest()
    assert len(cases(in_step)) == 4
    assert report(in_step).agrees
    late = rows(in_step, tables.version, external_id="C-000004")[0]
    assert (late.purpose, late.state) == ("reconcile", "merged")


def test_row_12_a_late_change_of_a_known_record_is_taken_in(in_step: Any) -> None:
    """A change that its system stamped, and that its feed left out."""
    with watched(in_step, "contact") as calls:
        in_step.change(CODE, "contact", "C-000001", customer={"last_name": "Newydd"})
        calls.pages = lambda page: Page(
            [one for one in page.items if one.id != "C-000001"], page.cursor, page.watermark
        )
        in_step.push(1)
        in_step.ask(CODE)  # what comes after moves the watermark past it
        in_step.rest()
    forward(in_step, seconds=3600)
    assert [line.source for line in report(in_step).stale] == ["C-000001"]
    planned(in_step)
    in_step.rest()
    assert surname(in_step, cases(in_step)[0]) == "Newydd"


# --- Manners ----------------------------------------------------------------------------------------------------------


def test_a_paused_connection_is_not_called(in_step: Any) -> None:
    with in_step.plant.ledger.writing() as connection:
        pauses.set_pause(
            connection, CODE, "casework", why=pauses.BY_PERSON, words="", who="A", now=in_step.clock.now(), until=None
        )
    with watched(in_step, "casework") as calls, pytest.raises(PutOff, match="paused"):
        report(in_step)
    assert calls.asked == []


def test_a_maintenance_window_is_kept(in_step: Any) -> None:
    wired = council(in_step).wired["casework"]
    wired.settings = {**wired.settings, "paused": True}
    with watched(in_step, "casework") as calls, pytest.raises(PutOff, match="maintenance"):
        report(in_step)
    assert calls.asked == []


def test_live_work_goes_first(in_step: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call waits for a drain that sits at the connection, and not for ever."""
    waits: list[float] = []

    def wait(_event: threading.Event, seconds: float) -> bool:
        waits.append(seconds)
        return False

    monkeypatch.setattr(in_step.clock, "wait", wait)
    now = in_step.clock.now()
    with in_step.plant.ledger.writing() as connection:
        connection.execute(
            insert(tables.seat).values(
                council=CODE, connection="casework", number=99, owner="boot/9", until=now + 60_000_000
            )
        )
    assert report(in_step).agrees
    assert waits.count(0.1) == courtesy._STEPS - 1  # one call to casework


def test_a_comparison_that_is_stopped_begins_anew(in_step: Any) -> None:
    one = proofs.Due(CODE, ROUTE, in_step.clock.now(), False)
    assert proofs.claim(in_step.plant, one, "boot/1")
    stop = threading.Event()
    stop.set()
    assert make(in_step.plant, one, "boot/1", stop) is None
    assert proofs.claim(in_step.plant, one, "boot/2")  # at once: nobody has to wait for it


def test_a_system_that_is_down_puts_it_off(in_step: Any) -> None:
    in_step.faults(CODE, "casework", dead={"seconds": 0})
    one = proofs.Due(CODE, ROUTE, in_step.clock.now(), False)
    assert proofs.claim(in_step.plant, one, "boot/1")
    assert make(in_step.plant, one, "boot/1", threading.Event()) is None
    assert not proofs.claim(in_step.plant, one, "boot/1")
    in_step.well(CODE, "casework")
    in_step.push(3601)
    assert planned_again(in_step, one).agrees


def planned_again(town: Any, one: Any) -> Any:
    assert proofs.claim(town.plant, one, "boot/2")
    return make(town.plant, one, "boot/2", threading.Event())


def test_what_was_found_is_the_proof_on_the_overview(in_step: Any) -> None:
    def shown() -> Any:
        [one] = [one for one in overview.look(in_step.plant).proofs if (one.council, one.route) == (CODE, ROUTE)]
        return one

    assert (shown().at, shown().agrees) == (None, None)
    compare(in_step.plant, council(in_step), ROUTE, who="A. Swyddog")
    assert (shown().agrees, shown().compared, shown().differ) == (True, 3, 0)
    in_step.change(CODE, "casework", cases(in_step)[1], Subject={"Surname": "Rhywunarall"})
    compare(in_step.plant, council(in_step), ROUTE, who="A. Swyddog")
    assert (shown().agrees, shown().differ) == (False, 1)
    [newest] = rows(in_step, tables.reconciliation, agrees=False)
    assert newest.findings["different"][0]["fields"] == ["person.name.family"]
    assert "Rhywunarall" not in str(newest._mapping)


def test_a_route_that_carries_texts_cannot_be_compared(town: Any) -> None:
    with pytest.raises(NotPossible, match="carries texts"):
        reconcile(town.plant, council(town), "tell-the-resident")
