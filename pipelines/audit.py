"""The audit: append-only and hash-chained.

Each row carries the keyed hash of its content and of the row before, so a changed, missing or reordered row shows. The
reason that an officer gave may hold anything and is therefore a payload.
"""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import Connection, insert, select, text

from pipelines.ledger import Ledger
from pipelines.tables import audit
from pipelines.vault import Vault

#: PostgreSQL's number for "I append to the audit". Two that append at once would fork the chain.
_LOCK = 0x444F4C_4155
_CHAIN = ""  # the chain is the site's, so it is signed with a key of no council


def write(
    connection: Connection,
    vault: Vault,
    *,
    council: str,
    who: str,
    action: str,
    subject: str,
    why: str,
    now: int,
    detail: dict[str, Any] | None = None,
) -> None:
    """Append one row within the caller's transaction. Whoever else appends waits until it ends."""
    if connection.dialect.name == "postgresql":  # SQLite has one writer at a time anyway
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
    last = connection.execute(select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)).first()
    row: dict[str, Any] = {
        "seq": (last.seq if last else 0) + 1,
        "at": now,
        "who": who,
        "council": council,
        "action": action,
        "subject": subject,
        "why": vault.put(connection, council, "why", why.encode(), now) if why else None,
        "detail": detail or {},
        "previous": last.hash if last else "",
    }
    connection.execute(insert(audit), {**row, "hash": _hash(vault, row)})


def verify(ledger: Ledger, vault: Vault) -> int | None:
    """Return the number of the first row that does not fit the chain, None if all do."""
    previous, expected = "", 1
    with (
        ledger.reading() as connection,
        connection.execution_options(yield_per=500).execute(select(audit).order_by(audit.c.seq)) as rows,
    ):
        for row in rows:
            # Plain strings for names: SQLAlchemy's own kind of string is none to orjson.
            content = {str(name): value for name, value in row._mapping.items() if name != "hash"}
            if row.seq != expected or row.previous != previous or row.hash != _hash(vault, content):
                return int(row.seq)
            previous, expected = row.hash, expected + 1
    return None


def _hash(vault: Vault, row: dict[str, Any]) -> str:
    return vault.sign(_CHAIN, orjson.dumps(row, option=orjson.OPT_SORT_KEYS))
