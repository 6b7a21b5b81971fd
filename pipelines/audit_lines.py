"""The audit for a SIEM: one line a row, as JSON or in CEF. Who carries the lines is not known here.

Who, what, when, on which row, and that there was a reason: the reason itself rests encrypted and goes nowhere. The hash
of each row goes along, so that what the collector holds is one more anchor of the chain.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
from sqlalchemy import Row, select, true

from pipelines.clock import to_instant
from pipelines.plant import Plant
from pipelines.tables import audit

_AT_ONCE = 500


def lines(plant: Plant, after: int, *, cef: bool = False) -> Iterator[str]:
    """The rows behind this one, in order, as lines."""
    return (line_of(row, cef=cef) for row in rows(plant, after))


def line_of(row: Row[Any], *, cef: bool = False) -> str:
    """One row as one line."""
    return _cef(row) if cef else _json(row)


def whose(plant: Plant) -> list[str] | None:
    """Of which councils whoever looks is told, "" for the site; None for all. The movement's own is told all; an
    officer of their councils, and of the site where all are theirs."""
    if plant.sight.officer is None:
        return None
    return [*plant.councils, *([""] if plant.councils.keys() == plant.whole.councils.keys() else [])]


def rows(plant: Plant, after: int) -> Iterator[Row[Any]]:
    """The rows behind this one, in order."""
    mine = whose(plant)
    seen = audit.c.council.in_(mine) if mine is not None else true()
    while True:
        wanted = select(audit).where(audit.c.seq > after, seen).order_by(audit.c.seq).limit(_AT_ONCE)
        with plant.ledger.reading() as connection:
            found = connection.execute(wanted).all()
        if not found:
            return
        after = found[-1].seq
        yield from found


def _json(row: Row[Any]) -> str:
    return orjson.dumps(
        {
            "seq": row.seq, "at": to_instant(row.at).isoformat(), "who": row.who, "council": row.council,
            "action": row.action, "subject": row.subject, "reason_given": row.why is not None, "hash": row.hash,
        }
    ).decode()  # fmt: skip


def _cef(row: Row[Any]) -> str:
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
