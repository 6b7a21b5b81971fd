"""A SOAP system that pushes: its own WSDL says what it calls and what it must hear.

The WSDL is of the kind that CRM products give for their outbound messages; behaviour seen elsewhere, no product met.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from connectors.errors import Misconfigured
from connectors.port import Item, UnreadableItem
from connectors.push.port import Kept, Named, Pushed, PushRefused
from connectors.registry import check_fit, interfaces_of, open_connector

S11, S12 = "http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"
NS = "http://crm.example.org/outbound"
WSDL = f"""<?xml version="1.0" encoding="UTF-8"?>
<definitions targetNamespace="{NS}" xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:tns="{NS}"
    xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:xsd="http://www.w3.org/2001/XMLSchema">
  <types>
    <xsd:schema elementFormDefault="qualified" targetNamespace="{NS}">
      <xsd:element name="notifications"><xsd:complexType><xsd:sequence>
        <xsd:element name="OrganizationId" type="xsd:string"/>
        <xsd:element name="Notification" maxOccurs="100" type="tns:CaseNotification"/>
      </xsd:sequence></xsd:complexType></xsd:element>
      <xsd:complexType name="CaseNotification"><xsd:sequence>
        <xsd:element name="Id" type="xsd:string"/>
        <xsd:element name="sObject" type="tns:Case"/>
      </xsd:sequence></xsd:complexType>
      <xsd:complexType name="Case"><xsd:sequence>
        <xsd:element name="Id" type="xsd:string"/>
        <xsd:element name="Subject" type="xsd:string" minOccurs="0"/>
        <xsd:element name="SystemModstamp" type="xsd:dateTime"/>
      </xsd:sequence></xsd:complexType>
      <xsd:element name="notificationsResponse"><xsd:complexType><xsd:sequence>
        <xsd:element name="Ack" type="xsd:boolean"/>
      </xsd:sequence></xsd:complexType></xsd:element>
    </xsd:schema>
  </types>
  <message name="ask"><part name="request" element="tns:notifications"/></message>
  <message name="ack"><part name="response" element="tns:notificationsResponse"/></message>
  <portType name="P"><operation name="notifications">
    <input message="tns:ask"/><output message="tns:ack"/></operation></portType>
  <binding name="B" type="tns:P">
    <soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
    <operation name="notifications"><soap:operation soapAction=""/>
      <input><soap:body use="literal"/></input><output><soap:body use="literal"/></output></operation>
  </binding>
  <service name="S"><port binding="tns:B" name="N"><soap:address location="http://127.0.0.1/none"/></port></service>
