"""The connector of one MESH mailbox: what waits is read and acknowledged once it is written down, and records are sent.

A message is acknowledged as the page behind its last record is asked for, when the ledger has committed that page. A
report that one of our messages was not delivered is a thing for a person, under the number of that message.
"""

from __future__ import annotations

import copy
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from itertools import islice
from zoneinfo import ZoneInfo

from connectors import xml
from connectors.again import safely_again
from connectors.deadline import Deadline
from connectors.errors import (
    ConnectorError,
    Misconfigured,
    NotThere,
    PageUnreadable,
    Rejected,
    Unauthorised,
    Unknown,
)
from connectors.files.items import ItemReader
from connectors.files.rows import UnreadableFile, again
from connectors.http import HttpSession, Reply, ReplyTooLarge
from connectors.logins import open_login
from connectors.mesh.client import CODE, CODES, Client
from connectors.mesh.payload import chunks, records, written
from connectors.mesh.place import Place
from connectors.mesh.profile import Mailbox, MeshProfile, MeshRecord, Send
from connectors.mesh.settings import MeshSettings
from connectors.pace import Agree
from connectors.port import Finding, Item, Page, Receipt, Record, Tier, UnreadableItem
from connectors.quiet import silence_libraries
from connectors.sections import WithoutLookups
from connectors.sight import certificate_finding, clock_finding, name_finding

_DAY = 86_400.0
_RESENT = re.compile(r"-[0-9a-f]{16}$")  # what an update adds to our reference
#: What tracking says of a message that reached MESH whole. One that is still "uploading" lacks a chunk.
_SENT = frozenset({"accepted", "acknowledged"})
_NEVER = frozenset({"error", "undeliverable", "undelivered", "rejected", "failed"})


