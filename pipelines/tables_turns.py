"""The tables of turns: who may call a system now, over all workers.

They belong to `pipelines.tables`, which names them too; docs/data-model.md explains them.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, String, Table

from pipelines.metadata import metadata

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
