"""The pretend health service: FHIR R4 over REST behind an API key, for Patient, ServiceRequest, Task and
DocumentReference.

It creates on condition (If-None-Exist), checks If-Match, keeps every version and tells of deletions in its history.
What does not fit FHIR's definitions is refused with an OperationOutcome that names the element.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from sandbox.exchange import Exchange, Request, Response
from sandbox.health import shape
from sandbox.health.cabinet import DOCUMENTS, KEPT, LEAD, REFERENCES, TYPES, Cabinet, led_to
from sandbox.health.searches import Searches, Unsupported, parameters
from sandbox.secrets import health_login
from sandbox.store import Document, Json, Store

JSON = "application/fhir+json"
PUBLISHED = "2026-01-01T00:00:00+00:00"
HEADER = "apikey"


class _Refusal(Exception):
    def __init__(self, status: int, code: str, words: str, element: str = "") -> None:
        super().__init__(code)
        self.status, self.code, self.words, self.element = status, code, words, element


class Health:
    """One program serving every council's health service."""

    name = "health"

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self.cabinet = Cabinet(store, self.name, clock)
        self._searches = Searches(self.cabinet)

    def answer(self, request: Request, exchange: Exchange) -> Response:
        """Answer one call."""
        try:
            return self._route(request, exchange)
        except _Refusal as refusal:
            exchange.outcome = f"{refusal.status} {refusal.code}"
            return _outcome(refusal.status, refusal.code, refusal.words, refusal.element)
        except Unsupported as wrong:
            exchange.outcome = "400 not-supported"
            return _outcome(400, "not-supported", str(wrong))

    def failure(self, _request: Request, status: int) -> Response:
        """What it says when the whole server is unwell or busy."""
        code = {429: "throttled", 503: "transient"}.get(status, "exception")
        return _outcome(status, code, "The server cannot answer now.")

    def staff_put(self, tenant: str, id: str, record: Json) -> Json:
        """Write a referral as the health service's staff do; `id` "" makes a new one. `record` holds resources by type.

        Returns it as it is kept. Raises ValueError where the screens refuse.
        """
        if unknown := sorted(set(record) - set(TYPES)):
            raise ValueError(f"{unknown[0]} is not kept here.")
        with self._store.transaction():
            held = self.referral(tenant, id) if id else {}
            kept: Json = {}
            for type in TYPES:
                resource = {**held.get(type, {}), **record.get(type, {})}
                if type == "ServiceRequest":
                    resource.setdefault("subject", {"reference": f"Patient/{kept['Patient']['id']}"})
                if type == LEAD:
                    resource.setdefault("focus", {"reference": f"ServiceRequest/{kept['ServiceRequest']['id']}"})
                    resource.setdefault("for", {"reference": f"Patient/{kept['Patient']['id']}"})
                shape.check(type, {**resource, "resourceType": type})
                known = held.get(type, {}).get("id", "")
                changed = not known or type in record
                kept[type] = self.cabinet.keep(tenant, type, known, resource).body if changed else held[type]
        return kept

    def write_unchecked(self, tenant: str, id: str, record: Json) -> Json:
        """Write a Task past every check, as an old import once did."""
        return self.cabinet.keep(tenant, LEAD, id, record).body

    def referral(self, tenant: str, id: str) -> Json:
        """A Task with what it is about, by type; what is not there is left out."""
        task = self.cabinet.get(tenant, LEAD, id)
        found: Json = {LEAD: task.body} if task else {}
        for element, type in (("focus", "ServiceRequest"), ("for", "Patient")):
            told = (found.get(LEAD, {}).get(element) or {}).get("reference", "").partition("/")[2]
            held = self.cabinet.get(tenant, type, told) if told else None
            if held is not None:
                found[type] = held.body
        return found

    def documents(self, tenant: str, id: str) -> list[Json]:
        """The DocumentReferences of the referral of a Task, as they are kept."""
        request = self.referral(tenant, id).get("ServiceRequest", {}).get("id", "")
        found = self.cabinet.known_by(tenant, DOCUMENTS, "related", f"ServiceRequest/{request}")
        return [one.body for one in found]

    def _route(self, request: Request, exchange: Exchange) -> Response:
        steps = [step for step in request.path.split("/") if step]
        base = f"{request.url}/fhir"
        if steps[:1] != ["fhir"]:
            raise _Refusal(404, "not-found", "There is nothing at this address.")
        steps = steps[1:]
        if steps == ["metadata"] and request.method == "GET":
            exchange.begin("capabilities")
            return _shown(200, capabilities())
        type = steps[0] if steps else ""
        if type not in KEPT:
            raise _Refusal(404, "not-supported", "That resource is not kept here.")
        match request.method, steps[1:]:
            case "POST", ["_search"]:
                exchange.begin(f"search {type}")
                pairs = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
                return self._search(request, exchange, type, pairs, base)
            case "POST", ["$validate"]:
                exchange.begin(f"validate {type}")
                self._authorise(request)
                self._leads_somewhere(request.tenant, type, _body(request, type))
                return _judged()
            case "GET", []:
                exchange.begin(f"search {type}")
                return self._search(request, exchange, type, list(request.query.items()), base)
            case "GET", ["_history"]:
                exchange.begin(f"history {type}")
                self._authorise(request)
                pairs = list(request.query.items())
                parameters(pairs)
                return _shown(200, self._searches.history(request.tenant, type, pairs, base))
            case "GET", [id]:
                exchange.begin(f"read {type}")
                self._authorise(request)
                return _one(200, self._held(request.tenant, type, id))
            case "POST", []:
                exchange.begin(f"create {type}")
                return self._create(request, exchange, type, base)
            case "PUT", [id]:
                exchange.begin(f"update {type}")
                return self._update(request, exchange, type, id)
            case "PUT", []:
                exchange.begin(f"update {type}")
                return self._update_known(request, exchange, type, base)
            case "DELETE", [id]:
                exchange.begin(f"delete {type}")
                self._authorise(request)
                self._held(request.tenant, type, id)
                exchange.commit(lambda: self.cabinet.delete(request.tenant, type, id))
                return Response(204)
        raise _Refusal(405, "not-supported", "That cannot be done at this address.")

    def _authorise(self, request: Request) -> None:
        given = request.headers.get(HEADER, "").encode()
        if not hmac.compare_digest(given, health_login(request.tenant)["api_key"].encode()):
            raise _Refusal(401, "login", "The key is missing, or of another council.")

    def _search(self, request: Request, exchange: Exchange, type: str, pairs: Any, base: str) -> Response:
        self._authorise(request)
        parameters(pairs)
        return _shown(200, self._searches.search(request.tenant, type, pairs, base, exchange.take))

    def _create(self, request: Request, exchange: Exchange, type: str, base: str) -> Response:
        self._authorise(request)
        resource, unless = _body(request, type), request.headers.get("if-none-exist")
        minimal = request.headers.get("prefer") == "return=minimal"

        def change() -> Response:
            with self._store.transaction():
                if unless is not None:
                    there = self._bearing(request.tenant, type, unless)
                    if len(there) > 1:
                        raise _Refusal(412, "multiple-matches", "Several resources meet If-None-Exist.")
                    if there:
                        where = f"{base}/{type}/{there[0].id}"
                        return _brief(there[0], where, 200) if minimal else _one(200, there[0], where)
                self._leads_somewhere(request.tenant, type, resource)
                made = self.cabinet.keep(request.tenant, type, "", resource)
                where = f"{base}/{type}/{made.id}/_history/{made.version}"
                return _brief(made, where) if minimal else _one(201, made, where)

        return exchange.commit(change)

    def _update(self, request: Request, exchange: Exchange, type: str, id: str) -> Response:
        self._authorise(request)
        resource, wanted = _body(request, type), request.headers.get("if-match")
        if resource.get("id") != id:
            raise _Refusal(400, "invalid", "The resource's id is not that of the address.", f"{type}.id")
        if wanted is None:
            raise _Refusal(412, "required", "Send If-Match with the version you have read.")

        def change() -> Response:
            with self._store.transaction():
                held = self._held(request.tenant, type, id)
                if wanted != f'W/"{held.version}"':
                    raise _Refusal(412, "conflict", "The resource has changed since you read it.")
                self._leads_somewhere(request.tenant, type, resource)
                return _one(200, self.cabinet.keep(request.tenant, type, id, resource))

        return exchange.commit(change)

    def _update_known(self, request: Request, exchange: Exchange, type: str, base: str) -> Response:
        """A conditional update: of the one that bears the identifier in the address, or else a new one."""
        self._authorise(request)
        resource, wanted = _body(request, type), request.headers.get("if-match")
        which = f"identifier={request.query.get('identifier', '')}"

        def change() -> Response:
            with self._store.transaction():
                there = self._bearing(request.tenant, type, which)
                if len(there) > 1:
                    raise _Refusal(412, "multiple-matches", "Several resources bear that identifier.")
                held = there[0] if there else None
                if held is not None and resource.get("id") not in (None, held.id):
                    raise _Refusal(400, "invalid", "The resource's id is another's.", f"{type}.id")
                if wanted is not None and (held is None or wanted != f'W/"{held.version}"'):
                    raise _Refusal(412, "conflict", "The resource has changed since you read it.")
                self._leads_somewhere(request.tenant, type, resource)
                made = self.cabinet.keep(request.tenant, type, held.id if held else "", resource)
                if held is not None:
                    return _one(200, made)
                return _one(201, made, f"{base}/{type}/{made.id}/_history/{made.version}")

        return exchange.commit(change)

    def _held(self, tenant: str, type: str, id: str) -> Document:
        held = self.cabinet.get(tenant, type, id)
        if held is None and self.cabinet.was_there(tenant, type, id):
            raise _Refusal(410, "deleted", "That resource was deleted.")
        if held is None:
            raise _Refusal(404, "not-found", "There is no such resource.")
        return held

    def _bearing(self, tenant: str, type: str, unless: str) -> list[Document]:
        name, _, value = unless.partition("=")
        if name != "identifier" or "|" not in unquote(value):
            raise _Refusal(400, "not-supported", "If-None-Exist is supported with an identifier.")
        return self.cabinet.known_by(tenant, type, "identifier", unquote(value))

    def _leads_somewhere(self, tenant: str, type: str, resource: Json) -> None:
        for element in set(REFERENCES[type].values()):
            for told in led_to(resource, element):
                other, _, id = told.partition("/")
                if other not in TYPES or self.cabinet.get(tenant, other, id) is None:
                    raise _Refusal(422, "business-rule", "A reference leads to nothing here.", f"{type}.{element}")


