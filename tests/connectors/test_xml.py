"""The one door for XML: what it refuses, and that a record survives the way there and back."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from connectors import xml

CAP = 12_000_000


@pytest.fixture
def canary(small: Any, answer: Any) -> Any:
    """A server that must not be asked anything."""
    server = small(lambda _: answer(body=b"<!ENTITY x 'fetched'>"))
    yield server
    assert server.calls == []


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
ATTACKS = [
    ("a file as an entity", '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>'),
    ("a web page as an entity", '<!DOCTYPE a [<!ENTITY x SYSTEM "{url}/x">]><a>&x;</a>'),
    ("an entity of its own", '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'),
    ("an entity in an attribute", '<!DOCTYPE a [<!ENTITY x "y">]><a b="&x;"/>'),
    ("a DTD elsewhere", '<!DOCTYPE a SYSTEM "{url}/a.dtd"><a/>'),
    ("a DTD that does nothing", "<!DOCTYPE a><a/>"),
    ("a public DTD", '<!DOCTYPE a PUBLIC "-//W3C//DTD XHTML 1.0//EN" "{url}/a.dtd"><a/>'),
    ("a parameter entity", '<!DOCTYPE a [<!ENTITY % p SYSTEM "{url}/p"> %p;]><a/>'),
    ("a default attribute", '<!DOCTYPE a [<!ATTLIST a b CDATA "c">]><a/>'),
    ("a billion laughs", f'<!DOCTYPE a [<!ENTITY l0 "ha">{LAUGHS}]><a>&l9;</a>'),
    ("quadratic growth", f'<!DOCTYPE a [<!ENTITY x "{"y" * 50_000}">]><a>{"&x;" * 50_000}</a>'),
    ("an entity that nobody declared", "<a>&x;</a>"),
    ("great depth", "<a>" * 3_000 + "</a>" * 3_000),
    ("a text of 11 MB", f"<a>{'x' * 11_000_000}</a>"),
    ("two roots", "<a/><b/>"),
    ("nothing", "  "),
    ("no XML", "{}"),
    ("an undeclared prefix", "<x:a/>"),
    ("a sign that XML does not have", "<a>\x01</a>"),
]


@pytest.mark.parametrize(("name", "text"), ATTACKS, ids=[row[0] for row in ATTACKS])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_refuses(canary: Any, name: str, text: str, encoding: str) -> None:
    started = time.process_time()
    with pytest.raises(xml.UnreadableXml) as caught:
        xml.parse(text.replace("{url}", canary.url).encode(encoding), max_bytes=3 * CAP)
    assert time.process_time() - started < 1
    assert len(str(caught.value)) < 200


def test_an_encoding_that_nobody_knows() -> None:
    with pytest.raises(xml.UnreadableXml):
        xml.parse(b'<?xml version="1.0" encoding="klingon"?><a/>', max_bytes=CAP)


def test_xinclude_is_not_followed(canary: Any) -> None:
    text = f'<a xmlns:i="http://www.w3.org/2001/XInclude"><i:include href="{canary.url}/x"/></a>'
    assert len(xml.parse(text.encode(), max_bytes=CAP)) == 1


def test_the_cap_is_exact() -> None:
    text = b"<a>" + b"x" * 93 + b"</a>"
    assert xml.parse(text, max_bytes=100).text == "x" * 93
    with pytest.raises(xml.UnreadableXml, match="longer than 99 bytes"):
        xml.parse(text, max_bytes=99)


def test_a_record_as_the_port_defines_it() -> None:
    text = """<r xmlns="urn:r" xmlns:o="urn:other" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
      <one>1</one> <many>a</many> <many/> <nil xsi:nil="true"/> <empty/> <empty2></empty2>
      <need code="N01" o:extra="e">text</need> <bare code="x"/> <deep><inner>v</inner></deep>
      <note>before<!-- a comment -->after</note> <o:foreign><o:a>1</o:a></o:foreign>
    </r>"""
    assert xml.record_of(xml.parse(text.encode(), max_bytes=CAP), frozenset({"urn:r"})) == {
        "one": "1",
        "many": ["a", ""],
        "nil": None,
        "empty": "",
        "empty2": "",
        "need": {"@code": "N01", "@extra": "e", ".": "text"},
        "bare": {"@code": "x", ".": ""},
        "deep": {"inner": "v"},
        "note": "beforeafter",
        "foreign": {"@xmlns": "urn:other", "a": "1"},
    }


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=20)
NAME = st.sampled_from(["Name", "Línea", "a", "b.c", "d-e"])
VALUE = st.recursive(
    TEXT | st.none(),
    lambda inner: st.dictionaries(NAME, inner | st.lists(inner, min_size=2, max_size=3), min_size=1, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(NAME, VALUE, max_size=3))
def test_a_record_survives_the_way_there_and_back(record: dict[str, Any]) -> None:
    element = next(xml.elements_of("r", record or "", "urn:r"))
    read = xml.record_of(xml.parse(etree.tostring(element, encoding="utf-8"), max_bytes=CAP), frozenset({"urn:r"}))
    assert read == (record or "")


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (False, "false"), (7, "7"), (1.5, "1.5"), ("a\tb\r\nc", "a\tb\r\nc"), ("😀", "😀")],
)
def test_leaves(value: Any, text: str) -> None:
    assert xml.text_of(value) == text


@pytest.mark.parametrize("value", ["\x00", "a\x0bb", "\ud800", "\ufffe", b"x", [], object()])
def test_what_xml_cannot_carry(value: Any) -> None:
    with pytest.raises(ValueError, match=r"XML cannot carry|stands where text"):
        xml.text_of(value)


def test_the_same_record_has_the_same_bytes() -> None:
    one = xml.parse(b'<a xmlns="urn:a"><b y="2" x="1"></b><!-- c --></a>', max_bytes=CAP)
    other = xml.parse(b'<n:a xmlns:m="urn:m" xmlns:n="urn:a"><n:b x="1" y="2"/></n:a>', max_bytes=CAP)
    assert xml.canonical(one[0]) == b'<b xmlns="urn:a" x="1" y="2"></b>'
    assert b"urn:m" not in xml.canonical(other[0])


@pytest.mark.parametrize("space", ["x", "../x"])
def test_a_namespace_that_is_no_absolute_address_costs_nobody_a_page(space: str) -> None:
    """Found by fuzzing: canonical XML refuses it, and the walk ended in the library's own error."""
    root = xml.parse(f'<a><r xmlns:b="{space}"><b:id>1</b:id></r>tail</a>'.encode(), max_bytes=1000)
    raw = xml.canonical(root[0])
    assert raw == xml.canonical(root[0])
    assert b"tail" not in raw
    again = xml.parse(raw, max_bytes=1000)
    assert xml.record_of(again, frozenset({""})) == {"id": {"@xmlns": space, ".": "1"}}


def test_paths() -> None:
    record: dict[str, Any] = {"a": [{"b": " 1 "}, {"b": "2"}], "c": {".": "x", "@d": "y"}, "e": None}
    assert xml.get(record, "a/b") == " 1 "
    assert xml.text_at(record, "a/b") == "1"
    assert xml.get(record, "a[]") == record["a"]
    assert xml.get(record, "c[]") == [record["c"]]
    assert xml.get(record, "e[]") == []
    assert xml.text_at(record, "c") == "x"
    assert xml.text_at(record, "c/@d") == "y"
    assert xml.text_at(record, "e/f") == xml.text_at(record, None) == ""
    xml.put(record, "e/f", "z")
    assert record["e"] == {"f": "z"}
