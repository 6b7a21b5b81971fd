"""The key store: a database of its own, so that a backup of the ledger alone cannot be read.

The main key comes from a key file, the environment or a key service and is never stored here; what it wraps is the
business of `pipelines.keyring`. Each data key is wrapped with AES-256-GCM by its council's key, and once the person is
known by the person's key; the id of the key and its holder are authenticated with it, so a wrapped key cannot be moved
to another row. Data keys are made in advance and committed before any ledger row can name one: a crash leaves a key
too many, never a payload without one. Several processes may share a store; of two that make one person's key at once,
the first one's counts and the other takes it. What is destroyed here is unreadable in backups of the ledger too.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, Row, bindparam, delete, select, text, update
from sqlalchemy.exc import DatabaseError, OperationalError

from pipelines import keyrows, rows
from pipelines.chance import draw
from pipelines.databases import BROKEN_WORDS, DiskBroken, open_engine
from pipelines.freed import forget_freed
from pipelines.frozen import end_frozen
from pipelines.ids import new_id
from pipelines.keyholders import GONE, Holders
from pipelines.keyring import WRAP, Keyring
from pipelines.keysealing import KeySealing
from pipelines.keytables import CURRENT, EMPTY, council_key, data_key, metadata, named_value, person_key
from pipelines.ready import in_parts
from pipelines.rows import Held
from pipelines.wrapping import KeyFault as KeyFault
from pipelines.wrapping import data_bound, unwrap, wrap

_POOL = 256  # data keys made ahead in one commit
_CACHE = 20_000  # unwrapped data keys kept in memory, newest first
#: A rotation that ends between two looks of ours has wrapped anew what we looked at.
_LOOKS = 3
#: PostgreSQL's number for "I make the tables".
_LOCK = 0x444F4C_4B45

#: (id, council, holder, key): a data key that is not written yet.
NewKey = tuple[str, str, str, bytes]


class KeyStore:
    """Data keys and person keys, in an SQLite file or on PostgreSQL. Safe to share between threads.

    `mains` are the site's 32-byte main keys: the one in use, and during a rotation the other. `lost` is set when the
    disk did not keep what it was given. Raises KeyFault where the store cannot be used, belongs to another main key, or
    lies in the ledger's own database.
    """

    def __init__(self, url: str, *mains: bytes, lost: threading.Event | None = None) -> None:
        self._lock = threading.Lock()
        self._ready: dict[str, deque[tuple[str, bytes]]] = {}
        self._cache: dict[str, bytes] = {}
        self._lost = lost or threading.Event()
        self._engine = open_engine(url, setting="keys.store", fault=KeyFault)
        self.embedded = self._engine.dialect.name == "sqlite"
        self._one_writer = threading.Lock()
        self._writers = ThreadPoolExecutor(max_workers=4, thread_name_prefix="keys")
        # How the store is called where something is wrong with it; a URL may hold a password.
        self.name = Path(str(self._engine.url.database)).name
        self.file = Path(str(self._engine.url.database)) if self.embedded else None
        try:
            self.ring = Keyring(mains, self.name)
            self._holders = Holders(self.ring, self.name)
            self._open()
        except BaseException as fault:
            self._engine.dispose()
            if isinstance(fault, OperationalError) and not self.embedded:
                raise KeyFault("the key store's database does not answer; look whether it runs (keys.store)") from None
            if isinstance(fault, DatabaseError):
                raise KeyFault(f"{self.name} cannot be read as a key store; look at keys.store") from None
            raise

    def council_key(self, council: str, purpose: str) -> bytes:
        """Return the 32-byte key of one council for one purpose that lasts: "hash", "audit", "spool"."""
        known = self.ring.lasting(council, purpose)
        if known is None:
            with self.reading() as connection:
                row = connection.execute(
                    select(council_key).filter_by(council=council, purpose=purpose, state=CURRENT)
                ).first()
                known = None if row is None else self.ring.opened(connection, row)
            if known is None:
                with self.writing() as connection:
                    _, made = self.ring.current(connection, council, purpose)
                    assert isinstance(made, bytes)
                    known = made
            self.ring.keep_lasting(council, purpose, known)
        return known

    def take(self, council: str) -> tuple[str, bytes]:
        """Take a fresh data key: (id, key). It is already committed."""
        with self._lock:
            ready = self._ready.setdefault(council, deque())
            if not ready:
                ready.extend(self._make(council))
            taken, key = ready.popleft()
            self._remember({taken: key})
            return taken, key

    def key(self, key_id: str) -> bytes:
        """Return a data key. Raises KeyFault if it was destroyed or cannot be unwrapped."""
        with self._lock:
            known = self._cache.get(key_id)
        if known is not None:
            return known
        for _ in range(_LOOKS):
            with self.reading() as connection:
                row = connection.execute(select(data_key).where(data_key.c.id == key_id)).first()
                if row is None:
                    raise KeyFault(GONE.format("payload"))
                found = self._unwrapped(connection, row.council, [row]).get(key_id)
            if found is not None:
                with self._lock:
                    self._remember({key_id: found})
                return found
        raise KeyFault(f"the council's key of a payload is not in {self.name}: put back the key store's backup")

    def fetch(self, key_ids: Iterable[str]) -> None:
        """Read many data keys at once, so that `key` has them at hand. What is wrong with one of them, `key` says."""
        with self._lock:
            missing = sorted({id for id in key_ids if id not in self._cache})
        if not missing:
            return
        with self.reading() as connection, suppress(KeyFault):
            found = rows.look(connection, data_key, "id", missing)
            for council in {row.council for row in found}:
                opened = self._unwrapped(connection, council, [row for row in found if row.council == council])
                with self._lock:
                    self._remember(opened)

    def sealing(self) -> KeySealing:
        """Begin to make the keys of one transaction."""
        return KeySealing(self)

    def has_key(self, council: str, person: str) -> bool:
        """Whether a person has a key already. Raises KeyFault where it was destroyed."""
        if self._holders.at_hand(council, person) is not None:
            return True
        seen = self._holders.erasures
        with self.reading() as connection:
            found = self._holders.find(connection, council, [person])
        self._holders.keep(council, found, seen)
        return bool(found)

    def write(self, keys: Sequence[NewKey], people: Sequence[tuple[str, str, bytes]]) -> None:
        """Write new data keys, and new person keys (person, council, key).

        Wrapped here and not before, so that each is wrapped by what counts at this moment: another process may have
        made a person's key in the meantime, or replaced the council's. Raises KeyFault, with nothing written, where the
        key of a holder was destroyed.
        """
        with self.writing() as connection:
            by = {c: self._current(connection, c) for c in {c for _, c, holder, _ in keys if not holder}}
            wrappings = self._holders.enter(connection, people)
            fresh = dict(wrappings)
            for council in {c for _, c, holder, _ in keys if holder}:
                named = {h for _, c, h, _ in keys if h and c == council and (c, h) not in wrappings}
                wrappings |= self._holders.still(connection, council, named)
            new = []
            for id, council, holder, key in keys:
                council_id, wrapping = ("", wrappings[council, holder]) if holder else by[council]
                new.append((id, council, holder, council_id, wrap(wrapping, key, data_bound(id, council, holder))))
            keyrows.enter(connection, data_key, new)
        self._holders.keep_new(fresh)
        with self._lock:
            self._remember({id: key for id, _, _, key in keys})

    def beside(self, keys: Sequence[NewKey], people: Sequence[tuple[str, str, bytes]]) -> Callable[[], None]:
        """`write`, in a thread of its own: the disk is waited for there. Calling the result waits for its end."""
        return self._writers.submit(self.write, keys, people).result

    def hand_to_person(self, key_ids: list[tuple[str, str]], council: str) -> None:
        """Wrap data keys anew by their person's key. `key_ids`: (key id, person id). Safe to repeat."""
        wanted = dict(key_ids)
        with self.writing() as connection:
            held: list[Row[Any]] = []
            for some in in_parts(sorted(wanted)):
                statement = select(data_key).where(data_key.c.id.in_(some), data_key.c.council == council)
                held += connection.execute(statement.order_by(data_key.c.id).with_for_update()).all()
            held = [row for row in held if row.holder != wanted[row.id]]
            if not held:
                return
            heirs = sorted({wanted[row.id] for row in held})
            opened = self._unwrapped(connection, council, held)
            news = self._holders.find(connection, council, heirs)
            made = [(person, council, draw(32)) for person in heirs if person not in news]
            news |= {person: wrapping for (_, person), wrapping in self._holders.enter(connection, made).items()}
            given = [
                {"of": id, "heir": wanted[id], "new": wrap(news[wanted[id]], key, data_bound(id, council, wanted[id]))}
                for id, key in opened.items()
            ]
            connection.execute(
                update(data_key)
                .where(data_key.c.id == bindparam("of"))
                .values(holder=bindparam("heir"), by="", wrapped=bindparam("new")),
                given,
            )

    def destroy(self, council: str, *, keys: Iterable[str] = (), people: Iterable[str] = ()) -> None:
        """Destroy data keys by their ids, and persons' keys with every data key that they hold. Safe to repeat."""
        doomed, whose = sorted(set(keys)), sorted(set(people))
        with self.writing() as connection:
            if whose:
                self._holders.count_erasure(connection)
            for some in in_parts(doomed):
                connection.execute(delete(data_key).where(data_key.c.id.in_(some), data_key.c.council == council))
            for some in in_parts(whose):
                theirs = data_key.c.holder.in_(some), data_key.c.holder != EMPTY, data_key.c.council == council
                connection.execute(delete(data_key).where(*theirs))
                connection.execute(
                    delete(person_key).where(person_key.c.person.in_(some), person_key.c.council == council)
                )
        with self._lock:
            for id in doomed:
                self._cache.pop(id, None)
            if whose:
                self._cache.clear()
        self._holders.forget(council, whose)

    def keep_up(self) -> None:
        """Learn the main key that a rotation has put in place of ours, while each of the two leads to the other; end
        what a frozen program holds."""
        with self.reading() as connection:
            self.ring.keep_up(connection)
            end_frozen(connection)

    def forget_freed(self) -> None:
        """Have what was deleted or replaced leave the disk: SQLite's log, the dead rows of PostgreSQL."""
        forget_freed(self._engine, [table.name for table in (data_key, person_key, council_key)])

    @property
    def identity(self) -> str:
        """By what a ledger knows its key store, also when it was moved to another place."""
        with self.reading() as connection:
            wanted = select(named_value.c.value).where(named_value.c.name == "id")
            return bytes(connection.execute(wanted).scalar_one()).hex()

    def close(self) -> None:
        """Let go of the database. Idempotent."""
        self._writers.shutdown()
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection for reading."""
        with self._engine.connect() as connection:
            yield connection
            connection.rollback()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection inside one write transaction. Not to be asked for within another."""
        if self._lost.is_set():
            raise KeyFault(BROKEN_WORDS)
        try:
            if not self.embedded:
                with self._engine.begin() as connection:
                    yield connection
                return
            with self._one_writer, self._engine.connect() as connection:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                try:
                    yield connection
                except BaseException:
                    connection.rollback()
                    raise
                connection.commit()
        except DiskBroken:
            self._lost.set()
            raise

    def _open(self) -> None:
        """Make the tables if they are not there, and refuse another site's main key now, not at the first payload."""
        with self.writing() as connection:
            if not self.embedded:
                connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
            ledgers = "sqlite_master WHERE name" if self.embedded else "information_schema.tables WHERE table_name"
            if connection.execute(text(f"SELECT 1 FROM {ledgers} = 'delivery'")).first():  # noqa: S608 - one of two
                raise KeyFault(
                    "keys.store names the ledger's own database, so that one backup would hold both: give the keys a "
                    "database of their own"
                )
            metadata.create_all(connection)
            self.ring.meet(connection)

    def _current(self, connection: Connection, council: str) -> tuple[str, AESGCM]:
        id, wrapping = self.ring.current(connection, council, WRAP)
        assert isinstance(wrapping, AESGCM)
        return id, wrapping

    def _make(self, council: str) -> list[tuple[str, bytes]]:
        fresh = [(new_id(), draw(32)) for _ in range(_POOL)]
        with self.writing() as connection:
            by, wrapping = self._current(connection, council)
            made = [(i, council, "", by, wrap(wrapping, key, data_bound(i, council, ""))) for i, key in fresh]
            keyrows.enter(connection, data_key, made)
        return fresh

    def _unwrapped(self, connection: Connection, council: str, held: Sequence[Row[Any] | Held]) -> dict[str, bytes]:
        """Data keys of one council, by id; those are left out whose council's key has just been replaced.

        Raises KeyFault where a person's key was destroyed, or a row was changed.
        """
        people = sorted({row.holder for row in held} - {""})
        seen = self._holders.erasures
        theirs = self._holders.find(connection, council, people)
        if len(theirs) < len(people):
            raise KeyFault(GONE.format("person"))
        self._holders.keep(council, theirs, seen)  # whose record was opened is about to be written of
        opened = {}
        for row in held:
            by = theirs[row.holder] if row.holder else self.ring.wrapping(connection, row.by)
            if by is not None:
                opened[row.id] = unwrap(by, row.wrapped, data_bound(row.id, council, row.holder), self.name)
        return opened

    def _remember(self, keys: Mapping[str, bytes]) -> None:
        if len(self._cache) + len(keys) > _CACHE:
            for old in list(self._cache)[: max(_CACHE // 4, len(keys))]:
                del self._cache[old]
        self._cache.update(keys)
