"""What a WSDL says of a record, in the neutral form: one small WSDL for each thing that XML Schema can say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from connectors.errors import Misconfigured
from connectors.registry import interfaces_of

WSDL = """<wsdl:definitions name="T" targetNamespace="urn:t" xmlns:t="urn:t" xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/"
 xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<wsdl:types><xs:schema targetNamespace="urn:t" elementFormDefault="qualified">%s
<xs:element name="Get"><xs:complexType><xs:sequence><xs:element name="Id" type="xs:string"/></xs:sequence>
</xs:complexType></xs:element>
<xs:element name="GetResponse"><xs:complexType><xs:sequence><xs:element name="Case" type="t:Case"/></xs:sequence>
</xs:complexType></xs:element>
</xs:schema></wsdl:types>
<wsdl:message name="Get"><wsdl:part name="p" element="t:Get"/></wsdl:message>
<wsdl:message name="GetResponse"><wsdl:part name="p" element="t:GetResponse"/></wsdl:message>
<wsdl:portType name="P"><wsdl:operation name="Get"><wsdl:input message="t:Get"/>
<wsdl:output message="t:GetResponse"/></wsdl:operation></wsdl:portType>
<wsdl:binding name="B" type="t:P"><soap:binding transport="http://schemas.xmlsoap.org/soap/http"/></wsdl:binding>
<wsdl:service name="S"><wsdl:port name="Q" binding="t:B"><soap:address location="http://localhost/"/></wsdl:port>
</wsdl:service>
</wsdl:definitions>"""
PROFILE = {
    "system": "t", "protocol": "soap", "interface": "interfaces/t.wsdl", "clock": "Europe/London",
    "records": {"Case": {"item": {"id": "Id"}, "fetch": {"operation": "Get", "id": "Id", "item": "Case"}}},
}  # fmt: skip


def read(types: str, **files: str) -> dict[str, Any]:
    """The neutral form of the type Case; `types` is what stands in the schema beside the messages."""
    pinned = {"interfaces/t.wsdl": WSDL % types} | {f"interfaces/{name}.xsd": text for name, text in files.items()}
    found: dict[str, Any] = interfaces_of(PROFILE, interfaces=lambda name: pinned[name].encode())[0]["read"]
    return found


def case(inside: str, **files: str) -> dict[str, Any]:
    return read(f'<xs:complexType name="Case">{inside}</xs:complexType>', **files)


def bare(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != "x-where"}


def test_a_sequence_says_order_need_and_how_often() -> None:
    found = case(
        '<xs:sequence><xs:element name="A" type="xs:string"/><xs:element name="B" type="xs:string" minOccurs="0"/>'
        '<xs:element name="C" type="xs:int" minOccurs="2" maxOccurs="4"/></xs:sequence>'
        '<xs:attribute name="kind" type="xs:string" use="required"/>'
    )
    assert found["x-order"] == ["A", "B", "C"]
    assert found["required"] == ["A", "C", "@kind"]
    many = found["properties"]["C"]
    assert bare(many) | {"items": bare(many["items"])} == {
        "type": "array", "x-one-or-many": True, "minItems": 2, "maxItems": 4,
        "items": {"type": "string", "x-lexical": "integer", "minimum": -(2**31), "maximum": 2**31 - 1},
    }  # fmt: skip
    assert found["properties"]["A"]["x-where"][0] == "interfaces/t.wsdl"


def test_a_line_of_the_wsdl_is_told() -> None:
    found = case('\n\n<xs:sequence>\n<xs:element name="A" type="xs:string"/></xs:sequence>')
    assert found["properties"]["A"]["x-where"] == ["interfaces/t.wsdl", 6]


def test_a_choice_is_never_required_and_names_its_groups() -> None:
    found = case(
        '<xs:sequence><xs:choice><xs:element name="A" type="xs:string"/><xs:sequence>'
        '<xs:element name="B" type="xs:string"/>'
        '<xs:element name="C" type="xs:string"/></xs:sequence><xs:choice><xs:element name="D" type="xs:string"/>'
        '<xs:element name="E" type="xs:string"/></xs:choice></xs:choice>'
        '<xs:choice minOccurs="0"><xs:element name="F" type="xs:string"/><xs:element name="G" type="xs:string"/>'
        '</xs:choice>'
        "</xs:sequence>"
    )
    assert "required" not in found
    assert found["x-choices"] == [
        {"min": 1, "of": [["A"], ["B", "C"], ["D"], ["E"]]},
        {"min": 0, "of": [["F"], ["G"]]},
    ]


def test_a_choice_that_repeats_lets_all_be_there() -> None:
    found = case(
        '<xs:choice maxOccurs="unbounded"><xs:element name="A" type="xs:string"/>'
        '<xs:element name="B" type="xs:string"/></xs:choice>'
    )
    assert "x-choices" not in found
    assert {name: one["type"] for name, one in found["properties"].items()} == {"A": "array", "B": "array"}


def test_one_name_at_two_places_is_a_list_in_a_sequence_and_one_element_in_a_choice() -> None:
    twice = case('<xs:sequence><xs:element name="A" type="xs:string"/><xs:element name="B" type="xs:string"/>'
                 '<xs:element name="A" type="xs:string"/></xs:sequence>')  # fmt: skip
    assert twice["properties"]["A"]["type"] == "array"
    either = case('<xs:choice><xs:element name="A" type="xs:string"/><xs:sequence>'
    '<xs:element name="A" type="xs:string"/>'
                  '<xs:element name="B" type="xs:string"/></xs:sequence></xs:choice>')  # fmt: skip
    assert either["properties"]["A"]["type"] == "string"


def test_text_beside_attributes_stands_under_a_dot_and_keeps_its_limits() -> None:
    found = read(
        '<xs:simpleType name="Words"><xs:restriction base="xs:string"><xs:maxLength value="9"/></xs:restriction>'
        '</xs:simpleType>'
        '<xs:complexType name="Case"><xs:simpleContent><xs:extension base="t:Words">'
        '<xs:attribute name="code" type="t:Words"/>'
        "</xs:extension></xs:simpleContent></xs:complexType>"
    )
    assert bare(found["properties"]["."]) == {"type": "string", "maxLength": 9}
    assert "required" not in found, "an element without text is a text too"
    assert found["properties"]["@code"]["maxLength"] == 9


def test_an_extension_follows_its_base_and_a_restriction_says_it_anew() -> None:
    base = (
        '<xs:complexType name="Base"><xs:sequence><xs:element name="A" type="xs:string"/>'
        '<xs:element name="B" type="xs:string" minOccurs="0"/></xs:sequence><xs:attribute name="x" type="xs:int"/>'
        '</xs:complexType>'
    )
    longer = read(
        base + '<xs:complexType name="Case"><xs:complexContent><xs:extension base="t:Base"><xs:sequence>'
        '<xs:element name="C" type="xs:string"/></xs:sequence></xs:extension></xs:complexContent></xs:complexType>'
    )
    assert (longer["x-order"], longer["required"]) == (["A", "B", "C"], ["A", "C"])
    shorter = read(
        base + '<xs:complexType name="Case"><xs:complexContent><xs:restriction base="t:Base"><xs:sequence>'
        '<xs:element name="A" type="xs:string"/></xs:sequence></xs:restriction></xs:complexContent></xs:complexType>'
    )
    assert set(shorter["properties"]) == {"A", "@x"}


@pytest.mark.parametrize(
    ("pattern", "zone"),
    [
        ("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}", "none"),
        (r"[0-9T:-]+(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})", "required"),
        ("[0-9T:-]+Z?", "optional"),
        (r"\i\c*", "optional"),
    ],
)
def test_a_pattern_says_whether_a_moment_carries_an_offset(pattern: str, zone: str) -> None:
    found = case(
        '<xs:sequence><xs:element name="A"><xs:simpleType><xs:restriction base="xs:dateTime">'
        f'<xs:pattern value="{pattern}"/></xs:restriction></xs:simpleType></xs:element></xs:sequence>'
    )["properties"]["A"]
    assert (found["x-lexical"], found["x-zone"]) == ("dateTime", zone)


@pytest.mark.parametrize(
    ("pattern", "kept"),
    [
        ("[A-Z]{1,3}", "^(?:[A-Z]{1,3})$"),
        ("a^b$", r"^(?:a\^b\$)$"),  # no anchors in XML Schema
        (r"[a-z-[aeiou]]", None),
        (r"\p{Lu}+", None),
        ("a{2,1}", None),
    ],
)
def test_a_pattern_is_taken_over_where_that_is_safe(pattern: str, kept: str | None) -> None:
    found = case(
        '<xs:sequence><xs:element name="A"><xs:simpleType><xs:restriction base="xs:string">'
        f'<xs:pattern value="{pattern}"/></xs:restriction></xs:simpleType></xs:element></xs:sequence>'
    )["properties"]["A"]
    assert found.get("pattern") == kept


def test_nil_words_and_wildcards() -> None:
    found = case(
        '<xs:sequence><xs:element name="A" nillable="true"><xs:simpleType><xs:restriction base="xs:string">'
        '<xs:enumeration value="1"/><xs:enumeration value="2"/></xs:restriction></xs:simpleType></xs:element>'
        '<xs:any minOccurs="0" processContents="lax"/></xs:sequence>'
    )
    assert bare(found["properties"]["A"]) == {"type": ["string", "null"], "enum": ["1", "2"]}
    assert found["additionalProperties"] is True


def test_what_goes_on_in_itself_is_stopped_and_says_so() -> None:
    found = case('<xs:sequence><xs:element name="Part" type="t:Case" minOccurs="0"/></xs:sequence>')
    assert bare(found["properties"]["Part"]) == {"type": "object", "additionalProperties": True, "x-stopped": True}


def test_groups_references_and_files_beside_are_followed() -> None:
    found = read(
        '<xs:include schemaLocation="beside.xsd"/><xs:complexType name="Case"><xs:sequence><xs:group ref="t:G"/>'
        '</xs:sequence>'
        '<xs:attributeGroup ref="t:H"/></xs:complexType>',
        beside='<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:group name="G"><xs:sequence>'
        '<xs:element ref="E"/>'
        '</xs:sequence></xs:group><xs:element name="E" type="Short"/><xs:simpleType name="Short">'
        '<xs:restriction base="xs:string">'
        '<xs:length value="3"/></xs:restriction></xs:simpleType>'
        '<xs:attributeGroup name="H"><xs:attribute name="a" type="xs:boolean"/></xs:attributeGroup></xs:schema>',
    )  # fmt: skip
    assert bare(found["properties"]["E"]) == {"type": "string", "minLength": 3, "maxLength": 3}
    assert found["properties"]["@a"]["x-lexical"] == "boolean"
    assert found["properties"]["E"]["x-where"] == ["interfaces/beside.xsd", 1]


def test_a_type_that_is_not_there_is_told() -> None:
    with pytest.raises(Misconfigured, match="Nowhere"):
        case('<xs:sequence><xs:element name="A" type="t:Nowhere"/></xs:sequence>')


@pytest.mark.parametrize(
    "more",
    [
        '<xs:group name="G"><xs:sequence><xs:group ref="t:G"/></xs:sequence></xs:group>',
        '<xs:group name="G"><xs:sequence><xs:element name="A" type="t:S"/></xs:sequence></xs:group>'
        '<xs:simpleType name="S"><xs:restriction base="t:S"/></xs:simpleType>',
        '<xs:group name="G"><xs:sequence><xs:element ref="t:E"/></xs:sequence></xs:group>'
        '<xs:element name="E" substitutionGroup="t:E"/>',
    ],
)
def test_what_contains_itself_without_an_end_is_a_sentence(more: str) -> None:
    with pytest.raises(Misconfigured, match="contains itself"):
        read(f'{more}<xs:complexType name="Case"><xs:group ref="t:G"/></xs:complexType>')


def test_the_shipped_casework(shipped: Callable[[str], Any], interfaces: Callable[[str], bytes]) -> None:
    (one,) = interfaces_of(shipped("casework"), interfaces=interfaces)
    assert one["ours"] == ["ClientReference", "LastChanged", "ReferralId", "Version"]
    assert one["create"]["properties"] == one["update"]["properties"] == one["read"]["properties"]
    assert one["read"]["properties"]["Received"]["x-zone"] == "none"
    assert one["read"]["properties"]["Subject"]["properties"]["Forename"]["maxItems"] == 5
