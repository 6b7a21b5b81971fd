"""The pretend system of docs/connect-a-system.md: Cynefin, an invented case system that speaks SOAP 1.1.

Start it with the Python of the project and leave it running. It keeps three invented cases in memory, forgets
everything when it ends, listens on this machine alone and does not ask who you are.
"""

from __future__ import annotations

import sys
from copy import deepcopy
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lxml import etree

PORT = 8790
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
OPERATIONS = "urn:example:cynefin"
TYPES = "urn:example:cynefin:types"
PEOPLE = (
    ("Ŵynne", "Siân Mair", "1941-02-28", "F", "CYM", "9990000018", "LOGGED", "STD", "Angen help i ymolchi."),
    ("O'Dychymyg", "Rhŷs", "1938-11-05", "M", "ENG", "", "WORKING", "URG", "Cannot manage the stairs since a fall."),
    ("Penhâl", "Heulwen", "1950-07-14", "N", "Both", "", "PARKED", "STD", "Would like a meal brought on Mondays."),
)
CASES: dict[str, etree._Element] = {}


def tag(space: str, name: str) -> str:
    return f"{{{space}}}{name}"


def put(parent: etree._Element, name: str, text: str, space: str = TYPES) -> etree._Element:
    """Add an element with a text."""
    made = etree.SubElement(parent, tag(space, name))
    made.text = text
    return made


def said(case: etree._Element, name: str) -> str:
    """The text of one element of a case."""
    return case.findtext(tag(TYPES, name)) or ""


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def invent() -> None:
    """Write the three cases down."""
    for number, (last, first, born, sex, language, nhs, status, urgency, reason) in enumerate(PEOPLE, start=1):
        case = etree.Element(tag(OPERATIONS, "ServiceCase"))
        put(case, "CaseNumber", f"SC-{number:04d}")
        put(case, "RowVersion", "1")
        put(case, "LastUpdated", now())
        put(case, "DateReceived", f"2026-03-0{number}T09:30:00Z")
        put(case, "CaseType", "REF")
        put(case, "CaseStatus", status)
        put(case, "Urgency", urgency)
        put(case, "ReferralReason", reason)
        person = etree.SubElement(case, tag(TYPES, "ServiceUser"))
        if nhs:
            put(person, "NHSNo", nhs)
        for name, text in (("Surname", last), ("Forenames", first), ("DateOfBirth", born), ("Sex", sex)):
            put(person, name, text)
        put(person, "MobileTel", "07700 900" + str(120 + number))
        put(person, "LanguageChoice", language)
        CASES[said(case, "CaseNumber")] = case


def keep(case: etree._Element, number: str, version: int) -> etree._Element:
    """Take a case in with the number, version and stamp that are the system's own."""
    for name in ("LastUpdated", "RowVersion", "CaseNumber"):
        for old in case.findall(tag(TYPES, name)):
            case.remove(old)
        made = etree.Element(tag(TYPES, name))
        made.text = {"LastUpdated": now(), "RowVersion": str(version), "CaseNumber": number}[name]
        case.insert(0, made)
    CASES[number] = case
    return case


def answer(asked: etree._Element) -> etree._Element:
    """Do what an operation asks. Raises KeyError for a case that is not there."""
    name = etree.QName(asked).localname
    made = etree.Element(tag(OPERATIONS, f"{name}Response"), nsmap={"c": OPERATIONS, "t": TYPES})
    given = asked.find(tag(OPERATIONS, "ServiceCase"))
    if name == "GetCasesModifiedSince":
        page, size = (int(asked.findtext(tag(OPERATIONS, word)) or 1) for word in ("PageNumber", "PageSize"))
        since = (asked.findtext(tag(OPERATIONS, "ModifiedAfter")) or "")[:19]
        found = [case for case in CASES.values() if said(case, "LastUpdated")[:19] >= since]
        found.sort(key=lambda case: (said(case, "LastUpdated"), said(case, "CaseNumber")))
        made.extend(deepcopy(case) for case in found[(page - 1) * size : page * size])
        put(made, "HasMore", "true" if page * size < len(found) else "false", OPERATIONS)
    elif name == "GetServiceCase":
        made.append(deepcopy(CASES[asked.findtext(tag(OPERATIONS, "CaseNumber")) or ""]))
    elif name == "LookupByPartnerReference":
        key = asked.findtext(tag(OPERATIONS, "PartnerReference")) or ""
        made.extend(deepcopy(case) for case in CASES.values() if key and said(case, "PartnerReference") == key)
    elif name in ("AddServiceCase", "AmendServiceCase") and given is not None:
        number = said(given, "CaseNumber") if name == "AmendServiceCase" else f"SC-{len(CASES) + 1:04d}"
        version = int(said(CASES[number], "RowVersion")) + 1 if name == "AmendServiceCase" else 1
        case = keep(deepcopy(given), number, version)
        if name == "AddServiceCase":
            put(made, "CaseNumber", number, OPERATIONS)
        for word in ("RowVersion", "LastUpdated"):
            put(made, word, said(case, word), OPERATIONS)
    return made


class Cynefin(BaseHTTPRequestHandler):
    """One request over HTTP."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        envelope = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
        asked = next(iter(envelope.iterfind(f"{tag(SOAP, 'Body')}/*")))
        reply = etree.Element(tag(SOAP, "Envelope"), nsmap={"soap": SOAP})
        inner = etree.SubElement(reply, tag(SOAP, "Body"))
        status = 200
        try:
            inner.append(answer(asked))
        except KeyError:
            status = 500
            fault = etree.SubElement(inner, tag(SOAP, "Fault"))
            etree.SubElement(fault, "faultcode").text = "soap:Client"
            etree.SubElement(fault, "faultstring").text = "there is no such case"
            told = etree.SubElement(etree.SubElement(fault, "detail"), tag(OPERATIONS, "CaseNotFound"))
            put(told, "CaseNumber", asked.findtext(tag(OPERATIONS, "CaseNumber")) or "", OPERATIONS)
        self._send(status, etree.tostring(reply, xml_declaration=True, encoding="utf-8"))

    def do_GET(self) -> None:
        self._send(200, b"Cynefin, a pretend system")

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        """Say nothing: a request may name a person."""

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/xml; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def main() -> None:
    """Serve until stopped."""
    invent()
    port = int(sys.argv[1]) if len(sys.argv) > 1 else PORT
    with ThreadingHTTPServer(("127.0.0.1", port), Cynefin) as server:
        sys.stdout.write(f"Cynefin listens at http://127.0.0.1:{server.server_port}/cases\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    main()
