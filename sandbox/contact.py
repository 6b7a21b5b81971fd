"""The pretend contact-centre system: REST and JSON behind OAuth2, as `interfaces/contact.openapi.yaml` says.

It keeps our key and upserts by it, pages its changes by an opaque cursor and checks If-Match.
Its stamps count whole seconds, so that many records share one, as they do in real systems.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, quote

from sandbox import shape
from sandbox.exchange import Exchange, Request, Response
from sandbox.secrets import contact_login
from sandbox.shown import Shown
from sandbox.store import Collection, Document, Json, Store

READ_ONLY = ("id", "version", "changed_at")
EMPTY: Json = {
    "external_reference": None,
    "public_reference": None,
    "status": "new",
    "status_reason": None,
    "status_changed_at": None,
    "category": "contact",
    "priority": "routine",
    "received_at": None,
    "channel": None,
    "reason": None,
    "team": None,
    "worker": None,
    "visit_on": None,
    "outcome": None,
    "case_number": None,
    "customer": None,
    "language": None,
    "updates": None,
    "referred_by": None,
    "needs": [],
    "flags": None,
    "transport_needs": None,
    "internal_notes": None,
}
_NEVER_NULL = frozenset({"status", "category", "priority", "received_at", "customer", "language", "needs", "flags"})


class _Refusal(Exception):
    def __init__(self, status: int, code: str, message: str, field: str = "") -> None:
        super().__init__(code)
        self.status, self.code, self.message, self.field = status, code, message, field


class Contact:
    """One program serving every council's installation; tokens live in memory, as in a server that was restarted."""

    name = "contact"

    def __init__(self, store: Store, clock: Callable[[], datetime], *, token_seconds: int = 3600) -> None:
        self._store, self._clock = store, clock
        self.token_seconds = token_seconds
        self._tokens: dict[str, tuple[str, datetime]] = {}
        self._lock = threading.Lock()
        self.shown = Shown(shape.published())

    def answer(self, request: Request, exchange: Exchange) -> Response:
        """Answer one call."""
        try:
            return self._route(request, exchange)
        except _Refusal as refusal:
            exchange.outcome = f"{refusal.status} {refusal.code}"
            return _refused(refusal.status, refusal.code, refusal.message, refusal.field)

    def failure(self, _request: Request, status: int) -> Response:
        """What it says when the whole server is unwell or busy."""
        if status == 429:
            return _refused(429, "too_many_requests", "Too many requests; wait for Retry-After seconds.")
        return _refused(status, "server_error", "Something went wrong on our side.")

    def requests(self, tenant: str) -> Collection:
        """The requests of one council."""
        return self._store.collection(tenant, self.name)

    def staff_put(self, tenant: str, id: str, record: Json) -> Json:
        """Write a request as contact staff do; `id` "" makes a new one. Raises ValueError where the screen refuses."""
        shape.check("Fields", {name: record[name] for name in shape.fields() if name in record})
        return self.write_unchecked(tenant, id, record)

    def write_unchecked(self, tenant: str, id: str, record: Json) -> Json:
        """Write a request past the screen's checks, as an old import once did: so unreadable records come about."""
        with self._store.transaction():
            held = self.requests(tenant).get(id) if id else None
            if held is None and not id:
                id = f"C-{self._store.next_number(tenant, 'contact'):06d}"
            return self._keep(tenant, id, {**(held.body if held else EMPTY), **record}, held).body

    def _keep(self, tenant: str, id: str, body: Json, held: Document | None) -> Document:
        stamp = _stamp(self._clock())
        if held is not None:
            stamp = max(stamp, held.changed)  # a clock that was set back must not hide a change
        version = held.version + 1 if held else 1
        body = {**body, "id": id, "version": version, "changed_at": stamp}
        key = body.get("external_reference") or ""
        return self.requests(tenant).put(id, body, version=version, changed=stamp, key=key)

    def _route(self, request: Request, exchange: Exchange) -> Response:
        method, path = request.method, request.path
        if path == "/token" and method == "POST":
            exchange.begin("getToken")
            return self._token(request)
        if path == "/api/openapi.yaml" and method == "GET":
            exchange.begin("openapi")
            self._authorise(request, exchange)
            return Response(200, self.shown.to(request.tenant), "application/yaml")
        if path.startswith("/api/replies/by-external/"):
            return self._reply(request, exchange, path.removeprefix("/api/replies/by-external/"))
        place = path.removeprefix("/api/requests")
        if place == path or (place and not place.startswith("/")):
            raise _Refusal(404, "not_found", "There is nothing at this address.")
        external = place.startswith("/by-external/")
        operations = {
            ("GET", True, False): "listRequests",
            ("GET", False, False): "getRequest",
            ("PATCH", False, False): "patchRequest",
            ("GET", False, True): "getRequestByExternal",
            ("PUT", False, True): "upsertRequest",
        }
        operation = operations.get((method, place in ("", "/"), external))
        if operation is None:
            raise _Refusal(405, "method_not_allowed", "That cannot be done at this address.")
        exchange.begin(operation)
        self._authorise(request, exchange)
        if operation == "listRequests":
            return self._list(request, exchange)
        if operation == "upsertRequest":
            return self._upsert(request, exchange, place.removeprefix("/by-external/"))
        if operation == "patchRequest":
            return self._patch(request, exchange, place[1:])
        if external:
            held = next(iter(self.requests(request.tenant).by_key(place.removeprefix("/by-external/"))), None)
        else:
            held = self.requests(request.tenant).get(place[1:])
        if held is None:
            raise _Refusal(404, "not_found", "There is no such request.")
        return _shown(held)

    def replies(self, tenant: str) -> Collection:
        """What one council's staff were told of their requests, by id."""
        return self._store.collection(tenant, self.name, "replies")

    def _reply(self, request: Request, exchange: Exchange, key: str) -> Response:
        exchange.begin("upsertReply" if request.method == "PUT" else "getReplyByExternal")
        self._authorise(request, exchange)
        held = next(iter(self.replies(request.tenant).by_key(key)), None)
        if request.method == "GET":
            if held is None:
                raise _Refusal(404, "not_found", "There is no such reply.")
            return _json(200, held.body)
        if request.method != "PUT":
            raise _Refusal(405, "method_not_allowed", "That cannot be done at this address.")
        given = _body(request, "application/json")
        _fits("Reply", given)
        if self.requests(request.tenant).get(str(given["request"])) is None:
            raise _Refusal(422, "invalid", "There is no such request.", "request")

        def change() -> Response:
            with self._store.transaction():
                id = held.id if held else f"R-{self._store.next_number(request.tenant, 'contact-reply'):06d}"
                body = {**given, "id": id, "external_reference": key}
                stamp = _stamp(self._clock())
                self.replies(request.tenant).put(id, body, version=1, changed=stamp, key=key)
            return _json(200 if held else 201, body)

        return exchange.commit(change)

    def _token(self, request: Request) -> Response:
        form = {name: values[0] for name, values in parse_qs(request.body.decode("utf-8", "replace")).items()}
        given = (form.get("client_id", ""), form.get("client_secret", ""))
        scheme, _, basic = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                name, _, secret = base64.b64decode(basic, validate=True).decode("utf-8").partition(":")
            except ValueError:
                name, secret = "", ""
            given = (name, secret)
        if form.get("grant_type") != "client_credentials":
            return _json(400, {"error": "unsupported_grant_type"})
        login = contact_login(request.tenant)
        right = hmac.compare_digest(given[0].encode(), login["client_id"].encode())
        if not (hmac.compare_digest(given[1].encode(), login["client_secret"].encode()) and right):
            return _json(401, {"error": "invalid_client"}, {"WWW-Authenticate": "Basic"})
        token, now = secrets.token_urlsafe(24), self._clock()
        with self._lock:
            self._tokens = {each: good for each, good in self._tokens.items() if good[1] > now}
            self._tokens[token] = (request.tenant, now + timedelta(seconds=self.token_seconds))
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": self.token_seconds, "scope": "requests"}
        return _json(200, answer, {"Cache-Control": "no-store"})

    def _authorise(self, request: Request, exchange: Exchange) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        with self._lock:
            tenant, until = self._tokens.get(token, ("", None))
        well = scheme.lower() == "bearer" and tenant == request.tenant and until is not None and self._clock() < until
        if not well or exchange.take("expired_token") is not None:
            raise _Refusal(401, "invalid_token", "The access token is missing, expired or of another council.")

    def _list(self, request: Request, exchange: Exchange) -> Response:
        limit = request.query.get("limit", "50")
        if not limit.isdecimal() or not 1 <= int(limit) <= 200:
            raise _Refusal(400, "invalid", "limit must be a whole number from 1 to 200", "limit")
        cursor = request.query.get("cursor", "")
        since, after, before = _read_cursor(cursor) if cursor else (_since(request.query), None, None)
        repeated = cursor and exchange.take("repeated_page") is not None
        endless = exchange.take("endless_page") is not None
        held = self.requests(request.tenant)
        found = held.changed_since(since, limit=int(limit) + 1, after=before if repeated else after)
        page = found[: int(limit)]
        following: str | None = None
        if repeated or endless:
            following = cursor or _cursor(since, None, None)
        elif len(found) > len(page):
            following = _cursor(since, (page[-1].changed, page[-1].id), after)
        if page and exchange.take("changed_while_paging") is not None:
            first = page[0]
            with self._store.transaction():
                self._keep(request.tenant, first.id, first.body, held.get(first.id))
        shown = [document.body for document in page]
        if shown and (huge := exchange.take("huge_record")) is not None:
            shown[-1] = {**shown[-1], "internal_notes": "x" * int(huge["bytes"])}
        if shown and exchange.take("broken_record") is not None:
            shown[0] = {**shown[0], "customer": "see paper file"}
        return _json(200, {"requests": shown, "next": following})

    def _upsert(self, request: Request, exchange: Exchange, key: str) -> Response:
        given = _body(request, "application/json")
        if not 1 <= len(key) <= 100:
            raise _Refusal(422, "invalid", "our_key must have 1 to 100 characters", "our_key")

        def change() -> Response:
            with self._store.transaction():
                held = next(iter(self.requests(request.tenant).by_key(key)), None)
                if held is not None:
                    _match(request, held)
                    return _shown(self._lay(request.tenant, held, given))
                _fits("RequestWritten", given)
                id = f"C-{self._store.next_number(request.tenant, 'contact'):06d}"
                body = {**EMPTY, **_writable(given), "external_reference": key}
                made = self._keep(request.tenant, id, body, None)
                location = {"Location": f"{request.url}/api/requests/{quote(id)}"}
                return _shown(made, 201, location)

        return exchange.commit(change)

    def _patch(self, request: Request, exchange: Exchange, id: str) -> Response:
        given = _body(request, "application/merge-patch+json", "application/json")
        if "if-match" not in request.headers:
            raise _Refusal(428, "precondition_required", "Send If-Match with the ETag you have read.")

        def change() -> Response:
            with self._store.transaction():
                held = self.requests(request.tenant).get(id)
                if held is None:
                    raise _Refusal(404, "not_found", "There is no such request.")
                _match(request, held)
                key = given.get("external_reference")
                others = self.requests(request.tenant).by_key(key) if isinstance(key, str) else []
                if any(other.id != id for other in others):
                    raise _Refusal(409, "conflict", "Another request has this key.", "external_reference")
                return _shown(self._lay(request.tenant, held, given))

        return exchange.commit(change)

    def _lay(self, tenant: str, held: Document, given: Json) -> Document:
        body = merged(held.body, _writable(given))
        _fits("Fields", {name: value for name, value in body.items() if name in shape.fields()})
        for name in _NEVER_NULL & given.keys():
            if body[name] is None:
                raise _Refusal(422, "invalid", f"{name} cannot be empty", name)
        return held if body == held.body else self._keep(tenant, held.id, body, held)


