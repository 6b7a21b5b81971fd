"""The bench of starting in small: both sides ran, and what was reached is said as a ratio."""

from __future__ import annotations

import pytest

from console.bench import start as contest


def test_a_small_run_says_how_many_times_the_bare_import_it_costs() -> None:
    told = contest.start(1)
    status, first = told["results"]
    assert (told["bench"], status["name"], first["name"]) == ("start", "status", "first")
    assert status["ratio"] == pytest.approx(status["theirs"] / status["ours"], abs=0.01)
    assert status["times_bare"] == pytest.approx(contest.MUST / status["ratio"], abs=0.02)
    assert first["ours"] > 1.3 * status["ours"], "an outline saves the reading of the site"


def test_a_side_that_fails_is_no_figure() -> None:
    with pytest.raises(contest.Failed, match="ended with 3"):
        contest._spent(["-c", "raise SystemExit(3)"])
