"""A WSDL is read from pinned bytes alone, and a profile that does not fit it is refused before anything is sent."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from connectors import errors, registry, xml
from connectors.soap.pinned import Pinned, client_of, namespaces_of, schema_of

XS = "http://www.w3.org/2001/XMLSchema"
HEAD = (
    '<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:t="urn:t" xmlns:u="urn:u" '
    'xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:xs="http://www.w3.org/2001/XMLSchema" '
    'targetNamespace="urn:t">'
)
REST = (
    '<wsdl:message name="In"><wsdl:part name="p" element="t:Ask"/></wsdl:message>'
    '<wsdl:message name="Out"><wsdl:part name="p" element="t:Answer"/></wsdl:message>'
    '<wsdl:portType name="P"><wsdl:operation name="Ask"><wsdl:input message="t:In"/>'
    '<wsdl:output message="t:Out"/></wsdl:operation></wsdl:portType>'
    '<wsdl:binding name="B" type="t:P"><soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>'
    '<wsdl:operation name="Ask"><soap:operation soapAction="a"/><wsdl:input><soap:body use="literal"/></wsdl:input>'
    '<wsdl:output><soap:body use="literal"/></wsdl:output></wsdl:operation></wsdl:binding>'
    '<wsdl:service name="S"><wsdl:port name="Main" binding="t:B"><soap:address location="http://127.0.0.1/"/>'
    "</wsdl:port></wsdl:service></wsdl:definitions>"
)
ASK = '<xs:element name="Ask"><xs:complexType><xs:sequence/></xs:complexType></xs:element>'


def wsdl(*schemas: str, more: str = "") -> bytes:
    return f"{HEAD}{more}<wsdl:types>{''.join(schemas)}</wsdl:types>{REST}".encode()


def schema(inner: str, namespace: str = "urn:t") -> str:
    return f'<xs:schema targetNamespace="{namespace}" elementFormDefault="qualified">{inner}</xs:schema>'


PLAIN = schema(ASK + '<xs:element name="Answer" type="xs:string"/>')


def pinned(files: dict[str, bytes]) -> Pinned:
    return Pinned("interfaces/a.wsdl", files.__getitem__)


def opened(files: dict[str, bytes]) -> Any:
    found = pinned(files)
    client_of(found)
    return schema_of(found)


@pytest.fixture
def canary(small: Any, answer: Any) -> Any:
    server = small(lambda _: answer(body=PLAIN.encode()))
    yield server
    assert server.calls == []


PLACES = [
    "{url}/x",
    "file:///etc/hostname",
    "file:///pinned/../etc/hostname",
    "/etc/hostname",
    "../../../../etc/hostname",
    "ftp://127.0.0.1/x",
    "//127.0.0.1/x",
    "missing.xsd",
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("how", ["xsd import", "xsd include", "wsdl import"])
def test_what_is_not_pinned_is_refused(canary: Any, place: str, how: str) -> None:
    place = place.replace("{url}", canary.url)
    if how == "wsdl import":
        content = wsdl(PLAIN, more=f'<wsdl:import namespace="urn:u" location="{place}"/>')
    else:
        namespace = ' namespace="urn:u"' if how == "xsd import" else ""
        content = wsdl(schema(f'<xs:{how[4:]}{namespace} schemaLocation="{place}"/>{ASK}'))
    asked: list[str] = []

    def files(name: str) -> bytes:
        asked.append(name)
        return {"interfaces/a.wsdl": content}[name]

    with pytest.raises(errors.Misconfigured) as caught:
        client_of(found := Pinned("interfaces/a.wsdl", files))
        schema_of(found)
    assert "interfaces/a.wsdl" in caught.value.reason
    assert Path(place).name in caught.value.reason
    assert not any(name.startswith(("/", "..")) for name in asked)


def test_a_wsdl_with_a_doctype_is_refused(canary: Any) -> None:
    content = f'<!DOCTYPE a SYSTEM "{canary.url}/a.dtd">'.encode() + wsdl(PLAIN)
    with pytest.raises(errors.Misconfigured, match="DOCTYPE"):
        opened({"interfaces/a.wsdl": content})


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"<html/>", b"<a>", wsdl(PLAIN)[:300], wsdl(PLAIN).replace(b't:B"', b't:Nothing"')],
)
def test_what_is_no_wsdl(content: bytes, shipped: Any, clock: Any) -> None:
    with pytest.raises(errors.Misconfigured, match=r"interfaces/casework\.wsdl"):
        registry.open_connector(
            shipped("casework"), {"url": "http://127.0.0.1:9/"}, interfaces=lambda _: content, clock=clock, secret=str
        )


def test_pinned_files_beside_it_are_read_by_both_readers() -> None:
    outer = schema(
        '<xs:import namespace="urn:u" schemaLocation="more/u.xsd"/><xs:include schemaLocation="t.xsd"/>'
        '<xs:element name="Answer" type="u:Kind"/>'
    )
    files = {
        "interfaces/a.wsdl": wsdl(outer),
        "interfaces/t.xsd": f'<xs:schema xmlns:xs="{XS}" targetNamespace="urn:t">{ASK}</xs:schema>'.encode(),
        "interfaces/more/u.xsd": (
            f'<xs:schema xmlns:xs="{XS}" targetNamespace="urn:u"><xs:include schemaLocation="u2.xsd"/></xs:schema>'
        ).encode(),
        "interfaces/more/u2.xsd": (
            f'<xs:schema xmlns:xs="{XS}" targetNamespace="urn:u"><xs:simpleType name="Kind">'
            '<xs:restriction base="xs:int"/></xs:simpleType></xs:schema>'
        ).encode(),
    }
    found = pinned(files)
    client = client_of(found)
    assert namespaces_of(client) == {"urn:t", "urn:u", ""}
    made = schema_of(found)
    assert made.validate(xml.parse(b'<Answer xmlns="urn:t">7</Answer>', max_bytes=99))
    assert not made.validate(xml.parse(b'<Answer xmlns="urn:t">x</Answer>', max_bytes=99))
    assert set(found.files) == set(files)


def test_several_schemas_inside_one_wsdl_even_of_one_namespace() -> None:
    kind = '<xs:simpleType name="Kind"><xs:restriction base="xs:int"/></xs:simpleType>'
    other = schema('<xs:simpleType name="Other"><xs:restriction base="u:Kind"/></xs:simpleType>', "urn:u")
    first = schema('<xs:import namespace="urn:u"/>' + ASK)
    second = schema('<xs:import namespace="urn:u"/><xs:element name="Answer" type="u:Other"/>')
    made = opened({"interfaces/a.wsdl": wsdl(first, second, schema(kind, "urn:u"), other)})
    assert made.validate(xml.parse(b'<Answer xmlns="urn:t">7</Answer>', max_bytes=99))
    assert not made.validate(xml.parse(b'<Answer xmlns="urn:t">x</Answer>', max_bytes=99))


Change = Callable[[dict[str, Any]], Any]
MISFITS: list[tuple[Change, str]] = [
    (
        lambda r: r["changes"].update(operation="FindReferal"),
        "has no operation FindReferal: write one of AddDocument, CheckReferral, CreateReferral",
    ),
    (lambda r: r["changes"].update(since="Since"), "FindReferrals has no element Since"),
    (lambda r: r["changes"]["page"].update(more="More"), "the answer of FindReferrals has no element More"),
    (lambda r: r["changes"].update(items="Case[]"), "has no element Case"),
    (lambda r: r["item"].update(id="Id"), "has no element Referral/Id"),
    (lambda r: r["fetch"].update(id="Id"), "GetReferral has no element Id"),
    (lambda r: r["create"].update(our_key="Key"), "CreateReferral has no element Referral/Key"),
    (lambda r: r["create"]["reply"].update(id="Id"), "the answer of CreateReferral has no element Id"),
    (lambda r: r["update"].update(version="Rev"), "UpdateReferral has no element Referral/Rev"),
    (lambda r: r["find"].update(by="Key"), "FindByClientReference has no element Key"),
]


@pytest.mark.parametrize(("change", "words"), MISFITS, ids=[row[1][:40] for row in MISFITS])
def test_a_profile_that_does_not_fit_the_wsdl(
    change: Change, words: str, shipped: Any, interfaces: Any, clock: Callable[[], datetime]
) -> None:
    profile = copy.deepcopy(shipped("casework"))
    change(profile["records"]["Referral"])
    with pytest.raises(errors.Misconfigured, match=words) as caught:
        registry.open_connector(profile, {"url": "http://127.0.0.1:9/"}, interfaces=interfaces, clock=clock, secret=str)
    assert caught.value.reason.startswith("records.Referral.")


def test_a_port_that_is_not_there(shipped: Any, interfaces: Any, clock: Any) -> None:
    profile = {**shipped("casework"), "port": "Soap13"}
    with pytest.raises(errors.Misconfigured, match="no SOAP port Soap13; it has Soap11, Soap12"):
        registry.open_connector(profile, {"url": "http://127.0.0.1:9/"}, interfaces=interfaces, clock=clock, secret=str)


def test_the_registry_loads_no_family_that_nobody_asks_for() -> None:
    code = (
        "import sys, connectors.registry as r, connectors.settings, connectors.profile\n"
        "heavy = {'zeep', 'lxml', 'requests', 'notifications_python_client'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "r.settings_model('soap'), r.profile_model('soap')\n"
        "assert 'zeep' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


RACE = """
import sys, threading
from lxml import etree
from connectors import xml
from connectors.soap.pinned import schema_of
sys.path.insert(0, "tests/connectors/soap")
from test_pinned import ASK, XS, pinned, schema, wsdl

