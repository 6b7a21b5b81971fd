"""The pretend Salesforce: one custom object behind the REST API, as Salesforce's public documents describe it.

It upserts by an external id (and answers 300 where two records have it), lists what was updated and deleted between two
moments with the moment up to which that is complete, ignores seconds in them, and answers errors as a list. What the
documents do not say is chosen here and said in docs/systems/salesforce.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from sandbox import columns
from sandbox.bearers import NoToken
from sandbox.exchange import Exchange, Request, Response
from sandbox.platform import Platform, Refusal
from sandbox.secrets import salesforce_login
from sandbox.store import Document, Json, Store

ROOT = "/services/data/v60.0"
OBJECT = "Dolen_Referral__c"
A_PAGE = 2_000
UPDATED_DAYS, DELETED_DAYS = 30, 15
_KEY = "Dolen_Key__c"
_SYSTEM = ("Id", "SystemModstamp", "LastModifiedDate")
_WRONG = {
    "unknown": "INVALID_FIELD", "type": "JSON_PARSER_ERROR", "length": "STRING_TOO_LONG",
    "choice": "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
}  # fmt: skip


class Salesforce(Platform):
    """One program serving every council's organisation."""

    name = "salesforce"
    key, interface, between = _KEY, ("salesforce.openapi.yaml", "Fields"), ";"
    bad_file = "INVALID_CROSS_REFERENCE_KEY"

    def __init__(self, store: Store, clock: Callable[[], datetime], *, session_seconds: int = 7200) -> None:
        super().__init__(store, clock, session_seconds)

    def failure(self, _request: Request, status: int) -> Response:
        """What it says when the whole service is unwell or busy."""
        code = "REQUEST_LIMIT_EXCEEDED" if status == 429 else "SERVER_UNAVAILABLE"
        return self._refused(Refusal(status, code, "The service is not available."))

    def staff_delete(self, tenant: str, id: str) -> bool:
        """Delete a record as staff do; it is remembered for 15 days."""
        with self._store.transaction():
            if not self.rows(tenant).delete(id):
                return False
            stamp = _stamp(self._clock())
            self._gone(tenant).put(id, {"id": id, "deletedDate": stamp}, version=1, changed=stamp)
            return True

    def _refused(self, refusal: Refusal) -> Response:
        entry: dict[str, Any] = {"message": refusal.message, "errorCode": refusal.code}
        return _json(refusal.status, [entry | ({"fields": [refusal.field]} if refusal.field else {})])

    def _keep(self, tenant: str, id: str, body: Json, held: Document | None) -> Document:
        id = id or f"a00D{self._store.next_number(tenant, 'salesforce'):011d}IAM"
        stamp = _stamp(self._clock())
        body = {**body, "Id": id, "SystemModstamp": stamp, "LastModifiedDate": stamp}
        return self.rows(tenant).put(
            id, body, version=held.version + 1 if held else 1, changed=stamp, key=body.get(_KEY) or ""
        )

    def _route(self, request: Request, exchange: Exchange) -> Response:
        if request.path == "/services/oauth2/token" and request.method == "POST":
            exchange.begin("token")
            try:
                token = self._bearers.give(request, salesforce_login(request.tenant))
            except NoToken as refused:
                return _json(400, {"error": refused.error})
            # No expires_in, as there: a session lasts for as long as the organisation's settings say.
            return _json(200, {"access_token": token, "instance_url": request.url, "token_type": "Bearer"})
        steps = [step for step in request.path.removeprefix(ROOT).split("/") if step]
        inside = request.path.startswith(ROOT)
        match (request.method, steps if inside else ["?"]):
            case "GET", []:
                return self._begun(request, exchange, "resources", lambda: _json(200, {"sobjects": f"{ROOT}/sobjects"}))
            case "GET", ["query"]:
                return self._begun(request, exchange, "query", lambda: self._query(request, exchange, None))
            case "GET", ["query", place] if place.startswith("01g-") and place[4:].isdecimal():
                return self._begun(
                    request, exchange, "queryMore", lambda: self._query(request, exchange, int(place[4:]))
                )
            case "POST", ["sobjects", "ContentVersion"]:
                return self._begun(request, exchange, "file", lambda: self._file(request, exchange))
            case "GET", ["sobjects", name, "updated"] if name == OBJECT:
                return self._begun(request, exchange, "getUpdated", lambda: self._updated(request, exchange))
            case "GET", ["sobjects", name, "deleted"] if name == OBJECT:
                return self._begun(request, exchange, "getDeleted", lambda: self._deleted(request))
            case "GET", ["sobjects", name, id] if name == OBJECT:
                return self._begun(
                    request, exchange, "retrieve", lambda: self._shown(request, self._by_id(request, id))
                )
            case "PATCH", ["sobjects", name, id] if name == OBJECT:
                return self._begun(request, exchange, "update", lambda: self._update(request, exchange, id))
            case "GET", ["sobjects", name, field, key] if (name, field) == (OBJECT, _KEY):
                return self._begun(request, exchange, "retrieveByKey", lambda: self._by_key(request, key))
            case "PATCH", ["sobjects", name, field, key] if (name, field) == (OBJECT, _KEY):
                return self._begun(request, exchange, "upsert", lambda: self._upsert(request, exchange, key))
        exchange.begin("nothing")
        raise Refusal(404, "NOT_FOUND", "The requested resource does not exist")

    def _begun(
        self, request: Request, exchange: Exchange, operation: str, answering: Callable[[], Response]
    ) -> Response:
        exchange.begin(operation)
        if not self._bearers.good(request) or exchange.take("expired_token") is not None:
            raise Refusal(401, "INVALID_SESSION_ID", "Session expired or invalid")
        if exchange.take("limit_exceeded") is not None:
            raise Refusal(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        return answering()

    def _file(self, request: Request, exchange: Exchange) -> Response:
        """A new file, which belongs to the record that it is first published at."""
        file = json.loads(request.body)
        record = str(file.get("FirstPublishLocationId", ""))
        made = exchange.commit(lambda: self._filed(request.tenant, record, file, "VersionData"))
        return _json(201, {"id": made, "success": True, "errors": []})

    def _by_id(self, request: Request, id: str) -> Document:
        found = self.rows(request.tenant).get(id)
        if found is None:
            gone = self._gone(request.tenant).get(id) is not None
            raise Refusal(404, "ENTITY_IS_DELETED" if gone else "NOT_FOUND", "The record does not exist.")
        return found

    def _query(self, request: Request, exchange: Exchange, place: int | None) -> Response:
        """The one query that is understood: all ids, in their order; `place` is where a later page begins."""
        done = place or 0
        if place is None and request.query.get("q", "").split() != [
            "SELECT",
            "Id",
            "FROM",
            OBJECT,
            "ORDER",
            "BY",
            "Id",
        ]:
            raise Refusal(400, "MALFORMED_QUERY", "unexpected token")
        ids = [one.id for one in self.rows(request.tenant).each()]
        size = int(numbers["ids"]) if (numbers := exchange.take("small_pages")) else A_PAGE
        page = ids[done : done + size]
        body: Json = {"totalSize": len(ids), "done": done + size >= len(ids), "records": [{"Id": id} for id in page]}
        if not body["done"] or exchange.take("endless_page") is not None:
            body["nextRecordsUrl"] = f"/{request.tenant}/{self.name}{ROOT}/query/01g-{done + size}"
        if exchange.take("link_elsewhere") is not None:
            body["nextRecordsUrl"] = "https://elsewhere.example.org/services/data/v60.0/query/01g-1"
        return _json(200, body)

    def _window(self, request: Request, days: int) -> tuple[datetime, datetime]:
        try:
            begins, ends = (
                datetime.fromisoformat(request.query[name].replace(" ", "+")).replace(second=0, microsecond=0)
                for name in ("start", "end")
            )
        except (KeyError, ValueError):
            raise Refusal(400, "INVALID_REPLICATION_DATE", "start and end must be given") from None
        now = self._clock()
        if ends <= begins or begins < now - timedelta(days=days) or begins > now:
            raise Refusal(400, "INVALID_REPLICATION_DATE", "startDate and endDate cannot be replicated")
        return begins, min(ends, now)

    def _updated(self, request: Request, exchange: Exchange) -> Response:
        if exchange.take("forgotten_place") is not None:
            raise Refusal(400, "INVALID_REPLICATION_DATE", "startDate before org replication enabled date")
        begins, ends = self._window(request, UPDATED_DAYS)
        changed = self.rows(request.tenant).changed_since(_stamp(begins), limit=600_001)
        ids = [one.id for one in changed if one.changed < _stamp(ends)]
        return _json(200, {"ids": ids, "latestDateCovered": _stamp(ends)})

    def _deleted(self, request: Request) -> Response:
        begins, ends = self._window(request, DELETED_DAYS)
        gone = self._gone(request.tenant).changed_since(_stamp(begins), limit=600_001)
        earliest = self._clock() - timedelta(days=DELETED_DAYS)
        entries = [one.body for one in gone if one.changed < _stamp(ends)]
        return _json(
            200,
            {"deletedRecords": entries, "earliestDateAvailable": _stamp(earliest), "latestDateCovered": _stamp(ends)},
        )

    def _by_key(self, request: Request, key: str) -> Response:
        found = self.rows(request.tenant).by_key(key)
        if len(found) > 1:
            return _several(request, found)
        if not found:
            raise Refusal(404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible")
        return self._shown(request, found[0])

    def _shown(self, request: Request, held: Document) -> Response:
        wanted = [name for name in request.query.get("fields", "").split(",") if name]
        if unknown := set(wanted) - set(held.body):
            raise Refusal(400, "INVALID_FIELD", f"No such column '{min(unknown)}'", min(unknown))
        attributes = {"type": OBJECT, "url": f"{ROOT}/sobjects/{OBJECT}/{held.id}"}
        return _json(200, {"attributes": attributes, **{name: held.body[name] for name in wanted or held.body}})

    def _given(self, request: Request) -> Json:
        try:
            given = json.loads(request.body)
        except ValueError:
            given = None
        if not isinstance(given, dict):
            raise Refusal(400, "JSON_PARSER_ERROR", "The body is no JSON object.")
        if system := set(given) & set(_SYSTEM):
            raise Refusal(400, "INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to write the field", min(system))
        try:
            columns.check(self._columns, given, ";")
        except columns.Wrong as wrong:
            raise Refusal(400, _WRONG[wrong.kind], "The value is not taken.", wrong.column) from None
        return given

    def _upsert(self, request: Request, exchange: Exchange, key: str) -> Response:
        given = self._given(request)
        if _KEY in given:
            raise Refusal(400, "INVALID_FIELD", "The external id stands in the address.", _KEY)

        def change() -> Response:
            self._locked(exchange)
            with self._store.transaction():
                found = self.rows(request.tenant).by_key(key)
                if len(found) > 1:
                    return _several(request, found)
                held = found[0] if found else None
                body = {**(held.body if held else self._empty()), **given, _KEY: key}
                made = self._keep(request.tenant, held.id if held else "", body, held)
                told = {"id": made.id, "success": True, "errors": [], "created": held is None}
                return _json(200 if held else 201, told)

        return exchange.commit(change)

    def _update(self, request: Request, exchange: Exchange, id: str) -> Response:
        given = self._given(request)

        def change() -> Response:
            self._locked(exchange)
            with self._store.transaction():
                held = self._by_id(request, id)
                since = request.headers.get("if-unmodified-since")
                if since is not None and _second(held.body["LastModifiedDate"]) > parsedate_to_datetime(since):
                    raise Refusal(412, "PRECONDITION_FAILED", "The record was modified.")
                key = given.get(_KEY)
                if key and any(other.id != id for other in self.rows(request.tenant).by_key(key)):
                    raise Refusal(400, "DUPLICATE_VALUE", "duplicate value found", _KEY)
                self._keep(request.tenant, id, {**held.body, **given}, held)
                return Response(204)

        return exchange.commit(change)

    def _locked(self, exchange: Exchange) -> None:
        if exchange.take("locked_row") is not None:
            raise Refusal(400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record")


def _several(request: Request, found: list[Document]) -> Response:
    return _json(300, [f"/{request.tenant}/salesforce{ROOT}/sobjects/{OBJECT}/{one.id}" for one in found])


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}+0000"


def _second(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp).replace(microsecond=0)


def _json(status: int, body: object) -> Response:
    return Response(status, json.dumps(body, ensure_ascii=False).encode(), "application/json;charset=UTF-8")
