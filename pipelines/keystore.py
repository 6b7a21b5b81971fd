"""The key store: a database of its own, so that a backup of the ledger alone cannot be read.

Council keys come from a key file (or the environment) and are never stored here. Each data key is wrapped with
AES-256-GCM by its council's key, and once the person is known by the person's key; the id of the key and its holder are
authenticated with it, so a wrapped key cannot be moved to another row. Data keys are made in advance and committed
before any ledger row can name one: a crash leaves a key too many, never a payload without one.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import sqlite3
import threading
from collections import deque
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pipelines.chance import draw
from pipelines.ids import new_id

_POOL = 256  # data keys made ahead in one commit
_CACHE = 20_000  # unwrapped data keys kept in memory, newest first


class KeyFault(RuntimeError):
    """A key is missing or is the wrong one. The message says which file to look at and never shows a key."""


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
            self._people.clear()

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


class KeyStore:
    """Data keys and person keys, on SQLite. Safe to share between threads.

    `master` is the site's 32-byte key; each council's key is derived from it with HMAC-SHA-256 over the council's code.
    """

    def __init__(self, file: Path, master: bytes) -> None:
        if len(master) != 32:
            raise KeyFault("the site's master key must be 32 bytes; see keys.master in dolen.yaml")
        self._master = master
        self._lock = threading.Lock()
        self._ready: dict[str, deque[tuple[str, bytes]]] = {}
        self._cache: dict[str, bytes] = {}
        self._wrappings: dict[tuple[str, str], AESGCM] = {}  # council, person (or "") -> what wraps their data keys
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = file
        self._db = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=60)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "busy_timeout=60000"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS data_key ("
            "id TEXT PRIMARY KEY, council TEXT NOT NULL, holder TEXT NOT NULL, wrapped BLOB NOT NULL)"
        )
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS person_key ("
            "person TEXT PRIMARY KEY, council TEXT NOT NULL, wrapped BLOB NOT NULL)"
        )
        self._db.execute("CREATE INDEX IF NOT EXISTS ix_data_key_holder ON data_key (holder) WHERE holder <> ''")
        self._db.execute("CREATE TABLE IF NOT EXISTS master (name TEXT PRIMARY KEY, value BLOB NOT NULL)")
        self._recognise()

    def council_key(self, council: str, purpose: str = "wrap") -> bytes:
        """Return the 32-byte key of one council for one purpose ("wrap", "hash", "audit")."""
        return hmac.new(self._master, f"dolen|{purpose}|{council}".encode(), hashlib.sha256).digest()

    def take(self, council: str) -> tuple[str, bytes]:
        """Take a fresh data key: (id, key). It is already committed."""
        with self._lock:
            ready = self._ready.setdefault(council, deque())
            if not ready:
                self._make(council, ready)
            taken, key = ready.popleft()
            self._remember(taken, key)
            return taken, key

    def key(self, key_id: str) -> bytes:
        """Return a data key. Raises KeyFault if it was destroyed or cannot be unwrapped."""
        with self._lock:
            known = self._cache.get(key_id)
            if known is not None:
                return known
            row = self._db.execute("SELECT council, holder, wrapped FROM data_key WHERE id = ?", (key_id,)).fetchone()
            if row is None:
                raise KeyFault(
                    "the key of this payload is gone: it was erased, or the key store was restored from before"
                )
            council, holder, wrapped = row
            wrapping = self.council_key(council) if holder == "" else self._person_key(holder, council)
            key = _unwrap(wrapping, wrapped, f"{key_id}|{council}|{holder}", self._file)
            self._remember(key_id, key)
            return key

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
                key = self._find_person_key(person, council)
                known = AESGCM(key) if key is not None else None
            if known is not None:
                self._keep_wrapping((council, person), known)
            return known

    def write(
        self,
        keys: list[tuple[str, str, str, bytes]],
        people: list[tuple[str, str, bytes]],
        fresh: list[tuple[str, bytes]],
    ) -> None:
        """Write wrapped data keys (id, council, holder, wrapped) and new person keys (person, council, key)."""
        wrapped = [(p, c, _wrap(self.council_key(c), key, f"person|{p}|{c}")) for p, c, key in people]
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._db.executemany("INSERT INTO person_key VALUES (?, ?, ?)", wrapped)
                self._db.executemany("INSERT INTO data_key VALUES (?, ?, ?, ?)", keys)
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
            for person, council, key in people:
                self._keep_wrapping((council, person), AESGCM(key))
            for id, key in fresh:
                self._remember(id, key)

    def hand_to_person(self, key_ids: list[tuple[str, str]], council: str) -> None:
        """Wrap data keys anew by their person's key. `key_ids`: (key id, person id). Safe to repeat."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                for key_id, person in key_ids:
                    row = self._db.execute(
                        "SELECT holder, wrapped FROM data_key WHERE id = ? AND council = ?", (key_id, council)
                    ).fetchone()
                    if row is None or row[0] == person:
                        continue
                    old = self.council_key(council) if row[0] == "" else self._person_key(row[0], council)
                    key = _unwrap(old, row[1], f"{key_id}|{council}|{row[0]}", self._file)
                    wrapped = _wrap(self._person_key(person, council), key, f"{key_id}|{council}|{person}")
                    self._db.execute(
                        "UPDATE data_key SET holder = ?, wrapped = ? WHERE id = ?", (person, wrapped, key_id)
                    )
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def close(self) -> None:
        """Let go of the file. Idempotent."""
        with self._lock:
            self._db.close()

    def _make(self, council: str, ready: deque[tuple[str, bytes]]) -> None:
        wrapping = self.council_key(council)
        fresh = [(new_id(), secrets.token_bytes(32)) for _ in range(_POOL)]
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany(
            "INSERT INTO data_key VALUES (?, ?, '', ?)",
            [(i, council, _wrap(wrapping, key, f"{i}|{council}|")) for i, key in fresh],
        )
        self._db.execute("COMMIT")
        ready.extend(fresh)

    def _find_person_key(self, person: str, council: str) -> bytes | None:
        row = self._db.execute(
            "SELECT wrapped FROM person_key WHERE person = ? AND council = ?", (person, council)
        ).fetchone()
        if row is not None:
            return _unwrap(self.council_key(council), row[0], f"person|{person}|{council}", self._file)
        if self._db.execute("SELECT 1 FROM data_key WHERE holder = ? LIMIT 1", (person,)).fetchone():
            raise KeyFault("the key of this person is gone: it was erased, or the key store was restored from before")
        return None

    def _person_key(self, person: str, council: str) -> bytes:
        found = self._find_person_key(person, council)
        if found is not None:
            return found
        key = secrets.token_bytes(32)
        wrapped = _wrap(self.council_key(council), key, f"person|{person}|{council}")
        self._db.execute("INSERT INTO person_key VALUES (?, ?, ?)", (person, council, wrapped))
        return key

    def _keep_wrapping(self, whose: tuple[str, str], wrapping: AESGCM) -> None:
        if len(self._wrappings) >= _CACHE // 10:
            for old in list(self._wrappings)[: _CACHE // 40]:
                del self._wrappings[old]
        self._wrappings[whose] = wrapping

    def _remember(self, key_id: str, key: bytes) -> None:
        if len(self._cache) >= _CACHE:
            for old in list(self._cache)[: _CACHE // 4]:
                del self._cache[old]
        self._cache[key_id] = key

    def _recognise(self) -> None:
        """Refuse another site's master key at once, and not at the first payload."""
        mark = hmac.new(self._master, b"dolen|recognise", hashlib.sha256).digest()
        self._db.execute("INSERT OR IGNORE INTO master VALUES ('mark', ?)", (mark,))
        found = self._db.execute("SELECT value FROM master WHERE name = 'mark'").fetchone()[0]
        if not hmac.compare_digest(found, mark):
            raise KeyFault(f"the master key does not belong to the key store {self._file.name}; put the right key back")


def read_master(file: Path) -> bytes:
    """Read the site's master key from its file, or make one there that only its owner may read.

    Raises KeyFault if the file is there and does not hold 64 hexadecimal digits.
    """
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = secrets.token_bytes(32)
        part = file.with_suffix(f".{os.getpid()}.part")
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as out:
            out.write(fresh.hex() + "\n")
            out.flush()
            os.fsync(out.fileno())
        try:
            os.link(part, file)  # of two that start at once, one wins and both read the winner's
        except FileExistsError:
            pass
        finally:
            part.unlink()
    return parse_master(file.read_text(encoding="ascii", errors="replace"), file.name)


def parse_master(text: str, where: str) -> bytes:
    """Read 64 hexadecimal digits. Raises KeyFault naming `where`."""
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != 32:
        raise KeyFault(f"{where} must hold the site's master key as 64 hexadecimal digits; put the right file back")
    return key


def _wrap(wrapping: bytes, key: bytes, bound: str) -> bytes:
    nonce = secrets.token_bytes(12)
    return nonce + AESGCM(wrapping).encrypt(nonce, key, bound.encode())


def _unwrap(wrapping: bytes, wrapped: bytes, bound: str, file: Path) -> bytes:
    try:
        return AESGCM(wrapping).decrypt(wrapped[:12], wrapped[12:], bound.encode())
    except InvalidTag:
        raise KeyFault(
            f"a key in {file.name} cannot be unwrapped: the master key is not the one it was made with"
        ) from None
