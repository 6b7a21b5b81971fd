"""The bench of what messages take: its figures hang together, and its line is a line."""

from __future__ import annotations

import pytest

from console.bench.capacity import BODIES, SEAL, capacity, look, need


def test_a_small_run_hangs_together() -> None:
    found = capacity(rows=1000, messages=10_000, years=1)
    assert 500 < found["bytes_a_message"] < 10_000
    assert found["need"]["all_metadata"] == pytest.approx(found["bytes_a_message"] * 10_000, rel=0.001)
    assert {"delivery", "referral", "proof", "attempt", "version"} <= set(found["by_table"])
    assert {one["name"] for one in found["looks"]} >= {"dolen status", "find one by its number"}
    assert all(one["whole"] > 0 for one in found["looks"])


def test_what_is_let_go_of_is_not_needed() -> None:
    told = need(2000, messages=3650, years=10, body=1000)
    assert told.all_metadata == 2000 * 3650
    assert told.metadata_at_rest == pytest.approx(told.all_metadata * 6 / 10, rel=0.01)
    assert told.payloads_at_rest == pytest.approx(BODIES * (1000 + SEAL) * 90, rel=0.01)
    assert need(2000, 3650, 1, 1000).metadata_at_rest == pytest.approx(2000 * 3650)


def test_a_straight_line_or_none() -> None:
    assert look("x", 10, 40, 100, 400, 1000).at_all == pytest.approx(100)
    assert look("x", 10, 12, 100, 400, 1000).at_all is None
