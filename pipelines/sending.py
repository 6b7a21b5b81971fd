"""Sending one delivery: everything between the lease and the result, with no transaction open.

Reads what it needs from the ledger, judges the route's condition and the rules for residents again, reads the target
where it must be written onto, writes the record, hands it to the connector, and says in one `Result` what became of it.
Writing the result down is `pipelines.outcomes`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import orjson

from connectors.documents import DOCUMENT, offered
from connectors.errors import ConnectorError, Duplicate, NotThere, Unknown
from connectors.port import Receipt, Tier
from mappings.kept import CannotRun
from pipelines import crash, regressed, restricting, shadow
from pipelines.causes import Cause, gap_cause
from pipelines.decision import Decision, Do, decide
from pipelines.documents import Handing
from pipelines.intake import Intake
from pipelines.jobs import CASEWORKER, Job, Known, prepare
from pipelines.merge import IN_ERROR
from pipelines.rows import Held, fresh
from pipelines.shadow import InShadow
from pipelines.tables import record
from pipelines.telling import Telling
from pipelines.writing import Draft, draft_create, draft_update

if TYPE_CHECKING:
    from connectors.port import Item
    from mappings.mapping import Gap
    from pipelines.artifacts import Artifacts
    from pipelines.plant import Council, Kind, Plant, Wired


@dataclass(slots=True)
class Result:
    """What became of one try. Exactly one of arrived, rule, decision is set."""

    job: Job
    how: str = ""  # created, updated, nothing to do, found, already there
    external_id: str = ""
    version: str = ""
    modified: int | None = None
    expected: Mapping[str, Any] = field(default_factory=dict, repr=False)
    revision: int = 0
    mapping: str = ""  # digests of what it was written with, and their artifacts
    profile: str = ""
    artifacts: Artifacts = field(default_factory=dict, repr=False)
    rule: str = ""  # not sent, by this rule
    decision: Decision | None = None
    error: str = ""
    words: str = ""
    cause: Cause | None = None
    stopped: Sequence[Gap] = ()  # fields that could not be written and without which it cannot go
    news: Mapping[str, Any] | None = None  # what was told, for the ledger
    left_out: Sequence[Gap] = ()  # fields that could not be written and without which the record went on
    known: Known | None = field(default=None, repr=False)  # what it was sent from
    request: bytes = field(default=b"", repr=False)
    reply: bytes = field(default=b"", repr=False)
    base_known: bool = True
    in_shadow: bool = False  # its route is: nothing that changes the target may be called

    @property
    def arrived(self) -> bool:
        """The target holds it."""
        return bool(self.how)


class Sender:
    """Sends deliveries of one council. Safe to use from several threads at once."""

    def __init__(self, plant: Plant, council: Council, calling: Callable[[Job], None] = lambda _job: None) -> None:
        """`calling(job)` is told just before each call that may change the target, and may refuse it by raising."""
        self._plant = plant
        self._council = council
        self._calling = calling

    def prepare(self, jobs: Sequence[Job]) -> list[Known | None]:
        """Read what is needed to send these, all at once; None for a referral whose facts are gone."""
        return prepare(self._plant, self._council, jobs)

    def send(self, job: Job, known: Known | None = None) -> Result:
        """Try one delivery once. Never raises for what a target or a record does."""
        if known is None:
            (known,) = self.prepare([job])
        result = Result(job)
        result.known = known
        wired = self._council.wired.get(job.row.connection)
        route = self._council.route(job.row.route)
        if wired is None or route is None:
            result.cause = Cause(
                job.row.connection, "route", "gone", f"the site no longer has the route {job.row.route}"
            )
            result.decision = Decision(Do.ATTENTION)
            return result
        if known is None:
            result.words = "what was to be sent has expired or was erased, by rule"
            result.cause = Cause(wired.name, "write", "expired", result.words)
            result.decision = Decision(Do.ATTENTION)
            return result
        repeatable, held = False, known.held
        result.in_shadow = self._council.in_shadow(route)
        try:
            now, event = known.now, known.event
            result.revision = job.row.revision if job.row.carries == "event" else known.revision
            if known.stopped and not job.look_up:
                result.decision, result.words = Decision(Do.AGAIN, restricting.LOOK_AGAIN), restricting.REASON
                return result
            missed = route.misses(event)
            if missed and not job.look_up:
                result.rule = f"condition of the route: {missed}"
                return result
            if job.row.kind == DOCUMENT:
                repeatable = "create" in offered(wired.connector) and wired.connector.tier(DOCUMENT) is Tier.KEEPS_KEY
                return Handing(self._plant, self._council, wired, route, self._calls).hand(result, job, known)
            if route.text:
                return Telling(self._plant, self._council, wired, route, self._calls).tell(result, job, known)
            kind = self._kind(wired, job.row)
            result.mapping = kind.mapping.digest
            result.profile, profile = wired.described
            result.artifacts = {**kind.mapping.artifacts, **profile}
            if route.replies_to:
                repeatable = wired.connector.tier(kind.name) is Tier.KEEPS_KEY
                if job.look_up:
                    return self._look_up(result, wired, kind, job.row.key)
                return self._create(result, wired, kind, event, key=job.row.key)
            if job.look_up:
                return self._look_up(result, wired, kind, job.row.referral_id)
            if held is None and known.asked_before:
                held = self._there_already(wired, kind, job.row.referral_id)
            if held is None:
                repeatable = wired.connector.tier(kind.name) is Tier.KEEPS_KEY
                return self._create(result, wired, kind, now, key=job.row.referral_id)
            repeatable = True  # checked against the version that we read a moment before
            return shadow.instead(self._update(result, wired, kind, now, held))
        except InShadow:
            result.rule = shadow.rule("text" if route.text else "create" if held is None else "update")
            return result
        except Duplicate as there:
            return self._already_there(result, wired, there)
        except ConnectorError as error:
            return self._decide(result, wired, error, repeatable=repeatable)
        except CannotRun as lost:
            result.words = f"the mapping that was chosen for it cannot be run: {lost}"
            result.cause = Cause(wired.name, "write", "mapping gone", result.words)
            result.decision = Decision(Do.ATTENTION)
            return result

    def _kind(self, wired: Wired, row: Held) -> Kind:
        """The kind of record with the mapping of today, or with the one that a person chose. Raises CannotRun."""
        among = wired.answers if row.recipient == CASEWORKER else wired.kinds
        kind = replace(among[row.kind])  # one mapping for the whole try, whatever comes meanwhile
        if row.mapping in ("", kind.mapping.digest):
            return kind
        return replace(kind, mapping=self._plant.kept.mapping(self._plant.ledger, row.mapping))

    def _create(self, result: Result, wired: Wired, kind: Kind, facts: Mapping[str, Any], *, key: str) -> Result:
        if facts.get("status") == IN_ERROR:
            result.rule = "entered in error before it was ever sent"
            return result
        draft = draft_create(kind.mapping, facts)
        if draft.stopped:
            return self._cannot_write(result, wired, draft)
        assert draft.record is not None
        result.request = orjson.dumps(draft.record)
        result.expected = draft.expected
        result.left_out = draft.left_out
        self._calls(result)
        receipt = wired.connector.deliver(kind.name, draft.record, key=key)
        return _arrived(result, receipt)

    def _there_already(self, wired: Wired, kind: Kind, key: str) -> Held | None:
        """What an earlier create made, whose answer we never had. Laying the same create over it once more would write
        over what its staff have typed since; it is updated instead, as any record that is there."""
        if "find" not in wired.connector.offers(kind.name):
            return None
        found = wired.connector.find(kind.name, key)
        return fresh(record, external_id=found[0].id, base={}) if len(found) == 1 else None

    def _calls(self, result: Result) -> None:
        if result.in_shadow:
            raise InShadow
        result.job.called = True
        self._calling(result.job)
        crash.here("before call")

    def _update(self, result: Result, wired: Wired, kind: Kind, facts: Mapping[str, Any], held: Held) -> Result:
        if "fetch" not in wired.connector.offers(kind.name):
            # No machine may look: whoever tends it types the change in under the number that it has.
            draft = draft_create(kind.mapping, facts)
            result.left_out = draft.left_out
            self._calls(result)
            receipt = wired.connector.deliver(
                kind.name, draft.record or {}, key=result.job.row.referral_id, id=held.external_id
            )
            return _arrived(result, receipt)
        current = wired.connector.fetch(kind.name, held.external_id)
        if current is None:
            raise NotThere("the target no longer has the record that it gave us a number for")
        if regressed.shows_old(held, current):
            return self._went_back(result, wired, kind, current)
        draft = draft_update(
            kind.mapping,
            facts,
            current,
            held.base,
            shows_changes=wired.polls,
            whole=wired.connector.reads_first(kind.name),
            hash_of=lambda name, value: self._plant.vault.hash_value(self._council.code, name, value),
        )
        if draft.stopped:
            return self._cannot_write(result, wired, draft)
        if facts.get("status") == IN_ERROR and not self._says_in_error(kind, current, draft):
            return self._cannot_say(result, wired)
        result.left_out = draft.left_out
        if draft.record is None:
            result.how, result.external_id, result.version = "nothing to do", held.external_id, current.version
            result.expected = draft.expected
            return result
        result.request = orjson.dumps(draft.record)
        result.expected = draft.expected
        self._calls(result)
        receipt = wired.connector.deliver(
            kind.name, draft.record, key=result.job.row.referral_id, id=held.external_id, version=current.version
        )
        return _arrived(result, receipt)

    def _went_back(self, result: Result, wired: Wired, kind: Kind, current: Item) -> Result:
        """The target shows the record as it was before. It may only be slow to show what it took in; if it stays so, a
        person is told, and what it shows is kept as a version that needs attention too."""
        if result.job.row.tries < regressed.TRIES:
            result.decision = Decision(Do.AGAIN, max(wired.settle_seconds, regressed.WAIT_SECONDS))
            result.words = "the target shows an older version than it had; it is read again"
            return result
        Intake(self._plant, self._council).take(wired, kind, [current], confirmed=True)
        result.cause = regressed.why(wired.name)
        result.words = result.cause.words
        result.decision = Decision(Do.ATTENTION)
        return result

    def _says_in_error(self, kind: Kind, current: Item, draft: Draft) -> bool:
        """Whether the target will say that the referral should never have been."""
        if "status" in draft.expected or "status" in draft.held_back:
            return True
        return kind.mapping.read(current.record).facts.get("status") == IN_ERROR

    def _cannot_say(self, result: Result, wired: Wired) -> Result:
        words = "the referral was entered in error, and this system has no code for it: settle it there by hand"
        result.cause = Cause(wired.name, "write", "entered in error", words, "status")
        result.words = words
        result.decision = Decision(Do.ATTENTION)
        return result

    def _look_up(self, result: Result, wired: Wired, kind: Kind, key: str) -> Result:
        found = wired.connector.find(kind.name, key)
        if len(found) > 1:
            words = "the target holds more than one record under our key"
            result.cause = Cause(wired.name, "look up", "several", words)
            result.words = words
            result.decision = Decision(Do.ASK)
            return result
        if found:
            return _found(result, found[0])
        return self._not_found(result, wired)

    def _not_found(self, result: Result, wired: Wired) -> Result:
        """Once is not enough: the target may still do what it did not answer."""
        if result.job.row.look_ups < 1:
            result.decision = Decision(Do.NOT_SURE, wired.settle_seconds)
            result.words = "looked up, not there; it is looked up once more before it is sent again"
        else:
            result.decision = Decision(Do.AGAIN, 0.0)
            result.words = "looked up twice, not there"
        return result

    def _already_there(self, result: Result, wired: Wired, there: Duplicate) -> Result:
        """An outcome and no failure. The number it has there, if we were not told, is found by our key."""
        result.how, result.external_id, result.reply = "already there", there.existing, there.reply
        if not result.external_id:
            try:
                found = wired.connector.find(result.job.row.kind, result.job.row.referral_id)
            except (ConnectorError, NotImplementedError):
                found = []
            if not found:
                result.how = ""
                result.decision = Decision(Do.NOT_SURE, wired.settle_seconds)
                result.words = "the target says that it is already there and does not say under which number"
                return result
            result.external_id = found[0].id
        result.expected = {}
        return result

    def _cannot_write(self, result: Result, wired: Wired, draft: Draft) -> Result:
        result.stopped = draft.stopped
        result.cause = gap_cause(wired.name, "write", draft.stopped[0])
        result.words = result.cause.words
        result.decision = Decision(Do.ATTENTION)
        return result

    def _decide(self, result: Result, wired: Wired, error: ConnectorError, *, repeatable: bool) -> Result:
        job = result.job
        can_look = "find" in wired.connector.offers(job.row.kind)
        decision = decide(
            error,
            repeatable=repeatable or job.look_up,
            tries=job.row.tries,
            throw=random.random(),  # noqa: S311 - jitter
            settle=wired.settle_seconds,
            can_look=can_look,
        )
        if job.look_up and decision.do in (Do.AGAIN, Do.PAUSE):
            # The look-up itself failed. Nothing is known yet, so it stays not sure.
            decision = Decision(Do.PAUSE if decision.do is Do.PAUSE else Do.NOT_SURE, max(decision.after, 1.0))
        elif job.look_up and decision.do is Do.ATTENTION:
            decision = Decision(Do.ASK)  # the look-up was refused: what it was about is as unsure as before
        result.decision, result.error, result.reply = decision, type(error).__name__, error.reply
        result.words = error.reason
        if decision.do in (Do.ATTENTION, Do.ASK):
            field_named = getattr(error, "field", "")
            step = (
                "by hand"
                if type(error).__name__ == "ForAPerson"
                else "look up"
                if isinstance(error, Unknown)
                else "send"
            )
            code = f" ({error.code})" if error.code else ""
            result.cause = Cause(wired.name, step, type(error).__name__ + code, error.reason, field_named)
        return result


def _arrived(result: Result, receipt: Receipt) -> Result:
    crash.here("after call")
    result.how, result.external_id, result.version = receipt.effect, receipt.id, receipt.version
    result.reply = receipt.reply
    if receipt.modified is not None:
        result.modified = round(receipt.modified.timestamp() * 1_000_000)
    return result


def _found(result: Result, item: Item) -> Result:
    result.how, result.external_id, result.version = "found", item.id, item.version
    return result
