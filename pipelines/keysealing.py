"""The keys of one transaction: made in memory while it decides, and written together before its first row.

Where they are kept, what wraps them, and what happens when another process was quicker, is the business of
`pipelines.keystore`.
"""

from __future__ import annotations

from collections.abc import Callable
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

    def key(self, council: str, person: str | None, *, id: str = "", new: bool = False) -> tuple[str, bytes]:
        """Make a data key, for its person where the person is known: (id, key).

        `id`: of the payload that it is for, where that is as new as the key, so that one id does for both.
        `new`: the person was made in this transaction, so that nobody need look for a key of theirs. Raises KeyFault
        where the person's key was destroyed.
        """
        id, key = id or new_id(), draw(32)
        holder = person or ""
        if holder and holder not in self._known:
            if new or not self._store.has_key(council, holder):
                self._people[holder] = (council, draw(32))
            self._known.add(holder)
        self._keys.append((id, council, holder, key))
        return id, key

    def commit(self) -> None:
        """Write all keys made so far in one transaction. Must come before a ledger row that names one is committed."""
        self.begin()()

    def begin(self) -> Callable[[], None]:
        """Begin to write all keys made so far, beside whatever the caller does; calling the result waits for the end.

        That must come before a ledger row that names one is committed, and raises what went wrong.
        """
        if not self._keys:
            return lambda: None
        people = [(p, c, key) for p, (c, key) in self._people.items()]
        under_way = self._store.beside(self._keys, people)
        self._keys, self._people, self._known = [], {}, set()
        return under_way
