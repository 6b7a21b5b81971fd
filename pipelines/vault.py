"""Payloads: encrypted before they reach the ledger, readable only with the key store.

AES-256-GCM with a data key of its own for each payload. Council and payload id are authenticated with the ciphertext,
so a
payload moved to another row or council cannot be read. Keyed hashes (of field values, content and identifiers) come
from here too, since a plain hash of a date of birth is no secret.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, insert, select, update

from pipelines.chance import draw
from pipelines.ids import new_id
from pipelines.keystore import KeyFault, KeyStore
from pipelines.ledger import Ledger
from pipelines.tables import payload

#: Fields of one council of which the beginning of a hash is kept: far more than all mappings together name.
_FIELDS = 20_000
#: Fields that have shown no more values than this are codes and marks, of which the hashes are kept.
_FEW = 48
_SHORT = frozenset({str, bool, type(None)})  # a whole number is equal to a mark, and has another hash
#: A hash that has taken in the key and the field, and the hashes of the field's values while they are few.
_Begun = tuple["hashlib.blake2b", "dict[Any, str] | None"]
#: Payloads that are kept at hand after sealing, and how many bytes one may have: a few dozen megabytes at the most.
_LATELY, _LONGEST = 4_000, 8_192


class PayloadGone(RuntimeError):
    """The payload has expired or was erased, by rule. Its row is still there."""


class Sealing:
    """Seals the payloads of one transaction. `commit` must come before the first of them is written to the ledger."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys.sealing()

    def seal(self, council: str, id: str, body: bytes, person: str | None, *, new: bool = False) -> tuple[str, bytes]:
        """Seal the `body` of a new payload under a key of its own; return the key's id, and nonce and ciphertext.

        `new`: see `KeySealing.key`.
        """
        key_id, key = self._keys.key(council, person, id=id, new=new)
        nonce = draw(12)
        return key_id, nonce + AESGCM(key).encrypt(nonce, body, f"{council}|{id}".encode())

    def commit(self) -> None:
        """Write the keys. May be called again when more was sealed."""
        self._keys.commit()

    def begin(self) -> Callable[[], None]:
        """Begin to write the keys; calling the result waits until they are there. See `KeySealing.begin`."""
        return self._keys.begin()


