"""From a supplier's file to a draft, whatever language the file is in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from lxml import etree

from connectors import samples, xml, yaml_body
from connectors.drafts import LIKELY, SURE, UNSURE, Draft, NoDraft, Read
from connectors.soap.pinned import WSDL, XSD

__all__ = ["LIKELY", "SURE", "UNSURE", "Draft", "NoDraft", "draft_of"]

_MOST_BYTES = 20_000_000


def draft_of(
    system: str, names: Sequence[str], read: Read, *, records: Sequence[str] = (), operations: Sequence[str] = ()
) -> Draft:
    """Draft a system from one WSDL, OpenAPI file or JSON Schema, or from several files with sample records.

    `read` gives the bytes of a file, and of what it imports from beside it. Raises NoDraft, or Misconfigured for a
    file of a known language that cannot be used.
    """
    bodies = {name: read(name) for name in names}
    for name, body in bodies.items():
        if not body.strip():
            raise NoDraft(f"{name} is empty")
        if len(body) > _MOST_BYTES:
            raise NoDraft(f"{name} is longer than {_MOST_BYTES} bytes")
    first = names[0]
    language, document = _language(first, bodies[first])
    if language == "sample":
        if operations:
            raise NoDraft("samples have no operations: leave out --operations")
        if len(records) > 1:
            raise NoDraft("samples are of one kind of record: name one --record")
        found = [record for name, body in bodies.items() for record in samples.records_in(body, name)]
        return samples.from_records(system, records[0] if records else _called(first), found)
    if len(names) > 1:
        raise NoDraft(f"{first} is {language}, and is read alone: name one file (what it imports is found beside it)")
    if language == "a WSDL":
        from connectors.soap import draft as soap

        return soap.draft(system, first, read, records=records, operations=operations)
    if language == "an OpenAPI file":
        from connectors.rest import draft as rest

        return rest.draft(system, first, read, records=records, operations=operations)
    if operations:
        raise NoDraft("a JSON Schema has no operations: leave out --operations")
    return samples.from_schema(system, first, document or {}, records)


def _language(name: str, body: bytes) -> tuple[str, Mapping[str, Any] | None]:
    if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        try:
            root = xml.parse(body, max_bytes=_MOST_BYTES)
        except xml.UnreadableXml as problem:
            raise NoDraft(f"{name}: {problem}") from None
        tag = etree.QName(root)
        if tag.namespace == WSDL and tag.localname == "definitions":
            return "a WSDL", None
        if tag.namespace == "http://www.w3.org/ns/wsdl":
            raise NoDraft(f"{name} is WSDL 2.0, which is not read: ask the supplier for WSDL 1.1")
        if tag.namespace == XSD:
            raise NoDraft(
                f"{name} is a schema (XSD) without operations: name the WSDL that imports it, or a sample record"
            )
        if tag.localname.lower() == "html":
            raise NoDraft(f"{name} is a web page: save the WSDL itself, such as from the address that ends in ?wsdl")
        return "sample", None
    if PurePath(name).suffix.lower() == ".csv":
        return "sample", None
    try:
        read = yaml_body.read(body)
    except yaml_body.UnreadableYaml:
        return "sample", None  # what is wrong with it is said where records are read
    if isinstance(read, dict):
        if str(read.get("openapi", "")).startswith("3."):
            return "an OpenAPI file", read
        if "swagger" in read or "openapi" in read:
            raise NoDraft(f"{name} is an older OpenAPI (Swagger) file: ask the supplier for OpenAPI 3, or convert it")
        if "$schema" in read or ("properties" in read and isinstance(read["properties"], dict) and "type" in read):
            return "a JSON Schema", read
    if isinstance(read, str) or read is None:
        raise NoDraft(f"{name} is no WSDL, OpenAPI file, JSON Schema or sample record in XML, JSON or CSV")
    return "sample", None


def _called(name: str) -> str:
    stem = "".join(part for part in PurePath(name).stem.split() if part).split(".")[0]
    return stem[:1].upper() + stem[1:] or "Record"
