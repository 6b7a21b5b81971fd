"""Rows 9, 16, 18, 19, 24 and 25 of docs/catalogue.md for systems that speak SOAP.

`test_replies.py` beside it holds what each answer to a create means. Here the same kinds of answer come to a page, a
look-up and a reading, where they must not pass for "no changes", "not there" or "deleted".
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from connectors import errors, registry
from connectors.port import Connector, Item

KIND = "Referral"
CW = "urn:example:casework:2"
S11, S12 = "http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"
XML = {"Content-Type": "text/xml; charset=utf-8"}
HTML = {"Content-Type": "text/html"}
CANARY = "Gwenllian-Canary"
WATERMARK = "2026-03-02T09:30:00.000000+00:00"


def envelope(body: str, space: str = S11) -> bytes:
    return f'<?xml version="1.0"?><s:Envelope xmlns:s="{space}"><s:Body>{body}</s:Body></s:Envelope>'.encode()


def fault(code: str) -> bytes:
    return envelope(f"<s:Fault><faultcode>{code}</faultcode><faultstring>{CANARY}</faultstring></s:Fault>")


def fault12(code: str) -> bytes:
    inner = f"<s:Code><s:Value>{code}</s:Value></s:Code>"
    return envelope(f'<s:Fault>{inner}<s:Reason><s:Text xml:lang="en">{CANARY}</s:Text></s:Reason></s:Fault>', S12)


def record(id: str = "R1", surname: str = CANARY, more: str = "") -> str:
    return (
        f"<Referral><ReferralId>{id}</ReferralId><Version>1</Version><LastChanged>2026-03-02T09:30:00</LastChanged>"
        "<Received>2026-03-02T09:30:00</Received><Kind>REF</Kind><Status>NEW</Status><Priority>P2</Priority>"
        f"<Subject><Forename>A</Forename><Surname>{surname}</Surname><DOB>1950-02-01</DOB><Gender>2</Gender>"
        "<PreferredLanguage>W</PreferredLanguage></Subject>"
        f"<Safeguarding>false</Safeguarding><Restricted>false</Restricted>{more}</Referral>"
    )


def typed(name: str, inner: str) -> str:
    return f'<{name} xmlns="{CW}">{inner}</{name}>'


def page(*records: str) -> bytes:
    return envelope(typed("FindReferralsResponse", "".join(records) + "<MorePages>false</MorePages>"))


Serve = Callable[..., Any]


@pytest.fixture
def serve(
    small: Any, shipped: Any, interfaces: Callable[[str], bytes], clock: Callable[[], datetime]
) -> Iterator[Serve]:
    """Opens a connector to a server that answers as `says(call)` does."""
    opened: list[Connector] = []

    def serve(says: Callable[[Any], Any], **settings: Any) -> Any:
        server = small(says)
        connect = {"url": server.url, "timeout_seconds": 5, **settings}
        made = registry.open_connector(shipped("casework"), connect, interfaces=interfaces, clock=clock, secret=str)
        made._sleep = lambda _: None  # type: ignore[attr-defined]
        made.server = server  # type: ignore[attr-defined]
        opened.append(made)
        return made

    yield serve
    for one in opened:
        one.close()


# Name, status, body, headers, and what it means for a call that may be repeated.
REPLIES: list[tuple[str, int, bytes, dict[str, str], type[errors.ConnectorError]]] = [
    ("a Client fault", 500, fault("s:Client"), XML, errors.Rejected),
    ("a Client fault with status 200", 200, fault("s:Client"), XML, errors.Rejected),
    ("a Sender fault", 400, fault12("s:Sender"), XML, errors.Rejected),
    ("a Server fault", 500, fault("s:Server"), XML, errors.Unknown),
    ("a Server fault with status 200", 200, fault("s:Server"), XML, errors.Unknown),
    ("a Receiver fault", 500, fault12("s:Receiver"), XML, errors.Unknown),
    ("a fault without code", 500, fault(""), XML, errors.Unknown),
    ("a login fault", 500, fault("wsse:FailedAuthentication"), XML, errors.Unauthorised),
    ("a login fault with status 200", 200, fault("wsse:FailedAuthentication"), XML, errors.Unauthorised),
    ("401", 401, b"", HTML, errors.Unauthorised),
    ("403 with a web page", 403, b"<html>no</html>", HTML, errors.Unauthorised),
    ("404 with a web page", 404, b"<html>no</html>", HTML, errors.Unknown),
    ("410", 410, b"", XML, errors.Unknown),
    ("429", 429, b"", {**XML, "Retry-After": "7"}, errors.Throttled),
    ("503 with a web page", 503, b"<html>later</html>", HTML, errors.Unknown),
    ("a login page with status 200", 200, f"<html>{CANARY}</html>".encode(), HTML, errors.Unknown),
    ("a login page that says it is XML", 200, b"<!DOCTYPE html><html/>", XML, errors.Unknown),
    ("a login page of XHTML", 200, b'<html xmlns="http://www.w3.org/1999/xhtml"/>', XML, errors.Unknown),
    ("nothing", 200, b"", XML, errors.Unknown),
    ("202 and nothing", 202, b"", XML, errors.Unknown),
    ("an empty Body", 200, envelope(""), XML, errors.Unknown),
    ("no Body", 200, f'<s:Envelope xmlns:s="{S11}"/>'.encode(), XML, errors.Unknown),
    ("another root", 200, b"<ok/>", XML, errors.Unknown),
    ("another answer", 200, envelope(typed("CreateReferralResponse", "")), XML, errors.Unknown),
    ("the answer with status 500", 500, page(), XML, errors.Unknown),
    ("the answer without its namespace", 200, envelope("<FindReferralsResponse/>"), XML, errors.Unknown),
    ("an answer in parts", 200, b"--x", {"Content-Type": "multipart/related; boundary=x"}, errors.Unknown),
    ("302 to a login page", 302, b"", {"Location": "https://login.example.org/"}, errors.Unknown),
]


@pytest.mark.parametrize(("name", "status", "body", "headers", "meant"), REPLIES, ids=[row[0] for row in REPLIES])
def test_row_18_what_is_no_answer_is_no_page_no_record_and_no_absence(
    serve: Serve,
    answer: Any,
    name: str,
    status: int,
    body: bytes,
    headers: dict[str, str],
    meant: type[errors.ConnectorError],
) -> None:
    casework = serve(lambda _: answer(status, body, headers))
    calls: list[Callable[[], Any]] = [
        lambda: casework.changes(KIND, watermark=WATERMARK),
        lambda: casework.find(KIND, "k"),  # [] would be "not there": send it again
        lambda: casework.fetch(KIND, "R1"),  # None would be "deleted"
    ]
    for call in calls:
        with pytest.raises(errors.ConnectorError) as caught:
            call()
        unreadable = isinstance(caught.value, errors.PageUnreadable) and meant is errors.Unknown
        assert isinstance(caught.value, meant) or unreadable
        assert not isinstance(caught.value, errors.NotThere)
        assert CANARY not in str(caught.value) + repr(caught.value)


def test_row_19_only_the_interfaces_own_word_is_absence(serve: Serve, answer: Any) -> None:
    gone = typed("NotFound", "<ReferralId>R1</ReferralId>")
    said = f"<s:Fault><faultcode>s:Client</faultcode><faultstring>x</faultstring><detail>{gone}</detail></s:Fault>"
    casework = serve(lambda _: answer(500, envelope(said), XML))
    assert casework.fetch(KIND, "R1") is None
    empty = envelope(typed("FindByClientReferenceResponse", ""))
    assert serve(lambda _: answer(200, empty, XML)).find(KIND, "k") == []


@pytest.mark.parametrize("measured", [False, True], ids=["shorter than its length", "well measured"])
def test_row_9_a_page_cut_at_any_byte_is_refused_whole(serve: Serve, answer: Any, measured: bool) -> None:
    whole, cut = page(record("R1")), [0]

    def says(_: Any) -> Any:
        length = cut[0] if measured else len(whole)
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\n\r\n"
        return answer(raw=head.encode() + whole[: cut[0]])

    casework = serve(says)
    for cut[0] in range(len(whole)):
        with pytest.raises((errors.Unknown, errors.PageUnreadable)):
            casework.changes(KIND, watermark=WATERMARK)
    cut[0] = len(whole)
    assert [item.id for item in casework.changes(KIND, watermark="").items] == ["R1"]


@pytest.mark.parametrize(
    ("fault_name", "numbers"),
    [
        ("hang_after", {"seconds": 3}),
        ("reset_after", {}),
        ("error_after", {"status": 500}),
        ("html_after", {}),
        ("late_commit", {"seconds": 1.5, "silent_seconds": 3}),
    ],
)
def test_row_16_done_and_not_said_is_unknown_sent_once_and_found(
    connect: Any, council: Any, new: dict[str, Any], fault_name: str, numbers: dict[str, Any]
) -> None:
    casework = connect(timeout_seconds=1)
    council.faults("casework", **{fault_name: {"operations": ["CreateReferral"], **numbers}})
    with pytest.raises(errors.Unknown):
        casework.deliver(KIND, new, key="k-16")
    if fault_name == "late_commit":
        assert casework.find(KIND, "k-16") == [], "one look at once is not enough"
        time.sleep(1.5)
    assert len(casework.find(KIND, "k-16")) == 1
    assert len(council.records("casework")) == 1


def test_row_24_a_page_that_drips_ends_with_the_calls_deadline(serve: Serve, answer: Any) -> None:
    casework = serve(lambda _: answer(200, page(record()), XML, pause=0.05), timeout_seconds=0.6)
    began = time.monotonic()
    with pytest.raises(errors.Unknown, match=r"within 0\.6 seconds"):
        casework.deliver(KIND, {"Kind": "REF"} | NEW, key="k")
    assert time.monotonic() - began < 3


NEW: dict[str, Any] = {
    "Received": "2026-03-02T09:30:00", "Kind": "REF", "Status": "NEW", "Priority": "P2",
    "Subject": {"Forename": "A", "Surname": "B", "DOB": "0001-01-01", "Gender": "2", "PreferredLanguage": "W"},
    "Safeguarding": "false", "Restricted": "false",
}  # fmt: skip

# What XML can carry comes and goes as it is.
TEXTS: dict[str, str] = {
    "plain": "Sian",
    "Welsh": "Siân Llŷr-Tŵr",
    "combining marks": "Sia\u0302n",
    "C1": "a\x85\x9fb",
    "a BOM inside": "a\ufeffb",
    "right to left": "\u202bشيان\u202c",
    "emoji of several": "👩\u200d👧\u200d👦",
    "cp1252 read as UTF-8": "Siân Oâ€™Neill",
    "line separators": "a\u2028b\u2029c",
    "markup": "<script>&amp;]]></script>",
    "beyond the plane": "\U0001f3f4\U000e0067",
    "tab and line feed": "a\tb\nc",
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "windows-1252", "iso-8859-14"])
@pytest.mark.parametrize("name", TEXTS)
def test_row_25_text_comes_as_it_is_in_whatever_encoding_is_declared(
    serve: Serve, answer: Any, name: str, encoding: str
) -> None:
    text = TEXTS[name]
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # A sign that the encoding lacks is written as a reference, as a careful supplier does.
    whole = page(record("R1", more=f"<OfficerNotes>{escaped}</OfficerNotes>")).decode()
    body = whole.replace('version="1.0"', f'version="1.0" encoding="{encoding}"').encode(encoding, "xmlcharrefreplace")
    casework = serve(lambda _: answer(200, body, {"Content-Type": "text/xml"}))
    (item,) = casework.changes(KIND, watermark="").items
    assert isinstance(item, Item)
    assert item.record["OfficerNotes"] == text
    again = casework.parse(KIND, item.raw, id="R1")
    assert isinstance(again, Item)
    assert again.record == item.record


@pytest.mark.parametrize("name", TEXTS)
def test_row_25_text_goes_as_it_is(connect: Any, council: Any, new: dict[str, Any], name: str) -> None:
    sent = {**copy.deepcopy(new), "OfficerNotes": TEXTS[name]}
    casework = connect()
    made = casework.deliver(KIND, sent, key="k")
    item = casework.fetch(KIND, made.id)
    assert item is not None
    assert item.record["OfficerNotes"] == TEXTS[name]


@pytest.mark.parametrize("text", ["a\x00b", "a\x01b", "a\x0bb", "a\ud800b", "\udc80", "a\uffffb"])
def test_row_25_what_xml_cannot_carry_is_named_and_never_sent(serve: Serve, answer: Any, text: str) -> None:
    casework = serve(lambda _: answer(500))
    with pytest.raises(errors.Rejected) as caught:
        casework.deliver(KIND, {**NEW, "OfficerNotes": text}, key="k")
    assert "OfficerNotes" in str(caught.value)
    assert text not in str(caught.value)
    assert casework.server.calls == []


@pytest.mark.parametrize(
    ("name", "spoilt"),
    [("Latin-1 called UTF-8", b"Si\xe2n"), ("NUL", b"a\x00b"), ("a reference to NUL", b"a&#0;b"), ("C0", b"a\x01b"),
     ("a surrogate", b"a\xed\xa0\x80b"), ("a reference to a surrogate", b"a&#xD800;b"), ("half one", b"a\xe2\x80")],
)  # fmt: skip
def test_row_25_a_page_that_is_not_in_its_own_encoding_is_kept_as_bytes(
    serve: Serve, answer: Any, name: str, spoilt: bytes
) -> None:
    body = page(record("R1", surname="SPOILT")).replace(b"SPOILT", spoilt)
    with pytest.raises(errors.PageUnreadable) as caught:
        serve(lambda _: answer(200, body, XML)).changes(KIND, watermark="")
    assert caught.value.reply == body
