"""What stands in a message's header: addresses, tokens and cookies that an operation gave; over real sockets.

The other side is a small server that reads messages by lxml alone; what it must find in them is said by zeep's own
addressing plug-in and by the W3C's recommendation.
"""

from __future__ import annotations

import copy
import logging
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import zeep
from lxml import etree
from zeep.wsa import WsAddressingPlugin

from connectors import errors, registry
from connectors.port import Connector
from connectors.soap.connector import SoapConnector
from tests.connectors.conftest import Answer, Call
from tests.connectors.soap.cases import BY_COOKIE, PASSWORD, PROFILE, S11, S12, SIGN_IN, WSA, Cases, said, wsdl

Open = Callable[..., Connector]


@pytest.fixture
def cases() -> Cases:
    return Cases()


@pytest.fixture
def connect(small: Any, cases: Cases, clock: Callable[[], datetime]) -> Iterator[Open]:
    """Opens a connector to the small system; keywords change its profile, `connect` its settings."""
    opened: list[Connector] = []
    server = small(cases)

    def connect(
        *,
        port: str = "soap",
        monotonic: Callable[[], float] = time.monotonic,
        password: str = PASSWORD,
        settings: dict[str, Any] | None = None,
        pinned: bytes = wsdl(),
        **profile: Any,
    ) -> Connector:
        told = {**copy.deepcopy(PROFILE), "port": port, **profile}
        login = {"soap_sign_in": {"username": "dolen", "password": "env:P"}} if "sign_in" in told else None
        given = {"url": f"{server.url}/soap", "timeout_seconds": 5, **({"login": login} if login else {})}
        given |= settings or {}
        checked: Any = registry.check_profile(told)
        made: Any = registry.check_settings("soap", given, secret=lambda _: password)
        opened.append(SoapConnector(checked, made, lambda _: pinned, clock=clock, monotonic=monotonic))
        return opened[-1]

    connect.server = server  # type: ignore[attr-defined]
    yield connect
    for one in opened:
        one.close()


def walked(connector: Connector) -> list[str]:
    found: list[str] = []
    cursor = ""
    while True:
        page = connector.changes("Case", watermark="", cursor=cursor)
        found += [item.id for item in page.items]
        if not page.cursor:
            return found
        cursor = page.cursor


@pytest.mark.parametrize(("port", "space"), [("soap", S11), ("soap12", S12)])
def test_a_message_says_where_it_goes_and_what_it_asks_for(connect: Open, cases: Cases, port: str, space: str) -> None:
    found = connect(port=port, addressing={"reply_to": "anonymous"})
    url = connect.server.url + "/soap"  # type: ignore[attr-defined]
    assert walked(found) == ["1", "2", "3", "4", "5"]
    found.deliver("Case", {}, key="k")
    headers = [envelope.find(f"{{{space}}}Header") for envelope in cases.seen]
    told = [
        {etree.QName(one).localname: "".join(one.itertext()) for one in header}
        for header in headers
        if header is not None
    ]
    assert [one["Action"] for one in told] == ["urn:t/Find"] * 5 + ["urn:t/CreateIt"], (
        "wsam:Action goes before soapAction"
    )
    assert {one["To"] for one in told} == {url}
    assert {one["ReplyTo"] for one in told} == {f"{WSA}/anonymous"}
    numbers = {one["MessageID"] for one in told}
    assert len(numbers) == 6
    assert all(number.startswith("urn:uuid:") and uuid.UUID(number[9:]).version == 4 for number in numbers)
    assert not any(
        node.get(f"{{{space}}}mustUnderstand") for header in headers if header is not None for node in header
    )


