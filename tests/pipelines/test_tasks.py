"""Tasks: many sent again by one word of an officer; each at most once, none left out, whoever is killed meanwhile."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from pipelines import counted, desk, tasks
from pipelines.decision import Decision, Do
from pipelines.looking import NotPossible
from pipelines.sending import Result
from pipelines.task_runs import LEASE, TaskRuns
from pipelines.tasks import CLOSE, SEND_AGAIN, State

pytest_plugins = ("tests.pipelines.pieces",)

WHO = {"who": "ann", "why": "the supplier has mended it"}
ON = threading.Event()


def refuse(bench: Any, *ids: str) -> list[str]:
    found = []
    for id in ids:
        bench.take(bench.request(id, customer__date_of_birth="1950-01-02", customer__last_name=f"Name {id}"))
        job = bench.job(str(bench.rows("delivery")[-1].lane))
        assert bench.write(Result(job, error="Rejected", words="no", decision=Decision(Do.ATTENTION)))
        found.append(f"d{job.row.id}")
    return found


def cause(bench: Any) -> counted.Counted:
    [one] = counted.causes(bench.plant, ["torfaen"])
    return one


def sent(bench: Any) -> list[str]:
    return [row.subject for row in bench.rows("audit") if row.action == "send again"]


def test_a_whole_cause_is_sent_again_in_order_and_once(bench: Any) -> None:
    ids = refuse(bench, "C-1", "C-2", "C-3")
    id = tasks.for_cause(bench.plant, cause(bench).fingerprint, ["torfaen"], action=SEND_AGAIN, **WHO)
    with pytest.raises(NotPossible, match="somebody has asked for all of this cause"):
        tasks.for_cause(bench.plant, cause(bench).fingerprint, ["torfaen"], action=SEND_AGAIN, **WHO)
    assert TaskRuns(bench.plant).turn(ON)
    assert sent(bench) == ids
    one = tasks.shown(bench.plant, id, ["torfaen"])
    assert (one.state, one.total, one.done, one.not_done) == (State.DONE, 3, 3, 0)
    assert not TaskRuns(bench.plant).turn(ON)
    assert bench.deliveries("casework") == ["waiting"] * 3


def test_what_needs_attention_later_is_not_part_of_it(bench: Any) -> None:
    ids = refuse(bench, "C-1")
    tasks.for_cause(bench.plant, cause(bench).fingerprint, ["torfaen"], action=SEND_AGAIN, **WHO)
    refuse(bench, "C-2")
    TaskRuns(bench.plant).turn(ON)
    assert sent(bench) == ids


def test_who_is_killed_with_one_in_hand_leaves_none_out_and_none_is_done_twice(bench: Any) -> None:
    for done_before_death in (True, False):
        ids = refuse(bench, *(f"C-{n}-{done_before_death}" for n in range(3)))
        before = len(sent(bench))
        id = tasks.for_ids(bench.plant, ids, action=SEND_AGAIN, **WHO)
        killed = TaskRuns(bench.plant)
        row = killed._claim()
        assert row is not None
        killed._take_in_hand(row, ids[0], {"done": 0, "not_done": 0, "notes": []})
        if done_before_death:
            desk.replay(bench.plant, [ids[0]], **WHO)
        assert not TaskRuns(bench.plant).turn(ON), "it has a lease"
        bench.clock.pass_by(LEASE / 1_000_000 + 1)
        assert TaskRuns(bench.plant).turn(ON)
        assert sent(bench)[before:] == ids
        assert tasks.shown(bench.plant, id, ["torfaen"]).done == 3


def test_a_task_is_paused_taken_up_again_and_cancelled(bench: Any) -> None:
    ids = refuse(bench, "C-1", "C-2")
    id = tasks.for_cause(bench.plant, cause(bench).fingerprint, ["torfaen"], action=SEND_AGAIN, **WHO)
    tasks.pause(bench.plant, id, who="bob")
    assert not TaskRuns(bench.plant).turn(ON)
    assert tasks.open_for(bench.plant, cause(bench).id) is not None
    with pytest.raises(NotPossible, match="is paused by now"):
        tasks.pause(bench.plant, id, who="bob")
    tasks.go_on(bench.plant, id, who="bob")
    tasks.cancel(bench.plant, id, who="bob")
    assert not TaskRuns(bench.plant).turn(ON) and sent(bench) == []
    tasks.for_cause(bench.plant, cause(bench).fingerprint, ["torfaen"], action=SEND_AGAIN, **WHO)  # once more
    TaskRuns(bench.plant).turn(ON)
    assert sent(bench) == ids
    said = [row.action for row in bench.rows("audit") if row.subject == f"t{id}"]
    assert said == ["task: send again", "task paused", "task taken up again", "task cancelled"]


def test_two_who_run_it_have_one_effect(bench: Any) -> None:
    ids = refuse(bench, *(f"C-{n}" for n in range(6)))
    tasks.for_ids(bench.plant, ids, action=SEND_AGAIN, **WHO)
    threads = [threading.Thread(target=TaskRuns(bench.plant).turn, args=(ON,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sent(bench) == ids


def test_what_is_not_possible_is_noted_and_the_rest_goes_on(bench: Any) -> None:
    ids = refuse(bench, "C-1", "C-2")
    id = tasks.for_ids(bench.plant, ids, action=SEND_AGAIN, **WHO)
    desk.close(bench.plant, ids[0], **WHO)
    TaskRuns(bench.plant).turn(ON)
    one = tasks.shown(bench.plant, id, ["torfaen"])
    assert (one.done, one.not_done) == (1, 1)
    assert one.notes[0][0] == ids[0] and "closed" in one.notes[0][1]


def test_many_are_closed_without_sending(bench: Any) -> None:
    refuse(bench, "C-1", "C-2")
    tasks.for_cause(bench.plant, cause(bench).fingerprint, ["torfaen"], action=CLOSE, **WHO)
    TaskRuns(bench.plant).turn(ON)
    assert bench.deliveries("casework") == ["closed", "closed"]


def test_another_council_sees_no_task(bench: Any) -> None:
    refuse(bench, "C-1")
    with pytest.raises(NotPossible):
        tasks.for_cause(bench.plant, cause(bench).fingerprint, ["blaenau-gwent"], action=SEND_AGAIN, **WHO)
    id = tasks.for_cause(bench.plant, cause(bench).fingerprint, ["torfaen"], action=SEND_AGAIN, **WHO)
    with pytest.raises(NotPossible):
        tasks.shown(bench.plant, id, ["blaenau-gwent"])
    assert tasks.newest(bench.plant, ["blaenau-gwent"]) == []
    assert [one.id for one in tasks.newest(bench.plant, ["torfaen"])] == [id]
