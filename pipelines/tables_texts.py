"""The tables of what residents were told, and of what they told us: no person in either, in clear.

They belong to `pipelines.tables`, which names them too; docs/data-model.md explains them.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table

from pipelines.metadata import Serial, metadata

news = Table(
    "news",
    metadata,
    Column("delivery_id", Serial, ForeignKey("delivery.id"), primary_key=True, autoincrement=False),
    Column("council", String, nullable=False),
    Column("connection", String, nullable=False),
    Column("referral_id", String, ForeignKey("referral.id"), nullable=False),
    Column("route", String, nullable=False),
    Column("recipient", String, nullable=False),  # who of the route's table
    Column("words", String, nullable=False),  # the texts file
    Column("channel", String, nullable=False),  # text, email, letter; telephone where a person rang
    Column("language", String, nullable=False),  # cy, en, both; "" where a person rang
    Column("status", String, nullable=False),  # which business status was told
    Column("whom", String, nullable=False),  # keyed hash of the number or address
    Column("parts", Integer, nullable=False, default=0),  # billed parts of a text, by its words
    Column("asked", BigInteger),  # when the request was received
    Column("changed", BigInteger),  # when its source says that the status changed
    Column("at", BigInteger, nullable=False),  # when it was accepted, or rung
    Column("report", String, nullable=False, default=""),  # how it went: delivered, permanent-failure ...
    Column("reported", BigInteger),
    Index("ix_news_whom", "council", "whom", "at"),
    Index("ix_news_referral", "referral_id"),
    Index("ix_news_at", "council", "at"),
)

preference = Table(
    "preference",
    metadata,
    Column("council", String, primary_key=True),
    Column("whom", String, primary_key=True),  # keyed hash of a number or address, or of whom a referral is about
    Column("name", String, primary_key=True),  # opted_out, wrong, language, or the path of a field that no source has
    Column("value", String, ForeignKey("payload.id"), nullable=False),
    Column("by", String, nullable=False),  # "reply", "report", or who recorded it
    Column("at", BigInteger, nullable=False),
)
