"""Rows of the ledger that one transaction works on: read for many at once, changed in memory, written for many at once.

A statement costs far more than a row, so nothing here runs one statement a row. What the rows mean, and which of them
belong together, is known in `pipelines.batch`; this file only reads, remembers what changed, and writes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Dialect,
    Executable,
    Table,
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement

from pipelines.databases import COPY
from pipelines.ready import Among, Ask

#: From so many rows on PostgreSQL is given them as a stream (COPY), or as one list a column: each row of its own costs
#: the driver and the server several times as much, and below this the second round trip of a COPY counts for more.
_AS_ONE = 8


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
    return Held({**_blank(table), **values}, fresh=True)


@lru_cache(maxsize=64)  # one entry a table
def _blank(table: Table) -> Mapping[str, Any]:
    scalars: dict[str, Any] = {}
    for column in table.columns:
        default: Any = column.default
        scalars[column.name] = default.arg if default is not None and default.is_scalar else None
    return scalars


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
            enter(connection, table, [row.values for row in alike])
        for row in alike:
            row.fresh = False
            row.changed.clear()


def _numbers(connection: Connection, table: Table, column: str, count: int) -> Sequence[int]:
    """The next numbers of a table, in one statement: asking for each row's own as it is inserted is one a row.

    On SQLite nobody else writes meanwhile, and no row of a numbered table is ever deleted. PostgreSQL has a sequence.
    """
    if connection.dialect.name == "sqlite":
        last = connection.execute(select(func.max(table.c[column]))).scalar() or 0
        return range(last + 1, last + 1 + count)
    sequence = func.pg_get_serial_sequence(table.name, column)
    return (
        connection.execute(select(func.nextval(sequence)).select_from(func.generate_series(1, count))).scalars().all()
    )


def enter(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that name the same columns."""
    names = tuple(rows[0])
    if len(rows) >= _AS_ONE and connection.dialect.name == "postgresql":
        _stream(connection.dialect, table, names).run(connection, rows)
    else:
        _words(connection.dialect, table, names, changing=False).run(connection, rows)


def many(connection: Connection, statement: ClauseElement, rows: Sequence[Mapping[str, Any]], *, lists: str) -> None:
    """Run a statement for each of these rows, which name all of its parameters. It is made once and kept for good.

    `lists`: the same in PostgreSQL's own words, for many rows at once; its parameters are lists, one for each value of
    a row in the order in which the rows name them.
    """
    if len(rows) >= _AS_ONE and connection.dialect.name == "postgresql":
        connection.exec_driver_sql(lists, tuple(map(list, zip(*(row.values() for row in rows), strict=True))))
    elif rows:
        _constant(connection.dialect, statement).run(connection, rows)


def change(connection: Connection, table: Table, rows: Iterable[Held]) -> None:
    """Write what changed in rows that the ledger has."""
    for names, alike in _by_shape((row for row in rows if row.changed), lambda row: tuple(sorted(row.changed))):
        values = [row.values for row in alike]
        if len(alike) >= _AS_ONE and connection.dialect.name == "postgresql":
            _columns(connection.dialect, table, names).run(connection, values)
        else:
            _words(connection.dialect, table, names, changing=True).run(connection, values)
        for row in alike:
            row.changed.clear()


@dataclass(frozen=True, slots=True)
class _Words:
    """A statement in the driver's own words, made once: SQLAlchemy works its out for each row of each transaction."""

    text: str
    by_name: bool  # the driver wants names rather than places
    names: tuple[str, ...]  # of its parameters, in order
    places: Callable[[Mapping[str, Any]], tuple[Any, ...]]  # the values of a row for them
    ready: tuple[tuple[int, Callable[[Any], Any]], ...]  # what the driver needs done with some of them
    untold: Mapping[str, Any]  # columns that the rows do not name, with the value that their table says

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run it for each of these rows."""
        filled: list[Any] = self.filled(rows)
        if self.by_name:
            filled = [dict(zip(self.names, values, strict=True)) for values in filled]
        connection.exec_driver_sql(self.text, filled)

    def filled(self, rows: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
        """The values of these rows in the order of the parameters, as the driver wants them."""
        if self.untold:
            rows = [{**self.untold, **row} for row in rows]
        filled = [self.places(row) for row in rows]
        if self.ready:
            for at, row in enumerate(filled):
                values = list(row)
                for place, ready in self.ready:
                    values[place] = ready(values[place])
                filled[at] = tuple(values)
        return filled


@dataclass(frozen=True, slots=True)
class _Stream:
    """Rows that PostgreSQL takes in as a stream. `pipelines.databases` gives it to the driver."""

    text: str
    words: _Words  # the same, a statement for each row

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert these rows, two at least."""
        connection.exec_driver_sql(self.text, self.words.filled(rows))


