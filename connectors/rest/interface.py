"""The pinned OpenAPI file: what a record of the system looks like, compiled once into validators.

A record read is checked for structure and type only. Codes, lengths and patterns are left to the mapping, which stops a
record for them or leaves the one field out; a supplier's new property is no fault either. References must stay inside
the file, as nothing is ever fetched.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError, ValidationError

from connectors import yaml_body
from connectors.errors import Misconfigured
from connectors.rest.fits import Asked, quick

Schema = dict[str, Any]

_MOST_NODES = 5_000_000  # keys, items and values; a file of the largest size has fewer
_LARGEST = 10_000_000  # bytes; the largest public OpenAPI files are near 5 MB
_JUDGED_BY_THE_MAPPING = frozenset(
    {"pattern", "maxLength", "minLength", "maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum", "maxItems",
     "minItems", "uniqueItems", "multipleOf", "unevaluatedProperties", "minProperties", "maxProperties"}
)  # fmt: skip
_ANNOTATIONS = frozenset(
    {"description", "title", "example", "examples", "default", "readOnly", "writeOnly", "deprecated", "nullable",
     "discriminator", "xml", "externalDocs"}
)  # fmt: skip
_TYPES: Mapping[type, str] = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
_SCHEMA_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_SCHEMA_ONES = ("items", "not", "additionalProperties", "contains", "if", "then", "else")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_STAMP = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d([.]\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_LONGEST_CHAIN = 20  # references to references
_MOST_NODES = 200_000  # a component of more is a bomb of references and not a record

_formats = FormatChecker(formats=())
_finding = threading.Lock()


@_formats.checks("date")
def _is_date(value: object) -> bool:
    return not isinstance(value, str) or (_DAY.fullmatch(value) is not None and _parses(date.fromisoformat, value))


@_formats.checks("date-time")
def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or (
        _STAMP.fullmatch(value) is not None and _parses(datetime.fromisoformat, value.upper())
    )


def _parses(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


class Interface:
    """The components of one pinned OpenAPI 3.0 or 3.1 file."""

    def __init__(self, body: bytes, name: str) -> None:
        """Read the file. Raises Misconfigured, naming it, if it is not an OpenAPI 3 file."""
        self.name = name
        self._document = _document(body, name)
        self._whole = not str(self._document["openapi"]).startswith("3.0")
        self._validators: dict[str, Draft202012Validator] = {}
        self._quick: dict[str, Asked | None] = {}
        self._nodes = 0
        self._preparing = threading.RLock()  # connections of one product share this and begin together
        self._known: frozenset[str] = frozenset(_property_names(self._document))

    def parameters(self, path: str, method: str) -> list[dict[str, Any]]:
        """The parameters of a request, those that all requests of its path share among them."""
        shared = self.resolved(self.resolved(self._document.get("paths")).get(path)).get("parameters")
        own = self.operation(path, method).get("parameters")
        return [self.resolved(one) for many in (shared, own) if isinstance(many, list) for one in many]

    def paths(self) -> frozenset[str]:
        """The paths that the file describes."""
        found = self._document.get("paths")
        return frozenset(map(str, found)) if isinstance(found, dict) else frozenset()

    def component(self, name: str) -> Schema:
        """Return a component as one JSON Schema (2020-12) without references, for checking mappings against.

        Raises Misconfigured for a name, a reference or a recursion that cannot be resolved inside the file.
        """
        raw = self.raw_component(name)
        self._nodes = 0
        inlined: Schema = self._inline(raw, ())
        return inlined

    def raw_component(self, name: str) -> Any:
        """A component as it is written, with its references. Raises Misconfigured for a name that is not there."""
        schemas = self.resolved(self.resolved(self._document.get("components")).get("schemas"))
        if name not in schemas:
            known = ", ".join(sorted(map(str, schemas))) or "none"
            raise Misconfigured(f"component: {self.name} has no schema {name}; write one of: {known}")
        return schemas[name]

    def follow(self, reference: str) -> Any:
        """What a reference names. Raises Misconfigured for one that leaves the file or names nothing."""
        return self._follow(reference)

    def resolved(self, node: Any) -> dict[str, Any]:
        """A part of the file, its own reference followed; empty if there is none."""
        for _ in range(_LONGEST_CHAIN):
            if not isinstance(node, dict) or not isinstance(node.get("$ref"), str):
                break
            node = self._follow(node["$ref"])
        return node if isinstance(node, dict) else {}

    def operation(self, path: str, method: str) -> dict[str, Any]:
        """What the file says of a request; empty if it describes none."""
        return self.resolved(self.resolved(self.resolved(self._document.get("paths")).get(path)).get(method.lower()))

    def prepare(self, name: str) -> None:
        """Compile the validator of a component now, so that a fault shows at start. Raises Misconfigured."""
        if name in self._validators:
            return
        with self._preparing:
            if name not in self._validators:
                self._compile(name)

    def _compile(self, name: str) -> None:
        reading = _for_reading(self.component(name))
        try:
            Draft202012Validator.check_schema(reading)
        except SchemaError as error:
            place = "/".join(str(step) for step in error.absolute_path)
            raise Misconfigured(f"{self.name}: schema {name} is not valid JSON Schema at {place}") from None
        self._quick[name] = quick(reading, {"date": _is_date, "date-time": _is_moment})
        self._validators[name] = Draft202012Validator(reading, format_checker=_formats)

    def fault(self, name: str, record: object) -> str:
        """Return what is wrong with a record in one sentence without any value of it; "" if it is as the file says."""
        self.prepare(name)
        fits = self._quick[name]
        if fits is not None and fits(record):
            return ""
        error = next(self._validators[name].iter_errors(record), None)
        if error is None:
            return ""
        return f"at {self._place(error)}: {_expectation(error)}"

    def names_field(self, path: str) -> bool:
        """Say whether a path given by the system consists of properties of this file, so that it can be shown."""
        steps = [step for step in re.split(r"[/.\[\]]+", path) if step]
        return bool(steps) and all(step in self._known or (step.isdigit() and len(step) < 4) for step in steps)

    def _place(self, error: ValidationError) -> str:
        # A key that the interface does not know may itself be a value.
        steps = [str(step) if isinstance(step, int) or step in self._known else "?" for step in error.absolute_path]
        return "/".join(steps) or "the top"

    def _inline(self, node: Any, under: tuple[str, ...]) -> Any:
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            raise Misconfigured(
                f"{self.name}: a schema grows beyond {_MOST_NODES} parts when its references are followed"
            )
        if isinstance(node, list):
            return [self._inline(item, under) for item in node]
        if not isinstance(node, dict):
            return node
        reference = node.get("$ref")
        if isinstance(reference, str):
            if reference in under:
                raise Misconfigured(f"{self.name}: {reference} refers to itself; a record cannot be that deep")
            beside = {key: value for key, value in node.items() if key != "$ref"} if self._whole else {}
            target = self._inline(self._follow(reference), (*under, reference))
            beside = {key: value for key, value in beside.items() if key not in _ANNOTATIONS}
            return {"allOf": [target, self._inline(beside, under)]} if beside else target
        read = {key: self._inline(value, under) for key, value in node.items()}
        return read if self._whole else _with_nil(read)

    def _follow(self, reference: str) -> Any:
        if not reference.startswith("#/"):
            raise Misconfigured(f"{self.name}: a reference leaves the file; bring all schemas into the one pinned file")
        node: Any = self._document
        for step in reference[2:].split("/"):
            key = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(node, dict) or key not in node:
                raise Misconfigured(f"{self.name}: {reference} refers to nothing")
            node = node[key]
        return node


class _Once:
    """One pinned file, read by the first of those that ask at once; the others wait for it and not for other files."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: Interface | None = None

    def made(self, body: bytes, name: str) -> Interface:
        with self._lock:
            if self._made is None:
                self._made = Interface(body, name)
            return self._made


