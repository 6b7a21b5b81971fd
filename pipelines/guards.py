"""What the ledger's database itself refuses, whoever asks: moves that no arrow draws, and the loss of what was proved.

The arrows are those of `pipelines.states`, written here as triggers for SQLite and PostgreSQL. They are the last line:
the movement asks `states` first, and what arrives here is a fault of ours or somebody at the database's own prompt.
Both kinds refuse with an IntegrityError, and nothing of the transaction is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from pipelines.states import MOVES, VERSION_MOVES

#: Table -> its arrows.
_ARROWS: dict[str, Mapping[Any, Any]] = {"delivery": MOVES, "version": VERSION_MOVES}
#: Tables of which no row may go.
_KEPT = ("audit",)
#: Tables of which rows may go with their referral alone, once retention has entered it as leaving. Of each, the words
#: by which SQLite finds the referral.
_GO_TOGETHER = {
    "delivery": "OLD.referral_id",
    "proof": "(SELECT referral_id FROM delivery WHERE id = OLD.delivery_id)",
    "version": "OLD.referral_id",
}
#: Tables of which no row may change.
_WRITTEN_ONCE = ("audit",)

_FUNCTION = """
CREATE OR REPLACE FUNCTION dolen_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING
        MESSAGE = TG_ARGV[0], ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
END $$
"""
#: PostgreSQL takes no look into another table in a trigger's condition.
_UNLESS_LEAVING = """
CREATE OR REPLACE FUNCTION dolen_refuse_unless_leaving() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    whose text := to_jsonb(OLD)->>'referral_id';
BEGIN
    IF TG_TABLE_NAME = 'proof' THEN
        SELECT referral_id INTO whose FROM delivery WHERE id = (to_jsonb(OLD)->>'delivery_id')::bigint;
    END IF;
    IF EXISTS (SELECT 1 FROM leaving WHERE referral_id = whose) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION USING
        MESSAGE = TG_ARGV[0], ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
END $$
"""


def put_up(connection: Connection) -> None:
    """Make the guards as they should be now, in place of those that are there."""
    take_down(connection)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_FUNCTION)
        connection.exec_driver_sql(_UNLESS_LEAVING)
    for name, table, what, when, words in _guards():
        if connection.dialect.name == "postgresql":
            apart = table in _GO_TOGETHER and what == "DELETE"
            condition = f"WHEN ({when}) " if when and not apart else ""
            refuse = "dolen_refuse_unless_leaving" if apart else "dolen_refuse"
            connection.exec_driver_sql(
                f"CREATE TRIGGER {name} BEFORE {what} ON {table} FOR EACH ROW {condition}"
                f"EXECUTE FUNCTION {refuse}('{words}')"
            )
        else:
            condition = f"WHEN {when} " if when else ""
            connection.exec_driver_sql(
                f"CREATE TRIGGER {name} BEFORE {what} ON {table} FOR EACH ROW {condition}"
                f"BEGIN SELECT RAISE(ABORT, '{words}'); END"
            )


def take_down(connection: Connection) -> None:
    """Take the guards away: before they are made anew, and never otherwise."""
    for name, table, *_ in _guards():
        of = f" ON {table}" if connection.dialect.name == "postgresql" else ""
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}{of}")


def _guards() -> Iterator[tuple[str, str, str, str, str]]:
    """Name, table, what is refused, under which condition, and in which words."""
    for table, arrows in _ARROWS.items():
        drawn = " OR ".join(_drawn(old, after) for old, after in arrows.items() if after)
        moved = f"OLD.state <> NEW.state AND NOT ({drawn})"
        yield f"{table}_moves", table, "UPDATE OF state", moved, f"no arrow leads a {table} from its state to that one"
    for table in _KEPT:
        yield f"{table}_stays", table, "DELETE", "", f"a row of {table} is never deleted"
    for table, whose in _GO_TOGETHER.items():
        leaves = f"NOT EXISTS (SELECT 1 FROM leaving WHERE referral_id = {whose})"  # noqa: S608 - names of our own
        yield f"{table}_stays", table, "DELETE", leaves, f"a row of {table} is never deleted"
    for table in _WRITTEN_ONCE:
        yield f"{table}_as_written", table, "UPDATE", "", f"a row of {table} is never changed"


def _drawn(old: StrEnum, after: frozenset[StrEnum]) -> str:
    reached = ", ".join(f"'{state.value}'" for state in sorted(after))
    return f"(OLD.state = '{old.value}' AND NEW.state IN ({reached}))"
