"""Four eyes: a restricted referral is sent again by two officers together; one alone sends nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pipelines import desk, four_eyes, grants, replaying
from pipelines.plant import Plant
from pipelines.rights import Officer, Role
from pipelines.seeing import through
from pipelines.sight import NotAllowed, NotPossible
from tests.access.test_sight import HIDDEN, OPEN, Desk
from tests.pipelines.pieces import Bench


@pytest.fixture(scope="module")
def at(site: Path) -> Iterator[Desk]:
    """A restricted referral that its target refused, and two operators and a case-reader who may see it."""
    bench = Bench(site)
    made = Desk(bench)
    bench.take(bench.request(OPEN), bench.request(HIDDEN, flags__restricted=True, customer__last_name="Cudd"))
    for number in (OPEN, HIDDEN):
        made.stop(number)
    for name in ("first", "second", "third", "reader"):
        grants.give(
            made.eyes("dp", Role.DATA_PROTECTION), HIDDEN, name, lasts=timedelta(days=30), why="they work on it"
        )
    yield made
    bench.end()


def ask(at: Desk, who: str = "first") -> str:
    """Have one officer ask; returns under which id it waits."""
    done = desk.replay(at.eyes(who), [at.delivery(HIDDEN)], who=who, why="the priority was mended")
    assert (done.done, done.not_done) == ([], [])
    ((id, words),) = done.asked
    assert id == at.delivery(HIDDEN)
    assert "another officer has to confirm it" in words
    (waiting,) = four_eyes.waiting(at.eyes("third"))
    return waiting.id


def state(at: Desk) -> str:
    return str(at.bench.rows("delivery", referral_id=at.id(HIDDEN))[0].state)


def test_one_alone_sends_nothing_and_the_other_is_shown_why(at: Desk) -> None:
    id = ask(at)
    assert state(at) == "needs attention"
    assert ask(at) == id  # asked twice it waits once
    assert four_eyes.reason(at.eyes("third"), id) == "the priority was mended"
    assert [one.mine for one in four_eyes.waiting(at.eyes("first"))] == [True]
    assert four_eyes.waiting(at.eyes("stranger")) == []  # it is invisible to whoever does not see the referral
    with pytest.raises(NotPossible, match="nothing of the id"):
        replaying.confirm(at.eyes("stranger"), id, yes=True, why="x")


def test_neither_the_same_person_nor_one_who_may_not_send_confirms(at: Desk) -> None:
    id = ask(at)
    with pytest.raises(NotAllowed, match="you asked for"):
        replaying.confirm(at.eyes("first"), id, yes=True, why="x")
    other_name = through(
        at.bench.plant, Officer("another name", {"torfaen": frozenset({Role.OPERATOR})}, "name first")
    )
    with pytest.raises(NotAllowed, match="you asked for"):  # whoever they say they are
        replaying.confirm(other_name, id, yes=True, why="x")
    with pytest.raises(NotAllowed, match="operator"):
        replaying.confirm(at.eyes("reader", Role.CASE_READER), id, yes=True, why="x")
    assert state(at) == "needs attention"


def test_what_is_refused_or_too_old_is_not_sent(at: Desk) -> None:
    id = ask(at)
    assert replaying.confirm(at.eyes("second"), id, yes=False, why="not yet").done == []
    with pytest.raises(NotPossible, match="no answer any more"):
        replaying.confirm(at.eyes("third"), id, yes=True, why="x")
    id = ask(at)
    at.bench.clock.pass_by(86_401)
    with pytest.raises(NotPossible, match="no answer any more"):
        replaying.confirm(at.eyes("second"), id, yes=True, why="x")
    assert state(at) == "needs attention"


def test_two_who_confirm_at_once_send_once(at: Desk) -> None:
    id, heard = ask(at), []

    def confirm(eyes: Plant) -> None:
        try:
            heard.append(replaying.confirm(eyes, id, yes=True, why="looked at it").done)
        except NotPossible as fault:
            heard.append(str(fault))

    threads = [threading.Thread(target=confirm, args=(at.eyes(name),)) for name in ("second", "third")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, heard)) == [f"['{at.delivery(HIDDEN)}']", f"{id} waits for no answer any more"]
    assert state(at) == "waiting"
    sent = [row.who for row in at.bench.rows("audit", subject=at.delivery(HIDDEN)) if row.action == "send again"]
    assert len(sent) == 1
    assert sent[0].startswith("first, confirmed by ")


def test_what_is_not_restricted_takes_one(at: Desk) -> None:
    done = desk.replay(at.eyes("first"), [at.delivery(OPEN)], who="first", why="mended")
    assert (done.done, done.asked) == ([at.delivery(OPEN)], [])
