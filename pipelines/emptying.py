"""Emptying payloads: their bytes go, and their keys are entered to be destroyed, in the transaction that says why.

The key store is a database of its own, so keys are destroyed behind the commit (`destroy_doomed`): what a process that
is killed in between leaves is found by the next one. A payload's row stays, so that what named it still says when and
of which class it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from pipelines import crash
from pipelines.plant import Plant
from pipelines.ready import in_parts
from pipelines.tables import doomed, payload

#: Keys destroyed in one transaction of the key store.
AT_ONCE = 500


def empty(connection: Connection, council: str, ids: Collection[str]) -> dict[str, list[str]]:
    """Empty these payloads of a council and doom their keys; return the ids of those that held something, by class."""
    gone: dict[str, list[str]] = {}
    for some in in_parts(sorted({id for id in ids if id})):
        held = connection.execute(
            select(payload.c.id, payload.c.key_id, payload.c["class"].label("kind")).where(
                payload.c.id.in_(some), payload.c.council == council, payload.c.body.is_not(None)
            )
        ).all()
        if not held:
            continue
        connection.execute(update(payload).where(payload.c.id.in_([row.id for row in held])).values(body=None))
        connection.execute(insert(doomed), [{"council": council, "key_id": row.key_id} for row in held])
        for row in held:
            gone.setdefault(row.kind, []).append(row.id)
    return gone


def destroy_doomed(plant: Plant) -> int:
    """Destroy the keys that are entered as doomed; return how many entries there were. Safe to repeat, and to kill."""
    done = 0
    while True:
        with plant.ledger.reading() as connection:
            rows = connection.execute(select(doomed).order_by(doomed.c.id).limit(AT_ONCE)).all()
        if not rows:
            return done
        for council in sorted({row.council for row in rows}):
            mine = [row for row in rows if row.council == council]
            plant.keys.destroy(
                council,
                keys=[row.key_id for row in mine if row.key_id],
                people=[row.person_id for row in mine if row.person_id],
            )
        crash.here("keys destroyed")
        with plant.ledger.writing(making_room=True) as connection:
            connection.execute(delete(doomed).where(doomed.c.id.in_([row.id for row in rows])))
        done += len(rows)


def hash_of(before: str, ids: Iterable[Any]) -> str:
    """The hash of ids that went, on top of that of those before them: what a certificate names them by."""
    text = "\n".join([before, *sorted(str(id) for id in ids)])
    return hashlib.sha256(text.encode()).hexdigest()
