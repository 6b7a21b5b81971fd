"""What the two pretend platforms, Dataverse and Salesforce, have alike: one table of flat records for each council,
what staff do in it, and how a refusal becomes an answer. What each says and where is its own business.
"""

from __future__ import annotations

import base64
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime

from sandbox import columns
from sandbox.bearers import Bearers
from sandbox.exchange import Exchange, Request, Response
from sandbox.store import Collection, Document, Json, Store


class Refusal(Exception):
    """A call that is refused, in the platform's own words."""

    def __init__(self, status: int, code: str, message: str, field: str = "") -> None:
        super().__init__(code)
        self.status, self.code, self.message, self.field = status, code, message, field


class Platform(ABC):
    """One program serving every council's environment."""

    name: str
    key: str  # the column of the caller's own key
    interface: tuple[str, str]  # the file, and its schema of the table
    between: str  # what stands between several choices in one column
    bad_file: str  # the code of a refusal of a file

    def __init__(self, store: Store, clock: Callable[[], datetime], seconds: int) -> None:
        """`seconds`: how long a token is good."""
        self._store, self._clock = store, clock
        self._bearers = Bearers(clock, seconds)
        self._columns = {**columns.columns(*self.interface), self.key: {"type": ["string", "null"]}}

    def answer(self, request: Request, exchange: Exchange) -> Response:
        """Answer one call."""
        try:
            return self._route(request, exchange)
        except Refusal as refusal:
            exchange.outcome = f"{refusal.status} {refusal.code}"
            return self._refused(refusal)

    def rows(self, tenant: str) -> Collection:
        """The records of one council's table."""
        return self._store.collection(tenant, self.name)

    def staff_put(self, tenant: str, id: str, record: Json) -> Json:
        """Write a record as staff do; `id` "" makes a new one. Raises ValueError where a column refuses."""
        given = {name: value for name, value in record.items() if name in self._columns}
        columns.check(self._columns, given, self.between)
        return self.write_unchecked(tenant, id, record)

    def write_unchecked(self, tenant: str, id: str, record: Json) -> Json:
        """Write a record past every check."""
        with self._store.transaction():
            held = self.rows(tenant).get(id) if id else None
            return self._keep(tenant, id, {**(held.body if held else self._empty()), **record}, held).body

    def _gone(self, tenant: str) -> Collection:
        """What was deleted."""
        return self._store.collection(tenant, self.name, "deleted")

    def _empty(self) -> Json:
        return {name: False if told.get("type") == "boolean" else None for name, told in self._columns.items()}

    def _filed(self, tenant: str, record: str, file: Json, data: str) -> str:
        """Keep a file of a record, whose bytes stand in Base64 in the field `data`; return its id. Raises Refusal."""
        try:
            size = len(base64.b64decode(str(file.get(data, "")), validate=True))
        except ValueError:
            size = 0
        if not size or self.rows(tenant).get(record) is None:
            raise Refusal(400, self.bad_file, "The file or its record is not as it should be.")
        id = str(uuid.uuid4())
        kept = {name: value for name, value in file.items() if name != data} | {"size": size}
        self._store.collection(tenant, self.name, "files").put(id, kept, version=1, changed="", key=record)
        return id

    def files(self, tenant: str, record: str) -> list[Document]:
        """The files of a record."""
        return self._store.collection(tenant, self.name, "files").by_key(record)

    @abstractmethod
    def _route(self, request: Request, exchange: Exchange) -> Response:
        """Answer one call. Raises Refusal."""

    @abstractmethod
    def _refused(self, refusal: Refusal) -> Response:
        """A refusal as the platform writes it."""

    @abstractmethod
    def _keep(self, tenant: str, id: str, body: Json, held: Document | None) -> Document:
        """Write the next version of a record, of a new one where `id` is ""."""