def capabilities() -> Json:
    """What the server says of itself."""
    names = ("read", "search-type", "create", "update", "delete", "history-type")
    resources = [
        {
            "type": type,
            "interaction": [{"code": name} for name in names],
            "versioning": "versioned-update",
            "conditionalCreate": True,
            "conditionalUpdate": True,
            "searchInclude": [f"{type}:{way}" for way in REFERENCES[type]],
            "searchParam": [
                {"name": name, "type": kind}
                for name, kind in (("_id", "token"), ("_lastUpdated", "date"), ("identifier", "token"),
                                   *((way, "reference") for way in REFERENCES[type]))
            ],
        }
        for type in KEPT
    ]  # fmt: skip
    return {
        "resourceType": "CapabilityStatement", "status": "active", "date": PUBLISHED, "kind": "instance",
        "fhirVersion": "4.0.1", "format": ["json"],
        "implementation": {"description": "Pretend health service"},
        "rest": [{"mode": "server", "resource": resources}],
    }  # fmt: skip


def _body(request: Request, type: str) -> Json:
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != JSON:
        raise _Refusal(415, "not-supported", f"Send {JSON}.")
    try:
        given = json.loads(request.body)
    except ValueError:
        raise _Refusal(400, "structure", "The body is not JSON in UTF-8.") from None
    if not isinstance(given, dict) or given.get("resourceType") != type:
        raise _Refusal(400, "invalid", f"The body must be one {type}.")
    try:
        shape.check(type, given)
    except shape.Misshapen as wrong:
        raise _Refusal(422, "structure", str(wrong), wrong.element) from None
    return given


def _one(status: int, held: Document, location: str = "") -> Response:
    headers = {"ETag": f'W/"{held.version}"', **({"Location": location} if location else {})}
    return _shown(status, held.body, headers)


def _brief(held: Document, location: str, status: int = 201) -> Response:
    """What `Prefer: return=minimal` asks for: headers alone (FHIR R4, http.html#ops)."""
    return Response(status, b"", headers={"ETag": f'W/"{held.version}"', "Location": location})


def _shown(status: int, body: Json, headers: dict[str, str] | None = None) -> Response:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(status, text, f"{JSON}; charset=utf-8", headers or {})


def _judged() -> Response:
    """What $validate says of a resource that would be taken."""
    issue = {"severity": "information", "code": "informational", "diagnostics": "It would be taken."}
    return _shown(200, {"resourceType": "OperationOutcome", "issue": [issue]})


def _outcome(status: int, code: str, words: str, element: str = "") -> Response:
    issue: Json = {"severity": "error", "code": code, "diagnostics": words}
    if element:
        issue["expression"] = [element]
    return _shown(status, {"resourceType": "OperationOutcome", "issue": [issue]})
