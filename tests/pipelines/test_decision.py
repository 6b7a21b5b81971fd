"""What to do after a try: total, bounded, and never a second send where the first may have been done."""

import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import errors
from connectors.errors import ConnectorError
from pipelines.decision import (
    FIRST_WAIT,
    LONGEST_RETRY_AFTER,
    LONGEST_WAIT,
    OUTDATED_AT_ONCE,
    Decision,
    Do,
    back_off,
    decide,
)

EVERY = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, ConnectorError) and kind is not ConnectorError
]
ours = st.one_of(st.none(), st.sampled_from([kind("it did not end well") for kind in EVERY]))
tries = st.integers(0, 10_000)
throws = st.floats(0, 1)
settles = st.floats(0, 3600)


def of(error: ConnectorError | None, **changes: object) -> Decision:
    options = {"repeatable": False, "tries": 1, "throw": 0.5, "settle": 5.0, "can_look": True, **changes}
    return decide(error, **options)  # type: ignore[arg-type]


@given(error=ours, repeatable=st.booleans(), tries=tries, throw=throws, settle=settles, can_look=st.booleans())
def test_every_error_has_a_decision(error, repeatable, tries, throw, settle, can_look) -> None:
    made = decide(error, repeatable=repeatable, tries=tries, throw=throw, settle=settle, can_look=can_look)
    assert isinstance(made.do, Do)
    assert 0 <= made.after <= max(LONGEST_WAIT, LONGEST_RETRY_AFTER)


@given(tries=tries, throw=throws, settle=settles, can_look=st.booleans())
def test_nobody_knows_is_never_sent_again_unseen(tries, throw, settle, can_look) -> None:
    made = of(errors.Unknown("no answer"), tries=tries, throw=throw, settle=settle, can_look=can_look)
    assert made.do is (Do.NOT_SURE if can_look else Do.ASK)


@given(tries=tries, throw=throws, settle=settles)
def test_a_repeatable_call_waits_until_the_first_can_no_longer_land(tries, throw, settle) -> None:
    made = of(errors.Unknown("no answer"), repeatable=True, tries=tries, throw=throw, settle=settle)
    assert made.do is Do.AGAIN
    assert made.after >= settle


class Strange(ConnectorError):
    """A kind of error that a connector of tomorrow may bring."""


@given(can_look=st.booleans(), repeatable=st.booleans())
def test_an_error_nobody_foresaw_is_treated_as_not_knowing(can_look: bool, repeatable: bool) -> None:
    made = of(Strange("?"), can_look=can_look, repeatable=repeatable)
    assert made.do is (Do.NOT_SURE if can_look else Do.ASK)


@pytest.mark.parametrize(
    ("kind", "do"),
    [
        (errors.Unreachable, Do.AGAIN),
        (errors.Throttled, Do.AGAIN),
        (errors.Outdated, Do.AGAIN),
        (errors.NotThere, Do.AGAIN),
        (errors.Unauthorised, Do.PAUSE),
        (errors.Rejected, Do.ATTENTION),
        (errors.ForAPerson, Do.ATTENTION),
        (errors.PageUnreadable, Do.ATTENTION),
        (errors.Misconfigured, Do.ATTENTION),
        (errors.Duplicate, Do.ARRIVED),
        (errors.Unknown, Do.NOT_SURE),
    ],
)
def test_each_error_by_name(kind: type[ConnectorError], do: Do) -> None:
    assert of(kind("so it was")).do is do


def test_no_error_is_left_out_of_the_table_above() -> None:
    marks = test_each_error_by_name.pytestmark  # type: ignore[attr-defined]
    assert {kind for kind, _ in marks[0].args[1]} == set(EVERY)


def test_a_stumble_of_our_own_before_anything_was_sent_is_tried_again() -> None:
    assert of(None).do is Do.AGAIN


@given(tries=tries, throw=throws)
def test_waiting_grows_and_has_an_end(tries: int, throw: float) -> None:
    wait = back_off(tries, throw)
    assert FIRST_WAIT / 2 <= wait <= LONGEST_WAIT
    assert back_off(tries + 1, throw) >= wait


def test_waiting_doubles_with_jitter_of_a_half_either_way() -> None:
    assert [back_off(n, 0.5) for n in (1, 2, 3)] == [FIRST_WAIT, FIRST_WAIT * 2, FIRST_WAIT * 4]
    assert (back_off(1, 0.0), back_off(1, 1.0)) == (FIRST_WAIT * 0.5, FIRST_WAIT * 1.5)


@given(after=st.one_of(st.none(), st.floats(0, 1e12)), tries=tries, throw=throws)
def test_retry_after_is_obeyed_as_far_as_is_sane(after: float | None, tries: int, throw: float) -> None:
    made = of(errors.Throttled("slower", after=after), tries=tries, throw=throw)
    assert made.do is Do.AGAIN
    assert made.after == (min(after, LONGEST_RETRY_AFTER) if after else back_off(tries, throw))


def test_a_record_that_keeps_changing_is_tried_at_once_and_then_waited_for() -> None:
    at_once = [of(errors.Outdated("changed"), tries=n).after for n in range(1, OUTDATED_AT_ONCE + 1)]
    assert at_once[:-1] == [0.0] * (OUTDATED_AT_ONCE - 1)
    assert at_once[-1] > 0
