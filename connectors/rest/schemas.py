"""The schemas of an OpenAPI file or a JSON Schema in the neutral form, with the name of each component beside it.

References inside the file are followed, `allOf` is put together, `nullable` and a shape beside null become a type with
null. `x-type` names the component, so that the same record is known in several operations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.errors import Misconfigured

Schema = dict[str, Any]

_MOST_NODES = 100_000  # a schema of more is a bomb of references and not a record
_KEPT = ("type", "enum", "const", "minLength", "maxLength", "pattern", "format", "minimum", "maximum", "minItems",
         "maxItems", "description", "readOnly")  # fmt: skip


class Neutral:
    """Turns the schemas of one document into the neutral form."""

    def __init__(self, document: Mapping[str, Any], name: str) -> None:
        self._document = document
        self._name = name
        self._nodes = 0

    def follow(self, node: Any) -> Any:
        """What a node refers to, or the node itself. Raises Misconfigured for a reference out of the file."""
        for _ in range(50):
            reference = node.get("$ref") if isinstance(node, Mapping) else None
            if not isinstance(reference, str):
                return node
            if not reference.startswith("#"):
                raise Misconfigured(f"{self._name}: a reference leaves the file; bring all schemas into the one file")
            found: Any = self._document
            for step in reference.lstrip("#/").split("/") if reference.lstrip("#/") else ():
                key = step.replace("~1", "/").replace("~0", "~")
                if not isinstance(found, Mapping) or key not in found:
                    raise Misconfigured(f"{self._name}: {reference} refers to nothing")
                found = found[key]
            node = found
        raise Misconfigured(f"{self._name}: references go round in a circle")

    def of(self, node: Any, under: tuple[str, ...] = ()) -> Schema:
        """A schema in the neutral form. What refers to itself ends in an object of which nothing is said."""
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            raise Misconfigured(f"{self._name}: a schema grows beyond {_MOST_NODES} parts")
        if not isinstance(node, Mapping):
            return {}
        reference = node.get("$ref")
        if isinstance(reference, str):
            if reference in under:
                return {"type": "object", "properties": {}, "additionalProperties": True}
            made = self.of(self.follow({"$ref": reference}), (*under, reference))
            beside = {key: node[key] for key in ("description", "readOnly") if key in node}
            return {**made, **beside, "x-type": reference.rsplit("/", 1)[-1]}
        made = {key: node[key] for key in _KEPT if key in node}
        for part in node.get("allOf", ()):
            made = _merged(made, self.of(part, under))
        shapes = [self.of(shape, under) for key in ("oneOf", "anyOf") for shape in node.get(key, ())]
        told = [shape for shape in shapes if shape.get("type") != "null" and shape.get("const", "") is not None]
        if len(told) == 1:
            made = _merged(made, told[0])
            made["x-type"] = told[0].get("x-type", made.get("x-type"))
        elif told:
            made["anyOf"] = told
        if len(told) < len(shapes) or node.get("nullable") is True:
            made["type"] = [*_names(made), "null"]
        if isinstance(node.get("properties"), Mapping):
            inner = {str(name): self.of(value, under) for name, value in node["properties"].items()}
            made = _merged(made, {"type": "object", "properties": inner, "required": list(node.get("required", ()))})
        elif isinstance(node.get("required"), list):
            made["required"] = [*made.get("required", ()), *node["required"]]
        if isinstance(node.get("items"), Mapping):
            made = {"type": "array", **made, "items": self.of(node["items"], under)}
        if made.get("enum"):
            empties = None in made["enum"]
            made["enum"] = [code for code in made["enum"] if code is not None]
            made["type"] = [*_names(made), "null"] if empties else made.get("type", "string")
        return {key: value for key, value in made.items() if value is not None}


def _names(schema: Mapping[str, Any]) -> list[str]:
    told = schema.get("type", "object" if "properties" in schema else "string")
    return [told] if isinstance(told, str) else [name for name in told if name != "null"]


def _merged(one: Schema, other: Schema) -> Schema:
    """Both at once, as `allOf` says it."""
    made = {**one, **{key: value for key, value in other.items() if key != "x-type"}}
    if "properties" in one and "properties" in other:
        made["properties"] = {**one["properties"], **other["properties"]}
    if "required" in one or "required" in other:
        made["required"] = list(dict.fromkeys([*one.get("required", ()), *other.get("required", ())]))
    return made
