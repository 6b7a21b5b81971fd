"""A create in two steps: make it, then submit it or put our key beside it. Between the two the number is on our disk.

A process that dies behind the first answer goes on with the second step, and makes no other record; one that dies
before it leaves what any create leaves whose answer is not known. What a first step made from other words than today's
is not taken for today's: the caller is told that a record is there, and changes it as any that is there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

import orjson

from connectors.errors import Duplicate, NotThere, PageUnreadable, Rejected, Throttled, Unknown
from connectors.port import Receipt, Tier
from connectors.rest.profile import RestCommit
from connectors.spool import Spool, needed

FORGOTTEN_AFTER = 60 * 86_400.0  # seconds: by then the ledger has every number, or a person has seen to it
_TIDIED_EVERY = 3_600.0
_PREFIX = "made-"


@dataclass(frozen=True, slots=True)
class Made:
    """What the first step made."""

    id: str
    content: str  # digest of what was sent
    submitted: bool = False  # the second step was begun, and its answer is not known


class TwoSteps:
    """Creates of one connection. Safe to use from several threads at once."""

    def __init__(self, spool: Spool | None) -> None:
        self._spool = spool
        self._tidied = 0.0
        self._lock = threading.Lock()

    def tier(self, commit: RestCommit, *, searchable: bool) -> Tier:
        """A draft may be made again with no harm, as long as no other machine may have submitted one."""
        if commit.draft and self._spool is not None and self._spool.alone:
            return Tier.KEEPS_KEY
        return Tier.SEARCHABLE if searchable else Tier.NEITHER

    def create(
        self,
        commit: RestCommit,
        *,
        kind: str,
        key: str,
        body: bytes,
        first: Callable[[], Receipt],
        second: Callable[[str], None],
    ) -> Receipt:
        """Make the record, or go on with the one that an earlier try made. `first` sends the first step, `second` the
        other for the record of that number. Raises what they raise, SpoolFault, and Duplicate, naming the record that
        an earlier try made from other words."""
        spool = needed(self._spool, f"creating a {kind} in two steps")
        self._tidy(spool)
        name, content = _name(kind, key), sha256(body).hexdigest()
        made, receipt = _read(spool, name), None
        if made is not None and commit.draft and made.content != content and not made.submitted:
            made = None  # nobody has seen that draft, and nobody will
        if made is None:
            receipt = first()
            made = Made(receipt.id, content)
            _keep(spool, name, made)
        _keep(spool, name, Made(made.id, made.content, submitted=True))
        try:
            second(made.id)
        except (Unknown, PageUnreadable) as unclear:
            # What the create as a whole did not do is safe to ask again: the number is kept, and no other is made.
            words = f"creating a {kind}: its second step has no clear answer; it is sent again: {unclear.reason}"
            raise Throttled(words, reply=unclear.reply) from None
        except NotThere:
            if commit.draft:
                spool.drop(name)  # a draft that has expired: the next try makes another
            raise
        except Rejected:
            _keep(spool, name, made)
            raise
        if made.content != content:
            raise Duplicate(f"creating a {kind}: an earlier try made it, from what was known then", existing=made.id)
        return receipt or Receipt(made.id, "created")

    def known(self, kind: str, key: str) -> None:
        """The ledger has the number of this record."""
        if self._spool is not None:
            self._spool.drop(_name(kind, key))

    def _tidy(self, spool: Spool) -> None:
        with self._lock:
            now = time.monotonic()
            if self._tidied and now - self._tidied < _TIDIED_EVERY:
                return
            self._tidied = now
        spool.forget_older(_PREFIX, FORGOTTEN_AFTER)


def _name(kind: str, key: str) -> str:
    return _PREFIX + sha256(f"{kind}\0{key}".encode()).hexdigest()[:40]


def _read(spool: Spool, name: str) -> Made | None:
    body = spool.read(name)
    return None if body is None else Made(*orjson.loads(body))


def _keep(spool: Spool, name: str, made: Made) -> None:
    spool.keep(name, orjson.dumps([made.id, made.content, made.submitted]))
