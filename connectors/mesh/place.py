"""Where a walk through a mailbox stands, as text that is good in a later process too."""

from __future__ import annotations

from dataclasses import dataclass, replace

import orjson

from connectors.errors import Misconfigured

KEPT = 5_000  # ids that a place remembers: more wait in no inbox that is emptied every day


@dataclass(frozen=True, slots=True)
class Place:
    """A place. Messages are told by their ids."""

    owed: tuple[str, ...] = ()  # written down by now, and to be acknowledged
    past: tuple[str, ...] = ()  # not to be read again in this walk
    id: str = ""  # the message that the walk is in
    row: int = 0  # of it, so many records were read
    after: str = ""  # where the list goes on, "" at its beginning
    page: int = 1

    @classmethod
    def at(cls, cursor: str) -> Place:
        """Read a kept cursor. Raises Misconfigured if it is not one of ours."""
        if not cursor:
            return cls()
        try:
            owed, past, id, row, after, page = orjson.loads(cursor)
            return cls(tuple(map(str, owed)), tuple(map(str, past)), str(id), int(row), str(after), int(page))
        except (ValueError, TypeError):
            raise Misconfigured("the kept place of this walk cannot be read: start the walk anew") from None

    @property
    def cursor(self) -> str:
        """The place as text."""
        return orjson.dumps([self.owed, self.past, self.id, self.row, self.after, self.page]).decode()

    def owing(self, owed: tuple[str, ...]) -> Place:
        """The place of the next page, with so much left to acknowledge."""
        return replace(self, owed=owed, page=self.page + 1)

    def within(self, id: str) -> Place:
        """At the beginning of a message."""
        return replace(self, id=id, row=0)

    def further(self, rows: int) -> Place:
        """So many records further in the message."""
        return replace(self, row=self.row + rows)

    def passed(self, id: str, *, owed: bool = False) -> Place:
        """Behind a message; `owed`: its bytes are kept, and it is to be acknowledged."""
        more = (*self.owed, id) if owed else self.owed
        return replace(self, owed=more, past=(*self.past, id)[-KEPT:], id="", row=0)

    def behind(self, after: str) -> Place:
        """At the next part of the list."""
        return replace(self, after=after)
