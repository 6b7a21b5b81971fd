"""By hand: every record is for a person, and nothing is ever sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from connectors.errors import ForAPerson, Misconfigured
from connectors.port import Tier
from connectors.registry import open_connector


def no_interface(name: str) -> bytes:
    raise AssertionError(f"{name} was read")


@pytest.fixture
def by_hand(shipped: Callable[[str], Any], clock: Callable[[], datetime]) -> Any:
    told = {"where": "the social-care system, Referrals, New"}
    return open_connector(shipped("by-hand"), told, interfaces=no_interface, clock=clock, secret=lambda _: "")


def test_says_what_it_can_do(by_hand: Any) -> None:
    assert by_hand.kinds() == ("Referral",)
    assert by_hand.offers("Referral") == {"create", "update"}
    assert by_hand.offers("Request") == frozenset()
    assert by_hand.tier("Referral") is Tier.NEITHER
    assert not by_hand.reads_first("Referral")
    assert [finding.well for finding in by_hand.doctor()] == [True]
    by_hand.close()
    by_hand.close()


def test_every_record_is_for_a_person(by_hand: Any) -> None:
    for told, words in (({}, "enters this Referral"), ({"id": "4711", "version": "3"}, "changes this Referral")):
        with pytest.raises(ForAPerson, match=f"{words} by hand in the social-care system") as caught:
            by_hand.deliver("Referral", {"surname": "O'Neill"}, key="dolen-1", **told)
        assert "O'Neill" not in str(caught.value) + repr(caught.value)


def test_nothing_can_be_read(by_hand: Any) -> None:
    for call in (
        lambda: by_hand.fetch("Referral", "1"),
        lambda: by_hand.changes("Referral", watermark=""),
        lambda: by_hand.skip("Referral", watermark="", cursor=""),
    ):
        with pytest.raises(Misconfigured, match="by hand"):
            call()
    with pytest.raises(NotImplementedError):
        by_hand.find("Referral", "dolen-1")


def test_an_unknown_kind_is_named(by_hand: Any) -> None:
    with pytest.raises(Misconfigured, match="it has Referral"):
        by_hand.deliver("Request", {}, key="dolen-1")


def test_where_may_be_left_out(shipped: Any, clock: Any) -> None:
    made = open_connector(shipped("by-hand"), {}, interfaces=no_interface, clock=clock, secret=lambda _: "")
    with pytest.raises(ForAPerson, match="in by-hand"):
        made.deliver("Referral", {}, key="dolen-1")
