"""Rows of the ledger that one transaction works on: read for many at once, changed in memory, written for many at once.

A statement costs far more than a row, so nothing here runs one statement a row. What the rows mean, and which of them
belong together, is known in `pipelines.batch`; this file only reads, remembers what changed, and writes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Executable, Table, select

from pipelines import together
from pipelines.ready import Among, Ask


class Held:
    """One row, as it will be when the transaction ends. Columns are read as attributes and changed with `set`."""

    # The columns are the attributes themselves: a record costs two hundred looks at one.
    __slots__ = ("__dict__", "changed", "fresh")

    def __init__(self, values: dict[str, Any], *, fresh: bool = False) -> None:
        self.__dict__ = values
        self.fresh = fresh  # not in the ledger yet
        self.changed: set[str] = set()

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def set(self, **values: Any) -> None:
        """Change columns."""
        held = self.__dict__
        for name, value in values.items():
            if name not in held or held[name] is not value:
                held[name] = value
                self.changed.add(name)

    @property
    def values(self) -> Mapping[str, Any]:
        """All columns as they are now."""
        return self.__dict__


def fresh(table: Table, **values: Any) -> Held:
    """A row that the ledger does not have yet: every column, as the table declares it or as given."""
    return Held({**together.blank(table), **values}, fresh=True)


#: Conditions beside the keys. A constant, so that what is made ready is found again; what changes is `given` in it.
Where = tuple[ColumnElement[bool], ...]


def read(
    connection: Connection, table: Table, column: str, wanted: Iterable[Any], where: Where = (), /, **values: Any
) -> list[Held]:
    """Read and lock the rows whose `column` is one of `wanted`, in order of their keys, so that two transactions that
    want the same rows wait for one another and never for ever. `values`: of what `where` leaves to be given."""
    return [Held(row) for row in _asking(table, column, where, locking=True).rows(connection, wanted, **values)]


def look(
    connection: Connection, table: Table, column: str, wanted: Iterable[Any], where: Where = (), /, **values: Any
) -> list[Held]:
    """Read rows without locking them: what nobody changes, or what somebody else's lock guards already."""
    return [Held(row) for row in _asking(table, column, where, locking=False).rows(connection, wanted, **values)]


@lru_cache(maxsize=128)
def _asking(table: Table, column: str, where: Where, *, locking: bool) -> Ask:
    def question(among: Among) -> Executable:
        asked = select(table).where(among(table.c[column]), *where)
        return asked.order_by(*table.primary_key.columns).with_for_update() if locking else asked

    return Ask(question)


def beside(column: ColumnElement[str]) -> ColumnElement[str]:
    """A text that a statement asks about beside the keys that it names, written so that no index of it is used.

    SQLite keeps no statistics. It would rather go through all rows of a council than look up a hundred keys.
    """
    return column.concat("")


def add(connection: Connection, table: Table, rows: Sequence[Held], *, numbered: str = "") -> None:
    """Insert fresh rows in their order. `numbered` names a column that the database gives; it is filled in."""
    for shape, alike in _by_shape(rows, lambda row: tuple(row.values)):
        if numbered:
            for row, number in zip(alike, _numbers(connection, table, numbered, len(alike)), strict=True):
                row.set(**{numbered: number})
        if shape:
            together.enter(connection, table, [row.values for row in alike])
        for row in alike:
            row.fresh = False
            row.changed.clear()


#: OFFSET 0 keeps the look for the sequence's name out of what is done for each number.
_NEXT = (
    "SELECT nextval(its.name) FROM (SELECT pg_get_serial_sequence(%s, %s)::regclass AS name OFFSET 0) AS its, "
    "generate_series(1, %s::integer)"
)


def _numbers(connection: Connection, table: Table, column: str, count: int) -> Sequence[int]:
    """The next numbers of a table, in one statement: asking for each row's own as it is inserted is one a row.

    On SQLite nobody else writes meanwhile, and no row of a numbered table is ever deleted. PostgreSQL has a sequence.
    """
    if connection.dialect.name == "sqlite":
        named = connection.dialect.identifier_preparer.format_table(table)
        last = connection.exec_driver_sql(f"SELECT max({column}) FROM {named}").scalar() or 0  # noqa: S608 - ours
        return range(last + 1, last + 1 + count)
    return connection.exec_driver_sql(_NEXT, (table.name, column, count)).scalars().all()


def change(connection: Connection, table: Table, rows: Iterable[Held]) -> None:
    """Write what changed in rows that the ledger has."""
    for names, alike in _by_shape((row for row in rows if row.changed), lambda row: tuple(sorted(row.changed))):
        together.change(connection, table, names, [row.values for row in alike])
        for row in alike:
            row.changed.clear()


def _by_shape(
    rows: Iterable[Held], names_of: Callable[[Held], tuple[str, ...]]
) -> Iterator[tuple[tuple[str, ...], list[Held]]]:
    """Rows that name the same columns go together in one statement; the order within them is kept."""
    shapes: dict[tuple[str, ...], list[Held]] = defaultdict(list)
    for row in rows:
        shapes[names_of(row)].append(row)
    yield from shapes.items()
