"""`dolen doctor` for a database: does it answer, is the line safe, can nothing be written, is every column there, and
can the first row of each kind be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import text

from connectors.deadline import Deadline
from connectors.errors import ConnectorError, Unauthorised
from connectors.port import Finding, Page, UnreadableItem
from connectors.sql.opening import Database
from connectors.sql.profile import SqlRecord
from connectors.sql.statements import Statements

_SKEW = 60.0  # seconds


def examine(
    database: Database,
    statements: Mapping[str, Statements],
    records: Mapping[str, SqlRecord],
    deadline: Callable[[], Deadline],
    now: datetime,
    first: Callable[[str], Page],
) -> list[Finding]:
    """Look, in the order in which things can go wrong, and stop where going on means nothing."""
    try:
        with database.asked(deadline()) as session:
            found = [Finding("login", True, f"the database ({database.kind}) answers and takes the login")]
            found += _of_postgresql(session, records, now) if database.kind == "postgresql" else []
    except ConnectorError as trouble:
        subject = "login" if isinstance(trouble, Unauthorised) else "route"
        remedy = "compare url, login and ca_bundle with what whoever runs the database gave"
        return [Finding(subject, False, trouble.reason, remedy)]
    found.append(_read_only(database))
    for kind in records:
        found += _kind(database, kind, statements[kind], deadline, first)
    return found


def _read_only(database: Database) -> Finding:
    if database.read_only:
        return Finding("read-only", True, "the database was told that nothing is written")
    words = f"{database.kind} cannot be told by Dolen that nothing is written"
    return Finding("read-only", True, f"{words}: it must be the login that may do nothing but SELECT")


def _of_postgresql(session: Any, records: Mapping[str, SqlRecord], now: datetime) -> list[Finding]:
    """What only PostgreSQL tells: the line, the clock, and whether the login may do more than it needs."""
    safe = session.execute(text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")).scalar()
    here = "SELECT inet_client_addr() IS NULL OR host(inet_client_addr()) IN ('127.0.0.1', '::1')"
    line = Finding("TLS", True, "the line is encrypted" if safe else "the database is on this machine")
    if not safe and not session.execute(text(here)).scalar():
        line = Finding("TLS", False, "the line is not encrypted", "write sslmode=verify-full into url")
    apart = abs((session.execute(text("SELECT now()")).scalar_one() - now).total_seconds())
    clock = Finding("clock", True, "both clocks agree")
    if apart > _SKEW:
        clock = Finding("clock", False, f"the clocks are {apart:.0f} seconds apart", "set both by a time server")
    above = session.execute(text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")).scalar()
    right = "SELECT to_regclass(:t) IS NOT NULL AND has_table_privilege(to_regclass(:t), 'INSERT, UPDATE, DELETE')"
    tables = sorted({record.table for record in records.values() if record.table})
    may = [name for name in tables if session.execute(text(right), {"t": name}).scalar()]
    rights = Finding("rights", True, "the login may not write what the profile names")
    if above or may:
        words = "the login is a superuser" if above else f"the login may write to {', '.join(may)}"
        remedy = "ask for a login that may do nothing but SELECT; Dolen itself writes nothing either way"
        rights = Finding("rights", False, words, remedy)
    return [line, clock, rights]


def _kind(
    database: Database,
    kind: str,
    statements: Statements,
    deadline: Callable[[], Deadline],
    first: Callable[[str], Page],
) -> list[Finding]:
    try:
        page = first(kind)
        with database.asked(deadline()) as session:
            nameless = session.execute(statements.without_id()).scalar()
    except ConnectorError as trouble:
        remedy = "compare the profile with the database, and ask for the right to SELECT"
        return [Finding(f"reading {kind}", False, trouble.reason, remedy)]
    found = [_page(kind, page)]
    if nameless:
        remedy = "let the query leave them out, or give them an id"
        found.append(Finding(f"ids of {kind}", False, "some rows have no id and can never be read", remedy))
    return found


def _page(kind: str, page: Page) -> Finding:
    if not page.items:
        return Finding(f"reading {kind}", True, "all columns are there; it holds no row with a stamp")
    [item] = page.items[:1]
    if isinstance(item, UnreadableItem):
        return Finding(f"reading {kind}", False, item.reason, "declare the column's type as the database holds it")
    return Finding(f"reading {kind}", True, "the first row can be read")
