"""Whom the declared exact identifiers name, within one unit of work: read for many at once, written for many at once.

An identifier is kept as the keyed hash of its value and names one person of one council. When a person's identifiers
change, and what follows from it, is known in `pipelines.people`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection

from pipelines import ready, rows, together
from pipelines.ids import new_id
from pipelines.tables import person, person_identifier

#: With council and field named too, the primary key leads straight to each hash.
_STRAIGHT = (
    person_identifier.c.council == ready.given("council", person_identifier.c.council),
    person_identifier.c.path == ready.given("path", person_identifier.c.path),
)


class Named:
    """The identifiers and persons that one transaction works on."""

    def __init__(self, connection: Connection, council: str, now: int) -> None:
        self._connection, self._council, self._now = connection, council, now
        self._people: dict[tuple[str, str], str] = {}  # (field, hash) -> person
        self._made: set[str] = set()  # entered in this transaction
        self.open_referrals: dict[str, list[str]] = {}  # by person, where `pipelines.identifiers` looked for them
        self._new_people: list[dict[str, Any]] = []
        self._new_marks: list[dict[str, Any]] = []

    def fetch(self, marks: Iterable[tuple[str, str]]) -> None:
        """Read whom these (field, keyed hash) pairs name."""
        asked = set(marks)
        for field in sorted({path for path, _ in asked}):
            marks_of = {mark for path, mark in asked if path == field}
            given = {"council": self._council, "path": field}
            for row in rows.look(self._connection, person_identifier, "hash", marks_of, _STRAIGHT, **given):
                self._people.setdefault((row.path, row.hash), row.person_id)

    def person_of(self, path: str, mark: str) -> str | None:
        """The person whom an identifier names, None if it names nobody yet. It must have been fetched."""
        return self._people.get((path, mark))

    def new_person(self) -> str:
        """Enter a person; return the id."""
        id = new_id()
        self._new_people.append({"id": id, "council": self._council, "at": self._now})
        self._made.add(id)
        return id

    def is_new(self, person_id: str | None) -> bool:
        """Say whether this person was entered in this transaction."""
        return person_id in self._made

    def identify(self, person_id: str, path: str, mark: str) -> None:
        """Remember that an identifier names this person, unless it names somebody already."""
        if (path, mark) not in self._people:
            self._people[path, mark] = person_id
            self._new_marks.append({"council": self._council, "path": path, "hash": mark, "person_id": person_id})

    def rename(self, person_id: str, to: str | None, marks: Iterable[tuple[str, str]] = ()) -> None:
        """Follow in memory what was written about identifiers: all of a person's, or these, name `to`, or nobody."""
        wanted = set(marks)
        for mark, named in list(self._people.items()):
            if named == person_id and (not wanted or mark in wanted):
                if to is None:
                    del self._people[mark]
                else:
                    self._people[mark] = to

    def write(self) -> None:
        """Write what is new."""
        if self._new_people:
            together.enter(self._connection, person, self._new_people)
        if self._new_marks:
            together.enter(self._connection, person_identifier, self._new_marks)
        self._new_people, self._new_marks = [], []
