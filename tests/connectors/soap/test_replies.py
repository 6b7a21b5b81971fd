"""Every kind of answer that a SOAP endpoint can give, and what the caller is told to do next."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from connectors import errors, registry
from connectors.port import Connector, UnreadableItem

KIND = "Referral"
CW = "urn:example:casework:2"
S11 = "http://schemas.xmlsoap.org/soap/envelope/"
S12 = "http://www.w3.org/2003/05/soap-envelope"
XML = {"Content-Type": "text/xml; charset=utf-8"}
HTML = {"Content-Type": "text/html"}
CANARY = "Gwenllian-Canary"
NEW: dict[str, Any] = {
    "Received": "2026-03-02T09:30:00",
    "Kind": "REF",
    "Status": "NEW",
    "Priority": "P2",
    "Subject": {"Forename": "A", "Surname": CANARY, "DOB": "0001-01-01", "Gender": "2", "PreferredLanguage": "W"},
    "Safeguarding": "false",
    "Restricted": "false",
}


def envelope(body: str, space: str = S11) -> bytes:
    return f'<?xml version="1.0"?><s:Envelope xmlns:s="{space}"><s:Body>{body}</s:Body></s:Envelope>'.encode()


def fault11(code: str, detail: str = "") -> bytes:
    inner = f"<detail>{detail}</detail>" if detail else ""
    return envelope(f"<s:Fault><faultcode>{code}</faultcode><faultstring>{CANARY}</faultstring>{inner}</s:Fault>")


def fault12(code: str, sub: str = "", detail: str = "") -> bytes:
    inner = f"<s:Subcode><s:Value>{sub}</s:Value></s:Subcode>" if sub else ""
    told = f"<s:Detail>{detail}</s:Detail>" if detail else ""
    reason = f'<s:Reason><s:Text xml:lang="en">{CANARY}</s:Text></s:Reason>'
    return envelope(f"<s:Fault><s:Code><s:Value>{code}</s:Value>{inner}</s:Code>{reason}{told}</s:Fault>", S12)


def typed(name: str, inner: str) -> str:
    return f'<{name} xmlns="{CW}">{inner}</{name}>'


VALIDATION = typed("ValidationFault", f"<Field>Referral/Priority</Field><Code>E017</Code><Message>{CANARY}</Message>")
CONFLICT = typed("VersionConflict", "<ReferralId>R1</ReferralId><Version>4</Version>")
GONE = typed("NotFound", "<ReferralId>R1</ReferralId>")
CREATED = typed(
    "CreateReferralResponse",
    "<ReferralId>R1</ReferralId><Version>1</Version><LastChanged>2026-03-02T09:30:00</LastChanged>",
)

Serve = Callable[..., Connector]


@pytest.fixture
def serve(
    small: Any, answer: Any, shipped: Any, interfaces: Callable[[str], bytes], clock: Callable[[], datetime]
) -> Iterator[Serve]:
    """Opens a connector to a server that gives one answer to everything."""
    opened: list[Connector] = []

    def serve(status: int, body: bytes, headers: dict[str, str] = XML, **how: Any) -> Connector:
        settings = {name: how.pop(name) for name in ("timeout_seconds", "max_reply_bytes") if name in how}
        given = answer(status=status, body=body, headers=headers, **how)
        server = small(lambda _: given)
        connect = {"url": server.url, "timeout_seconds": 5, **settings}
        opened.append(
            registry.open_connector(shipped("casework"), connect, interfaces=interfaces, clock=clock, secret=str)
        )
        opened[-1].server = server  # type: ignore[attr-defined]
        return opened[-1]

    yield serve
    for one in opened:
        one.close()


MATRIX: list[tuple[str, int, bytes, dict[str, str], type[errors.ConnectorError]]] = [
    ("a typed fault", 500, fault11("s:Client", VALIDATION), XML, errors.Rejected),
    ("a typed fault with status 200", 200, fault11("s:Client", VALIDATION), XML, errors.Rejected),
    ("a typed fault that says Server", 500, fault11("s:Server", VALIDATION), XML, errors.Rejected),
    ("a typed fault of SOAP 1.2", 400, fault12("s:Sender", "", VALIDATION), XML, errors.Rejected),
    ("a version conflict", 500, fault11("s:Client", CONFLICT), XML, errors.Outdated),
    ("not found", 500, fault11("s:Client", GONE), XML, errors.NotThere),
    ("a Client fault without detail", 500, fault11("s:Client"), XML, errors.Rejected),
    ("a dotted Client fault", 500, fault11("Client.Schema"), XML, errors.Rejected),
    ("a Sender fault", 400, fault12("s:Sender"), XML, errors.Rejected),
    ("a Server fault", 500, fault11("s:Server"), XML, errors.Unknown),
    ("a Server fault with status 200", 200, fault11("s:Server"), XML, errors.Unknown),
    ("a Receiver fault", 500, fault12("s:Receiver"), XML, errors.Unknown),
    ("a fault without code", 500, fault11(""), XML, errors.Unknown),
    ("a fault of its own", 500, fault11("ns1:Oops.17"), XML, errors.Unknown),
    ("a login fault", 500, fault11("wsse:FailedAuthentication"), XML, errors.Unauthorised),
    ("a login fault with status 200", 200, fault11("wsse:InvalidSecurity"), XML, errors.Unauthorised),
    ("a login fault of SOAP 1.2", 400, fault12("s:Sender", "wsse:InvalidSecurityToken"), XML, errors.Unauthorised),
    ("a Server fault with status 401", 401, fault11("s:Server"), XML, errors.Unauthorised),
    ("a wrong version of SOAP", 500, fault11("s:VersionMismatch"), XML, errors.Misconfigured),
    ("a header it must understand", 500, fault11("s:MustUnderstand"), XML, errors.Misconfigured),
    ("401 without a word", 401, b"", HTML, errors.Unauthorised),
    ("403 with a web page", 403, b"<html>no</html>", HTML, errors.Unauthorised),
    ("429", 429, b"", {**XML, "Retry-After": "7"}, errors.Throttled),
    ("413", 413, b"too long", HTML, errors.Rejected),
    ("503 with a web page", 503, b"<html>later</html>", {**HTML, "Retry-After": "7"}, errors.Unknown),
    ("404", 404, b"<html>no</html>", HTML, errors.Unknown),
    ("a web page with status 200", 200, f"<html>{CANARY}</html>".encode(), HTML, errors.Unknown),
    ("a web page that says it is XML", 200, b"<!DOCTYPE html><html/>", XML, errors.Unknown),
    ("nothing", 200, b"", XML, errors.Unknown),
    ("202 and nothing", 202, b"", XML, errors.Unknown),
    ("an empty Body", 200, envelope(""), XML, errors.Unknown),
    ("no Body", 200, f'<s:Envelope xmlns:s="{S11}"/>'.encode(), XML, errors.Unknown),
    ("another root", 200, b"<ok/>", XML, errors.Unknown),
    ("another answer", 200, envelope(typed("GetReferralResponse", "")), XML, errors.Unknown),
    ("the answer without its namespace", 200, envelope("<CreateReferralResponse/>"), XML, errors.Unknown),
    ("the answer with status 500", 500, envelope(CREATED), XML, errors.Unknown),
    ("an answer that lacks the id", 200, envelope(typed("CreateReferralResponse", "")), XML, errors.Unknown),
    ("half an answer", 200, envelope(CREATED)[:200], XML, errors.Unknown),
    ("bytes that are not UTF-8", 200, envelope(CREATED).replace(b"R1", b"\xff"), XML, errors.Unknown),
    ("a DOCTYPE", 200, envelope(CREATED).replace(b"?>", b'?><!DOCTYPE x SYSTEM "file:///etc/x">'), XML, errors.Unknown),
    ("an answer in parts", 200, b"--x", {"Content-Type": "multipart/related; boundary=x"}, errors.Unknown),
    ("302 to a login page", 302, b"", {"Location": "https://login.example.org/"}, errors.Unknown),
    ("307", 307, b"", {"Location": "https://elsewhere.example.org/"}, errors.Misconfigured),
]


@pytest.mark.parametrize(("name", "status", "body", "headers", "expected"), MATRIX, ids=[row[0] for row in MATRIX])
def test_a_create_that_gets(
    serve: Serve,
    name: str,
    status: int,
    body: bytes,
    headers: dict[str, str],
    expected: type[errors.ConnectorError],
) -> None:
    casework = serve(status, body, headers)
    with pytest.raises(errors.ConnectorError) as caught:
        casework.deliver(KIND, NEW, key="k")
    problem = caught.value
    assert isinstance(problem, expected)
    assert type(problem).__mro__[1] in (errors.ConnectorError, errors.Unknown)
    assert CANARY not in str(problem) + repr(problem) + problem.code
    assert len(casework.server.calls) == 1, "a create is sent once"  # type: ignore[attr-defined]
    if isinstance(problem, errors.Throttled):
        assert problem.after == 7
    if isinstance(problem, errors.Rejected) and VALIDATION.encode() in body:
        assert (problem.field, problem.code) == ("Priority", "E017")
        assert CANARY.encode() in problem.reply


def test_a_whole_answer(serve: Serve) -> None:
    receipt = serve(200, envelope(CREATED)).deliver(KIND, NEW, key="k")
    assert (receipt.id, receipt.version, receipt.effect) == ("R1", "1", "created")
    assert receipt.modified is not None
    assert receipt.modified.isoformat() == "2026-03-02T09:30:00+00:00"
    assert serve(200, envelope(CREATED, S12)).deliver(KIND, NEW, key="k").id == "R1"


def test_an_answer_with_an_element_that_nobody_knows_is_still_an_answer(serve: Serve) -> None:
    more = CREATED.replace("</LastChanged>", "</LastChanged><Team>new in version 3</Team><Colour/>")
    with pytest.raises(errors.Unknown):
        serve(200, envelope(more)).deliver(KIND, NEW, key="k")  # Team is known, and not here
    assert (
        serve(200, envelope(more.replace("<Team>new in version 3</Team>", ""))).deliver(KIND, NEW, key="k").id == "R1"
    )


def test_a_body_that_is_cut_off_is_never_an_answer(serve: Serve) -> None:
    whole = envelope(CREATED)
    for cut in range(0, len(whole), 37):
        casework = serve(200, whole[:cut], length=len(whole))
        with pytest.raises(errors.Unknown):
            casework.deliver(KIND, NEW, key="k")


def record(id: str, *, dob: str = "1950-02-01", more: str = "") -> str:
    subject = (
        f"<Forename>A</Forename><Surname>{CANARY}</Surname><DOB>{dob}</DOB>"
        "<Gender>2</Gender><PreferredLanguage>W</PreferredLanguage>"
    )
    return (
        f"<Referral><ReferralId>{id}</ReferralId><Version>1</Version><LastChanged>2026-03-02T09:30:00</LastChanged>"
        "<Received>2026-03-02T09:30:00</Received><Kind>REF</Kind><Status>NEW</Status><Priority>P2</Priority>"
        f"<Subject>{subject}</Subject><Safeguarding>false</Safeguarding><Restricted>false</Restricted>{more}</Referral>"
    )


def page(*records: str, more: str = "false") -> bytes:
    return envelope(typed("FindReferralsResponse", "".join(records) + f"<MorePages>{more}</MorePages>"))


def instead(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new)


KIND_ELEMENT, STATUS = "<Kind>REF</Kind>", "<Status>NEW</Status>"
BAD = [
    ("a wrong date", instead("1950-02-01", "31/12/1950"), "Subject/DOB is not a valid LocalDate"),
    ("a code of no list", instead("<Gender>2", "<Gender>7"), "Subject/Gender is not one of '1', '2'"),
    ("a missing element", instead(STATUS, ""), "Priority is not expected here; expected is Status"),
    ("an element twice", instead(KIND_ELEMENT, KIND_ELEMENT * 2), "Kind is not expected"),
    ("another order", instead(KIND_ELEMENT + STATUS, STATUS + KIND_ELEMENT), "Status is not expected"),
    ("a number that is none", instead("<Version>", "<Version>x"), "Version is not a valid int"),
    ("a text that is too long", instead("<Surname>", "<Surname>" + "x" * 70), "Subject/Surname is longer than 70"),
    ("no id", instead("<ReferralId>R2</ReferralId>", ""), "ReferralId is empty"),
    ("a stamp that is none", instead("<LastChanged>2026-03-02T", "<LastChanged>T"), "LastChanged is not a valid"),
]


@pytest.mark.parametrize(("name", "spoil", "reason"), BAD, ids=[row[0] for row in BAD])
def test_one_record_with(serve: Serve, name: str, spoil: Callable[[str], str], reason: str) -> None:
    casework = serve(200, page(record("R1"), spoil(record("R2")), record("R3")))
    found = casework.changes(KIND, watermark="").items
    assert [item.id for item in found if not isinstance(item, UnreadableItem)] == ["R1", "R3"]
    bad = found[1]
    assert isinstance(bad, UnreadableItem)
    assert bad.reason.startswith(reason)
    assert CANARY.encode() in bad.raw
    assert not any(value in bad.reason + repr(bad) for value in (CANARY, "31/12", "1950"))


def test_elements_that_the_pinned_interface_does_not_know_are_kept(serve: Serve) -> None:
    casework = serve(200, page(record("R1", more="<Colour>red</Colour><Shape><Side>1</Side></Shape>"), record("R2")))
    found = casework.changes(KIND, watermark="").items
    assert [item.id for item in found] == ["R1", "R2"]
    first = found[0]
    assert not isinstance(first, UnreadableItem)
    assert (first.record["Colour"], first.record["Shape"]) == ("red", {"Side": "1"})
    with pytest.raises(errors.Rejected, match="Colour is not in the pinned interface"):
        casework.deliver(KIND, first.record, key="k", id="R1", version="1")


UNREADABLE = [
    ("XML that breaks off", page(record("R1"))[:-30]),
    ("a sign that XML does not have", page(record("R1", more="<OfficerNotes>\x01</OfficerNotes>"))),
    ("an entity", page(record("R1", more="<OfficerNotes>&who;</OfficerNotes>"))),
    ("bytes of another encoding", page(record("R1")).replace(b"Gwen", b"Gw\xeeen")),
    ("no word on whether there is more", envelope(typed("FindReferralsResponse", record("R1")))),
    ("a word on it that is none", page(record("R1"), more="perhaps")),
]


@pytest.mark.parametrize(("name", "body"), UNREADABLE, ids=[row[0] for row in UNREADABLE])
def test_a_page_with(serve: Serve, name: str, body: bytes) -> None:
    casework = serve(200, body)
    with pytest.raises(errors.PageUnreadable) as caught:
        casework.changes(KIND, watermark="")
    assert caught.value.reply == body
    assert CANARY not in str(caught.value)


def test_a_page_longer_than_the_cap_is_not_read(serve: Serve) -> None:
    body = page(record("R1", more=f"<OfficerNotes>{'x' * 3000}</OfficerNotes>"))
    with pytest.raises(errors.PageUnreadable, match="max_reply_bytes"):
        serve(200, body, max_reply_bytes=2_000).changes(KIND, watermark="")
    bomb = gzip.compress(body.replace(b"xxx", b"y" * 100_000))
    assert len(bomb) < 200_000
    with pytest.raises(errors.PageUnreadable, match="max_reply_bytes"):
        serve(200, bomb, {**XML, "Content-Encoding": "gzip"}, max_reply_bytes=1_000_000).changes(KIND, watermark="")


def test_a_body_that_drips_is_given_up_at_the_deadline(serve: Serve) -> None:
    casework = serve(200, page(record("R1")), pause=0.05, timeout_seconds=0.6)
    started = time.monotonic()
    with pytest.raises(errors.Unknown, match=r"no complete answer within 0\.6 seconds"):
        casework.changes(KIND, watermark="")
    assert time.monotonic() - started < 3


def test_a_record_dated_in_the_future_does_not_hide_what_comes_after_it(serve: Serve) -> None:
    far = record("R2").replace("<LastChanged>2026", "<LastChanged>2099")
    found = serve(200, page(record("R1"), far)).changes(KIND, watermark="")
    assert len(found.items) == 2
    assert found.watermark.startswith("2026-03-02T09:30")


def test_an_empty_page_moves_nothing(serve: Serve) -> None:
    casework = serve(200, page())
    assert casework.changes(KIND, watermark="").watermark == ""
    mark = "2026-03-02T09:30:00.000000+00:00"
    assert casework.changes(KIND, watermark=mark).watermark == mark
    with pytest.raises(errors.Unknown, match="empty page"):
        serve(200, page(more="true")).changes(KIND, watermark="")


def test_fetch_of_a_record_that_is_not_as_the_interface_says(serve: Serve) -> None:
    body = envelope(typed("GetReferralResponse", record("R1", dob="31/12/1950")))
    with pytest.raises(errors.Unknown, match="Referral/Subject/DOB: is not a valid LocalDate") as caught:
        serve(200, body).fetch(KIND, "R1")
    assert "1950" not in str(caught.value)
    assert serve(200, envelope(typed("GetReferralResponse", ""))).fetch(KIND, "R1") is None
