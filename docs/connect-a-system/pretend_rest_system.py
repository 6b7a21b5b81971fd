"""The pretend REST system of docs/connect-a-rest-system.md: Pont, an invented case system.

Start it with the Python of the project and leave it running. It keeps three invented cases in memory, forgets
everything when it ends, listens on this machine alone and takes any key.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PORT = 8791
Case = dict[str, Any]
PEOPLE = (
    ("Ŵynne", "Siân Mair", "1941-02-28", "female", "cy", "9990000018", "new", "normal", "Angen help i ymolchi."),
    ("O'Dychymyg", "Rhŷs", "1938-11-05", "male", "en", "", "open", "high", "Cannot manage the stairs since a fall."),
    ("Penhâl", "Heulwen", "1950-07-14", "unknown", "cy", "", "parked", "normal", "Hoffai bryd o fwyd ar ddydd Llun."),
)
CASES: dict[str, Case] = {}
VERSIONS: dict[str, int] = {}
MADE: dict[str, str] = {}  # what an Idempotency-Key has made


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def keep(id: str, case: Case) -> Case:
    """Take a case in with the number and stamp that are the system's own."""
    CASES[id] = {**case, "caseId": id, "updatedAt": now()}
    VERSIONS[id] = VERSIONS.get(id, 0) + 1
    return CASES[id]


def merged(there: Any, given: Any) -> Any:
    """A merge patch (RFC 7396): what is given is set, null takes away."""
    if not isinstance(there, dict) or not isinstance(given, dict):
        return given
    kept = {name: value for name, value in there.items() if name not in given}
    return kept | {name: merged(there.get(name), value) for name, value in given.items() if value is not None}


def invent() -> None:
    """Write the three cases down."""
    for number, (last, first, born, gender, language, nhs, status, urgency, reason) in enumerate(PEOPLE, start=1):
        person = {"lastName": last, "firstNames": first, "birthDate": born, "gender": gender, "language": language}
        person |= {"mobile": f"07700 900{130 + number}"} | ({"nhsNumber": nhs} if nhs else {})
        case = {"caseType": "referral", "receivedAt": f"2026-03-0{number}T09:30:00Z", "status": status}
        keep(f"P-{number:04d}", {**case, "urgency": urgency, "reason": reason, "person": person})


class Pont(BaseHTTPRequestHandler):
    """One request over HTTP."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if not self._knows_us():
            return
        if parts.path == "/cases":
            behind, since = asked.get("after", ""), asked.get("changedSince", "")
            found = sorted(CASES.values(), key=lambda case: (case["updatedAt"], case["caseId"]))
            found = [case for case in found if case["updatedAt"][:19] >= since[:19] and mark(case) > behind]
            page = found[: int(asked.get("limit", "50"))]
            self._send(200, {"cases": page, **({"next": mark(page[-1])} if len(page) < len(found) else {})})
        else:
            self._send_case(200, parts.path.removeprefix("/cases/"))

    do_HEAD = do_GET

    def do_POST(self) -> None:
        given = self._given()
        if not self._knows_us():
            return
        key = self.headers.get("Idempotency-Key", "")
        if key not in MADE:
            MADE[key] = f"P-{len(CASES) + 1:04d}"
            keep(MADE[key], given)
        self._send_case(201, MADE[key])

    def do_PATCH(self) -> None:
        given = self._given()
        id = self.path.removeprefix("/cases/")
        if not self._knows_us():
            return
        if self.headers.get("If-Match") not in (None, f'"{VERSIONS.get(id)}"'):
            self._send(412, {"error": "somebody changed it meanwhile"})
            return
        if id in CASES:
            keep(id, merged(CASES[id], given))
        self._send_case(200, id)

    def log_message(self, *_: object) -> None:
        """Say nothing: a request may name a person."""

    def _given(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))))

    def _knows_us(self) -> bool:
        known = bool(self.headers.get("X-Api-Key"))
        if not known:
            self._send(401, {"error": "X-Api-Key is missing"})
        return known

    def _send_case(self, status: int, id: str) -> None:
        if id in CASES:
            self._send(status, CASES[id], {"ETag": f'"{VERSIONS[id]}"'})
        else:
            self._send(404, {"error": "there is no such case"})

    def _send(self, status: int, answer: Any, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(answer, ensure_ascii=False).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def mark(case: Case) -> str:
    """Where a case stands in the list: what the page before it names as the next."""
    return f"{case['updatedAt']} {case['caseId']}"


def main() -> None:
    """Serve until stopped."""
    invent()
    port = int(sys.argv[1]) if len(sys.argv) > 1 else PORT
    with ThreadingHTTPServer(("127.0.0.1", port), Pont) as server:
        sys.stdout.write(f"Pont listens at http://127.0.0.1:{server.server_port}\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    main()
