"""The tables of time: walks through sources, the runs of a timetable, and the processes that live.

They belong to `pipelines.tables`, which names them too; docs/data-model.md explains them.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, text

from pipelines.metadata import Serial, metadata

walk = Table(
    "walk",
    metadata,
    Column("council", String, primary_key=True),
    Column("connection", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("purpose", String, primary_key=True),  # live, back-fill
    Column("cursor", String, nullable=False, default=""),
    Column("watermark", String, nullable=False, default=""),
    Column("began", BigInteger),
    Column("completed", BigInteger),
    Column("pages", Integer, nullable=False, default=0),
    Column("words", String, nullable=False, default=""),  # why the last try stopped, "" when it did not
    Column("owner", String),  # boot and number of the run that reads at this moment
    Column("fence", BigInteger, nullable=False, default=0),  # grows with each owner; a page is written under it
)

unread_page = Table(
    "unread_page",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("council", String, nullable=False),
    Column("connection", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("cursor", String, nullable=False),
    Column("raw", String, ForeignKey("payload.id"), nullable=False),
    Column("words", String, nullable=False),
    Column("at", BigInteger, nullable=False),
)

slot = Table(
    "slot",
    metadata,
    Column("council", String, primary_key=True),
    Column("connection", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("purpose", String, primary_key=True),
    Column("at", BigInteger, primary_key=True),  # the planned instant, so that a run happens once
    Column("claimed_by", String),
    Column("begun", BigInteger),
    Column("done", BigInteger),
    Column("records", Integer, nullable=False, default=0),
    Column("words", String, nullable=False, default=""),
    Column("since", String, nullable=False, default=""),  # back-fill: where to start
    Column("asked", Boolean, nullable=False, default=False),  # by a person, and not by the timetable
    Column("read", Integer, nullable=False, default=0),  # records read so far
    Index("ix_slot_open", "at", sqlite_where=text("done IS NULL")),
)

process = Table(
    "process",
    metadata,
    Column("boot", String, primary_key=True),
    Column("host", String, nullable=False),
    Column("machine", String, nullable=False),  # this start of the machine, and which process numbers it sees
    Column("pid", Integer, nullable=False),
    Column("roles", String, nullable=False),  # work, schedule, sync
    Column("program", String, nullable=False),  # version of the program
    Column("began", BigInteger, nullable=False),
    Column("beat", BigInteger, nullable=False),
    Column("ended", BigInteger),  # when it left, or was given up
    Column("words", String, nullable=False, default=""),  # how it ended: stopped, given up
)
