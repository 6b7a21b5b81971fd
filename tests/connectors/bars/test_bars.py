"""BaRS over real sockets: sent to a stranger who follows the contract, and received by our own reader of calls."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from connectors import errors
from connectors.bars.connector import BarsConnector
from connectors.bars.profile import BarsProfile
from connectors.bars.receiver import Call, receive, unpacked
from connectors.errors import Duplicate, Misconfigured, Rejected, Throttled, Unauthorised, Unknown
from connectors.port import Item, Tier, UnreadableItem
from connectors.registry import check_profile, interfaces_of, open_connector
from connectors.rest.interface import open_interface

RECORD: dict[str, Any] = {
    "Patient": {
        "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018"}],
        "name": [{"use": "official", "family": "O'Neill", "given": ["Siân"]}],
        "birthDate": "1941-05-06",
    },
    "ServiceRequest": {"status": "active", "intent": "plan", "authoredOn": "2026-03-02T09:15:00Z"},
}
CONNECT: dict[str, Any] = {
    "target": {"system": "https://fhir.nhs.uk/Id/dos-service-id", "value": "2000011147"},
    "ours": {"system": "https://fhir.nhs.uk/Id/dos-service-id", "value": "2000099999"},
    "organisation": {"ods": "A1001", "name": "Cyngor Castell-nedd Port Talbot"},
    "receiver": {"ods": "A1002", "name": "Bwrdd Iechyd"},
    "timeout_seconds": 5,
}
FHIR = {"Content-Type": "application/fhir+json"}


@pytest.fixture
def record() -> dict[str, Any]:
    return copy.deepcopy(RECORD)


@pytest.fixture
def bars(
    council: Any, shipped: Callable[[str], Any], interfaces: Callable[[str], bytes], clock: Callable[[], datetime]
) -> Iterator[Callable[..., BarsConnector]]:
    """Opens connectors: onto the council's pretend receiver, or onto `url`."""
    made: list[Any] = []

    def connect(url: str = "", token: str = "", profile: Any = None, **more: Any) -> BarsConnector:
        told = {
            **CONNECT,
            "url": url or council.system("bars") + "/FHIR/R4",
            "login": {"api_key": {"header": "Authorization", "key": "env:SECRET"}},
            **more,
        }
        connector = open_connector(
            profile or shipped("bars"), told, interfaces=interfaces, clock=clock,
            secret=lambda _: f"Bearer {token or council.secrets['bars']['token']}",
        )  # fmt: skip
        made.append(connector)
        assert isinstance(connector, BarsConnector)
        return connector

    yield connect
    for connector in made:
        connector.close()


