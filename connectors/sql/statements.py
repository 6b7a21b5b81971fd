"""The SELECTs that are sent, made by SQLAlchemy from the profile's names. No value of a record is ever part of one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnClause,
    ColumnElement,
    FromClause,
    Select,
    and_,
    bindparam,
    column,
    func,
    or_,
    select,
    table,
    text,
)
from sqlalchemy.types import NullType

from connectors.sql.place import Place
from connectors.sql.profile import ModifiedSince, SqlRecord


class Statements:
    """The statements for one kind of record."""

    def __init__(self, record: SqlRecord) -> None:
        self._from = _from(record)
        self._all = [self._from.c[name] for name in record.columns]
        self._id = self._from.c[record.item.id]
        self._by = self._from.c[record.fetch.by] if record.fetch else None
        stamped = record.item.modified if isinstance(record.changes, ModifiedSince) else None
        self._stamp = self._from.c[stamped] if stamped is not None else None

    def page(self, place: Place, most: int) -> Select[Any]:
        """The rows behind a place, in order, at most so many."""
        asked: Select[Any] = select(*self._all).where(self._id.is_not(None))
        stamp = self._stamp
        if stamp is None or place.bare:
            if stamp is not None:
                asked = asked.where(stamp.is_(None))
            if place.id is not None:
                asked = asked.where(self._id > _given(place.id))
            return asked.order_by(self._id).limit(most)
        if place.id is not None:
            # The first condition says nothing that the second does not, and lets an index be used.
            same = and_(stamp == _given(place.stamp), self._id > _given(place.id))
            asked = asked.where(stamp >= _given(place.stamp), or_(stamp > _given(place.stamp), same))
        elif place.since is not None:
            asked = asked.where(stamp >= _given(place.since))
        else:
            asked = asked.where(stamp.is_not(None))
        return asked.order_by(stamp, self._id).limit(most)

    def ends(self) -> Select[Any]:
        """The first and the last stamp."""
        assert self._stamp is not None  # asked for a modified-since feed alone
        return select(func.min(self._stamp), func.max(self._stamp))

    def one(self, id: str | int) -> Select[Any]:
        """The rows with an id: two are enough to know that it is not one."""
        assert self._by is not None  # offered only where the profile says by which column
        return select(*self._all).where(self._by == _given(id)).limit(2)

    def without_id(self) -> Select[Any]:
        """A row that has no id, and so can never be read."""
        return select(func.count()).select_from(select(self._id).where(self._id.is_(None)).limit(1).subquery())


def _from(record: SqlRecord) -> FromClause:
    columns: list[ColumnClause[Any]] = [column(name) for name in record.columns]
    if record.query is not None:
        # A line break, so that a comment at its end does not swallow the bracket.
        return text(f"{record.query.strip()}\n").columns(*columns).subquery("extract")
    schema, _, name = str(record.table).rpartition(".")
    return table(name, *columns, schema=schema or None)


def _given(value: Any) -> ColumnElement[Any]:
    """A value as the driver gave it, of no type of ours: the database compares it by its column's."""
    return bindparam(None, value, type_=NullType(), unique=True)
