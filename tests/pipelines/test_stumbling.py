"""A try that ends in a fault of our own: nobody is told twice, nobody waits for ever, and nobody else waits at all.

The faults are put where a call is prepared, made and looked up; everything else is the real path over real sockets.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from mappings.mapping import Mapping
from pipelines import drain
from pipelines.tables import delivery
from tests.pipelines.conftest import Town

FULL = OSError(errno.EMFILE, "too many open files")
OURS = ZeroDivisionError()


def raising(fault: Exception) -> Callable[..., Any]:
    def raises(*_: Any, **__: Any) -> Any:
        raise fault

    return raises


def sent(town: Town) -> Any:
    with town.plant.ledger.reading() as connection:
        return connection.execute(select(delivery).where(delivery.c.connection == "casework")).one()


@pytest.fixture
def asked(town: Town) -> Town:
    """One request that is to go to casework."""
    town.ask()
    town.read("torfaen")
    return town


def test_a_machine_that_cannot_is_no_fault_of_the_record(asked: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen in a long run: one OSError before a call, and a referral waited for a person with nothing wrong in it."""
    with monkeypatch.context() as broken:
        broken.setattr(Mapping, "write", raising(FULL))
        assert asked.deliver() == 1
    row = sent(asked)
    assert (row.state, row.reason) == ("waiting", "Dolen stumbled over this record (OSError); nothing was sent")
    asked.rest()
    assert sent(asked).state == "arrived"
    assert len(asked.records("torfaen", "casework")) == 1


def test_a_machine_that_never_can_is_told_to_a_person_in_the_end(asked: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Mapping, "write", raising(FULL))
    for _ in range(drain._STUMBLES):
        assert asked.deliver() == 1
        asked.push(900)
    assert (sent(asked).state, sent(asked).tries) == ("needs attention", drain._STUMBLES)


def test_a_fault_of_our_code_before_the_call_needs_a_person_at_once(
    asked: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Mapping, "write", raising(OURS))
    assert asked.deliver() == 1
    assert sent(asked).state == "needs attention"


@pytest.mark.parametrize("fault", [FULL, OURS], ids=["machine", "code"])
def test_a_fault_after_the_call_was_made_leaves_it_in_doubt(
    asked: Town, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    connector = asked.plant.councils["torfaen"].wired["casework"].connector
    deliver = connector.deliver

    def late(*args: Any, **named: Any) -> Any:
        deliver(*args, **named)
        raise fault

    with monkeypatch.context() as broken:
        broken.setattr(connector, "deliver", late)
        assert asked.deliver() == 1
    assert (sent(asked).state, sent(asked).reason.endswith("is not known")) == ("not sure", True)
    asked.rest()
    assert len(asked.records("torfaen", "casework")) == 1, "it was looked up and found"


@pytest.mark.parametrize(("fault", "state"), [(FULL, "looked up again"), (OURS, "a person is asked")])
def test_a_fault_while_looking_up_never_makes_certain_what_was_in_doubt(
    asked: Town, monkeypatch: pytest.MonkeyPatch, fault: Exception, state: str
) -> None:
    """Broken by "nothing was sent": it was sent before, and sent again it would be there twice."""
    asked.faults("torfaen", "casework", reset_after={})
    assert asked.deliver() == 1
    assert sent(asked).state == "not sure"
    asked.well("torfaen", "casework")
    asked.push(900)
    connector = asked.plant.councils["torfaen"].wired["casework"].connector
    with monkeypatch.context() as broken:
        broken.setattr(connector, "find", raising(fault))
        assert asked.deliver() == 1
    row = sent(asked)
    assert row.state == "not sure"
    assert (row.due is not None) == (state == "looked up again")
    if row.due is not None:
        asked.rest()
    assert len(asked.records("torfaen", "casework")) == 1
