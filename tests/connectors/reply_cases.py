"""The calls whose answers are fuzzed, and what a whole answer to each is: SOAP, REST, the logins, GOV.UK Notify.

Those of the public standards (MESH, Open311, Open Referral, FHIR, BaRS) stand in `reply_cases_public`. `opened` makes a
case's connector; `Case.before` is what is answered, unbroken, before the answers that are broken.
"""

from __future__ import annotations

import atexit
import copy
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from connectors.port import Connector
from connectors.registry import open_connector
from pipelines.keystore import KeyStore
from pipelines.spool import FolderSpool
from tests.connectors.broken_replies import SECONDS
from tests.connectors.rest.conftest import OPENAPI, PROFILE
from tests.connectors.standing import at_once
from tests.connectors.test_notify import SENT, TEXT

JSON = "application/json"
KEY = "prawf-" + "-".join(["11111111-2222-3333-4444-555555555555"] * 2)


@dataclass(frozen=True)
class Case:
    """One call. `profile`: a shipped one's name, or one; `own`: header lines that a whole answer bears."""

    profile: str | Mapping[str, Any]
    call: Callable[[Any], Any]
    kind: str
    wholes: Sequence[str | bytes]
    connect: Mapping[str, Any] = field(default_factory=dict)
    own: Sequence[bytes] = ()
    before: Sequence[bytes] = ()
    spooled: bool = False


def opened(
    case: Case, origin: str, shipped: Callable[[str], Any], interfaces: Callable[[str], bytes]
) -> Connector:
    """The connector of a case, onto the server at `origin`."""
    told = {"url": origin, "timeout_seconds": SECONDS, "max_reply_bytes": 100_000, **case.connect}
    return at_once(
        open_connector(
            shipped(case.profile) if isinstance(case.profile, str) else case.profile,
            json.loads(json.dumps(told).replace("SYSTEM", origin)),
            interfaces=lambda name: json.dumps(OPENAPI).encode() if "things" in name else interfaces(name),
            clock=lambda: datetime.now(UTC),
            secret=lambda _: KEY,
            spool=spool() if case.spooled else None,
            known=lambda _kind, behind, most: [id for id in ("T1", "T2") if id > behind][:most],
        )
    )


@cache
def spool() -> FolderSpool:
    """A place on the disk for the queue's answers; gone with the process."""
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    keys = KeyStore(f"sqlite:///{folder.name}/keys.db", bytes(range(32)))
    atexit.register(keys.close)
    return FolderSpool(Path(folder.name) / "spool", keys, "torfaen", "events", alone=True)