@lru_cache(maxsize=16)
def _once(_body: bytes, _name: str) -> _Once:
    return _Once()


def open_interface(body: bytes, name: str) -> Interface:
    """Read a pinned file once for all connections that share it. Raises Misconfigured.

    All sources of a site are first read in the same moment, and a file takes its seconds: sixty connections of one
    product would read it sixty times beside each other, as a cache alone lets everybody in who finds it empty.
    """
    with _finding:
        once = _once(body, name)
    return once.made(body, name)


def _document(body: bytes, name: str) -> dict[str, Any]:
    if len(body) > _LARGEST:
        raise Misconfigured(f"interface: {name} is longer than {_LARGEST} bytes")
    try:
        read = yaml_body.read(body)
    except yaml_body.UnreadableYaml:
        raise Misconfigured(f"interface: {name} is neither YAML nor JSON that can be read") from None
    if not _countable(read):
        raise Misconfigured(f"interface: {name} repeats itself without end (YAML aliases): write it without them")
    if isinstance(read, dict) and "openapi" not in read and isinstance(read.get("$defs"), dict):
        return {**read, "openapi": "3.1.0", "components": {"schemas": read["$defs"]}}  # a JSON Schema says no more
    if not isinstance(read, dict) or not str(read.get("openapi", "")).startswith("3."):
        raise Misconfigured(
            f"interface: {name} is no OpenAPI 3 file, whose first key is openapi, and no JSON Schema with $defs"
        )
    return read


