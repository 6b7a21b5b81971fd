"""Holds resources against the definitions of FHIR R4, the way a strict server does: nothing unknown, one of a choice.

The definitions are the snapshot in `interfaces/fhir-r4.json`. The answer names the element and what FHIR expects there,
and never the value, because values are people.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator

SNAPSHOT = "fhir-r4.json"


class Misshapen(ValueError):
    """A resource does not fit. `element` is an expression of FHIR's: `Task.status`."""

    def __init__(self, element: str, message: str) -> None:
        super().__init__(message)
        self.element = element


@cache
def definitions() -> dict[str, Any]:
    """The snapshot's definitions by name."""
    told: dict[str, Any] = json.loads((files("sandbox") / "interfaces" / SNAPSHOT).read_bytes())["$defs"]
    return told


@cache
def _validator(type: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/$defs/{type}", "$defs": definitions()})


def check(type: str, resource: Any) -> None:
    """Raise Misshapen unless `resource` is a whole resource of that type."""
    if type not in definitions():
        raise Misshapen("", f"{type} is not a resource of this server")
    for error in sorted(_validator(type).iter_errors(resource), key=lambda one: list(map(str, one.absolute_path))):
        element = ".".join([type, *(str(step) for step in error.absolute_path if not isinstance(step, int))])
        raise Misshapen(element, f"{element} does not fit FHIR R4: {error.validator}")
    for element, words in _odd(definitions()[type], resource, type):
        raise Misshapen(element, f"{element} {words}")


def _odd(schema: Mapping[str, Any], value: Any, place: str) -> Iterator[tuple[str, str]]:
    """What JSON Schema lets pass and FHIR does not: unknown elements, two of one choice, empty objects and lists."""
    while "$ref" in schema:
        schema = definitions()[str(schema["$ref"]).rpartition("/")[2]]
    if isinstance(value, list):
        if not value:
            yield place, "is an empty list; FHIR leaves out what is empty"
        for one in value:
            yield from _odd(schema.get("items", {}), one, place)
    elif isinstance(value, dict):
        if not value:
            yield place, "is an empty object; FHIR leaves out what is empty"
        known = schema.get("properties")
        if known is None:
            return
        for name, inner in value.items():
            if name.startswith("_") and name[1:] in known:
                continue
            if name not in known:
                yield f"{place}.{name}", "is no element of FHIR R4 here"
            else:
                yield from _odd(known[name], inner, f"{place}.{name}")
        for choice in schema.get("x-choices", ()):
            members = [one for group in choice["of"] for one in group if one in value]
            if len(members) > 1:
                yield place, f"holds {' and '.join(members)}, of which FHIR allows one"
    elif value is None or value == "":
        yield place, "is empty; FHIR leaves out what is empty"