def said(kind: str, body: str, *heads: str, status: str = "200 OK") -> bytes:
    """A whole answer as it travels."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", *heads, f"Content-Length: {len(body.encode())}", "", body]
    return "\r\n".join(lines).encode()


_SOAP = '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{}</s:Body></s:Envelope>'
_RECORD = (
    "<Referral><ReferralId>R1</ReferralId><Version>1</Version><LastChanged>2026-03-02T09:30:00</LastChanged>"
    "<Received>2026-03-02T09:30:00</Received><Kind>REF</Kind><Status>NEW</Status><Priority>P2</Priority><Subject>"
    "<Forename>S</Forename><Surname>J</Surname><DOB>1941-02-03</DOB><Gender>2</Gender><PreferredLanguage>W"
    '</PreferredLanguage></Subject><Needs><Need code="N01">x</Need></Needs><Safeguarding>false</Safeguarding>'
    "<Restricted>false</Restricted></Referral>"
)
_IN = 'xmlns="urn:example:casework:2"'
_XML = "text/xml; charset=utf-8"
_FAULT = (
    "<s:Fault><faultcode>s:Client</faultcode><faultstring>no</faultstring><detail><ValidationFault "
    f"{_IN}><Code>E1</Code><Field>Priority</Field></ValidationFault></detail></s:Fault>"
)

_THING = {"id": "T1", "at": "2026-03-01T09:00:00Z", "name": "a", "kind": "A", "version": 1, "parts": [{"n": 1}]}
_TAKEN = '{"code": "taken", "field": "name", "id": "T1"}'


def _things(*, item: Any = None, feed: Mapping[str, Any]) -> dict[str, Any]:
    made = copy.deepcopy(PROFILE)
    made["records"]["Thing"] |= {"changes": dict(feed)} | ({"item": item} if item else {})
    return made


_CURSOR = PROFILE["records"]["Thing"]["changes"]
_LINKS = _things(feed={**_CURSOR, "page": {"next": "next", "is": "link", "size": "limit", "of": 50}})
_DELTA = _things(feed={"feed": "delta", "path": "/things", "items": "things[]", "of": 3, "is": "link",
                       "headers": {"Prefer": "odata.maxpagesize={size}"},
                       "removed": {"mark": "gone", "reason": "gone/reason"}})  # fmt: skip
_WINDOW = _things(feed={
    "feed": "id-window", "path": "/updated", "begins": "start", "ends": "end", "items": "ids[]", "covered": "covered",
    "deleted": {"path": "/deleted", "items": "gone[]", "earliest": "earliest"}, "reach": "P10D", "of": 3,
    "all": {"path": "/all", "items": "all[]", "id": ".", "next": "next", "at_most": 5},
})  # fmt: skip
_INBOX = _things(item={"id": "id"}, feed={
    "feed": "inbox", "path": "/inbox", "items": "messages[]", "message": "/inbox/{id}", "of": 3,
    "acknowledge": {"path": "/inbox/{id}/acknowledged"},
})  # fmt: skip
_IDS = _things(feed={"feed": "id-list", "path": "/changed", "since": "since", "items": "changed[]", "id": "id",
                     "modified": "at", "of": 3})  # fmt: skip
_NEWEST = _things(feed={"feed": "newest-first", "path": "/newest", "items": "things[]",
                        "page": {"by": "number", "parameter": "page", "size": "size", "of": 2, "at_most": 5}})
_KNOWN = _things(feed={"feed": "known-ids", "a_run": 4, "of": 2})
_QUEUE = _things(item={"id": "id"}, feed={"feed": "queue", "path": "/events", "items": "events[]", "of": 3})
_DATED = "Date: Mon, 02 Mar 2026 09:00:00 GMT"


def walked(connector: Connector, kind: str, watermark: str = "") -> Any:
    """Two pages of a walk."""
    page = connector.changes(kind, watermark=watermark)
    return connector.changes(kind, watermark=watermark, cursor=page.cursor) if page.cursor else page


def _fetch(one: Connector) -> Any:
    return one.fetch("Thing", "T1")


def _queued(one: Connector) -> Any:
    """Two pages of a queue of whose answers none is kept yet."""
    for name in spool().names("queue-"):
        spool().drop(name)
    return walked(one, "Thing")


def _logged_in(one: Any) -> Any:
    """A read that must log in first."""
    one._login._held = None
    return _fetch(one)


_WRITTEN = {
    "Received": "2026-03-02T09:30:00", "Kind": "REF", "Status": "NEW", "Priority": "P2", "Safeguarding": False,
    "Restricted": False, "Subject": {"Forename": "S", "Surname": "J", "DOB": "1941-02-03", "Gender": "2",
                                     "PreferredLanguage": "W"},
}  # fmt: skip
_SIGN_IN = {"sign_in_url": "SYSTEM/in", "username": "u", "password": "env:X"}
_NOTIFY = {"login": {"notify": {"api_key": "env:X"}}}
CASES: dict[str, Case] = {
    "soap changes": Case(
        "casework", lambda one: walked(one, "Referral"), _XML,
        [_SOAP.format(f"<FindReferralsResponse {_IN}>{_RECORD * 2}<MorePages>true</MorePages></FindReferralsResponse>"),
         _SOAP.format(_FAULT)],
    ),
    "soap fetch": Case(
        "casework", lambda one: one.fetch("Referral", "R1"), _XML,
        [_SOAP.format(f"<GetReferralResponse {_IN}>{_RECORD}</GetReferralResponse>"), _SOAP.format(_FAULT)],
    ),
    "soap create": Case(
        "casework", lambda one: one.deliver("Referral", _WRITTEN, key="k"), _XML,
        [_SOAP.format(f"<CreateReferralResponse {_IN}><ReferralId>R1</ReferralId><Version>1</Version><LastChanged>"
                      "2026-03-02T09:30:00</LastChanged></CreateReferralResponse>"), _SOAP.format(_FAULT)],
    ),
    "rest cursor": Case(
        PROFILE, lambda one: walked(one, "Thing"), JSON, [json.dumps({"things": [_THING, _THING], "next": "abc"})]
    ),
    "rest links": Case(
        _LINKS, lambda one: walked(one, "Thing"), JSON,
        [json.dumps({"things": [_THING], "next": "CANARY/things?page=2"}),
         json.dumps({"things": [_THING], "next": "/things?page=2"})],
    ),
    "rest delta": Case(
        _DELTA, lambda one: walked(one, "Thing"), JSON,
        [json.dumps({"things": [_THING, {"id": "T2", "gone": {"reason": "deleted"}}], "@odata.deltaLink": "SELF?d=1"}),
         json.dumps({"things": [_THING], "@odata.nextLink": "CANARY/things?page=2"})],
    ),
    "rest id list": Case(
        _IDS, lambda one: one.changes("Thing", watermark=""), JSON, [json.dumps(_THING)],
        before=[said(JSON, json.dumps({"changed": [{"id": "T1", "at": _THING["at"]}, {"id": "T2", "at": "x"}]}))],
    ),
    "rest id list, the list": Case(
        _IDS, lambda one: one.changes("Thing", watermark=""), JSON,
        [json.dumps({"changed": [{"id": "T1", "at": _THING["at"]}]})],
    ),
    "rest id window": Case(
        _WINDOW, lambda one: one.changes("Thing", watermark="2026-03-02T08:00:00+00:00"), JSON,
        [json.dumps({"ids": ["T1"], "gone": ["T2"], "covered": "2026-03-02T09:00:00Z",
                     "earliest": "2026-02-25T09:00:00Z"})],
        before=[said(JSON, "{}", _DATED)],
    ),
    "rest newest first": Case(
        _NEWEST, lambda one: walked(one, "Thing"), JSON, [json.dumps({"things": [_THING, {**_THING, "id": "T0"}]})]
    ),
    "rest inbox": Case(
        _INBOX, lambda one: walked(one, "Thing"), JSON, [json.dumps({"messages": ["T1", "T2"]}), json.dumps(_THING)]
    ),
    "rest queue": Case(
        _QUEUE, _queued, JSON, [json.dumps({"events": [_THING, {**_THING, "id": "T2"}]}), '{"events": []}'],
        spooled=True,
    ),
    "rest known ids": Case(_KNOWN, lambda one: walked(one, "Thing"), JSON, [json.dumps(_THING), _TAKEN]),
    "rest fetch": Case(PROFILE, _fetch, JSON, [json.dumps(_THING), _TAKEN]),
    "rest find": Case(
        PROFILE, lambda one: one.find("Thing", "k"), JSON, [json.dumps({"things": [{**_THING, "key": "k"}]})]
    ),
    "rest create": Case(
        PROFILE, lambda one: one.deliver("Thing", {"name": "a"}, key="k"), JSON, [json.dumps(_THING), _TAKEN]
    ),
    "oauth2": Case(
        PROFILE, _logged_in, JSON, ['{"access_token": "t", "token_type": "Bearer", "expires_in": 60}'],
        {"login": {"oauth2": {"token_url": "SYSTEM/token", "client_id": "c", "client_secret": "env:X"}}},
    ),
    "token": Case(PROFILE, _logged_in, JSON, ['{"token": "t"}'], {"login": {"token": _SIGN_IN}}),
    "session": Case(PROFILE, _logged_in, JSON, ["{}"], {"login": {"session": {**_SIGN_IN, "cookie": "SID"}}}),
    "notify create": Case(
        "notify", lambda one: one.deliver("Text", TEXT, key="k"), JSON,
        [json.dumps({"id": SENT, "reference": "k"}),
         '{"status_code": 400, "errors": [{"error": "E", "message": "to no"}]}'], _NOTIFY,
    ),
    "notify find": Case(
        "notify", lambda one: one.find("Text", "k"), JSON,
        [json.dumps({"notifications": [{"id": SENT, "reference": "k", "created_at": "2026-03-01T09:00:00.000000Z"}]})],
        _NOTIFY,
    ),
}  # fmt: skip
