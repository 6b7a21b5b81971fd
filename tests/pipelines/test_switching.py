"""Routes are led to a new system in one step and back: nothing is sent twice or left, and it may be broken off."""

from __future__ import annotations

from typing import Any

import pytest

from config.findings import SiteFaults
from pipelines import composition, switching
from pipelines.lock import only_one
from pipelines.looking import NotPossible
from pipelines.processes import WORK, Presence
from pipelines.relinking import Relinking
from pipelines.switching import Plan, Switching
from tests.pipelines.replaced import FILE, beside, cases, routes

pytest_plugins = ("tests.pipelines.pieces",)
OLD = {"contact-to-casework": ("contact", "casework"), "casework-to-contact": ("casework", "contact"),
       "tell-the-resident": ("casework", "texts")}  # fmt: skip
NEW = {"contact-to-casework": ("contact", "newcase"), "casework-to-contact": ("newcase", "contact"),
       "tell-the-resident": ("newcase", "texts")}  # fmt: skip
OWNED = ["status", "status_reason", "status_changed_at", "assigned_to", "outcome", "decision"]


@pytest.fixture
def both(bench: Any) -> Any:
    """Three cases in the old system, the first two with a number in the new one."""
    beside(bench)
    cases(bench)
    link(bench, "880,N-0\n881,N-1")
    return bench


def link(bench: Any, text: str) -> None:
    wired = bench.council.wired
    Relinking(bench.plant, wired["casework"], wired["newcase"], text).run(write=True, who="A", why="b")


def switch(bench: Any, old: str = "casework", new: str = "newcase", **options: Any) -> Plan:
    wired = bench.council.wired
    done = Switching(bench.plant, composition.load(bench.folder), wired[old], wired[new])
    return done.carry_out(who="A. Swyddog", why="Mae'r system yn newid", **options)


def plan(bench: Any, old: str = "casework", new: str = "newcase") -> Plan:
    wired = bench.council.wired
    return Switching(bench.plant, composition.load(bench.folder), wired[old], wired[new]).plan()


def change(bench: Any, number: int, minute: int) -> None:
    """The contact centre changes one of its requests."""
    bench.take(bench.request(f"C-{number}", minute=minute, customer__last_name=f"Ap-{number}", priority="urgent"))


def test_a_plan_changes_nothing(both: Any) -> None:
    change(both, 0, 60)
    before = (both.folder / FILE).read_bytes(), both.rows("delivery"), both.rows("audit")
    told = plan(both)
    assert [(one.name, one.end) for one in told.routes] == [
        ("contact-to-casework", "to"), ("casework-to-contact", "from"), ("tell-the-resident", "from"),
    ]  # fmt: skip
    assert (told.owns, told.waiting, told.unlinked_in_all) == (OWNED, 1, 1)
    assert ((both.folder / FILE).read_bytes(), both.rows("delivery"), both.rows("audit")) == before


def test_there_and_back_again(both: Any) -> None:
    change(both, 0, 60)
    with pytest.raises(NotPossible, match="1 open requests have a number in casework and none in newcase"):
        switch(both)
    link(both, "882,N-2")
    original = (both.folder / FILE).read_text(encoding="utf-8")
    done = switch(both)
    assert (done.done, done.waiting) == (True, 1)
    both.restart()
    assert routes(both) == NEW
    assert {both.council.owners[group] for group in OWNED} == {"newcase"}
    assert both.deliveries("casework") == ["arrived", "arrived", "arrived", "closed"]
    [moved] = both.rows("delivery", connection="newcase")
    assert (moved.state, moved.route, moved.kind) == ("waiting", "contact-to-casework", "Referral")
    both.arrived(moved.lane, "N-0", how="updated")
    assert len(both.rows("record", connection="newcase")) == 3
    assert both.rows("pause") == []
    assert [row.action for row in both.rows("audit")][-1] == "routes switch"
    text = (both.folder / FILE).read_text(encoding="utf-8")
    assert "A. Swyddog: Mae'r system yn newid" in text

    change(both, 1, 70)  # while the new system is the one
    assert both.deliveries("newcase") == ["arrived", "waiting"]
    switch(both, "newcase", "casework")
    both.restart()
    assert routes(both) == OLD
    assert {both.council.owners[group] for group in OWNED} == {"casework"}
    assert both.deliveries("newcase") == ["arrived", "closed"]
    assert both.deliveries("casework") == ["arrived", "arrived", "arrived", "closed", "waiting"]

    def bare(words: str) -> list[str]:
        return [line.strip() for line in words.splitlines() if "A. Swyddog" not in line and "owns" not in line]

    assert bare((both.folder / FILE).read_text(encoding="utf-8")) == bare(original)


