"""What a database's errors mean, by their kind and their SQLSTATE and never by a driver's words: those hold values."""

from __future__ import annotations

import sqlite3

from sqlalchemy import exc
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, ProgrammingError, SQLAlchemyError

from connectors.errors import ConnectorError, Misconfigured, Throttled, Unauthorised, Unknown, Unreachable

_NOTHING_SENT = "the database does not answer"
_WRONG_NAME = (
    "the database knows a table or column of the profile not, or refuses the query: compare table, query and columns"
)
_NO_RIGHT = "this login may not read what the profile names: ask for the right to SELECT and for no other"
_NO_FILE = "url: there is no such file, or it may not be read: correct its path or its rights"

#: SQLSTATE, or its class of two signs; see PostgreSQL's appendix of error codes.
_STATES: dict[str, tuple[type[ConnectorError], str]] = {
    "57014": (Unknown, "the database did not answer in time"),
    "55P03": (Unknown, "what is to be read is locked for too long"),
    "28": (Unauthorised, "the database refuses the login"),
    "3D": (Misconfigured, "url: there is no such database on the server"),
    "3F": (Misconfigured, _WRONG_NAME),
    "42501": (Misconfigured, _NO_RIGHT),
    "42": (Misconfigured, _WRONG_NAME),
    "22": (Misconfigured, "the query fails on a value: mend the query, or let the view leave such rows out"),
    "25006": (Misconfigured, "the query writes: nothing may be written through this connection"),
    "0A": (Misconfigured, _WRONG_NAME),
    "53": (Throttled, "the database has no room for another session"),
    "57": (Unreachable, "the database is being shut down or started"),
    "08": (Unreachable, _NOTHING_SENT),
}
_FILE_CODES: dict[int, tuple[type[ConnectorError], str]] = {
    sqlite3.SQLITE_BUSY: (Unknown, "the file is locked by whoever writes it"),
    sqlite3.SQLITE_LOCKED: (Unknown, "the file is locked by whoever writes it"),
    sqlite3.SQLITE_INTERRUPT: (Unknown, "the database did not answer in time"),
    sqlite3.SQLITE_CANTOPEN: (Misconfigured, _NO_FILE),
    sqlite3.SQLITE_PERM: (Misconfigured, _NO_FILE),
    sqlite3.SQLITE_NOTADB: (Misconfigured, "url: the file is no SQLite database"),
    sqlite3.SQLITE_CORRUPT: (Unknown, "the file is damaged, or is being written"),
    sqlite3.SQLITE_READONLY: (Misconfigured, "the query writes: nothing may be written through this connection"),
    sqlite3.SQLITE_ERROR: (Misconfigured, _WRONG_NAME),
}


def as_error(fault: Exception, kind: str, seconds: float) -> ConnectorError | None:
    """The named error for a fault of the database; None for a fault of another kind."""
    if isinstance(fault, exc.TimeoutError):
        return Throttled("all sessions of our own limit at_once were taken; nothing was sent", after=1.0)
    if isinstance(fault, TimeoutError):
        return Unknown(f"the database did not answer within {seconds:g} seconds")
    if isinstance(fault, UnicodeError):
        return Misconfigured("the database holds text in another encoding than it says: ask for its encoding")
    if not isinstance(fault, SQLAlchemyError):
        return None
    cause = fault.orig if isinstance(fault, DBAPIError) else None
    code = _state(cause)
    if isinstance(cause, sqlite3.Error):
        told = _FILE_CODES.get((getattr(cause, "sqlite_errorcode", None) or 0) & 0xFF)
        return _named(told, code) if told else Unknown("the file cannot be read", code=code)
    told = _STATES.get(code) or _STATES.get(code[:2])
    if told is not None:
        return _named(told, code)
    if kind == "postgresql" and isinstance(fault, OperationalError) and not code:
        return _without_state(str(cause))
    if isinstance(fault, ProgrammingError):
        return Misconfigured(_WRONG_NAME, code=code)
    if isinstance(fault, OperationalError | InterfaceError):
        return Unreachable(_NOTHING_SENT, code=code)
    return Unknown(f"the database answers with an error ({type(fault).__name__})", code=code)


def _named(told: tuple[type[ConnectorError], str], code: str) -> ConnectorError:
    kind, words = told
    return kind(words, code=code)


def _state(cause: BaseException | None) -> str:
    """The SQLSTATE, where the driver tells one; "" else."""
    found = getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None)
    return found if isinstance(found, str) and found.isascii() and len(found) < 40 else ""


def _without_state(words: str) -> ConnectorError:
    """While a session is opened libpq tells no SQLSTATE; its words are looked at and not shown."""
    if "authentication failed" in words or "no password supplied" in words or "role" in words:
        return Unauthorised("the database refuses the login")
    if "database" in words and "does not exist" in words:
        return Misconfigured("url: there is no such database on the server")
    if "certificate" in words or "SSL" in words:
        return Unreachable("no secure line could be laid: the server's certificate or its name is not trusted")
    if "too many" in words or "remaining connection slots" in words:
        return Throttled("the database has no room for another session")
    return Unreachable(_NOTHING_SENT)
