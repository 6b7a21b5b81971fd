"""The audit for a SIEM: one line a row, as JSON or in CEF, to standard output or to a syslog collector over TCP.

Who, what, when, on which row, and that there was a reason: the reason itself rests encrypted and goes nowhere. The hash
of each row goes along, so that what the collector holds is one more anchor of the chain.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator

import orjson
from sqlalchemy import Row, select, true

from pipelines.clock import to_instant
from pipelines.plant import Plant
from pipelines.tables import audit

#: RFC 5424: facility 13 (log audit), severity 5 (notice).
_PRIORITY = 13 * 8 + 5
_SECONDS = 20.0
_AT_ONCE = 500


def lines(plant: Plant, after: int, *, cef: bool = False) -> Iterator[str]:
    """The rows behind this one, in order."""
    # The movement's own tells all; an officer is told of their councils, and of the site where all are theirs.
    mine = [*plant.councils, *([""] if plant.councils.keys() == plant.whole.councils.keys() else [])]
    seen = audit.c.council.in_(mine) if plant.sight.officer is not None else true()
    while True:
        wanted = select(audit).where(audit.c.seq > after, seen).order_by(audit.c.seq).limit(_AT_ONCE)
        with plant.ledger.reading() as connection:
            rows = connection.execute(wanted).all()
        if not rows:
            return
        after = rows[-1].seq
        yield from (_cef(row) if cef else _json(row) for row in rows)


def send(rows: Iterable[str], host: str, port: int) -> int:
    """Send lines to a syslog collector over TCP, framed by their length (RFC 6587); return how many. Raises OSError."""
    sent = 0
    with socket.create_connection((host, port), timeout=_SECONDS) as line:
        for row in rows:
            text = f"<{_PRIORITY}>1 - - dolen - audit - {row}".encode()
            line.sendall(b"%d %s" % (len(text), text))
            sent += 1
    return sent


def _json(row: Row[tuple[object, ...]]) -> str:
    return orjson.dumps(
        {
            "seq": row.seq, "at": to_instant(row.at).isoformat(), "who": row.who, "council": row.council,
            "action": row.action, "subject": row.subject, "reason_given": row.why is not None, "hash": row.hash,
        }
    ).decode()  # fmt: skip


def _cef(row: Row[tuple[object, ...]]) -> str:
    head = "|".join(["CEF:0", "Dolen", "dolen", "1", _head(row.action), _head(row.action), "3"])
    told = {
        "rt": str(row.at // 1000), "suser": row.who, "cs1Label": "council", "cs1": row.council, "cs2Label": "subject",
        "cs2": row.subject, "cs3Label": "hash", "cs3": row.hash, "cn1Label": "seq", "cn1": str(row.seq),
        "reason": "given" if row.why is not None else "none",
    }  # fmt: skip
    return f"{head}|" + " ".join(f"{name}={_value(text)}" for name, text in told.items())


def _head(text: str) -> str:
    return _one_line(text).replace("\\", "\\\\").replace("|", "\\|")


def _value(text: str) -> str:
    return _one_line(text).replace("\\", "\\\\").replace("=", "\\=")


def _one_line(text: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in text)
