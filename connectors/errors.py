"""What can go wrong on the wire, named by what the caller does next.

Every connector turns its system's own errors (HTTP statuses, SOAP faults, errors inside a 200) into these,
so that the worker needs no knowledge of suppliers. No message here may hold a value from a record: `reason`
is text of ours, `code` is the supplier's own error code, and the reply itself travels as bytes to be
encrypted, never to be printed.
"""

from __future__ import annotations


def _kept(text: str) -> str:
    """A text that a ledger can keep: a name or code of a supplier's may hold a null, which PostgreSQL does not take."""
    return text.replace("\x00", "\ufffd")


class ConnectorError(Exception):
    """Talking to a system did not end well.

    `reason` is one plain sentence of ours, safe to log. `code` is the supplier's error code, if it gave one.
    `reply` is the answer's bytes, which may hold a person and is therefore kept out of `str` and `repr`.
    """

    def __init__(self, reason: str, *, code: str = "", reply: bytes = b"") -> None:
        self.reason = _kept(reason)
        super().__init__(self.reason)
        self.code = _kept(code)
        self.reply = reply

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.reason!r}, code={self.code!r})"


class Unreachable(ConnectorError):
    """Nothing was sent: no route, no TLS, no answer to connecting. Safe to try again."""


class Throttled(ConnectorError):
    """The system asks us to slow down and did not do what we asked. Try again after `after` seconds.

    `whole`: it asks the whole connection, whose limit is reached; else this record alone must wait.
    """

    def __init__(
        self, reason: str, *, after: float | None = None, code: str = "", reply: bytes = b"", whole: bool = False
    ) -> None:
        super().__init__(reason, code=code, reply=reply)
        self.after = after
        self.whole = whole


class Unauthorised(ConnectorError):
    """The login was refused, also after renewing it once. Nothing was done; the whole connection must wait."""


class Rejected(ConnectorError):
    """The system understood and said no. Sending the same again cannot help; a person must look.

    `field` is the path in the system's own record that it named, or "" if it named none.
    """

    def __init__(self, reason: str, *, field: str = "", code: str = "", reply: bytes = b"") -> None:
        super().__init__(reason, code=code, reply=reply)
        self.field = _kept(field)


class Duplicate(ConnectorError):
    """Already there. That is an outcome and not a failure: `existing` is the system's id for it, "" if not told."""

    def __init__(self, reason: str, *, existing: str = "", code: str = "", reply: bytes = b"") -> None:
        super().__init__(reason, code=code, reply=reply)
        self.existing = existing


class Outdated(ConnectorError):
    """The record changed in the target since we read it (412, version conflict). Not done: read again, write again."""


class NotThere(ConnectorError):
    """The system has no record with that id (404 and the like). For an update: not done."""


class Unknown(ConnectorError):
    """It was sent and there is no answer that says what became of it: time-out, reset, 5xx, a page of HTML.

    On a call that is safe to repeat this means "try again"; on any other it means "not sure".
    """


class PageUnreadable(ConnectorError):
    """A page of changes could not be read as a whole. `reply` holds its bytes; ask again with a smaller `limit`."""


class ForAPerson(ConnectorError):
    """There is no way in that a machine may use: a named officer types the record and enters its number."""


class Misconfigured(ConnectorError):
    """The profile, interface or settings cannot work. `reason` names the key and what to write instead."""
