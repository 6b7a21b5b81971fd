"""The tables of proof: comparisons of two systems, what was found to agree, and the pairs of a council's first day.

They belong to `pipelines.tables`, which names them too; docs/data-model.md explains them.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, String, Table, UniqueConstraint

from pipelines.metadata import Serial, metadata

reconciliation = Table(
    "reconciliation",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("council", String, nullable=False),
    Column("route", String, nullable=False),
    Column("at", BigInteger, nullable=False),  # the planned instant, or when somebody asked
    Column("asked_by", String, nullable=False, default=""),  # "" is the timetable
    Column("whole", Boolean, nullable=False, default=False),  # every record was read, whatever its stamps say
    Column("claimed_by", String),
    Column("until", BigInteger),  # the claim holds so long, or it is not tried again before
    Column("begun", BigInteger),
    Column("done", BigInteger),
    Column("agrees", Boolean),  # null: it could not be finished
    Column("counts", JSON, nullable=False),
    Column("findings", JSON, nullable=False),  # numbers, field names and sentences, never a value
    Column("words", String, nullable=False, default=""),  # why it could not be finished
    UniqueConstraint("council", "route", "at"),
)

agreed = Table(
    "agreed",
    metadata,
    Column("council", String, primary_key=True),
    Column("route", String, primary_key=True),
    Column("kind", String, primary_key=True),  # of the source
    Column("source", String, primary_key=True),  # its number in the source
    Column("target", String, nullable=False),  # and in the target
    Column("source_mark", String, nullable=False),  # stamp and version when both were last read whole and agreed
    Column("target_mark", String, nullable=False),
    Column("number", String, nullable=False, default=""),  # keyed hash of the source's number as the target shows it
    Index("ix_agreed_by_target", "council", "route", "target"),
)

interface_look = Table(
    "interface_look",
    metadata,
    Column("council", String, primary_key=True),
    Column("connection", String, primary_key=True),
    Column("planned", BigInteger, nullable=False),  # the newest planned instant that was claimed, or when we first ran
    Column("claimed_by", String),
    Column("until", BigInteger),  # the claim holds so long, or it is not tried again before
    Column("at", BigInteger),  # when it was last looked at; null: never
    Column("state", String, nullable=False, default=""),  # the same, changed, not offered, not seen
    Column("since", BigInteger),  # since when it is in that state
    Column("words", String, nullable=False, default=""),
    Column("counts", JSON, nullable=False),  # how bad -> how many changes
    Column("findings", JSON, nullable=False),  # paths, file names and sentences, never a value of a record
)

first_day = Table(
    "first_day",
    metadata,
    Column("council", String, primary_key=True),
    Column("one", String, primary_key=True),  # two connections, in the order of the alphabet
    Column("other", String, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("who", String, nullable=False),
    Column("paired", Integer, nullable=False),
)
