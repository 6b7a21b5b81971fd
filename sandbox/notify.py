"""The pretend GOV.UK Notify: the public version 2 interface for texts and emails, driven by the official client.

Tokens are checked as Notify does: HS256, the service as issuer, issued within thirty seconds. As there, nothing stops a
caller from sending the same text twice; references can be looked up but are not unique. A message's state follows the
clock: created, then sending, then delivered, or a failure for the two numbers that Notify sets aside for it.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from heapq import nlargest
from importlib.resources import files
from typing import Any, TypedDict
from urllib.parse import urlencode

import jwt

from sandbox.exchange import Exchange, Request, Response
from sandbox.secrets import notify_login, notify_service
from sandbox.store import Collection, Document, Json, Store

TOKEN_SECONDS = 30
PAGE = 250
FAILURES = {"07700900002": "permanent-failure", "07700900003": "temporary-failure"}
_PLACEHOLDER = re.compile(r"\(\(([^()]+)\)\)")
_TEMPLATES_SINCE = "2025-01-06T09:00:00.000000Z"
_KINDS = ("sms", "email", "letter")


class Template(TypedDict):
    """One text that a service may send. `status` and `language` say when and to whom; Notify shows neither."""

    id: str
    name: str
    type: str
    status: str
    language: str
    body: str


class _Refusal(Exception):
    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(error)
        self.status, self.error, self.message = status, error, message


@cache
def templates() -> dict[str, Template]:
    """All templates by id; every council's service has the same ones."""
    read = json.loads((files("sandbox") / "templates.json").read_text(encoding="utf-8"))
    return {each["id"]: each for each in read["templates"]}


def plain_number(number: str | None) -> str:
    """A telephone number as digits alone, beginning with 0, so that two ways of writing it are equal. "" for none."""
    digits = re.sub(r"[\s()-]", "", number or "")
    return re.sub(r"^(\+44|0044)", "0", digits)


