"""The pretend GOV.UK Notify: the public version 2 interface, driven by the official client.

Tokens are checked as Notify does: HS256, the service as issuer, issued within thirty seconds. As there, nothing stops a
caller from sending the same text twice; references can be looked up but are not unique. A message's state follows the
clock: created, sending, delivered, or a failure for the two numbers that Notify sets aside for it; a letter is
accepted and then received. What residents send back is typed in at the desk ({"user_number", "content"}).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from heapq import nlargest
from typing import Any
from urllib.parse import urlencode

import jwt

from sandbox.exchange import Exchange, Request, Response
from sandbox.notify_checks import (
    Refusal,
    email,
    filled,
    mobile,
    object_of,
    plain_number,
    postcode,
    shown_template,
    templates,
    uuid_of,
)
from sandbox.secrets import notify_login, notify_service
from sandbox.store import Collection, Document, Json, Store

TOKEN_SECONDS = 30
PAGE = 250
FAILURES = {"07700900002": "permanent-failure", "07700900003": "temporary-failure"}
_KINDS = ("sms", "email", "letter")


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
        except Refusal as refusal:
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

    def received(self, tenant: str) -> Collection:
        """What residents sent to one council's service, by id."""
        return self._store.collection(tenant, self.name, "received")

    def staff_put(self, tenant: str, _id: str, record: Json) -> Json:
        """A resident sends a text: {"user_number", "content"}. Raises ValueError: nobody types in what is sent here."""
        if set(record) != {"user_number", "content"}:
            raise ValueError("A message that was sent cannot be changed.")
        id, stamp = str(uuid.uuid4()), _stamp(self._clock())
        text: Json = {
            "id": id,
            "created_at": stamp.replace("T", " ").rstrip("Z"),  # so Notify writes it here, without a zone
            "service_id": str(notify_service(tenant)),
            "notify_number": "07700900456",
            **record,
        }
        with self._store.transaction():
            self.received(tenant).put(id, text, version=1, changed=stamp)
        return text

    def state(self, message: Json) -> tuple[str, str | None, str | None]:
        """How far a message has come by now: its status, when it was sent on, when it ended (or None)."""
        made = datetime.fromisoformat(message["created_at"])
        age = self._clock() - made
        letter = message["type"] == "letter"
        if age < self._sending_after:
            return "accepted" if letter else "created", None, None
        sent = _stamp(made + self._sending_after)
        if age < self._done_after:
            return "accepted" if letter else "sending", sent, None
        if letter:
            return "received", sent, _stamp(made + self._done_after)
        return FAILURES.get(plain_number(message["to"]), "delivered"), sent, _stamp(made + self._done_after)

    def _route(self, request: Request, exchange: Exchange) -> Response:
        parts = [part for part in request.path.split("/") if part]
        match (request.method, parts):
            case ("POST", ["v2", "notifications", ("sms" | "email" | "letter") as kind]):
                exchange.begin(f"send_{kind}")
                self._authorise(request, exchange)
                return self._send(request, exchange, kind)
            case ("GET", ["v2", "notifications"]):
                exchange.begin("get_notifications")
                self._authorise(request, exchange)
                return self._list(request)
            case ("GET", ["v2", "received-text-messages"]):
                exchange.begin("get_received_texts")
                self._authorise(request, exchange)
                return self._list_received(request)
            case ("GET", ["v2", "notifications", id]):
                exchange.begin("get_notification")
                self._authorise(request, exchange)
                held = self.sent(request.tenant).get(uuid_of(id, "id"))
                if held is None:
                    raise Refusal(404, "NoResultFound", "No result found")
                return _json(200, self._shown(held))
            case ("GET", ["v2", "templates"]):
                exchange.begin("get_templates")
                self._authorise(request, exchange)
                wanted = request.query.get("type")
                if wanted not in (None, *_KINDS):
                    raise Refusal(400, "ValidationError", f"type {wanted} is not one of [sms, email, letter]")
                known = [shown_template(each) for each in templates().values() if wanted in (None, each["type"])]
                return _json(200, {"templates": known})
            case ("GET", ["v2", "template", id]) | ("GET", ["v2", "template", id, "version", "1"]):
                exchange.begin("get_template")
                self._authorise(request, exchange)
                if uuid_of(id, "id") not in templates():
                    raise Refusal(404, "NoResultFound", "No result found")
                return _json(200, shown_template(templates()[id]))
            case ("POST", ["v2", "template", id, "preview"]):
                exchange.begin("preview_template")
                self._authorise(request, exchange)
                if uuid_of(id, "id") not in templates():
                    raise Refusal(404, "NoResultFound", "No result found")
                body = filled(templates()[id], object_of(request).get("personalisation", {}))
                shown = {"id": id, "type": "sms", "version": 1, "body": body, "subject": None, "postage": None}
                return _json(200, shown)
        raise Refusal(404, "NoResultFound", "The requested URL was not found on the server.")

    def _authorise(self, request: Request, exchange: Exchange) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if not token or scheme.lower() != "bearer":
            words = "Unauthorized: authentication bearer scheme must be used" if token else ""
            raise Refusal(401, "AuthError", words or "Unauthorized: authentication token must be provided")
        secret = notify_login(request.tenant)["api_key"][-36:]
        options: Any = {"verify_iat": False, "verify_exp": False}  # Notify looks at iat itself, both ways
        try:
            claims = jwt.decode(token, secret, algorithms=["HS256"], options=options)
        except jwt.InvalidAlgorithmError:
            raise Refusal(403, "AuthError", "Invalid token: algorithm used is not HS256") from None
        except jwt.InvalidTokenError:
            raise Refusal(403, "AuthError", "Invalid token: API key not found") from None
        if claims.get("iss") != str(notify_service(request.tenant)):
            raise Refusal(403, "AuthError", "Invalid token: service not found")
        issued = claims.get("iat")
        if not isinstance(issued, int | float):
            raise Refusal(403, "AuthError", "Invalid token: iat field not provided")
        late = abs(self._clock().timestamp() - issued) > TOKEN_SECONDS
        if late or exchange.take("expired_token") is not None:
            raise Refusal(403, "AuthError", "Error: Your system clock must be accurate to within 30 seconds")

    def _send(self, request: Request, exchange: Exchange, kind: str) -> Response:
        given = object_of(request)
        field = {"sms": "phone_number", "email": "email_address", "letter": "personalisation"}[kind]
        allowed = {field, "template_id", "personalisation", "reference"}
        allowed |= {"sms_sender_id", "email_reply_to_id"} if kind != "letter" else set()
        allowed |= {"one_click_unsubscribe_url", "sanitise_content_for"} if kind == "email" else set()
        for name in (field, "template_id"):
            if name not in given:
                raise Refusal(400, "ValidationError", f"{name} is a required property")
        unknown = sorted(set(given) - allowed)
        if unknown:
            raise Refusal(
                400, "ValidationError", f"Additional properties are not allowed ({unknown[0]} was unexpected)"
            )
        reference = given.get("reference")
        if reference is not None and (not isinstance(reference, str) or len(reference) > 1000):
            raise Refusal(400, "ValidationError", "reference is not of type string or is longer than 1000")
        checks: dict[str, Callable[[Any], str]] = {"sms": mobile, "email": email, "letter": postcode}
        to = checks[kind](given[field])
        template = templates().get(uuid_of(given["template_id"], "template_id"))
        if template is None:
            raise Refusal(400, "BadRequestError", "Template not found")
        if template["type"] != kind:
            raise Refusal(
                400, "BadRequestError", f"{template['type']} template is not suitable for {kind} notification"
            )
        personalisation = given.get("personalisation", {})
        body = filled(template, personalisation)

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
        more: Json = {"from_number": "TestCouncil"} if kind == "sms" else {"subject": template["name"]}
        content = {"body": body, **more}
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
            raise Refusal(400, "ValidationError", f"template_type {kind} is not one of [sms, email, letter]")
        older = query.get("older_than")
        limit = sent.get(uuid_of(older, "older_than")) if older else None
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

    def _list_received(self, request: Request) -> Response:
        received, older = self.received(request.tenant), request.query.get("older_than")
        limit = received.get(uuid_of(older, "older_than")) if older else None
        newest: list[Document] = []
        if limit is not None or not older:
            behind = (limit.changed, limit.id) if limit else ("~", "")
            fitting = (each for each in received.each() if (each.changed, each.id) < behind)
            newest = nlargest(PAGE, fitting, key=lambda each: (each.changed, each.id))
        base = f"{request.url}/v2/received-text-messages"
        links = {"current": f"{base}?older_than={older}" if older else base}
        if newest:
            links["next"] = f"{base}?older_than={newest[-1].id}"
        return _json(200, {"received_text_messages": [each.body for each in newest], "links": links})

    def _shown(self, held: Document) -> Json:
        message = held.body
        status, sent_at, completed_at = self.state(message)
        text, lines = message["type"] == "sms", message["personalisation"]
        letter = message["type"] == "letter"
        return {
            "id": message["id"],
            "reference": message["reference"],
            "email_address": message["to"] if message["type"] == "email" else None,
            "phone_number": message["to"] if text else None,
            **{f"line_{number}": lines.get(f"address_line_{number}") if letter else None for number in range(1, 7)},
            "postcode": message["to"] if letter else None,
            "postage": "second" if letter else None,
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


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _json(status: int, body: Any) -> Response:
    return Response(status, json.dumps(body, ensure_ascii=False).encode("utf-8"))


def _refused(status: int, error: str, message: str) -> Response:
    return _json(status, {"status_code": status, "errors": [{"error": error, "message": message}]})
