"""The states are those that docs/data-model.md draws, arrow by arrow, in the code and in both kinds of database."""

import re
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from pipelines import guards, tables
from pipelines.ledger import Ledger
from pipelines.states import MOVES, OPEN, VERSION_MOVES, DeliveryState, IllegalMove, VersionState, check_move

pytest_plugins = ("tests.on_servers",)

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "data-model.md").read_text(encoding="utf-8")
ARROW = re.compile(r"^\s+(\w+|\[\*\]) --> (\w+)", re.MULTILINE)
KINDS: list[tuple[str, type[StrEnum], Mapping[Any, Any]]] = [
    ("delivery", DeliveryState, MOVES),
    ("version", VersionState, VERSION_MOVES),
]
#: What a row of each table cannot do without, for the few columns that have no default.
FIRST: dict[str, dict[str, Any]] = {
    "payload": {"id": "p", "council": "torfaen", "class": "raw", "key_id": "k", "at": 1},
    "person": {"id": "p", "council": "torfaen", "at": 1},
    "referral": {
        "id": "r", "council": "torfaen", "person_id": "p", "revision": 1, "facts": "p", "citizen_reference": "x",
        "born_in": "contact", "at": 1, "changed_at": 1,
    },
    "cause": {
        "id": 1, "fingerprint": "f", "council": "torfaen", "connection": "contact", "step": "read", "error": "x",
        "words": "x", "first_seen": 1, "last_seen": 1,
    },
    "version": {
        "id": 1, "council": "torfaen", "connection": "contact", "kind": "Request", "raw": "p", "content": "c",
        "state": "waiting", "cause_id": 1, "at": 1,
    },
    "delivery": {
        "id": 1, "key": "k", "council": "torfaen", "referral_id": "r", "route": "a-to-b", "connection": "casework",
        "kind": "Referral", "carries": "event", "revision": 1, "lane": "l", "state": "waiting", "cause_id": 1, "at": 1,
        "changed_at": 1,
    },
    "proof": {"delivery_id": 1, "external_id": "881", "revision": 1, "how": "created", "at": 1},
    "audit": {
        "seq": 1, "at": 1, "who": "ann", "council": "torfaen", "action": "close", "subject": "d1", "detail": {},
        "previous": "", "hash": "h",
    },
}  # fmt: skip


@pytest.fixture
def ledger(either: Callable[[], str]) -> Iterator[Ledger]:
    """One row in each table that has something to lose, on SQLite and on PostgreSQL."""
    opened = Ledger(either())
    with opened.writing() as connection:
        for name, row in FIRST.items():
            connection.execute(insert(tables.metadata.tables[name]).values(**row))
    yield opened
    opened.close()


def put(ledger: Ledger, table: Any, state: StrEnum) -> None:
    """Bring the row to a state, whatever it was in."""
    with ledger.writing() as connection:
        guards.take_down(connection)
        connection.execute(update(table).values(state=state))
        guards.put_up(connection)


def may(ledger: Ledger, table: Any, new: StrEnum) -> bool:
    try:
        with ledger.writing() as connection:
            connection.execute(update(table).values(state=new))
    except IntegrityError:
        return False
    return True


@pytest.mark.parametrize(("name", "states", "moves"), KINDS)
def test_the_database_lets_a_row_move_along_the_arrows_and_nowhere_else(
    ledger: Ledger, name: str, states: type[StrEnum], moves: Mapping[Any, Any]
) -> None:
    table = tables.metadata.tables[name]
    wrong = {}
    for old in states:
        put(ledger, table, old)
        for new in states:
            if may(ledger, table, new) != (new == old or new in moves[old]):
                wrong[old, new] = "let through" if new not in moves[old] else "refused"
            with ledger.reading() as connection:
                moved = connection.execute(select(table.c.state)).scalar() != old
            if moved:
                put(ledger, table, old)
    assert wrong == {}


@pytest.mark.parametrize("name", ["audit", "delivery", "proof", "version"])
def test_what_was_proved_is_never_deleted(ledger: Ledger, name: str) -> None:
    table = tables.metadata.tables[name]
    if name in ("delivery", "version"):  # what points at it would keep it as well
        with ledger.writing() as connection:
            guards.take_down(connection)
            connection.execute(delete(tables.proof))
            guards.put_up(connection)
    with pytest.raises(IntegrityError), ledger.writing() as connection:
        connection.execute(delete(table))
    with ledger.reading() as connection:
        assert len(connection.execute(select(table)).all()) == 1


def test_the_audit_is_never_changed(ledger: Ledger) -> None:
    with pytest.raises(IntegrityError), ledger.writing() as connection:
        connection.execute(update(tables.audit).values(who="bob"))
    with ledger.reading() as connection:
        assert connection.execute(select(tables.audit.c.who)).scalar() == "ann"


def test_a_row_may_change_in_all_else_without_moving(ledger: Ledger) -> None:
    with ledger.writing() as connection:
        connection.execute(update(tables.delivery).values(state=DeliveryState.WAITING, due=5, tries=2))
        connection.execute(update(tables.version).values(state=VersionState.WAITING, remark="x"))


def drawn(states: type[StrEnum], title: str) -> set[tuple[StrEnum, StrEnum]]:
    part = PAGE.partition(f"## {title}\n")[2].partition("```mermaid")[2].partition("```")[0]
    pairs = [pair for pair in ARROW.findall(part) if pair[0] != "[*]"]
    assert pairs, f"nothing is drawn under {title}"
    return {(states(old.replace("_", " ")), states(new.replace("_", " "))) for old, new in pairs}


@pytest.mark.parametrize(("name", "states", "moves"), KINDS)
def test_the_page_draws_every_arrow_and_no_other(name: str, states: type[StrEnum], moves: Mapping[Any, Any]) -> None:
    assert drawn(states, f"States of a {name}") == {(old, new) for old, after in moves.items() for new in after}
    assert set(moves) == set(states)


@pytest.mark.parametrize("old", list(DeliveryState))
def test_what_has_ended_is_never_opened_again(old: DeliveryState) -> None:
    if not old.open:
        assert MOVES[old] <= {DeliveryState.ERASED}


def test_a_move_without_an_arrow_is_refused() -> None:
    for old, new in product(DeliveryState, DeliveryState):
        if new in MOVES[old]:
            check_move(old, new)
        else:
            with pytest.raises(IllegalMove, match=f"from '{old.value}' to '{new.value}'"):
                check_move(old, new)


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
