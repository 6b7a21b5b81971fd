"""A route in shadow: all is done but the sending, and what would have been sent is held against what staff typed."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from config.findings import SiteFaults
from pipelines import composition, first_day, going_live, shadow_report, tables
from pipelines.looking import NotPossible
from tests.pipelines.comparisons import CODE, ROUTE, council, rows, watched

pytest_plugins = ("tests.pipelines.pieces",)
MODE = ("  - name: contact-to-casework\n", "  - name: contact-to-casework\n    mode: shadow\n")


def into_shadow(town: Any) -> None:
    council(town).shadowed.add(ROUTE)


def told(town: Any, route: str = ROUTE, *, read: bool = True) -> Any:
    found = council(town).route(route)
    return shadow_report.report(town.plant, council(town), found, read=read)


def tries(town: Any) -> list[Any]:
    with town.plant.ledger.reading() as connection:
        return list(connection.execute(select(tables.attempt).order_by(tables.attempt.c.id)).all())


def would_send(town: Any, number: str) -> dict[str, Any]:
    """What casework would have been sent of a request, as an officer would type it: without our key."""
    [held] = rows(town, tables.record, connection="contact", external_id=number)
    made = {row.id for row in rows(town, tables.delivery, referral_id=held.referral_id, route=ROUTE)}
    kept = [row.request for row in tries(town) if row.delivery_id in made and row.request]
    with town.plant.ledger.reading() as connection:
        record: dict[str, Any] = town.plant.vault.get_json(connection, CODE, kept[-1])
    record.pop("ClientReference", None)
    return record


# --- Nothing is sent --------------------------------------------------------------------------------------------------


def test_nothing_reaches_the_target_and_what_would_have_is_kept(town: Any) -> None:
    into_shadow(town)
    town.ask(CODE)
    with watched(town, "casework") as calls:
        calls.deliver = None  # whoever calls it stumbles, and says so in the try
        town.rest()
    assert town.records(CODE, "casework") == []
    found = told(town, read=False)
    assert (found.effects, found.stopped, found.waiting) == ({"create": 1}, 0, 0)
    assert found.since is not None
    [kept] = [row for row in tries(town) if row.words.startswith("in shadow")]
    assert kept.outcome == "not sent, by rule"
    assert kept.request is not None


def test_a_newer_version_is_told_as_what_it_would_have_done_at_last(town: Any) -> None:
    into_shadow(town)
    made = town.ask(CODE)
    town.rest()
    town.change(CODE, "contact", made["id"], internal_notes="Ffoniodd eto")
    town.rest()
    found = told(town, read=False)
    assert (found.referrals, found.effects) == (1, {"create": 1})


def test_texts_are_counted_with_the_rules_by_which_others_are_not_sent(town: Any) -> None:
    council(town).shadowed.add("tell-the-resident")
    for opted_in in (True, False):
        made = town.ask(CODE, updates={"opted_in": opted_in, "asked_at": "2026-07-02T09:14:00Z"})
        mobile = {"type": "mobile", "value": "07700900321", "ok_to_text": True}
        plainly = {"language": {**made["language"], "speech": "cy", "interpreter": False}}
        town.change(CODE, "contact", made["id"], customer={**made["customer"], "contacts": [mobile]}, **plainly)
    town.rest()
    for case in town.records(CODE, "casework"):
        town.change(CODE, "casework", str(case["ReferralId"]), Status="ACC")
    town.rest()
    found = told(town, "tell-the-resident")
    assert found.effects == {"text": 1}
    assert found.rules == {"not opted in": 1}
    assert town.records(CODE, "notify") == []


# --- Beside what people typed -----------------------------------------------------------------------------------------


def test_what_staff_typed_is_held_against_what_would_have_been_sent(town: Any) -> None:
    into_shadow(town)
    first, second, third = (town.ask(CODE)["id"] for _ in range(3))
    town.rest()
    sent = {one: would_send(town, one) for one in (first, second)}
    for one, more in ((first, {}), (second, {"Subject": {**sent[second]["Subject"], "Surname": "Arall"}})):
        town.control("POST", f"{CODE}/casework/records", {**sent[one], **more})
    town.rest()
    found = told(town)
    assert (found.typed, found.not_typed) == (2, 1)
    assert found.fields == {"person.name.family": 1}
    assert [line.source for line in found.beside.missing] == [third]
    assert len(town.records(CODE, "casework")) == 2


# --- The site's files -------------------------------------------------------------------------------------------------


def test_the_file_says_it_and_going_live_waits_for_no_pairing_then(bench_with: Any) -> None:
    bench = bench_with(MODE)
    route = bench.council.route(ROUTE)
    assert bench.council.in_shadow(route)
    assert not first_day.needs_matching(route)
    assert route.reconcile == ""


def test_into_shadow_is_noticed_by_who_runs_and_out_of_it_is_not(bench: Any) -> None:
    route = bench.council.route(ROUTE)
    files = composition.load(bench.folder)
    assert going_live.turn(bench.plant, files, bench.council, route, "shadow", who="A. Swyddog", why="Mae'n anghywir")
    assert not bench.council.in_shadow(route)
    bench.plant.refresh()
    assert bench.council.in_shadow(route)
    assert going_live.turn(bench.plant, files, bench.council, route, "live", who="A. Swyddog", why="Mae'n iawn")
    bench.plant.refresh()
    assert bench.council.in_shadow(route)
    bench.restart()
    assert not bench.council.in_shadow(bench.council.route(ROUTE))
    assert [row.action for row in bench.rows("audit")] == ["route shadow", "route live"]


def test_a_faulty_file_puts_nothing_into_shadow_and_stops_nothing(bench: Any) -> None:
    file = bench.folder / "config" / "councils" / "torfaen.yaml"
    file.write_text("council: [", encoding="utf-8")
    bench.plant.refresh()
    assert not bench.council.shadowed


def test_what_is_there_already_is_no_change(bench_with: Any) -> None:
    bench = bench_with(MODE)
    files = composition.load(bench.folder)
    route = bench.council.route(ROUTE)
    assert not going_live.turn(bench.plant, files, bench.council, route, "shadow", who="A", why="b")
    assert bench.rows("audit") == []


def test_routes_are_named_that_there_are(bench: Any) -> None:
    with pytest.raises(NotPossible, match="no route is in shadow"):
        shadow_report.routes_meant(bench.plant)
    with pytest.raises(NotPossible, match="contact-to-casework"):
        shadow_report.routes_meant(bench.plant, "nowhere")


# --- The list before going live ---------------------------------------------------------------------------------------


def listed(bench: Any, **options: Any) -> dict[str, Any]:
    files = composition.load(bench.folder)
    route = bench.council.route(ROUTE)
    return {one.what: one for one in going_live.steps(bench.plant, files, bench.council, route, read=False, **options)}


def test_a_route_does_not_go_live_before_its_cases_are_paired(bench_with: Any) -> None:
    bench = bench_with(MODE)
    step = listed(bench)["cases"]
    assert (step.well, step.stops) == (False, True)
    assert "dolen match torfaen/contact torfaen/casework" in step.remedy
    with bench.writing() as connection:
        first_day.enter_pair(connection, CODE, "contact", "casework", now=bench.clock.now(), who="A")
    assert listed(bench)["cases"].well


def test_what_is_not_written_down_stands_in_the_way(bench_with: Any) -> None:
    bench = bench_with(MODE, ("    lawful_basis: ", "    # lawful_basis: "))
    step = listed(bench)["agreement"]
    assert (step.well, step.stops) == (False, True)
    assert "lawful_basis" in step.words


def test_a_short_time_in_shadow_is_told_and_does_not_stop(bench_with: Any) -> None:
    bench = bench_with(MODE)
    step = listed(bench)["shadow"]
    assert (step.well, step.stops) == (False, False)


def test_a_council_file_that_would_be_unsound_is_left_as_it_is(bench: Any) -> None:
    file = bench.folder / "config" / "councils" / "torfaen.yaml"
    before = file.read_text(encoding="utf-8")
    file.write_text(before.replace("to: casework", "to: nowhere", 1), encoding="utf-8")
    files = composition.load(bench.folder)
    route = bench.council.route(ROUTE)
    with pytest.raises((SiteFaults, KeyError)):
        going_live.turn(bench.plant, files, bench.council, route, "shadow", who="A", why="b")
