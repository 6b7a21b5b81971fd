"""The tables of the desk: what officers have asked for that takes longer than one page.

They belong to `pipelines.tables`, which names them too; docs/data-model.md explains them.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, Integer, String, Table, text

from pipelines.metadata import Serial, metadata

_OPEN = text("cause_id IS NOT NULL AND state IN ('under way', 'paused')")

task = Table(
    "task",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("council", String, nullable=False),
    Column("action", String, nullable=False),  # send again, close, release
    Column("cause_id", Serial, ForeignKey("cause.id")),  # all of this cause; null: those in `ids`
    Column("code_list", String),  # all that waits for a code of this list; null for every other task
    Column("ids", JSON, nullable=False),  # d12, v7, in the order in which they go
    Column("last_version", BigInteger, nullable=False, default=0),  # what needs attention later is not part of it
    Column("last_delivery", BigInteger, nullable=False, default=0),
    Column("total", Integer, nullable=False),
    Column("begun", Integer, nullable=False, default=0),  # how many were taken in hand
    Column("done", Integer, nullable=False, default=0),
    Column("not_done", Integer, nullable=False, default=0),
    Column("notes", JSON, nullable=False),  # [[id, why not], ...]: the first of those that were not possible
    Column("in_hand", String, nullable=False, default=""),  # the one that is being done, or was done last
    Column("state", String, nullable=False),  # under way, paused, cancelled, done
    Column("who", String, nullable=False),
    Column("why", String, ForeignKey("payload.id")),
    Column("at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("owner", String),  # who does it at this moment, under a lease
    Column("until", BigInteger),
    Index("ix_task_by_council", "council", "id"),
    # Two officers who ask for all of one cause at the same time ask for one thing.
    Index("uq_task_open", "cause_id", unique=True, sqlite_where=_OPEN),
)
