"""Mending by replay what a comparison found: a plan first, then deliveries as any others, and no edit written over."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines import repair, tables
from tests.pipelines.comparisons import (
    CODE,
    ROUTE,
    bring_in_step,
    cases,
    council,
    forward,
    long_ago,
    report,
    rows,
    surname,
    watched,
)


@pytest.fixture
def in_step(town: Any) -> Any:
    """Three requests of Torfaen that both systems hold."""
    return bring_in_step(town)


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
