"""What the profile of an extract in a database may say: a table, view or query, its columns, and how changes are told.

It names columns and their types and never holds a condition; a query is the council's own text and may be nothing but
one SELECT. Where the database is and how one logs in are settings of the connection.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from connectors.profile import STEP, ItemPaths, Name, Overlap, Zone
from connectors.references import Closed

OFFERS = ("changes", "fetch")

#: How a value stands in the database, and so in the record; see docs/sql.md.
ColumnType: TypeAlias = Literal[
    "text", "integer", "number", "boolean", "date", "moment", "seconds", "milliseconds", "time", "bytes", "json"
]
STAMPS = ("moment", "date", "seconds", "milliseconds")

_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"")
_TABLE = re.compile(r"^[^\W\d]\w*(\.[^\W\d]\w*)?$")


def _one_select(query: str) -> str:
    words = _COMMENT.sub(" ", _QUOTED.sub("''", query)).strip()
    if not re.match(r"(select|with)\b", words, re.IGNORECASE):
        raise ValueError("write one SELECT (it may begin with WITH)")
    if ";" in words:
        raise ValueError("write one SELECT alone, without a semicolon")
    if re.search(r"(?<![:\w\\]):\w", words):
        raise ValueError("a name behind a colon would wait for a value: write the value itself")
    return query


def _table(name: str) -> str:
    if not _TABLE.match(name):
        raise ValueError("write a table or view, with its schema if it has one: reporting.referrals")
    return name


TableName = Annotated[Name, AfterValidator(_table)]
Query = Annotated[str, Field(min_length=8, max_length=20_000), AfterValidator(_one_select)]
ColumnName = Annotated[str, Field(pattern=rf"^{STEP}$", max_length=128)]


class ModifiedSince(Closed):
    """Read the rows that changed since the last walk, oldest change first."""

    feed: Literal["modified-since"] = Field(description="Kind of feed.", examples=["modified-since"])
    overlap: Overlap = Field(
        default=timedelta(minutes=5),
        description="How far behind the newest stamp the next walk starts, for late commits and skewed clocks.",
        examples=["PT5M"],
    )
    of: int = Field(default=200, ge=1, le=10_000, description="Rows a page.", examples=[200])
    without_stamp: Literal["read", "leave"] = Field(
        default="read",
        description="Rows whose stamp is empty. read: each walk reads all of them at its end. leave: they are not "
        "read at all.",
        examples=["read"],
    )


class Whole(Closed):
    """Read all rows each time, for an extract that does not tell what changed. What is as it was is dropped."""

    feed: Literal["whole"] = Field(description="Kind of feed.", examples=["whole"])
    of: int = Field(default=200, ge=1, le=10_000, description="Rows a page.", examples=[200])


Feed: TypeAlias = Annotated[ModifiedSince | Whole, Field(discriminator="feed")]


class ReadOne(Closed):
    """Read one row by its id."""

    by: ColumnName = Field(description="The column that is compared with the id; mostly `item.id`.", examples=["ID"])


class SqlRecord(Closed):
    """One kind of record."""

    table: TableName | None = Field(
        default=None, description="The table or view that holds it.", examples=["reporting.referrals"]
    )
    query: Query | None = Field(
        default=None,
        description="One SELECT instead. It must give each record one row.",
        examples=["SELECT r.*, p.surname FROM referrals r JOIN people p ON p.id = r.person"],
    )
    columns: dict[ColumnName, ColumnType] = Field(
        min_length=1,
        description="The columns that are read, with their types. No other column is asked for.",
        examples=[{"referral_id": "integer", "last_changed": "moment"}],
    )
    required: list[ColumnName] = Field(default=[], description="Columns that may not be empty.", examples=[["surname"]])
    item: ItemPaths = Field(
        description="In which columns id, version and stamp stand.", examples=[{"id": "referral_id"}]
    )
    changes: Feed = Field(description="How changes are told.", examples=[{"feed": "modified-since"}])
    fetch: ReadOne | None = Field(default=None, description="Read one.", examples=[{"by": "referral_id"}])

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        if (self.table is None) == (self.query is None):
            raise ValueError("write either table or query")
        item = self.item
        named = [item.id, item.version, item.modified, item.our_key, item.deleted, *self.required]
        for name in [*named, self.fetch.by if self.fetch else None]:
            if name is not None and name not in self.columns:
                raise ValueError(f"{name} is not among columns: add it with its type")
        if isinstance(self.changes, ModifiedSince):
            if item.modified is None:
                raise ValueError("a modified-since feed needs item.modified: name the column with the last change")
            if self.columns[item.modified] not in STAMPS:
                raise ValueError(f"item.modified must be one of {', '.join(STAMPS)}")
            if self.columns[item.modified] == "date" and self.changes.overlap < timedelta(days=1):
                raise ValueError("a stamp that tells the day alone needs an overlap of P1D or more")
        if self.columns[item.id] not in ("text", "integer"):
            raise ValueError("item.id must be text or integer")
        return self

    @property
    def offers(self) -> frozenset[str]:
        """What is declared, in the words of the port."""
        return frozenset(name for name in OFFERS if getattr(self, name) is not None)


class SqlProfile(Closed):
    """An extract in a database."""

    system: Name = Field(description="The system's name.", examples=["extract"])
    protocol: Literal["sql"] = Field(description="Kind of interface.", examples=["sql"])
    clock: Zone = Field(description="Zone of the database's times that carry no offset.", examples=["Europe/London"])
    records: dict[Name, SqlRecord] = Field(
        min_length=1, description="One section for each kind of record.", examples=[{"Referral": {}}]
    )
