"""The tables of turns: which lanes have something due and who works them, and who may call a system now.

They belong to `pipelines.tables`, which names them too; docs/data-model.md explains them.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, text

from pipelines.metadata import metadata

lane = Table(
    "lane",
    metadata,
    Column("id", String, primary_key=True),
    Column("council", String, nullable=False),
    Column("connection", String, nullable=False),  # the target
    Column("due", BigInteger),  # when something in it can be done; null: nothing by itself
    Column("rank", Integer, nullable=False, default=1),  # 0 urgent, 1 live, 2 made by a back-fill
    Column("owner", String),  # boot and drain that hold the lease
    Column("until", BigInteger),
    Column("fence", BigInteger, nullable=False, default=0),
    # What a drain looks for: of one connection, what is due and free, urgent first. Idle lanes are not in it.
    Index(
        "ix_lane_due",
        "council",
        "connection",
        "rank",
        "due",
        sqlite_where=text("due IS NOT NULL"),
    ),
    Index("ix_lane_owner", "owner", sqlite_where=text("owner IS NOT NULL")),
)

seat = Table(
    "seat",
    metadata,
    Column("council", String, primary_key=True),
    Column("connection", String, primary_key=True),
    Column("number", Integer, primary_key=True),  # 1 to limits.at_once, over all workers
    Column("owner", String),  # the drain that sits on it
    Column("until", BigInteger),
)

pace = Table(
    "pace",
    metadata,
    Column("council", String, primary_key=True),
    Column("connection", String, primary_key=True),
    Column("next", BigInteger, nullable=False),  # when the next call may be made, over all workers
)
