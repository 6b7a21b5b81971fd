"""Whole inputs that the fuzzing of the doors begins with: small, and with as much of each language in them as may be.

A door whose only seed is refused at the first look is fuzzed at its first look alone. That was so: the WSDL was cut in
its middle, and of all that reads one no line behind the parser was ever reached.
"""

from __future__ import annotations

import json
from pathlib import Path

from config.documents import parse_yaml
from mappings import fieldpaths
from tests.rig.soap_pushing import WSDL as PLAIN_WSDL

ROOT = Path(__file__).parents[2]

CASE = b'{"id": "C-1", "version": 1, "at": "2026-11-30T10:00:00Z", "person": {"name": ["a", null, true, 1.5e3]}}'
#: JSON that Python reads and JSON cannot hold, each in one place of a whole record.
BLEMISHED = tuple(
    CASE.replace(b"1.5e3", blemish)
    for blemish in (
        b'"\\ud800"', b"NaN", b"-Infinity", b"1e999", b"99999999999999999999", b'{"a": 1, "a": 2}', b'"\xff"',
        b'{"\\udfff": 1}', b'{"\xff": "\\ud800"}', b"[" * 90 + b"1" + b"]" * 90, b"[" * 3000, b"9" * 5000,
    )
)  # fmt: skip
JSON = (CASE, b"[" + CASE + b"," + CASE + b"]", b"", b" ", b"7", *BLEMISHED)

ENVELOPE = (
    b'<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><a b="c" '
    b'xmlns="urn:x">t<b/><b>&lt;&#65;</b><![CDATA[x]]></a></e:Body></e:Envelope>'
)
XML = (
    ENVELOPE,
    b'<r xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><a i:nil="true"/><a i:type="x">1</a>t<a><b k="v">2</b></a>'
    b"<!-- c --><?p i?></r>",
    b'<!DOCTYPE r [<!ENTITY e "x">]><r>&e;</r>',
    '<?xml version="1.0" encoding="utf-16"?><r><a>ŵ</a></r>'.encode("utf-16"),
    b'<r xmlns="a relative name"><a/></r>', b"", b" ",
)

SITE_FILE = (ROOT / "config/example/config/dolen.yaml").read_bytes()
YAML = (
    SITE_FILE,
    json.dumps(parse_yaml(SITE_FILE, Path("site.yaml")).data, default=str).encode(),
    b"a: &x [1, 0x1f, 0o17, 1_000, .5, 1e3, .inf, ~, yes, True, null, -0]\nb: *x\n",
    b"a: |\n  text\nb: >-\n  folded\nc: 'q''q'\nd: \"\\u00e9\\x41\\n\"\n? complex\n: value\n",
    b"a: !!str 1\nb: !x {c: d}\n", b"<<: {a: 1}\na: 2\na: 3\n", b"---\na: 1\n...\n---\nb: 2\n",
    b"%YAML 1.1\n---\na: 1\n",
    b"1: a\ntrue: b\n[x, y]: c\n{p: q}: d\n", b"- a\n- - b\n  - c\n-\n", b"", b"# a comment\n", b"a:\tb\n",
)  # fmt: skip

_OPEN: dict[str, object] = {
    "openapi": "3.1.0", "info": {"title": "a", "version": "1"}, "paths": {"/a": {"get": {}}},
    "components": {"schemas": {
        "Case": {
            "type": "object", "required": ["id"], "additionalProperties": False,
            "properties": {
                "id": {"$ref": "#/components/schemas/Id"}, "at": {"type": ["string", "null"], "format": "date-time"},
                "on": {"type": "string", "format": "date", "nullable": True}, "n": {"type": "integer", "maximum": 9},
                "list": {"type": "array", "items": {"$ref": "#/components/schemas/Part"}, "maxItems": 3},
                "one": {"oneOf": [{"$ref": "#/components/schemas/Part"}, {"type": "string", "pattern": "^a+$"}]},
                "all": {"allOf": [{"$ref": "#/components/schemas/Part", "description": "x"}, {"required": ["k"]}]},
                "beside": {"$ref": "#/components/schemas/Part", "maxLength": 3},
            },
        },
        "Id": {"type": "string", "minLength": 1, "enum": ["a", "b"]},
        "Part": {"type": "object", "properties": {"k": {"type": "boolean"}, "a/b": {}}, "patternProperties": {"x": {}}},
    }},
}  # fmt: skip
OPENAPI = (
    b'openapi: 3.1.0\nall: {{"$ref": "#/x"}: 1}\n', b'openapi: !!int ""\n', b"openapi: 3.1.0\na: &a [*a]\n", b"",
    b"openapi: 3.1.0\npaths: {/a: {get: {}}}\ncomponents: {schemas: {Case: {type: object, properties: {id: "
    b"{$ref: '#/components/schemas/Case'}}}}}\n",
    json.dumps(_OPEN).encode(),
    json.dumps({**_OPEN, "openapi": "3.0.3"}).encode(),
    json.dumps({"openapi": "3.1.0", "components": {"schemas": {"Case": {"$ref": "other.yaml#/x"}}}}).encode(),
)

