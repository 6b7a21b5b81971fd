"""Reads every record and text once and remembers, in a temporary file, which request each is about.

The verdict then asks request by request, so that memory stays flat however many there are.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sandbox import notify_checks
from sandbox.store import Document, Store
from sandbox.truth import Account, Truth

_TABLES = """
CREATE TABLE record (owner TEXT, token TEXT, tenant TEXT, system TEXT, id TEXT);
CREATE TABLE reference (tenant TEXT, reference TEXT, token TEXT);
CREATE TABLE text (tenant TEXT, token TEXT, id TEXT, status TEXT, language TEXT, number TEXT, created TEXT);
"""
_INDEXES = """
CREATE INDEX record_token ON record (owner, token);
CREATE INDEX reference_text ON reference (tenant, reference);
CREATE INDEX text_token ON text (tenant, token);
"""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One record that is about a request."""

    tenant: str
    system: str
    id: str


@dataclass(frozen=True, slots=True)
class Text:
    """One text that was sent about a request."""

    id: str
    status: str
    language: str
    number: str
    created: str


class Sightings:
    """Which records and texts there are about which request. Made by `sightings`."""

    def __init__(self, file: sqlite3.Connection) -> None:
        self._file = file

    def of(self, truth: Truth) -> list[Sighting]:
        """All records about it, in any council's systems."""
        rows = self._file.execute(
            "SELECT tenant, system, id FROM record WHERE owner = ? AND token = ? ORDER BY tenant, system, id",
            (truth.tenant, truth.token),
        )
        return [Sighting(*row) for row in rows]

    def texts(self, truth: Truth) -> list[Text]:
        """All texts about it that its own council sent, oldest first."""
        rows = self._file.execute(
            "SELECT id, status, language, number, created FROM text WHERE tenant = ? AND token = ? ORDER BY created",
            (truth.tenant, truth.token),
        )
        return [Text(*row) for row in rows]

    def strangers(self, limit: int) -> tuple[int, list[str]]:
        """Records and texts that are about nobody's request: how many, and the first of them."""
        records = self._file.execute("SELECT tenant, system, id FROM record WHERE token = '' LIMIT ?", (limit,))
        texts = self._file.execute("SELECT tenant, 'notify', id FROM text WHERE token = '' LIMIT ?", (limit,))
        named = [f"{tenant} {system} {id}: about no known request" for tenant, system, id in [*records, *texts]]
        counted = self._file.execute(
            "SELECT (SELECT count(*) FROM record WHERE token = '') + (SELECT count(*) FROM text WHERE token = '')"
        ).fetchone()
        return int(counted[0]), named[:limit]

    def languages(self) -> dict[str, int]:
        """How many texts were sent in each language."""
        counted = dict(self._file.execute("SELECT language, count(*) FROM text GROUP BY language"))
        return {language: int(counted.get(language, 0)) for language in ("cy", "en", "both")}


@contextmanager
def sightings(store: Store, account: Account) -> Iterator[Sightings]:
    """Look through all systems of all councils."""
    file = sqlite3.connect("")  # SQLite's own temporary file: gone when it is closed
    try:
        file.executescript(f"PRAGMA journal_mode = OFF; {_TABLES}")
        places = [(tenant, system) for tenant, system, _ in store.systems()]
        for tenant, system in places:
            if system in ("contact", "casework"):
                for held in store.collection(tenant, system).each():
                    _record(file, account, tenant, system, held)
        file.executescript(_INDEXES)
        for tenant, system in places:
            if system == "notify":
                for held in store.collection(tenant, system).each():
                    _text(file, tenant, held)
        yield Sightings(file)
    finally:
        file.close()


def _record(file: sqlite3.Connection, account: Account, tenant: str, system: str, held: Document) -> None:
    body = held.body
    if system == "contact":
        reason, references = (body.get("reason") or {}).get("text"), (held.id, body.get("case_number"))
        public = body.get("public_reference")
    else:
        reason, references = body.get("Reason"), (held.id, body.get("SourceReference"))
        public = body.get("PublicReference")
    found = account.recognise(tenant, reason, *references) or _elsewhere(account, tenant, reason)
    owner, token = (found.tenant, found.token) if found else ("", "")
    file.execute("INSERT INTO record VALUES (?, ?, ?, ?, ?)", (owner, token, tenant, system, held.id))
    if owner == tenant:
        for reference in {held.id, public} - {None, ""}:
            file.execute("INSERT INTO reference VALUES (?, ?, ?)", (tenant, reference, token))


def _elsewhere(account: Account, tenant: str, reason: str | None) -> Truth | None:
    # A record in the wrong council can be known by its token alone: numbers mean nothing outside their own council.
    others = (account.recognise(other, reason) for other in account.tenants() if other != tenant)
    return next((found for found in others if found), None)


def _text(file: sqlite3.Connection, tenant: str, held: Document) -> None:
    body = held.body
    template = notify_checks.templates()[body["template_id"]]
    named = file.execute(
        "SELECT token FROM reference WHERE tenant = ? AND reference = ? LIMIT 1",
        (tenant, str(body["personalisation"].get("reference"))),
    ).fetchone()
    row = (tenant, named[0] if named else "", held.id, template["status"], template["language"])
    to = notify_checks.plain_number(body["to"])
    file.execute("INSERT INTO text VALUES (?, ?, ?, ?, ?, ?, ?)", (*row, to, body["created_at"]))
