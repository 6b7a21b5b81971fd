"""Main keys and councils' keys: what wraps everything else in the key store.

A council has a key that wraps (replaced by a rotation) and three that last as long as its data, since what was made
with them cannot be made again: of its keyed hashes, of the audit's chain, of the spool. All are drawn by chance and
rest wrapped by the main key, so that a new main key wraps a handful of rows anew and no data. While a rotation is under
way the old main key wraps the new one and the new one the old: a process that was started with either finds both. How a
rotation goes is the business of `pipelines.rotation`.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, Row, select

from pipelines.databases import insert_new
from pipelines.ids import new_id
from pipelines.keytables import CURRENT, RETIRED, council_key, main_key, main_link, named_value
from pipelines.wrapping import KeyFault, unwrap, wrap

WRAP = "wrap"


def id_of(main: bytes) -> str:
    """The fingerprint of a main key, by which people and rows name it."""
    return "m-" + hmac.new(main, b"dolen|name", hashlib.sha256).hexdigest()[:12]


def mark_of(main: bytes) -> bytes:
    """By what a main key is known again."""
    return hmac.new(main, b"dolen|recognise", hashlib.sha256).digest()


def bound(id: str, council: str, purpose: str) -> str:
    """What a council's key is bound to."""
    return f"council|{id}|{council}|{purpose}"


def link_bound(holder: str, of: str) -> str:
    """What a main key that rests under another is bound to."""
    return f"main|{holder}|{of}"


class Keyring:
    """The main keys that this process holds, and the councils' keys that it has opened with them. Safe to share."""

    def __init__(self, mains: Sequence[bytes], store: str) -> None:
        """`mains`: what `keys.main` and `keys.next` lead to. Raises KeyFault for one that is no key."""
        if not mains or any(len(main) != 32 for main in mains):
            raise KeyFault("the site's master key must be 32 bytes; see keys.main in dolen.yaml")
        self._store = store
        self._given = tuple(mains)
        self._lock = threading.Lock()
        self._mains: dict[str, bytes] = {}
        self._opened: dict[str, AESGCM] = {}  # by the id of the council's key
        self._lasting: dict[tuple[str, str], bytes] = {}

    def meet(self, connection: Connection) -> None:
        """Enter the first main key, or find out which of ours the store knows, within a write transaction.

        Raises KeyFault where it knows none of them, or only one that a rotation has replaced.
        """
        if connection.execute(select(main_key.c.id).limit(1)).first() is None:
            first = {"id": id_of(self._given[0]), "mark": mark_of(self._given[0])}
            insert_new(connection, main_key, [{**first, "state": CURRENT, "at": time.time_ns() // 1000}])
            insert_new(connection, named_value, [{"name": "id", "value": secrets.token_bytes(16)}])
        known = {row.id: row for row in connection.execute(select(main_key))}
        replaced: Row[Any] | None = None
        for main in self._given:
            row = known.get(id_of(main))
            if row is None or not hmac.compare_digest(bytes(row.mark), mark_of(main)):
                continue
            if row.state == RETIRED:
                replaced = row
            else:
                self._mains[row.id] = main
        if self._mains:
            return
        if replaced is None:
            raise KeyFault(f"the master key does not belong to the key store {self._store}; put the right key back")
        on = datetime.fromtimestamp(replaced.at / 1_000_000, UTC).date()
        now = next((row.id for row in known.values() if row.state == CURRENT), "another one")
        raise KeyFault(
            f"the main key {replaced.id} was replaced on {on} and opens nothing any more: let keys.main lead to "
            f"{now}, or put back the key store's backup from before that day together with this key"
        )

    def main(self, connection: Connection, id: str) -> bytes:
        """A main key by its fingerprint. Raises KeyFault where neither we nor the keys that we hold lead to it."""
        with self._lock:
            held = dict(self._mains)
        while id not in held:
            links = connection.execute(
                select(main_link).where(main_link.c.holder.in_(sorted(held)), main_link.c.of.not_in(sorted(held)))
            ).all()
            if not links:
                with self._lock:  # another thread may have followed them before the rotation took them away
                    if id in self._mains:
                        return self._mains[id]
                raise KeyFault(
                    f"the keys of {self._store} are wrapped by the main key {id}, and this process was started with "
                    "another: a rotation has ended meanwhile; start it again with the key that keys.main leads to now"
                )
            for link in links:
                by = AESGCM(held[link.holder])
                held[link.of] = unwrap(by, link.wrapped, link_bound(link.holder, link.of), self._store)
        with self._lock:
            self._mains |= held
        return held[id]

    def keep_up(self, connection: Connection) -> None:
        """Have the main key at hand that is in use now. Raises KeyFault where nothing leads to it any more."""
        id = connection.execute(select(main_key.c.id).where(main_key.c.state == CURRENT)).scalar_one()
        self.main(connection, id)

    def opened(self, connection: Connection, row: Row[Any]) -> bytes:
        """A council's key whose row is read. Raises KeyFault."""
        by = AESGCM(self.main(connection, row.main))
        return unwrap(by, row.wrapped, bound(row.id, row.council, row.purpose), self._store)

    def made(self, connection: Connection, council: str, purpose: str, key: bytes, main: str) -> dict[str, Any]:
        """The row of a new council's key."""
        id = new_id()
        by = AESGCM(self.main(connection, main))
        wrapped = wrap(by, key, bound(id, council, purpose))
        return {"id": id, "council": council, "purpose": purpose, "state": CURRENT, "main": main, "wrapped": wrapped}

    def current(self, connection: Connection, council: str, purpose: str = WRAP) -> tuple[str, bytes | AESGCM]:
        """The council's key for a purpose: its id, and what wraps with it (the key itself for what is not `wrap`).

        Within a write transaction; it is made where there is none. The row stays locked against a rotation until the
        transaction ends, so that what is wrapped by it counts as old, and is wrapped anew, or not at all.
        """
        wanted = select(council_key).where(
            council_key.c.council == council, council_key.c.purpose == purpose, council_key.c.state == CURRENT
        )
        while (row := connection.execute(wanted.with_for_update(read=True)).first()) is None:
            main = connection.execute(select(main_key.c.id).where(main_key.c.state == CURRENT)).scalar()
            if main is not None:  # else a rotation is just turning
                fresh = self.made(connection, council, purpose, secrets.token_bytes(32), main)
                insert_new(connection, council_key, [fresh])
        if purpose != WRAP:
            return row.id, self.opened(connection, row)
        with self._lock:
            known = self._opened.get(row.id)
        if known is None:
            known = AESGCM(self.opened(connection, row))
            with self._lock:
                self._opened[row.id] = known
        return row.id, known

    def wrapping(self, connection: Connection, id: str) -> AESGCM | None:
        """What the council's key of this id wraps with; None where it is gone: whatever it wrapped was wrapped anew."""
        with self._lock:
            known = self._opened.get(id)
        if known is None:
            row = connection.execute(select(council_key).where(council_key.c.id == id)).first()
            if row is None:
                return None
            known = AESGCM(self.opened(connection, row))
            with self._lock:
                self._opened[id] = known
        return known

    def lasting(self, council: str, purpose: str) -> bytes | None:
        """A key that lasts, if it was opened before."""
        return self._lasting.get((council, purpose))

    def keep_lasting(self, council: str, purpose: str, key: bytes) -> None:
        """Have it at hand."""
        self._lasting[council, purpose] = key