def test_what_the_new_system_lacks_is_made_there_only_if_a_person_says_so(both: Any) -> None:
    change(both, 2, 60)
    switch(both, rest_is_new=True)
    both.restart()
    [made] = both.rows("delivery", connection="newcase")
    both.arrived(made.lane, "N-7")
    assert [row.external_id for row in both.rows("record", connection="newcase")] == ["N-0", "N-1", "N-7"]


def test_what_needs_attention_goes_along(both: Any) -> None:
    from pipelines.causes import Cause
    from pipelines.decision import Decision, Do
    from pipelines.sending import Result

    change(both, 0, 60)
    [row] = both.rows("delivery", connection="casework", state="waiting")
    job = both.job(row.lane)
    cause = Cause("casework", "send", "Rejected", "it said no")
    assert both.write(Result(job, error="Rejected", words="it said no", decision=Decision(Do.ATTENTION), cause=cause))
    assert both.deliveries("casework")[-1] == "needs attention"
    switch(both, rest_is_new=True)
    assert (both.deliveries("casework")[-1], both.deliveries("newcase")) == ("closed", ["waiting"])


@pytest.mark.parametrize("answer", ["no answer", "being sent"])
def test_nothing_is_switched_while_something_is_on_its_way(both: Any, answer: str) -> None:
    change(both, 0, 60)
    [row] = both.rows("delivery", connection="casework", state="waiting")
    both.no_answer(row.lane, 60) if answer == "no answer" else both.job(row.lane)
    before = (both.folder / FILE).read_bytes()
    with pytest.raises(NotPossible, match=f"d{row.id} may have reached casework"):
        switch(both, rest_is_new=True)
    assert (both.folder / FILE).read_bytes() == before
    assert both.rows("pause") == []


def test_nothing_is_switched_while_the_site_runs(both: Any) -> None:
    if both.plant.ledger.embedded:
        with only_one(both.plant.lock_file), pytest.raises(NotPossible, match="stop every `dolen run`"):
            switch(both, rest_is_new=True)
    else:
        presence = Presence(both.plant, "boot-9", [WORK])
        presence.register()
        with pytest.raises(NotPossible, match="stop every `dolen run`"):
            switch(both, rest_is_new=True)
        presence.leave()
    assert routes(both) == OLD


@pytest.mark.parametrize("step", ["_rewrite", "_move", "_end"])
def test_broken_off_at_each_step_it_is_finished_by_asking_again(
    both: Any, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(both, 0, 60)

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(switching.Switching, step, killed)
        switch(both, rest_is_new=True)
    both.restart()
    [pause] = both.rows("pause")
    assert (pause.connection, pause.words) == ("casework", switching.PAUSED)
    told = plan(both)
    assert told.broken_off
    switch(both, rest_is_new=True)
    both.restart()
    assert routes(both) == NEW
    assert both.rows("pause") == []
    assert (both.deliveries("casework")[-1], both.deliveries("newcase")) == ("closed", ["waiting"])


def test_a_pause_that_a_person_made_stays(both: Any) -> None:
    from pipelines import control

    control.pause(both.plant, both.council.wired["casework"], who="A", why="b")
    switch(both, rest_is_new=True)
    assert [row.connection for row in both.rows("pause")] == ["casework"]


def test_a_file_that_would_not_be_sound_is_not_written(both: Any) -> None:
    path = both.folder / FILE
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("  newcase:\n", "  newcase:\n    owns: [colour]\n"), encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises((SiteFaults, NotPossible, KeyError)):
        switch(both, rest_is_new=True)
    assert path.read_bytes() == before


def test_a_new_system_of_another_kind_is_refused_before_anything_is_touched(bench: Any) -> None:
    beside(bench)
    wired = bench.council.wired
    site = composition.load(bench.folder)
    with pytest.raises(NotPossible, match="texts has none"):
        Switching(bench.plant, site, wired["casework"], wired["texts"]).plan()
    with pytest.raises(NotPossible, match="two different connections of one council"):
        Switching(bench.plant, site, wired["casework"], wired["casework"])
    with pytest.raises(NotPossible, match="no route leads to or from newcase"):
        Switching(bench.plant, site, wired["newcase"], wired["casework"]).carry_out(who="A", why="b")