class MeshConnector(WithoutLookups[MeshRecord]):
    """One mailbox. Safe to use from several threads at once."""

    _profile: MeshProfile

    def __init__(
        self,
        profile: MeshProfile,
        settings: MeshSettings,
        interfaces: Callable[[str], bytes],
        *,
        clock: Callable[[], datetime],
        agree: Agree | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Read the pinned schemas and sit ready; nothing is sent yet. Raises Misconfigured."""
        silence_libraries()
        assert settings.login is not None and settings.login.mesh is not None
        self._profile, self._settings, self._clock, self._sleep = profile, settings, clock, sleep
        self._monotonic = monotonic
        zone = ZoneInfo(profile.clock)
        self._readers = {kind: ItemReader(kind, record, interfaces, zone) for kind, record in profile.records.items()}
        self._session = HttpSession(settings, agree=agree, monotonic=monotonic, sleep=sleep)
        login = open_login(settings, self._session, monotonic=monotonic)
        mailbox = settings.login.mesh.mailbox
        self._client = Client(self._session, login, settings.url, mailbox, most_bytes=settings.max_reply_bytes)
        self._shaken: float | None = None
        self._held: tuple[str, bytes] = ("", b"")  # the message that is being read, page by page
        self._lock = threading.Lock()
        if settings.to is None and any(record.create is not None for record in profile.records.values()):
            raise Misconfigured("to: no mailbox is named to which messages are sent: write to in the connection")

    def offers(self, kind: str) -> frozenset[str]:
        """What the profile declares for this kind."""
        return self._record(kind).offers

    def tier(self, kind: str) -> Tier:
        """A message is found by our reference; a second one with the same is not refused."""
        return Tier.SEARCHABLE if self._record(kind).find is not None else Tier.NEITHER

    def reads_first(self, kind: str) -> bool:
        """A message is never written onto."""
        self._record(kind)
        return False

    def changes(self, kind: str, *, watermark: str, cursor: str = "", limit: int | None = None) -> Page:  # noqa: ARG002 - an inbox has no moment to begin at
        """Read one page; see the port. Complete when nothing waits that is of this kind and was not read."""
        feed, place, deadline = self._feed(kind), Place.at(cursor), self._session.deadline()
        if not cursor:
            self._handshake(deadline)
        left = self._acknowledge(place.owed, deadline)
        if left:
            return Page([], place.owing(left).cursor, "")
        place = place.owing(())
        if place.id:
            return self._read(kind, feed, place, limit, deadline)
        while True:
            listed, following = self._client.inbox(deadline, after=place.after)
            for id in listed:
                if id in place.past:
                    continue
                told = self._head(id, deadline)
                if told is not None and _is_report(told) and self._is_ours(kind, told):
                    return Page([self._report(kind, told)], place.passed(id, owed=True).cursor, "")
                if told is not None and self._is_taken(feed, told):
                    return self._read(kind, feed, place.within(id), limit, deadline)
                place = place.passed(id)
                if deadline.left() < deadline.seconds / 2:
                    return Page([], place.cursor, "")
            if not following:
                return Page([], "", "")
            place = place.behind(following)

    def skip(self, kind: str, *, watermark: str, cursor: str) -> str | None:  # noqa: ARG002 - the port's parameters
        """A list that cannot be read names nothing behind it; a message never stops the walk."""
        self._feed(kind)
        return None

    def parse(self, kind: str, raw: bytes, *, id: str) -> Item | UnreadableItem:
        """Read one record's own bytes again; see the port."""
        item = self._readers[kind].item(again(raw, self._feed(kind)))
        return item if isinstance(item, Item) or item.id else UnreadableItem(item.raw, item.reason, id, item.modified)

    def fetch(self, kind: str, id: str) -> Item | None:  # noqa: ARG002 - the port's parameters; nothing is called
        """Not possible: what was acknowledged is gone. Raises Misconfigured."""
        raise self._not_offered(kind, "fetch")

    def find(self, kind: str, key: str) -> list[Item]:
        """Find the messages that carry our reference; see the port. Raises Rejected for one that was half sent."""
        how = self._sending(kind)
        found = self._tracked(key, self._session.deadline())
        return [replace(one, id=self._known_by(how, key, one.id)) for one in found]

    def deliver(self, kind: str, record: Record, *, key: str, id: str = "", version: str = "") -> Receipt:  # noqa: ARG002 - messages have no versions
        """Send the record as a message with `key` as its reference; with `id` as another one, once for each content."""
        section, how = self._record(kind), self._sending(kind)
        if how.number is not None:
            record = copy.deepcopy(record)
            xml.put(record, how.number, id or key)
        body, deadline = written(record, how), self._session.deadline()
        reference = key
        if id:
            if section.update is None:
                raise self._not_offered(kind, "update")
            reference = f"{key}-{sha256(body).hexdigest()[:16]}"
            if found := self._tracked(reference, deadline):
                return Receipt(id, "nothing", version=found[0].id)
        sent = self._client.send(chunks(body, how, self._settings.chunk_bytes), self._headers(how, reference), deadline)
        return Receipt(id or self._known_by(how, key, sent), "updated" if id else "created", version=sent)

    def doctor(self) -> list[Finding]:
        """Look at the live mailbox: name, TLS, login, clock, and whether the inbox can be listed. Nothing is taken."""
        found = [name_finding(self._settings)]
        certificate = certificate_finding(self._settings, self._clock())
        found += [certificate] if certificate else []
        if not all(finding.well for finding in found):
            return found
        deadline = self._session.deadline()
        try:
            reply: Reply = self._client.handshake(deadline)
            waiting, more = self._client.inbox(deadline)
        except Unauthorised as error:
            remedy = "compare mailbox, password, shared key and client certificate with what NHS England gave"
            return [*found, Finding("login", False, error.reason, remedy)]
        except ConnectorError as error:
            remedy = "compare url with the environment's, and ask the network team for a way through"
            return [*found, Finding("route", False, error.reason, remedy)]
        number = f"more than {len(waiting)}" if more else str(len(waiting))
        return [
            *found,
            clock_finding(reply, self._clock()),
            Finding("login", True, "the mailbox is validated"),
            Finding("inbox", True, f"{number} messages wait; none was taken"),
        ]

    def close(self) -> None:
        """Let go of connections. Idempotent."""
        self._session.close()

    def _read(self, kind: str, feed: Mailbox, place: Place, limit: int | None, deadline: Deadline) -> Page:
        """The records of one message behind the place; the message is owed its acknowledgement behind the last."""
        size, id = min(limit or feed.of, feed.of), place.id
        try:
            body = self._body(id, deadline)
        except NotThere:
            return Page([], place.passed(id).cursor, "")  # another reader was quicker, or it has expired
        except (PageUnreadable, ReplyTooLarge) as trouble:
            # Where nobody has its bytes it stays in the inbox.
            told = UnreadableItem(trouble.reply, f"{kind}: {trouble.reason}", id)
            return Page([told], place.passed(id, owed=bool(trouble.reply)).cursor, "")
        except (Rejected, Unknown) as trouble:
            # It was shown a moment ago, so MESH is well: one message must not keep those behind it for ever.
            told = UnreadableItem(b"", f"{kind}: {trouble.reason}; it stays in the inbox", id)
            return Page([told], place.passed(id).cursor, "")
        try:
            found = list(islice(records(body, feed), place.row, place.row + size))
        except UnreadableFile as trouble:
            told = UnreadableItem(body, f"{kind}: a message cannot be read as a whole: {trouble}", id)
            return Page([told], place.passed(id, owed=True).cursor, "")
        items = [self._readers[kind].item(one) for one in found]
        over = len(found) < size or feed.format == "json"
        behind = place.passed(id, owed=True) if over else place.further(len(found))
        return Page(items, behind.cursor, "")

    def _body(self, id: str, deadline: Deadline) -> bytes:
        with self._lock:
            held, body = self._held
        if held != id:
            body = safely_again(lambda: self._client.download(id, deadline), deadline, sleep=self._sleep)
            with self._lock:
                self._held = (id, body)
        return body

    def _head(self, id: str, deadline: Deadline) -> Mapping[str, str] | None:
        try:
            return safely_again(lambda: self._client.head(id, deadline), deadline, sleep=self._sleep)
        except (NotThere, Rejected):
            return None

    def _acknowledge(self, owed: tuple[str, ...], deadline: Deadline) -> tuple[str, ...]:
        for done, id in enumerate(owed):
            if deadline.left() < deadline.seconds / 2:
                return owed[done:]
            self._client.acknowledge(id, deadline)
            with self._lock:
                self._held = ("", b"") if self._held[0] == id else self._held
        return ()

    def _handshake(self, deadline: Deadline) -> None:
        """Once a day, as the contract asks."""
        now = self._monotonic()
        if self._shaken is None or now - self._shaken > _DAY:
            self._client.handshake(deadline)
            self._shaken = now

    def _is_taken(self, feed: Mailbox, told: Mapping[str, str]) -> bool:
        senders = self._settings.senders
        from_them = senders is None or told.get("mex-from", "").strip() in senders
        return from_them and told.get("mex-workflowid") in feed.workflows and not _is_report(told)

    def _known_by(self, how: Send, key: str, message: str) -> str:
        """By what a record that we sent is known: the number that both sides have, else that of its message."""
        return key if how.number is not None else message

    def _report(self, kind: str, told: Mapping[str, str]) -> UnreadableItem:
        number = told.get("mex-linkedmsgid", "").strip()
        if self._sending(kind).number is not None:
            number = _RESENT.sub("", told.get("mex-localid", "").strip())
        return _report(kind, told, number)

    def _is_ours(self, kind: str, told: Mapping[str, str]) -> bool:
        create = self._record(kind).create
        return create is not None and told.get("mex-workflowid") == create.workflow

    def _tracked(self, reference: str, deadline: Deadline) -> list[Item]:
        told = safely_again(lambda: self._client.tracked(reference, deadline), deadline, sleep=self._sleep)
        if len(told) > 1:
            raise Rejected("MESH knows several messages with our reference; look into the outbox's tracking")
        if not told:
            return []
        state = str(told[0].get("status") or "").lower()
        if state in _NEVER:
            return []
        id = told[0].get("messageId")
        if state not in _SENT or not isinstance(id, str) or not id:
            raise Rejected(
                "MESH does not say that the message with our reference reached it whole; look at its tracking"
            )
        shown = {name: value for name, value in told[0].items() if isinstance(value, str | int | bool | None)}
        return [Item(id, shown, b"", version=id, our_key=reference)]

    def _headers(self, how: Send, reference: str) -> dict[str, str]:
        headers = {
            "mex-from": self._settings.login.mesh.mailbox if self._settings.login and self._settings.login.mesh else "",
            "mex-to": self._settings.to or "",
            "mex-workflowid": how.workflow,
            "mex-localid": reference,
            "mex-filename": f"{reference}.{how.format}",
            "Content-Type": how.content_type,
        }
        if how.subject:
            headers["mex-subject"] = how.subject
        if how.compress:
            headers["Content-Encoding"] = "gzip"
        return headers

    def _feed(self, kind: str) -> Mailbox:
        feed = self._record(kind).changes
        if feed is None:
            raise self._not_offered(kind, "changes")
        return feed

    def _sending(self, kind: str) -> Send:
        create = self._record(kind).create
        if create is None:
            raise self._not_offered(kind, "create")
        return create


def _lower(told: Mapping[str, str], name: str) -> str:
    return told.get(name, "").strip().lower()


def _is_report(told: Mapping[str, str]) -> bool:
    return _lower(told, "mex-messagetype") == "report"


def _report(kind: str, told: Mapping[str, str], linked: str) -> UnreadableItem:
    """What MESH says of a message of ours that was not delivered, under the number that we know it by."""
    code = told.get("mex-statuscode", "").strip()
    means = CODES.get(code, "for a reason that its report names")
    number = linked if linked.isprintable() and len(linked) <= 100 else ""
    words = f"{kind}: MESH did not deliver a message that we sent: {means}" + (
        f" (code {code})" if CODE.fullmatch(code) else ""
    )
    raw = "\n".join(f"{name}: {value}" for name, value in sorted(told.items()) if name.lower().startswith("mex-"))
    return UnreadableItem(raw.encode("utf-8", "replace"), words, number)
