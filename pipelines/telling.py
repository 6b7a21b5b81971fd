"""Telling: one text, email or letter from the lease to its receipt, with no transaction open.

Judges whom, how and in which words by `pipelines.texts`, and what hangs on time by what was sent before: quiet hours
and days, news that comes soon after other news, how much a day. A message that may have gone is looked up by its
reference before it is sent again. Where a person rings instead, the delivery needs attention until she says she did.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from config.text_parts import cost
from connectors.port import Item
from pipelines import crash, placeholders, register
from pipelines.calendar import closed_until
from pipelines.causes import Cause
from pipelines.clock import SECOND, to_instant, to_time
from pipelines.decision import Decision, Do
from pipelines.jobs import TEXT_KIND, Job, Known
from pipelines.tables import news, referral
from pipelines.texts import OVERTAKEN, Message, Silence, filled, judge

if TYPE_CHECKING:
    from pipelines.plant import Council, Plant, Wired
    from pipelines.routing import Route
    from pipelines.sending import Result

#: The step of a cause: a person tells what no message does.
STEP = "tell"
#: What a connector offers that takes the words themselves, and no template's id.
WHOLE_WORDS = "words"
_DAY = timedelta(days=1)


def judged(
    connection: Connection,
    plant: Plant,
    council: Council,
    route: Route,
    row: Any,
    event: Mapping[str, Any],
    now: Mapping[str, Any],
) -> Message | Silence:
    """Judge one delivery of a text within a reading: by its facts, our register, and the clock's day."""
    person = connection.execute(select(referral.c.person_id).where(referral.c.id == row.referral_id)).scalar_one()
    facts = register.laid_over(connection, plant.vault, council, person, row.referral_id, now)
    values = placeholders.values_of(
        facts,
        status=str(event.get("status")),
        names=council.name,
        phone=council.phone,
        zone=council.zone,
        now=to_instant(plant.clock.now()),
    )
    return judge(
        route.recipients,
        council.texts,
        event,
        facts,
        values=values,
        known=register.known(connection, plant.vault, council.code),
        recipient=row.recipient,
        beginning=row.words,
    )


