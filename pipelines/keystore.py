"""The key store: a database of its own, so that a backup of the ledger alone cannot be read.

Council keys come from a key file (or the environment) and are never stored here. Each data key is wrapped with
AES-256-GCM by its council's key, and once the person is known by the person's key; the id of the key and its holder are
authenticated with it, so a wrapped key cannot be moved to another row. Data keys are made in advance and committed
before any ledger row can name one: a crash leaves a key too many, never a payload without one. Several processes may
share a store; of two that make one person's key at once, the first one's counts and the other takes it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import (
    Column,
    Connection,
    Index,
    LargeBinary,
    MetaData,
    Row,
    String,
    Table,
    bindparam,
    select,
    text,
    update,
)
from sqlalchemy.exc import DatabaseError, OperationalError

from pipelines.chance import draw
from pipelines.databases import BROKEN_WORDS, DiskBroken, insert_new, open_engine
from pipelines.ids import new_id
from pipelines.keysealing import KeySealing
from pipelines.rows import in_parts

_POOL = 256  # data keys made ahead in one commit
_CACHE = 20_000  # unwrapped data keys kept in memory, newest first
_GONE = "the key of this {} is gone: it was erased, or the key store was restored from before"
#: PostgreSQL's number for "I make the tables".
_LOCK = 0x444F4C_4B45

_metadata = MetaData()
_data_key = Table(
    "data_key",
    _metadata,
    Column("id", String, primary_key=True),
    Column("council", String, nullable=False),
    Column("holder", String, nullable=False),  # the person, "" while nobody is known: the council
    Column("wrapped", LargeBinary, nullable=False),
)
Index(
    "ix_data_key_holder",
    _data_key.c.holder,
    sqlite_where=_data_key.c.holder != "",
    postgresql_where=_data_key.c.holder != "",
)
_person_key = Table(
    "person_key",
    _metadata,
    Column("person", String, primary_key=True),
    Column("council", String, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
)
#: mark: by which a wrong master key is known; id: by which a ledger knows its key store.
_master = Table(
    "master",
    _metadata,
    Column("name", String, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)


class KeyFault(RuntimeError):
    """A key is missing or is the wrong one. The message says where to look and never shows a key."""


class KeyStore:
    """Data keys and person keys, in an SQLite file or on PostgreSQL. Safe to share between threads.

    `master` is the site's 32-byte key; each council's key is derived from it with HMAC-SHA-256 over the council's code.
    `lost` is set when the disk did not keep what it was given. Raises KeyFault where the store cannot be used, belongs
    to another master key, or lies in the ledger's own database.
    """

    def __init__(self, url: str, master: bytes, *, lost: threading.Event | None = None) -> None:
        if len(master) != 32:
            raise KeyFault("the site's master key must be 32 bytes; see keys.main in dolen.yaml")
        self._master = master
        self._lock = threading.Lock()
        self._ready: dict[str, deque[tuple[str, bytes]]] = {}
        self._cache: dict[str, bytes] = {}
        self._wrappings: dict[tuple[str, str], AESGCM] = {}  # council, person (or "") -> what wraps their data keys
        self._lost = lost or threading.Event()
        self._engine = open_engine(url, setting="keys.store", fault=KeyFault)
        self._embedded = self._engine.dialect.name == "sqlite"
        self._one_writer = threading.Lock()
        # How the store is called where something is wrong with it; a URL may hold a password.
        self.name = Path(str(self._engine.url.database)).name
        try:
            self._open()
        except BaseException as fault:
            self._engine.dispose()
            if isinstance(fault, OperationalError) and not self._embedded:
                raise KeyFault("the key store's database does not answer; look whether it runs (keys.store)") from None
            if isinstance(fault, DatabaseError):
                raise KeyFault(f"{self.name} cannot be read as a key store; look at keys.store") from None
            raise

    def council_key(self, council: str, purpose: str = "wrap") -> bytes:
        """Return the 32-byte key of one council for one purpose ("wrap", "hash", "audit")."""
        return hmac.new(self._master, f"dolen|{purpose}|{council}".encode(), hashlib.sha256).digest()

    def take(self, council: str) -> tuple[str, bytes]:
        """Take a fresh data key: (id, key). It is already committed."""
        with self._lock:
            ready = self._ready.setdefault(council, deque())
            if not ready:
                ready.extend(self._make(council))
            taken, key = ready.popleft()
            self._remember(taken, key)
            return taken, key

    def key(self, key_id: str) -> bytes:
        """Return a data key. Raises KeyFault if it was destroyed or cannot be unwrapped."""
        with self._lock:
            known = self._cache.get(key_id)
        if known is not None:
            return known
        with self._reading() as connection:
            row = connection.execute(select(_data_key).where(_data_key.c.id == key_id)).first()
            if row is None:
                raise KeyFault(_GONE.format("payload"))
            wrapping = self._wrapping_of(connection, row.council, [row.holder])[row.holder]
        key = self._unwrap(wrapping, row.wrapped, f"{key_id}|{row.council}|{row.holder}")
        with self._lock:
            self._remember(key_id, key)
        return key

    def fetch(self, key_ids: Iterable[str]) -> None:
        """Read many data keys at once, so that `key` has them at hand. What is wrong with one of them, `key` says."""
        with self._lock:
            missing = sorted({id for id in key_ids if id not in self._cache})
        if not missing:
            return
        with self._reading() as connection, suppress(KeyFault):
            wanted = [select(_data_key).where(_data_key.c.id.in_(some)) for some in in_parts(missing)]
            rows = [row for statement in wanted for row in connection.execute(statement)]
            for council in {row.council for row in rows}:
                mine = [row for row in rows if row.council == council]
                by = self._wrapping_of(connection, council, {row.holder for row in mine})
                with self._lock:
                    for r in mine:
                        self._remember(r.id, self._unwrap(by[r.holder], r.wrapped, f"{r.id}|{council}|{r.holder}"))

    def sealing(self) -> KeySealing:
        """Begin to make the keys of one transaction."""
        return KeySealing(self)

    def wrapping(self, council: str, person: str) -> AESGCM | None:
        """The key that wraps data keys of this person, or of the council for ""; None for a person who has none yet.

        Raises KeyFault where the person's key was destroyed.
        """
        with self._lock:
            known = self._wrappings.get((council, person))
        if known is None and person == "":
            known = AESGCM(self.council_key(council))
        elif known is None:
            with self._reading() as connection:
                found = self._person_keys(connection, council, [person]).get(person)
            known = None if found is None else AESGCM(found)
        if known is not None:
            with self._lock:
                self._keep_wrapping((council, person), known)
        return known

    def write(
        self,
        keys: list[tuple[str, str, str, bytes]],
        people: list[tuple[str, str, bytes]],
        fresh: list[tuple[str, bytes]],
    ) -> None:
        """Write wrapped data keys (id, council, holder, wrapped) and new person keys (person, council, key).

        `fresh`: the data keys themselves (id, key). Where another process has made a person's key in the meantime, that
        one counts, and what was wrapped by ours is wrapped by it.
        """
        ours = {(council, person): AESGCM(key) for person, council, key in people}
        with self._writing() as connection:
            if people:
                theirs = self._enter_people(connection, people)
                if theirs:
                    keys = self._wrapped_by_theirs(keys, theirs, dict(fresh))
                    ours |= theirs
            self._enter(connection, _data_key, keys)
        with self._lock:
            for whose, wrapping in ours.items():
                self._keep_wrapping(whose, wrapping)
            for id, key in fresh:
                self._remember(id, key)

    def hand_to_person(self, key_ids: list[tuple[str, str]], council: str) -> None:
        """Wrap data keys anew by their person's key. `key_ids`: (key id, person id). Safe to repeat."""
        wanted = dict(key_ids)
        with self._writing() as connection:
            held: list[Row[Any]] = []
            for some in in_parts(sorted(wanted)):
                statement = select(_data_key).where(_data_key.c.id.in_(some), _data_key.c.council == council)
                held += connection.execute(statement.order_by(_data_key.c.id).with_for_update()).all()
            held = [row for row in held if row.holder != wanted[row.id]]
            if not held:
                return
            heirs = sorted({wanted[row.id] for row in held})
            olds = self._wrapping_of(connection, council, {row.holder for row in held})
            there = self._person_keys(connection, council, heirs)
            made = [(person, council, draw(32)) for person in heirs if person not in there]
            theirs = self._enter_people(connection, made)
            news = {person: AESGCM(key) for person, key in there.items()}
            news |= {person: theirs.get((council, person), AESGCM(key)) for person, _, key in made}
            given = []
            for row in held:
                person = wanted[row.id]
                key = self._unwrap(olds[row.holder], row.wrapped, f"{row.id}|{council}|{row.holder}")
                wrapped = _wrap(news[person], key, f"{row.id}|{council}|{person}")
                given.append({"of": row.id, "new_holder": person, "new": wrapped})
            connection.execute(
                update(_data_key)
                .where(_data_key.c.id == bindparam("of"))
                .values(holder=bindparam("new_holder"), wrapped=bindparam("new")),
                given,
            )

    @property
    def identity(self) -> str:
        """By what a ledger knows its key store, also when it was moved to another place."""
        with self._reading() as connection:
            return bytes(connection.execute(select(_master.c.value).where(_master.c.name == "id")).scalar_one()).hex()

    def close(self) -> None:
        """Let go of the database. Idempotent."""
        self._engine.dispose()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._engine.connect() as connection:
            yield connection
            connection.rollback()

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        if self._lost.is_set():
            raise KeyFault(BROKEN_WORDS)
        try:
            if not self._embedded:
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
        """Make the tables if they are not there, and refuse another site's master key now, not at the first payload."""
        mark = hmac.new(self._master, b"dolen|recognise", hashlib.sha256).digest()
        with self._writing() as connection:
            if not self._embedded:
                connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
            ledgers = "sqlite_master WHERE name" if self._embedded else "information_schema.tables WHERE table_name"
            if connection.execute(text(f"SELECT 1 FROM {ledgers} = 'delivery'")).first():  # noqa: S608 - one of two
                raise KeyFault(
                    "keys.store names the ledger's own database, so that one backup would hold both: give the keys a "
                    "database of their own"
                )
            _metadata.create_all(connection)
            marks = [{"name": "mark", "value": mark}, {"name": "id", "value": secrets.token_bytes(16)}]
            insert_new(connection, _master, marks)
            found = connection.execute(select(_master.c.value).where(_master.c.name == "mark")).scalar_one()
        if not hmac.compare_digest(bytes(found), mark):
            raise KeyFault(f"the master key does not belong to the key store {self.name}; put the right key back")

    def _make(self, council: str) -> list[tuple[str, bytes]]:
        wrapping = AESGCM(self.council_key(council))
        fresh = [(new_id(), draw(32)) for _ in range(_POOL)]
        with self._writing() as connection:
            made = [(i, council, "", _wrap(wrapping, key, f"{i}|{council}|")) for i, key in fresh]
            self._enter(connection, _data_key, made)
        return fresh

    def _wrapping_of(self, connection: Connection, council: str, holders: Iterable[str]) -> dict[str, AESGCM]:
        """What wraps the data keys of these holders, who must have a key. Raises KeyFault where one was destroyed."""
        people = sorted(set(holders) - {""})
        found = self._person_keys(connection, council, people)
        if len(found) < len(people):
            raise KeyFault(_GONE.format("person"))
        return {"": AESGCM(self.council_key(council))} | {person: AESGCM(key) for person, key in found.items()}

    def _person_keys(self, connection: Connection, council: str, people: list[str]) -> dict[str, bytes]:
        """The keys of those of these people who have one. Raises KeyFault where somebody's was destroyed."""
        found = self._look_up(connection, council, people)
        for some in in_parts([person for person in people if person not in found]):
            held = connection.execute(select(_data_key.c.holder).where(_data_key.c.holder.in_(some)).distinct())
            # Another process may have made them since the first look; who has none now had one before.
            late = [row.holder for row in held]
            found |= self._look_up(connection, council, late)
            if any(person not in found for person in late):
                raise KeyFault(_GONE.format("person"))
        return found

    def _look_up(self, connection: Connection, council: str, people: list[str]) -> dict[str, bytes]:
        wrapping, found = AESGCM(self.council_key(council)), {}
        for some in in_parts(people):
            statement = select(_person_key).where(_person_key.c.person.in_(some), _person_key.c.council == council)
            for row in connection.execute(statement):
                found[row.person] = self._unwrap(wrapping, row.wrapped, f"person|{row.person}|{council}")
        return found

    def _enter_people(
        self, connection: Connection, people: list[tuple[str, str, bytes]]
    ) -> dict[tuple[str, str], AESGCM]:
        """Enter new person keys; return those, by (council, person), that another process had made before."""
        by = {council: AESGCM(self.council_key(council)) for council in {c for _, c, _ in people}}
        entered = {(c, p): _wrap(by[c], key, f"person|{p}|{c}") for p, c, key in sorted(people)}
        rows = [(p, c, wrapped) for (c, p), wrapped in entered.items()]
        if self._enter(connection, _person_key, rows) == len(rows):
            return {}
        stands = {}
        for some in in_parts([person for _, person in entered]):
            for row in connection.execute(select(_person_key).where(_person_key.c.person.in_(some))):
                stands[row.person] = bytes(row.wrapped)
        return {
            (c, p): AESGCM(self._unwrap(by[c], stands[p], f"person|{p}|{c}"))
            for (c, p), wrapped in entered.items()
            if stands[p] != wrapped
        }

    @staticmethod
    def _wrapped_by_theirs(
        keys: list[tuple[str, str, str, bytes]],
        theirs: dict[tuple[str, str], AESGCM],
        fresh: dict[str, bytes],
    ) -> list[tuple[str, str, str, bytes]]:
        again = []
        for id, council, holder, wrapped in keys:
            their = theirs.get((council, holder))
            given = wrapped if their is None else _wrap(their, fresh[id], f"{id}|{council}|{holder}")
            again.append((id, council, holder, given))
        return again

    def _enter(self, connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> int:
        """Enter rows in the driver's own words, since there are many; return how many. A person's key that is there
        already stays."""
        if not rows:
            return 0
        marks = ", ".join(["?" if self._embedded else "%s"] * len(rows[0]))
        clash = " ON CONFLICT DO NOTHING" if table is _person_key else ""
        words = f"INSERT INTO {table.name} VALUES ({marks}){clash}"  # noqa: S608 - names of our own
        return connection.exec_driver_sql(words, list(rows)).rowcount

    def _keep_wrapping(self, whose: tuple[str, str], wrapping: AESGCM) -> None:
        if len(self._wrappings) >= _CACHE // 2:
            for old in list(self._wrappings)[: _CACHE // 8]:
                del self._wrappings[old]
        self._wrappings[whose] = wrapping

    def _remember(self, key_id: str, key: bytes) -> None:
        if len(self._cache) >= _CACHE:
            for old in list(self._cache)[: _CACHE // 4]:
                del self._cache[old]
        self._cache[key_id] = key

    def _unwrap(self, wrapping: AESGCM, wrapped: bytes, bound: str) -> bytes:
        try:
            return wrapping.decrypt(wrapped[:12], wrapped[12:], bound.encode())
        except InvalidTag:
            raise KeyFault(
                f"a key in {self.name} cannot be unwrapped: the master key is not the one it was made with"
            ) from None


def _wrap(wrapping: AESGCM, key: bytes, bound: str) -> bytes:
    nonce = draw(12)
    return nonce + wrapping.encrypt(nonce, key, bound.encode())