def merged(onto: Any, patch: Any) -> Any:
    """Lay a merge patch over a value (RFC 7396), save that null empties a field and leaves it standing as null."""
    if not isinstance(patch, dict) or not isinstance(onto, dict):
        return patch
    return {**onto, **{name: merged(onto.get(name), value) for name, value in patch.items()}}


def _writable(given: Json) -> Json:
    unknown = sorted(set(given) - shape.fields() - set(READ_ONLY) - {"external_reference"})
    if unknown:
        raise _Refusal(422, "invalid", f"{unknown[0]} is not a field of a request", unknown[0])
    return {name: value for name, value in given.items() if name not in READ_ONLY}


def _fits(schema: str, record: Json) -> None:
    try:
        shape.check(schema, record)
    except shape.Misshapen as wrong:
        raise _Refusal(422, "invalid", str(wrong), wrong.field) from None


def _match(request: Request, held: Document) -> None:
    wanted = request.headers.get("if-match")
    tags = [tag.strip() for tag in (wanted or "*").split(",")]
    if "*" not in tags and f'"{held.version}"' not in tags:
        raise _Refusal(412, "precondition_failed", "The request has changed since you read it.")


def _body(request: Request, *types: str) -> Json:
    if request.headers.get("content-type", "").split(";")[0].strip().lower() not in types:
        raise _Refusal(415, "unsupported_media_type", f"Send {' or '.join(types)}.")
    try:
        given = json.loads(request.body)
    except ValueError:
        raise _Refusal(400, "invalid_json", "The body is not JSON in UTF-8.") from None
    if not isinstance(given, dict):
        raise _Refusal(400, "invalid_json", "The body must be one JSON object.")
    return given


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _since(query: Any) -> str:
    text = query.get("changed_since", "").replace(" ", "+")  # a plus sign that was not escaped arrives as a space
    if not text:
        return ""
    moment = None
    with suppress(ValueError):
        moment = datetime.fromisoformat(text)
    if moment is None or moment.tzinfo is None:
        raise _Refusal(400, "invalid", "changed_since must be a date and time with offset", "changed_since")
    # Stamps count whole seconds: of a part of a second only the next whole one is at or after it.
    return _stamp(moment + timedelta(microseconds=-moment.microsecond % 1_000_000))


Place = tuple[str, str] | None


def _cursor(since: str, after: Place, before: Place) -> str:
    return base64.urlsafe_b64encode(json.dumps([since, after, before]).encode()).decode().rstrip("=")


def _read_cursor(text: str) -> tuple[str, Place, Place]:
    try:
        since, after, before = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return str(since), _place(after), _place(before)
    except (ValueError, TypeError):
        raise _Refusal(400, "invalid", "this cursor is not one of ours", "cursor") from None


def _place(read: Any) -> Place:
    if read is None:
        return None
    changed, id = read
    return str(changed), str(id)


def _json(status: int, body: Any, headers: dict[str, str] | None = None) -> Response:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    return Response(status, text, "application/json", headers or {})


def _refused(status: int, code: str, message: str, field: str = "") -> Response:
    headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'} if status == 401 else {}
    return _json(status, {"error": {"code": code, "message": message, "field": field or None}}, headers)


def _shown(held: Document, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return _json(status, held.body, {"ETag": f'"{held.version}"', **(headers or {})})
