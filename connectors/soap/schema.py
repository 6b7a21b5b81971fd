"""The XML Schemas of a WSDL, read for what they say of records: the neutral form (its words: `mappings.interface`).

Nothing is executed and nothing is fetched: a schema is walked as a document, from the pinned files alone. What one type
says stands in one dict; a type that goes on in itself is stopped there, and says so with `x-stopped`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

from lxml import etree

from connectors.errors import Misconfigured
from connectors.soap.leaves import BUILT_IN, narrowed, takes_nothing, union_of
from connectors.soap.noted import told_beside, words_beside
from connectors.soap.particles import Content, Particles
from connectors.soap.pinned import HOME, WSDL, XSD, Pinned

Schema = dict[str, Any]
Name = tuple[str, str]

_DEEPEST = 24  # levels of elements; a record of a case system has six or seven
_MOST = 50_000  # elements and attributes of one message; more is a bomb of references and not a record
_GLOBALS = ("element", "complexType", "simpleType", "group", "attributeGroup", "attribute")


@dataclass(slots=True)
class _Told:
    """A global definition, and where it stands: its file, and the namespace that its unprefixed names have."""

    node: etree._Element
    file: str
    space: str


@dataclass(slots=True)
class Schemas:
    """All definitions that a WSDL brings, by kind and name. `definitions`: the WSDL documents themselves.

    With `names` a schema also tells what a draft wants to know: the name of its type (`x-type`), what is written about
    it (`description`), and the words beside codes (`x-shown`).
    """

    pinned: Pinned
    names: bool = False
    definitions: list[etree._Element] = field(default_factory=list)
    _told: dict[tuple[str, str, str], _Told] = field(default_factory=dict)
    _heads: dict[Name, list[Name]] = field(default_factory=dict)  # head of a substitution group -> its members
    _seen: set[tuple[str, str]] = field(default_factory=set)
    _count: int = 0

    def __post_init__(self) -> None:
        """Read the WSDL and everything that it imports. Raises Misconfigured."""
        self._definitions(HOME + self.pinned.name)

    def message(self, element: Name) -> Schema:
        """The neutral form of a global element. Raises Misconfigured for one that is not there or far too large."""
        self._count = 0
        try:
            return self._declared(self._find("element", element), (), 0)
        except RecursionError:
            raise Misconfigured(f"{self.pinned.name}: a group or simple type of its schemas contains itself") from None

    def _definitions(self, address: str) -> None:
        if (address, "") in self._seen:
            return
        self._seen.add((address, ""))
        root = self.pinned.document(address)
        self.definitions.append(root)
        for schema in root.iterfind(f"{{{WSDL}}}types/{{{XSD}}}schema"):
            self._schema(schema, address, schema.get("targetNamespace") or "")
        for other in root.iterfind(f"{{{WSDL}}}import"):
            self._definitions(urljoin(address, other.get("location") or ""))

    def _schema(self, schema: etree._Element, address: str, space: str) -> None:
        file = address.removeprefix(HOME)
        for node in schema.iterchildren(f"{{{XSD}}}*"):
            kind = etree.QName(node).localname
            if kind in _GLOBALS and (name := node.get("name")):
                self._told[kind, space, name] = _Told(node, file, space)
                if kind == "element" and (head := node.get("substitutionGroup")):
                    self._heads.setdefault(name_of(node, head, space), []).append((space, name))
            elif kind in ("include", "import", "redefine") and (location := node.get("schemaLocation")):
                self._outside(urljoin(address, location), space if kind != "import" else None)

    def _outside(self, address: str, space: str | None) -> None:
        root = self.pinned.document(address)
        own = root.get("targetNamespace") or (space or "")
        if (address, own) not in self._seen:
            self._seen.add((address, own))
            self._schema(root, address, own)

    def _find(self, kind: str, name: Name) -> _Told:
        found = self._told.get((kind, *name))
        if found is None:
            raise Misconfigured(f"{self.pinned.name} has no {kind} {name[1]} in the namespace {name[0] or '(none)'}")
        return found

    def _declared(self, told: _Told, under: tuple[int, ...], depth: int) -> Schema:
        """One occurrence of an element, with its own type or the one that it names."""
        self._count += 1
        if self._count > _MOST:
            raise Misconfigured(f"{self.pinned.name}: a message grows beyond {_MOST} elements when types are followed")
        node = told.node
        inner = next(node.iterchildren(f"{{{XSD}}}complexType", f"{{{XSD}}}simpleType"), None)
        if inner is not None:
            made = self._typed(_Told(inner, told.file, told.space), under, depth)
        elif named := node.get("type"):
            made = self._named(node, named, told, under, depth)
        elif head := node.get("substitutionGroup"):
            made = self._declared(self._find("element", name_of(node, head, told.space)), under, depth)
        else:
            made = {"additionalProperties": True}  # of any type
        if (fixed := node.get("fixed")) is not None and "properties" not in made:
            made = {**made, "const": fixed}
        if node.get("nillable") in ("true", "1") and "type" in made:
            kinds = made["type"] if isinstance(made["type"], list) else [made["type"]]
            made = {**made, "type": list(dict.fromkeys([*kinds, "null"]))}
        about = {"description": said} if self.names and (said := words_beside(node)) else {}
        return {**made, **about, "x-where": [told.file, node.sourceline or 0]}

    def _named(self, node: etree._Element, named: str, told: _Told, under: tuple[int, ...], depth: int) -> Schema:
        space, local = name_of(node, named, told.space)
        if space == XSD:
            if local == "anyType":
                return {"additionalProperties": True}
            return dict(BUILT_IN.get(local, {"type": "string"}))
        for kind in ("complexType", "simpleType"):
            if (kind, space, local) in self._told:
                return self._typed(self._told[kind, space, local], under, depth)
        raise Misconfigured(f"{self.pinned.name}: the type {local} is named in line {node.sourceline} and not declared")

    def _typed(self, told: _Told, under: tuple[int, ...], depth: int) -> Schema:
        if etree.QName(told.node).localname == "simpleType":
            return self._simple(told)
        mark = id(told.node)
        if mark in under or depth > _DEEPEST:
            return {"type": "object", "additionalProperties": True, "x-stopped": True}
        made = self._complex(told, (*under, mark), depth + 1)
        return {**made, "x-type": _type_name(told)} if self.names else made

    def _simple(self, told: _Told) -> Schema:
        """A simple type: its base narrowed by its facets. A list is text; of a union only shared words are known."""
        for way in told.node.iterchildren(f"{{{XSD}}}restriction", f"{{{XSD}}}union", f"{{{XSD}}}list"):
            kind = etree.QName(way).localname
            if kind == "restriction":
                made = narrowed(self._below(way, told), way)
                return {**made, **told_beside(told.node, way)} if self.names else made
            if kind == "union":
                named = [self._named(way, one, told, (), 0) for one in (way.get("memberTypes") or "").split()]
                inner = way.iterchildren(f"{{{XSD}}}simpleType")
                return union_of([*named, *(self._simple(_Told(one, told.file, told.space)) for one in inner)])
        return {"type": "string"}

    def _below(self, way: etree._Element, told: _Told) -> Schema:
        if (base := way.get("base")) is not None:
            return self._named(way, base, told, (), 0)
        inner = next(way.iterchildren(f"{{{XSD}}}simpleType"), None)
        return {"type": "string"} if inner is None else self._simple(_Told(inner, told.file, told.space))

    def _complex(self, told: _Told, under: tuple[int, ...], depth: int) -> Schema:
        content = Content()
        if told.node.get("abstract") in ("true", "1"):
            content.open = True  # a record holds a type that is derived from it
        self._fill(told, content, under, depth)
        if told.node.get("mixed") in ("true", "1"):
            content.properties.setdefault(".", {"type": "string"})
        where = [told.file, told.node.sourceline or 0]
        if "." in content.properties:
            content.properties["."] = {**content.properties["."], "x-where": where}
        return content.schema(where)

    def _fill(self, told: _Told, content: Content, under: tuple[int, ...], depth: int) -> None:
        """Lay what a complex type holds, and first what its base holds, into `content`."""
        for inner in told.node.iterchildren(f"{{{XSD}}}simpleContent", f"{{{XSD}}}complexContent"):
            simple = etree.QName(inner).localname == "simpleContent"
            if inner.get("mixed") in ("true", "1"):
                content.properties["."] = {"type": "string"}
            for way in inner.iterchildren(f"{{{XSD}}}extension", f"{{{XSD}}}restriction"):
                self._derived(way, told, content, under, depth, simple=simple)
            return
        self._own(told.node, told, content, under, depth)

    def _derived(
        self, way: etree._Element, told: _Told, content: Content, under: tuple[int, ...], depth: int, *, simple: bool
    ) -> None:
        restricts = etree.QName(way).localname == "restriction"
        base = name_of(way, way.get("base") or "", told.space)
        below = self._told.get(("complexType", *base))
        if below is not None and id(below.node) not in under:
            held = Content()
            self._fill(below, held, (*under, id(below.node)), depth)
            # A restriction of elements says again all that it keeps; attributes and text it inherits.
            content.take(held, elements=simple or not restricts)
        elif below is None and simple:
            content.properties["."] = self._named(way, way.get("base") or "", told, (), 0)
        if simple:
            if "." in content.properties:
                content.properties["."] = narrowed(content.properties["."], way)
            if not takes_nothing(content.properties.get(".", {})):
                content.required.append(".")
        self._own(way, told, content, under, depth)

    def _own(self, node: etree._Element, told: _Told, content: Content, under: tuple[int, ...], depth: int) -> None:
        walk = Particles(
            content,
            lambda one: list(self._elements(one, told, under, depth)),
            lambda one: self._group(one, told),
        )
        for inner in node.iterchildren(f"{{{XSD}}}*"):
            if etree.QName(inner).localname in ("sequence", "choice", "all", "group"):
                walk.particle(inner)
        self._attributes(node, told, content)

    def _elements(
        self, node: etree._Element, told: _Told, under: tuple[int, ...], depth: int
    ) -> Iterator[tuple[str, Schema]]:
        """What may stand where an element is declared or named: itself, or the members of its substitution group."""
        reference = node.get("ref")
        if reference is None:
            yield node.get("name") or "", self._declared(_Told(node, told.file, told.space), under, depth)
            return
        name = name_of(node, reference, told.space)
        head = self._find("element", name)
        if head.node.get("abstract") not in ("true", "1"):
            yield name[1], self._declared(head, under, depth)
        for member in self._heads.get(name, ()):
            yield member[1], self._declared(self._find("element", member), under, depth)

    def _group(self, node: etree._Element, told: _Told) -> etree._Element:
        return self._find("group", name_of(node, node.get("ref") or "", told.space)).node

    def _attributes(self, node: etree._Element, told: _Told, content: Content) -> None:
        for inner in node.iterchildren(f"{{{XSD}}}attribute", f"{{{XSD}}}attributeGroup", f"{{{XSD}}}anyAttribute"):
            kind, reference = etree.QName(inner).localname, inner.get("ref")
            if kind == "anyAttribute":
                content.open = True
            elif kind == "attributeGroup":
                if reference is not None:
                    group = self._find("attributeGroup", name_of(inner, reference, told.space))
                    self._attributes(group.node, group, content)
            elif inner.get("use") == "prohibited":
                content.drop("@" + (inner.get("name") or ""))
            else:
                self._attribute(inner, told, content)

    def _attribute(self, node: etree._Element, told: _Told, content: Content) -> None:
        declared = told
        if (reference := node.get("ref")) is not None:
            name = name_of(node, reference, told.space)
            if ("attribute", *name) not in self._told:
                content.properties["@" + name[1]] = {"type": "string"}  # xml:lang and its like
                return
            declared = self._told["attribute", *name]
        source = node if reference is None else declared.node
        inner = next(source.iterchildren(f"{{{XSD}}}simpleType"), None)
        made = {"type": "string"}
        if inner is not None:
            made = self._simple(_Told(inner, declared.file, declared.space))
        elif named := source.get("type"):
            made = self._named(source, named, declared, (), 0)
        if (fixed := source.get("fixed")) is not None:
            made = {**made, "const": fixed}
        key = "@" + (source.get("name") or "")
        content.properties[key] = {**made, "x-where": [declared.file, source.sourceline or 0]}
        if node.get("use") == "required":
            content.required.append(key)


def _type_name(told: _Told) -> str:
    """The name of a type, or of the element that has it for its own."""
    above = told.node.getparent()
    return f"{{{told.space}}}{told.node.get('name') or (above.get('name') if above is not None else '') or ''}"


def name_of(node: etree._Element, text: str, space: str) -> Name:
    """A qualified name, as written at a node. One without prefix and default namespace belongs to an including file."""
    prefix, colon, local = text.partition(":")
    if not colon:
        return node.nsmap.get(None) or space, text
    found = node.nsmap.get(prefix)
    if found is None:
        raise Misconfigured(f"the prefix of {text} in line {node.sourceline} of the interface stands for nothing")
    return found, local
