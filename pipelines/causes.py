"""Causes: why something needs attention, grouped so that one mend frees many.

A fingerprint is made of council, connection, step, error class, field and code list, never of a value. The words are
for an officer and hold no value either.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select, update

from pipelines.ledger import insert_new
from pipelines.tables import cause

if TYPE_CHECKING:
    from mappings.mapping import Gap


@dataclass(frozen=True, slots=True)
class Cause:
    """Why one version or delivery needs attention."""

    connection: str
    step: str  # read, match, write, send, look up, feed, by hand
    error: str
    words: str
    field: str = ""
    code_list: str = ""

    def fingerprint(self, council: str) -> str:
        """Twelve hexadecimal digits, the same for the same cause."""
        parts = (council, self.connection, self.step, self.error, self.field, self.code_list)
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:12]


def note(connection: Connection, council: str, why: Cause, now: int) -> int:
    """Write or refresh the cause; return its id."""
    fingerprint = why.fingerprint(council)
    insert_new(
        connection,
        cause,
        [
            {
                "fingerprint": fingerprint,
                "council": council,
                "connection": why.connection,
                "step": why.step,
                "error": why.error,
                "field": why.field,
                "code_list": why.code_list,
                "words": why.words,
                "first_seen": now,
                "last_seen": now,
            }
        ],
    )
    connection.execute(update(cause).where(cause.c.fingerprint == fingerprint).values(last_seen=now, words=why.words))
    found: int = connection.execute(select(cause.c.id).where(cause.c.fingerprint == fingerprint)).scalar_one()
    return found


def gap_cause(connection: str, step: str, gap: Gap) -> Cause:
    """Say in an officer's words why a field could not be carried; never with its value."""
    match gap.kind:
        case "unknown code":
            words = f"{gap.field}: the code list {gap.code_list} has no row for the code that was given"
        case "missing":
            words = f"{gap.field}: nothing was given, and it is needed"
        case "too long":
            words = f"{gap.field}: the text is longer than {gap.theirs} takes"
        case _:
            words = f"{gap.field}: {gap.reason or 'what was given is not of the kind expected'}"
    return Cause(connection, step, gap.kind, words, gap.field, gap.code_list)
