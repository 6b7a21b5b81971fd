"""One council's installation of a REST system, driven by its profile.

Reads are tried again inside the call's deadline; a write is sent once, and whatever is not a clear answer to it is
Unknown. Every record that comes back is checked against the pinned OpenAPI file before it is handed on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from connectors.again import safely_again
from connectors.deadline import Deadline
from connectors.documents import DOCUMENT, Document, Lent
from connectors.errors import NotThere, PageUnreadable, Unknown
from connectors.http import Reply
from connectors.json_body import UnreadableBody, parse, read
from connectors.known import Known, KnownIdsFeed
from connectors.logins import open_login, send_logged_in, session_of
from connectors.pace import Agree
from connectors.port import Code, Finding, Item, Page, Receipt, Record, Tier, UnreadableItem
from connectors.profile import ErrorName
from connectors.push.port import Push
from connectors.quiet import silence_libraries
from connectors.rest.addresses import Addresses
from connectors.rest.doctor import examine
from connectors.rest.documents import Documents
from connectors.rest.feeds import ChangeFeed, gone_again, open_feed
from connectors.rest.interface import Interface, open_interface
from connectors.rest.items import ItemReader
from connectors.rest.profile import RestCommit, RestProfile, RestRecord
from connectors.rest.profile_documents import RestDocuments
from connectors.rest.profile_emptied import QueueFeed
from connectors.rest.profile_feeds import IdListFeed, IdWindowFeed
from connectors.rest.push import RestPushes
from connectors.rest.replies import at, refuse
from connectors.rest.through import ASKED, Through
from connectors.rest.two_steps import TwoSteps
from connectors.rest.write import Write, creating, judging, receipt, refuse_undone, updating
from connectors.sections import Sections
from connectors.settings import RestSettings
from connectors.spool import Spool

Headers = Mapping[str, str]


class RestConnector(Sections[RestRecord]):
    """Speaks to one REST system as its profile says. Safe to use from several threads at once."""

    _profile: RestProfile

    def __init__(
        self,
        profile: RestProfile,
        settings: RestSettings,
        interfaces: Callable[[str], bytes],
        *,
        clock: Callable[[], datetime],
        agree: Agree | None = None,
        spool: Spool | None = None,
        known: Known | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Read the pinned interface and sit ready; nothing is sent yet. Raises Misconfigured."""
        silence_libraries()
        self._profile = profile
        self._settings = settings
        self._clock = clock
        self._spool = spool
        self._two_steps = TwoSteps(spool)
        self._known = known
        self._sleep = sleep
        self._interface = open_interface(interfaces(profile.interface), profile.interface)
        self._readers = {
            kind: ItemReader(kind, record, self._interface, profile.clock) for kind, record in profile.records.items()
        }
        self._addresses = Addresses(settings.url)
        self._session = session_of(settings, agree=agree, monotonic=monotonic, sleep=sleep)
        self._login = open_login(settings, self._session, monotonic=monotonic)

    @property
    def interface(self) -> Interface:
        """The pinned interface, for checking mappings against."""
        return self._interface

    def offers(self, kind: str) -> frozenset[str]:
        """What the profile declares for this kind; for DOCUMENT, for the documents of any kind."""
        if kind == DOCUMENT:
            return frozenset[str]().union(*(told.offers for told in self._with_documents()))
        return self._record(kind).offers

    def tier(self, kind: str) -> Tier:
        """How a create of this kind can be made to happen once; of DOCUMENT, the least of any kind's."""
        if kind == DOCUMENT:
            return max((told.tier for told in self._with_documents() if told.add is not None), default=Tier.NEITHER)
        record = self._record(kind)
        if record.create is not None and record.create.commit is not None:
            return self._two_steps.tier(record.create.commit, searchable=record.find is not None)
        return record.tier

    def reads_first(self, kind: str) -> bool:
        """Whether an update must be written onto what the system holds."""
        update = self._record(kind).update
        return update is not None and update.reads_first

    def changes(self, kind: str, *, watermark: str, cursor: str = "", limit: int | None = None) -> Page:
        """Read one page of changes; see the port."""
        return self._feed(kind).page(watermark=watermark, cursor=cursor, limit=limit)

    def skip(self, kind: str, *, watermark: str, cursor: str) -> str | None:
        """Return the cursor behind the one record at `cursor`; see the port."""
        return self._feed(kind).skip(watermark=watermark, cursor=cursor)

    def fetch(self, kind: str, id: str) -> Item | None:
        """Read one record; see the port. Raises PageUnreadable, with its bytes, if it is not as the interface says."""
        return self._fetched(kind, id, self._session.deadline())

    def _fetched(self, kind: str, id: str, deadline: Deadline, path: str = "") -> Item | None:
        record = self._record(kind)
        if not path and record.fetch is None:
            raise self._not_offered(kind, "fetch")
        if not path and not self._readers[kind].may_be(id):
            return None  # asked for it, a system refuses the whole address, which says nothing of a record
        doing = f"reading a {kind}"
        call = None if path else record.fetch
        query = {} if call is None else {**record.query, **call.query}
        headers = {} if call is None else call.headers
        address = self._addresses.below(path or (call.path if call is not None else ""), id=id)
        reply = self._get(address, query, deadline, headers=headers)
        try:
            self._expect(reply, record, doing=doing, one=True)
        except NotThere:
            return None
        return self._whole(kind, self._page(reply, doing, whole=True), reply, doing)

    def parse(self, kind: str, raw: bytes, *, id: str) -> Item | UnreadableItem:
        """Read one record's own bytes again; see the port."""
        self._record(kind)
        try:
            found = parse(raw, "application/json")
        except UnreadableBody as trouble:
            return UnreadableItem(raw, trouble.reason, id)
        feed = self._profile.records[kind].changes
        item = gone_again(feed, kind, found) or self._readers[kind].item(found)
        return replace(item, raw=raw, id=item.id or id) if isinstance(item, UnreadableItem) else replace(item, raw=raw)

    def find(self, kind: str, key: str) -> list[Item]:
        """Find what the system holds under our key; see the port."""
        record = self._record(kind)
        if record.find is None:
            raise NotImplementedError(f"{self._profile.system} cannot be searched for a {kind} by our key")
        doing, listed = f"looking up a {kind}", record.find.items
        address = self._addresses.below(record.find.path, our_key=key) if not record.find.by else ""
        address = address or self._addresses.below(record.find.path)
        params = {**record.query, **record.find.query, **({record.find.by: key} if record.find.by else {})}
        reply = self._get(address, params, self._session.deadline(), headers=record.find.headers)
        try:
            self._expect(reply, record, doing=doing, one=listed is None)
        except NotThere:
            return []
        page = self._page(reply, doing, whole=True)
        found = [page] if listed is None else page if listed == "[]" else at(page, listed.removesuffix("[]"))
        if not isinstance(found, list):
            raise PageUnreadable(f"{doing}: at {listed}: expected a list of records", reply=reply.body)
        items = [self._whole(kind, one, reply, doing) for one in found]
        # A search that also finds what is merely like our key must not pair us with another's record.
        return [item for item in items if record.item.our_key is None or item.our_key == key]

    def deliver(self, kind: str, record: Record, *, key: str, id: str = "", version: str = "") -> Receipt:
        """Create or update a record, sent once; see the port."""
        section = self._record(kind)
        write: Write
        if id:
            if section.update is None:
                raise self._not_offered(kind, "update")
            if not self._readers[kind].may_be(id):
                raise NotThere(f"updating a {kind}: no record has such an id; nothing was sent")
            self._two_steps.known(kind, key)
            write = updating(kind, section, section.update, record, id=id, version=version)
        else:
            if section.create is None:
                raise self._not_offered(kind, "create")
            write = creating(kind, section, section.create, record, key=key)
        deadline, commit = self._session.deadline(), section.create.commit if section.create and not id else None
        if commit is None:
            return self._written(kind, section, write, deadline)
        return self._two_steps.create(
            commit,
            kind=kind,
            key=key,
            body=write.body,
            first=lambda: self._written(kind, section, write, deadline),
            second=lambda made: self._committed(kind, section, commit, made, key, deadline),
        )

    def _written(self, kind: str, section: RestRecord, write: Write, deadline: Deadline) -> Receipt:
        reply = self._send(
            write.method,
            self._addresses.below(write.path, **write.places),
            deadline,
            headers={**ASKED, **write.headers},
            params=write.params,
            body=write.body,
        )
        self._expect(reply, section, doing=write.doing, one=bool(write.id), errors=write.errors)
        return receipt(write, reply, section, self._readers[kind], self._addresses)

    def _committed(
        self, kind: str, section: RestRecord, commit: RestCommit, id: str, key: str, deadline: Deadline
    ) -> None:
        doing = f"submitting a {kind}"
        params = {name: text.replace("{our_key}", key) for name, text in commit.query.items()}
        address = self._addresses.below(commit.path, id=id)
        reply = self._send(commit.method, address, deadline, headers=ASKED, params=params)
        self._expect(reply, section, doing=doing, one=True)
        if section.create is not None and section.create.done is not None:
            answer = self._page(reply, doing)
            refuse_undone(answer, section.create.done, section, doing=doing, body=reply.body)

    def lend(self, kind: str, id: str, ref: str, into: Callable[[bytes], None], *, most_bytes: int) -> Lent:
        """See `connectors.documents.Lends`."""
        return self._documents(kind).lend(id, ref, into, most_bytes=most_bytes)

    def add(self, kind: str, id: str, document: Document, *, key: str) -> Receipt:
        """See `connectors.documents.TakesDocuments`."""
        return self._documents(kind).add(id, document, key=key)

    def find_document(self, kind: str, id: str, key: str) -> str:
        """See `connectors.documents.TakesDocuments`."""
        return self._documents(kind).find(id, key)

    def push(self, kind: str) -> Push:
        """How the system calls us about this kind; see `connectors.push.port.Receiving`."""
        told = self._record(kind).push
        if told is None or self._settings.push is None:
            raise self._not_offered(kind, "push" if told is None else "way to prove a push (connect.push)")
        return RestPushes(kind, told, self._settings.push, self._readers[kind])

    def lookups(self, kind: str) -> tuple[str, ...]:
        """The paths whose codes the system itself lists."""
        return tuple(self._record(kind).lookups)

    def codes(self, kind: str, path: str) -> list[Code]:
        """Ask which codes stand at a path; see the port."""
        record = self._record(kind)
        told = record.lookups.get(path)
        if told is None:
            raise self._not_offered(kind, f"look-up of {path}")
        doing = f"looking up the codes of {path}"
        reply = self._get(self._addresses.below(told.path), dict(told.query), self._session.deadline())
        self._expect(reply, record, doing=doing, one=False)
        page = self._page(reply, doing)
        rows = page if told.items == "[]" else at(page, told.items.removesuffix("[]"))
        if not isinstance(rows, list):
            raise PageUnreadable(f"{doing}: at {told.items}: expected a list of codes", reply=reply.body)
        return [Code(*(_text(at(row, of)) if of else "" for of in (told.code, told.cy, told.en))) for row in rows]

    def doctor(self) -> list[Finding]:
        """Look at the live connection without changing anything."""
        return examine(self, self._settings, self._clock())

    def close(self) -> None:
        """Let go of connections. Idempotent."""
        self._session.close()

    def log_in(self) -> None:
        """Fetch what logging in needs, and nothing else. Raises as `changes` does."""
        self._login.headers(self._session.deadline())

    def look(self, kind: str) -> Reply | None:
        """Ask for the smallest first page of a kind, and judge nothing; None where looking removes. For `doctor`."""
        return self._feed(kind).look()

    def removes(self, kind: str) -> bool:
        """Whether a read of changes takes something away from the system. For `doctor`."""
        return isinstance(self._record(kind).changes, QueueFeed)

    def dry_write(self, kind: str, record: Record) -> bool:
        """Have the system judge a record, for `doctor`; False where it has no such call. Raises `connectors.errors`."""
        section = self._record(kind)
        write = judging(kind, section, record)
        if write is not None:
            address, headers = self._addresses.below(write.path), {**ASKED, **write.headers}
            reply = self._send(write.method, address, self._session.deadline(), headers=headers, body=write.body)
            self._expect(reply, section, doing=write.doing, one=False)
        return write is not None

    def _feed(self, kind: str) -> ChangeFeed:
        feed = self._record(kind).changes
        if feed is None:
            raise self._not_offered(kind, "changes")
        query = self._record(kind).query
        if query and not isinstance(feed, IdListFeed | IdWindowFeed | KnownIdsFeed):  # a list of ids is no record
            feed = feed.model_copy(update={"query": {**query, **feed.query}})
        return open_feed(feed, Through(self, kind))

    def _with_documents(self) -> list[RestDocuments]:
        return [record.documents for record in self._profile.records.values() if record.documents is not None]

    def _documents(self, kind: str) -> Documents:
        told = self._record(kind).documents
        if told is None:
            raise self._not_offered(kind, "documents")
        return Documents(kind, told, Through(self, kind))

    def _send(self, method: str, url: str, deadline: Deadline, **more: Any) -> Reply:
        more["headers"] = {**self._profile.headers, **more["headers"]}
        return send_logged_in(self._session, self._login, method, url, deadline=deadline, **more)

    def _get(
        self,
        url: str,
        params: Mapping[str, str],
        deadline: Deadline,
        *,
        headers: Headers | None = None,
        most_bytes: int | None = None,
    ) -> Reply:
        told = {**ASKED, **(headers or {})}

        def once() -> Reply:
            reply = self._send("GET", url, deadline, headers=told, params=params, most_bytes=most_bytes)
            if (reply.status >= 500 or reply.status == 408) and "Retry-After" not in reply.headers:
                raise _Passing(reply)
            return reply

        try:
            return safely_again(once, deadline, sleep=self._sleep)
        except _Passing as passing:
            return passing.answer

    def _expect(
        self,
        reply: Reply,
        record: RestRecord,
        *,
        doing: str,
        one: bool,
        errors: Mapping[str, ErrorName] | None = None,
    ) -> None:
        if not 200 <= reply.status < 300:
            refuse(reply, doing=doing, record=record, interface=self._interface, one=one, errors=errors)

    def _page(self, reply: Reply, doing: str, *, whole: bool = False) -> Any:
        content_type = reply.headers.get("Content-Type", "")
        try:
            return read(reply.body, content_type) if whole else parse(reply.body, content_type)
        except UnreadableBody as trouble:
            if trouble.foreign:  # a login or maintenance page says nothing about the records
                raise Unknown(f"{doing}: {trouble.reason}", reply=reply.body) from None
            raise PageUnreadable(f"{doing}: {trouble.reason}", reply=reply.body) from None

    def _whole(self, kind: str, found: Any, reply: Reply, doing: str) -> Item:
        item = self._readers[kind].item(found, etag=reply.headers.get("ETag", ""))
        if isinstance(item, UnreadableItem):
            raise PageUnreadable(f"{doing}: {item.reason}", reply=reply.body)
        return item


def _text(value: object) -> str:
    """A code or its words; numbers are codes too, and true and false are none."""
    return "" if isinstance(value, bool) or not isinstance(value, str | int) else str(value).strip()


class _Passing(Unknown):
    """Carries a reply that may be better next time out of the tries."""

    def __init__(self, answer: Reply) -> None:
        super().__init__("the system has trouble of its own")
        self.answer = answer