def kept(council: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = council.records("bars")
    return found


def test_says_what_it_can_do(bars: Any) -> None:
    connector = bars()
    assert connector.kinds() == ("Referral", "Response")
    assert connector.offers("Referral") == {"create", "update"}
    assert connector.tier("Referral") is Tier.KEEPS_KEY
    assert not connector.reads_first("Referral")
    for call in (lambda: connector.changes("Referral", watermark=""), lambda: connector.fetch("Referral", "1")):
        with pytest.raises(Misconfigured):
            call()
    with pytest.raises(NotImplementedError):
        connector.find("Referral", "k")


def test_a_referral_a_change_and_a_cancellation(council: Any, bars: Any, record: Any) -> None:
    connector = bars()
    made = connector.deliver("Referral", record, key="dolen-1")
    (there,) = kept(council)
    assert made.effect == "created"
    assert there["ServiceRequest"]["id"] == made.id
    assert there["ServiceRequest"]["subject"]["reference"] == f"urn:uuid:{there['Patient']['id']}"
    assert there["MessageHeader"]["source"]["endpoint"] == "https://fhir.nhs.uk/Id/dos-service-id|2000099999"
    record["ServiceRequest"]["priority"] = "urgent"
    changed = connector.deliver("Referral", record, key="dolen-1", id=made.id)
    assert (changed.id, changed.effect) == (made.id, "updated")
    (there,) = kept(council)
    assert (there["reason"], there["ServiceRequest"]["priority"]) == ("update", "urgent")
    record["ServiceRequest"]["status"] = "revoked"
    connector.deliver("Referral", record, key="dolen-1", id=made.id)
    (there,) = kept(council)
    assert (there["reason"], there["ServiceRequest"]["status"]) == ("delete", "revoked")
    assert "O'Neill" not in repr(made)
    assert "id" not in record["Patient"], "the caller's record is left alone"


def test_the_answer_to_a_referral_names_the_message_that_it_answers(council: Any, bars: Any, record: Any) -> None:
    answer = {**record, "MessageHeader": {"response": {"identifier": "86e3371d", "code": "ok"}}}
    bars().deliver("Response", answer, key="dolen-1")
    (there,) = kept(council)
    assert there["MessageHeader"]["eventCoding"]["code"] == "servicerequest-response"
    assert there["MessageHeader"]["response"] == {"identifier": "86e3371d", "code": "ok"}
    with pytest.raises(Rejected):
        bars().deliver("Response", record, key="dolen-2")


def test_the_headers_of_the_contract(small: Any, answer: Any, bars: Any, record: Any) -> None:
    server = small(lambda _: answer(200, b'{"resourceType":"Bundle","type":"message"}', FHIR))
    connector = bars(server.url)
    connector.deliver("Referral", record, key="dolen-1")
    connector.deliver("Referral", record, key="dolen-1")
    first, again = server.calls
    assert first.path == "/$process-message"
    assert first.headers["accept"] == "application/fhir+json; version=1.3.0"
    assert first.headers["use-context"] == "a1t1|referral|servicerequest-request|new"
    told = json.loads(base64.b64decode(first.headers["nhsd-target-identifier"]))
    assert told == {"value": "2000011147", "system": "https://fhir.nhs.uk/Id/dos-service-id"}
    who = json.loads(base64.b64decode(first.headers["nhsd-end-user-organisation"]))
    assert (who["resourceType"], who["identifier"][0]["value"]) == ("Organization", "A1001")
    assert json.loads(base64.b64decode(first.headers["nhsd-requesting-software"]))["resourceType"] == "Device"
    for name in ("x-request-id", "x-correlation-id"):
        assert first.headers[name] == again.headers[name], "what is sent again is known again"
    connector.deliver("Referral", record, key="dolen-1", id="x")
    assert server.calls[2].headers["x-request-id"] != first.headers["x-request-id"]
    assert server.calls[2].headers["x-correlation-id"] == first.headers["x-correlation-id"]
    assert "dolen-1" not in json.dumps(first.headers)


@pytest.mark.parametrize("fault", ["reset_after", "html_after", "error_after"])
def test_a_message_whose_answer_was_lost_is_neither_doubled_nor_stale(
    council: Any, bars: Any, record: Any, fault: str
) -> None:
    more = {"status": 500} if fault == "error_after" else {}
    council.faults("bars", **{fault: {"times": 1, **more}})
    with pytest.raises(Unknown):
        bars().deliver("Referral", record, key="dolen-1")
    record["ServiceRequest"]["priority"] = "stat"  # a newer revision than the first try carried
    done = bars().deliver("Referral", record, key="dolen-1")
    (there,) = kept(council)
    assert (done.id, done.effect) == (there["ServiceRequest"]["id"], "updated")
    assert there["ServiceRequest"]["priority"] == "stat"


def test_a_message_that_is_there_already_is_a_success(council: Any, bars: Any, record: Any, shipped: Any) -> None:
    profile = shipped("bars")
    del profile["records"]["Referral"]["update"]
    connector = bars(profile=profile)
    made = connector.deliver("Referral", record, key="dolen-1")
    with pytest.raises(Duplicate) as caught:
        connector.deliver("Referral", record, key="dolen-1")
    assert caught.value.existing == made.id
    assert len(kept(council)) == 1


@pytest.mark.parametrize(
    ("status", "issue", "code", "named"),
    [
        (400, "invalid", "REC_BAD_REQUEST", "Rejected"), (401, "security", "REC_UNAUTHORIZED", "Unauthorised"),
        (403, "forbidden", "SEND_FORBIDDEN", "Unauthorised"), (404, "not-found", "REC_NOT_FOUND", "Rejected"),
        (422, "not-found", "REC_UNPROCESSABLE_ENTITY", "Rejected"), (410, "not-found", "REC_GONE", "Rejected"),
        (404, "", "", "Misconfigured"), (405, "not-supported", "REC_METHOD_NOT_ALLOWED", "Rejected"),
        (406, "not-supported", "SEND_NOT_ACCEPTABLE", "Rejected"), (408, "timeout", "REC_TIMEOUT", "Unknown"),
        (422, "processing", "REC_UNPROCESSABLE_ENTITY", "Rejected"), (429, "throttled", "REC_TOO_MANY", "Throttled"),
        (500, "exception", "REC_SERVER_ERROR", "Unknown"), (501, "not-supported", "PROXY_NOT_IMPLEMENTED", "Unknown"),
        (503, "transient", "PROXY_UNAVAILABLE", "Unknown"), (202, "informational", "", "Unknown"),
        (200, "informational", "", "Unknown"),
    ],
)  # fmt: skip
def test_the_table_of_refusals(
    small: Any, answer: Any, bars: Any, record: Any, status: int, issue: str, code: str, named: str
) -> None:
    details = {"coding": [{"code": code}]} if code else {}
    told = {"resourceType": "OperationOutcome", "issue": [
        {"severity": "error", "code": issue, "details": details, "diagnostics": "Gwen Prys"}]}  # fmt: skip
    server = small(lambda _: answer(status, json.dumps(told).encode() if issue else b"", FHIR))
    with pytest.raises(getattr(errors, named)) as caught:
        bars(server.url).deliver("Referral", record, key="k")
    assert type(caught.value).__name__ == named
    if status >= 400:
        assert caught.value.code == code
    assert "Gwen" not in str(caught.value) + repr(caught.value)
    assert len(server.calls) == 1, "a message is sent once"


def test_an_unwell_receiver_and_a_wrong_token(council: Any, bars: Any, record: Any) -> None:
    with pytest.raises(Unauthorised):
        bars(token="another").deliver("Referral", record, key="k")
    council.faults("bars", throttle={"seconds": 7, "times": 1})
    with pytest.raises(Throttled) as caught:
        bars().deliver("Referral", record, key="k")
    assert caught.value.after == 7
    assert kept(council) == []


def test_what_is_no_fhir_is_never_sent(council: Any, bars: Any, record: Any) -> None:
    record["Patient"]["name"] = "secretly"
    with pytest.raises(Rejected, match="nothing was sent") as caught:
        bars().deliver("Referral", record, key="k")
    assert "secretly" not in str(caught.value)
    assert council.calls("bars", "processMessage") == 0


def test_doctor_asks_and_sends_no_message(council: Any, bars: Any) -> None:
    assert all(one.well for one in bars().doctor())
    assert [one.well for one in bars(token="another").doctor()] == [True, False]
    assert council.calls("bars", "processMessage") == 0


def test_the_messages_in_the_neutral_form(shipped: Any, interfaces: Any) -> None:
    referral, response = interfaces_of(shipped("bars"), interfaces=interfaces)
    assert referral["create"]["required"] == ["Patient", "ServiceRequest"]
    assert "ServiceRequest/subject" in referral["ours"]
    assert "MessageHeader" in response["create"]["properties"]


# --- As receiver ------------------------------------------------------------------------------------------------------


class Listening:
    """The reader of calls behind a real socket, which keeps the ids of what it took."""

    def __init__(self, small: Any, answer: Any, profile: BarsProfile, interface: Any) -> None:
        self.taken: list[tuple[str, Any]] = []
        self.known: set[str] = set()
        self.profile, self.interface = profile, interface

        def say(call: Any) -> Any:
            asked = Call(call.headers, call.body)
            kind, items, told = receive(asked, profile, interface, service="2000011147", known=self.known.__contains__)
            self.taken += [(kind, item) for item in items]
            self.known |= {item.version for item in items if isinstance(item, Item)}
            return answer(told.status, told.body, dict(told.headers))

        self.server = small(say)


@pytest.fixture
def listening(small: Any, answer: Any, shipped: Any, interfaces: Any) -> Listening:
    profile = check_profile(shipped("bars"))
    assert isinstance(profile, BarsProfile)
    interface = open_interface(interfaces(profile.interface), profile.interface)
    return Listening(small, answer, profile, interface)


def test_what_we_send_we_can_receive(listening: Listening, bars: Any, record: Any) -> None:
    connector = bars(listening.server.url)
    made = connector.deliver("Referral", record, key="dolen-1")
    record["ServiceRequest"]["status"] = "revoked"
    connector.deliver("Referral", record, key="dolen-1", id=made.id)
    answer = {**record, "MessageHeader": {"response": {"identifier": "86e3371d", "code": "ok"}}}
    connector.deliver("Response", answer, key="dolen-2")
    (kind, first), (_, gone), (response, told) = listening.taken
    assert (kind, response) == ("Referral", "Response")
    assert (first.id, gone.id) == (made.id, made.id)
    assert (first.record["Message"]["reason"], gone.record["Message"]["reason"]) == ("new", "delete")
    assert first.record["Patient"]["name"] == record["Patient"]["name"]
    assert gone.record["ServiceRequest"]["status"] == "revoked"
    assert told.record["Message"]["answers"] == "86e3371d"
    assert first.modified is not None
    assert connector.parse("Referral", first.raw, id=first.id) == first
    assert "O'Neill" not in repr(first)


def test_a_message_that_comes_again_is_answered_with_409_and_taken_once(
    listening: Listening, bars: Any, record: Any, shipped: Any
) -> None:
    profile = shipped("bars")
    del profile["records"]["Referral"]["update"]
    connector = bars(listening.server.url, profile=profile)
    connector.deliver("Referral", record, key="dolen-1")
    with pytest.raises(Duplicate):
        connector.deliver("Referral", record, key="dolen-1")
    assert len(listening.taken) == 1


def sent(listening: Listening, bars: Any, record: Any) -> Any:
    bars(listening.server.url).deliver("Referral", record, key="dolen-1")
    return listening.server.calls[0]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        (lambda h, b: h.pop("x-request-id"), 400, "REC_BAD_REQUEST"),
        (lambda h, b: h.update({"x-correlation-id": "7"}), 400, "REC_BAD_REQUEST"),
        (lambda h, b: h.update({"nhsd-target-identifier": "%%%"}), 400, "REC_BAD_REQUEST"),
        (lambda h, b: h.update({"nhsd-target-identifier": base64.b64encode(b'{"value":"1"}').decode()}), 404,
         "REC_NOT_FOUND"),
        (lambda h, b: h.pop("nhsd-end-user-organisation"), 400, "REC_BAD_REQUEST"),
        (lambda h, b: h.update({"content-type": "text/html"}), 415, "REC_BAD_REQUEST"),
        (lambda h, b: b.update(type="batch"), 400, "REC_BAD_REQUEST"),
        (lambda h, b: b.pop("id"), 400, "REC_BAD_REQUEST"),
        (lambda h, b: b["entry"].reverse(), 422, "REC_UNPROCESSABLE_ENTITY"),
        (lambda h, b: b["entry"][0]["resource"]["eventCoding"].update(code="booking-request"), 422,
         "REC_UNPROCESSABLE_ENTITY"),
        (lambda h, b: b["entry"][0]["resource"].pop("reason"), 400, "REC_BAD_REQUEST"),
        (lambda h, b: b["entry"][0]["resource"].pop("focus"), 422, "REC_UNPROCESSABLE_ENTITY"),
    ],
)  # fmt: skip
def test_what_is_no_message_for_us_is_refused_and_not_kept(
    listening: Listening, bars: Any, record: Any, shipped: Any, interfaces: Any, change: Any, status: int, code: str
) -> None:
    call = sent(listening, bars, record)
    headers, bundle = dict(call.headers), json.loads(call.body)
    change(headers, bundle)
    profile = check_profile(shipped("bars"))
    assert isinstance(profile, BarsProfile)
    interface = open_interface(interfaces(profile.interface), profile.interface)
    asked = Call(headers, json.dumps(bundle).encode())
    kind, items, told = receive(asked, profile, interface, service="2000011147", known=lambda _: False)
    assert (kind, list(items), told.status) == ("", [], status)
    outcome = json.loads(told.body)
    assert outcome["resourceType"] == "OperationOutcome"
    assert outcome["issue"][0]["details"]["coding"][0]["code"] == code
    assert b"O'Neill" not in told.body


