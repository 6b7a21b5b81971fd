"""The pretend Dataverse: a table of referrals behind the Web API (OData v4), as Microsoft publicly documents it.

It keeps our key as an alternate key, counts every change of its organisation in one row version, gives delta links that
it forgets after seven days, tells deletions as `$deletedEntity`, and checks If-Match and If-None-Match. What the
documents do not say is chosen here and said in docs/systems/dataverse.md.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from sandbox import columns
from sandbox.bearers import NoToken
from sandbox.exchange import Exchange, Request, Response
from sandbox.platform import Platform, Refusal
from sandbox.secrets import dataverse_login
from sandbox.store import Document, Json, Store

ROOT = "/api/data/v9.2"
TABLE = "/dolen_referrals"
MOST_A_PAGE = 5_000
DELTA_DAYS = 7
_ID, _KEY = "dolen_referralid", "dolen_key"
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ONE = re.compile(re.escape(TABLE) + r"\((?:dolen_key='(?P<key>(?:[^']|'')*)'|(?P<id>[^()']*))\)")
_NOTES = re.compile(re.escape(TABLE) + r"\(([^()']*)\)/dolen_referral_Annotations")
_CHOICES = re.compile(
    r"/EntityDefinitions\(LogicalName='dolen_referral'\)/Attributes(?:\(LogicalName='(\w+)'\))?"
    r"/Microsoft\.Dynamics\.CRM\.(?:MultiSelect)?PicklistAttributeMetadata"
)
_FORMATTED = "OData.Community.Display.V1.FormattedValue"
_NOT_WITH_TRACKING = ("$filter", "$orderby", "$expand", "$top")
_THROTTLED = ("0x80072322", "Number of requests exceeded the limit over time window of 300 seconds.")
_WRONG = {"unknown": "0x80048d19", "type": "0x80048d19", "length": "0x80044331", "choice": "0x8004431a"}


class Dataverse(Platform):
    """One program serving every council's environment."""

    name = "dataverse"
    key, interface, between = _KEY, ("dataverse.openapi.yaml", "Columns"), ","
    bad_file = "0x80040203"  # InvalidArgument

    def __init__(self, store: Store, clock: Callable[[], datetime], *, token_seconds: int = 3599) -> None:
        super().__init__(store, clock, token_seconds)

    def failure(self, _request: Request, status: int) -> Response:
        """What it says when the whole service is unwell or busy."""
        code, words = _THROTTLED if status == 429 else ("0x80040216", "An unexpected error occurred.")
        return self._refused(Refusal(status, code, words))

    def staff_delete(self, tenant: str, id: str) -> bool:
        """Delete a row as staff do; the change tracking remembers it."""
        with self._store.transaction():
            if not self.rows(tenant).delete(id):
                return False
            number = self._next(tenant)
            self._gone(tenant).put(id, {"id": id}, version=number, changed=_order(number))
            return True

    def _next(self, tenant: str) -> int:
        return self._store.next_number(tenant, "dataverse row version")

    def _refused(self, refusal: Refusal) -> Response:
        return _json(refusal.status, {"error": {"code": refusal.code, "message": refusal.message}})

    def _keep(self, tenant: str, id: str, body: Json, held: Document | None) -> Document:
        id = id or str(uuid.uuid4())
        number = self._next(tenant)
        now = self._clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        body = {**body, _ID: id, "createdon": held.body["createdon"] if held else now, "modifiedon": now}
        self._gone(tenant).delete(id)
        return self.rows(tenant).put(id, body, version=number, changed=_order(number), key=body.get(_KEY) or "")

    def _route(self, request: Request, exchange: Exchange) -> Response:
        if request.path == "/oauth2/v2.0/token" and request.method == "POST":
            exchange.begin("token")
            try:
                token = self._bearers.give(request, dataverse_login(request.tenant))
            except NoToken as refused:
                return _json(refused.status, {"error": refused.error})
            return _json(
                200, {"token_type": "Bearer", "expires_in": self._bearers.seconds, "access_token": token},
                {"Cache-Control": "no-store"},
            )  # fmt: skip
        place = request.path.removeprefix(ROOT)
        if (notes := _NOTES.fullmatch(place)) or place == "/annotations":
            return self._notes(request, exchange, notes)
        one, choices = _ONE.fullmatch(place), _CHOICES.fullmatch(place)
        table = place in (TABLE, TABLE + "/")
        wanted = {"GET": "Retrieve", "PATCH": "Upsert"} if one else {"GET": "List", "POST": "Create"} if table else {}
        if choices or place == "/EntityDefinitions":
            wanted = {"GET": "Definitions"}
        if place == request.path or not wanted:
            exchange.begin("nothing")
            self._authorise(request, exchange)
            raise Refusal(404, "0x8006088a", "Resource not found for the segment.")
        if request.method not in wanted:
            raise Refusal(405, "0x80060888", "The method is not allowed for this resource.")
        exchange.begin(wanted[request.method])
        self._authorise(request, exchange)
        if choices:
            return self._choices(choices[1])
        if place == "/EntityDefinitions":
            definition = {
                "LogicalName": "dolen_referral", "EntitySetName": TABLE[1:], "PrimaryIdAttribute": _ID,
                "ChangeTrackingEnabled": True,
            }  # fmt: skip
            named = "'dolen_referral'" in request.query.get("$filter", "'dolen_referral'")
            return _json(200, {"value": [definition] if named else []})
        if table:
            return self._list(request, exchange) if request.method == "GET" else self._create(request, exchange)
        assert one is not None
        if request.method == "GET":
            return self._shown(request, self._found(request.tenant, one), 200)
        return self._upsert(request, exchange, one)

    def _notes(self, request: Request, exchange: Exchange, listed: re.Match[str] | None) -> Response:
        """The notes of a row, each with its file: listed, or a new one."""
        exchange.begin("Notes" if listed else "Annotate")
        self._authorise(request, exchange)
        if listed is not None:
            found = self.files(request.tenant, listed[1])
            return _json(200, {"value": [{"annotationid": one.id, **one.body} for one in found]})
        note = json.loads(request.body)
        record = _ONE.fullmatch(str(note.pop("objectid_dolen_referral@odata.bind", "")))
        made = exchange.commit(
            lambda: self._filed(request.tenant, record["id"] if record else "", note, "documentbody")
        )
        return Response(204, b"", headers={"OData-EntityId": f"{request.url}{ROOT}/annotations({made})"})

    def _authorise(self, request: Request, exchange: Exchange) -> None:
        if not self._bearers.good(request) or exchange.take("expired_token") is not None:
            raise Refusal(401, "", "The token is missing, expired or of another environment.")

    def _found(self, tenant: str, one: re.Match[str]) -> Document:
        found = self._at(tenant, one)
        if found is None:
            code = "0x80060891" if one["key"] is not None else "0x80040217"
            raise Refusal(404, code, "The record does not exist.")
        return found

    def _at(self, tenant: str, one: re.Match[str]) -> Document | None:
        if one["key"] is not None:
            return next(iter(self.rows(tenant).by_key(one["key"].replace("''", "'"))), None)
        if not _GUID.fullmatch(one["id"]):
            raise Refusal(400, "0x80060888", "A key in the address is not a GUID.")
        return self.rows(tenant).get(one["id"])

    def _list(self, request: Request, exchange: Exchange) -> Response:
        tenant, query = request.tenant, request.query
        prefer = request.headers.get("prefer", "")
        tracking = "odata.track-changes" in prefer
        if tracking and (wrong := [name for name in _NOT_WITH_TRACKING if name in query]):
            raise Refusal(400, "0x80060888", f"{wrong[0]} is not supported when Change Tracking is enabled.")
        size = min(_number(prefer, "odata.maxpagesize") or MOST_A_PAGE, MOST_A_PAGE)
        began, until, after = -1, 0, -1
        if "$skiptoken" in query:
            began, until, after, tracked = map(int, query["$skiptoken"].split("."))
            tracking = bool(tracked)
        elif "$deltatoken" in query:
            began = after = self._began(query["$deltatoken"], exchange)
            tracking = True
        until = until or self._last(tenant)
        repeated = after >= 0 and exchange.take("repeated_page") is not None
        found = [
            one for one in self.rows(tenant).changed_since(_order(after + 1), limit=size + 1) if one.version > after
        ]
        page = found[:size]
        if page and exchange.take("changed_while_paging") is not None:
            with self._store.transaction():
                self._keep(tenant, page[0].id, page[0].body, page[0])
        value: list[Json] = [self._row(request, one) for one in page]
        if value and (huge := exchange.take("huge_record")) is not None:
            value[-1]["dolen_reason"] = "x" * int(huge["bytes"])
        if value and exchange.take("broken_record") is not None:
            value[0]["dolen_status"] = "see paper file"
        body: Json = {"@odata.context": f"{request.url}{ROOT}/$metadata#dolen_referrals", "value": value}
        if len(found) > len(page) or repeated or exchange.take("endless_page") is not None:
            at = after if repeated else page[-1].version if page else after
            body["@odata.nextLink"] = self._link(request, "$skiptoken", f"{began}.{until}.{at}.{int(tracking)}")
        elif tracking:
            if began >= 0:
                value += self._deleted(request, began)
            stamp = self._clock().astimezone(UTC).strftime("%m/%d/%Y %H:%M:%S")
            body["@odata.deltaLink"] = self._link(request, "$deltatoken", f"{until}!{stamp}")
        if exchange.take("link_elsewhere") is not None:
            for name in ("@odata.nextLink", "@odata.deltaLink"):
                body |= {name: "https://elsewhere.example.org/api/data/v9.2/dolen_referrals"} if name in body else {}
        return _json(200, body, {"OData-Version": "4.0"})

    def _began(self, token: str, exchange: Exchange) -> int:
        number, _, stamp = token.partition("!")
        try:
            given = datetime.strptime(stamp, "%m/%d/%Y %H:%M:%S").replace(tzinfo=UTC)
            began = int(number)
        except ValueError:
            raise Refusal(400, "0x80060888", "The delta token cannot be read.") from None
        if self._clock() - given > timedelta(days=DELTA_DAYS) or exchange.take("forgotten_place") is not None:
            words = "Version stamp associated with the client has expired. Please perform a full sync."
            raise Refusal(400, "0x80044352", words)
        return began

    def _last(self, tenant: str) -> int:
        """The newest row version there is."""
        rows = self._store.execute(
            "SELECT max(version) FROM document WHERE tenant = ? AND system = ?", (tenant, self.name)
        )
        return int(rows[0][0] or 0)

    def _deleted(self, request: Request, began: int) -> list[Json]:
        context = f"{request.url}{ROOT}/$metadata#dolen_referrals/$deletedEntity"
        gone = self._gone(request.tenant).changed_since(_order(began + 1), limit=MOST_A_PAGE)
        return [{"@odata.context": context, "id": one.id, "reason": "deleted"} for one in gone]

    def _link(self, request: Request, name: str, token: str) -> str:
        kept = {key: text for key, text in request.query.items() if key not in ("$skiptoken", "$deltatoken")}
        told = "&".join(f"{key}={quote(text)}" for key, text in {**kept, name: token}.items())
        return f"{request.url}{ROOT}{TABLE}?{told}"

    def _create(self, request: Request, exchange: Exchange) -> Response:
        given = self._given(request)
        return exchange.commit(lambda: self._make(request, given, given.get(_KEY)))

    def _make(self, request: Request, given: Json, key: Any) -> Response:
        with self._store.transaction():
            if isinstance(key, str) and self.rows(request.tenant).by_key(key):
                raise Refusal(412, "0x80060892", "Entity Key violated. A record with the same value already exists.")
            made = self._keep(request.tenant, str(uuid.uuid4()), {**self._empty(), **given, _KEY: key}, None)
            return self._shown(request, made, 201)

    def _upsert(self, request: Request, exchange: Exchange, one: re.Match[str]) -> Response:
        given = self._given(request)

        def change() -> Response:
            with self._store.transaction():
                held = self._at(request.tenant, one)
                match, none = request.headers.get("if-match"), request.headers.get("if-none-match")
                if held is None and match is not None:
                    self._found(request.tenant, one)
                if held is None:
                    key = given.get(_KEY) if one["key"] is None else one["key"].replace("''", "'")
                    return self._make(request, given, key)
                if none == "*":
                    raise Refusal(412, "", "A record with matching key values already exists.")
                if match not in (None, "*", _etag(held)):
                    words = "The version of the existing record doesn't match the RowVersion property provided."
                    raise Refusal(412, "0x80060882", words)
                key = held.body[_KEY] if one["key"] is not None else given.get(_KEY, held.body[_KEY])
                others = self.rows(request.tenant).by_key(key or "")
                if any(other.id != held.id for other in others):
                    raise Refusal(412, "0x80060892", "Entity Key violated.")
                body = {**held.body, **given, _KEY: key}
                return self._shown(request, self._keep(request.tenant, held.id, body, held), 200)

        return exchange.commit(change)

    def _given(self, request: Request) -> Json:
        try:
            given = json.loads(request.body)
        except ValueError:
            given = None
        if not isinstance(given, dict):
            raise Refusal(400, "0x80048d19", "Error identified in Payload provided by the user.")
        try:
            columns.check(self._columns, given, ",")
        except columns.Wrong as wrong:
            raise Refusal(400, _WRONG[wrong.kind], f"A validation error occurred for {wrong.column}.") from None
        return given

    def _row(self, request: Request, held: Document) -> Json:
        selected = [name for name in request.query.get("$select", "").split(",") if name]
        if unknown := set(selected) - set(held.body):
            raise Refusal(400, "0x80060888", f"Could not find a property named '{min(unknown)}'.")
        shown = {name: held.body[name] for name in (*selected, _ID)} if selected else dict(held.body)
        if _FORMATTED in request.headers.get("prefer", ""):
            shown |= {f"{name}@{_FORMATTED}": str(value) for name, value in shown.items() if type(value) is int}
        return {"@odata.etag": _etag(held), **shown}

    def _shown(self, request: Request, held: Document, status: int) -> Response:
        id = {"OData-EntityId": f"{request.url}{ROOT}{TABLE}({held.id})", "OData-Version": "4.0"}
        wanted = request.method == "GET" or "return=representation" in request.headers.get("prefer", "")
        if not wanted:
            return Response(204, headers=id)
        return _json(status, self._row(request, held), {**id, "ETag": _etag(held)})

    def _choices(self, name: str | None) -> Response:
        """The choices of one column, or of all that have some."""
        found = [
            {
                "LogicalName": column,
                "OptionSet": {"Options": [_option(column, code) for code in codes if code is not None]},
            }
            for column, told in self._columns.items()
            if name in (None, column) and (codes := told.get("items", told).get("enum"))
        ]
        if name is None:
            return _json(200, {"value": found})
        if not found:
            raise Refusal(404, "0x80060888", "The attribute is no choice.")
        return _json(200, found[0])


def _option(column: str, code: Any) -> Json:
    label = {"Label": f"{column} {code}", "LanguageCode": 1033}
    return {"Value": int(code), "Label": {"LocalizedLabels": [label], "UserLocalizedLabel": label}}


def _order(number: int) -> str:
    return f"{max(number, 0):012d}"


def _etag(held: Document) -> str:
    return f'W/"{held.version}"'


def _number(prefer: str, name: str) -> int:
    found = re.search(rf"{re.escape(name)}=(\d{{1,6}})", prefer)
    return int(found[1]) if found else 0


def _json(status: int, body: object, headers: Json | None = None) -> Response:
    text = json.dumps(body, ensure_ascii=False).encode()
    return Response(status, text, "application/json; odata.metadata=minimal", headers or {})
