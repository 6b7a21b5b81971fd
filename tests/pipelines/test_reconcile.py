"""Comparing two systems, on real pretend ones: by stamps first, giving way, believing no short listing, mending by
replay. Catalogue rows 11, 12 and 14 (deletes at the source, late commits); G10."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from connectors.port import Page, Receipt
from pipelines import courtesy, pauses, proofs, repair, tables
from pipelines.courtesy import PutOff
from pipelines.looking import NotPossible
from pipelines.prover import compare, make
from pipelines.reconcile import reconcile

ROUTE = "contact-to-casework"
CODE = "torfaen"


class Calls:
    """Counts what a connector is asked, and lets a test answer for it."""

    def __init__(self, real: Any) -> None:
        self.real = real
        self.asked: list[str] = []
        self.pages: Any = None
        self.forgets = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def changes(self, kind: str, **options: Any) -> Any:
        self.asked.append("changes")
        page = self.real.changes(kind, **options)
        return self.pages(page) if self.pages else page

    def deliver(self, kind: str, record: Any, **options: Any) -> Any:
        if self.forgets:
            return Receipt(options["id"], "updated", options["version"], datetime.now(UTC))
        return self.real.deliver(kind, record, **options)

    def fetch(self, kind: str, id: str) -> Any:
        self.asked.append("fetch")
        return self.real.fetch(kind, id)


@contextmanager
def watched(town: Any, name: str) -> Iterator[Calls]:
    wired = council(town).wired[name]
    calls = Calls(wired.connector)
    wired._connector = calls
    yield calls
    wired._connector = calls.real


def council(town: Any) -> Any:
    return town.plant.councils[CODE]


def report(town: Any, route: str = ROUTE, **options: Any) -> Any:
    return reconcile(town.plant, council(town), route, **options)


@pytest.fixture
def in_step(town: Any) -> Any:
    """Three requests of Torfaen that both systems hold."""
    for _ in range(3):
        town.ask(CODE)
    town.rest()
    assert report(town).agrees
    return town


def cases(town: Any) -> list[str]:
    return [str(one["ReferralId"]) for one in town.records(CODE, "casework")]


@contextmanager
def long_ago(town: Any, hours: int = 3) -> Iterator[None]:
    """What is written now is stamped hours ago, and becomes visible only now: later than every overlap."""
    now = datetime.now(UTC)
    town.control("PUT", "clock", {"now": (now - timedelta(hours=hours)).isoformat()})
    yield
    town.control("PUT", "clock", {"now": datetime.now(UTC).isoformat()})


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


def forward(town: Any, seconds: int) -> None:
    """The live walk's watermark lies so far ahead."""
    with town.plant.ledger.writing() as connection:
        row = connection.execute(
            select(tables.walk).filter_by(council=CODE, connection="contact", purpose="live")
        ).one()
        ahead = (datetime.fromisoformat(row.watermark) + timedelta(seconds=seconds)).isoformat()
        connection.execute(
            update(tables.walk).filter_by(council=CODE, connection="contact", purpose="live").values(watermark=ahead)
        )


def rows(town: Any, table: Any, **where: Any) -> list[Any]:
    with town.plant.ledger.reading() as connection:
        return list(connection.execute(select(table).filter_by(council=CODE, **where)).all())


def planned(town: Any, route: str = ROUTE) -> Any:
    """Make the comparison as the timetable would."""
    one = proofs.Due(CODE, route, town.clock.now(), False)
    assert proofs.claim(town.plant, one, "boot/1")
    return make(town.plant, one, "boot/1", threading.Event())


# --- Repair -----------------------------------------------------------------------------------------------------------


def mend(town: Any, found: Any) -> Any:
    steps = repair.plan(town.plant, council(town), found)
    done = repair.carry_out(town.plant, council(town), ROUTE, steps, who="A. Swyddog", why="am ei fod ar goll")
    return steps, done


def test_a_target_that_said_yes_and_forgot_is_sent_it_again(in_step: Any) -> None:
    number = cases(in_step)[0]
    with watched(in_step, "casework") as calls:
        calls.forgets = True
        in_step.change(CODE, "contact", "C-000001", customer={"last_name": "Newydd"})
        in_step.rest()
    assert surname(in_step, number) != "Newydd"
    forward(in_step, 60)
    found = report(in_step)
    assert [line.target for line in found.different + found.stale] == [number]
    made = len(rows(in_step, tables.delivery))
    [step] = repair.plan(in_step.plant, council(in_step), found)
    assert (step.take_in, step.effect, step.fields) == ((), "update", ("person.name.family",))
    assert len(rows(in_step, tables.delivery)) == made  # a plan writes nothing
    _, done = mend(in_step, found)
    assert (len(done.deliveries), done.not_done) == (1, [])
    in_step.rest()
    assert surname(in_step, number) == "Newydd"
    assert report(in_step).agrees
    [told] = [row for row in rows(in_step, tables.audit) if row.action == "repair"]
    assert (told.who, told.subject) == ("A. Swyddog", done.deliveries[0])


def test_an_edit_in_the_target_is_never_written_over_by_a_repair(in_step: Any) -> None:
    """It is taken in first, as if its feed had shown it; merging decides, and both systems come to the same."""
    number = cases(in_step)[0]
    in_step.change(CODE, "casework", number, Subject={"Surname": "Golygwyd"})
    [step], done = mend(in_step, report(in_step))
    assert step.take_in == ("casework",)
    assert (done.taken_in, done.not_done) == (1, [])
    in_step.rest()
    assert surname(in_step, number) == "Golygwyd"
    assert report(in_step).agrees


def surname(town: Any, number: str) -> str:
    return str(town.control("GET", f"{CODE}/casework/records/{number}")["Subject"]["Surname"])


def test_a_repair_takes_in_what_the_feed_never_showed(in_step: Any) -> None:
    with long_ago(in_step):
        in_step.ask(CODE)
    in_step.read()
    [step], done = mend(in_step, report(in_step))
    assert (step.take_in, step.effect, step.target) == (("contact",), "create", "")
    assert "person.name.family" in step.fields
    assert (done.taken_in, len(done.deliveries), done.not_done) == (1, 1, [])
    in_step.rest()
    assert (len(cases(in_step)), report(in_step).agrees) == (4, True)


def test_what_was_deleted_in_the_target_is_for_a_person_to_decide(in_step: Any) -> None:
    number = cases(in_step)[0]
    in_step.control("DELETE", f"{CODE}/casework/records/{number}")
    found = report(in_step)
    assert [line.target for line in found.missing] == [number]
    [step], done = mend(in_step, found)
    assert (step.possible, [number for number, _ in done.not_done]) == (False, ["C-000001"])
    assert "a person decides" in step.words
    in_step.rest()
    assert len(cases(in_step)) == 2


def test_a_repair_twice_at_once_makes_one_delivery(in_step: Any) -> None:
    with long_ago(in_step):
        in_step.ask(CODE)
    in_step.read()
    steps = repair.plan(in_step.plant, council(in_step), report(in_step))
    first, second = (
        repair.carry_out(in_step.plant, council(in_step), ROUTE, steps, who=who, why="ar goll") for who in ("A", "B")
    )
    assert first.deliveries == second.deliveries
    in_step.rest()
    assert len(cases(in_step)) == 4


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
    from pipelines import overview

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
