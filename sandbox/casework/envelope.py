"""SOAP 1.1 and 1.2: reads the envelope of a call, builds the envelope of an answer or a fault.

Parsing is hardened: no DTD, no entities, no network, no trees beyond libxml2's limits. What is wrong leaves as a
`SoapFault`, which each version writes in its own way.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from xml.sax.saxutils import escape

from lxml import etree

from sandbox.casework.shape import NAMESPACE, trusted_parser
from sandbox.exchange import Response

WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"


class Version(Enum):
    """A SOAP version: its envelope's namespace and the content type of its messages."""

    V11 = ("http://schemas.xmlsoap.org/soap/envelope/", "text/xml")
    V12 = ("http://www.w3.org/2003/05/soap-envelope", "application/soap+xml")

    @property
    def namespace(self) -> str:
        return self.value[0]

    @property
    def content_type(self) -> str:
        return self.value[1]


class SoapFault(Exception):
    """A call that is refused. `code` is Client, Server, VersionMismatch, MustUnderstand or FailedAuthentication.

    `detail` is the typed fault as XML text in the prefix `cw`, and `name` what the tally counts it under.
    """

    def __init__(self, code: str, words: str, *, detail: str = "", name: str = "") -> None:
        super().__init__(words)
        self.code, self.words, self.detail, self.name = code, words, detail, name or code


def not_found(id: str) -> SoapFault:
    """The fault for a referral that is not there."""
    detail = f"<cw:NotFound><cw:ReferralId>{escape(id)}</cw:ReferralId></cw:NotFound>"
    return SoapFault("Client", "There is no such referral.", detail=detail, name="NotFound")


@dataclass(frozen=True, slots=True)
class Call:
    """What a caller sent: the header element if there was one, and the one element of the body."""

    header: etree._Element | None
    body: etree._Element


def version_of(content_type: str) -> Version | None:
    """Return the SOAP version that a Content-Type header stands for."""
    kind = content_type.partition(";")[0].strip().lower()
    return next((version for version in Version if version.content_type == kind), None)


def read(version: Version, message: bytes, action: str) -> Call:
    """Take a message apart. `action` is the SOAPAction header, "" if none. Raises SoapFault."""
    try:
        envelope = etree.fromstring(message, trusted_parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        raise SoapFault("Client", "The message is not well-formed XML.", name="Malformed") from error
    if envelope.getroottree().docinfo.internalDTD is not None:
        raise SoapFault("Client", "A message must not hold a DOCTYPE.", name="Malformed")
    if etree.QName(envelope).localname != "Envelope" or etree.QName(envelope).namespace != version.namespace:
        raise SoapFault("VersionMismatch", "The envelope is not of the version that the content type names.")
    header = envelope.find(f"{{{version.namespace}}}Header")
    for entry in header if header is not None else ():
        must = entry.get(f"{{{version.namespace}}}mustUnderstand")
        if must in ("1", "true") and etree.QName(entry).namespace != WSSE:
            raise SoapFault("MustUnderstand", "A header that must be understood is not known here.")
    body = envelope.find(f"{{{version.namespace}}}Body")
    content = list(body) if body is not None else []
    if len(content) != 1:
        raise SoapFault("Client", "The Body must hold exactly one element.", name="Malformed")
    named = action.strip('"').rpartition("/")[2]
    if named and named != etree.QName(content[0]).localname:
        raise SoapFault("Client", "SOAPAction does not name the operation in the Body.", name="Malformed")
    return Call(header, content[0])


def answer(version: Version, operation: str, content: str) -> Response:
    """Wrap the content of `<operation>Response` into a message."""
    return _message(version, 200, f"<cw:{operation}Response>{content}</cw:{operation}Response>")


def refusal(version: Version, fault: SoapFault) -> Response:
    """Write a fault as the version wants it: 1.1 always with status 500, 1.2 with 400 where the sender is to blame."""
    if version is Version.V11:
        own = fault.code == "FailedAuthentication"
        code = f"wsse:{fault.code}" if own else f"soap:{fault.code}"
        detail = f"<detail>{fault.detail}</detail>" if fault.detail else ""
        text = f"<faultcode>{code}</faultcode><faultstring>{escape(fault.words)}</faultstring>{detail}"
        return _message(version, 500, f"<soap:Fault>{text}</soap:Fault>")
    sender = fault.code in ("Client", "FailedAuthentication")
    code = "soap:Sender" if sender else {"Server": "soap:Receiver"}.get(fault.code, f"soap:{fault.code}")
    inner = f"<soap:Subcode><soap:Value>wsse:{fault.code}</soap:Value></soap:Subcode>"
    subcode = inner if fault.code == "FailedAuthentication" else ""
    detail = f"<soap:Detail>{fault.detail}</soap:Detail>" if fault.detail else ""
    text = (
        f"<soap:Code><soap:Value>{code}</soap:Value>{subcode}</soap:Code>"
        f'<soap:Reason><soap:Text xml:lang="en">{escape(fault.words)}</soap:Text></soap:Reason>{detail}'
    )
    return _message(version, 400 if sender else 500, f"<soap:Fault>{text}</soap:Fault>")


def _message(version: Version, status: int, body: str) -> Response:
    text = (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<soap:Envelope xmlns:soap="{version.namespace}" xmlns:cw="{NAMESPACE}" xmlns:wsse="{WSSE}">'
        f"<soap:Body>{body}</soap:Body></soap:Envelope>"
    )
    return Response(status, text.encode(), f"{version.content_type}; charset=utf-8")
