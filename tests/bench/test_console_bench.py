"""The bench of the pages: a small run asks every page and every kind of search, and its figures hang together."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from console.bench import desk_asks
from console.bench.console import console, percentile
from console.web import pages


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """One small run, on SQLite."""
    return console(2_000, 1, 40, "", tell=lambda _words: None)


def test_every_page_is_asked_for_and_every_search(found: dict[str, Any]) -> None:
    asked = {one["door"] for one in found["doors"]}
    assert asked >= {door.name for doors in pages.ALL for door in doors if door.method == "GET"}
    assert asked >= {f"POST {path}" for path in desk_asks.FORMS}
    assert len([door for door in asked if door.startswith("search by")]) == 6


def test_its_figures_hang_together(found: dict[str, Any]) -> None:
    results = {one["name"]: one for one in found["results"]}
    for name in ("p95 pages", "p95 search"):
        one = results[name]
        assert one["ratio"] == pytest.approx(200 / one["ours"], rel=0.02)
        assert one["ours"] >= one["of_all"] > 0
        assert one["our_cpu"] > 0
    assert results["largest page"]["ours"] == max(one["bytes"] for one in found["doors"])
    assert results["largest page"]["ratio"] >= 1


@pytest.mark.skipif(sys.platform != "linux", reason="memory is watched as Linux tells it")
def test_the_replay_sends_as_many_as_were_asked_for(found: dict[str, Any]) -> None:
    one = next(one for one in found["results"] if one["name"] == "replay memory")
    assert 40 <= one["deliveries"] <= 100
    assert 0 < one["ours"] < 50


def test_the_95th_of_a_hundred() -> None:
    assert percentile([float(number) for number in range(1, 101)]) == 95
    assert percentile([7.0]) == 7


def test_a_page_that_it_cannot_ask_for_stops_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_asks, "_filled", lambda _things: {})
    with pytest.raises(desk_asks.NotKnown, match=r"/attention/\{cause\}"):
        desk_asks.asks(desk_asks.Things())