def test_a_resource_that_is_not_as_fhir_says_is_kept_as_one_that_needs_attention(
    listening: Listening, bars: Any, record: Any, shipped: Any, interfaces: Any
) -> None:
    call = sent(listening, bars, record)
    bundle = json.loads(call.body)
    next(e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "Patient")["name"] = "secretly"
    profile = check_profile(shipped("bars"))
    assert isinstance(profile, BarsProfile)
    interface = open_interface(interfaces(profile.interface), profile.interface)
    asked = Call(call.headers, json.dumps(bundle).encode())
    _, (item,), told = receive(asked, profile, interface, service="2000011147", known=lambda _: False)
    assert told.status == 200
    assert isinstance(item, UnreadableItem)
    assert item.id
    assert "expected" in item.reason
    assert "secretly" not in item.reason


JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=6),
    lambda inner: some.lists(inner, max_size=3)
    | some.dictionaries(some.sampled_from(["resource", "resourceType", "id", "entry", "focus", "reference", "reason",
                                           "coding", "code", "eventCoding", "fullUrl", "type"]), inner, max_size=5),
    max_leaves=15,
)  # fmt: skip


@given(JSON, some.binary(max_size=40))
def test_no_body_and_no_header_makes_the_receiver_stumble(told: Any, junk: bytes) -> None:
    profile = check_profile({"system": "b", "protocol": "bars", "records": {"R": {
        "event": "servicerequest-request", "definition": "urn:x:y", "use_case": "a|b",
        "resources": [{"resource": "ServiceRequest"}]}}})  # fmt: skip
    assert isinstance(profile, BarsProfile)
    uuid = "c1ab3fba-6bae-4ba4-b257-5a87c44d4a91"
    good = base64.b64encode(b'{"value":"1","identifier":[{"value":"1"}]}').decode()
    headers = {"X-Request-Id": uuid, "X-Correlation-Id": uuid, "NHSD-Target-Identifier": good,
               "NHSD-End-User-Organisation": good, "Content-Type": "application/fhir+json"}  # fmt: skip
    message = {"resourceType": "Bundle", "type": "message", "id": "1", "entry": told}
    for body in (json.dumps(message).encode(), json.dumps(told).encode(), junk):
        kind, items, answer = receive(Call(headers, body), profile, None, service="1", known=lambda _: False)  # type: ignore[arg-type]
        assert (kind, list(items)) == ("", [])
        assert 400 <= answer.status < 500
    garbled = {**headers, "NHSD-Target-Identifier": base64.b64encode(junk).decode()}
    assert receive(Call(garbled, b"{}"), profile, None, service="1", known=lambda _: False)[2].status >= 400  # type: ignore[arg-type]


def test_a_referral_without_an_id_is_known_by_its_uuid_as_in_the_contracts_own_examples(
    listening: Listening, bars: Any, record: Any
) -> None:
    call = sent(listening, bars, record)
    bundle = json.loads(call.body)
    for entry in bundle["entry"]:
        entry["resource"].pop("id")
    body = json.dumps({**bundle, "id": "another"}).encode()
    (told,) = unpacked(listening.profile.records["Referral"], listening.interface, body, kind="Referral")
    (_, before), *_ = listening.taken
    assert isinstance(told, Item)
    assert told.id == before.id