@dataclass(slots=True)
class Telling:
    """Sends one message. `calls` is told just before the service is asked to take it."""

    plant: Plant
    council: Council
    wired: Wired
    route: Route
    calls: Callable[[Result], None]

    def tell(self, result: Result, job: Job, known: Known) -> Result:
        """Look up, judge, wait or send. Raises ConnectorError for what the service does."""
        gone: frozenset[str] = frozenset()
        # Our reference is not unique there: look before each try but the first, whatever the first one's fate was.
        again = job.look_up or job.row.tries > 1 or job.sent_before is not None
        if job.look_up and "find" not in self.wired.connector.offers(TEXT_KIND):
            result.words = "it may have gone, and nobody can look: ask whoever it was for"
            result.cause = Cause(self.wired.name, "look up", "cannot be looked up", result.words)
            result.decision = Decision(Do.ASK)
            return result
        if again and "find" in self.wired.connector.offers(TEXT_KIND):
            whole, gone = self._sent(job.row.key)
            if whole is not None:
                result.how, result.external_id, result.version = "found", whole.id, whole.version
                self._note(result, job, known)
                return result
            if job.look_up and not gone:
                return self._not_found(result)
        with self.plant.ledger.reading() as connection:
            said = judged(connection, self.plant, self.council, self.route, job.row, known.event, known.now)
            wait, why = self._wait(connection, said, job.row) if isinstance(said, Message) and not gone else (None, "")
            if isinstance(said, Silence) and said.rule == OVERTAKEN and self._within(connection, job.row):
                said = Silence("digest: told with the newer news")
        if isinstance(said, Silence):
            return self._silent(result, said, partly=bool(gone))
        if wait is not None:
            # Judged afresh when it is over: by then the news may be old, or the person may have opted out.
            result.decision, result.words = Decision(Do.AGAIN, wait), why
            return result
        return self._send(result, job, known, said, gone)

    # --- What was sent before -----------------------------------------------------------------------------------------

    def _sent(self, key: str) -> tuple[Item | None, frozenset[str]]:
        """What the service holds of a delivery: the message, or the last of two; and which of two it holds."""
        find = self.wired.connector.find
        found = find(TEXT_KIND, key)
        if found:
            return found[0], frozenset()
        if not any(rules.two for row in self.route.recipients for rules in self._texts(row.texts)):
            return None, frozenset()
        pair = {language: find(TEXT_KIND, _reference(key, language)) for language in ("cy", "en")}
        gone = frozenset(language for language, items in pair.items() if items)
        return (pair["en"][0] if len(gone) == 2 else None), gone

    def _texts(self, names: Sequence[str]) -> list[Any]:
        return [self.council.texts[name] for name in names]

    def _not_found(self, result: Result) -> Result:
        """Once is not enough: the service may still do what it did not answer."""
        if result.job.row.look_ups < 1:
            result.decision = Decision(Do.NOT_SURE, self.wired.settle_seconds)
            result.words = "looked up, not there; it is looked up once more before it is sent again"
        else:
            result.decision = Decision(Do.AGAIN, 0.0)
            result.words = "looked up twice, not there"
        return result

    def _last(self, connection: Connection, row: Any) -> int | None:
        """When this route last told this referral's people something by a message."""
        asked = select(func.max(news.c.at)).where(
            news.c.referral_id == row.referral_id, news.c.route == row.route, news.c.channel != "telephone"
        )
        if row.recipient:
            asked = asked.where(news.c.recipient == row.recipient)
        found: int | None = connection.execute(asked).scalar()
        return found

    def _within(self, connection: Connection, row: Any) -> bool:
        """Whether what was overtaken came so soon after other news that a `digest` made one of the two."""
        window = max((rules.window for one in self.route.recipients for rules in self._texts(one.texts)), default=0.0)
        last = self._last(connection, row) if window else None
        return last is not None and row.at <= last + window * SECOND

    # --- When not yet -------------------------------------------------------------------------------------------------

    def _wait(self, connection: Connection, said: Message, row: Any) -> tuple[float | None, str]:
        """For how many seconds a message waits, and by which rule; None if it may go now."""
        now, rules = self.plant.clock.now(), said.rules
        there = to_instant(now)
        opens = closed_until(rules.quiet, self.council.zone, there, self.council.bank_holidays)
        if opens is not None:
            hours = closed_until(rules.quiet[:1], self.council.zone, there)
            return (opens - there).total_seconds(), "quiet hours" if hours is not None else "quiet day"
        if rules.window and (last := self._last(connection, row)) is not None:
            left = last / SECOND + rules.window - now / SECOND
            if left > 0:
                return left, "digest: it waits for what else comes, and is told as one"
        morning = _midnight(there, self.council.zone)
        today = (news.c.council == self.council.code, news.c.at >= to_time(morning), news.c.channel != "telephone")
        whom = register.whom(self.plant.vault, self.council.code, said.to)
        for most, where, what in (
            (rules.most_a_recipient, (*today, news.c.whom == whom), "to one recipient"),
            (rules.most_a_council, today, "by the council"),
        ):
            if most and connection.execute(select(func.count()).where(*where)).scalar_one() >= most:
                tomorrow = _midnight(there + _DAY, self.council.zone)
                return (tomorrow - there).total_seconds(), f"daily cap: as much was sent today {what} as may be"
        return None, ""

    # --- Silence, or the message --------------------------------------------------------------------------------------

    def _silent(self, result: Result, said: Silence, *, partly: bool) -> Result:
        if said.ring and not partly:
            result.cause = ring(self.wired.name, said)
            result.words, result.decision = result.cause.words, Decision(Do.ATTENTION)
        else:
            result.rule = f"{said.rule}; the Welsh message went before" if partly else said.rule
        return result

    def _send(self, result: Result, job: Job, known: Known, said: Message, gone: frozenset[str]) -> Result:
        rules = said.rules
        result.mapping, (result.profile, profile) = rules.digest, self.wired.described
        result.artifacts = {rules.digest: ("text", rules.body), **profile}
        words = WHOLE_WORDS in self.wired.connector.offers(TEXT_KIND)
        languages = said.languages
        for language in languages:
            if language in gone:
                continue
            key = job.row.key if len(languages) == 1 else _reference(job.row.key, language)
            self.calls(result)
            receipt = self.wired.connector.deliver(TEXT_KIND, said.record(language, words=words), key=key)
            crash.here("after call")
            result.how, result.external_id, result.version = receipt.effect, receipt.id, receipt.version
            result.reply = receipt.reply
        self._note(result, job, known, said)
        return result

    def _note(self, result: Result, job: Job, known: Known, said: Message | None = None) -> None:
        """What the ledger keeps of news that went. Of one that was found, what would be said now says who got it."""
        if said is None:
            with self.plant.ledger.reading() as connection:
                again = judged(connection, self.plant, self.council, self.route, job.row, known.event, known.event)
            if not isinstance(again, Message):
                return
            said = again
        result.news = {
            "connection": self.wired.name,
            "route": self.route.name,
            "recipient": said.recipient,
            "words": said.rules.name,
            "channel": said.rules.channel,
            "language": said.language,
            "status": said.status,
            "whom": register.whom(self.plant.vault, self.council.code, said.to),
            "parts": parts(said),
            **moments(known.event),
        }


def ring(connection: str, said: Silence) -> Cause:
    """Why a delivery of a text waits for a person: she rings, by this rule."""
    return Cause(connection, STEP, said.rule, f"no message goes ({said.rule}): {said.ring} rings instead")


def parts(said: Message) -> int:
    """The billed parts of what is sent by text, by its words; 0 for an email and a letter."""
    if said.rules.channel != "text":
        return 0
    wording = said.rules.wordings[said.status]
    whole = {"both": "\n\n".join((wording["cy"], wording["en"])), **wording}
    return sum(cost(filled(whole[language], said.values)).parts for language in said.languages)


def moments(facts: Mapping[str, Any]) -> dict[str, int | None]:
    """When the request was received and its status changed, as its systems say."""
    return {"asked": _moment(facts.get("received_at")), "changed": _moment(facts.get("status_changed_at"))}


def _moment(text: Any) -> int | None:
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return to_time(found) if found is not None and found.tzinfo is not None else None


def _midnight(now: datetime, zone: str) -> datetime:
    return now.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)


def _reference(key: str, language: str) -> str:
    """The reference of one of two messages."""
    return f"{key}-{language}"
