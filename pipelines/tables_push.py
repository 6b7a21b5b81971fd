"""The table of what systems pushed to us: kept before it is acknowledged, until it was taken in.

It belongs to `pipelines.tables`, which names it too; docs/data-model.md explains it.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, UniqueConstraint, text

from pipelines.metadata import Serial, metadata

pushed = Table(
    "pushed",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("council", String, nullable=False),
    Column("connection", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("message", String),  # keyed hash of the push's own id, and of its bytes unless one id has one body
    Column("content", String, nullable=False),  # keyed hash of its bytes
    Column("key", String, nullable=False, default=""),  # the id itself, where it becomes the record's
    Column("raw", String, ForeignKey("payload.id")),  # its bytes; null once they were taken in
    Column("at", BigInteger, nullable=False),
    Column("due", BigInteger, nullable=False),  # when it may be taken in; later while somebody is at it
    Column("tries", Integer, nullable=False, default=0),
    Column("words", String, nullable=False, default=""),  # why it waits
    Column("taken", BigInteger),  # when it was taken in
    UniqueConstraint("council", "connection", "kind", "message"),
    Index(
        "ix_pushed_open",
        "council",
        "connection",
        "kind",
        "due",
        sqlite_where=text("taken IS NULL"),
    ),
    Index(
        "ix_pushed_taken",
        "taken",
        sqlite_where=text("taken IS NOT NULL"),
    ),
)