class Notify:
    """One program serving every council's service."""

    name = "notify"

    def __init__(
        self, store: Store, clock: Callable[[], datetime], *, sending_after: float = 0.5, done_after: float = 2.0
    ) -> None:
        self._store, self._clock = store, clock
        self._sending_after, self._done_after = timedelta(seconds=sending_after), timedelta(seconds=done_after)

    def answer(self, request: Request, exchange: Exchange) -> Response:
        """Answer one call."""
        try:
            return self._route(request, exchange)
        except _Refusal as refusal:
            exchange.outcome = f"{refusal.status} {refusal.error}"
            return _refused(refusal.status, refusal.error, refusal.message)

    def failure(self, _request: Request, status: int) -> Response:
        """What it says when the whole service is unwell or busy."""
        if status == 429:
            words = "Exceeded rate limit for key type LIVE of 3000 requests per 60 seconds"
            return _refused(429, "RateLimitError", words)
        return _refused(status, "Exception", "Internal server error")

    def sent(self, tenant: str) -> Collection:
        """What one council's service was asked to send, by id."""
        return self._store.collection(tenant, self.name)

    def staff_put(self, _tenant: str, _id: str, _record: Json) -> Json:
        """Refused: nobody types messages into Notify here. Raises ValueError."""
        raise ValueError("A message that was sent cannot be changed.")

    def state(self, message: Json) -> tuple[str, str | None, str | None]:
        """How far a message has come by now: its status, when it was sent on, when it ended (or None)."""
        made = datetime.fromisoformat(message["created_at"])
        age = self._clock() - made
        if age < self._sending_after:
            return "created", None, None
        sent = _stamp(made + self._sending_after)
        if age < self._done_after:
            return "sending", sent, None
        return FAILURES.get(plain_number(message["to"]), "delivered"), sent, _stamp(made + self._done_after)

    def _route(self, request: Request, exchange: Exchange) -> Response:
        parts = [part for part in request.path.split("/") if part]
        match (request.method, parts):
            case ("POST", ["v2", "notifications", ("sms" | "email") as kind]):
                exchange.begin(f"send_{kind}")
                self._authorise(request, exchange)
                return self._send(request, exchange, kind)
            case ("GET", ["v2", "notifications"]):
                exchange.begin("get_notifications")
                self._authorise(request, exchange)
                return self._list(request)
            case ("GET", ["v2", "notifications", id]):
                exchange.begin("get_notification")
                self._authorise(request, exchange)
                held = self.sent(request.tenant).get(_uuid(id, "id"))
                if held is None:
                    raise _Refusal(404, "NoResultFound", "No result found")
                return _json(200, self._shown(held))
            case ("GET", ["v2", "templates"]):
                exchange.begin("get_templates")
                self._authorise(request, exchange)
                wanted = request.query.get("type")
                if wanted not in (None, *_KINDS):
                    raise _Refusal(400, "ValidationError", f"type {wanted} is not one of [sms, email, letter]")
                known = [_template(each) for each in templates().values() if wanted in (None, each["type"])]
                return _json(200, {"templates": known})
            case ("GET", ["v2", "template", id]) | ("GET", ["v2", "template", id, "version", "1"]):
                exchange.begin("get_template")
                self._authorise(request, exchange)
                if _uuid(id, "id") not in templates():
                    raise _Refusal(404, "NoResultFound", "No result found")
                return _json(200, _template(templates()[id]))
            case ("POST", ["v2", "template", id, "preview"]):
                exchange.begin("preview_template")
                self._authorise(request, exchange)
                if _uuid(id, "id") not in templates():
                    raise _Refusal(404, "NoResultFound", "No result found")
                body = _filled(templates()[id], _object(request).get("personalisation", {}))
                shown = {"id": id, "type": "sms", "version": 1, "body": body, "subject": None, "postage": None}
                return _json(200, shown)
        raise _Refusal(404, "NoResultFound", "The requested URL was not found on the server.")

    def _authorise(self, request: Request, exchange: Exchange) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if not token or scheme.lower() != "bearer":
            words = "Unauthorized: authentication bearer scheme must be used" if token else ""
            raise _Refusal(401, "AuthError", words or "Unauthorized: authentication token must be provided")
        secret = notify_login(request.tenant)["api_key"][-36:]
        options: Any = {"verify_iat": False, "verify_exp": False}  # Notify looks at iat itself, both ways
        try:
            claims = jwt.decode(token, secret, algorithms=["HS256"], options=options)
        except jwt.InvalidAlgorithmError:
            raise _Refusal(403, "AuthError", "Invalid token: algorithm used is not HS256") from None
        except jwt.InvalidTokenError:
            raise _Refusal(403, "AuthError", "Invalid token: API key not found") from None
        if claims.get("iss") != str(notify_service(request.tenant)):
            raise _Refusal(403, "AuthError", "Invalid token: service not found")
        issued = claims.get("iat")
        if not isinstance(issued, int | float):
            raise _Refusal(403, "AuthError", "Invalid token: iat field not provided")
        late = abs(self._clock().timestamp() - issued) > TOKEN_SECONDS
        if late or exchange.take("expired_token") is not None:
            raise _Refusal(403, "AuthError", "Error: Your system clock must be accurate to within 30 seconds")

    def _send(self, request: Request, exchange: Exchange, kind: str) -> Response:
        given = _object(request)
        field = "phone_number" if kind == "sms" else "email_address"
        allowed = {field, "template_id", "personalisation", "reference", "sms_sender_id", "email_reply_to_id"}
        allowed |= {"one_click_unsubscribe_url", "sanitise_content_for"} if kind == "email" else set()
        for name in (field, "template_id"):
            if name not in given:
                raise _Refusal(400, "ValidationError", f"{name} is a required property")
        unknown = sorted(set(given) - allowed)
        if unknown:
            raise _Refusal(
                400, "ValidationError", f"Additional properties are not allowed ({unknown[0]} was unexpected)"
            )
        reference = given.get("reference")
        if reference is not None and (not isinstance(reference, str) or len(reference) > 1000):
            raise _Refusal(400, "ValidationError", "reference is not of type string or is longer than 1000")
        to = _mobile(given[field]) if kind == "sms" else _email(given[field])
        template = templates().get(_uuid(given["template_id"], "template_id"))
        if template is None:
            raise _Refusal(400, "BadRequestError", "Template not found")
        if template["type"] != kind:
            raise _Refusal(
                400, "BadRequestError", f"{template['type']} template is not suitable for {kind} notification"
            )
        personalisation = given.get("personalisation", {})
        body = _filled(template, personalisation)

        def change() -> Json:
            with self._store.transaction():
                id, stamp = str(uuid.uuid4()), _stamp(self._clock())
                message: Json = {
                    "id": id,
                    "type": kind,
                    "to": to,
                    "reference": reference,
                    "template_id": template["id"],
                    "body": body,
                    "personalisation": personalisation,
                    "created_at": stamp,
                }
                self.sent(request.tenant).put(id, message, version=1, changed=stamp, key=reference or "")
                return message

        message = exchange.commit(change)
        base = request.url
        content = {"body": body, "from_number": "TestCouncil"} if kind == "sms" else {"body": body, "subject": None}
        answer = {
            "id": message["id"],
            "reference": reference,
            "content": content,
            "uri": f"{base}/v2/notifications/{message['id']}",
            "template": {"id": template["id"], "version": 1, "uri": f"{base}/v2/template/{template['id']}"},
            "scheduled_for": None,
        }
        return _json(201, answer)

    def _list(self, request: Request) -> Response:
        query, sent = request.query, self.sent(request.tenant)
        kind, status, reference = query.get("template_type"), query.get("status"), query.get("reference")
        if kind not in (None, *_KINDS):
            raise _Refusal(400, "ValidationError", f"template_type {kind} is not one of [sms, email, letter]")
        older = query.get("older_than")
        limit = sent.get(_uuid(older, "older_than")) if older else None
        newest: list[Document] = []
        if limit is not None or not older:
            behind = (limit.changed, limit.id) if limit else ("~", "")
            every = sent.by_key(reference, limit=10_000) if reference else sent.each()
            fitting = (each for each in every if (each.changed, each.id) < behind and kind in (None, each.body["type"]))
            fitting = (each for each in fitting if status in (None, self.state(each.body)[0]))
            newest = nlargest(PAGE, fitting, key=lambda each: (each.changed, each.id))  # a page, however many there are
        shown = [self._shown(each) for each in newest]
        links = {"current": f"{request.url}/v2/notifications{'?' + urlencode(query) if query else ''}"}
        if shown:
            links["next"] = f"{request.url}/v2/notifications?{urlencode({**query, 'older_than': shown[-1]['id']})}"
        return _json(200, {"notifications": shown, "links": links})

    def _shown(self, held: Document) -> Json:
        message = held.body
        status, sent_at, completed_at = self.state(message)
        text = message["type"] == "sms"
        return {
            "id": message["id"],
            "reference": message["reference"],
            "email_address": None if text else message["to"],
            "phone_number": message["to"] if text else None,
            **{f"line_{number}": None for number in range(1, 7)},
            "postcode": None,
            "postage": None,
            "type": message["type"],
            "status": status,
            "template": {"id": message["template_id"], "version": 1, "uri": f"/v2/template/{message['template_id']}"},
            "body": message["body"],
            "subject": None,
            "created_at": message["created_at"],
            "created_by_name": None,
            "sent_at": sent_at,
            "completed_at": completed_at,
            "scheduled_for": None,
            "one_click_unsubscribe_url": None,
            "is_cost_data_ready": completed_at is not None,
            "cost_in_pounds": 0.0,
            "cost_details": {},
        }


