"""Councils that send nothing for now, because their ledger was put back from a copy. They read, and wait.

Kept apart from pauses: those are about one connection, stop its reading too, and are a person's or a breaker's to end.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, select

from pipelines.ledger import set_meta
from pipelines.ready import Say
from pipelines.tables import meta

_NAME = "held since restore: "
_HELD = Say(select(meta.c.name, meta.c.value).where(meta.c.name.startswith(_NAME)))


def hold(connection: Connection, council: str, now: int) -> None:
    """Let a council send nothing from now on."""
    set_meta(connection, _NAME + council, str(now))


def let_go(connection: Connection, council: str) -> None:
    """Let it send again."""
    connection.execute(delete(meta).where(meta.c.name == _NAME + council))


def held_since(connection: Connection) -> dict[str, int]:
    """The councils that send nothing, and since when."""
    return {row["name"].removeprefix(_NAME): int(row["value"]) for row in _HELD.rows(connection)}


def holds(connection: Connection, council: str) -> bool:
    """Whether a council sends nothing for now."""
    return connection.execute(select(meta.c.name).where(meta.c.name == _NAME + council)).first() is not None
