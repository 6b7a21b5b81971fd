"""Writes of several calls, for a system whose create and update know neither the status nor the notes.

The other side is a small case system in memory that refuses what a strict one refuses; over real sockets the same is
tried against the pretend CRM (tests/connectors/verint).
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from connectors import errors
from connectors.port import Item, Receipt
from connectors.soap.beside import Beside
from connectors.soap.profile import SoapRecord

OPEN, CLOSED = ["NEW", "OPEN"], ["DONE", "GONE"]
TOLD = SoapRecord.model_validate(
    {
        "item": {"id": "Id", "our_key": "Key"},
        "leave_out": ["Id", "Status"],
        "fetch": {"operation": "Get", "id": "Id", "item": "Case"},
        "create": {"operation": "Create", "record": "Case", "our_key": "Key", "reply": {"id": "Id"}},
        "update": {"operation": "Update", "record": "Case", "mode": "replace", "id": "Id"},
        "find": {"operation": "Find", "by": "Key", "items": "Case[]"},
        "turns": {
            "at": "Status",
            "by": [
                {"operation": "Open", "when": "before", "from": CLOSED, "to": OPEN, "id": "Id"},
                {"operation": "Close", "when": "after", "from": OPEN, "to": CLOSED, "id": "Id", "code": "Code"},
            ],
        },
        "adds": [{"at": "Note[]", "known_by": ["."], "operation": "Add", "id": "Id", "record": "Note"}],
    }
)


class Cases:
    """A strict case system. `fails` is the number of the next calls that fail, each with nothing done."""

    def __init__(self) -> None:
        self.held: dict[str, dict[str, Any]] = {}
        self.calls: list[str] = []
        self.fails: list[errors.ConnectorError | None] = []

    def _call(self, name: str) -> None:
        self.calls.append(name)
        problem = self.fails.pop(0) if self.fails else None
        if problem is not None:
            raise problem

    def create(self, kind: str, record: dict[str, Any], key: str) -> Receipt:
        self._call("create")
        assert not {"Status", "Note", "Id"} & record.keys(), "a create takes none of them"
        id = str(len(self.held) + 1)
        self.held[id] = {**record, "Id": id, "Key": key, "Status": "NEW"}
        return Receipt(id, "created")

    def update(self, kind: str, record: dict[str, Any], id: str, version: str) -> Receipt:
        self._call("update")
        assert not {"Status", "Note"} & record.keys(), "nor does an update"
        held = self.held[id]
        if held["Status"] in CLOSED:
            raise errors.Rejected("closed")
        kept = {name: held[name] for name in ("Id", "Key", "Status", "Note") if name in held}
        self.held[id] = {**record, **kept}
        return Receipt(id, "updated")

    def step(self, kind: str, operation: str, content: dict[str, Any]) -> None:
        self._call(operation)
        held = self.held[content["Id"]]
        if operation == "Add":
            held["Note"] = [*held.get("Note", []), content["Note"]]
        elif operation == "Open":
            assert held["Status"] in CLOSED
            held["Status"] = "OPEN"
        else:
            assert held["Status"] in OPEN
            held["Status"] = content["Code"]

    def fetch(self, kind: str, id: str) -> Item | None:
        held = self.held.get(id)
        return None if held is None else Item(id, copy.deepcopy(held), b"")


@pytest.fixture
def cases() -> Cases:
    return Cases()


@pytest.fixture
def beside(cases: Cases) -> Beside:
    return Beside("Case", TOLD, cases)


def test_a_status_that_no_update_takes_is_turned_by_its_own_operations(cases: Cases, beside: Beside) -> None:
    made = beside.deliver({"Name": "a", "Status": "DONE", "Note": "one"}, key="k", id="", version="").id
    assert cases.held[made] == {"Id": "1", "Key": "k", "Name": "a", "Status": "DONE", "Note": ["one"]}
    assert cases.calls == ["create", "Add", "Close"]

    cases.calls.clear()
    beside.deliver({**cases.held[made], "Status": "OPEN"}, key="k", id=made, version="")
    assert (cases.held[made]["Status"], cases.calls) == ("OPEN", ["Open"])

    cases.calls.clear()
    beside.deliver({**cases.held[made], "Status": "GONE", "Name": "b"}, key="k", id=made, version="")
    assert (cases.held[made]["Status"], cases.calls) == ("GONE", ["update", "Close"])

    cases.calls.clear()
    beside.deliver({**cases.held[made], "Status": "DONE"}, key="k", id=made, version="")
    assert (cases.held[made]["Status"], cases.calls) == ("DONE", ["Open", "Close"])

    cases.calls.clear()
    assert beside.deliver(dict(cases.held[made]), key="k", id=made, version="").effect == "nothing"
    assert cases.calls == []


@pytest.mark.parametrize("problem", [errors.Unknown("x"), errors.Throttled("x"), errors.Rejected("x")])
@pytest.mark.parametrize("at", [1, 2])
def test_wherever_a_create_breaks_off_the_next_try_finishes_it(
    cases: Cases, beside: Beside, problem: errors.ConnectorError, at: int
) -> None:
    record = {"Name": "a", "Status": "DONE", "Note": ["one"]}
    cases.fails = [None] * at + [problem]
    with pytest.raises(errors.ConnectorError) as caught:
        beside.deliver(record, key="k", id="", version="")
    assert not isinstance(caught.value, errors.Unknown), "the record's fate is known"
    beside.deliver(record, key="k", id="", version="")
    assert list(cases.held.values()) == [{"Id": "1", "Key": "k", "Name": "a", "Status": "DONE", "Note": ["one"]}]


def test_a_create_whose_own_answer_is_lost_is_not_remembered(cases: Cases, beside: Beside) -> None:
    """Nobody knows whether it was done: the worker looks it up by our key, as for any create."""
    cases.fails = [errors.Unknown("no answer")]
    with pytest.raises(errors.Unknown):
        beside.deliver({"Name": "a", "Status": "NEW"}, key="k", id="", version="")
    beside.deliver({"Name": "a", "Status": "NEW"}, key="k", id="", version="")
    assert cases.calls == ["create", "create"]
