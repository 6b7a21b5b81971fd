"""The pretend CXM's operations, and what its own staff can do to its cases.

Every body is checked against the interface. An update replaces the case, and nobody's version is asked for;
external_reference is kept and searchable but not unique: a create that is sent twice makes two cases.
"""

from __future__ import annotations

import hmac
import json
import secrets
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from sandbox.exchange import Exchange, Request, Response
from sandbox.secrets import jadu_login
from sandbox.shown import Shown
from sandbox.store import Collection, Document, Json, Store

TOKEN_MINUTES = 30
_GIVEN = ("reference", "updated_at")


class Refusal(Exception):
    """A call that is refused."""

    def __init__(self, status: int, code: str, detail: str, field: str = "") -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.field = status, code, detail, field


@cache
def published() -> bytes:
    """The bytes of the OpenAPI file."""
    return (files("sandbox") / "interfaces" / "jadu.openapi.yaml").read_bytes()


@cache
def _validator(name: str) -> Draft202012Validator:
    document: Json = YAML(typ="safe", pure=True).load(published().decode())
    whole = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    return Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)


@cache
def _fields() -> frozenset[str]:
    document: Json = YAML(typ="safe", pure=True).load(published().decode())
    return frozenset(document["components"]["schemas"]["CaseFields"]["properties"])


class Jadu:
    """The system behind `/<council>/jadu`."""

    name = "jadu"

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens: dict[str, tuple[str, datetime]] = {}
        self.shown = Shown(published())

    def answer(self, request: Request, exchange: Exchange) -> Response:
        """Answer one call."""
        try:
            return self._route(request, exchange)
        except Refusal as refusal:
            exchange.outcome = f"{refusal.status} {refusal.code}"
            return _error(refusal)

    def failure(self, request: Request, status: int) -> Response:  # noqa: ARG002 - the port's
        """What it says when the whole server is unwell or busy."""
        return _error(Refusal(status, "too_many" if status == 429 else "server", "Not now."))

    def staff_put(self, tenant: str, id: str, record: Json) -> Json:
        """Write a case as staff do; `id` "" makes a new one. Raises ValueError where the screen refuses."""
        record = {name: part for name, part in record.items() if name not in _GIVEN}
        try:
            _fits(record)
        except Refusal as refusal:
            raise ValueError(f"{refusal.field}: {refusal.detail}") from None
        return self.write_unchecked(tenant, id, record)

    def write_unchecked(self, tenant: str, id: str, record: Json) -> Json:
        """Write a case past the checks, as an old import once did."""
        record = {name: part for name, part in record.items() if name not in _GIVEN}
        with self._store.transaction():
            before = self._cases(tenant).get(id) if id else None
            return self._put(tenant, id or self._next(tenant), record, before).body

    def _route(self, request: Request, exchange: Exchange) -> Response:
        told = (request.method, *request.path.removeprefix("/api").strip("/").split("/"))
        if told == ("POST", "sign-in"):
            exchange.begin("signIn")
            return self._sign_in(request)
        match told:
            case ("GET", "filters", "dolen", "cases"):
                exchange.begin("filterCases")
                self._authorise(request, exchange)
                return self._filtered(request, exchange)
            case ("POST", "case-types", "adult-social-care", "cases"):
                exchange.begin("createCase")
                self._authorise(request, exchange)
                return self._create(request, exchange)
            case ("GET", "cases"):
                exchange.begin("findCases")
                self._authorise(request, exchange)
                found = self._cases(request.tenant).by_key(request.query.get("external_reference", ""))
                return _json(200, {"cases": [case.body for case in found]})
            case ("GET", "cases", reference):
                exchange.begin("getCase")
                self._authorise(request, exchange)
                return _json(200, self._held(request.tenant, reference).body)
            case ("PUT", "cases", reference):
                exchange.begin("updateCase")
                self._authorise(request, exchange)
                return self._update(request, exchange, reference)
        raise Refusal(404, "no_such_page", "There is nothing here.")

    def _sign_in(self, request: Request) -> Response:
        login, given = jadu_login(request.tenant), _body(request)
        self._check_key(request)
        right = all(
            hmac.compare_digest(str(given.get(name, "")).encode(), login[name].encode())
            for name in ("username", "password")
        )
        if not right:
            raise Refusal(401, "sign_in", "User name or password is wrong.")
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._tokens[token] = (request.tenant, self._clock() + timedelta(minutes=TOKEN_MINUTES))
        return _json(200, {"token": token})

    def _check_key(self, request: Request) -> None:
        key = request.headers.get("x-api-key", "")
        if not hmac.compare_digest(key.encode(), jadu_login(request.tenant)["api_key"].encode()):
            raise Refusal(401, "key", "The API key is wrong.")

    def _authorise(self, request: Request, exchange: Exchange) -> None:
        self._check_key(request)
        token = request.headers.get("x-auth-token", "")
        expired = exchange.take("expired_token") is not None
        with self._lock:
            if expired:
                self._tokens.pop(token, None)
            tenant, until = self._tokens.get(token, ("", self._clock()))
        if tenant != request.tenant or until <= self._clock():
            raise Refusal(401, "sign_in", "Sign in first.")

    def _filtered(self, request: Request, exchange: Exchange) -> Response:
        page, size = _number(request, "page", 1_000_000), _number(request, "per_page", 100)
        every = sorted(self._cases(request.tenant).each(), key=lambda case: (case.changed, case.id), reverse=True)
        if exchange.take("endless_page") is not None:
            page = 1
        bodies = [case.body for case in every[(page - 1) * size : page * size]]
        if bodies and exchange.take("broken_record") is not None:
            bodies[0] = {**bodies[0], "person": {**bodies[0]["person"], "date_of_birth": "31/12/1950"}}
        if bodies and (huge := exchange.take("huge_record")):
            bodies[0] = {**bodies[0], "details": "A" * int(huge["bytes"])}
        if every and exchange.take("changed_while_paging") is not None:
            last = every[-1]
            self.staff_put(request.tenant, last.id, {**last.body, "assignee": "Rang again"})
        return _json(200, {"cases": bodies, "total": len(every)})

    def _create(self, request: Request, exchange: Exchange) -> Response:
        case = _writable(request)

        def create() -> Document:
            with self._store.transaction():
                return self._put(request.tenant, self._next(request.tenant), case, None)

        return _json(201, {"reference": exchange.commit(create).id})

    def _update(self, request: Request, exchange: Exchange, reference: str) -> Response:
        case = _writable(request)

        def update() -> Document:
            with self._store.transaction():
                return self._put(request.tenant, reference, case, self._held(request.tenant, reference))

        return _json(200, exchange.commit(update).body)

    def _held(self, tenant: str, reference: str) -> Document:
        held = self._cases(tenant).get(reference)
        if held is None:
            raise Refusal(404, "not_found", "There is no such case.")
        return held

    def _put(self, tenant: str, id: str, case: Json, before: Document | None) -> Document:
        stamp = self._clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if before is not None:
            stamp = max(stamp, before.changed)  # a clock that was set back must not hide a change
        body = {**case, "reference": id, "updated_at": stamp}
        version = before.version + 1 if before else 1
        key = str(case.get("external_reference") or "")
        return self._cases(tenant).put(id, body, version=version, changed=stamp, key=key)

    def _next(self, tenant: str) -> str:
        return f"ASC-{self._store.next_number(tenant, self.name):06d}"

    def _cases(self, tenant: str) -> Collection:
        return self._store.collection(tenant, self.name)


