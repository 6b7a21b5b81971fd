"""Letting go on what waited for a code, as a task: asked for at once; each record once, whoever asks or is killed."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from mappings.codes import CodeRow
from pipelines import audit, code_desk, releasing, tasks, unmapped
from pipelines.rights import Officer, Role
from pipelines.seeing import through
from pipelines.sight import NotAllowed
from pipelines.task_runs import LEASE, TaskRuns
from pipelines.tasks import State

pytest_plugins = ("tests.pipelines.pieces",)

WHO = {"who": "ann", "why": "agreed with the team"}
PRIORITY, CHANNEL = "contact-priority", "contact-channel"
ON = threading.Event()


def say(bench: Any, name: str, theirs: str, ours: str) -> None:
    code_desk.map_code(bench.plant, name, CodeRow(0, theirs, ours, "read"), **WHO)


def ask(bench: Any, name: str = PRIORITY) -> int:
    (made,) = releasing.ask(bench.plant, name, ["torfaen"], **WHO)
    return made


def shown(bench: Any, id: int) -> tuple[State, int, int, int]:
    one = tasks.shown(bench.plant, id, ["torfaen"])
    return one.state, one.total, one.done, one.not_done


def sent(bench: Any) -> list[str]:
    return [row.subject for row in bench.rows("audit") if row.action == "send again"]


def test_it_is_asked_for_at_once_and_done_by_the_running_site(bench: Any) -> None:
    bench.take(*(bench.request(f"C-{n}", priority="tomorrow") for n in range(3)), bench.request("C-9", priority="soon"))
    say(bench, PRIORITY, "tomorrow", "urgent")
    id = ask(bench)
    assert shown(bench, id) == (State.UNDER_WAY, 4, 0, 0) and bench.deliveries() == []
    assert TaskRuns(bench.plant).turn(ON)
    assert shown(bench, id) == (State.DONE, 4, 3, 1)
    assert tasks.shown(bench.plant, id, ["torfaen"]).notes == (("v4", releasing.ANOTHER),)
    assert sent(bench) == ["v1", "v2", "v3"]
    assert bench.deliveries("casework") == ["waiting"] * 3
    assert [one.code for one in unmapped.unmapped(bench.plant)] == ["soon"]
    assert audit.verify(bench.plant.ledger, bench.vault) is None


def test_what_is_asked_for_twice_is_let_go_once(bench: Any) -> None:
    bench.take(*(bench.request(f"C-{n}", priority="tomorrow") for n in range(3)))
    say(bench, PRIORITY, "tomorrow", "urgent")
    first = ask(bench)
    assert ask(bench) == first  # nobody has begun it: it serves both
    runs = TaskRuns(bench.plant)
    row = runs._claim()
    assert row is not None
    second = ask(bench)  # it may have read the rows already
    assert second != first
    with bench.writing() as connection:
        connection.execute(runs._mine(first).values(owner=None, until=None))
    threads = [threading.Thread(target=TaskRuns(bench.plant).turn, args=(ON,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while TaskRuns(bench.plant).turn(ON):
        pass
    assert sent(bench) == ["v1", "v2", "v3"]
    assert {shown(bench, id)[0] for id in (first, second)} == {State.DONE}
    assert [row.state for row in bench.rows("version")] == ["merged"] * 3


@pytest.mark.parametrize("before_death", [True, False])
def test_a_killed_process_leaves_none_out_and_counts_none_twice(bench: Any, before_death: bool) -> None:
    """The second of three is in hand; the first still waits, for another code of the list."""
    bench.take(bench.request("C-0", priority="soon"), *(bench.request(f"C-{n}", priority="tomorrow") for n in (1, 2)))
    say(bench, PRIORITY, "tomorrow", "urgent")
    id = ask(bench)
    killed = TaskRuns(bench.plant)
    row = killed._claim()
    assert row is not None
    counts = {"done": 0, "not_done": 0, "notes": []}
    bench.plant.refresh()
    (first, one), (second, other), _ = list(releasing.left(bench.plant, "torfaen", PRIORITY, ""))
    assert killed._take_in_hand(row, first, counts)
    killed._count(counts, one.id, releasing.one(bench.plant, one, **WHO))
    assert killed._take_in_hand(row, second, counts)
    if before_death:
        assert releasing.one(bench.plant, other, **WHO) == ""
    assert not TaskRuns(bench.plant).turn(ON), "it has a lease"
    bench.clock.pass_by(LEASE / 1_000_000 + 1)
    assert TaskRuns(bench.plant).turn(ON)
    assert shown(bench, id) == (State.DONE, 3, 2, 1)
    assert sent(bench) == ["v2", "v3"]


def test_what_went_on_without_the_field_is_taken_again_and_the_audit_says_so(bench: Any) -> None:
    bench.take(*(bench.request(f"C-{n}", channel="webchat") for n in (1, 2)))
    say(bench, CHANNEL, "webchat", "web")
    id = ask(bench, CHANNEL)
    assert TaskRuns(bench.plant).turn(ON)
    assert shown(bench, id) == (State.DONE, 2, 2, 0)
    told = [row.detail["ids"] for row in bench.rows("audit", action="left out, taken again")]
    assert told == [["v1"], ["v2"]]
    assert unmapped.unmapped(bench.plant) == []


def test_it_pauses_and_goes_on_and_takes_the_right_to_codes(bench: Any) -> None:
    bench.take(*(bench.request(f"C-{n}", priority="tomorrow") for n in range(2)))
    say(bench, PRIORITY, "tomorrow", "urgent")
    viewer = through(bench.plant, Officer("bob", {"torfaen": frozenset({Role.OPERATOR})}))
    with pytest.raises(NotAllowed):
        releasing.ask(viewer, PRIORITY, **WHO)
    id = ask(bench)
    tasks.pause(bench.plant, id, who="bob")
    assert not TaskRuns(bench.plant).turn(ON) and sent(bench) == []
    tasks.go_on(bench.plant, id, who="bob")
    stopped = threading.Event()
    stopped.set()
    assert TaskRuns(bench.plant).turn(stopped) and shown(bench, id)[0] is State.UNDER_WAY
    assert TaskRuns(bench.plant).turn(ON)
    assert shown(bench, id) == (State.DONE, 2, 2, 0)
    assert releasing.ask(bench.plant, PRIORITY, ["blaenau-gwent"], **WHO) == []  # it does not use that list