begun, go_on = threading.Event(), threading.Event()

class Slow:
    def read(self, _):
        begun.set()
        go_on.wait()
        return b"<a/>" if not self.__dict__.setdefault("told", []) and not self.told.append(1) else b""

other = threading.Thread(target=lambda: etree.parse(Slow(), xml.parser()))
other.start()
begun.wait()

class Files(dict):
    def __getitem__(self, name):
        if name.endswith("b.xsd"):  # the other thread's parsing ends in the middle of ours
            go_on.set()
            other.join()
        return super().__getitem__(name)

imports = "".join(f'<xs:import namespace="urn:{n}" schemaLocation="{n}.xsd"/>' for n in "bc")
one = f'<xs:schema xmlns:xs="{XS}" targetNamespace="urn:%s"><xs:element name="E"/></xs:schema>'
files = {f"interfaces/{n}.xsd": (one % n).encode() for n in "bc"}
compiled = schema_of(pinned(Files(files, **{"interfaces/a.wsdl": wsdl(schema(imports + ASK))})))
print(*(compiled.validate(etree.fromstring(f'<E xmlns="urn:{n}"/>')) for n in "bc"))
"""


def test_a_schema_compiled_while_another_thread_ends_a_parsing_knows_its_elements() -> None:
    """lxml swaps its loader of imports for the whole process; without the second look the answer was `True False`."""
    command = [sys.executable, "-c", RACE]
    done = subprocess.run(command, cwd=Path(__file__).parents[3], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("True True", "")