def _fits(case: Json) -> None:
    if unknown := sorted(set(case) - _fields()):
        raise Refusal(422, "invalid", "This is no field of a case.", unknown[0])
    errors = sorted(_validator("CaseWritten").iter_errors(case), key=lambda error: [str(s) for s in error.path])
    if errors:
        error: Any = errors[0]
        missing = (
            [name for name in error.validator_value if name not in error.instance]
            if error.validator == "required"
            else []
        )
        path = "/".join([*map(str, error.absolute_path), *missing[:1]])
        raise Refusal(422, "invalid", f"It does not fit the interface ({error.validator}).", path)


def _writable(request: Request) -> Json:
    case = _body(request)
    _fits(case)
    return case


def _body(request: Request) -> Json:
    try:
        given = json.loads(request.body)
    except ValueError:
        raise Refusal(422, "invalid", "The body is not JSON in UTF-8.") from None
    if not isinstance(given, dict):
        raise Refusal(422, "invalid", "The body must be one JSON object.")
    return given


def _number(request: Request, name: str, most: int) -> int:
    text = request.query.get(name, "")
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise Refusal(422, "invalid", f"Write a whole number from 1 to {most}.", name)
    return int(text)


def _error(refusal: Refusal) -> Response:
    told = {"code": refusal.code, "detail": refusal.detail, "field": refusal.field or None}
    return _json(refusal.status, {"error": told})


def _json(status: int, body: Any) -> Response:
    return Response(status, json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())