</definitions>
"""
PROFILE: dict[str, Any] = {
    "system": "crm",
    "protocol": "soap",
    "interface": "interfaces/outbound.wsdl",
    "clock": "UTC",
    "records": {
        "Case": {
            "item": {"id": "Id", "modified": "SystemModstamp"},
            "push": {
                "operation": "notifications",
                "carries": "record",
                "items": "Notification/sObject[]",
                "answer": {"Ack": "true"},
            },
        }
    },
}
CONNECT = {"url": "http://127.0.0.1:9/none", "push": {"bearer": {"tokens": ["env:TOKEN"]}}}
HEADERS = [("Authorization", "Bearer a-token-of-the-test"), ("Content-Type", "text/xml; charset=UTF-8")]


def opened(profile: Mapping[str, Any] = PROFILE, wsdl: str = WSDL) -> Any:
    return open_connector(
        profile,
        CONNECT,
        interfaces=lambda _: wsdl.encode(),
        clock=lambda: datetime.now(UTC),
        secret=lambda _: "a-token-of-the-test",
    )


def case(id: str, stamp: str = "2026-11-30T10:00:00Z", subject: str = "Cawod") -> str:
    return (
        f"<Notification><Id>n-{id}</Id><sObject><Id>{id}</Id><Subject>{subject}</Subject>"
        f"<SystemModstamp>{stamp}</SystemModstamp></sObject></Notification>"
    )


def envelope(*inner: str, version: str = S11, header: str = "") -> bytes:
    return (
        f'<?xml version="1.0"?><e:Envelope xmlns:e="{version}">{header}<e:Body>'
        f'<notifications xmlns="{NS}"><OrganizationId>o</OrganizationId>{"".join(inner)}</notifications>'
        "</e:Body></e:Envelope>"
    ).encode()


@pytest.fixture(scope="module")
def push() -> Any:
    return opened().push("Case")


def test_the_records_of_a_message_are_read_one_by_one(push: Any) -> None:
    body = envelope(case("C-1"), case("C-2", stamp="yesterday"), case("C-3"))
    call = Pushed(HEADERS, body)
    assert push.prove(call, datetime.now(UTC)) == ""
    push.look(call)
    first, second, third = push.unpack(body, "")
    assert isinstance(first, Item)
    assert (first.id, first.record["Subject"]) == ("C-1", "Cawod")
    assert first.modified == datetime(2026, 11, 30, 10, tzinfo=UTC)
    assert isinstance(second, UnreadableItem)
    assert second.id == "C-2"
    assert "yesterday" not in second.reason
    assert third.id == "C-3"
    # Its own bytes are read again in the same way, after a mend.
    connector = opened()
    again = connector.parse("Case", first.raw, id="C-1")
    assert again == first
    assert isinstance(connector.parse("Case", second.raw, id="C-2"), UnreadableItem)


@pytest.mark.parametrize(("version", "kind"), [(S11, "text/xml"), (S12, "application/soap+xml")])
def test_the_answer_is_what_the_wsdl_says_in_the_envelope_of_the_call(push: Any, version: str, kind: str) -> None:
    answer = push.taken(Kept(), Pushed(HEADERS, envelope(case("C-1"), version=version)))
    assert (answer.status, answer.content_type.partition(";")[0]) == (200, kind)
    root = etree.fromstring(answer.body)
    assert root.tag == f"{{{version}}}Envelope"
    assert root.findtext(f"{{{version}}}Body/{{{NS}}}notificationsResponse/{{{NS}}}Ack") == "true"


@pytest.mark.parametrize("version", [S11, S12])
def test_what_is_no_message_is_a_fault_of_the_sender_and_trouble_of_ours_is_not(push: Any, version: str) -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
    bad = {
        b"<html>": 400,
        bomb: 400,
        b"<a/>": 400,
        envelope(case("C-1"))[:-9]: 400,
        envelope(header='<e:Header><x xmlns="urn:x" e:mustUnderstand="1"/></e:Header>'): 520,
        envelope("<a>" * 70 + "</a>" * 70): 400,
        envelope().replace(b"notifications", b"otherwise"): 400,
    }
    for body, status in bad.items():
        with pytest.raises(PushRefused) as caught:
            push.look(Pushed(HEADERS, body.replace(S11.encode(), version.encode())))
        assert caught.value.status == status, body
        answer = push.refused(caught.value, Pushed(HEADERS, envelope(version=version)))
        root = etree.fromstring(answer.body)
        fault = root.find(f"{{{version}}}Body/{{{version}}}Fault")
        assert fault is not None
        if version == S11:
            assert answer.status == 500
            assert fault.findtext("faultcode") == ("soap:MustUnderstand" if status == 520 else "soap:Client")
        else:
            assert answer.status == (500 if status == 520 else 400)
            code = fault.findtext(f"{{{S12}}}Code/{{{S12}}}Value")
            assert code == ("soap:MustUnderstand" if status == 520 else "soap:Sender")
    ours = push.refused(PushRefused(503, "later"), Pushed(HEADERS, envelope(version=version)))
    assert ours.status == 503
    assert b"soap:Server" in ours.body or b"soap:Receiver" in ours.body
    with pytest.raises(PushRefused) as caught:
        push.look(Pushed([("Content-Type", "application/json")], envelope()))
    assert caught.value.status == 415


def test_a_message_that_only_names_records() -> None:
    push_only = {**PROFILE["records"]["Case"]["push"], "carries": "id", "items": "Notification[]", "id": "sObject/Id"}
    with pytest.raises(Misconfigured):  # without a way to fetch them
        opened({**PROFILE, "records": {"Case": {**PROFILE["records"]["Case"], "push": push_only}}})
    record = {**PROFILE["records"]["Case"], "push": push_only}
    record["fetch"] = {"operation": "notifications", "id": "OrganizationId", "item": "Ack"}
    with pytest.raises(Misconfigured):  # the answer of that operation holds no case
        check_fit({**PROFILE, "records": {"Case": record}}, interfaces=lambda _: WSDL.encode())


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("operation", "notify", "no operation notify: it has notifications"),
        ("items", "Notification/Case[]", "no element Case"),
        ("answer", {}, "answer: not what"),
        ("answer", {"Ack": "perhaps"}, "answer"),
        ("answer", {"Ok": "true"}, "answer: Ok"),
    ],
)
def test_a_profile_that_the_wsdl_does_not_bear_out_is_refused(key: str, value: Any, words: str) -> None:
    record = PROFILE["records"]["Case"]
    changed = {**PROFILE, "records": {"Case": {**record, "push": {**record["push"], key: value}}}}
    with pytest.raises(Misconfigured, match=words):
        check_fit(changed, interfaces=lambda _: WSDL.encode())


def test_a_mapping_can_be_checked_against_what_is_pushed() -> None:
    (interface,) = interfaces_of(PROFILE, interfaces=lambda _: WSDL.encode())
    assert set(interface["read"]["properties"]) == {"Id", "Subject", "SystemModstamp"}


def test_it_is_not_taken_without_a_way_to_prove_itself(tmp_path: Path) -> None:
    connector = open_connector(
        PROFILE,
        {"url": "http://127.0.0.1:9/none"},
        interfaces=lambda _: WSDL.encode(),
        clock=lambda: datetime.now(UTC),
        secret=lambda _: "",
    )
    with pytest.raises(Misconfigured, match=r"connect\.push"):
        connector.push("Case")  # type: ignore[attr-defined]
    assert Named("x").id == "x"