def test_addresses_are_those_that_zeep_would_write(connect: Open, cases: Cases, tmp_path: Any) -> None:
    connect(addressing={"reply_to": "anonymous", "must_understand": True}).deliver("Case", {}, key="k")
    file = tmp_path / "cases.wsdl"
    file.write_bytes(wsdl())
    url = connect.server.url + "/soap"  # type: ignore[attr-defined]
    client = zeep.Client(str(file), plugins=[WsAddressingPlugin(url)])
    client.create_service("{urn:t}soap", url).Create(Case={})
    ours, theirs = ({one.tag: one.text for one in seen.find(f"{{{S11}}}Header")} for seen in cases.seen)
    mine = {etree.QName(one).localname: one for one in cases.seen[0].find(f"{{{S11}}}Header")}
    for name in ("Action", "To"):
        assert ours[f"{{{WSA}}}{name}"] == theirs[f"{{{WSA}}}{name}"]
        assert mine[name].get(f"{{{S11}}}mustUnderstand") == "1"
    assert ours.keys() - theirs.keys() == {f"{{{WSA}}}ReplyTo"}


def test_nothing_stands_in_the_header_that_the_profile_does_not_say(connect: Open, cases: Cases) -> None:
    """zeep by itself writes addresses from the pinned WSDL wherever that states an Action."""
    connect().deliver("Case", {}, key="k")
    header = cases.seen[0].find(f"{{{S11}}}Header")
    assert header is None or not len(header)


def test_a_system_behind_a_gateway_is_addressed_by_its_own_name(connect: Open, cases: Cases) -> None:
    inside = "https://cases.internal.example.org/soap"
    connect(addressing={"reply_to": "anonymous"}, settings={"addressed_to": inside}).deliver("Case", {}, key="k")
    assert cases.seen[0].findtext(f".//{{{WSA}}}To") == inside


def test_an_answer_to_another_message_is_no_answer(connect: Open, cases: Cases) -> None:
    found = connect(addressing={"reply_to": "anonymous"})
    cases.relates = lambda _: "urn:uuid:00000000-0000-4000-8000-000000000000"
    with pytest.raises(errors.Unknown, match="another message"):
        found.deliver("Case", {}, key="k")
    cases.relates = lambda _: ""
    assert found.deliver("Case", {}, key="k").id == "1", "an answer that does not say is taken"


def test_an_operation_without_an_action_is_told_before_anything_is_sent(connect: Open, cases: Cases) -> None:
    with pytest.raises(errors.Misconfigured, match=r"addressing\.actions\.Create"):
        connect(addressing={"reply_to": "anonymous"}, pinned=wsdl(actions=False))
    told = {"reply_to": "anonymous", "actions": {"Create": "urn:told/Create"}}
    connect(addressing=told, pinned=wsdl(actions=False)).deliver("Case", {}, key="k")
    assert cases.seen[0].findtext(f".//{{{WSA}}}Action") == "urn:told/Create"
    with pytest.raises(errors.Misconfigured, match="no operation Creat:"):
        connect(addressing={"reply_to": "anonymous", "actions": {"Creat": "urn:x"}})


@pytest.mark.parametrize(
    "code", ["a:ActionNotSupported", "a:MessageAddressingHeaderRequired", "a:InvalidAddressingHeader"]
)
def test_a_refused_address_is_the_profiles_fault(connect: Open, small: Any, cases: Cases, code: str) -> None:
    cases.relates = lambda _: ""
    fault = f"<s:Fault><faultcode>{code}</faultcode><faultstring>no</faultstring></s:Fault>"
    server = small(lambda _: said(S11, fault, status=500))
    with pytest.raises(errors.Misconfigured, match="addressed_to"):
        connect(addressing={"reply_to": "anonymous"}, settings={"url": server.url}).deliver("Case", {}, key="k")


@pytest.mark.parametrize("port", ["soap", "soap12"])
@pytest.mark.parametrize("header", [SIGN_IN["header"], {"element": "{urn:t}Ticket"}], ids=["element", "text"])
def test_one_signs_in_once_and_the_token_goes_with_every_message(
    connect: Open, cases: Cases, port: str, header: dict[str, Any]
) -> None:
    found = connect(port=port, sign_in={**SIGN_IN, "header": header}, addressing={"reply_to": "anonymous"})
    assert walked(found) == ["1", "2", "3", "4", "5"]
    found.deliver("Case", {}, key="k")
    assert cases.given == 1
    assert len(cases.seen) == 7
    assert cases.seen[0].findtext(f".//{{{WSA}}}Action") == "urn:t/LogOn"
    if header is SIGN_IN["header"]:
        assert cases.seen[1].findtext(".//{urn:t}SessionHeader/{urn:t}Application") == "dolen"


