"""What may stand in an element: sequences, choices and repetitions of XML Schema, told in the neutral form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from connectors.soap.pinned import XSD

Schema = dict[str, Any]
Elements = Callable[[etree._Element], list[tuple[str, Schema]]]
Group = Callable[[etree._Element], etree._Element]


@dataclass(slots=True)
class Content:
    """The keys of one object while they are collected."""

    properties: dict[str, Schema] = field(default_factory=dict)
    required: list[str] = field(default_factory=list)
    choices: list[Schema] = field(default_factory=list)
    open: bool = False

    def take(self, other: Content, *, elements: bool) -> None:
        """Take over what a base holds; without its elements where a restriction says them anew."""
        kept = {key: value for key, value in other.properties.items() if elements or key[:1] in ("@", ".")}
        self.properties |= kept
        self.required += [key for key in other.required if key in kept and key not in self.required]
        self.choices += other.choices if elements else []
        self.open = self.open or (other.open and elements)

    def drop(self, key: str) -> None:
        """Take a key out."""
        self.properties.pop(key, None)
        self.required = [one for one in self.required if one != key]

    def schema(self, where: list[Any]) -> Schema:
        """The object, with its keys in the order in which they are written."""
        made: Schema = {"type": "object", "properties": self.properties}
        if self.required:
            made["required"] = list(dict.fromkeys(self.required))
        if self.open:
            made["additionalProperties"] = True
        if order := [key for key in self.properties if key[:1] not in ("@", ".")]:
            made["x-order"] = order
        if self.choices:
            made["x-choices"] = self.choices
        return {**made, "x-where": where}


@dataclass(slots=True)
class Particles:
    """Walks the particles of a type into its content. `elements` tells what may stand where an element is named."""

    content: Content
    elements: Elements
    group: Group

    def particle(self, node: etree._Element, *, optional: bool = False, many: bool = False) -> list[str]:
        """Walk one particle; the names that it brings. `optional`, `many`: what the particles around it say."""
        kind = etree.QName(node).localname
        optional = optional or node.get("minOccurs") == "0"
        many = many or node.get("maxOccurs", "1") not in ("0", "1")
        if node.get("maxOccurs") == "0":
            return []
        if kind == "any":
            self.content.open = True
            return []
        if kind == "element":
            return self._element(node, optional=optional, many=many)
        if kind == "group" and node.get("ref") is not None:
            node = self.group(node)
        if kind == "choice":
            return self._choice(node, optional=optional, many=many)
        return [name for inner in _inner(node) for name in self.particle(inner, optional=optional, many=many)]

    def _element(self, node: etree._Element, *, optional: bool, many: bool) -> list[str]:
        found = self.elements(node)
        if len(found) > 1 and not many:
            self.content.choices.append({"min": 0 if optional else 1, "of": [[name] for name, _ in found]})
        for name, schema in found:
            self._add(name, _repeated(node, schema, many=many))
        if len(found) == 1 and not optional:
            self.content.required.append(found[0][0])
        return [name for name, _ in found]

    def _add(self, name: str, schema: Schema) -> None:
        known = self.content.properties.get(name)
        if known is not None and "x-one-or-many" not in known:
            known = {"type": "array", "items": known, "x-one-or-many": True}  # it stands at two places of a sequence
        self.content.properties[name] = schema if known is None else known

    def _choice(self, node: etree._Element, *, optional: bool, many: bool) -> list[str]:
        """Of a choice at most one branch is there; where the choice may repeat, all of them may be."""
        branches: list[list[str]] = []
        seen: set[str] = set()
        for inner in _inner(node):
            branch = Content()
            names = Particles(branch, self.elements, self.group).particle(inner, optional=True, many=many)
            self.content.open = self.content.open or branch.open
            for name, schema in branch.properties.items():
                if name not in seen:  # the same name in two branches is one element and not two
                    self._add(name, schema)
            seen |= branch.properties.keys()
            if etree.QName(inner).localname == "choice" and branch.choices:
                branches += branch.choices.pop()["of"]  # a choice in a choice is one choice
            elif names:
                branches.append(list(dict.fromkeys(names)))
            self.content.choices += branch.choices
            optional = optional or inner.get("minOccurs") == "0"
        if len(branches) == 1 and len(branches[0]) == 1 and not optional and not many:
            self.content.required.append(branches[0][0])
        elif branches and not many:
            self.content.choices.append({"min": 0 if optional else 1, "of": branches})
        return [name for branch in branches for name in branch]


def _inner(node: etree._Element) -> list[etree._Element]:
    kinds = ("element", "sequence", "choice", "all", "group", "any")
    return [one for one in node.iterchildren(f"{{{XSD}}}*") if etree.QName(one).localname in kinds]


def _repeated(node: etree._Element, schema: Schema, *, many: bool) -> Schema:
    if not many:
        return schema
    most, least = node.get("maxOccurs", "1"), node.get("minOccurs", "1")
    made: Schema = {"type": "array", "items": schema, "x-one-or-many": True}
    if most.isdigit() and int(most) > 1:
        made["maxItems"] = int(most)
    if least.isdigit() and int(least) > 1:
        made["minItems"] = int(least)
    return {**made, "x-where": schema["x-where"]} if "x-where" in schema else made
