"""The tables of who may see and do what: who is signed in, tokens, grants of restricted referrals, four eyes.

They belong to `pipelines.tables`, which names them too; docs/data-model.md explains them. A secret that somebody else
holds (a cookie, a link, a token) is here as its hash alone.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, String, Table

from pipelines.metadata import Serial, metadata

#: One row is one signing-in of one person, from the first page to the last.
session = Table(
    "session",
    metadata,
    Column("hash", String, primary_key=True),  # of what the browser's cookie holds
    Column("who", String, nullable=False),  # the name that the audit tells
    Column("identity", String, nullable=False),  # what four eyes and grants are held against
    Column("names", JSON, nullable=False),  # by which roles are looked up, at each request anew
    Column("groups", JSON, nullable=False),
    Column("accounts", JSON, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),  # whatever they do
    Column("ended", BigInteger),  # signed out, or signed in anew
    Index("ix_session_identity", "identity"),
    Index("ix_session_until", "until"),
)

#: One row is one sign-in that was begun, until it comes back from the provider: each comes back once.
sign_in_begun = Table(
    "sign_in_begun",
    metadata,
    Column("hash", String, primary_key=True),  # of what the browser's cookie holds meanwhile
    Column("until", BigInteger, nullable=False),
)

#: One row is one link that signs the person in who started the pages, once.
sign_in_link = Table(
    "sign_in_link",
    metadata,
    Column("hash", String, primary_key=True),
    Column("account", String, nullable=False),
    Column("who", String, nullable=False),
    Column("until", BigInteger, nullable=False),
)

#: One row is one token of a program that calls the interface.
api_token = Table(
    "api_token",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("hash", String, nullable=False, unique=True),
    Column("roles", JSON, nullable=False),  # council -> roles
    Column("made_by", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("last_used", BigInteger),
    Column("revoked", BigInteger),
    Column("revoked_by", String, nullable=False, default=""),
)

#: One row is one person's sight of one restricted referral, for a while.
sight_grant = Table(
    "sight_grant",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("council", String, nullable=False),
    Column("referral_id", String, ForeignKey("referral.id"), nullable=False, index=True),
    Column("whom", String, nullable=False),  # an identity
    Column("how", String, nullable=False),  # given; taken: nobody gave it, and it must be reviewed
    Column("by", String, nullable=False),
    Column("why", String, ForeignKey("payload.id")),
    Column("at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("ended", BigInteger),
    Column("reviewed", BigInteger),  # of one that was taken
    Column("reviewed_by", String, nullable=False, default=""),
    Column("finding", String, ForeignKey("payload.id")),  # what the review found
    Index("ix_sight_grant_whom", "whom", "council"),
)

#: One row is one act on a restricted referral that one person asked for and another is to confirm.
four_eyes = Table(
    "four_eyes",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("council", String, nullable=False),
    Column("referral_id", String, ForeignKey("referral.id"), nullable=False, index=True),
    Column("subject", String, nullable=False),  # d12, v7
    Column("asked_by", String, nullable=False),  # as the audit tells it
    Column("asker", String, nullable=False),  # an identity
    Column("why", String, ForeignKey("payload.id")),
    Column("at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("answered", BigInteger),
    Column("answered_by", String, nullable=False, default=""),
    Column("answer", String, nullable=False, default=""),  # confirmed, refused
    Index("ix_four_eyes_council", "council", "answered"),
)
