"""The published JSON Schema of the referral, made from the fields' declarations alone.

It requires what `Referral` refuses to be without and nothing more, because whatever else looks wrong is carried. What
a producer should keep to beside that stands in `x-` keys: `x-codes` (closed list with displays), `x-check`,
`x-max-length`, `x-cardinality`, `x-sensitivity`, `x-standard`, `x-label`.
"""

from __future__ import annotations

from typing import Any

from mappings.declaration import Field, declared
from mappings.meta import WELSH_CHECKED, Coded, Kind
from mappings.referral import SCHEMA_VERSION, Referral
from mappings.remarks import RemarkCode

_FORMATS = {Kind.INTEGER: {"type": "integer"}, Kind.BOOLEAN: {"type": "boolean"}}
_DEFINITE = ("type", "status")  # the two code lists that refuse; all others are soft


def referral_schema() -> dict[str, Any]:
    """The schema (draft 2020-12), with the same order of keys each time."""
    top = [field for field in declared().values() if "." not in field.path]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:dolen:referral:{SCHEMA_VERSION}",
        "title": "Referral",
        "description": "One request for help about one person, whatever system it was written down in. "
        "A reader ignores fields that it does not know.",
        "x-version": SCHEMA_VERSION,
        "x-welsh-checked": WELSH_CHECKED,
        "type": "object",
        "properties": {field.path: _property(field) for field in top} | {"remarks": _remarks()},
        "required": [field.path for field in top if Referral.model_fields[field.attribute].is_required()],
    }


def _property(field: Field) -> dict[str, Any]:
    meta = field.meta
    shown: dict[str, Any] = {"title": meta.en, "description": meta.about} | _value(field)
    shown["x-label"] = {"cy": meta.cy, "en": meta.en}
    shown["x-sensitivity"] = field.strictest.value
    shown["x-cardinality"] = meta.card
    shown["x-standard"] = meta.standard
    shown["x-kind"] = meta.kind.value
    if meta.check:
        shown["x-check"] = meta.check
    if meta.most:
        shown["x-max-length"] = meta.most
    if meta.codes is not None:
        shown["x-codes"] = _codes(meta.codes)
    return shown


def _value(field: Field) -> dict[str, Any]:
    """What JSON Schema itself says of the value. A field that may be absent may also be null."""
    if field.path == "extensions":
        return {"type": "object", "additionalProperties": {"type": "object"}}
    inner: dict[str, Any] = dict(_FORMATS.get(field.meta.kind, {"type": "string"}))
    if field.part is not None:
        inner = _object(field)
    if field.many:
        least = {"minItems": 1} if field.path == "source_identifiers" else {}
        return {"type": "array", "items": inner} | least
    if field.path == "schema_version":
        return inner | {"pattern": r"^1\.[0-9]+\.[0-9]+$"}
    if field.path in _DEFINITE and field.meta.codes is not None:
        return inner | {"enum": [code.value for code in field.meta.codes]}
    if _must_be(field):
        return inner | ({"minLength": 1} if field.path in ("referral_id", "council") else {})
    return inner | {"type": [inner["type"], "null"]}


def _must_be(field: Field) -> bool:
    """Whether null is refused: required fields, and those that have a value for not known."""
    outer, _, name = field.path.rpartition(".")
    part = Referral if not outer else declared()[outer.removesuffix("[]")].part
    assert part is not None  # a member's path begins with its object's
    info = part.model_fields[field.attribute]
    return info.is_required() or info.default is not None or not name


def _object(field: Field) -> dict[str, Any]:
    prefix = f"{field.path}[]." if field.many else f"{field.path}."
    inside = [declared()[prefix + name] for name in field.members]
    assert field.part is not None  # only objects come here
    shown: dict[str, Any] = {
        "type": "object",
        "properties": {member.path.removeprefix(prefix): _property(member) for member in inside},
    }
    required = [
        member.path.removeprefix(prefix) for member in inside if field.part.model_fields[member.attribute].is_required()
    ]
    if field.path == "person":
        required.append("name")
    if field.path == "person.name":
        # No name at all breaks identity; which of the three is known may differ.
        shown["anyOf"] = [
            {"required": ["family"], "properties": {"family": {"type": "string", "minLength": 1}}},
            {"required": ["given"], "properties": {"given": {"minItems": 1}}},
            {"required": ["preferred"], "properties": {"preferred": {"type": "string", "minLength": 1}}},
        ]
    return shown | ({"required": required} if required else {})


def _codes(codes: type[Coded]) -> list[dict[str, str]]:
    return [{"code": code.value, "cy": code.cy, "en": code.en} for code in codes]


def _remarks() -> dict[str, Any]:
    return {
        "title": "Remarks",
        "description": "What looks wrong and was carried as given. Made by the reader; ignored where it is sent.",
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"path": {"type": "string"}, "code": {"type": "string"}},
            "required": ["path", "code"],
        },
        "x-sensitivity": "none",
        "x-codes": _codes(RemarkCode),
    }
