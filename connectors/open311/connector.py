"""One council's Open311 endpoint.

Reads are tried again inside their deadline; what is sent is sent once. A create that is answered with a token was done:
its number is asked for at once, and where there is none yet the receipt bears the token, so that nothing is lost and
nothing is made twice. The key goes in bodies alone, and no person ever stands in an address.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from connectors.again import safely_again
from connectors.deadline import Deadline
from connectors.errors import ConnectorError, Misconfigured, NotThere, PageUnreadable, Throttled, Unknown
from connectors.http import Reply
from connectors.json_schema import JsonSchema
from connectors.logins import open_login, send_logged_in, session_of
from connectors.open311.items import ID, REQUESTED, Items, id_of, moment
from connectors.open311.profile import Open311Profile, Open311Record, Open311Settings, WindowFeed
from connectors.open311.replies import refuse
from connectors.open311.sent import fields_of
from connectors.open311.windows import NARROWEST, Place, asked, width_for
from connectors.open311.wire import LISTS, Row, Rows, again, rows_of
from connectors.pace import Agree
from connectors.port import PROVISIONAL, Code, Finding, Item, Page, Receipt, Record, Tier, UnreadableItem
from connectors.quiet import silence_libraries
from connectors.rest.doctor import examine
from connectors.sections import Sections

#: Requests that are asked for by their numbers in one call.
BY_NUMBER = 50
#: So often, and after so many seconds each, a token is asked for its number within the create's own time.
TOKEN_TRIES, TOKEN_SECONDS = 2, 0.5
#: How long an update waits for a request that has no number yet.
NUMBER_SECONDS = 60.0
_EMPTY_WINDOWS = 20


class Open311Connector(Sections[Open311Record]):
    """Speaks to one endpoint as its profile says. Safe to use from several threads at once."""

    _profile: Open311Profile

    def __init__(
        self,
        profile: Open311Profile,
        settings: Open311Settings,
        interfaces: Callable[[str], bytes],
        *,
        clock: Callable[[], datetime],
        agree: Agree | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Read the pinned schema and sit ready; nothing is sent yet. Raises Misconfigured."""
        silence_libraries()
        self._profile, self._settings, self._clock, self._sleep = profile, settings, clock, sleep
        self._items = Items(schema_of(profile, interfaces))
        self._session = session_of(settings, agree=agree, monotonic=monotonic, sleep=sleep)
        self._login = open_login(settings, self._session, monotonic=monotonic)

    def offers(self, kind: str) -> frozenset[str]:
        """What the profile declares for this kind."""
        return self._record(kind).offers

    def tier(self, kind: str) -> Tier:
        """Open311 neither keeps a key of ours nor can be searched by one."""
        return self._record(kind).tier

    def reads_first(self, kind: str) -> bool:
        """Only the status of a request can be changed, which wipes nothing."""
        self._record(kind)
        return False

    def changes(self, kind: str, *, watermark: str, cursor: str = "", limit: int | None = None) -> Page:
        """Read one window, or the first of several that holds anything; see the port."""
        feed = self._feed(kind)
        place, deadline = Place.at(feed, watermark, cursor), self._session.deadline()
        for _ in range(_EMPTY_WINDOWS):
            rows, end, now = self._window(kind, feed, place, limit, deadline)
            items = [self._items.item(row) for row in rows]
            for row, item in zip(rows, items, strict=True):
                # A window of creation is gone on from by creation: what was changed later says nothing of what is new.
                stamp = moment(row.record.get(REQUESTED)) if feed.by == "requested" else item.modified
                place = place.saw(stamp, not_after=now + feed.overlap)
            if end >= now:
                return Page(items, "", place.watermark(watermark))
            if items or deadline.left() < deadline.seconds / 2:
                break
            place = Place(end, place.newest)
        return Page(items, place.cursor(end), place.watermark(watermark))

    def skip(self, kind: str, *, watermark: str, cursor: str) -> str | None:
        """Return the cursor behind the narrow window at `cursor` that cannot be read."""
        feed = self._feed(kind)
        place = Place.at(feed, watermark, cursor)
        return place.cursor(place.start + width_for(feed, 1))

    def fetch(self, kind: str, id: str) -> Item | None:
        """Read one request by its number; see the port. One that has none yet raises Throttled."""
        record, deadline = self._record(kind), self._session.deadline()
        if not record.fetch:
            raise self._not_offered(kind, "fetch")
        row = self._fetched(kind, self._numbered(kind, id, deadline), deadline)
        if row is None:
            return None
        item = self._items.item(row)
        if isinstance(item, UnreadableItem):
            raise PageUnreadable(f"reading a {kind}: {item.reason}", reply=item.raw)
        return item

    def parse(self, kind: str, raw: bytes, *, id: str) -> Item | UnreadableItem:
        """Read one request's own bytes again; see the port."""
        self._record(kind)
        try:
            return self._items.item(again(raw))
        except ValueError as trouble:
            return UnreadableItem(raw, str(trouble), id)

    def find(self, kind: str, key: str) -> list[Item]:
        """Not possible: the tier is C."""
        raise NotImplementedError(f"{self._profile.system} cannot be searched by our key ({kind})")

    def deliver(self, kind: str, record: Record, *, key: str, id: str = "", version: str = "") -> Receipt:  # noqa: ARG002 - Open311 has no versions
        """Make a request, or tell of its new status; see the port."""
        section, deadline = self._record(kind), self._session.deadline()
        if id:
            return self._update(kind, section, record, key, id, deadline)
        if section.create is None:
            raise self._not_offered(kind, "create")
        doing = f"creating a {kind}"
        reply = self._post("requests", fields_of(record, section.create.our_key, key), deadline)
        rows = self._judged(reply, doing, section, wrote=True)
        found = rows.rows[0] if rows.rows else Row({}, b"")
        if number := id_of(found):
            return Receipt(number, "created", reply=reply.body)
        token = found.record.get("token")
        if not isinstance(token, str) or not token.strip():
            # A blackbox service: it was taken, and nobody will ever say under which number.
            raise Unknown(f"{doing}: the endpoint told neither a number nor a token", reply=reply.body)
        return Receipt(self._at_once(kind, PROVISIONAL + token.strip(), deadline), "created", reply=reply.body)

    def number_of(self, kind: str, provisional: str) -> str | None:
        """Ask for the number that a token has become; see `connectors.port.Numbering`."""
        return self._number(kind, provisional, self._session.deadline())

    def lookups(self, kind: str) -> tuple[str, ...]:
        """The paths whose codes the endpoint itself lists."""
        return tuple(self._record(kind).lookups)

    def codes(self, kind: str, path: str) -> list[Code]:
        """Ask which services there are; see the port."""
        record = self._record(kind)
        if path not in record.lookups:
            raise self._not_offered(kind, f"look-up of {path}")
        rows = self._read("services", {}, f"looking up the codes of {path}", record, self._session.deadline())[0]
        told = [(row.record.get("service_code"), row.record.get("service_name")) for row in rows]
        return [Code(code.strip(), en=name if isinstance(name, str) else "") for code, name in told
                if isinstance(code, str)]  # fmt: skip

    def doctor(self) -> list[Finding]:
        """Look at the live endpoint without changing anything."""
        return examine(self, self._settings, self._clock())

    def log_in(self) -> None:
        """Fetch what logging in needs. For `doctor`."""
        self._login.headers(self._session.deadline())

    def removes(self, kind: str) -> bool:  # noqa: ARG002 - what `doctor` asks of every connector
        """Whether a read of changes takes something away from the system: never."""
        return False

    def dry_write(self, kind: str, record: Record) -> bool:  # noqa: ARG002 - what `doctor` asks of every connector
        """Open311 has no call that only judges."""
        return False

    def look(self, kind: str) -> Reply:
        """Ask for the services, and judge nothing. For `doctor`."""
        self._record(kind)
        return self._get("services", {}, self._session.deadline())

    def close(self) -> None:
        """Let go of connections. Idempotent."""
        self._session.close()

    def _window(
        self, kind: str, feed: WindowFeed, place: Place, limit: int | None, deadline: Deadline
    ) -> tuple[list[Row], datetime, datetime]:
        """The rows of the window at a place, its end, and the endpoint's time. Raises PageUnreadable where even the
        narrowest one holds more than it can list."""
        record, doing, width = self._record(kind), f"listing {kind}", width_for(feed, limit)
        first, last = (feed.start, feed.end) if feed.by == "updated" else ("start_date", "end_date")
        while True:
            end = place.start + width
            dates = {first: asked(place.start), last: asked(end)}
            rows, reply = self._read("requests", dates, doing, record, deadline)
            told: list[Row] = []
            if feed.by == "updates":
                dates = {"start_date": asked(place.start), "end_date": asked(end)}
                told = self._read("servicerequestupdates", dates, doing, record, deadline)[0]
            many = max(len(rows), len(told))
            if many < feed.most and (limit is None or many <= limit):
                break
            if width <= NARROWEST:
                if many < feed.most:
                    break
                raise PageUnreadable(f"{doing}: one second holds {feed.most} or more, and no more are listed at once")
            width = max(width / 2, NARROWEST)
        there = {id_of(row) for row in rows}
        named = list(dict.fromkeys(number for row in told if (number := id_of(row)) not in there and number))
        rows += self._by_number(kind, named, deadline)
        return rows, end, reply.date or self._clock().astimezone(UTC)

    def _by_number(self, kind: str, numbers: list[str], deadline: Deadline) -> list[Row]:
        found: list[Row] = []
        for at in range(0, len(numbers), BY_NUMBER):
            some = {"service_request_id": ",".join(numbers[at : at + BY_NUMBER])}
            found += self._read("requests", some, f"reading some {kind}", self._record(kind), deadline)[0]
        return found

    def _fetched(self, kind: str, number: str, deadline: Deadline) -> Row | None:
        place, doing = f"requests/{quote(number, safe='')}", f"reading a {kind}"
        try:
            rows = self._read(place, {}, doing, self._record(kind), deadline, one=True)[0]
        except NotThere:
            return None
        return rows[0] if rows else None

    def _update(
        self, kind: str, section: Open311Record, record: Record, key: str, id: str, deadline: Deadline
    ) -> Receipt:
        told = section.update
        if told is None:
            raise self._not_offered(kind, "update")
        number = self._numbered(kind, id, deadline)
        try:
            held = self._fetched(kind, number, deadline)
        except PageUnreadable as trouble:  # no answer at all: it is tried again, and needs nobody's attention yet
            raise Unknown(f"{trouble.reason}; nothing was sent", reply=trouble.reply) from None
        if held is None:
            raise NotThere(f"updating a {kind}: it is not there")
        status = str(record.get(told.status) or "")
        if not status or status.lower() == str(held.record.get("status", "")).lower():
            return Receipt(number, "nothing")
        text = str(record.get(told.text) or "")
        # The same change has the same id, so that an endpoint which heard it already can know it again.
        digest = hashlib.sha256(f"{key}\x1f{number}\x1f{status}\x1f{text}".encode()).hexdigest()[:32]
        sent = {
            ID: number,
            "update_id": digest,
            "updated_datetime": asked(self._clock()),
            "status": status.upper(),
            "description": text,
        }
        reply = self._post("servicerequestupdates", list(sent.items()), deadline)
        self._judged(reply, f"updating a {kind}", section, one=True, wrote=True)
        return Receipt(number, "updated", reply=reply.body)

    def _at_once(self, kind: str, provisional: str, deadline: Deadline) -> str:
        """The number of a request that was just made, or its token: whatever goes wrong now, it was made."""
        try:
            for _ in range(TOKEN_TRIES):
                if number := self._number(kind, provisional, deadline):
                    return number
                if deadline.left() < 2 * TOKEN_SECONDS:
                    break
                self._sleep(TOKEN_SECONDS)
        except ConnectorError:
            pass
        return provisional

    def _numbered(self, kind: str, id: str, deadline: Deadline) -> str:
        if not id.startswith(PROVISIONAL):
            return id
        number = self._number(kind, id, deadline)
        if number is None:
            raise Throttled("the request has no number yet", after=NUMBER_SECONDS)
        return number

    def _number(self, kind: str, provisional: str, deadline: Deadline) -> str | None:
        place = f"tokens/{quote(provisional.removeprefix(PROVISIONAL), safe='')}"
        try:
            rows = self._read(place, {}, "asking for a number", self._record(kind), deadline, one=True)[0]
        except NotThere:
            return None
        return next((number for row in rows if (number := id_of(row))), None)

    def _read(
        self, place: str, params: Mapping[str, str], doing: str, record: Open311Record, deadline: Deadline,
        *, one: bool = False,
    ) -> tuple[list[Row], Reply]:  # fmt: skip
        reply = safely_again(lambda: self._got(place, params, deadline), deadline, sleep=self._sleep)
        found = self._judged(reply, doing, record, one=one)
        if found.root and found.root not in LISTS[place.partition("/")[0]]:
            # Taken for the list that was asked for it would be one that holds nothing, and the walk would go on.
            raise Unknown(f"{doing}: the answer is another list than was asked for", reply=reply.body)
        return found.rows, reply

    def _got(self, place: str, params: Mapping[str, str], deadline: Deadline) -> Reply:
        reply = self._get(place, params, deadline)
        if reply.status >= 500 and "Retry-After" not in reply.headers:
            raise Unknown(f"the endpoint has trouble of its own (status {reply.status})", reply=reply.body)
        return reply

    def _judged(
        self, reply: Reply, doing: str, record: Open311Record, *, one: bool = False, wrote: bool = False
    ) -> Rows:
        """Read an answer, or raise what it means. A write whose answer cannot be read was perhaps done: Unknown."""
        rows = None
        try:
            rows = rows_of(reply, self._profile.format, doing, most_bytes=self._settings.max_reply_bytes)
        except (PageUnreadable, Unknown) as trouble:
            if 200 <= reply.status < 300:
                if wrote:
                    raise Unknown(trouble.reason, reply=reply.body) from None
                raise
        if rows is None or rows.error or not 200 <= reply.status < 300:
            refuse(reply, rows, doing=doing, record=record, one=one)
        return rows

    def _get(self, place: str, params: Mapping[str, str], deadline: Deadline) -> Reply:
        said = {**self._where(), **params}
        return self._send("GET", place, deadline, params=said)

    def _post(self, place: str, fields: Iterable[tuple[str, str]], deadline: Deadline) -> Reply:
        key = self._settings.api_key
        said = [*self._where().items(), *([("api_key", key.get_secret_value())] if key else []), *fields]
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        return self._send("POST", place, deadline, headers=headers, body=urlencode(said).encode())

    def _send(
        self, method: str, place: str, deadline: Deadline, *, headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None, body: bytes | None = None,
    ) -> Reply:  # fmt: skip
        url = f"{self._settings.url.rstrip('/')}/{place}.{self._profile.format}"
        return send_logged_in(
            self._session, self._login, method, url, deadline=deadline, headers=dict(headers or {}),
            params=params, body=body,
        )  # fmt: skip

    def _where(self) -> dict[str, str]:
        jurisdiction = self._settings.jurisdiction_id
        return {"jurisdiction_id": jurisdiction} if jurisdiction else {}

    def _feed(self, kind: str) -> WindowFeed:
        feed = self._record(kind).changes
        if feed is None:
            raise self._not_offered(kind, "changes")
        return feed


def schema_of(profile: Open311Profile, interfaces: Callable[[str], bytes]) -> JsonSchema:
    """The pinned schema. Raises Misconfigured where it is not there."""
    try:
        return JsonSchema(interfaces(profile.interface), profile.interface)
    except (LookupError, OSError, ValueError) as trouble:
        raise Misconfigured(
            f"interface: {profile.interface} is not among the pinned interfaces: save it there"
        ) from trouble
