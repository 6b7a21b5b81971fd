"""The keys of one transaction: made in memory while it decides, and written together before its first row.

Where they are kept, and what happens when another process was quicker, is the business of `pipelines.keystore`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pipelines.chance import draw
from pipelines.ids import new_id

if TYPE_CHECKING:
    from pipelines.keystore import KeyStore


class KeySealing:
    """The keys of one transaction's payloads: made at once, written together by `commit`. Belongs to one thread."""

    def __init__(self, store: KeyStore) -> None:
        self._store = store
        self._keys: list[tuple[str, str, str, bytes]] = []
        self._people: dict[str, tuple[str, bytes]] = {}  # person -> council, key: made here and not committed yet
        self._fresh: list[tuple[str, bytes]] = []
        self._wrappings: dict[str, AESGCM] = {}  # person -> what wraps their data keys in this transaction

    def key(self, council: str, person: str | None, *, new: bool = False) -> tuple[str, bytes]:
        """Make a data key, wrapped by its person's key where the person is known: (id, key).

        `new`: the person was made in this transaction, so that nobody need look for a key of theirs. Raises KeyFault
        where the person's key was destroyed.
        """
        id, key = new_id(), draw(32)
        holder = person or ""
        wrapping = self._wrapping(council, holder, new=new)
        nonce = draw(12)
        self._keys.append(
            (id, council, holder, nonce + wrapping.encrypt(nonce, key, f"{id}|{council}|{holder}".encode()))
        )
        self._fresh.append((id, key))
        return id, key

    def commit(self) -> None:
        """Write all keys made so far in one transaction. Must come before a ledger row that names one is committed."""
        if self._keys:
            self._store.write(self._keys, [(p, c, key) for p, (c, key) in self._people.items()], self._fresh)
            self._keys, self._fresh = [], []
            if self._people:
                self._people.clear()
                self._wrappings.clear()  # another process may have been quicker: the store knows whose key counts

    def _wrapping(self, council: str, person: str, *, new: bool) -> AESGCM:
        made = self._wrappings.get(person)
        if made is None:
            made = None if new else self._store.wrapping(council, person)
            if made is None:
                key = draw(32)
                self._people[person] = (council, key)
                made = AESGCM(key)
            self._wrappings[person] = made
        return made
