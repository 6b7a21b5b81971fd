"""The port of the other direction: what a connector must know of the calls that its system makes to us.

Nothing here listens. A listener hands in a call as it came; the connector says whether it is genuine, whether it can
be read at all, what is in it, and what its system wants to hear. What it is told is that the bytes were kept, so a
connector never acknowledges anything by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from connectors.port import Item, UnreadableItem


class PushRefused(Exception):
    """A call that is not taken. `status` is that of HTTP, `reason` a sentence of ours that holds no value of it.

    `problems` name fields and rules where a person at a form can mend them.
    """

    def __init__(self, status: int, reason: str, *, problems: Sequence[Mapping[str, str]] = ()) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.problems = tuple(problems)


class IdUsed(PushRefused):
    """The id of a push that was kept before, with other bytes, where one id has one body."""

    def __init__(self) -> None:
        super().__init__(422, "this key was used before, with another body: use a new key for a new request")


@dataclass(frozen=True, slots=True)
class Pushed:
    """One call as it came. `headers` as they were given, names in any case; `peer` is the address that called."""

    headers: Sequence[tuple[str, str]] = field(repr=False)
    body: bytes = field(repr=False)
    peer: str = ""

    def header(self, name: str) -> str:
        """Return a header's value, "" if it is not there. Raises PushRefused where it was given twice."""
        found = [value.strip() for key, value in self.headers if key.lower() == name.lower()]
        if len(found) > 1:
            raise PushRefused(400, f"the header {name} was given twice")
        return found[0] if found else ""


@dataclass(frozen=True, slots=True)
class Named:
    """A record that a push only names: it is to be fetched by its id."""

    id: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What can be said of a push whose bytes are durable. `reference` is ours for the record, "" if not known yet."""

    repeated: bool = False
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller is answered."""

    status: int
    content_type: str = ""
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


class Push(Protocol):
    """How one kind of record is pushed to us. Safe to use from several threads at once."""

    #: Whether the same id with other bytes is a mistake to be refused; else it is another push.
    one_body_an_id: bool
    #: Whether the caller is told our reference of the record, so that it is taken in before the answer.
    tells_reference: bool

    def prove(self, pushed: Pushed, now: datetime) -> str:
        """Make sure that the call is genuine; return its id where it carries one, "" if not. Raises PushRefused."""

    def look(self, pushed: Pushed) -> None:
        """Make sure that the bytes are a push at all: whole, of the right sort, not too deep. Raises PushRefused."""

    def unpack(self, body: bytes, id: str) -> Sequence[Item | UnreadableItem | Named]:
        """Return what is in a body that `look` let pass. A record that cannot be read alone is an UnreadableItem."""

    def taken(self, kept: Kept, pushed: Pushed) -> Answer:
        """What the caller hears once its bytes are durable."""

    def refused(self, refusal: PushRefused, pushed: Pushed) -> Answer:
        """What the caller hears when it was not taken; the body is b"" where it was not proven. Never raises."""


@runtime_checkable
class Sorting(Protocol):
    """A push that may turn out to be of another kind than its address says: some systems know one address only."""

    def sort(self, pushed: Pushed) -> str:
        """Return the kind of a call that was proven. Raises PushRefused where it is none."""


@runtime_checkable
class Receiving(Protocol):
    """A connector whose system may push."""

    def push(self, kind: str) -> Push:
        """How this kind is pushed. Raises Misconfigured where the profile or the settings say nothing of it."""
