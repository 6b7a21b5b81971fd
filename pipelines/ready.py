"""Questions made ready: SQLAlchemy works their words out once, and from then on they go to the driver as they are.

What a question costs is mostly SQLAlchemy's: building it, knowing it again, and writing a place for each of a hundred
keys. Whoever asks the same for every batch of referrals asks it from here. What is asked is written in SQLAlchemy's
language by the rooms that know the tables; rows that change are the business of `pipelines.rows`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, BindParameter, ColumnElement, Connection, Dialect, Executable, any_, bindparam
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
            raw = self._asked(connection, words, some, values)
            found += [dict(zip(words.columns, row, strict=True)) for row in raw]
        return found

    def _asked(
        self, connection: Connection, words: _Words, some: Sequence[Any], values: Mapping[str, Any]
    ) -> list[Any]:
        given = {**words.fixed, **values}
        if words.by_name:
            given[_KEY] = list(some)
        else:
            size = next(size for size in _SIZES if size >= len(some))
            given |= {f"{_KEY}{at}": some[min(at, len(some) - 1)] for at in range(size)}
        for name, ready in words.ready.items():
            given[name] = ready(given[name])
        told: Any = given if words.by_name else tuple([given[name] for name in words.names])
        result = connection.exec_driver_sql(words.text, told)
        assert result.cursor is not None
        raw: list[Any] = list(result.cursor.fetchall())
        result.close()
        if words.read:
            for at, row in enumerate(raw):
                changed = list(row)
                for place, read in words.read:
                    changed[place] = read(changed[place])
                raw[at] = changed
        return raw

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


def _laid_out(dialect: Dialect, statement: Any) -> _Words:
    compiled = in_words(dialect, statement)
    order = compiled.positiontup if compiled.positional else list(compiled.params)
    assert order is not None
    kinds = {name: bind.type.dialect_impl(dialect) for name, bind in compiled.binds.items() if name != _KEY}
    ready = {name: prepared for name, kind in kinds.items() if (prepared := kind.bind_processor(dialect)) is not None}
    columns = list(getattr(statement, "selected_columns", None) or statement.exported_columns)
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