@dataclass(frozen=True, slots=True)
class _Columns:
    """A change of many rows in one statement, which is given a list of values for each column."""

    text: str
    words: _Words

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Change these rows, each of which is there once."""
        lists = tuple(map(list, zip(*self.words.filled(rows), strict=True)))
        connection.exec_driver_sql(self.text, lists)


@lru_cache(maxsize=256)
def _stream(dialect: Dialect, table: Table, names: tuple[str, ...]) -> _Stream:
    words = _words(dialect, table, names, changing=False)
    quoted = dialect.identifier_preparer.quote
    listed = ", ".join(quoted(name) for name in words.names)
    return _Stream(f"{COPY}{quoted(table.name)} ({listed}) FROM STDIN", words)


@lru_cache(maxsize=256)
def _columns(dialect: Dialect, table: Table, names: tuple[str, ...]) -> _Columns:
    words = _words(dialect, table, names, changing=True)
    quoted = dialect.identifier_preparer.quote
    # Of a parameter `new_state` or `key_id` the column is what stands behind the first underscore.
    columns = [table.c[name.partition("_")[2]] for name in words.names]
    kinds = ", ".join(f"%s::{column.type.compile(dialect=dialect)}[]" for column in columns)
    given = " AND ".join(
        f"{quoted(table.name)}.{quoted(column.name)} = given.{name}"
        for name, column in zip(words.names, columns, strict=True)
        if name.startswith("key_")
    )
    becomes = ", ".join(
        f"{quoted(column.name)} = given.{name}"
        for name, column in zip(words.names, columns, strict=True)
        if name.startswith("new_")
    )
    text = (
        f"UPDATE {quoted(table.name)} SET {becomes} FROM unnest({kinds}) AS given({', '.join(words.names)}) "  # noqa: S608 - names of ours
        f"WHERE {given}"
    )
    return _Columns(text, words)


@lru_cache(maxsize=512)
def _words(dialect: Dialect, table: Table, names: tuple[str, ...], *, changing: bool) -> _Words:
    columns, untold = {name: name for name in names}, dict[str, Any]()
    if changing:
        keys = [column.name for column in table.primary_key.columns]
        columns = {f"new_{name}": name for name in names} | {f"key_{key}": key for key in keys}
        which = (table.c[key] == bindparam(f"key_{key}", type_=table.c[key].type) for key in keys)
        values = {name: bindparam(f"new_{name}", type_=table.c[name].type) for name in names}
        compiled = update(table).where(*which).values(values).compile(dialect=dialect)
    else:
        untold = {name: value for name, value in _blank(table).items() if value is not None and name not in columns}
        columns |= {name: name for name in untold}
        values = {name: bindparam(name, type_=table.c[name].type) for name in columns}
        compiled = insert(table).values(values).compile(dialect=dialect)
    return _laid_out(dialect, compiled, columns, untold)


@lru_cache(maxsize=64)
def _constant(dialect: Dialect, statement: ClauseElement) -> _Words:
    compiled = statement.compile(dialect=dialect)
    assert isinstance(compiled, SQLCompiler)
    return _laid_out(dialect, compiled, {name: name for name in compiled.binds}, {})


def _laid_out(dialect: Dialect, compiled: SQLCompiler, columns: Mapping[str, str], untold: Mapping[str, Any]) -> _Words:
    """`columns`: under which name a row has the value of each parameter."""
    order = compiled.positiontup if compiled.positional else list(columns)
    assert order is not None
    kinds = {name: compiled.binds[name].type.dialect_impl(dialect) for name in order}
    processors = ((at, kinds[name].bind_processor(dialect)) for at, name in enumerate(order))
    ready = tuple((at, processor) for at, processor in processors if processor is not None)
    # Always more than one, so that it gives a tuple: no statement of ours has a single value.
    places = itemgetter(*(columns[name] for name in order))
    return _Words(str(compiled), not compiled.positional, tuple(order), places, ready, untold)


def _by_shape(
    rows: Iterable[Held], names_of: Callable[[Held], tuple[str, ...]]
) -> Iterator[tuple[tuple[str, ...], list[Held]]]:
    """Rows that name the same columns go together in one statement; the order within them is kept."""
    shapes: dict[tuple[str, ...], list[Held]] = defaultdict(list)
    for row in rows:
        shapes[names_of(row)].append(row)
    yield from shapes.items()
