"""One council's installation of a FHIR R4 server, driven by its profile.

A record is a handful of resources that refer to each other (`records`): they are read in one search, written one after
the other (`steps`), and their changes are walked type by type (`feed`). Everything that comes back is checked against
the pinned snapshot of FHIR R4 before it is handed on.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from connectors.deadline import Deadline
from connectors.documents import DOCUMENT, Document
from connectors.errors import Misconfigured, NotThere, PageUnreadable, Unknown
from connectors.fhir import documents
from connectors.fhir.asking import Asking
from connectors.fhir.bundles import entries
from connectors.fhir.capability import examined
from connectors.fhir.feed import ChangedResources, by_id, leading
from connectors.fhir.profile import FhirProfile, FhirRecord
from connectors.fhir.profile_documents import FhirDocuments
from connectors.fhir.records import Records
from connectors.fhir.steps import create, judge, update
from connectors.http import Reply
from connectors.json_body import UnreadableBody, parse
from connectors.logins import open_login, session_of
from connectors.pace import Agree
from connectors.port import Code, Finding, Item, Page, Receipt, Record, Tier, UnreadableItem
from connectors.quiet import silence_libraries
from connectors.rest.addresses import Addresses
from connectors.rest.doctor import examine
from connectors.rest.interface import open_interface
from connectors.settings import RestSettings

_MOST_FOUND = 10  # more that bear one key are no fault of a repeated create any more


class FhirConnector:
    """Speaks to one FHIR R4 server. Safe to use from several threads at once."""

    def __init__(
        self,
        profile: FhirProfile,
        settings: RestSettings,
        interfaces: Callable[[str], bytes],
        *,
        clock: Callable[[], datetime],
        agree: Agree | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Read the pinned interface and sit ready; nothing is sent yet. Raises Misconfigured."""
        silence_libraries()
        self._profile, self._settings, self._clock = profile, settings, clock
        interface = open_interface(interfaces(profile.interface), profile.interface)
        self._records = {kind: Records(kind, section, interface) for kind, section in profile.records.items()}
        session = session_of(settings, agree=agree, monotonic=monotonic, sleep=sleep)
        login = open_login(settings, session, monotonic=monotonic)
        self._asking = Asking(session, login, Addresses(settings.url), interface, sleep=sleep)

    def __repr__(self) -> str:
        return f"FhirConnector({self._profile.system})"

    def kinds(self) -> tuple[str, ...]:
        """The kinds of record that the profile has a section for."""
        return tuple(self._records)

    def offers(self, kind: str) -> frozenset[str]:
        """What the profile declares for this kind; for DOCUMENT, for the documents of any kind."""
        if kind == DOCUMENT:
            return frozenset[str]().union(*(told.offers for told in self._with_documents()))
        return self._section(kind).offers

    def tier(self, kind: str) -> Tier:
        """How a create of this kind is made to happen once; of DOCUMENT, the least of any kind's."""
        if kind == DOCUMENT:
            return max((told.tier for told in self._with_documents()), default=Tier.NEITHER)
        return self._section(kind).tier

    def reads_first(self, kind: str) -> bool:
        """An update replaces whole resources, so the record is always written onto what the server holds."""
        return self._section(kind).update is not None

    def changes(self, kind: str, *, watermark: str, cursor: str = "", limit: int | None = None) -> Page:
        """Read one page of changes; see the port."""
        return self._feed(kind).page(watermark=watermark, cursor=cursor, limit=limit)

    def skip(self, kind: str, *, watermark: str, cursor: str) -> str | None:
        """Return the cursor behind the one resource at `cursor`; see the port."""
        return self._feed(kind).skip(watermark=watermark, cursor=cursor)

    def fetch(self, kind: str, id: str) -> Item | None:
        """Read one record; see the port. Raises PageUnreadable if it is not as the interface says."""
        self._offered(kind, "fetch")
        return self._fetched(kind, id, self._asking.session.deadline())

    def parse(self, kind: str, raw: bytes, *, id: str) -> Item | UnreadableItem:
        """Read one record's own bytes again; see the port."""
        records = self._of(kind)
        try:
            found = parse(raw, "application/json")
        except UnreadableBody as trouble:
            return UnreadableItem(raw, trouble.reason, id)
        gone = records.deleted(found)
        item = records.item(found) if gone is None else gone
        return replace(item, raw=raw, id=item.id or id) if isinstance(item, UnreadableItem) else replace(item, raw=raw)

    def find(self, kind: str, key: str) -> list[Item]:
        """Find what the server holds under our key; see the port."""
        if self._section(kind).find is None:
            raise NotImplementedError(f"{self._profile.system} cannot be searched for a {kind} by our key")
        records, doing = self._of(kind), f"looking up a {kind}"
        wanted = [("identifier", f"{records.section.identifier}|{key}"), ("_count", str(_MOST_FOUND))]
        _, reply = self._asking.search(records.lead, [*wanted, *leading(records)], self._asking.session.deadline())
        found = records.led(entries(self._asking.listed(reply, doing), reply, doing))
        # A search that also finds what is merely like our key must not pair us with another's record.
        return [item for item in (_whole(one, reply, doing) for one in found) if item.our_key == key]

    def deliver(self, kind: str, record: Record, *, key: str, id: str = "", version: str = "") -> Receipt:
        """Create or update a record, a call a resource; see the port."""
        records = self._of(kind)
        deadline = self._asking.session.deadline()
        if not id:
            self._offered(kind, "create")
            return create(records, self._asking, record, key=key, deadline=deadline)
        self._offered(kind, "update")
        held = self._fetched(kind, id, deadline, writing=True)
        if held is None:
            raise NotThere(f"updating a {kind}: there is no such record")
        return update(records, self._asking, record, held, version=version, deadline=deadline)

    def add(self, kind: str, id: str, document: Document, *, key: str) -> Receipt:
        """See `connectors.documents.TakesDocuments`."""
        section, told = self._section(kind), self._documents(kind)
        deadline = self._asking.session.deadline()
        held = self._fetched(kind, id, deadline, writing=True)
        if held is None:
            raise NotThere(f"adding a document to a {kind}: there is no such record")
        record, system = held.record, section.identifier
        return documents.add(told, system, self._asking, record, document, key=key, deadline=deadline)

    def find_document(self, kind: str, id: str, key: str) -> str:  # noqa: ARG002 - our key alone tells which
        """See `connectors.documents.TakesDocuments`."""
        self._documents(kind)
        return documents.find(self._section(kind).identifier, self._asking, key, self._asking.session.deadline())

    def lookups(self, kind: str) -> tuple[str, ...]:
        """No lists are asked for: the codes of FHIR's closed lists stand in the pinned file."""
        self._section(kind)
        return ()

    def codes(self, kind: str, path: str) -> list[Code]:
        """There are none to ask for; see the port."""
        raise Misconfigured(f"the profile of {self._profile.system} declares no look-up of {path} for {kind}")

    def doctor(self) -> list[Finding]:
        """Look at the live connection without changing anything, and at what the server says that it can do."""
        found = examine(self, self._settings, self._clock())
        return [*found, *examined(self._asking, self._profile)] if all(one.well for one in found) else found

    def close(self) -> None:
        """Let go of connections. Idempotent."""
        self._asking.session.close()

    def log_in(self) -> None:
        """Fetch what logging in needs, and nothing else. Raises as `changes` does."""
        self._asking.login.headers(self._asking.session.deadline())

    def removes(self, kind: str) -> bool:  # noqa: ARG002 - what `doctor` asks of every connector
        """Whether a read of changes takes something away from the system: never."""
        return False

    def dry_write(self, kind: str, record: Record) -> bool:
        """Have the server judge a record, for `doctor`; False where the profile says nothing of it."""
        records = self._of(kind)
        if records.section.dry_write is None:
            return False
        judge(records, self._asking, record, deadline=self._asking.session.deadline())
        return True

    def look(self, kind: str) -> Reply:
        """Ask for the smallest first page of a kind, and judge nothing. For `doctor`."""
        return self._feed(kind).look()

    def _fetched(self, kind: str, id: str, deadline: Deadline, *, writing: bool = False) -> Item | None:
        """Read one record. `writing`: for an update, which is tried again where the answer as a whole was none."""
        records, doing = self._of(kind), f"reading a {kind}"
        if "," in id:
            return None  # a comma would ask for two records; no id of FHIR has one
        try:
            found = by_id(records, self._asking, [id], deadline, doing)
        except PageUnreadable as trouble:
            if not writing:
                raise
            raise Unknown(f"{trouble.reason}; nothing was sent", reply=trouble.reply) from None
        for item in found:
            if isinstance(item, UnreadableItem):
                raise PageUnreadable(f"{doing}: {item.reason}", reply=item.raw)
            if item.id == id:
                return item
        return None

    def _section(self, kind: str) -> FhirRecord:
        return self._of(kind).section

    def _of(self, kind: str) -> Records:
        try:
            return self._records[kind]
        except KeyError:
            known = ", ".join(self._records)
            raise Misconfigured(
                f"the profile of {self._profile.system} has no records {kind}; it has {known}"
            ) from None

    def _with_documents(self) -> list[FhirDocuments]:
        return [record.documents for record in self._profile.records.values() if record.documents is not None]

    def _documents(self, kind: str) -> FhirDocuments:
        told = self._section(kind).documents
        if told is None:
            raise Misconfigured(f"the profile of {self._profile.system} declares no documents for {kind}")
        return told

    def _feed(self, kind: str) -> ChangedResources:
        self._offered(kind, "changes")
        feed = self._section(kind).changes
        assert feed is not None
        return ChangedResources(self._of(kind), feed, self._asking)

    def _offered(self, kind: str, what: str) -> None:
        if what not in self._section(kind).offers:
            raise Misconfigured(f"the profile of {self._profile.system} declares no {what} for {kind}")


def _whole(item: Item | UnreadableItem, reply: Reply, doing: str) -> Item:
    if isinstance(item, UnreadableItem):
        raise PageUnreadable(f"{doing}: {item.reason}", reply=reply.body)
    return item
