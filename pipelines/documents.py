"""Documents of a referral, handed on after it: one delivery each, fetched late, looked at, and kept nowhere.

A document's delivery is made when its referral has arrived on a route that carries documents. Its key follows from the
referral, the target and what names the document, so the same one is never planned twice. Fetching is safe to repeat;
handing over is a call like any other: journalled, fenced, and looked up where nobody knows what became of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import select

from connectors.deadline import Deadline
from connectors.documents import DOCUMENT, Document, Lends, TakesDocuments, fit_name, offered
from connectors.errors import ConnectorError, NotThere, PageUnreadable, Unknown, Unreachable
from connectors.http import ReplyTooLarge
from pipelines import crash
from pipelines.causes import Cause
from pipelines.decision import Decision, Do
from pipelines.merge import IN_ERROR
from pipelines.routing import DocumentRules, Route
from pipelines.sealed_file import SealedFile
from pipelines.states import DeliveryState
from pipelines.tables import delivery, record

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.batch import Batch
    from pipelines.jobs import Job, Known
    from pipelines.plant import Council, Plant, Wired
    from pipelines.rows import Held
    from pipelines.sending import Result
    from pipelines.vault import Vault

#: How the contents of a type begin; a type that is not here is taken at its word.
_BEGIN: Mapping[str, tuple[bytes, ...]] = {
    "application/pdf": (b"%PDF-",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/tiff": (b"II*\0", b"MM\0*"),
    "image/gif": (b"GIF8",),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": (b"PK\x03\x04",),
    "application/msword": (b"\xd0\xcf\x11\xe0",),
    "application/rtf": (b"{\\rtf",),
}


def key_of(vault: Vault, council: str, referral: str, target: str, attachment: Mapping[str, Any]) -> str:
    """The stable key of one document of a referral in a target. Nothing in it tells what the document is called."""
    named = [attachment.get("url_or_ref"), attachment.get("hash")]
    return f"{referral}-{vault.hash(council, orjson.dumps([target, *named]))}"


def plan(batch: Batch, route: Route, row: Held, referral: Held) -> None:
    """Make the deliveries of a referral's documents that were not made yet. It has just arrived, by `row`."""
    if route.documents is None or row.kind == DOCUMENT:
        return
    told = batch.facts(referral).get("attachments")
    wanted = {
        key_of(batch.vault, batch.council.code, referral.id, route.target, one): one
        for one in (told[0] if told else None) or ()
        if one.get("url_or_ref")
    }
    if not wanted:
        return
    keys = select(delivery.c.key).where(delivery.c.key.in_(sorted(wanted)))
    made = {found for (found,) in batch.connection.execute(keys)} | {
        one.key for one in batch.deliveries_of(referral.id) if one.kind == DOCUMENT
    }
    # A lane of its own: a document that waits for a person must not hold up what becomes of the referral.
    lane = f"{row.lane}/documents"
    for key in wanted.keys() - made:
        batch.new_delivery(
            key=key,
            referral_id=referral.id,
            route=route.name,
            connection=route.target,
            kind=DOCUMENT,
            carries="event",
            revision=referral.revision,
            facts=batch.sealed_facts(referral),
            version_id=row.version_id,
            lane=lane,
            urgent=row.urgent,
            live=row.live,
            state=DeliveryState.WAITING,
        )
        batch.wake(lane, route.target, batch.now, urgent=row.urgent, live=row.live)


