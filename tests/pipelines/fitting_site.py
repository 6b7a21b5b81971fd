"""A small site with one mapping, one profile and one pinned interface, for looking at what does not fit between them.

The line that a finding is expected in is marked in the file itself, with `#!` in a mapping and `!` in a note of a list.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

from config.findings import Finding, Severity
from config.layers import Layers
from pipelines import composition, interface_checks
from pipelines.interface_cache import InterfaceCache
from pipelines.library import Library
from pipelines.looked_at import everything

STARTER = Path(__file__).resolve().parents[2] / "config" / "starter"
REST = """system: t
protocol: rest
interface: interfaces/t.json
clock: Europe/London
records:
  Case:
    component: Case
    item: {id: id}
    leave_out: [id]
    fetch: {path: "/cases/{id}"}
    create: {method: POST, path: /cases}
"""
SOAP = """system: t
protocol: soap
interface: interfaces/t.wsdl
clock: Europe/London
records:
  Case:
    item: {id: Id}
    fetch: {operation: Get, id: Id, item: Case}
    create: {operation: Create, record: Case, reply: {id: Id}}
"""
BY_HAND = """system: t
protocol: by-hand
records:
  Case: {form: interfaces/t.json}
"""
_OF_CASE = '<xs:complexType><xs:sequence><xs:element name="Case" type="t:Case"/></xs:sequence></xs:complexType>'
_OF_ID = '<xs:complexType><xs:sequence><xs:element name="Id" type="xs:string"/></xs:sequence></xs:complexType>'
_MESSAGES = {"Get": _OF_ID, "GetResponse": _OF_CASE, "Create": _OF_CASE, "CreateResponse": _OF_ID}


def wsdl(types: str) -> str:
    """A WSDL that reads and creates a Case; `types` declares its type."""
    elements = "".join(f'<xs:element name="{name}">{inner}</xs:element>' for name, inner in _MESSAGES.items())
    messages = "".join(
        f'<wsdl:message name="{name}"><wsdl:part name="p" element="t:{name}"/></wsdl:message>' for name in _MESSAGES
    )
    operations = "".join(
        f'<wsdl:operation name="{name}"><wsdl:input message="t:{name}"/><wsdl:output message="t:{name}Response"/>'
        "</wsdl:operation>"
        for name in ("Get", "Create")
    )
    bound = "".join(
        f'<wsdl:operation name="{name}"><soap:operation soapAction="{name}" style="document"/><wsdl:input>'
        '<soap:body use="literal"/></wsdl:input><wsdl:output><soap:body use="literal"/></wsdl:output></wsdl:operation>'
        for name in ("Get", "Create")
    )
    return (
        '<wsdl:definitions name="T" targetNamespace="urn:t" xmlns:t="urn:t" '
        'xmlns:xs="http://www.w3.org/2001/XMLSchema" '
        'xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"><wsdl:types>'
        f'<xs:schema targetNamespace="urn:t" elementFormDefault="qualified">{types}{elements}</xs:schema></wsdl:types>'
        f'{messages}<wsdl:portType name="P">{operations}</wsdl:portType><wsdl:binding name="B" type="t:P">'
        f'<soap:binding transport="http://schemas.xmlsoap.org/soap/http" style="document"/>{bound}</wsdl:binding>'
        '<wsdl:service name="S"><wsdl:port name="Q" binding="t:B"><soap:address location="http://localhost/"/>'
        "</wsdl:port></wsdl:service></wsdl:definitions>"
    )


class FittingSite:
    """Writes the files and asks for what does not fit."""

    def __init__(self, root: Path) -> None:
        self.root = Path(shutil.copytree(STARTER, root / "site"))

    def write(self, file: str, text: str) -> None:
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def rest(self, properties: dict[str, Any], *required: str) -> None:
        """The interface: a JSON Schema with these properties."""
        schema = {"type": "object", "properties": {"id": {"type": "string"}, **properties}, "required": list(required)}
        self.write("profiles/t.yaml", REST)
        self.write("interfaces/t.json", json.dumps({"$defs": {"Case": schema}}))

    def soap(self, inside: str, more: str = "") -> None:
        """The interface: a WSDL with a type Case of these elements."""
        self.write("profiles/t.yaml", SOAP)
        self.write("interfaces/t.wsdl", wsdl(f'<xs:complexType name="Case">{inside}</xs:complexType>{more}'))

    def by_hand(self, properties: dict[str, Any]) -> None:
        """The interface: a form with these properties."""
        self.write("profiles/t.yaml", BY_HAND)
        self.write("interfaces/t.json", json.dumps({"type": "object", "properties": properties}))

    def mapping(self, rows: str, head: str = "empty: omit") -> None:
        """The mapping t/case with these rows, one a line."""
        text = "".join(f"  {line.strip()}\n" for line in rows.strip().splitlines())
        self.write("mappings/t/case.yaml", f"system: t\nrecord: Case\n{head}\nfields:\n{text}")

    def codes(self, name: str, rows: str) -> None:
        """A code list with these rows."""
        lines = "".join(f"{line.strip()}\n" for line in rows.strip().splitlines())
        self.write(f"codes/{name}.csv", f"theirs,ours,direction,note\n{lines}")

    def marked(self) -> set[tuple[str, int]]:
        """The lines in which somebody expects a finding."""
        found = set()
        for path in self.root.rglob("*.*"):
            if path.suffix in (".yaml", ".csv") and path.parts[-2] in ("t", "codes"):
                name = path.relative_to(self.root).as_posix()
                for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                    if line.endswith(("#!", ",!")):
                        found.add((name, number))
        return found

    def found(self) -> list[Finding]:
        """What does not fit, of this site's own files alone."""
        site = dataclasses.replace(composition.load(self.root), layers=Layers(self.root, {}), councils={})
        library = Library(site.layers)
        return sorted(
            set(interface_checks.check(
                    site, library, interface_checks.Interfaces(site, InterfaceCache(None)), everything(site, library)
                ))
        )


def expect(site: FittingSite, severity: Severity, *words: str) -> None:
    """Exactly the marked lines have findings, each of that severity, and all the words stand in them."""
    found = site.found()
    assert site.marked(), "nothing is marked"
    assert {(one.file, one.line) for one in found} == site.marked(), "\n".join(map(str, found))
    assert {one.severity for one in found} == {severity}, "\n".join(map(str, found))
    for word in words:
        assert word in "\n".join(map(str, found))