def _countable(document: Any) -> bool:
    """Whether a document is of a size that can be walked: aliases make a few lines into more than any memory holds."""
    waiting, seen = [document], 0
    while waiting:
        here = waiting.pop()
        seen += 1
        if seen > _MOST_NODES:
            return False
        if isinstance(here, dict):
            waiting += here.values()
        elif isinstance(here, list):
            waiting += here
    return True


def _property_names(node: Any) -> set[str]:
    names: set[str] = set()
    waiting = [node]
    while waiting:
        here = waiting.pop()
        if isinstance(here, dict):
            properties = here.get("properties")
            if isinstance(properties, dict):
                names.update(str(key) for key in properties)
            waiting += here.values()
        elif isinstance(here, list):
            waiting += here
    return names


def _with_nil(schema: Schema) -> Schema:
    """Say in today's words what OpenAPI 3.0 says with `nullable`."""
    if schema.get("nullable") is not True:
        return schema
    kept = {key: value for key, value in schema.items() if key != "nullable"}
    return {"anyOf": [kept, {"type": "null"}]}


def _for_reading(schema: Any) -> Any:
    """Leave only structure and type."""
    if not isinstance(schema, dict):
        return schema
    read: Schema = {}
    for key, value in schema.items():
        if key in _JUDGED_BY_THE_MAPPING or key in _ANNOTATIONS or key in ("enum", "const") or key.startswith("x-"):
            continue
        if key == "additionalProperties" and value is False:
            continue
        if key == "properties":
            read[key] = {name: _for_reading(inner) for name, inner in value.items()}
        elif key in _SCHEMA_LISTS and isinstance(value, list):
            read[key] = [_for_reading(inner) for inner in value]
        elif key in _SCHEMA_ONES:
            read[key] = _for_reading(value)
        else:
            read[key] = value
    codes = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if isinstance(codes, list) and "type" not in read:
        read["type"] = sorted({_TYPES.get(type(code), "object") for code in codes})
    if "oneOf" in read:  # two shapes that differed in their codes alone would now both fit
        read["anyOf"] = read.pop("oneOf") if "anyOf" not in read else read["anyOf"]
        read.pop("oneOf", None)
    return read


def _expectation(error: ValidationError) -> str:
    wanted: Any = error.validator_value
    if error.validator == "required":
        found: Any = error.instance
        return f"{next((name for name in wanted if name not in found), '?')} is missing"
    if error.validator in ("anyOf", "oneOf"):
        shapes = [_shape(shape) for shape in wanted]
        return f"expected {' or '.join(dict.fromkeys(shapes))}"
    return f"expected {_shape({str(error.validator): wanted})}"


def _shape(schema: Any) -> str:
    if not isinstance(schema, dict):
        return "another shape"
    if "format" in schema:
        return {"date": "a date", "date-time": "a moment with offset"}.get(schema["format"], f"a {schema['format']}")
    kind = schema.get("type")
    if isinstance(kind, list):
        return " or ".join(str(one) for one in kind)
    return str(kind) if kind else "another shape"