def _template(known: Template) -> Json:
    return {
        "id": known["id"],
        "name": known["name"],
        "type": known["type"],
        "created_at": _TEMPLATES_SINCE,
        "updated_at": None,
        "version": 1,
        "created_by": "texts@example.org",
        "body": known["body"],
        "subject": None,
        "postage": None,
        "letter_contact_block": None,
        "personalisation": {name: {"required": True} for name in _PLACEHOLDER.findall(known["body"])},
    }


def _filled(template: Template, personalisation: Any) -> str:
    if not isinstance(personalisation, dict):
        raise _Refusal(400, "ValidationError", "personalisation is not of type object")
    wanted = dict.fromkeys(_PLACEHOLDER.findall(template["body"]))
    missing = [name for name in wanted if personalisation.get(name) is None]
    if missing:
        raise _Refusal(400, "BadRequestError", f"Missing personalisation: {', '.join(missing)}")
    return _PLACEHOLDER.sub(lambda found: str(personalisation[found.group(1)]), template["body"])


def _object(request: Request) -> Json:
    try:
        given = json.loads(request.body)
    except ValueError:
        raise _Refusal(400, "BadRequestError", "Invalid JSON supplied in POST data") from None
    if not isinstance(given, dict):
        raise _Refusal(400, "ValidationError", "the body is not of type object")
    return given


def _uuid(text: Any, name: str) -> str:
    try:
        return str(uuid.UUID(text))
    except (ValueError, TypeError, AttributeError):
        raise _Refusal(400, "ValidationError", f"{name} is not a valid UUID") from None


def _mobile(number: Any) -> str:
    if not isinstance(number, str):
        raise _Refusal(400, "ValidationError", "phone_number is not of type string")
    plain = plain_number(number)
    wrong = ""
    if not re.fullmatch(r"\d*", plain):
        wrong = "Must not contain letters or symbols"
    elif len(plain) != 11:
        wrong = "Not enough digits" if len(plain) < 11 else "Too many digits"
    elif not plain.startswith("07"):
        wrong = "Not a UK mobile number"
    if wrong:
        raise _Refusal(400, "ValidationError", f"phone_number {wrong}")
    return number


def _email(address: Any) -> str:
    if not isinstance(address, str) or not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", address):
        raise _Refusal(400, "ValidationError", "email_address Not a valid email address")
    return address


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _json(status: int, body: Any) -> Response:
    return Response(status, json.dumps(body, ensure_ascii=False).encode("utf-8"))


def _refused(status: int, error: str, message: str) -> Response:
    return _json(status, {"status_code": status, "errors": [{"error": error, "message": message}]})
