"""Anchors: where the audit's chain stood, written outside the database once a day and by each look at the whole chain.

A chain can be made anew by whoever holds its key, and cut at its end by whoever may write to the database: what then
stands in the ledger fits, and does not fit what stood there before. So the head of the chain goes into a file that is
only added to, and to the log, from where a log collector carries it off the machine. The file is as safe as the place
where it lies: docs/data-protection.md says where to copy it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
from sqlalchemy import select

from pipelines.clock import SECOND
from pipelines.logs import log
from pipelines.tables import audit

if TYPE_CHECKING:
    from pipelines.plant import Plant
    from pipelines.runs import Runs

EVERY = 86_400 * SECOND
LOOK_EVERY = 600 * SECOND
FILE = "audit-anchors.jsonl"


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where the chain stood at an instant. `store`: which key store's, since a site may be made anew."""

    at: int
    seq: int
    hash: str
    store: str


def file_of(plant: Plant) -> Path:
    """Where the anchors are kept on this machine."""
    return plant.lock_file.parent / FILE


def write(plant: Plant) -> Anchor | None:
    """Note where the chain stands now, at the end of the file; None while it is empty."""
    with plant.ledger.reading() as connection:
        last = connection.execute(select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)).first()
    if last is None:
        return None
    anchor = Anchor(plant.clock.now(), last.seq, last.hash, plant.keys.identity)
    handle = os.open(file_of(plant), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "ab") as out:
        out.write(orjson.dumps(asdict(anchor)) + b"\n")
        out.flush()
        os.fsync(out.fileno())
    log("audit_anchor", count=anchor.seq, part=anchor.hash)
    return anchor


def read(file: Path, store: str) -> Iterator[Anchor]:
    """The anchors of a file that belong to this key store, the oldest first. A line that was cut is left out."""
    if not file.is_file():
        return
    for line in file.read_bytes().splitlines():
        try:
            found = orjson.loads(line)
            anchor = Anchor(int(found["at"]), int(found["seq"]), str(found["hash"]), str(found["store"]))
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            continue
        if anchor.store == store:
            yield anchor


class Anchorer:
    """Writes an anchor a day. The scheduler calls it once a turn; on two machines each writes its own."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._looked: int | None = None

    def __call__(self, _runs: Runs) -> None:
        """Write one if the last is a day old."""
        now = self._plant.clock.now()
        if self._looked is not None and 0 <= now - self._looked < LOOK_EVERY:
            return
        self._looked = now
        last = 0
        for anchor in read(file_of(self._plant), self._plant.keys.identity):
            last = anchor.at
        if not 0 <= now - last < EVERY:
            write(self._plant)