class Vault:
    """Seals and opens payloads of any council of the site."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys
        self._hash_keys: dict[str, bytes] = {}
        self._begun: dict[str, dict[str, _Begun]] = {}  # by council and field
        self._lately: dict[str, bytes] = {}  # payload -> what was sealed a moment ago

    def put(
        self, connection: Connection, council: str, kind: str, body: bytes, now: int, person: str | None = None
    ) -> str:
        """Seal `body` and write it; return the payload's id. `kind`: raw, page, facts, request, reply, why."""
        key_id, key = self._keys.take(council)
        id = new_id()
        nonce = draw(12)
        sealed = nonce + AESGCM(key).encrypt(nonce, body, f"{council}|{id}".encode())
        connection.execute(
            insert(payload),
            {
                "id": id,
                "council": council,
                "class": kind,
                "person_id": person,
                "key_id": key_id,
                "held_by_person": False,
                "body": sealed,
                "at": now,
            },
        )
        return id

    def sealing(self) -> Sealing:
        """Begin to seal the payloads of one transaction."""
        return Sealing(self._keys)

    def get(self, connection: Connection, council: str, id: str) -> bytes:
        """Open a payload of this council. Raises PayloadGone, KeyFault."""
        row = connection.execute(
            select(payload.c.body, payload.c.key_id).where(payload.c.id == id, payload.c.council == council)
        ).first()
        if row is None or row.body is None:
            raise PayloadGone("this payload has expired or was erased")
        return self.unseal(council, id, row.key_id, row.body)

    def unseal(self, council: str, id: str, key_id: str, body: bytes) -> bytes:
        """Open a payload whose row is already read."""
        try:
            return AESGCM(self._keys.key(key_id)).decrypt(body[:12], body[12:], f"{council}|{id}".encode())
        except (InvalidTag, ValueError):  # a body that was cut has not even its nonce
            raise KeyFault("a payload cannot be opened: its row or its key was changed") from None

    def keep(self, id: str, body: bytes) -> None:
        """Have at hand what was just sealed and will soon be wanted again by this process: a payload never changes."""
        if len(self._lately) >= _LATELY:
            for old in list(self._lately)[: _LATELY // 4]:
                self._lately.pop(old, None)
        if len(body) <= _LONGEST:
            self._lately[id] = body

    def at_hand(self, id: str) -> bytes | None:
        """What `keep` was given under this id, if it is still there. Whether it may still be read, the ledger knows."""
        return self._lately.get(id)

    def prepare(self, key_ids: Iterable[str]) -> None:
        """Have the keys of many payloads at hand before they are opened one by one."""
        self._keys.fetch(key_ids)

    def put_json(
        self, connection: Connection, council: str, kind: str, body: Any, now: int, person: str | None = None
    ) -> str:
        """Seal a JSON value."""
        return self.put(connection, council, kind, orjson.dumps(body), now, person)

    def get_json(self, connection: Connection, council: str, id: str) -> Any:
        """Open a JSON value. Raises PayloadGone, KeyFault."""
        return orjson.loads(self.get(connection, council, id))

    def hash(self, council: str, body: bytes) -> str:
        """Return the council's keyed hash of some bytes, 32 hexadecimal digits (128 bits).

        Keyed BLAKE2b (RFC 7693), which needs no HMAC around it: a record has a hundred of these.
        """
        return hashlib.blake2b(body, key=self._hash_key(council), digest_size=16).hexdigest()

    def hash_value(self, council: str, field: str, value: Any) -> str:
        """Return the keyed hash of one field's value; the same value in another field has another hash."""
        return self.hash_values(council, {field: value})[field]

    def hash_values(self, council: str, values: Mapping[str, Any]) -> dict[str, str]:
        """Return the keyed hash of each field's value."""
        begun, hashes = self._begun.setdefault(council, {}), {}
        as_bytes, in_order = orjson.dumps, orjson.OPT_SORT_KEYS
        for field, value in values.items():
            state, few = begun.get(field) or self._begin(council, field)
            kept = few if type(value) in _SHORT else None
            mark = kept.get(value) if kept is not None else None
            if mark is None:
                # A hash that has taken in key and field goes on from there; beginning it anew costs as much again.
                state = state.copy()
                state.update(as_bytes(value, None, in_order))
                mark = state.hexdigest()
                if kept is not None and len(kept) < _FEW:
                    kept[value] = mark
                elif kept is not None:
                    begun[field] = (begun[field][0], None)  # names and words: they are as many as people
            hashes[field] = mark
        return hashes

    def _begin(self, council: str, field: str) -> _Begun:
        begun = self._begun[council]
        if len(begun) >= _FIELDS:
            begun.clear()
        state = hashlib.blake2b(field.encode() + b"\x1f", key=self._hash_key(council), digest_size=16)
        made: _Begun = (state, {})
        begun[field] = made
        return made

    def _hash_key(self, council: str) -> bytes:
        key = self._hash_keys.get(council)
        if key is None:
            key = self._hash_keys[council] = self._keys.council_key(council, "hash")
        return key

    def sign(self, council: str, text: bytes) -> str:
        """Return the keyed hash that chains the audit."""
        return hmac.new(self._keys.council_key(council, "audit"), text, hashlib.sha256).hexdigest()

    def hand_over(self, ledger: Ledger, limit: int = 500) -> int:
        """Wrap the keys of payloads whose person is known by the person's key; return how many. Safe to repeat."""
        with ledger.reading() as connection:
            rows = connection.execute(
                select(payload.c.id, payload.c.key_id, payload.c.person_id, payload.c.council)
                .where(payload.c.held_by_person.is_(False), payload.c.person_id.is_not(None))
                .limit(limit)
            ).all()
        if not rows:
            return 0
        for council in {row.council for row in rows}:
            self._keys.hand_to_person([(r.key_id, r.person_id) for r in rows if r.council == council], council)
        with ledger.writing() as connection:
            connection.execute(
                update(payload).where(payload.c.id.in_([r.id for r in rows])).values(held_by_person=True)
            )
        return len(rows)
