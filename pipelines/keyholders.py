"""Persons' keys: found, made, kept at hand, and never used once they were destroyed.

A key that was opened stays in memory, since a page of records is about the same people as the last. How often persons'
keys were destroyed is counted in the store: whoever wraps by a key from memory looks at that one number, within the
transaction, and looks for the keys themselves only where it has grown. Their data keys are the business of
`pipelines.keystore`.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, select, update

from pipelines import keyrows, rows
from pipelines.databases import insert_new
from pipelines.keyring import WRAP, Keyring
from pipelines.keytables import EMPTY, data_key, named_value, person_key
from pipelines.ready import given, in_parts
from pipelines.wrapping import KeyFault, person_bound, unwrap, wrap

GONE = "the key of this {} is gone: it was erased or has expired, or the key store was restored from before"
#: Under which name it is counted how often persons' keys were destroyed.
_ERASURES = "erasures"
#: In the driver's own words: it is asked within every transaction.
_COUNTED = f"SELECT value FROM {named_value.name} WHERE name = '{_ERASURES}'"  # noqa: S608 - ours
_AT_HAND = 10_000
#: A rotation that ends between two looks of ours has wrapped anew what we looked at.
_LOOKS = 3

_IN_COUNCIL = (person_key.c.council == given("council", person_key.c.council),)

#: (council, person)
Whose = tuple[str, str]


class Holders:
    """The persons' keys of one store. Safe to share between threads."""

    def __init__(self, ring: Keyring, store: str) -> None:
        self._ring, self._store = ring, store
        self._lock = threading.Lock()
        self._at_hand: dict[Whose, AESGCM] = {}
        self.erasures = -1  # as we last saw it counted

    def at_hand(self, council: str, person: str) -> AESGCM | None:
        """A key that was opened before. Whether it still counts is known within a transaction alone: see `still`."""
        with self._lock:
            return self._at_hand.get((council, person))

    def keep(self, council: str, found: Mapping[str, AESGCM], erasures: int) -> None:
        """Have keys at hand that were found while so many erasures were counted."""
        with self._lock:
            if erasures == self.erasures or self.erasures == -1:
                self._keep({(council, person): by for person, by in found.items()})

    def keep_new(self, made: Mapping[Whose, AESGCM]) -> None:
        """Have keys at hand that were just entered."""
        with self._lock:
            self._keep(made)

    def forget(self, council: str, people: Collection[str]) -> None:
        """Let go of the keys of people who were erased."""
        with self._lock:
            for person in people:
                self._at_hand.pop((council, person), None)

    def still(self, connection: Connection, council: str, people: Collection[str]) -> dict[Whose, AESGCM]:
        """The keys of people who have one, as they count within this transaction. Raises KeyFault for one who was
        erased since we last looked."""
        erasures = int.from_bytes(connection.exec_driver_sql(_COUNTED).scalar() or b"\0", "big")
        with self._lock:
            if erasures != self.erasures:
                self._at_hand.clear()
                self.erasures = erasures
            known = {person: by for person in people if (by := self._at_hand.get((council, person))) is not None}
        missing = sorted(set(people) - known.keys())
        if missing:
            found = self.find(connection, council, missing)
            if len(found) < len(missing):
                raise KeyFault(GONE.format("person"))
            self.keep(council, found, erasures)
            known |= found
        return {(council, person): by for person, by in known.items()}

    def find(self, connection: Connection, council: str, people: Sequence[str]) -> dict[str, AESGCM]:
        """The keys of those of these people who have one. Raises KeyFault where somebody's was destroyed."""
        found = self._look_up(connection, council, people)
        for some in in_parts([person for person in people if person not in found]):
            theirs = data_key.c.holder.in_(some), data_key.c.holder != EMPTY
            held = connection.execute(select(data_key.c.holder).where(*theirs).distinct())
            # Another process may have made them since the first look; who has none now had one before.
            late = [row.holder for row in held]
            found |= self._look_up(connection, council, late)
            if any(person not in found for person in late):
                raise KeyFault(GONE.format("person"))
        return found

    def enter(self, connection: Connection, people: Sequence[tuple[str, str, bytes]]) -> dict[Whose, AESGCM]:
        """Enter new keys (person, council, key); return what counts: another process may have been quicker."""
        if not people:
            return {}
        by = {council: self._ring.current(connection, council, WRAP) for council in {c for _, c, _ in people}}
        new, stands = [], dict[Whose, AESGCM]()
        for person, council, key in sorted(people):  # in order, so that two that enter the same wait for one another
            id, wrapping = by[council]
            assert isinstance(wrapping, AESGCM)
            new.append((person, council, id, wrap(wrapping, key, person_bound(person, council))))
            stands[council, person] = AESGCM(key)
        if keyrows.enter(connection, person_key, new, new_only=True) < len(new):
            for council in by:
                mine = [person for person, c, _ in people if c == council]
                theirs = self._look_up(connection, council, mine)
                stands |= {(council, person): one for person, one in theirs.items()}
        return stands

    def count_erasure(self, connection: Connection) -> None:
        """Have every process look anew at whose keys are there, before it wraps by one that it has in memory."""
        insert_new(connection, named_value, [{"name": _ERASURES, "value": b"\0"}])
        held = select(named_value.c.value).where(named_value.c.name == _ERASURES).with_for_update()
        count = int.from_bytes(connection.execute(held).scalar_one(), "big") + 1
        again = update(named_value).where(named_value.c.name == _ERASURES)
        connection.execute(again.values(value=count.to_bytes(8, "big")))

    def _look_up(self, connection: Connection, council: str, people: Sequence[str]) -> dict[str, AESGCM]:
        found: dict[str, AESGCM] = {}
        left = list(people)
        for _ in range(_LOOKS if left else 0):
            for row in rows.look(connection, person_key, "person", left, _IN_COUNCIL, council=council):
                by = self._ring.wrapping(connection, row.by)
                if by is not None:
                    bound = person_bound(row.person, council)
                    found[row.person] = AESGCM(unwrap(by, row.wrapped, bound, self._store))
            left = [person for person in left if person not in found]
            if not left:
                break
        return found

    def _keep(self, found: Mapping[Whose, AESGCM]) -> None:
        if len(self._at_hand) + len(found) >= _AT_HAND:
            for old in list(self._at_hand)[: _AT_HAND // 4]:
                del self._at_hand[old]
        self._at_hand.update(found)
