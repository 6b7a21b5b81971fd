"""WS-Addressing 1.0: where a message goes, what it asks for, its number, and whether an answer belongs to it.

W3C, Web Services Addressing 1.0, Core, SOAP Binding and Metadata (2006, 2007). Answers come back on the connection
on which we asked (the anonymous address); an answer sent to another place is not carried.
"""

from __future__ import annotations

import uuid
from typing import Any

from lxml import etree
from zeep import ns
from zeep.wsdl.utils import get_or_create_header

from connectors.soap.profile_headers import Addressing

WSA = ns.WSA
ANONYMOUS = f"{WSA}/anonymous"
REPLY = f"{WSA}/reply"
# SOAP Binding, 6.4: the message was not taken, so nothing was done. EndpointUnavailable may pass and is not here.
FAULTS = frozenset(
    {
        "InvalidAddressingHeader",
        "InvalidAddress",
        "InvalidEPR",
        "InvalidCardinality",
        "MissingAddressInEPR",
        "DuplicateMessageID",
        "ActionMismatch",
        "OnlyAnonymousAddressSupported",
        "OnlyNonAnonymousAddressSupported",
        "MessageAddressingHeaderRequired",
        "DestinationUnreachable",
        "ActionNotSupported",
    }
)


def message_id() -> str:
    """A number that no message had before."""
    return f"urn:uuid:{uuid.uuid4()}"


def address(envelope: Any, told: Addressing, *, to: str, action: str, number: str) -> None:
    """Put the headers into an envelope, in front of what a login adds."""
    header = get_or_create_header(envelope)  # type: ignore[no-untyped-call]
    space = etree.QName(envelope).namespace
    for name, text in (("Action", action), ("MessageID", number), ("To", to)):
        element = etree.SubElement(header, f"{{{WSA}}}{name}", nsmap={"wsa": WSA})
        element.text = text
        if told.must_understand and name != "MessageID":
            element.set(f"{{{space}}}mustUnderstand", "1")
    reply_to = etree.SubElement(header, f"{{{WSA}}}ReplyTo", nsmap={"wsa": WSA})
    etree.SubElement(reply_to, f"{{{WSA}}}Address").text = ANONYMOUS


def belongs(answer: etree._Element, number: str) -> bool:
    """Whether an answer's envelope belongs to the message with that number. One that does not say belongs to it."""
    told = [
        (found.text or "").strip()
        for found in answer.iterfind(f"{{*}}Header/{{{WSA}}}RelatesTo")
        if found.get("RelationshipType", REPLY) == REPLY
    ]
    return not told or number in told
