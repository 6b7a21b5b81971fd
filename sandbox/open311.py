"""A pretend Open311 endpoint: GeoReport v2 with the updates extension, in XML and JSON, in memory, until stopped.

Written from the public specification (open311.org, GeoReport v2) and from mySociety's description of its extension. It
is strict where the specification is: key and jurisdiction, one place, times with an offset. `/control/...` is for
tests: what kind of service answers, staff's own changes, and what goes wrong with the next call.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import re
import signal
import sys
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

KEY, JURISDICTION = "allwedd-i-chwarae", "torfaen.example.org"
MOST_ROWS = 1000
SERVICES = (
    ("contact", "Ask for advice", "advice"),
    ("referral", "Ask for care and support", "care"),
    ("assessment", "Ask for an assessment", "care"),
    ("carer", "Support for unpaid carers", "care"),
    ("safeguarding", "Worried about somebody", "care"),
    ("onward", "Pass on to another service", "advice"),
    ("signpost", "Find a service", "advice"),
)
STATUSES = ("open", "investigating", "action_scheduled", "in_progress", "fixed", "closed", "no_further_action",
            "not_councils_responsibility", "duplicate")  # fmt: skip
_SENT = ("service_code", "lat", "long", "address_string", "address_id", "email", "device_id", "account_id",
         "first_name", "last_name", "phone", "description", "media_url")  # fmt: skip
_SHOWN = ("service_request_id", "status", "status_notes", "service_name", "service_code", "description",
          "agency_responsible", "service_notice", "requested_datetime", "updated_datetime", "expected_datetime",
          "address", "address_id", "zipcode", "lat", "long", "media_url", "requestor_name")  # fmt: skip
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)")


class Refusal(Exception):
    """An answer that is an error of the specification."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(description)
        self.code, self.description = code, description


