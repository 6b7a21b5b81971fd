"""Heeding: what residents text back takes effect at once, and goes to the systems that own the wish.

STOP, in the words of either language, ends texts to that number; CYMRAEG and ENGLISH say in which language they go on.
Only a message that says nothing else is done with; one that goes on is read by a person as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from pipelines import answering, register, revisions
from pipelines.batch import Batch, one_referral
from pipelines.clock import to_instant
from pipelines.plant import Wired
from pipelines.rows import Held
from pipelines.tables import news
from pipelines.vault import PayloadGone

#: Words by which people end texts, Welsh and English; the first word of a message, or the whole of it.
STOP = frozenset({
    "stop", "stopall", "unsubscribe", "optout", "opt out", "end", "quit",
    "stopio", "stopiwch", "stopia", "atal", "ataliwch", "dim mwy", "peidio", "peidiwch", "optio allan",
})  # fmt: skip
#: Words by which they begin again; the whole of a message.
START = frozenset({"start", "unstop", "dechrau", "dechreuwch", "ailddechrau"})
_LANGUAGES = {
    "cymraeg": "cy", "yn gymraeg": "cy", "gymraeg": "cy", "welsh": "cy", "in welsh": "cy",
    "cymraeg os gwelwch yn dda": "cy", "welsh please": "cy", "english please": "en", "saesneg os gwelwch yn dda": "en",
    "english": "en", "in english": "en", "saesneg": "en", "yn saesneg": "en",
    "both": "both", "y ddau": "both", "dwyieithog": "both", "bilingual": "both",
}  # fmt: skip
_PERSON_OPTS_OUT = "notify.opt_in[channel=text].opted_in"
_PERSON_ASKED = "notify.opt_in[channel=text].at"
_PERSON_WITHDRAWN = "notify.opt_in[channel=text].withdrawn_at"
_REFERRER_WISHES = "referrer.wants_updates"
_LANGUAGE, _REFERRER_LANGUAGE = "language.correspondence", "referrer.language"


@dataclass(frozen=True, slots=True)
class Heard:
    """What a reply asks for. `words`: that, for the story of the referral; never what was written."""

    stop: bool = False
    start: bool = False
    language: str = ""
    for_a_person: bool = True

    @property
    def words(self) -> tuple[str, ...]:
        """What was done because of it."""
        done = {
            "opted out": self.stop,
            "opted in again": self.start,
            f"language {self.language}": bool(self.language),
            "for a person to read": self.for_a_person,
        }
        return tuple(words for words, so in done.items() if so)


def heard(content: str) -> Heard:
    """Read a reply. Case, accents' spelling, full stops and quotes make no difference."""
    words = re.sub(r"[^\w\s]", " ", content.casefold()).split()
    whole = " ".join(words)
    if whole in STOP:
        return Heard(stop=True, for_a_person=False)
    if whole in START:
        return Heard(start=True, for_a_person=False)
    if whole in _LANGUAGES:
        return Heard(language=_LANGUAGES[whole], for_a_person=False)
    # "STOP texting my mother": nobody waits for a person to read that before it counts.
    return Heard(stop=bool(words) and words[0] in STOP - {"end", "quit", "peidio", "peidiwch"})


def told_at(connection: Connection, council: str, mark: str) -> Sequence[Row[Any]]:
    """Which referrals were told of at this number, to whom, the newest first; each once."""
    rows = connection.execute(
        select(news.c.referral_id, news.c.recipient, news.c.at)
        .where(news.c.council == council, news.c.whom == mark)
        .order_by(news.c.at.desc())
    ).all()
    seen: dict[tuple[str, str], Any] = {}
    for row in rows:
        seen.setdefault((row.referral_id, row.recipient), row)
    return list(seen.values())


def heed(batch: Batch, wired: Wired, reply: Heard, mark: str, told: Sequence[Row[Any]]) -> Heard:
    """Write a wish down, change the facts of every referral that was told of at that number, and send them on.

    Returns what was heeded: who never texted STOP cannot begin again, and is read by a person.
    """
    code, now = batch.council.code, batch.now
    if reply.stop:
        register.write(batch.connection, batch.vault, code, mark, register.OPTED_OUT, True, by="reply", now=now)
    if reply.start and not register.lift(batch.connection, code, [mark], [register.OPTED_OUT]):
        return Heard()
    if reply.language:
        language = reply.language
        register.write(batch.connection, batch.vault, code, mark, register.LANGUAGE, language, by="reply", now=now)
    for row in told if reply.stop or reply.start or reply.language else ():
        referral = one_referral(batch, row.referral_id)
        if referral is not None:
            _change(batch, wired, referral, _facts(reply, row.recipient, to_instant(now)))
    return reply


def _facts(reply: Heard, recipient: str, now: datetime) -> dict[str, Any]:
    if recipient != "person":
        wishes: dict[str, Any] = {_REFERRER_WISHES: reply.start} if reply.stop or reply.start else {}
        return wishes | ({_REFERRER_LANGUAGE: reply.language} if reply.language else {})
    changes: dict[str, Any] = {}
    if reply.stop:
        stamp = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        changes |= {_PERSON_OPTS_OUT: False, _PERSON_WITHDRAWN: stamp}
    if reply.start:
        stamp = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        changes |= {_PERSON_OPTS_OUT: True, _PERSON_ASKED: stamp, _PERSON_WITHDRAWN: None}
    if reply.language:
        changes[_LANGUAGE] = reply.language
    return changes


def _change(batch: Batch, wired: Wired, referral: Held, changes: dict[str, Any]) -> None:
    """Make a revision of what the person said, and send it to every system that is kept in step with the referral."""
    try:
        facts = batch.facts(referral)
    except PayloadGone:
        return  # it has expired or was erased; the register holds what was said
    changes = {name: value for name, value in changes.items() if name not in facts or facts[name][0] != value}
    if not changes:
        return
    revisions.revise(batch, referral, changes, by=wired.name)
    for target in dict.fromkeys(route.target for route in batch.council.routes if route.carries == "state"):
        revisions.correct(batch, referral, target=target, version=None)


def note_wrong_number(batch: Batch, referral: Held, row: Row[Any]) -> None:
    """Tell the caseworkers of the systems that a reply may go to: the number that is kept there reaches nobody."""
    field = "person.telecom" if row.recipient == "person" else "referrer.telecom"
    for route in batch.council.routes:
        if route.replies_to:
            answering.say(batch, route, referral, "unreachable", reason="wrong number", field=field)
