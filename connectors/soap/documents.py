"""Documents over SOAP: one call that adds a file to a record, its Base64 sent piece by piece."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from lxml import etree

from connectors import xml
from connectors.documents import Document
from connectors.errors import NotThere, PageUnreadable, Unknown
from connectors.http import Reply
from connectors.port import Receipt, Record
from connectors.soap.interface import Interface
from connectors.soap.profile_documents import SoapDocuments
from connectors.soap.reply import UnreadableReply
from connectors.streamed import mark


class Speaks(Protocol):
    """What of a connector is needed here."""

    interface: Interface

    def filing(
        self, kind: str, operation: str, content: Mapping[str, Any], document: Document, marked: str
    ) -> tuple[etree._Element, Reply]:
        """Make one call, a document's Base64 in place of the mark. Sent once."""

    def asking(self, kind: str, operation: str, content: Mapping[str, Any]) -> tuple[etree._Element, Reply]:
        """Make one call that changes nothing."""


def add(kind: str, told: SoapDocuments, speaks: Speaks, id: str, document: Document, *, key: str) -> Receipt:
    """See `connectors.documents.TakesDocuments`."""
    section, marked = told.add, mark()
    content: Record = {}
    places = [(section.id, id), (section.data, marked), (section.name, document.name), (section.mime, document.mime),
              (section.our_key, key), *section.send.items()]  # fmt: skip
    for path, text in places:
        if path is not None:
            xml.put(content, path, text)
    answer, reply = speaks.filing(kind, section.operation, content, document, marked)
    if fault := speaks.interface.validity.fault_but_for_additions(answer):
        doing = f"adding a document to a {kind}"
        raise Unknown(f"{doing}: the answer is not as the interface says: {fault}", reply=reply.body)
    number = xml.text_at(xml.record_of(answer, speaks.interface.namespaces), section.number)
    return Receipt(number or key, "created", reply=reply.body)


def find(kind: str, told: SoapDocuments, speaks: Speaks, id: str, key: str) -> str:
    """See `connectors.documents.TakesDocuments.find_document`."""
    section, doing = told.find, f"looking for a document of a {kind}"
    if section is None:
        raise NotImplementedError(f"documents of a {kind} cannot be searched by our key")  # as the port has it
    content: Record = {}
    xml.put(content, section.id, id)
    try:
        answer, reply = speaks.asking(kind, section.operation, content)
    except NotThere:
        return ""
    except UnreadableReply as problem:
        raise PageUnreadable(problem.reason, reply=problem.reply) from None
    if fault := speaks.interface.validity.fault_but_for_additions(answer):
        raise PageUnreadable(f"{doing}: the answer is not as the interface says: {fault}", reply=reply.body)
    rows = xml.get(xml.record_of(answer, speaks.interface.namespaces), section.items)
    ours = [row for row in rows if xml.text_at(row, section.our_key) == key]
    return (xml.text_at(ours[0], section.number) or key) if ours else ""