#: What a type of a WSDL may be made of, in place of the plain `Id` of the rig's.
_TYPES = """<xsd:element name="Id"><xsd:simpleType><xsd:restriction base="xsd:string"><xsd:maxLength value="9"/>
<xsd:pattern value="[A-Z]+"/><xsd:enumeration value="A"/></xsd:restriction></xsd:simpleType></xsd:element>
<xsd:choice minOccurs="0" maxOccurs="unbounded"><xsd:element name="One" type="xsd:int" nillable="true"/>
<xsd:element name="Two" type="xsd:date" default="2026-01-01"/></xsd:choice>
<xsd:element name="Part" minOccurs="0"><xsd:complexType><xsd:simpleContent><xsd:extension base="xsd:string">
<xsd:attribute name="code" use="required" type="xsd:token"/></xsd:extension></xsd:simpleContent></xsd:complexType>
</xsd:element><xsd:any minOccurs="0" processContents="lax"/>"""
WSDL = (
    PLAIN_WSDL.encode(),
    PLAIN_WSDL.replace('<xsd:element name="Id" type="xsd:string"/>', _TYPES).encode(),
    (ROOT / "connectors/interfaces/casework.wsdl").read_bytes()[:6000],
    PLAIN_WSDL.replace("<definitions", "<!DOCTYPE definitions><definitions", 1).encode(),
    PLAIN_WSDL.replace("http://127.0.0.1/none", "&e;").encode(), PLAIN_WSDL.replace("UTF-8", "x-none").encode(),
    b"", b"<definitions/>", b'<definitions xmlns="http://schemas.xmlsoap.org/wsdl/"/>',
)  # fmt: skip

CSV_FILES = (
    b'id,name\n1,"a"\n', b"id;name\n1;a\nT;1\n",
    b'id,name\r\n1,"a ""b""\r\nc"\r\n2,"\xe2\x82\xac"\r\n', b"id;name\n1;a\n2;b\nT;2\n3;c\n", b"id;name\nT\n",
    b"\xef\xbb\xbfid,name\n1,\xff\n2,a,b\n\n3,\x81\n", b"id,id\n1,2\n", b"id,\n1,2\n", b'id,name\n1,"a\n',
    b"id\xff,b\n1,2\n",
    b"id,name,at\n1,S,2026-03-02T09:00:00Z\nT,1\n", b"", b"id,name\n",
    *(b"id,name\n" + one + b"\n" for one in (CASE, b"7", b" ", *BLEMISHED[:11])),  # rows that are read again as JSON
)  # fmt: skip
XML_FILES = (
    b"<x><r><id>1</id></r></x>", b'<x><r k="v"><id>1</id><r><id>2</id></r></r><!-- c --><r xmlns="a b"><id/></r></x>',
    b'<!DOCTYPE x [<!ENTITY e "y">]><x><r>&e;</r></x>', b"<x><r><id>1</id></r>", b"<x><r>1</r></y>", b"<a/>",
    b'<x xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><r><id i:nil="true"/><n>1</n><n k="v">3</n></r></x>',
    b"<x><r><id>R1</id><name>S</name><at>2026-03-02</at></r></x>", b"",
)  # fmt: skip
LINE_FILES = (
    b'{"id": 1}\n{"id": 2}\n', b'{"id": 1}\n\n[1]\n7\n{"a": \xff}\n', b"",
    b'{"id": "R1", "name": "S", "at": "2026-03-02T09:00:00Z"}\n', *(one + b"\n" + CASE for one in BLEMISHED[:9]),
)  # fmt: skip
#: By the format of a file; each has one of every other, which somebody will leave in its place.
FILES = {
    "csv": (*CSV_FILES, XML_FILES[0], LINE_FILES[0]), "xml": (*XML_FILES, CSV_FILES[0], LINE_FILES[0]),
    "lines": (*LINE_FILES, CSV_FILES[0], XML_FILES[0]),
}  # fmt: skip

LINKS = (
    b"<https://casework.example.org/api/cases?page=2>; rel=next", b"https://casework.example.org/api/cases/7",
    b"/api/cases/7?x=1#y", b"cases/7", b"C-1", b"http://[", b"//[::1/x", b"https://casework.example.org:x/api/", b"",
    b"<a>; rel=prev, <b>; rel=\"next last\"; title=\"x, y\"", b"https://casework.example.org:443/api/cases/a%2Fb",
)  # fmt: skip

#: Names of fields, right and nearly right, with and without brackets.
PATHS = (
    b"person.telecom[system=phone,use=mobile].value", b"extensions.casework.colour", b"extensions.casework",
    b"family", b"person.name.famly", b"person.nam.family", b"needs[code=a].text", b"needs.code", b"person[0].name",
    b"source_identifiers[system=desk].value", b"person.telecom[system=phone,system=phone].value", b"status[a=b]",
    b"person.telecom[sistem=phone].value", b"person.telecom[].value", b".a", b"a..b", b"person.telecom[use].value", b"",
    *(name.replace("[]", "").encode() for name in sorted(fieldpaths.declared())[:60:3]),
)  # fmt: skip

_PACKAGE = '{"package": {"ecosystem": "PyPI", "name": "requests"}, '
_RANGES = (
    '"versions": ["2.31.0"], "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "9"}]}]',
    '"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "2.0"}, {"last_affected": "2.31.0"}]}]',
    '"ranges": [{"type": "SEMVER", "events": [{"introduced": "no version"}]}, {"type": "GIT", "events": []}]',
    '"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "3"}, {"limit": "4"}, {"fixed": "2.31.0"}]}]',
)
ADVISORIES = (
    *(('{"id": "A", "modified": "2026-01-01T00:00:00Z", "affected": [' + _PACKAGE + told + "}]}").encode()
      for told in _RANGES),
    b'{"vulns": [{"id": "B", "withdrawn": "2026-01-01T00:00:00Z", "aliases": ["C"], "affected": []}]}', b"[]",
)  # fmt: skip
