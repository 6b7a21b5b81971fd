"""Questions made ready: SQLAlchemy works their words out once, and from then on they go to the driver as they are.

What a question costs is mostly SQLAlchemy's: building it, knowing it again, and writing a place for each of a hundred
keys. Whoever asks the same for every batch of referrals asks it from here. What is asked is written in SQLAlchemy's
language by the rooms that know the tables; rows that change are the business of `pipelines.rows`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    Connection,
    CursorResult,
    Dialect,
    Executable,
    UpdateBase,
    any_,
    bindparam,
)
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement

#: Says that a column is one of the keys that the question is asked with.
Among = Callable[[ColumnElement[Any]], ColumnElement[bool]]

#: How many keys SQLite is given in one statement: the next of these that is enough, the last key again and again up to
#: it, so that it prepares a few statements and not one for each number of keys. It takes 32,766 values.
_SIZES = (8, 32, 128, 500)
_KEY = "among_"


def in_parts(wanted: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Cut a long list of keys into pieces that fit a statement."""
    for at in range(0, len(wanted), _SIZES[-1]):
        yield wanted[at : at + _SIZES[-1]]


def given(name: str, column: ColumnElement[Any]) -> BindParameter[Any]:
    """A value of a question that is told by this name each time that it is asked, of the kind of a column."""
    return bindparam(name, None, type_=column.type)


def in_words(dialect: Dialect, statement: ClauseElement) -> SQLCompiler:
    """A statement in the driver's own words, all values that it holds itself laid out."""
    compiled = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    assert isinstance(compiled, SQLCompiler)
    return compiled


@dataclass(frozen=True, slots=True)
class _Words:
    """One question for one kind of database, and on SQLite for so many keys."""

    text: str
    names: tuple[str, ...]  # of its parameters, in order
    by_name: bool  # the driver wants names rather than places
    fixed: Mapping[str, Any]  # values that the question holds itself
    ready: Mapping[str, Callable[[Any], Any]]  # what the driver needs done with some values
    columns: tuple[str, ...]
    read: tuple[tuple[int, Callable[[Any], Any]], ...]  # what is to be done with some columns of an answer

    def run(self, connection: Connection, values: Mapping[str, Any]) -> CursorResult[Any]:
        """Send it to the driver."""
        given = {**self.fixed, **values}
        for name, ready in self.ready.items():
            given[name] = ready(given[name])
        told: Any = given if self.by_name else tuple([given[name] for name in self.names])
        return connection.exec_driver_sql(self.text, told)

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The rows that answer, each as its columns by name."""
        result = self.run(connection, values)
        assert result.cursor is not None
        raw: list[Any] = list(result.cursor.fetchall())
        result.close()
        if self.read:
            for at, row in enumerate(raw):
                changed = list(row)
                for place, read in self.read:
                    changed[place] = read(changed[place])
                raw[at] = changed
        return [dict(zip(self.columns, row, strict=True)) for row in raw]


class Say:
    """One statement without keys. Made once, at the head of a module; safe to share between threads."""

    def __init__(self, statement: Executable) -> None:
        """What changes is `given` in it, and told each time."""
        self._statement = statement
        self._made: dict[str, _Words] = {}

    def rows(self, connection: Connection, /, **values: Any) -> list[dict[str, Any]]:
        """The rows that answer, each as its columns by name."""
        return self._words(connection.dialect).rows(connection, values)

    def run(self, connection: Connection, /, **values: Any) -> int:
        """Do it; return how many rows it changed."""
        return self._words(connection.dialect).run(connection, values).rowcount

    def _words(self, dialect: Dialect) -> _Words:
        known = self._made.get(dialect.name)
        if known is None:
            known = self._made[dialect.name] = _laid_out(dialect, self._statement)
        return known


class Ask:
    """One question about rows, asked with keys. Made once, at the head of a module; safe to share between threads."""

    def __init__(self, question: Callable[[Among], Executable]) -> None:
        """`question` makes it; what changes besides the keys is `given` in it, and told to `rows`."""
        self._question = question
        self._made: dict[tuple[str, int], _Words] = {}

    def rows(self, connection: Connection, wanted: Iterable[Any], /, **values: Any) -> list[dict[str, Any]]:
        """The rows that answer, each as its columns by name. Keys are asked for in their order, each once."""
        found: list[dict[str, Any]] = []
        for some in in_parts(sorted(set(wanted))):
            words = self._words(connection.dialect, len(some))
            found += words.rows(connection, values | self._keys(words, some))
        return found

    def _keys(self, words: _Words, some: Sequence[Any]) -> dict[str, Any]:
        if words.by_name:
            return {_KEY: list(some)}
        size = next(size for size in _SIZES if size >= len(some))
        return {f"{_KEY}{at}": some[min(at, len(some) - 1)] for at in range(size)}

    def _words(self, dialect: Dialect, count: int) -> _Words:
        size = 0 if dialect.name == "postgresql" else next(size for size in _SIZES if size >= count)
        known = self._made.get((dialect.name, size))
        if known is None:
            known = self._made[dialect.name, size] = _laid_out(dialect, self._question(_among(size)))
        return known


def _among(size: int) -> Among:
    """`size` 0: as one list, which PostgreSQL takes."""

    def among(column: ColumnElement[Any]) -> ColumnElement[bool]:
        if not size:
            return column == any_(bindparam(_KEY, None, type_=ARRAY(column.type)))
        return column.in_([bindparam(f"{_KEY}{at}", None, type_=column.type) for at in range(size)])

    return among


def _columns(statement: Any) -> list[ColumnElement[Any]]:
    """What it answers with; nothing where it only changes rows."""
    if isinstance(statement, UpdateBase):
        return list(statement.exported_columns) if statement.exported_columns else []
    return list(statement.selected_columns)


def _laid_out(dialect: Dialect, statement: Any) -> _Words:
    compiled = in_words(dialect, statement)
    order = compiled.positiontup if compiled.positional else list(compiled.params)
    assert order is not None
    kinds = {name: bind.type.dialect_impl(dialect) for name, bind in compiled.binds.items() if name != _KEY}
    ready = {name: prepared for name, kind in kinds.items() if (prepared := kind.bind_processor(dialect)) is not None}
    columns = _columns(statement)
    readers = (
        (at, column.type.dialect_impl(dialect).result_processor(dialect, None)) for at, column in enumerate(columns)
    )
    return _Words(
        str(compiled),
        tuple(order),
        not compiled.positional,
        {name: value for name, value in compiled.params.items() if value is not None},
        {name: prepared for name, prepared in ready.items() if name in order},
        tuple(column.name for column in columns),
        tuple((at, read) for at, read in readers if read is not None),
    )
