"""The tables of retention and erasure: certificates of what went, keys that are still to be destroyed, and notices.

They belong to `pipelines.tables`, which names them too; docs/data-protection.md explains them.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, String, Table, Text, text

from pipelines.metadata import Serial, metadata

certificate = Table(
    "certificate",
    metadata,
    Column("id", String, primary_key=True),
    Column("council", String, nullable=False),
    Column("kind", String, nullable=False),  # purge, erasure
    Column("at", BigInteger, nullable=False),
    Column("body", Text, nullable=False),  # JSON: rule, cut-offs, counts, chain position, hash of the ids
    Column("signature", String, nullable=False, default=""),  # keyed hash of the body; "" while it is being filled
    Index(
        "uq_certificate_open",
        "council",
        "kind",
        unique=True,
        sqlite_where=text("signature = '' AND kind = 'purge'"),
    ),
)

#: Keys to be destroyed: entered with what they belonged to, taken out when the key store has them no more.
doomed = Table(
    "doomed",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("council", String, nullable=False),
    Column("key_id", String),
    Column("person_id", String),  # the person's key, and every data key that it holds
)

#: Referrals whose rows may be deleted, within one transaction: the guards ask.
leaving = Table("leaving", metadata, Column("referral_id", String, primary_key=True))

forewarning = Table(
    "forewarning",
    metadata,
    Column("referral_id", String, primary_key=True),
    Column("council", String, nullable=False),
    Column("at", BigInteger, nullable=False),  # since when people can see that it would expire
)
