"""A SOAP system as a connector: the port's verbs, each one operation of the profile.

Reads are tried again inside their deadline; writes are sent once and never again from here. zeep renders, our own
session sends, lxml reads: zeep's reading turns a wrong date into nothing.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from lxml import etree

from connectors import xml
from connectors.again import safely_again
from connectors.deadline import Deadline
from connectors.documents import DOCUMENT, Document
from connectors.errors import Misconfigured, NotThere, PageUnreadable, Rejected, Unknown
from connectors.http import Reply, ReplyTooLarge
from connectors.known import Known, KnownIds, KnownIdsFeed
from connectors.logins import session_of
from connectors.pace import Agree
from connectors.port import Code, Finding, Item, Page, Receipt, Record, Tier, UnreadableItem
from connectors.push.port import Push
from connectors.quiet import silence_libraries
from connectors.settings import SoapSettings
from connectors.soap import between, doctor, documents, judging
from connectors.soap.beside import Beside
from connectors.soap.calls import Calls
from connectors.soap.interface import Interface
from connectors.soap.items import Items
from connectors.soap.pinned import Interfaces
from connectors.soap.profile import ReplyPaths, SoapProfile, SoapRecord
from connectors.soap.profile_documents import SoapDocuments
from connectors.soap.profile_feeds import AnyFeed, Asked, ModifiedBetweenFeed
from connectors.soap.push import pushes_of
from connectors.soap.reply import UnreadableReply
from connectors.soap.swift import Swift
from connectors.soap.times import moment
from connectors.soap.walk import page_size, place, skipped, stamp_text, watermark_of

Section = TypeVar("Section")


class SoapConnector:
    """One council's installation of a SOAP system. Safe to use from several threads at once."""

    def __init__(
        self,
        profile: SoapProfile,
        settings: SoapSettings,
        interfaces: Interfaces,
        *,
        clock: Callable[[], datetime],
        agree: Agree | None = None,
        known: Known | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Read the pinned interface; nothing is sent. Raises Misconfigured."""
        silence_libraries()
        self.profile = profile
        self.settings = settings
        self.interface = Interface(profile, interfaces)
        self._pushes = pushes_of(profile, interfaces)
        self.clock = clock
        self._known = known
        self._zone = ZoneInfo(profile.clock)
        self._session = session_of(settings, agree=agree, monotonic=monotonic, sleep=sleep)
        self._calls = Calls(
            profile, settings, self.interface, self._session, clock=clock, monotonic=monotonic, sleep=sleep
        )
        self._sleep = sleep
        self._writes = {kind: Beside(kind, record, self) for kind, record in profile.records.items()}
        self._items = {
            kind: Items(
                record.item, self._zone, self.interface.validity, self.interface.namespaces, self._swift_of(record)
            )
            for kind, record in profile.records.items()
        }

    def kinds(self) -> tuple[str, ...]:
        """See `connectors.port.Connector`."""
        return tuple(self.profile.records)

    def offers(self, kind: str) -> frozenset[str]:
        """See `connectors.port.Connector`; of DOCUMENT, what can be done with the documents of any kind."""
        if kind == DOCUMENT:
            return frozenset[str]().union(*(told.offers for told in self._with_documents()))
        return self._record(kind).offers

    def tier(self, kind: str) -> Tier:
        """See `connectors.port.Target`; of DOCUMENT, the least of any kind's."""
        if kind == DOCUMENT:
            return max((told.tier for told in self._with_documents()), default=Tier.NEITHER)
        return self._record(kind).tier

    def reads_first(self, kind: str) -> bool:
        """See `connectors.port.Target`."""
        update = self._record(kind).update
        return update is not None and update.mode == "replace"

    def changes(self, kind: str, *, watermark: str, cursor: str = "", limit: int | None = None) -> Page:
        """See `connectors.port.Source`."""
        feed = self._feed(kind)
        if isinstance(feed, KnownIdsFeed):
            known = KnownIds(kind, feed, self._known, lambda id, _: self.fetch(kind, id), tells_gone=True)
            return known.page(self._session.deadline(), watermark=watermark, cursor=cursor, limit=limit)
        if isinstance(feed, ModifiedBetweenFeed):
            return self._between(kind, feed, watermark, cursor, limit)
        walk = place(feed, watermark, cursor, self._zone)
        size = page_size(walk, feed.page, limit)
        content: Record = {}
        xml.put(content, feed.since, walk.since)
        xml.put(content, feed.page.number, walk.offset // size + feed.page.first)
        xml.put(content, feed.page.size, size)
        try:
            answer, reply = self._read(kind, feed.operation, content)
        except (ReplyTooLarge, UnreadableReply) as problem:
            raise PageUnreadable(problem.reason, reply=problem.reply) from None
        shell, items = self._items[kind].of_page(answer, feed.items, reply.body)
        more = xml.text_at(shell, feed.page.more) in ("true", "1")
        # Its stamps may run ahead of its web server's clock, but not by more than what the next walk reads again.
        horizon = None if reply.date is None else reply.date + feed.overlap
        walk = walk.saw([item.modified for item in items], not_after=horizon)
        if not more:
            return Page(items, "", watermark_of(walk, watermark))
        if not items:
            raise Unknown(f"{self._what(feed.operation)}: an empty page says that there are more", reply=reply.body)
        onward = walk.step(size, items[0].raw, feed.page)
        return Page(items, onward.cursor, watermark_of(walk, watermark))

    def _between(
        self, kind: str, feed: ModifiedBetweenFeed, watermark: str, cursor: str, limit: int | None
    ) -> Page:
        walk = between.place(feed, watermark, cursor, self._zone, self.clock())
        until = walk.until(feed, limit)
        try:
            answer, reply = self._read(kind, feed.operation, between.asked(feed, walk.since, until, self._zone))
        except (ReplyTooLarge, UnreadableReply) as problem:
            raise PageUnreadable(problem.reason, reply=problem.reply) from None
        _, items = self._items[kind].of_page(answer, feed.items, reply.body)
        shown, rest = walk.piece(items, limit)
        walk = walk.saw(shown, not_after=None if reply.date is None else reply.date + feed.overlap)
        onward = replace(rest, newest=walk.newest) if rest is not None else walk.behind_window(until)
        return Page(shown, onward.cursor if onward is not None else "", between.watermark_of(walk, watermark))

    def skip(self, kind: str, *, watermark: str, cursor: str) -> str | None:
        """See `connectors.port.Source`."""
        feed = self._feed(kind)
        if isinstance(feed, KnownIdsFeed):
            return None  # a record that cannot be read is told on its own
        if isinstance(feed, ModifiedBetweenFeed):
            return None  # a window that cannot be read at its smallest may hold more than one record
        return skipped(place(feed, watermark, cursor, self._zone)).cursor

    def fetch(self, kind: str, id: str) -> Item | None:
        """See `connectors.port.Source`."""
        told = self._section(kind, self._record(kind).fetch, "fetch")
        content: Record = {}
        xml.put(content, told.id, id)
        try:
            answer, reply = self._read(kind, told.operation, content)
        except NotThere:
            return None
        found = self._items[kind].whole(answer, told.item, reply.body)
        return found[0] if found else None

    def parse(self, kind: str, raw: bytes, *, id: str) -> Item | UnreadableItem:
        """See `connectors.port.Source`."""
        record = self._record(kind)
        try:
            element = xml.parse(raw, max_bytes=self.settings.max_reply_bytes)
        except xml.UnreadableXml as problem:
            return UnreadableItem(raw, f"the record cannot be read: {problem}", id)
        # A local element can be checked inside its parents only, so the answer that it came in is put around it.
        pushes = self._pushes.get(kind)
        alone = record.fetch is None and record.changes is None
        if pushes is not None and pushes.carries_records and (alone or element.tag == pushes.item):
            return pushes.again(element, raw, id)
        if record.fetch is not None:
            answer, path = self.interface.shell(record.fetch.operation, record.fetch.item), record.fetch.item
        elif record.changes is not None and not isinstance(record.changes, KnownIdsFeed):
            answer, path = self.interface.shell(record.changes.operation, record.changes.items), record.changes.items
        else:
            raise Misconfigured(f"the profile of {self.profile.system} offers no way to read {kind}")
        return self._items[kind].again(answer, path, element, raw, id)

    def find(self, kind: str, key: str) -> list[Item]:
        """See `connectors.port.Target`."""
        told = self._record(kind).find
        if told is None:
            raise NotImplementedError(f"{self.profile.system} cannot be searched by our key ({kind})")
        content: Record = {}
        xml.put(content, told.by, key)
        try:
            answer, reply = self._read(kind, told.operation, content)
        except NotThere:
            return []
        return self._items[kind].whole(answer, told.items, reply.body)

    def deliver(self, kind: str, record: Record, *, key: str, id: str = "", version: str = "") -> Receipt:
        """See `connectors.port.Target`."""
        self._record(kind)
        return self._writes[kind].deliver(record, key=key, id=id, version=version)

    def create(self, kind: str, record: Record, key: str) -> Receipt:
        """Make the one call that creates a record; see `connectors.soap.beside.Writer`."""
        create = self._section(kind, self._record(kind).create, "create")
        sent = copy.deepcopy(record)
        if create.our_key:
            xml.put(sent, create.our_key, key)
        return self._write(kind, create.operation, create.record, sent, create.reply, id="")

    def update(self, kind: str, record: Record, id: str, version: str) -> Receipt:
        """Make the one call that changes a record; see `connectors.soap.beside.Writer`."""
        update = self._section(kind, self._record(kind).update, "update")
        sent = copy.deepcopy(record)
        xml.put(sent, update.id, id)
        if update.version and version:
            xml.put(sent, update.version, version)
        return self._write(kind, update.operation, update.record, sent, update.reply, id=id)

    def add(self, kind: str, id: str, document: Document, *, key: str) -> Receipt:
        """See `connectors.documents.TakesDocuments`."""
        told = self._section(kind, self._record(kind).documents, "documents")
        return documents.add(kind, told, self, id, document, key=key)

    def find_document(self, kind: str, id: str, key: str) -> str:
        """See `connectors.documents.TakesDocuments`."""
        told = self._section(kind, self._record(kind).documents, "documents")
        return documents.find(kind, told, self, id, key)

    def filing(
        self, kind: str, operation: str, content: Mapping[str, Any], document: Document, marked: str
    ) -> tuple[etree._Element, Reply]:
        """Make the one call that adds a document; see `connectors.soap.documents.Speaks`."""
        deadline, filed = self._session.deadline(), (marked, document)
        return self._calls.call(operation, content, deadline, errors=self._record(kind), filed=filed)

    def asking(self, kind: str, operation: str, content: Mapping[str, Any]) -> tuple[etree._Element, Reply]:
        """Make one call that changes nothing; see `connectors.soap.documents.Speaks`."""
        return self._read(kind, operation, content)

    def push(self, kind: str) -> Push:
        """See `connectors.push.port.Receiving`."""
        told = self._section(kind, self._pushes.get(kind), "push")
        return told.proven_by(self._section(kind, self.settings.push, "way to prove a push (connect.push)"))

    def step(self, kind: str, operation: str, content: Record) -> None:
        """Make one call beside those; see `connectors.soap.beside.Writer`."""
        self.once(kind, operation, content)

    def once(self, kind: str, operation: str, content: Mapping[str, Any]) -> tuple[etree._Element, Reply]:
        """Make one call whose answer must be as the interface says; see `connectors.soap.judging.Asks`."""
        answer, reply = self._call(kind, operation, content, self._session.deadline())
        if fault := self.interface.validity.fault_but_for_additions(answer):
            raise Unknown(
                f"{self._what(operation)}: the answer is not as the interface says: {fault}", reply=reply.body
            )
        return answer, reply

    def lookups(self, kind: str) -> tuple[str, ...]:
        """See `connectors.port.Connector`."""
        return tuple(self._record(kind).lookups)

    def codes(self, kind: str, path: str) -> list[Code]:
        """See `connectors.port.Connector`."""
        told = self._section(kind, self._record(kind).lookups.get(path), f"look-up of {path}")
        content: Record = {}
        for name, value in told.send.items():
            xml.put(content, name, value)
        answer, reply = self._read(kind, told.operation, content)
        if fault := self.interface.validity.fault_but_for_additions(answer):
            raise Unknown(
                f"{self._what(told.operation)}: the answer is not as the interface says: {fault}", reply=reply.body
            )
        rows = xml.get(xml.record_of(answer, self.interface.namespaces), told.items)
        return [Code(*(xml.text_at(row, at) for at in (told.code, told.cy, told.en))) for row in rows]

    def doctor(self) -> list[Finding]:
        """See `connectors.port.Connector`."""
        return doctor.look(self)

    def close(self) -> None:
        """See `connectors.port.Connector`."""
        self._session.close()

    def probe(self, kind: str, operation: str, content: Mapping[str, Any]) -> Reply:
        """Make one call for `doctor` and return the reply as it came, after looking whether it is an answer."""
        return self._call(kind, operation, content, self._session.deadline())[1]

    def dry_write(self, kind: str, record: Record) -> bool:
        """Have the system judge a record, for `doctor`; False where it has no such call. Raises `connectors.errors`."""
        section = self._record(kind)
        if section.dry_write is not None:
            judging.judge(kind, section, section.dry_write, self, record)
        return section.dry_write is not None

    def first_ask(self, feed: Asked) -> Record:
        """What the smallest request for changes says: one record from the beginning, or the last hour."""
        if isinstance(feed, ModifiedBetweenFeed):
            now = self.clock()
            return between.asked(feed, stamp_text(now - timedelta(hours=1)), now, self._zone)
        content: Record = {}
        xml.put(content, feed.since, feed.beginning)
        xml.put(content, feed.page.number, feed.page.first)
        xml.put(content, feed.page.size, 1)
        return content

    def _call(
        self, kind: str, operation: str, content: Mapping[str, Any], deadline: Deadline
    ) -> tuple[etree._Element, Reply]:
        return self._calls.call(operation, content, deadline, errors=self._record(kind))

    def _read(self, kind: str, operation: str, content: Mapping[str, Any]) -> tuple[etree._Element, Reply]:
        deadline = self._session.deadline()
        return safely_again(lambda: self._call(kind, operation, content, deadline), deadline, sleep=self._sleep)

    def _write(self, kind: str, operation: str, at: str, record: Record, paths: ReplyPaths, *, id: str) -> Receipt:
        content: Record = {}
        xml.put(content, at, record)
        try:
            answer, reply = self._call(kind, operation, content, self._session.deadline())
        except Rejected as problem:
            problem.field = problem.field.removeprefix(f"{at}/")  # a path in the record, as mappings write it
            raise
        if fault := self.interface.validity.fault_but_for_additions(answer):
            raise Unknown(
                f"{self._what(operation)}: the answer is not as the interface says: {fault}", reply=reply.body
            )
        told = xml.record_of(answer, self.interface.namespaces)
        found = xml.text_at(told, paths.id) or id
        if not found:
            raise Unknown(f"{self._what(operation)}: the answer names no record", reply=reply.body)
        return Receipt(
            id=found,
            effect="updated" if id else "created",
            version=xml.text_at(told, paths.version),
            modified=moment(xml.text_at(told, paths.modified), self._zone),
            reply=reply.body,
        )

    def _swift_of(self, record: SoapRecord) -> Swift | None:
        """What reads this kind's records fast, by the type that the interface gives them."""
        changes = None if isinstance(record.changes, KnownIdsFeed) else record.changes
        places = [(told.operation, told.items) for told in (changes, record.find) if told is not None]
        places += [(record.fetch.operation, record.fetch.item)] if record.fetch is not None else []
        element = next((found for place in places if (found := self.interface.element(*place)) is not None), None)
        return None if element is None else Swift(element)

    def _record(self, kind: str) -> SoapRecord:
        try:
            return self.profile.records[kind]
        except KeyError:
            raise Misconfigured(
                f"the profile of {self.profile.system} has no kind of record {kind}: it has {', '.join(self.kinds())}"
            ) from None

    def _with_documents(self) -> list[SoapDocuments]:
        return [record.documents for record in self.profile.records.values() if record.documents is not None]

    def _feed(self, kind: str) -> AnyFeed:
        feed: AnyFeed | None = self._record(kind).changes
        if feed is None:
            raise Misconfigured(f"the profile of {self.profile.system} offers no changes for {kind}")
        return feed

    def _section(self, kind: str, section: Section | None, name: str) -> Section:
        if section is None:
            raise self._not_offered(kind, name)
        return section

    def _not_offered(self, kind: str, name: str) -> Misconfigured:
        return Misconfigured(f"the profile of {self.profile.system} offers no {name} for {kind}")

    def _what(self, operation: str) -> str:
        return f"{self.profile.system} {operation}"
