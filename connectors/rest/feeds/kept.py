"""What a queue's feed keeps in the spool: a note for each ask, the answers, and when the last one came.

A note and its answer have the same name behind their first word, so that a note whose answer is there has nothing to
say any more, in whatever order a crash left them. Names begin with a number that only grows while anything is kept, so
that the oldest answer is handed on first.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256

import orjson

from connectors.spool import Spool, SpoolFault

_TRIES = 3  # of keeping an answer: the disk may be full for a moment only, and this is the only copy


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer as it came."""

    body: bytes = field(repr=False)
    content_type: str = ""
    cut: bool = False  # it broke off: this is the part that came
    look: bool = False  # it is of the list that removes nothing
    words: str = ""  # no answer at all: what a person is told of it


class Kept:
    """One kind's notes and answers."""

    def __init__(self, spool: Spool, kind: str) -> None:
        self._spool = spool
        self._prefix = f"queue-{sha256(kind.encode()).hexdigest()[:8]}"

    def asks(self, now: datetime) -> str:
        """Note that the queue is about to be asked; return the ask."""
        ask = self.fresh()
        last = self._spool.read(f"{self._prefix}-last")
        note = {"at": now.astimezone(UTC).isoformat(), "before": last.decode() if last else ""}
        self._spool.keep(f"{self._prefix}-ask-{ask}", orjson.dumps(note))
        return ask

    def fresh(self) -> str:
        """A name behind all that are kept now, that nobody else has."""
        taken = [name.rsplit("-", 2)[1] for name in [*self._names("ask"), *self._names("got")]]
        return f"{max(map(int, taken), default=0) + 1:09d}-{secrets.token_hex(6)}"

    def keep(self, ask: str, answer: Answer) -> None:
        """Keep the answer to an ask. Raises SpoolFault."""
        head = {"type": answer.content_type, "cut": answer.cut, "look": answer.look, "words": answer.words}
        body = orjson.dumps(head) + b"\n" + answer.body
        name = f"{self._prefix}-got-{ask}"
        for _ in range(_TRIES - 1):
            try:
                self._spool.keep(name, body)
            except SpoolFault:
                continue
            return
        self._spool.keep(name, body)

    def answered(self, ask: str, date: datetime | None) -> None:
        """The ask has its answer, which the system dated so."""
        if date is not None:
            self._spool.keep(f"{self._prefix}-last", date.astimezone(UTC).isoformat().encode())
        self.settled([ask])

    def settled(self, asks: Iterable[str]) -> None:
        """Nothing of these asks is open any more."""
        for ask in asks:
            self._spool.drop(f"{self._prefix}-ask-{ask}")

    def unanswered(self) -> list[tuple[str, datetime]]:
        """The asks without an answer, and when each was made."""
        got = {self._ask_of(name) for name in self._names("got")}
        found: list[tuple[str, datetime]] = []
        for name in self._names("ask"):
            ask = self._ask_of(name)
            note = self._note(ask)
            if note is None:
                continue
            answer = self.answer(f"{self._prefix}-got-{ask}") if ask in got else None
            if answer is not None and not answer.cut:
                self.settled([ask])
            else:
                found.append((ask, datetime.fromisoformat(note["at"])))
        return found

    def span(self, asks: Sequence[str]) -> tuple[datetime, datetime]:
        """When the first and the last of these asks were made."""
        moments = [datetime.fromisoformat(note["at"]) for note in map(self._note, asks) if note]
        return min(moments), max(moments)

    def answered_before(self, asks: Sequence[str]) -> datetime | None:
        """The system's own time of the last answer that came before any of these asks; None if there was none."""
        told = [note["before"] for note in map(self._note, asks) if note]
        return min(map(datetime.fromisoformat, told)) if told and all(told) else None

    def answers(self) -> list[str]:
        """The names of what is kept, the oldest first."""
        return self._names("got")

    def answer(self, name: str) -> Answer | None:
        """What is kept under a name; None if it is not any more."""
        body = self._spool.read(name)
        if body is None:
            return None
        head, _, rest = body.partition(b"\n")
        told = orjson.loads(head)
        return Answer(rest, told["type"], told["cut"], told["look"], told["words"])

    def forget(self, names: Iterable[str]) -> None:
        """The ledger has these. Of each the note goes first: alone it would be taken for a lost answer."""
        for name in names:
            if name.startswith(f"{self._prefix}-got-"):
                if not self._is_cut(name):
                    self.settled([self._ask_of(name)])
                self._spool.drop(name)

    def _is_cut(self, name: str) -> bool:
        answer = self.answer(name)
        return answer is not None and answer.cut

    def _names(self, what: str) -> list[str]:
        return self._spool.names(f"{self._prefix}-{what}-")

    def _ask_of(self, name: str) -> str:
        return "-".join(name.rsplit("-", 2)[1:])

    def _note(self, ask: str) -> dict[str, str] | None:
        body = self._spool.read(f"{self._prefix}-ask-{ask}")
        note: dict[str, str] | None = None if body is None else orjson.loads(body)
        return note