@pytest.mark.parametrize("over", ["fault", "401"])
@pytest.mark.parametrize("way", ["token", "cookie"])
def test_a_login_that_ends_in_mid_page_is_renewed_and_nothing_is_read_twice_or_missed(
    connect: Open, cases: Cases, over: str, way: str
) -> None:
    cases.over, cases.uses = over, 2
    cases.cookie_for = "SID" if way == "cookie" else ""
    found = connect(sign_in=BY_COOKIE if way == "cookie" else SIGN_IN)
    assert walked(found) == ["1", "2", "3", "4", "5"]
    assert cases.given == 3
    found.deliver("Case", {}, key="k")
    found.deliver("Case", {}, key="k")
    assert (cases.made, cases.given) == (2, 4), "a refused create was not done, and is done once after renewing"


def test_a_login_that_stays_refused_is_renewed_once(connect: Open, cases: Cases) -> None:
    cases.uses = 0
    found = connect(sign_in=SIGN_IN)
    with pytest.raises(errors.Unauthorised) as caught:
        found.deliver("Case", {}, key="k")
    assert (cases.given, cases.made, len(cases.seen)) == (2, 0, 4)
    assert PASSWORD not in str(caught.value) + repr(caught.value)


@pytest.mark.parametrize(
    ("until", "after", "times"),
    [
        ("600", 500, 1),
        ("600", 580, 2),
        ((datetime.now(UTC) + timedelta(hours=1)).isoformat(timespec="seconds"), 3000, 1),
        ((datetime.now(UTC) + timedelta(hours=1)).isoformat(timespec="seconds"), 3580, 2),
        ("", 250, 1),
        ("", 280, 2),
        ("0001-01-01T00:00:00", 250, 1),
    ],
    ids=["seconds", "seconds over", "a moment", "a moment over", "untold", "untold, over", "no moment"],
)
def test_a_token_is_renewed_shortly_before_it_ends(
    connect: Open, cases: Cases, until: str, after: float, times: int
) -> None:
    now = [1000.0]
    cases.expires = until
    found = connect(sign_in=SIGN_IN, monotonic=lambda: now[0])
    found.deliver("Case", {}, key="k")
    now[0] += after
    found.deliver("Case", {}, key="k")
    assert cases.given == times


def client_fault(space: str) -> Answer:
    words = f"<faultcode>s:Client</faultcode><faultstring>{PASSWORD}</faultstring>"
    return said(space, f"<s:Fault>{words}</s:Fault>", status=500)


REFUSALS: list[tuple[str, Callable[[str], Answer], type[errors.ConnectorError]]] = [
    ("401", lambda _: Answer(401), errors.Unauthorised),
    ("a fault", client_fault, errors.Unauthorised),
    (
        "no in a good answer",
        lambda s: said(s, "<t:LogOnResponse><t:Success>false</t:Success></t:LogOnResponse>"),
        errors.Unauthorised,
    ),
    (
        "no token",
        lambda s: said(s, "<t:LogOnResponse><t:Success>true</t:Success></t:LogOnResponse>"),
        errors.Unauthorised,
    ),
    ("a web page", lambda _: Answer(200, b"<html>hi</html>", {"Content-Type": "text/html"}), errors.Unreachable),
    ("429", lambda _: Answer(429, b"", {"Retry-After": "7"}), errors.Throttled),
    ("500", lambda _: Answer(500), errors.Unreachable),
]


