"""The states of a delivery are those that docs/data-model.md draws, arrow by arrow."""

import re
from pathlib import Path

import pytest

from pipelines.states import MOVES, OPEN, DeliveryState, IllegalMove, check_move

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "data-model.md").read_text(encoding="utf-8")
ARROW = re.compile(r"^\s+(\w+|\[\*\]) --> (\w+)", re.MULTILINE)
LEGAL = {(old, new) for old, after in MOVES.items() for new in after}


def drawn() -> set[tuple[DeliveryState, DeliveryState]]:
    pairs = [pair for pair in ARROW.findall(PAGE) if pair[0] != "[*]"]
    return {(DeliveryState(old.replace("_", " ")), DeliveryState(new.replace("_", " "))) for old, new in pairs}


def test_every_arrow_of_the_page_is_legal() -> None:
    assert drawn() - LEGAL == set()


def test_every_legal_move_is_on_the_page_or_said_beside_it() -> None:
    said = {
        (DeliveryState.NOT_SURE, DeliveryState.SENDING),  # leased again, for a look-up
        (DeliveryState.NOT_SURE, DeliveryState.NOT_SURE),  # looked up once, not there
        (DeliveryState.NOT_SURE, DeliveryState.CLOSED),  # a person closes it without sending
    }
    ended = {(old, DeliveryState.ERASED) for old in DeliveryState if old not in OPEN}  # drawn once, for all that ended
    assert LEGAL - drawn() - said - ended == set()


def test_every_state_has_its_moves() -> None:
    assert set(MOVES) == set(DeliveryState)


@pytest.mark.parametrize("old", list(DeliveryState))
def test_what_has_ended_is_never_opened_again(old: DeliveryState) -> None:
    if not old.open:
        assert MOVES[old] <= {DeliveryState.ERASED}


def test_a_move_without_an_arrow_is_refused() -> None:
    check_move(DeliveryState.WAITING, DeliveryState.SENDING)
    with pytest.raises(IllegalMove, match="from 'arrived' to 'waiting'"):
        check_move(DeliveryState.ARRIVED, DeliveryState.WAITING)


def test_every_state_can_be_left_or_ends_for_good() -> None:
    """From each open state something ended can be reached, so that nothing can be stuck for ever."""
    for start in OPEN:
        reached, todo = set(), [start]
        while todo:
            state = todo.pop()
            if state not in reached:
                reached.add(state)
                todo += MOVES[state]
        assert reached & {DeliveryState.ARRIVED, DeliveryState.SETTLED, DeliveryState.CLOSED}
