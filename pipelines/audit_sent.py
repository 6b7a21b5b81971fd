"""How far a SIEM has the audit: rows are handed over in order, and again until its end has said goodbye to them.

The place is kept in a file a collector beside the ledger, with the hash of the row that stands there, and moves only
when a whole batch was read (`connectors.syslog` says what that means). So a connection that is cut loses no row, and a
row may come twice: its `seq` and `hash` tell. Where the ledger no longer holds that row as it was sent, because it was
restored or made anew, everything is sent again, since nobody knows what was sent of it.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import orjson
from sqlalchemy import select

from connectors.errors import Unknown
from connectors.syslog import SecureCollector
from pipelines.audit_lines import line_of, rows, whose
from pipelines.plant import Plant
from pipelines.tables import audit

FOLDER = "audit-sent"
AT_ONCE = 2_000
#: How often in a row a cut connection is made anew before somebody is told.
TRIES = 3


@dataclass(frozen=True, slots=True)
class Place:
    """The last row that a collector has, 0 for none."""

    seq: int
    hash: str
    collector: str


@dataclass(frozen=True, slots=True)
class Sent:
    """What was handed over: how many rows, the last that the collector has, and whether it began anew because the
    ledger was another."""

    rows: int
    place: int
    anew: bool


def hand_over(
    plant: Plant,
    collector: SecureCollector,
    *,
    cef: bool = False,
    after: int | None = None,
    pause: Callable[[float], object] = time.sleep,
) -> Sent:
    """Send every row behind the collector's place, or behind row `after`, and move the place.

    Raises Unreachable where it cannot be reached or is not trusted, Unknown where it was cut three times in a row; the
    place then says what it has.
    """
    file = _file(plant, collector)
    kept = _kept(file)
    anew = kept is not None and not _stands(plant, kept)
    at = after if after is not None else 0 if kept is None or anew else kept.seq
    sent = tries = 0
    while True:
        batch = list(islice(rows(plant, at), AT_ONCE))
        if not batch and sent:
            return Sent(sent, at, anew)
        try:
            collector.take(line_of(row, cef=cef) for row in batch)
        except Unknown as fault:
            tries += 1
            if tries == TRIES:
                told = f"{fault.reason}. It has the rows up to {at}: run the command again, and it goes on from there"
                raise Unknown(told) from None
            pause(tries)
            continue
        if not batch:  # also on a quiet day a line that no longer works is noticed
            return Sent(0, at, anew)
        tries = 0
        at, sent = batch[-1].seq, sent + len(batch)
        _keep(file, Place(at, batch[-1].hash, collector.place))


def _stands(plant: Plant, place: Place) -> bool:
    with plant.ledger.reading() as connection:
        return connection.execute(select(audit.c.hash).where(audit.c.seq == place.seq)).scalar() == place.hash


def _file(plant: Plant, collector: SecureCollector) -> Path:
    """A file for each collector and each part of the audit: who sees one council has sent nothing of another's."""
    mine = whose(plant)
    part = "all" if mine is None else " ".join(sorted(mine))
    name = hashlib.sha256(f"{collector.place}\n{part}".encode()).hexdigest()[:16]
    return plant.lock_file.parent / FOLDER / f"{name}.json"


def _kept(file: Path) -> Place | None:
    try:
        found = orjson.loads(file.read_bytes())
        return Place(int(found["seq"]), str(found["hash"]), str(found["collector"]))
    except (FileNotFoundError, orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None  # everything again is better than a gap


def _keep(file: Path, place: Place) -> None:
    file.parent.mkdir(mode=0o700, exist_ok=True)
    fresh = file.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(orjson.dumps(asdict(place)))
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