class Endpoint:
    """What one council holds."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.requests: dict[str, dict[str, Any]] = {}
        self.tokens: dict[str, str] = {}  # token -> the number that it has got, "" while it has none
        self.updates: dict[str, dict[str, Any]] = {}
        self.kind = "realtime"  # batch, blackbox
        self.most_rows = MOST_ROWS
        self.next: list[str] = []  # what the next calls do: status:N, html, cut, drop, 200-error, commit-drop
        self.calls: list[str] = []
        self.numbers = itertools.count(638_344)

    def make(self, sent: dict[str, str]) -> dict[str, Any]:
        now = _now()
        name = {code: name for code, name, _ in SERVICES}.get(sent["service_code"], "")
        made: dict[str, Any] = {
            **{key: sent[key] for key in ("description", "lat", "long", "media_url", "address_id") if sent.get(key)},
            "service_request_id": str(next(self.numbers)),
            "status": sent.get("status", "open"),
            "service_name": name,
            "service_code": sent["service_code"],
            "requested_datetime": sent.get("requested_datetime", now),
            "updated_datetime": sent.get("updated_datetime", now),
            "address": sent.get("address_string", ""),
            "requestor_name": " ".join(filter(None, (sent.get("first_name"), sent.get("last_name")))),
            "sent": {k: v for k, v in sent.items() if k not in ("api_key",)},
        }
        self.requests[made["service_request_id"]] = made
        return made

    def create(self, sent: dict[str, str]) -> dict[str, Any]:
        if sent.get("service_code") not in [code for code, _, _ in SERVICES]:
            raise Refusal(404 if sent.get("service_code") else 400, "service_code was not found")
        if not ((sent.get("lat") and sent.get("long")) or sent.get("address_string") or sent.get("address_id")):
            raise Refusal(400, f"a location is required; got {sorted(sent.values())}")  # as real ones do: it quotes
        if self.kind == "realtime":
            return {"service_request_id": self.make(sent)["service_request_id"], "service_notice": "", "account_id": ""}
        if self.kind == "blackbox":
            self.make(sent)
            return {"service_notice": "Thank you"}
        token = f"T-{len(self.tokens) + 1}-{os.urandom(4).hex()}"
        made = self.make(sent)
        made["token"] = token
        self.tokens[token] = ""
        made["hidden"] = True  # it is in nobody's list until it has its number
        return {"token": token, "service_notice": "", "account_id": ""}

    def number(self) -> None:
        """The back office gives every waiting request its number."""
        for made in self.requests.values():
            if made.pop("hidden", False):
                self.tokens[made["token"]] = made["service_request_id"]
                made["updated_datetime"] = _now()

    def listed(self, asked: dict[str, str]) -> list[dict[str, Any]]:
        found = [made for made in self.requests.values() if not made.get("hidden")]
        if asked.get("service_request_id"):
            wanted = asked["service_request_id"].split(",")
            return [made for made in found if made["service_request_id"] in wanted]
        if asked.get("service_code"):
            found = [made for made in found if made["service_code"] in asked["service_code"].split(",")]
        for stamp, first, last in (
            ("requested_datetime", "start_date", "end_date"),
            ("updated_datetime", "updated_after", "updated_before"),
        ):
            found = _within(found, stamp, asked.get(first), asked.get(last))
        if not (asked.get("start_date") or asked.get("updated_after")):
            begin = (datetime.now(UTC) - timedelta(days=90)).strftime("%Y-%m-%dT%H:%M:%SZ")
            found = _within(found, "requested_datetime", begin, None)
        return found[-self.most_rows :]  # the newest; what is beyond is cut off without a word

    def update(self, sent: dict[str, str]) -> dict[str, Any]:
        made = self.requests.get(sent.get("service_request_id", ""))
        if made is None:
            raise Refusal(404, "service_request_id was not found")
        if sent.get("status", "").lower() not in STATUSES or not _TIME.fullmatch(sent.get("updated_datetime", "")):
            raise Refusal(400, "status or updated_datetime is not right")
        id = sent.get("update_id") or os.urandom(4).hex()
        if id not in self.updates:
            made["status"] = sent["status"].lower()
            made["updated_datetime"] = _now()
            made["status_notes"] = sent.get("description", "")  # "why status was changed to current state"
            self.note(made, sent.get("description", ""), id)
        return {"update_id": id}

    def note(self, made: dict[str, Any], text: str, id: str) -> None:
        self.updates[id] = {
            "update_id": id, "service_request_id": made["service_request_id"], "status": made["status"],
            "updated_datetime": made["updated_datetime"], "description": text,
        }  # fmt: skip


def _refuse(trouble: str) -> None:
    if trouble.startswith("status:"):
        raise Refusal(int(trouble.partition(":")[2]), "as was asked for")


def _within(found: list[dict[str, Any]], stamp: str, first: str | None, last: str | None) -> list[dict[str, Any]]:
    for text in (first, last):
        if text and not _TIME.fullmatch(text):
            raise Refusal(400, "a date has no offset")
    lower = datetime.fromisoformat(first) if first else datetime.min.replace(tzinfo=UTC)
    upper = datetime.fromisoformat(last) if last else datetime.max.replace(tzinfo=UTC)
    return [made for made in found if lower <= datetime.fromisoformat(made[stamp]) <= upper]


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Conversation(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    endpoint: Endpoint

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self._answer(parts.path, dict(parse_qsl(parts.query)), {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.path.startswith("/control/"):
            self._control(self.path.removeprefix("/control/"), json.loads(body or b"{}"))
            return
        sent = dict(parse_qsl(body.decode(), keep_blank_values=True))
        if self.headers.get("Content-Type", "").partition(";")[0] != "application/x-www-form-urlencoded":
            sent = {}
        self._answer(urlsplit(self.path).path, {}, sent)

    def _answer(self, path: str, asked: dict[str, str], sent: dict[str, str]) -> None:
        way, _, form = unquote(path).rpartition(".")
        trouble = self.endpoint.next.pop(0) if self.endpoint.next else ""
        self.endpoint.calls.append(f"{self.command} {way}")
        try:
            _refuse(trouble)
            if trouble == "200-error":
                self._send(200, form, "errors", "error", [{"code": 400, "description": "inside a success"}])
                return
            if trouble == "html":
                self._bytes(200, "text/html", b"<html>maintenance</html>")
                return
            if trouble == "drop":
                self.close_connection = True
                return
            with self.endpoint.lock:
                root, name, rows = self._do(way, asked, sent)
            if trouble == "commit-drop":
                self.close_connection = True
                return
            self._send(200, form, root, name, rows, cut=trouble == "cut")
        except Refusal as refusal:
            rows = [{"code": refusal.code, "description": refusal.description}]
            self._send(refusal.code, form, "errors", "error", rows)

    def _do(self, way: str, asked: dict[str, str], sent: dict[str, str]) -> tuple[str, str, list[dict[str, Any]]]:
        end = self.endpoint
        if (sent or asked).get("jurisdiction_id") != JURISDICTION:
            raise Refusal(404 if (sent or asked).get("jurisdiction_id") else 400, "jurisdiction_id is not right")
        if self.command == "POST" and sent.get("api_key") != KEY:
            raise Refusal(403, "api_key is not right")
        if (self.command, way) == ("POST", "/requests"):
            return "service_requests", "request", [end.create(sent)]
        if (self.command, way) == ("POST", "/servicerequestupdates"):
            return "service_request_updates", "request_update", [end.update(sent)]
        if way == "/services":
            rows = [
                {"service_code": code, "service_name": name, "description": "", "metadata": "false", "type": end.kind,
                 "keywords": "", "group": group} for code, name, group in SERVICES
            ]  # fmt: skip
            return "services", "service", rows
        if way == "/servicerequestupdates":
            rows = _within([*end.updates.values()], "updated_datetime", asked.get("start_date"), asked.get("end_date"))
            return "service_requests_updates", "request_update", rows
        if way.startswith("/tokens/"):
            token = way.removeprefix("/tokens/")
            if token not in end.tokens:
                raise Refusal(404, "token was not found")
            row = {"token": token} | ({"service_request_id": end.tokens[token]} if end.tokens[token] else {})
            return "service_requests", "request", [row]
        if way == "/requests":
            return "service_requests", "request", [self._shown(made) for made in end.listed(asked)]
        if way.startswith("/requests/"):
            found = end.listed({"service_request_id": way.removeprefix("/requests/")})
            if not found:
                raise Refusal(404, "service_request_id was not found")
            return "service_requests", "request", [self._shown(found[0])]
        raise Refusal(404, "no such method")

    def _shown(self, made: dict[str, Any]) -> dict[str, Any]:
        return {name: made.get(name) for name in _SHOWN}

    def _send(
        self, status: int, form: str, root: str, name: str, rows: list[dict[str, Any]], *, cut: bool = False
    ) -> None:
        if form == "json":
            shown = [{key: _number(key, value) for key, value in row.items()} for row in rows]
            body, kind = json.dumps(shown).encode(), "application/json; charset=utf-8"
        else:
            inner = "".join(
                f"<{name}>" + "".join(_element(key, value) for key, value in row.items()) + f"</{name}>" for row in rows
            )
            body = f'<?xml version="1.0" encoding="utf-8"?>\n<{root}>{inner}</{root}>'.encode()
            kind = "text/xml; charset=utf-8"
        self._bytes(status, kind, body[: len(body) // 2] if cut else body)

    def _bytes(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _control(self, what: str, given: dict[str, Any]) -> None:
        end = self.endpoint
        with end.lock:
            told: Any = {}
            if what == "set":
                for name, value in given.items():
                    setattr(end, name, value)
            elif what == "make":
                told = end.make(given)
            elif what == "number":
                end.number()
            elif what == "change":
                made = end.requests[given.pop("id")]
                made |= {"updated_datetime": _now(), **given}
                end.note(made, "", os.urandom(4).hex())
            elif what == "look":
                told = {"requests": list(end.requests.values()), "updates": list(end.updates.values()),
                        "calls": end.calls}  # fmt: skip
        self._bytes(200, "application/json", json.dumps(told).encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what callers send is about people."""


def _number(key: str, value: Any) -> Any:
    """JSON endpoints give numbers where XML cannot."""
    if key in ("lat", "long") and value:
        return float(value)
    return int(value) if key == "service_request_id" and str(value).isdecimal() else value


def _element(key: str, value: Any) -> str:
    return f"<{key}/>" if value in (None, "") else f"<{key}>{escape(str(value))}</{key}>"


def _until_stdin_closes(stopped: threading.Event) -> None:
    sys.stdin.read()
    stopped.set()


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: a free one)")
    parser.add_argument("--until-stdin-closes", action="store_true", help="stop too when whoever started it is gone")


def run(given: argparse.Namespace) -> int:
    """Serve until stopped."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    server = ThreadingHTTPServer(
        ("127.0.0.1", given.port), type("Conversation", (Conversation,), {"endpoint": Endpoint()})
    )
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{server.server_address[1]}", "key": KEY}) + "\n")
    sys.stdout.flush()
    if given.until_stdin_closes:
        threading.Thread(target=_until_stdin_closes, args=[stopped], daemon=True).start()
    stopped.wait()
    server.shutdown()
    return 0
