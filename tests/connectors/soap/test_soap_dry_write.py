"""`dolen doctor` of a SOAP system that can be asked whether it would take a record, and keeps nothing of it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import requests

from connectors.errors import Misconfigured
from connectors.port import Connector, Finding
from connectors.problems import ProfileFaults
from connectors.registry import check_profile, open_connector
from tests.connectors.soap.conftest import KIND, Open

XML = {"Content-Type": "text/xml; charset=utf-8"}
SAYS_NO = (
    b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
    b'<CheckReferralResponse xmlns="urn:example:casework:2"><Acceptable>false</Acceptable></CheckReferralResponse>'
    b"</s:Body></s:Envelope>"
)


def dry(findings: list[Finding]) -> Finding:
    (found,) = [one for one in findings if one.subject == "dry write"]
    assert "Rh" not in found.words + found.remedy, "no value of a record"
    return found


def test_a_record_that_was_read_would_be_taken_and_nothing_is_kept(
    connect: Open, council: Any, new: Any, port: str
) -> None:
    connector = connect(port)
    assert "dry write" not in {one.subject for one in connector.doctor()}, "there is no record to try it with"
    connector.deliver(KIND, new, key="dolen-1")
    before = council.records("casework")
    found = dry(connector.doctor())
    assert (found.well, found.words) == (True, "Referral would be taken; nothing was kept")
    assert council.calls("casework", "CheckReferral") == 1
    assert council.records("casework") == before


def test_a_record_that_it_would_not_take_is_told(connect: Open, council: Any, new: Any) -> None:
    made = connect().deliver(KIND, new, key="dolen-1")
    (there,) = council.records("casework")
    path = f"{council.name}/casework/records/{made.id}?unchecked=1"  # an old import did so, and nobody noticed
    council.control("PUT", path, {**there, "Priority": "P9"})
    findings = connect().doctor()
    assert [one.subject for one in findings if not one.well] == ["dry write"]
    assert "supplier" in dry(findings).remedy


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"error_before": {"status": 503}}, "CheckReferral"), ({"throttle": {"seconds": 7}}, "CheckReferral"),
        ({"reset_before": {}}, "CheckReferral"),
    ],
)  # fmt: skip
def test_a_dry_write_that_goes_wrong_is_asked_once(
    connect: Open, council: Any, new: Any, fault: dict[str, Any], words: str
) -> None:
    connect().deliver(KIND, new, key="dolen-1")
    council.faults("casework", **{name: {**how, "operations": [words]} for name, how in fault.items()})
    found = dry(connect().doctor())
    assert not found.well
    assert found.remedy
    assert council.calls("casework", "CheckReferral") == 1


def asked(
    small: Any, answer: Any, council: Any, opened: Callable[..., Connector], body: bytes
) -> tuple[Finding, bytes]:
    """What is found, and was asked, where the answer to the dry write is `body`; all else is the system's own."""

    def say(call: Any) -> Any:
        if b"CheckReferral" in call.body:
            return answer(200, body, XML)
        headers = {name: call.headers[name] for name in ("content-type", "soapaction")}
        there = requests.post(council.system("casework") + "/soap", data=call.body, headers=headers, timeout=10)
        return answer(there.status_code, there.content, {"Content-Type": there.headers["Content-Type"]})

    server = small(say)
    found = dry(opened(url=server.url).doctor())
    (judged,) = [call.body for call in server.calls if b"CheckReferral" in call.body]
    return found, judged


def test_an_answer_that_says_no_is_a_refusal_and_one_that_says_nothing_is_told(
    connect: Open, council: Any, new: Any, small: Any, answer: Any
) -> None:
    connect().deliver(KIND, new, key="dolen-1")
    said, body = asked(small, answer, council, connect, SAYS_NO)
    assert (said.well, said.words) == (
        False, "trying to write a Referral: CheckReferral answers that it would not be taken",
    )  # fmt: skip
    page, _ = asked(small, answer, council, connect, b"<html>Mewngofnodi</html>")
    assert not page.well
    assert b"ReferralId>R" in body


def test_what_it_does_not_want_is_left_out_and_what_it_wants_is_sent(
    connect: Open, council: Any, new: Any, small: Any, answer: Any, shipped: Any, interfaces: Any, clock: Any
) -> None:
    connect().deliver(KIND, new, key="dolen-1")
    profile = copy.deepcopy(shipped("casework"))
    profile["records"][KIND]["dry_write"] |= {
        "leave_out": ["ReferralId", "Version", "LastChanged"], "send": {"Referral/OfficerNotes": "validate only"},
    }  # fmt: skip
    login = {"ws_security": {"username": "dolen", "password": "env:X"}}

    def opened(url: str) -> Connector:
        return open_connector(
            profile, {"url": url, "login": login}, interfaces=interfaces, clock=clock,
            secret=lambda _: council.secrets["casework"]["password"],
        )  # fmt: skip

    _, body = asked(small, answer, council, opened, SAYS_NO)
    assert b"OfficerNotes>validate only<" in body
    assert b"ReferralId" not in body
    assert b"ClientReference" in body


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"operation": "CreateReferral", "record": "Referral"}, "CreateReferral keeps what it takes"),
        ({"operation": "UpdateReferral", "record": "Referral"}, "UpdateReferral keeps what it takes"),
        ({"record": "Referral"}, "operation"),
    ],
)
def test_an_operation_that_keeps_what_it_takes_is_no_dry_write(shipped: Any, told: Any, words: str) -> None:
    profile = copy.deepcopy(shipped("casework"))
    profile["records"][KIND]["dry_write"] = told
    with pytest.raises(ProfileFaults, match=words):
        check_profile(profile)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"operation": "JudgeReferral"}, "no operation JudgeReferral"),
        ({"record": "Case"}, "CheckReferral has no element Case"),
        ({"accepted": "Fine"}, "the answer of CheckReferral has no element Fine"),
        ({"send": {"ValidateOnly": "true"}}, "CheckReferral has no element ValidateOnly"),
    ],
)
def test_what_the_wsdl_does_not_have_is_named(
    shipped: Any, interfaces: Any, clock: Any, change: dict[str, Any], words: str
) -> None:
    profile = copy.deepcopy(shipped("casework"))
    profile["records"][KIND]["dry_write"] |= change
    with pytest.raises(Misconfigured, match=words):
        open_connector(profile, {"url": "http://127.0.0.1:9"}, interfaces=interfaces, clock=clock, secret=str)
