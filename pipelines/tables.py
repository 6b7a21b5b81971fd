"""The ledger's tables, as docs/data-model.md explains them.

SQLAlchemy Core and nothing that PostgreSQL could not do. Times are whole microseconds since 1970 in UTC. No column
holds a person in clear: payloads are ciphertext, identifiers are keyed hashes.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    text,
)

from pipelines.metadata import Serial
from pipelines.metadata import metadata as metadata
from pipelines.states import DeliveryState, VersionState
from pipelines.tables_access import api_token as api_token
from pipelines.tables_access import four_eyes as four_eyes
from pipelines.tables_access import session as session
from pipelines.tables_access import sight_grant as sight_grant
from pipelines.tables_access import sign_in_begun as sign_in_begun
from pipelines.tables_access import sign_in_link as sign_in_link
from pipelines.tables_alert import alert as alert
from pipelines.tables_alert import alert_notice as alert_notice
from pipelines.tables_alert import source_hour as source_hour
from pipelines.tables_audit import audit as audit
from pipelines.tables_desk import task as task
from pipelines.tables_proof import agreed as agreed
from pipelines.tables_proof import first_day as first_day
from pipelines.tables_proof import interface_look as interface_look
from pipelines.tables_proof import reconciliation as reconciliation
from pipelines.tables_push import pushed as pushed
from pipelines.tables_retention import certificate as certificate
from pipelines.tables_retention import doomed as doomed
from pipelines.tables_retention import forewarning as forewarning
from pipelines.tables_retention import leaving as leaving
from pipelines.tables_texts import news as news
from pipelines.tables_texts import preference as preference
from pipelines.tables_time import process as process
from pipelines.tables_time import slot as slot
from pipelines.tables_time import unread_page as unread_page
from pipelines.tables_time import walk as walk
from pipelines.tables_turns import lane as lane
from pipelines.tables_turns import pace as pace
from pipelines.tables_turns import seat as seat


def _one_of(column: str, values: type[VersionState] | type[DeliveryState]) -> str:
    return f"{column} IN ({', '.join(repr(v.value) for v in values)})"


#: Conditions of indexes that hold open work alone. A query says them in these words, so that a planner knows its index.
OPEN_DELIVERY = f"delivery.state IN ({', '.join(repr(state.value) for state in DeliveryState if state.open)})"
DESK_DELIVERY = f"delivery.state IN ('{DeliveryState.ATTENTION}', '{DeliveryState.NOT_SURE}')"
URGENT_DELIVERY = f"{OPEN_DELIVERY} AND delivery.urgent"
#: As an expression: a planner that has no statistics would rather take the index of all versions by their state.
DESK_VERSION = f"version.state || '' = '{VersionState.ATTENTION}'"


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": text(re.sub(r"\b[a-z]+\.", "", condition))}


meta = Table(
    "meta",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", String, nullable=False),
)

payload = Table(
    "payload",
    metadata,
    Column("id", String, primary_key=True),
    Column("council", String, nullable=False),
    Column("class", String, nullable=False),  # raw, page, facts, request, reply, why
    Column("person_id", String),
    Column("key_id", String, nullable=False),
    Column("held_by_person", Boolean, nullable=False, default=False),  # its data key is wrapped by the person's key
    Column("body", LargeBinary),  # nonce and ciphertext; null once expired or erased
    Column("at", BigInteger, nullable=False),
    # What is sealed for one person: when it moves to another one, expires, or is erased or shown to them.
    Index(
        "ix_payload_person",
        "person_id",
        sqlite_where=text("person_id IS NOT NULL"),
    ),
    Index(
        "ix_payload_unheld",
        "person_id",
        sqlite_where=text("NOT held_by_person AND person_id IS NOT NULL"),
    ),
)

artifact = Table(
    "artifact",
    metadata,
    Column("digest", String, primary_key=True),
    Column("kind", String, nullable=False),  # mapping, codes, profile, interface, text
    Column("body", String, nullable=False),
    Column("at", BigInteger, nullable=False),  # when a process last kept it
)

person = Table(
    "person",
    metadata,
    Column("id", String, primary_key=True),
    Column("council", String, nullable=False),
    Column("at", BigInteger, nullable=False),
)

person_identifier = Table(
    "person_identifier",
    metadata,
    Column("council", String, primary_key=True),
    Column("path", String, primary_key=True),  # the field whose value was hashed
    Column("hash", String, primary_key=True),
    Column("person_id", String, ForeignKey("person.id"), nullable=False, index=True),
)

referral = Table(
    "referral",
    metadata,
    Column("id", String, primary_key=True),
    Column("council", String, nullable=False),
    Column("person_id", String, ForeignKey("person.id"), nullable=False, index=True),
    Column("revision", Integer, nullable=False),
    Column("facts", String, ForeignKey("payload.id"), nullable=False),
    Column("citizen_reference", String, nullable=False),
    Column("status", String),
    Column("priority", String),
    Column("restricted", Boolean, nullable=False, default=False),
    Column("wants_news", Boolean, nullable=False, default=False),  # somebody asked to be told of it, by any channel
    Column("stopped", BigInteger),  # since when its person's data goes nowhere, by a person's word
    Column("gone", Integer, nullable=False, default=0),  # how many classes of what was kept of it have expired
    Column("gone_at", BigInteger),
    Column("merged_into", String),
    Column("hops", JSON),  # field -> [automatic changes of hands, when the last was, hashes of the values]
    Column("born_in", String, nullable=False),  # the connection that showed it first
    Column("at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    # A council's referrals one after the other, and some of them by their ids: without it SQLite goes through all of a
    # council's for each step of a purge and each search, which nobody notices before there are a million.
    Index("ix_referral_of_council", "council", "id"),
    UniqueConstraint("council", "citizen_reference"),
    # What the outcomes count of a span of time (`pipelines.figures`), without looking at a referral.
    Index("ix_referral_came", "council", "status", "wants_news", "at", **_where("referral.merged_into IS NULL")),
    # Few are; who may not see them is kept from them in every list (`pipelines.sight`).
    Index("ix_referral_restricted", "council", "id", **_where("referral.restricted")),
)

record = Table(
    "record",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("council", String, nullable=False),
    Column("connection", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("external_id", String, nullable=False),
    Column("referral_id", String, ForeignKey("referral.id"), index=True),
    Column("base", JSON, nullable=False),  # field -> [hash last seen, hash written and not seen since]
    Column("content", String),  # keyed hash of the newest version's bytes
    Column("version", String, nullable=False, default=""),
    Column("modified", BigInteger),  # the system's own stamp of the newest version we know of
    Column("rewrite", Boolean, nullable=False, default=False),  # a person said: write over what it holds
    Column("aside", Boolean, nullable=False, default=False),  # a double of another record, says a person
    Column("erased", BigInteger),  # what it told of its person was erased: no version from before is taken in again
    Column("at", BigInteger, nullable=False),
    UniqueConstraint("council", "connection", "kind", "external_id"),
    Index("ix_record_by_number", "external_id", "council"),  # a number that somebody quotes, of whichever system
)

cause = Table(
    "cause",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("fingerprint", String, nullable=False, unique=True),
    Column("council", String, nullable=False),
    Column("connection", String, nullable=False),
    Column("step", String, nullable=False),  # read, match, write, send, look up, feed, by hand
    Column("error", String, nullable=False),  # error class
    Column("field", String, nullable=False, default=""),
    Column("code_list", String, nullable=False, default=""),
    Column("words", String, nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
)

version = Table(
    "version",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("council", String, nullable=False),
    Column("connection", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("external_id", String, nullable=False, default=""),  # "" where not even that could be read
    Column("record_id", Serial, ForeignKey("record.id"), index=True),
    Column("referral_id", String, ForeignKey("referral.id"), index=True),
    Column("revision", Integer),  # the revision that it made, if it made one
    Column("raw", String, ForeignKey("payload.id"), nullable=False),
    Column("content", String, nullable=False),
    Column("version", String, nullable=False, default=""),
    Column("modified", BigInteger),
    Column("our_key", String, nullable=False, default=""),
    Column("mapping", String, nullable=False, default=""),  # digest of the resolved mapping it was read with
    Column("profile", String, nullable=False, default=""),  # and of the profile, with its interfaces
    Column("state", String, nullable=False),
    Column("cause_id", Serial, ForeignKey("cause.id"), index=True),
    Column("code", String, nullable=False, default=""),  # keyed hash of what was given where its cause wants a code
    Column("gaps", JSON),  # fields left out: [[field, code list, cause id], ...]
    Column("not_taken", JSON),  # routes whose condition did not hold: not sent, by rule
    Column("remark", String, nullable=False, default=""),  # what people should know of it: reopened, renumbered ...
    Column("purpose", String, nullable=False, default="live"),
    Column("at", BigInteger, nullable=False),
    CheckConstraint(_one_of("state", VersionState), name="state"),
    Index("ix_version_by_state", "council", "state"),
    Index("ix_version_desk", "council", "cause_id", "id", "at", "referral_id", "code", "record_id",
          **_where(DESK_VERSION)),
    Index("ix_version_by_record", "council", "connection", "kind", "external_id"),
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("key", String, nullable=False, unique=True),  # the stable key that an event carries to its target
    Column("council", String, nullable=False),
    Column("referral_id", String, ForeignKey("referral.id"), nullable=False),
    Column("route", String, nullable=False),
    Column("connection", String, nullable=False),  # the target
    Column("kind", String, nullable=False),
    Column("carries", String, nullable=False),  # state, event
    Column("revision", Integer, nullable=False),  # the revision that caused it; an event is bound to it
    Column("facts", String, ForeignKey("payload.id")),  # event: the facts of its revision
    Column("version_id", Serial, ForeignKey("version.id"), index=True),
    Column("mapping", String, nullable=False, default=""),  # a person chose to send with this one; "": today's
    Column("recipient", String, nullable=False, default=""),  # a text: for whom of its table; "": who may hear first
    Column("words", String, nullable=False, default=""),  # a text: with this file and those behind it; "": with all
    Column("lane", String, nullable=False),
    Column("urgent", Boolean, nullable=False, default=False),
    Column("live", Boolean, nullable=False, default=True),  # not made by a back-fill: it goes first
    Column("state", String, nullable=False),
    Column("reason", String, nullable=False, default=""),  # due at, paused, behind, a rule's name ...
    Column("due", BigInteger),  # when it may be sent or looked up; null when a person must act or nothing is to do
    Column("tries", Integer, nullable=False, default=0),
    Column("look_ups", Integer, nullable=False, default=0),
    Column("looking", Boolean, nullable=False, default=False),  # being sent: leased to be looked up, not to be sent
    Column("sent_at", BigInteger),  # start of the newest try that may have reached the target
    Column("unsettled", BigInteger),  # until when a call without an answer may still take effect there
    Column("cause_id", Serial, ForeignKey("cause.id"), index=True),
    Column("code", String, nullable=False, default=""),  # keyed hash of what stood where its cause wants a code
    Column("replaced_by", Serial),
    Column("at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    CheckConstraint(_one_of("state", DeliveryState), name="state"),
    CheckConstraint("carries IN ('state', 'event')", name="carries"),
    CheckConstraint("(state = 'needs attention') <= (cause_id IS NOT NULL)", name="attention_has_cause"),
    Index("ix_delivery_by_lane", "lane", "state"),
    Index("ix_delivery_by_referral", "referral_id", "connection", "state"),
    Index("ix_delivery_by_state", "council", "state"),
    # What the overview and the desk count; what has arrived is in neither.
    Index("ix_delivery_open", "council", "connection", "state", "due", "at", "urgent", "referral_id", "route",
          **_where(OPEN_DELIVERY)),
    Index("ix_delivery_urgent", "council", "at", **_where(URGENT_DELIVERY)),  # the hand-over sheet
    Index("ix_delivery_desk", "council", "cause_id", "id", "state", "due", "urgent", "changed_at", "referral_id",
          "code", **_where(DESK_DELIVERY)),
    # One waiting and one travelling state-carrying delivery for a referral and a target, at the very most.
    Index(
        "uq_delivery_waiting",
        "referral_id",
        "connection",
        "kind",
        unique=True,
        sqlite_where=text("carries = 'state' AND state = 'waiting'"),
    ),
    Index(
        "uq_delivery_sending",
        "referral_id",
        "connection",
        "kind",
        unique=True,
        sqlite_where=text("carries = 'state' AND state IN ('being sent', 'not sure')"),
    ),
)

attempt = Table(
    "attempt",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("delivery_id", Serial, ForeignKey("delivery.id"), nullable=False, index=True),
    Column("fence", BigInteger, nullable=False),
    Column("what", String, nullable=False),  # send, look up
    Column("boot", String, nullable=False),
    Column("revision", Integer),
    Column("mapping", String, nullable=False, default=""),  # digest of the mapping or text it was written with
    Column("profile", String, nullable=False, default=""),
    Column("begun", BigInteger, nullable=False),
    Column("ended", BigInteger),
    Column("outcome", String, nullable=False, default=""),  # arrived, try again, not sure, refused, rule, died
    Column("error", String, nullable=False, default=""),
    Column("words", String, nullable=False, default=""),
    Column("request", String, ForeignKey("payload.id")),
    Column("reply", String, ForeignKey("payload.id")),
)

proof = Table(
    "proof",
    metadata,
    Column("delivery_id", Serial, ForeignKey("delivery.id"), primary_key=True, autoincrement=False),
    Column("record_id", Serial, ForeignKey("record.id"), index=True),
    Column("external_id", String, nullable=False),
    Column("version", String, nullable=False, default=""),
    Column("revision", Integer, nullable=False),
    Column("how", String, nullable=False),  # created, updated, nothing to do, found, already there, by hand, told
    Column("at", BigInteger, nullable=False),
)

gap = Table(
    "gap",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("council", String, nullable=False),
    Column("connection", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("side", String, nullable=False),  # read: as it was shown last; write: as it was sent last
    Column("record_id", Serial, ForeignKey("record.id"), nullable=False, index=True),
    Column("version_id", Serial, ForeignKey("version.id")),
    Column("delivery_id", Serial, ForeignKey("delivery.id")),
    Column("field", String, nullable=False),
    Column("code_list", String, nullable=False, default=""),
    Column("code", String, nullable=False, default=""),  # keyed hash of what stood there, where the list lacks it
    Column("cause_id", Serial, ForeignKey("cause.id"), nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    # What was left out, counted by its code without a look at a row.
    Index("ix_gap_codes", "council", "side", "connection", "code_list", "field", "code", "record_id", "version_id",
          "delivery_id", "at"),
)

conflict = Table(
    "conflict",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("council", String, nullable=False),
    Column("referral_id", String, ForeignKey("referral.id"), nullable=False, index=True),
    Column("field", String, nullable=False),
    Column("winner", String, nullable=False),
    Column("loser", String, nullable=False),
    Column("lost", String, nullable=False),  # keyed hash
    Column("version_id", Serial, ForeignKey("version.id")),
    Column("revision", Integer, nullable=False),
    Column("times", Integer, nullable=False, default=1),
    Column("why", String, nullable=False, default=""),  # why a person must look, "" where nobody need
    Column("open", Boolean, nullable=False, default=False),  # a person must look, and nobody has
    Column("at", BigInteger, nullable=False),
    UniqueConstraint("referral_id", "field", "loser", "lost"),
)

pause = Table(
    "pause",
    metadata,
    Column("council", String, primary_key=True),
    Column("connection", String, primary_key=True),
    Column("why", String, nullable=False),  # by a person, login refused, not reachable, cannot be read
    Column("words", String, nullable=False, default=""),
    Column("who", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("until", BigInteger),  # null: until a person resumes it
    Column("failures", Integer, nullable=False, default=0),
)
