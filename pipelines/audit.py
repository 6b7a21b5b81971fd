"""The audit: append-only and hash-chained.

Each row carries the keyed hash of its content and of the row before, so a changed, missing or reordered row shows. What
a chain alone cannot show, that it was cut at its end or made anew, shows against the anchors outside the database
(`pipelines.anchors`). The reason that an officer gave may hold anything and is therefore a payload.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, insert, select, text

from pipelines.anchors import Anchor
from pipelines.ledger import Ledger
from pipelines.tables import audit
from pipelines.vault import Vault

#: PostgreSQL's number for "I append to the audit". Two that append at once would fork the chain.
_LOCK = 0x444F4C_4155
_CHAIN = ""  # the chain is the site's, so it is signed with a key of no council


@dataclass(frozen=True, slots=True)
class Break:
    """The first thing that is wrong with the chain."""

    seq: int  # the number of the row that does not fit, or of the first that is missing
    what: str  # changed, missing, out of order, cut, made anew
    words: str


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


def verify(ledger: Ledger, vault: Vault, anchors: Iterable[Anchor] = ()) -> Break | None:
    """Find the first thing that is wrong with the chain, None if nothing is. `anchors`: where it stood before."""
    stood = {anchor.seq: anchor.hash for anchor in anchors}
    previous, expected = "", 1
    with (
        ledger.reading() as connection,
        connection.execution_options(yield_per=500).execute(select(audit).order_by(audit.c.seq)) as rows,
    ):
        for row in rows:
            # Plain strings for names: SQLAlchemy's own kind of string is none to orjson.
            content = {str(name): value for name, value in row._mapping.items() if name != "hash"}
            seq = int(row.seq)
            if seq != expected:
                return Break(expected, "missing", f"rows {expected} to {seq - 1} are missing")
            if not hmac.compare_digest(str(row.hash), _hash(vault, content)):
                return Break(seq, "changed", f"row {seq} is not what was written")
            if row.previous != previous:
                return Break(seq, "out of order", f"row {seq} does not follow the row before it")
            if seq in stood and stood[seq] != row.hash:
                return Break(seq, "made anew", f"row {seq} is not the one that stood there when its anchor was written")
            previous, expected = row.hash, expected + 1
    last = max(stood, default=0)
    if last >= expected:
        return Break(expected, "cut", f"rows {expected} to {last} are missing at the end: an anchor names them")
    return None


def _hash(vault: Vault, row: dict[str, Any]) -> str:
    return vault.sign(_CHAIN, orjson.dumps(row, option=orjson.OPT_SORT_KEYS))
