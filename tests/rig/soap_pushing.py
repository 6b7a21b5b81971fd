"""The rig's desk as a SOAP system that pushes: its WSDL of outbound messages, and the messages themselves.

Of the kind that CRM products give; behaviour seen elsewhere, no product met.
"""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

S11, S12 = "http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"
SPACE = "http://desk.example.org/outbound"
FIELDS = ("Status", "Kind", "Priority", "Received", "Reason", "Surname")
WSDL = f"""<?xml version="1.0" encoding="UTF-8"?>
<definitions targetNamespace="{SPACE}" xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:tns="{SPACE}"
    xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:xsd="http://www.w3.org/2001/XMLSchema">
  <types>
    <xsd:schema elementFormDefault="qualified" targetNamespace="{SPACE}">
      <xsd:element name="caseChanged"><xsd:complexType><xsd:sequence>
        <xsd:element name="Case" maxOccurs="100" type="tns:Case"/>
      </xsd:sequence></xsd:complexType></xsd:element>
      <xsd:complexType name="Case"><xsd:sequence>
        <xsd:element name="Id" type="xsd:string"/>
        {"".join(f'<xsd:element name="{name}" type="xsd:string"/>' for name in FIELDS)}
        <xsd:element name="Safeguarding" type="xsd:boolean"/>
        <xsd:element name="Restricted" type="xsd:boolean"/>
        <xsd:element name="Changed" type="xsd:dateTime"/>
      </xsd:sequence></xsd:complexType>
      <xsd:element name="caseChangedResponse"><xsd:complexType><xsd:sequence>
        <xsd:element name="Ack" type="xsd:boolean"/>
      </xsd:sequence></xsd:complexType></xsd:element>
    </xsd:schema>
  </types>
  <message name="ask"><part name="request" element="tns:caseChanged"/></message>
  <message name="ack"><part name="response" element="tns:caseChangedResponse"/></message>
  <portType name="P"><operation name="caseChanged">
    <input message="tns:ask"/><output message="tns:ack"/></operation></portType>
  <binding name="B" type="tns:P">
    <soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
    <operation name="caseChanged"><soap:operation soapAction=""/>
      <input><soap:body use="literal"/></input><output><soap:body use="literal"/></output></operation>
  </binding>
  <service name="S"><port binding="tns:B" name="N"><soap:address location="http://127.0.0.1/none"/></port></service>
</definitions>
"""
PROFILE = """\
system: peer
protocol: soap
interface: interfaces/outbound.wsdl
clock: UTC
records:
  Case:
    item: {id: Id, modified: Changed}
    push: {operation: caseChanged, carries: record, items: "Case[]", answer: {Ack: "true"}}
"""
MAPPING = """\
system: peer
record: Case
empty: omit
fields:
  - {ours: type, theirs: Kind, codes: rig-kind, needed: true}
  - {ours: status, theirs: Status, codes: rig-status, needed: true}
  - {ours: priority, theirs: Priority, codes: rig-priority, needed: true}
  - {ours: received_at, theirs: Received, as: time, needed: true, lossy: the offset}
  - {ours: reason.text, theirs: Reason}
  - {ours: safeguarding_flag, theirs: Safeguarding, needed: true}
  - {ours: restricted_record, theirs: Restricted, needed: true}
  - {ours: person.name.family, theirs: Surname, needed: true}
"""


def speak_soap(site: Path) -> None:
    """Let the desk of the rig's pushing site speak SOAP. It can only push, and is told nothing."""
    for name, text in (
        ("interfaces/outbound.wsdl", WSDL), ("profiles/rig-desk.yaml", PROFILE), ("mappings/peer/desk.yaml", MAPPING),
    ):  # fmt: skip
        (site / name).write_text(text, encoding="utf-8")
    for file in (site / "config/councils").glob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        back = "  - {name: care-to-desk, from: care, to: desk, record: Case, carries: state}\n"
        assert back in text
        file.write_text(text.replace(back, ""), encoding="utf-8")


def case(id: str, surname: str, *, changed: str = "2026-03-02T10:00:00Z", **told: str) -> str:
    """A case as the desk's messages hold it."""
    fields = {"Status": "new", "Kind": "referral", "Priority": "routine", "Received": "2026-03-02T09:30:00Z",
              "Reason": "first", "Surname": surname, **told}  # fmt: skip
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
    end = f"<Safeguarding>false</Safeguarding><Restricted>false</Restricted><Changed>{changed}</Changed>"
    return f"<Case><Id>{id}</Id>{inner}{end}</Case>"


def message(*cases: str, envelope: str = S11) -> bytes:
    """A message of the desk about these cases."""
    body = f'<caseChanged xmlns="{SPACE}">{"".join(cases)}</caseChanged>'
    return f'<s:Envelope xmlns:s="{envelope}"><s:Body>{body}</s:Body></s:Envelope>'.encode()
