"""What is done and when: drawn from the seed, spread over the whole movement, every misfortune at least once."""

from __future__ import annotations

import pytest

from console.bench.blows import explained_questions
from console.bench.torment import SILENCE, Misfortune, plan

POSSIBLE = [each for each in Misfortune if each is not Misfortune.NONE]


def test_a_seed_draws_the_same_rounds_again() -> None:
    assert plan(4, 200, POSSIBLE) == plan(4, 200, POSSIBLE)
    assert plan(4, 200, POSSIBLE) != plan(5, 200, POSSIBLE)


@pytest.mark.parametrize("seed", range(20))
def test_forty_kills_see_every_misfortune_that_is_possible(seed: int) -> None:
    rounds = plan(seed, 40, POSSIBLE)
    assert len(rounds) == 40
    assert {each.misfortune for each in rounds} >= set(POSSIBLE)
    assert [each.until for each in rounds] == sorted(each.until for each in rounds)
    assert rounds[-1].until == 1.0
    assert all(each.lasts > SILENCE for each in rounds if each.misfortune is Misfortune.LONG_FREEZE)


def test_what_is_not_possible_is_not_drawn() -> None:
    assert {each.misfortune for each in plan(1, 300, [Misfortune.CUT])} == {Misfortune.NONE, Misfortune.CUT}


@pytest.mark.parametrize(
    ("create", "blows", "explained"),
    [
        ({"ambiguous": False, "gone": False, "begun": 10.0, "ended": 10.1}, [], 0),
        ({"ambiguous": True, "gone": False, "begun": 10.0, "ended": 10.1}, [], 1),
        ({"ambiguous": False, "gone": True, "begun": 10.0, "ended": 10.1}, [], 1),
        ({"ambiguous": False, "gone": False, "begun": 10.0, "ended": 10.1}, [10.05], 1),
        ({"ambiguous": False, "gone": False, "begun": 10.0, "ended": 10.1}, [9.9, 10.7], 0),
        ({"ambiguous": False, "gone": False, "begun": 10.0, "ended": None}, [15.0], 1),
    ],
)
def test_a_question_must_be_explained_by_a_fault_or_a_blow(
    create: dict[str, object], blows: list[float], explained: int
) -> None:
    assert explained_questions([create], blows) == explained
