"""Rows written together: a statement for many of them, in the way in which their database takes them quickest.

Each row of its own costs the driver and the server several times as much as one of many. PostgreSQL is given new rows
as a stream (COPY), and changes as one list a column; SQLite new rows many to a statement. Which rows there are and
what changed in them is known in `pipelines.rows`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Dialect, Table, bindparam, insert, update
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement

from pipelines.databases import COPY

#: From so many rows on they go together on PostgreSQL: below, the second round trip of a COPY counts for more.
AS_ONE = 8
#: How many new rows SQLite is given in one statement, which takes 32,766 values. Its driver lets go of the interpreter
#: at each statement, and whoever lets go while others work waits for a turn. That the sizes are few, and no statement
#: has more values than this, keeps small what each of its connections has prepared.
_SIZES, _VALUES = (64, 16, 4, 1), 400


def enter(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that name the same columns."""
    names = tuple(rows[0])
    words = _words(connection.dialect, table, names, changing=False)
    if connection.dialect.name == "sqlite":
        in_groups(connection, words.text, words.filled(rows))
    elif len(rows) >= AS_ONE:
        connection.exec_driver_sql(_stream(connection.dialect, table, names), words.filled(rows))
    else:
        words.run(connection, rows)


def in_groups(connection: Connection, text: str, rows: Sequence[tuple[Any, ...]], *, unless: str = "") -> int:
    """Enter rows on SQLite, many to a statement; return how many were entered. `text` enters one row; `unless` is what
    stands behind its values."""
    entered = at = 0
    for size in _SIZES:
        while len(rows) - at >= size and size * len(rows[at]) <= _VALUES:
            values = tuple(chain.from_iterable(rows[at : at + size]))
            entered += connection.exec_driver_sql(_group(text, size) + unless, values).rowcount
            at += size
    return entered


@lru_cache(maxsize=512)
def _group(text: str, size: int) -> str:
    """The words that enter one row, for so many."""
    head, _, row = text.partition(" VALUES ")
    return f"{head} VALUES {', '.join([row] * size)}"


def change(connection: Connection, table: Table, names: tuple[str, ...], rows: Sequence[Mapping[str, Any]]) -> None:
    """Change these columns of rows that are there, each of which is in the list once."""
    words = _words(connection.dialect, table, names, changing=True)
    if len(rows) >= AS_ONE and connection.dialect.name == "postgresql":
        lists = tuple(map(list, zip(*words.filled(rows), strict=True)))
        connection.exec_driver_sql(_lists(connection.dialect, table, names), lists)
    else:
        words.run(connection, rows)


def many(connection: Connection, statement: ClauseElement, rows: Sequence[Mapping[str, Any]], *, lists: str) -> None:
    """Run a statement for each of these rows, which name all of its parameters. It is made once and kept for good.

    `lists`: the same in PostgreSQL's own words, for many rows at once; its parameters are lists, one for each value of
    a row in the order in which the rows name them.
    """
    if len(rows) >= AS_ONE and connection.dialect.name == "postgresql":
        connection.exec_driver_sql(lists, tuple(map(list, zip(*(row.values() for row in rows), strict=True))))
    elif rows:
        _constant(connection.dialect, statement).run(connection, rows)


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


@lru_cache(maxsize=256)
def _stream(dialect: Dialect, table: Table, names: tuple[str, ...]) -> str:
    words = _words(dialect, table, names, changing=False)
    quoted = dialect.identifier_preparer.quote
    listed = ", ".join(quoted(name) for name in words.names)
    return f"{COPY}{quoted(table.name)} ({listed}) FROM STDIN"


@lru_cache(maxsize=256)
def _lists(dialect: Dialect, table: Table, names: tuple[str, ...]) -> str:
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
    listed = f"unnest({kinds}) AS given({', '.join(words.names)})"
    return f"UPDATE {quoted(table.name)} SET {becomes} FROM {listed} WHERE {given}"  # noqa: S608 - names of ours


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
        untold = {name: value for name, value in blank(table).items() if value is not None and name not in columns}
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


@lru_cache(maxsize=64)  # one entry a table
def blank(table: Table) -> Mapping[str, Any]:
    """Every column of a table, with the value that the table says of one that is not told."""
    scalars: dict[str, Any] = {}
    for column in table.columns:
        default: Any = column.default
        scalars[column.name] = default.arg if default is not None and default.is_scalar else None
    return scalars
