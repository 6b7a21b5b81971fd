"""What is done and when: drawn from the seed, spread over the whole movement, every misfortune at least once."""

from __future__ import annotations

import pytest

from console.bench.blows import unexplained_questions
from console.bench.officer import Question
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
        ({}, [], False),
        ({"ambiguous": True}, [], True),
        ({"gone": True}, [], True),
        ({}, [10.05], True),
        ({}, [11.9], True),
        ({}, [9.9, 12.2], False),
        ({"ended": None}, [15.0], True),
        ({"token": "elder-000009", "ambiguous": True}, [10.05], False),
    ],
)
def test_a_question_must_be_explained_by_a_fault_or_a_blow_at_its_own_create(
    create: dict[str, object], blows: list[float], explained: bool
) -> None:
    plain = {"token": "elder-000004", "ambiguous": False, "gone": False, "begun": 10.0, "ended": 10.1}
    asked = [Question("d1", "elder-000004", True)]
    needless = unexplained_questions(asked, [plain | create], blows, unseen=5)
    assert needless == ([] if explained else ["elder-000004"])


def test_one_create_explains_one_question_and_calls_nobody_saw_only_what_was_not_there() -> None:
    create = {"token": "elder-000004", "ambiguous": True, "gone": False, "begun": 10.0, "ended": 10.1}
    twice = [Question("d1", "elder-000004", True), Question("d2", "elder-000004", True)]
    assert unexplained_questions(twice, [create], [], unseen=5) == ["elder-000004"]
    absent = [Question(f"d{number}", f"elder-{number:06d}", False) for number in range(3)]
    assert unexplained_questions(absent, [], [], unseen=2) == ["elder-000002"]


def test_on_a_slower_machine_an_answer_may_take_longer_to_be_written_down() -> None:
    create = {"token": "elder-000004", "ambiguous": False, "gone": False, "begun": 10.0, "ended": 10.1}
    asked = [Question("d1", "elder-000004", True)]
    assert unexplained_questions(asked, [create], [14.0], unseen=5, slowness=3.0) == []
    assert unexplained_questions(asked, [create], [17.0], unseen=5, slowness=3.0) == ["elder-000004"]
