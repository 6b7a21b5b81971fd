"""A small SOAP system that signs callers in: its WSDL, its profile, and itself. It reads by lxml alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lxml import etree

from tests.connectors.conftest import Answer, Call

PASSWORD = "cyfrinach-y-drws"
WSA = "http://www.w3.org/2005/08/addressing"
S11, S12 = "http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"
KINDS = {S11: "text/xml", S12: "application/soap+xml"}

XSD = """<xs:schema targetNamespace="urn:t" elementFormDefault="qualified">
 <xs:element name="LogOn"><xs:complexType><xs:sequence>
  <xs:element name="User"><xs:simpleType><xs:restriction base="xs:string"><xs:maxLength value="20"/></xs:restriction>
  </xs:simpleType></xs:element>
  <xs:element name="Password" type="xs:string"/><xs:element name="Application" type="xs:string"/>
 </xs:sequence></xs:complexType></xs:element>
 <xs:element name="LogOnResponse"><xs:complexType><xs:sequence><xs:element name="Success" type="xs:boolean"/>
  <xs:element name="Token" type="xs:string" minOccurs="0"/><xs:element name="Expires" type="xs:string" minOccurs="0"/>
 </xs:sequence></xs:complexType></xs:element>
 <xs:element name="SessionHeader"><xs:complexType><xs:sequence><xs:element name="Application" type="xs:string"/>
  <xs:element name="SessionId" type="xs:string"/></xs:sequence></xs:complexType></xs:element>
 <xs:element name="Ticket" type="xs:string"/>
 <xs:complexType name="Case"><xs:sequence><xs:element name="Id" type="xs:string" minOccurs="0"/>
  <xs:element name="Changed" type="xs:dateTime" minOccurs="0"/></xs:sequence></xs:complexType>
 <xs:element name="Find"><xs:complexType><xs:sequence><xs:element name="From" type="xs:dateTime"/>
  <xs:element name="Page" type="xs:int"/><xs:element name="Size" type="xs:int"/></xs:sequence></xs:complexType>
 </xs:element>
 <xs:element name="FindResponse"><xs:complexType><xs:sequence>
  <xs:element name="Case" type="t:Case" minOccurs="0" maxOccurs="unbounded"/><xs:element name="More" type="xs:boolean"/>
 </xs:sequence></xs:complexType></xs:element>
 <xs:element name="Create"><xs:complexType><xs:sequence><xs:element name="Case" type="t:Case"/></xs:sequence>
 </xs:complexType></xs:element>
 <xs:element name="CreateResponse"><xs:complexType><xs:sequence><xs:element name="Id" type="xs:string"/></xs:sequence>
 </xs:complexType></xs:element></xs:schema>"""
NAMES = {"LogOn": "urn:t/LogOn", "Find": "urn:t/Find", "Create": ""}


def wsdl(actions: bool = True) -> bytes:
    messages = "".join(
        f'<w:message name="{name}{way}"><w:part name="p" element="t:{name}{way}"/></w:message>'
        for name in NAMES
        for way in ("", "Response")
    )
    stated = ' wsam:Action="urn:t/CreateIt"' if actions else ""
    kinds = "".join(
        f'<w:operation name="{name}"><w:input message="t:{name}"{stated if name == "Create" else ""}/>'
        f'<w:output message="t:{name}Response"/></w:operation>'
        for name in NAMES
    )
    ports = ""
    services = ""
    for soap in ("soap", "soap12"):
        bound = "".join(
            f'<w:operation name="{name}"><{soap}:operation soapAction="{action}"/><w:input><{soap}:body use="literal"/>'
            f'</w:input><w:output><{soap}:body use="literal"/></w:output></w:operation>'
            for name, action in (NAMES | ({"Create": "urn:t/Old"} if actions else {})).items()
        )
        ports += (
            f'<w:binding name="{soap}" type="t:P"><{soap}:binding transport="http://schemas.xmlsoap.org/soap/http"/>'
            f"{bound}</w:binding>"
        )
        services += f'<w:port name="{soap}" binding="t:{soap}"><{soap}:address location="http://127.0.0.1/"/></w:port>'
    return (
        '<w:definitions xmlns:w="http://schemas.xmlsoap.org/wsdl/" xmlns:t="urn:t" targetNamespace="urn:t" '
        'xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:soap12="http://schemas.xmlsoap.org/wsdl/soap12/" '
        'xmlns:wsam="http://www.w3.org/2007/05/addressing/metadata" xmlns:xs="http://www.w3.org/2001/XMLSchema">'
        f'<w:types>{XSD}</w:types>{messages}<w:portType name="P">{kinds}</w:portType>{ports}'
        f'<w:service name="S">{services}</w:service></w:definitions>'
    ).encode()


PROFILE: dict[str, Any] = {
    "system": "cases",
    "protocol": "soap",
    "interface": "interfaces/cases.wsdl",
    "clock": "UTC",
    "records": {
        "Case": {
            "item": {"id": "Id", "modified": "Changed"},
            "changes": {
                "feed": "modified-since",
                "operation": "Find",
                "since": "From",
                "page": {"number": "Page", "size": "Size", "of": 1, "more": "More"},
                "items": "Case[]",
            },
            "create": {"operation": "Create", "record": "Case", "reply": {"id": "Id"}},
            "errors": {"SessionOver": "unauthorised"},
        }
    },
}
SIGN_IN: dict[str, Any] = {
    "operation": "LogOn",
    "username": "User",
    "password": "Password",
    "send": {"Application": "dolen"},
    "accepted": "Success",
    "token": "Token",
    "header": {"element": "SessionHeader", "token": "SessionId", "send": {"Application": "dolen"}},
    "expires": "Expires",
}
BY_COOKIE = {
    **{name: part for name, part in SIGN_IN.items() if name not in ("token", "header", "expires")},
    "cookie": "SID",
}


class Cases:
    """A system that lets in whoever shows its newest token, for as many messages as it likes."""

    def __init__(self) -> None:
        self.given = 0
        self.uses = 10_000  # messages for which a token is good
        self.used = 0
        self.made = 0
        self.expires = ""
        self.over: str = "fault"
        self.refuses: Callable[[str], Answer] | None = None
        self.relates: Callable[[str], str] = lambda number: number
        self.seen: list[etree._Element] = []
        self.cookie_for = ""

    def __call__(self, call: Call) -> Answer:
        envelope = etree.fromstring(call.body)
        self.seen.append(envelope)
        space = etree.QName(envelope).namespace or ""
        assert call.headers["content-type"].startswith(KINDS[space])
        body = envelope.find(f"{{{space}}}Body")
        assert body is not None
        name = etree.QName(body[0]).localname
        number = envelope.findtext(f".//{{{WSA}}}MessageID") or ""
        if name == "LogOn":
            return self.let_in(space, body[0], number)
        shown = [*(node.text for node in envelope.iter("{urn:t}SessionId", "{urn:t}Ticket"))]
        shown += [call.headers["cookie"].removeprefix("SID=")] if "cookie" in call.headers else []
        self.used += 1
        if self.given and (shown != [f"tocyn-{self.given}"] or self.used > self.uses):
            if self.over == "401":
                return Answer(401)
            if self.over == "redirect":
                return Answer(302, b"", {"Location": "/log-on"})
            code = {"fault": "s:Client", "403": "s:Client"}[self.over]
            words = f"<faultcode>{code}</faultcode><faultstring>{PASSWORD}</faultstring>"
            return said(space, f"<s:Fault>{words}<detail><t:SessionOver/></detail></s:Fault>", status=500)
        if name == "Create":
            self.made += 1
            return said(space, "<t:CreateResponse><t:Id>1</t:Id></t:CreateResponse>", self.relates(number))
        page = int(body.findtext(".//{urn:t}Page") or 0)
        case = f"<t:Case><t:Id>{page}</t:Id><t:Changed>2026-03-0{page}T09:00:00Z</t:Changed></t:Case>"
        more = str(page < 5).lower()
        return said(space, f"<t:FindResponse>{case}<t:More>{more}</t:More></t:FindResponse>", self.relates(number))

    def let_in(self, space: str, asked: etree._Element, number: str) -> Answer:
        assert asked.findtext("{urn:t}Application") == "dolen"
        if self.refuses is not None:
            return self.refuses(space)
        right = (asked.findtext("{urn:t}User"), asked.findtext("{urn:t}Password")) == ("dolen", PASSWORD)
        self.given += right
        self.used = 0
        token = f"<t:Token>tocyn-{self.given}</t:Token>" if right and not self.cookie_for else ""
        until = f"<t:Expires>{self.expires}</t:Expires>" if self.expires else ""
        inner = f"<t:Success>{str(right).lower()}</t:Success>{token}{until}"
        headers = {"Set-Cookie": f"SID=tocyn-{self.given}; Path=/; HttpOnly"} if right and self.cookie_for else {}
        return said(space, f"<t:LogOnResponse>{inner}</t:LogOnResponse>", self.relates(number), headers=headers)


def said(space: str, inner: str, relates: str = "", *, status: int = 200, headers: dict[str, str] = {}) -> Answer:  # noqa: B006 - read only
    header = f'<s:Header><a:RelatesTo xmlns:a="{WSA}">{relates}</a:RelatesTo></s:Header>' if relates else ""
    text = f'<s:Envelope xmlns:s="{space}" xmlns:t="urn:t">{header}<s:Body>{inner}</s:Body></s:Envelope>'
    return Answer(status, text.encode(), {"Content-Type": KINDS[space], **headers})
