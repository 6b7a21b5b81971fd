"""An invented closed system, spoken to in the two ways of the worked profiles that call: SOAP and REST.

Played from `docs/systems/closed-case-systems/interfaces`, and from nothing of Dolen's: it keeps rows, gives numbers,
refuses who does not sign in, and answers in the words of its own interface.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo

from lxml import etree

from tests.connectors.conftest import Answer, Call

Row = dict[str, str]
NS = "urn:example:closed"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_WSSE = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd}"
_WSU = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd}"
ORDER = ("Id", "Version", "Changed", "OurReference", "Kind", "Status", "Priority", "Received", "Surname", "Forenames",
         "Born", "Mobile", "Summary", "Team")  # fmt: skip
PASSWORD, KEY = "invented-password", "invented-key"


@dataclass
class Closed:
    """What the system holds, by number. Its clock is the council's wall clock, and stands still until it is moved."""

    now: datetime
    rows: dict[str, Row] = field(default_factory=dict)
    refused: int = 0  # calls that did not sign in

    def keep(self, given: Row, id: str = "") -> Row:
        """Keep a row: a new one, or the whole of one that is there."""
        id = id or str(1000 + len(self.rows))
        version = str(int(self.rows.get(id, {}).get("Version", "0")) + 1)
        self.now += timedelta(seconds=1)
        self.rows[id] = {**given, "Id": id, "Version": version, "Changed": self._stamp()}
        return self.rows[id]

    def changed(self, since: str = "") -> list[Row]:
        """Rows changed since then, the oldest first."""
        return sorted((row for row in self.rows.values() if row["Changed"] >= since), key=lambda row: row["Changed"])

    def by_reference(self, reference: str) -> list[Row]:
        """Rows that bear our key."""
        return [row for row in self.rows.values() if row.get("OurReference") == reference]

    def answer(self, call: Call) -> Answer:
        """Answer a call, whichever way it comes."""
        parts = urlsplit(call.path)
        if parts.path == "/soap":
            return self._soap(call)
        if parts.path == "/api/sign-in":
            given = json.loads(call.body)
            return _json(200, {"token": KEY}) if given["password"] == PASSWORD else _json(401, {"code": "NO"})
        signed = call.headers.get("x-api-key") == KEY or call.headers.get("authorization") == f"Bearer {KEY}"
        if not signed:
            self.refused += 1
            return _json(401, {"code": "NO"})
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        return self._rest(call.method, unquote(parts.path).removeprefix("/api"), asked, call.body)

    def _rest(self, method: str, path: str, asked: Row, body: bytes) -> Answer:
        shown = [_without_version(row) for row in self.changed()]
        if path == "/contacts" and method == "GET":
            assert asked["sort"] == "-changed"
            size, page = int(asked["per_page"]), int(asked["page"])
            return _json(200, {"contacts": shown[::-1][(page - 1) * size : page * size]})
        if path == "/contacts":
            return _json(201, _without_version(self.keep(json.loads(body))))
        if path == "/contacts/by-reference":
            return _json(200, {"contacts": [_without_version(row) for row in self.by_reference(asked["reference"])]})
        if path == "/changed-contacts":
            rows = self.changed(asked.get("since", "")[:19])
            return _json(200, {"changed": [{"id": row["Id"], "at": row["Changed"]} for row in rows]})
        id = path.removeprefix("/contacts/")
        if id not in self.rows:
            return _json(404, {"code": "NOT_FOUND"})
        if method == "PUT":
            self.keep(json.loads(body), id)
        return _json(200, _without_version(self.rows[id]))

    def _soap(self, call: Call) -> Answer:
        envelope = etree.fromstring(call.body)
        if not _signed_in(envelope):
            self.refused += 1
            return _fault("wsse:FailedAuthentication", "")
        asked = envelope.find(f"{{{SOAP}}}Body")[0]
        operation = etree.QName(asked).localname
        given = {etree.QName(child).localname: child for child in asked}
        told: list[Row] = []
        more: dict[str, str] = {}
        match operation:
            case "FindContacts":
                rows = self.changed(given["ChangedFrom"].text or "")
                size, page = int(given["PageSize"].text or 0), int(given["Page"].text or 0)
                first = (page - 1) * size
                told, more = rows[first : first + size], {"MorePages": str(first + size < len(rows)).lower()}
            case "GetContact":
                told = [row for row in [self.rows.get(given["Id"].text or "")] if row is not None]
            case "FindByOurReference":
                told = self.by_reference(given["OurReference"].text or "")
            case "CreateContact":
                made = self.keep(_row(given["Contact"]))
                more = {"Id": made["Id"], "Version": made["Version"]}
            case "UpdateContact":
                row = _row(given["Contact"])
                held = self.rows.get(row["Id"])
                if held is None:
                    return _fault("", "NOT_FOUND")
                if held["Version"] != row["Version"]:
                    return _fault("", "CHANGED")
                more = {"Version": self.keep(row, row["Id"])["Version"]}
        reply = etree.Element(f"{{{NS}}}{operation}Response", nsmap={None: NS})
        for row in told:
            contact = etree.SubElement(reply, f"{{{NS}}}Contact")
            for name in ORDER:
                if row.get(name):
                    etree.SubElement(contact, f"{{{NS}}}{name}").text = row[name]
        for name, value in more.items():
            etree.SubElement(reply, f"{{{NS}}}{name}").text = value
        return _xml(200, reply)

    def _stamp(self) -> str:
        return self.now.astimezone(ZoneInfo("Europe/London")).strftime("%Y-%m-%dT%H:%M:%S")


def _signed_in(envelope: Any) -> bool:
    """Whether the password's digest is right (OASIS UsernameToken Profile 1.1: SHA-1 of nonce, created, password)."""
    nonce, created, digest = (
        envelope.findtext(f".//{place}") for place in (f"{_WSSE}Nonce", f"{_WSSE}UsernameToken/{_WSU}Created",
                                                       f"{_WSSE}Password")
    )  # fmt: skip
    if nonce is None or created is None:
        return False
    whole = base64.b64decode(nonce) + created.encode() + PASSWORD.encode()
    return base64.b64encode(hashlib.sha1(whole, usedforsecurity=False).digest()).decode() == digest


def _row(contact: Any) -> Row:
    return {etree.QName(child).localname: child.text or "" for child in contact}


def _without_version(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "Version"}


def _json(status: int, body: Any) -> Answer:
    return Answer(status, json.dumps(body).encode())


def _xml(status: int, inside: Any) -> Answer:
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"s": SOAP})
    etree.SubElement(envelope, f"{{{SOAP}}}Body").append(inside)
    return Answer(status, etree.tostring(envelope), {"Content-Type": "text/xml; charset=utf-8"})


def _fault(code: str, ours: str) -> Answer:
    fault = etree.Element(f"{{{SOAP}}}Fault")
    etree.SubElement(fault, "faultcode").text = code or "s:Server"
    etree.SubElement(fault, "faultstring").text = "no"
    if ours:
        detail = etree.SubElement(etree.SubElement(fault, "detail"), f"{{{NS}}}BusinessFault")
        etree.SubElement(detail, f"{{{NS}}}Code").text = ours
    return _xml(500, fault)
