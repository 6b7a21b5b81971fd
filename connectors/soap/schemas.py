"""The types of a pinned WSDL in the neutral form, with the name of each type beside it.

Read from lxml's tree and not from zeep's model, which forgets lengths, patterns and enumerations. `x-type` names the
type of an object, so that the same record is known in several operations; `x-shown` are the texts beside codes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

from lxml import etree

from connectors.soap.pinned import HOME, WSDL, XSD, Pinned

Schema = dict[str, Any]
Name = tuple[str, str]  # namespace, local name

_DEEPEST = 12
_X = f"{{{XSD}}}"
_LEXICAL = {
    "date": "date", "dateTime": "dateTime", "dateTimeStamp": "dateTime", "time": "time", "boolean": "boolean",
    "decimal": "decimal", "float": "decimal", "double": "decimal", "gYear": "gYear", "gYearMonth": "gYearMonth",
    "base64Binary": "base64",
    **dict.fromkeys(
        ("integer", "int", "long", "short", "byte", "nonNegativeInteger", "positiveInteger", "negativeInteger",
         "nonPositiveInteger", "unsignedInt", "unsignedLong", "unsignedShort", "unsignedByte"), "integer"),
}  # fmt: skip
_GROUPS = ("sequence", "all", "choice")


class Schemas:
    """Every schema of a pinned WSDL, asked by name."""

    def __init__(self, pinned: Pinned) -> None:
        """Read the WSDL and all that it imports and includes. Raises Misconfigured for what is not pinned."""
        self.wsdls: list[etree._Element] = []
        self._named: dict[tuple[str, Name], etree._Element] = {}
        self._seen: set[tuple[str, str]] = set()
        self._pinned = pinned
        self._wsdl(HOME + pinned.name)

    def element(self, name: Name) -> Schema:
        """The content of a global element. Raises LookupError for one that is not declared."""
        return self._element(self._named["element", name], 0)

    def _wsdl(self, address: str) -> None:
        if ("", address) in self._seen:
            return
        self._seen.add(("", address))
        root = self._pinned.document(address)
        self.wsdls.append(root)
        for schema in root.iterfind(f"{{{WSDL}}}types/{_X}schema"):
            self._schema(schema, address, schema.get("targetNamespace") or "")
        for other in root.iterfind(f"{{{WSDL}}}import"):
            self._wsdl(urljoin(address, other.get("location") or ""))

    def _schema(self, root: etree._Element, address: str, space: str) -> None:
        for node in root.iterchildren(f"{_X}*"):
            what, name = etree.QName(node).localname, node.get("name")
            if what in ("import", "include", "redefine") and (at := node.get("schemaLocation")):
                place = urljoin(address, at)
                inner = space if what != "import" else node.get("namespace") or ""
                if (inner, place) not in self._seen:
                    self._seen.add((inner, place))
                    self._schema(self._pinned.document(place), place, inner)
            if name is not None:
                kind = "type" if what.endswith("Type") else what
                node.set("x-space", space)
                self._named.setdefault((kind, (space, name)), node)

    def _element(self, node: etree._Element, deep: int) -> Schema:
        if (reference := node.get("ref")) is not None:
            found = self._named.get(("element", _name(node, reference)))
            return {} if found is None else self._element(found, deep)
        if (told := node.get("type")) is not None:
            made = self._type(_name(node, told), deep)
        else:
            inner = next(iter(node.iterchildren(f"{_X}complexType", f"{_X}simpleType")), None)
            made = {"type": "string"} if inner is None else self._made(inner, deep)
            if made.get("properties"):
                made.setdefault("x-type", f"element {node.get('name')}")
        if node.get("nillable") in ("true", "1") and "type" in made:
            made = {**made, "type": [made["type"], "null"] if isinstance(made["type"], str) else made["type"]}
        return _told(made, node)

    def _type(self, name: Name, deep: int) -> Schema:
        if name[0] == XSD:
            return _builtin(name[1])
        node = self._named.get(("type", name))
        if node is None:
            return {"type": "string"}
        if deep > _DEEPEST:
            return {"type": "object", "properties": {}, "additionalProperties": True}
        made = _told(self._made(node, deep), node)
        return {**made, "x-type": f"{{{name[0]}}}{name[1]}"} if "properties" in made else made

    def _made(self, node: etree._Element, deep: int) -> Schema:
        return self._simple(node, deep) if etree.QName(node).localname == "simpleType" else self._complex(node, deep)

    def _simple(self, node: etree._Element, deep: int) -> Schema:
        restriction = node.find(f"{_X}restriction")
        if restriction is None:
            return {"type": "string"}
        return self._restricted(restriction, deep)

    def _restricted(self, node: etree._Element, deep: int) -> Schema:
        based = node.get("base")
        inner = node.find(f"{_X}simpleType")
        made = dict(self._type(_name(node, based), deep + 1) if based else self._simple(inner, deep + 1)
                    if inner is not None else {"type": "string"})  # fmt: skip
        codes: dict[str, str] = {}
        for facet in node.iterchildren(f"{_X}*"):
            what, value = etree.QName(facet).localname, facet.get("value") or ""
            if what == "enumeration":
                codes[value] = _words(facet)
            elif what in ("maxLength", "minLength") and value.isdigit():
                made[what] = int(value)
            elif what == "length" and value.isdigit():
                made["maxLength"] = made["minLength"] = int(value)
            elif what == "pattern":
                made["pattern"] = value
        if codes:
            made["enum"], made["x-shown"] = list(codes), codes
        if made.get("x-lexical") == "dateTime" and "pattern" in made:
            made["x-zone"] = "optional" if "Z" in made["pattern"] else "none"
        return made

    def _complex(self, node: etree._Element, deep: int) -> Schema:
        properties: Schema = {}
        required: list[str] = []
        made: Schema = {"type": "object", "properties": properties, "required": required}
        content = node.find(f"{_X}simpleContent")
        if content is None:
            self._content(node.find(f"{_X}complexContent"), node, made, deep)
        elif (inner := next(iter(content.iterchildren(f"{_X}*")), None)) is not None:
            text = self._restricted(inner, deep)
            if "properties" in text:
                properties.update(text["properties"])
                required.extend(text["required"])
            else:
                properties["."] = text
                required.append(".")
            self._attributes(inner, made, deep)
        made["x-order"] = [name for name in properties if name != "." and not name.startswith("@")]
        return made

    def _content(self, content: etree._Element | None, node: etree._Element, made: Schema, deep: int) -> None:
        if content is not None:
            inner = next(iter(content.iterchildren(f"{_X}extension", f"{_X}restriction")), None)
            if inner is None:
                return
            if etree.QName(inner).localname == "extension" and inner.get("base"):
                below = self._type(_name(inner, inner.get("base") or ""), deep + 1)
                made["properties"].update(below.get("properties", {}))
                made["required"].extend(below.get("required", ()))
            node = inner
        for group in node.iterchildren(*(f"{_X}{name}" for name in (*_GROUPS, "group"))):
            self._group(group, made, deep, may=False, many=False)
        self._attributes(node, made, deep)

    def _group(self, group: etree._Element, made: Schema, deep: int, *, may: bool, many: bool) -> None:
        """Put the elements of a group into `made`. `may`: the group is optional; `many`: it may repeat."""
        what = etree.QName(group).localname
        may = may or group.get("minOccurs") == "0" or what == "choice"
        many = many or group.get("maxOccurs", "1") not in ("0", "1")
        if what == "group" and group.get("ref"):
            named = self._named.get(("group", _name(group, group.get("ref") or "")))
            for inner in named.iterchildren(*(f"{_X}{name}" for name in _GROUPS)) if named is not None else ():
                self._group(inner, made, deep, may=may, many=many)
            return
        for node in group.iterchildren(f"{_X}*"):
            inner_what = etree.QName(node).localname
            if inner_what in (*_GROUPS, "group"):
                self._group(node, made, deep, may=may, many=many)
            elif inner_what == "any":
                made["additionalProperties"] = True
            elif inner_what == "element" and node.get("maxOccurs") != "0":
                self._member(node, made, deep, may=may, many=many)

    def _member(self, node: etree._Element, made: Schema, deep: int, *, may: bool, many: bool) -> None:
        name = node.get("name") or _name(node, node.get("ref") or "")[1]
        one = self._element(node, deep + 1)
        most = node.get("maxOccurs", "1")
        if many or most != "1" or name in made["properties"]:
            one = {"type": "array", "items": one, "x-one-or-many": True}
            if most.isdigit() and not many:
                one["maxItems"] = int(most)
        made["properties"][name] = one
        if not may and node.get("minOccurs", "1") != "0":
            made["required"].append(name)

    def _attributes(self, node: etree._Element, made: Schema, deep: int) -> None:
        for inner in node.iterchildren(f"{_X}attribute", f"{_X}attributeGroup"):
            named = inner
            if (reference := inner.get("ref")) is not None:
                found = self._named.get((etree.QName(inner).localname, _name(inner, reference)))
                if found is None:
                    continue
                named = found
            if etree.QName(inner).localname == "attributeGroup":
                self._attributes(named, made, deep)
                continue
            name, told = f"@{named.get('name')}", named.get("type")
            simple = named.find(f"{_X}simpleType")
            value = self._type(_name(named, told), deep + 1) if told else {"type": "string"}
            made["properties"][name] = self._simple(simple, deep + 1) if simple is not None else value
            if inner.get("use") == "required":
                made["required"].append(name)


def _name(node: etree._Element, text: str) -> Name:
    """What a name with a prefix means where it stands."""
    prefix, colon, local = text.strip().rpartition(":")
    space = node.nsmap.get(prefix if colon else None, "")
    if not colon and not space:
        space = next((above.get("x-space", "") for above in _up(node) if above.get("x-space")), "")
    return str(space or ""), local


def _up(node: etree._Element) -> Iterator[etree._Element]:
    yield node
    yield from node.iterancestors()


def _builtin(name: str) -> Schema:
    lexical = _LEXICAL.get(name)
    if name == "anyType":
        return {"type": "object", "properties": {}, "additionalProperties": True}
    if lexical is None:
        return {"type": "string"}
    zone = {"x-zone": "required" if name == "dateTimeStamp" else "optional"} if lexical == "dateTime" else {}
    return {"type": "string", "x-lexical": lexical, **zone}


def _words(node: etree._Element) -> str:
    found = node.find(f"{_X}annotation/{_X}documentation")
    return " ".join("".join(str(part) for part in found.itertext()).split()) if found is not None else ""


def _told(made: Schema, node: etree._Element) -> Schema:
    said = _words(node)
    return {**made, "description": said} if said else made