@dataclass(slots=True)
class Handing:
    """Hands one document over. `calls` is told just before the target is asked to take it."""

    plant: Plant
    council: Council
    wired: Wired
    route: Route
    calls: Callable[[Result], None]

    def hand(self, result: Result, job: Job, known: Known) -> Result:
        """Fetch, look at and hand over. Raises ConnectorError for what the target does; never for the source."""
        target, rules = self.wired.connector, self.route.documents
        attachment = self._meant(job, known.event)
        if attachment is None or rules is None or known.now.get("status") == IN_ERROR:
            result.rule = "the route carries no such document any more"
            return result
        there = self._numbers(job.row.referral_id)
        number = there.get((self.route.target, self.route.kind))
        if number is None or not isinstance(target, TakesDocuments):
            result.decision, result.words = Decision(Do.AGAIN, 60.0), "the target does not hold its referral yet"
            return result
        if job.look_up or job.row.tries > 1 or job.sent_before is not None:
            found = self._there(target, number, job.row.key)
            if found:
                result.how, result.external_id = "found", found
                return result
            if job.look_up:
                result.words = "looked up, not there"
                again = job.row.look_ups < 1
                result.decision = Decision(Do.NOT_SURE, self.wired.settle_seconds) if again else Decision(Do.AGAIN, 0.0)
                return result
        with SealedFile(self.plant.lock_file.parent / "documents") as spool:
            mime = self._fetched(result, rules, attachment, there, spool)
            if not mime or not self._is_what_it_says(result, mime, spool) or not self._scanned(result, rules, spool):
                return result
            name = fit_name(str(attachment.get("name") or ""), mime)
            self.calls(result)
            receipt = target.add(
                self.route.kind, number, Document(name, mime, spool.size, spool.reader), key=job.row.key
            )
        crash.here("after call")
        result.how, result.external_id, result.reply = "handed over", receipt.id, receipt.reply
        return result

    def _meant(self, job: Job, facts: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The attachment whose key the delivery has, among those of the revision that it is bound to."""
        for one in facts.get("attachments") or ():
            code, vault = self.council.code, self.plant.vault
            if key_of(vault, code, job.row.referral_id, self.route.target, one) == job.row.key:
                found: Mapping[str, Any] = one
                return found
        return None

    def _numbers(self, referral: str) -> dict[tuple[str, str], str]:
        """Under which number each connection and kind holds the referral."""
        with self.plant.ledger.reading() as connection:
            asked = select(record.c.connection, record.c.kind, record.c.external_id).where(
                record.c.council == self.council.code, record.c.referral_id == referral
            )
            return {(row.connection, row.kind): row.external_id for row in connection.execute(asked)}

    def _there(self, target: TakesDocuments, number: str, key: str) -> str:
        if "find" not in offered(self.wired.connector):
            return ""
        return target.find_document(self.route.kind, number, key)

    def _lenders(self, there: Mapping[tuple[str, str], str]) -> Iterator[tuple[Lends, str, str]]:
        """The source, with each kind and number under which it holds the referral."""
        wired = self.council.wired.get(self.route.source)
        if wired is not None and isinstance(wired.connector, Lends):
            for (connection, kind), number in sorted(there.items()):
                if connection == self.route.source and kind in wired.kinds:
                    yield wired.connector, kind, number

    def _fetched(
        self,
        result: Result,
        rules: DocumentRules,
        attachment: Mapping[str, Any],
        there: Mapping[tuple[str, str], str],
        spool: SealedFile,
    ) -> str:
        """Fill the spool; return the media type, or "" with what becomes of the delivery in `result`."""
        lender = next(self._lenders(there), None)
        if lender is None:
            self._ask(result, "fetch", "no way", "the source of the route lends no documents")
            return ""
        source, kind, number = lender
        try:
            lent = source.lend(
                kind, number, str(attachment["url_or_ref"]), spool.take, most_bytes=rules.most_megabytes * 1_000_000
            )
        except ReplyTooLarge:
            result.rule = f"documents: larger than {rules.most_megabytes} MB"
        except (Unreachable, Unknown) as trouble:
            # Nothing was asked of the target, so it is safe to begin again.
            result.decision, result.error = Decision(Do.AGAIN, _wait(result.job.row.tries)), "Unreachable"
            result.words = f"the document could not be fetched: {trouble.reason}"
        except NotThere:
            self._ask(result, "fetch", "NotThere", "the source no longer has the document that the record names")
        except (ConnectorError, PageUnreadable) as trouble:
            self._ask(result, "fetch", type(trouble).__name__, f"the document cannot be fetched: {trouble.reason}")
        else:
            spool.done()
            mime = lent.mime if lent.mime not in ("", "application/octet-stream") else str(attachment.get("mime") or "")
            if mime in rules.types:
                return mime
            result.rule = f"documents: the route does not carry the type {mime if len(mime) < 100 else '?'}"
        return ""

    def _is_what_it_says(self, result: Result, mime: str, spool: SealedFile) -> bool:
        begins = _BEGIN.get(mime)
        if begins is None or spool.begin.startswith(begins):
            return True
        self._ask(result, "fetch", "another type", f"the document says that it is {mime}, and does not begin as one")
        return False

    def _scanned(self, result: Result, rules: DocumentRules, spool: SealedFile) -> bool:
        """Whether nothing was found in the document; else `result` says what becomes of it."""
        if not rules.scan:
            return True
        scanner = self.plant.scanner
        if scanner is None:
            self._ask(
                result, "scan", "no scanner", "the site names no scanner, and the route wants its documents scanned"
            )
            return False
        try:
            found = scanner.look(spool.reader(), Deadline.of(self.wired.timeout_seconds))
        except Unreachable as trouble:
            result.decision, result.error = Decision(Do.AGAIN, _wait(result.job.row.tries)), "Unreachable"
            result.words = trouble.reason
            return False
        except ConnectorError as trouble:
            self._ask(result, "scan", type(trouble).__name__, trouble.reason)
            return False
        if found:
            self._ask(result, "scan", "found", f"the scanner found {found} in the document; it was not handed on")
            return False
        return True

    def _ask(self, result: Result, step: str, error: str, words: str) -> None:
        result.cause = Cause(self.wired.name, step, error, words)
        result.words, result.decision = words, Decision(Do.ATTENTION)


def _wait(tries: int) -> float:
    """Seconds until a document is fetched again: a minute at first, an hour at most."""
    return float(min(60 * 2 ** min(tries, 6), 3600))
