"""The tables of alerts: what is amiss at this moment, whom it was told, and how busy each source is at each hour.

They belong to `pipelines.tables`, which names them too; docs/data-model.md explains them. No column holds a person.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, text

from pipelines.metadata import Serial, metadata

alert = Table(
    "alert",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("name", String, nullable=False, unique=True),  # what receivers know it by
    Column("key", String, nullable=False),  # of its cause: kind, council, and what it is about
    Column("kind", String, nullable=False),
    Column("council", String, nullable=False, default=""),  # "" is the site itself
    Column("connection", String, nullable=False, default=""),
    Column("route", String, nullable=False, default=""),
    Column("cause", String, nullable=False, default=""),  # fingerprint
    Column("words", String, nullable=False, default=""),  # about the cause, never a value of a record
    Column("urgent", Boolean, nullable=False, default=False),
    Column("count", Integer, nullable=False, default=0),
    Column("since", BigInteger, nullable=False),  # since when it is amiss
    Column("newest", BigInteger, nullable=False, default=0),  # grows when something new joins what is amiss
    Column("opened", BigInteger, nullable=False),
    Column("seen", BigInteger, nullable=False),  # when it was last seen to be so
    Column("closed", BigInteger),
    Column("answered", BigInteger),
    Column("answered_by", String, nullable=False, default=""),
    Column("answered_for", BigInteger, nullable=False, default=0),  # an answer covers what was there: `newest` then
    Column("told", Integer, nullable=False, default=0),  # how often the duty contact was told
    Column("again", BigInteger),  # when the duty contact is told again; null: never
    # One open alert a cause, however many processes look.
    Index(
        "uq_alert_open",
        "key",
        unique=True,
        sqlite_where=text("closed IS NULL"),
    ),
)

alert_notice = Table(
    "alert_notice",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("key", String, nullable=False, unique=True),  # alert, what is told, to whom: never told twice by intent
    Column("alert_id", Serial, ForeignKey("alert.id"), nullable=False, index=True),
    Column("what", String, nullable=False),  # opened, again, closed
    Column("way", String, nullable=False),  # to whom and how, as the site's files name it
    Column("urgent", Boolean, nullable=False, default=False),
    Column("due", BigInteger),  # when it is told; null once it was, or was given up
    Column("batch", String),  # what is told in one message, under one id, also when it is repeated
    Column("owner", String),
    Column("until", BigInteger),
    Column("tries", Integer, nullable=False, default=0),
    Column("sent", BigInteger),
    Column("words", String, nullable=False, default=""),  # why it could not be told, by the last try
    Column("at", BigInteger, nullable=False),
    Index(
        "ix_alert_notice_due", "due", sqlite_where=text("due IS NOT NULL")
    ),
)

source_hour = Table(
    "source_hour",
    metadata,
    Column("council", String, primary_key=True),
    Column("connection", String, primary_key=True),
    Column("hour", BigInteger, primary_key=True),  # its beginning
    Column("versions", Integer, nullable=False),  # how many versions the source showed in it; nothing about whom
)
