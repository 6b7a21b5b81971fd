"""The keys of one transaction: made in memory while it decides, and written together before its first row.

Where they are kept, what wraps them, and what happens when another process was quicker, is the business of
`pipelines.keystore`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.chance import draw
from pipelines.ids import new_id

if TYPE_CHECKING:
    from pipelines.keystore import KeyStore, NewKey


class KeySealing:
    """The keys of one transaction's payloads: made at once, written together by `commit`. Belongs to one thread."""

    def __init__(self, store: KeyStore) -> None:
        self._store = store
        self._keys: list[NewKey] = []
        self._people: dict[str, tuple[str, bytes]] = {}  # person -> council, key: made here and not committed yet
        self._known: set[str] = set()  # people who have a key, or are given one here

    def key(self, council: str, person: str | None, *, new: bool = False) -> tuple[str, bytes]:
        """Make a data key, for its person where the person is known: (id, key).

        `new`: the person was made in this transaction, so that nobody need look for a key of theirs. Raises KeyFault
        where the person's key was destroyed.
        """
        id, key = new_id(), draw(32)
        holder = person or ""
        if holder and holder not in self._known:
            if new or self._store.wrapping(council, holder) is None:
                self._people[holder] = (council, draw(32))
            self._known.add(holder)
        self._keys.append((id, council, holder, key))
        return id, key

    def commit(self) -> None:
        """Write all keys made so far in one transaction. Must come before a ledger row that names one is committed."""
        if self._keys:
            self._store.write(self._keys, [(p, c, key) for p, (c, key) in self._people.items()])
            self._keys = []
            self._people.clear()
            self._known.clear()
