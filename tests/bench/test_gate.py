"""`dolen bench gate`: green as things are, red when something of ours became slower, and not by one bad moment."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from console.bench import gate as bench
from console.bench import mapping

PAGE = (Path(__file__).parents[2] / "docs/benches.md").read_text(encoding="utf-8")
LIMITS = bench.recorded()
WELL = {name: {result: limit.ratio for result, limit in limits.items()} for name, limits in LIMITS.items()}


def told(*tries: dict[str, float]) -> tuple[list[int], Callable[[int], dict[str, float]]]:
    """A measure that gives these ratios in turn, and how many turns it was asked for."""
    asked: list[int] = []

    def measure(times: int) -> dict[str, float]:
        asked.append(times)
        return tries[len(asked) - 1]

    return asked, measure


def judged(*tries: dict[str, float]) -> tuple[list[int], dict[str, Any]]:
    asked, measure = told(*tries)
    result = bench.gate(["mapping"], {**bench.MEASURES, "mapping": measure})
    return asked, {one["name"].partition(": ")[2]: one for one in result["results"]}


def test_every_result_is_recorded_with_room_and_is_on_the_page() -> None:
    assert set(LIMITS) == set(bench.MEASURES)
    for limits in LIMITS.values():
        for name, limit in limits.items():
            assert 0.5 <= limit.least <= 0.9
            assert f"| `{name}` | {limit.ratio:g} | {limit.floor:.2f} |" in PAGE


def test_it_is_green_as_things_are() -> None:
    command = [sys.executable, "-m", "console", "bench", "gate", "--only", "mapping", "--json"]  # CI runs all of it
    done = subprocess.run(command, check=False, capture_output=True, timeout=110, text=True)
    result = json.loads(done.stdout)
    assert (done.returncode, [one["name"] for one in result["results"] if not one["well"]]) == (0, []), done.stderr
    assert [one["name"] for one in result["results"]] == [
        f"mapping: {name}" for name in LIMITS["mapping"]
    ]


def test_what_became_twice_as_slow_is_red(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = mapping.contest

    def slower() -> mapping.Contest:
        found = whole()
        read = found.ours.read
        return found._replace(ours=found.ours._replace(read=lambda: (read(), read())[0]))

    monkeypatch.setattr(mapping, "contest", slower)
    results = bench.gate(["mapping"])["results"]
    assert [(one["name"], len(one["seen"])) for one in results if not one["well"]] == [
        ("mapping: read against hand-written", 2)
    ]
    words = bench.words_of(results[0])
    assert "gate.yaml" in words
    assert "0.99 is recorded; it is red below 0.742" in words


def test_one_bad_moment_is_not_red_and_two_are() -> None:
    good = WELL["mapping"]
    first = next(iter(good))
    bad = {**good, first: 0.5 * good[first]}
    assert judged(good)[0] == [1], "what is well is measured once"
    asked, results = judged(bad, good)
    assert asked == [1, 2], "the second time with twice as many turns"
    assert all(one["well"] for one in results.values())
    asked, results = judged(bad, bad)
    assert asked == [1, 2]
    assert [name for name, one in results.items() if not one["well"]] == [first]


def test_a_ratio_at_its_floor_is_well_and_below_it_is_not() -> None:
    limits = LIMITS["mapping"]
    floor = {name: limit.floor for name, limit in limits.items()}
    assert all(one["well"] for one in judged(floor)[1].values())
    below = {name: value - 0.001 for name, value in floor.items()}
    assert not any(one["well"] for one in judged(below, below)[1].values())


@pytest.mark.parametrize("strange", [{}, {**WELL["mapping"], "a new one": 1.0}])
def test_what_is_not_recorded_or_not_measured_is_said(strange: dict[str, float]) -> None:
    with pytest.raises(bench.NotRecorded, match="measured and not recorded"):
        judged(strange, strange)


@pytest.mark.parametrize(
    "text", ["mapping: {read: {ratio: fast, least: 1}}", "mapping: [1]", "- 1", "mapping: {read: 1}"]
)
def test_a_file_that_says_something_else_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "gate.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(bench.NotRecorded, match=r"gate\.yaml: each result is written as"):
        bench.recorded(file)


def test_the_command_ends_with_1_and_says_what_is_red(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from console.bench import command

    slow = dict.fromkeys(WELL["mapping"], 0.1)
    monkeypatch.setattr(bench, "gate", lambda only: _gate(only, {**bench.MEASURES, "mapping": lambda _: slow}))
    with pytest.raises(command.typer.Exit) as ended:
        command.gate(only=["mapping"], as_json=False)
    assert ended.value.exit_code == 1
    assert capsys.readouterr().err.count("Look which change made it slower") == len(slow)


_gate = bench.gate
