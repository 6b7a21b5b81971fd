"""`dolen bench wales` in small, and what it rests on: the plan of a day, and a country that notes what was shown."""

from __future__ import annotations

import json

import pytest

from console.bench import wales as bench
from pipelines.arrivals import Arrival
from sandbox.country import HOURS, Country, plan
from sandbox.peers.wire import Call


def test_a_small_day_is_carried_and_timed() -> None:
    told: list[str] = []
    day = bench.Day(councils=2, seconds=6.0, mean=4.0, burst=5, burst_every=3.0, poll=2)
    found = bench.wales(day, tell=told.append)
    assert [one["name"] for one in found["results"]] == ["p95", "cpu", "memory"]
    assert found["deeds"] == 24
    assert found["timed"] + found["overtaken"] == 24
    assert found["timed"] > 5
    latency = found["latency"]
    assert 0 < latency["p50"] <= latency["p95"] <= latency["p100"] < found["with_the_wait"]["p100"]
    assert [point[1] for point in found["curve"]] == sorted(point[1] for point in found["curve"])
    assert found["day"]["connections"] == 6
    assert found["held"]["care"] == found["held"]["desk"], "what was asked by form reaches both"


def test_a_day_has_its_shape_its_number_and_its_bursts() -> None:
    deeds = plan(seconds=2400.0, mean=2.0, burst=30, every=60.0, councils=22, seed=3)
    assert len(deeds) == 4800
    assert deeds == plan(2400.0, 2.0, 30, 60.0, 22, 3)
    at_once = [sum(deed.at == moment for deed in deeds) for moment in (30.0, 90.0)]
    assert at_once == [30, 30]
    assert len({deed.council for deed in deeds if deed.at == 30.0}) == 1
    singles = [deed for deed in deeds if (deed.at - 30.0) % 60.0]
    office = sum(800 <= deed.at < 1700 for deed in singles) / len(singles)  # from eight to five
    assert office == pytest.approx(sum(HOURS[8:17]) / sum(HOURS), abs=0.02)
    assert sum(deed.new for deed in deeds) / len(deeds) == pytest.approx(0.25, abs=0.03)


def test_what_staff_typed_is_set_against_what_the_ledger_proves() -> None:
    came = [
        Arrival("c01", "desk", "D00-1", "1", "arrived", 12_000_000),
        Arrival("c01", "care", "C00-1", "2", "replaced", None),
        Arrival("c02", "desk", "D01-1", "1", "arrived", 20_000_000),
    ]
    found = bench._times(
        [
            [0, "desk", "D00-1", 1, 9.0, 11.5, True],
            [0, "care", "C00-1", 2, 9.0, 11.5, False],
            [0, "care", "C00-1", 3, 10.0, None, True],
            [1, "desk", "D01-1", 1, 1.0, 19.0, True],
        ],
        came,
    )
    assert (found.carried, found.whole, found.overtaken, found.unseen) == ([0.5, 1.0], [3.0, 19.0], 1, 1)


def test_memory_that_grows_and_a_busy_core_fall_short() -> None:
    points = [bench.Point(float(at), at * 0.5, 100.0 + at) for at in range(0, 100, 5)]
    found = {one["name"]: one for one in bench._results([1.0, 9.0], points)}
    assert found["cpu"]["ours"] == pytest.approx(50.0)
    assert found["memory"]["ours"] > 50
    assert all(one["ratio"] < 1 for one in found.values())


def test_a_country_shows_what_changed_and_notes_when() -> None:
    country = Country(1)
    sample = {"customer": {"first_names": ["Siân"]}, "reason": {"code": "X", "text": ""}, "status": "new"}
    country._sample = sample
    country._ask(0, "desk")
    page = country.answer(Call("GET", "/0/desk/requests", {}, {}, b""))
    assert page.body.count(b'"id"') == 1
    (change,) = json.loads(country.answer(Call("GET", "/control", {}, {}, b"")).body)["changes"]
    assert change[:4] == [0, "desk", "D00-000001", 1]
    assert change[4] <= change[5]
    assert change[6] is True
    put = Call("PUT", "/0/care/requests/by-external/key-1", {}, {}, b'{"status": "new", "reason": {"text": "a"}}')
    assert country.answer(put).status == 201
    assert country.answer(put).status == 200, "the same key is the same request"
    stale = Call("PATCH", "/0/care/requests/C00-000001", {}, {"if-match": '"1"'}, b'{"status": "closed"}')
    assert country.answer(stale).status == 412
