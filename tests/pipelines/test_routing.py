"""Routes: conditions, triggers, lanes, and what is urgent."""

from typing import Any

import pytest

from pipelines.routing import Route, is_urgent


def route(**changes: Any) -> Route:
    made: dict[str, Any] = {
        "name": "r", "source": "contact", "target": "casework", "kind": "Referral", "carries": "state", "when": {},
        **changes,
    }  # fmt: skip
    return Route(**made)


WHEN = {"status": ("accepted", "completed"), "assigned_to.team": ("adults",), "safeguarding_flag": (False,)}
FITS = {"status": "accepted", "assigned_to.team": "adults", "safeguarding_flag": False}


def test_all_conditions_must_hold() -> None:
    assert route(when=WHEN).misses(FITS) == ""
    assert route().misses({}) == ""


@pytest.mark.parametrize(
    ("changes", "missed"),
    [
        ({"status": "received"}, "status"),
        ({"assigned_to.team": None}, "assigned_to.team"),
        ({"safeguarding_flag": True}, "safeguarding_flag"),
    ],
)
def test_the_first_condition_that_fails_is_named(changes: dict[str, Any], missed: str) -> None:
    assert route(when=WHEN).misses({**FITS, **changes}) == missed


def test_what_is_not_known_fulfils_nothing() -> None:
    assert route(when=WHEN).misses({}) == "status"


def test_state_follows_every_change_and_a_text_the_status() -> None:
    event = route(carries="event", text="track-my-request", when={"status": ("accepted",)})
    assert route().triggered({"needs"})
    assert event.triggered({"status", "needs"})
    assert not event.triggered({"needs"})
    assert not event.triggered(set())
    reply = route(carries="event", replies_to=("contact-to-casework",))
    assert not reply.triggered({"status"}), "what became of a delivery makes it"


def test_the_lane_is_the_person_where_the_target_makes_persons() -> None:
    assert route(creates_persons=True).lane("torfaen", "p1", "r1") == "torfaen/casework/p1"
    assert route().lane("torfaen", "p1", "r1") == "torfaen/casework/r1"


@pytest.mark.parametrize(
    ("facts", "urgent"),
    [
        ({}, False),
        ({"priority": "routine", "safeguarding_flag": False}, False),
        ({"priority": "urgent"}, True),
        ({"priority": "emergency"}, True),
        ({"priority": "routine", "safeguarding_flag": True}, True),
    ],
)
def test_urgent_and_safeguarding_go_first(facts: dict[str, Any], urgent: bool) -> None:
    assert is_urgent(facts) is urgent