@pytest.mark.parametrize(("name", "refusal", "expected"), REFUSALS, ids=[row[0] for row in REFUSALS])
def test_a_sign_in_that_fails_says_so_and_nothing_else_is_sent(
    connect: Open, cases: Cases, name: str, refusal: Callable[[str], Answer], expected: type[errors.ConnectorError]
) -> None:
    cases.refuses = refusal
    found = connect(sign_in=SIGN_IN)
    with pytest.raises(errors.ConnectorError) as caught:
        found.deliver("Case", {}, key="k")
    assert type(caught.value) is expected
    assert "signing in" in caught.value.reason
    assert caught.value.reply == b"", "the answer of a sign-in may hold a token"
    assert {etree.QName(next(iter(one.find(f"{{{S11}}}Body")))).localname for one in cases.seen} == {"LogOn"}


def test_no_secret_is_shown_anywhere(connect: Open, cases: Cases, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    cases.uses = 1
    found = connect(sign_in=SIGN_IN, addressing={"reply_to": "anonymous"})
    walked(found)
    shown = caplog.text + repr(found._calls) + repr(found._calls._login) + repr(found.settings)  # type: ignore[attr-defined]
    shown += repr(found._calls._login._held)  # type: ignore[attr-defined]
    shown += repr(
        found.interface.request("LogOn", {"User": "dolen", "Password": PASSWORD, "Application": "dolen"}, lambda x: x)
    )  # type: ignore[attr-defined]
    cases.over = "fault"
    cases.uses = 0
    with pytest.raises(errors.Unauthorised) as caught:
        found.deliver("Case", {}, key="k")
    shown += repr(caught.value) + str(caught.value)
    assert PASSWORD not in shown
    assert "tocyn-" not in shown


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"operation": "LogIn"}, "no operation LogIn"),
        ({"username": "Name"}, "no element Name"),
        ({"token": "Key"}, "no element Key"),
        ({"header": {"element": "Header"}}, "declares no one element Header"),
        ({"header": {"element": "SessionHeader", "token": "Id"}}, "no element Id"),
        ({"header": {"element": "SessionHeader"}}, "sign_in.header.token is missing"),
        ({"cookie": "SID"}, "either token with header, or cookie"),
        ({"header": None}, "go together"),
    ],
)
def test_a_sign_in_that_does_not_fit_the_wsdl_is_told_before_anything_is_sent(
    connect: Open, cases: Cases, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(errors.Misconfigured, match=words):
        connect(sign_in={**SIGN_IN, **change})
    assert cases.seen == []


def test_a_login_by_sign_in_needs_a_profile_that_describes_it(connect: Open) -> None:
    told = {"login": {"soap_sign_in": {"username": "dolen", "password": "env:P"}}}
    with pytest.raises(errors.Misconfigured, match="has no sign_in"):
        connect(settings=told)
    with pytest.raises(errors.Misconfigured, match="has no sign_in"):
        registry.check_sound(PROFILE, {"url": "https://example.org/", **told}, secret=str)


def test_a_user_name_that_the_wsdl_does_not_take_is_told_without_it(connect: Open) -> None:
    told = {"login": {"soap_sign_in": {"username": "a-name-of-more-than-20-signs", "password": "env:P"}}}
    with pytest.raises(errors.Misconfigured, match="sign_in: not sent: User") as caught:
        connect(sign_in=SIGN_IN, settings=told).deliver("Case", {}, key="k")
    assert "a-name" not in caught.value.reason


def test_a_session_that_http_carries_is_renewed_after_a_fault_too(connect: Open, cases: Cases, small: Any) -> None:
    """The `session` and `token` logins work over SOAP as well, where systems tell by a fault that one is over."""
    given = [0]

    def door(_: Call) -> Answer:
        given[0] += 1
        cases.given = given[0]
        cases.used = 0
        return Answer(200, b"{}", {"Set-Cookie": f"SID=tocyn-{given[0]}"})

    login = {"session": {"sign_in_url": small(door).url, "username": "d", "password": "env:P", "cookie": "SID"}}
    cases.uses = 2
    assert walked(connect(settings={"login": login})) == ["1", "2", "3", "4", "5"]
    assert given == [3]
