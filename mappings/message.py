"""The published JSON Schema of a referral as a message between two systems that have agreed on no format of their own.

Made from the declarations, as `mappings.schema` is, with the number by which both sides know the referral (`id`). It is
open: a reader ignores what it does not know, and only what decides who, what and how soon is refused by the schema.
`python -m mappings.message FILE` writes it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import orjson

from mappings.declaration import declared
from mappings.meta import Kind
from mappings.schema import referral_schema

VERSION = "1.0.0"
#: What a message may say, each with everything below it.
FIELDS = (
    "type",
    "status",
    "status_reason.text",
    "status_changed_at",
    "citizen_reference",
    "priority",
    "received_at",
    "channel",
    "reason.text",
    "needs",
    "safeguarding_flag",
    "restricted_record",
    "outcome",
    "outcome_reason",
    "decision.decision",
    "decision.reason",
    "decision.at",
    "assigned_to.organisation",
    "assigned_to.team",
    "appointments[].kind",
    "appointments[].start",
    "person.nhs_number",
    "person.name",
    "person.date_of_birth",
    "person.gender",
    "person.address.uprn",
    "person.address.lines",
    "person.address.town",
    "person.address.postcode",
    "person.telecom[].system",
    "person.telecom[].use",
    "person.telecom[].value",
    "person.telecom[].safe_to_text",
    "language.correspondence",
    "language.spoken",
    "language.interpreter_required",
    "referrer.kind",
    "referrer.name",
    "referrer.organisation",
    "referrer.role",
    "referrer.relationship",
    "referrer.telecom[].system",
    "referrer.telecom[].use",
    "referrer.telecom[].value",
    "referrer.wants_updates",
    "referrer.person_agrees",
)
#: What every message says. By the place of the object ("" for the whole), as in `mappings.form`.
REQUIRED = {
    "": ("id", "type", "status", "priority", "received_at", "person", "safeguarding_flag", "restricted_record"),
    "person": ("name",),
    "person.name": ("family",),
    "person.telecom[]": ("system", "value"),
    "referrer.telecom[]": ("system", "use", "value"),
    "appointments[]": ("kind", "start"),
}
#: By what items of a list are told apart, and the ones that a message carries. An unknown code of any other field
#: leaves out that field alone; these would leave out a telephone unseen, so the schema refuses them.
PICKED = {
    "appointments[].kind": ("visit",),
    "person.telecom[].system": ("phone", "email"),
    "person.telecom[].use": ("home", "mobile"),
    "referrer.telecom[].system": ("phone",),
    "referrer.telecom[].use": ("mobile",),
}
_KEPT = ("title", "description", "x-label", "x-codes", "type", "format", "pattern", "enum", "minLength", "minItems")
_FORMATS = {Kind.INSTANT: "date-time", Kind.PARTIAL_DATE: "date"}
_ID = {
    "title": "Number",
    "description": "The number by which both sides know the referral: that of the side that sent it first.",
    "type": "string",
    "minLength": 1,
    "maxLength": 64,
}


def message_schema() -> dict[str, Any]:
    """The schema (draft 2020-12), with the same order of keys each time."""
    whole = referral_schema()
    body = _object(whole, "")
    return {
        "$schema": whole["$schema"],
        "$id": f"urn:dolen:referral-message:{VERSION}",
        "title": "Referral as a message",
        "description": "One request for help as one system tells another of it, whole, each time that it changed.",
        "x-version": VERSION,
        "x-referral-version": whole["x-version"],
        "type": "object",
        "properties": {"id": _ID, "format": {"type": "string"}} | body["properties"],
        "required": list(REQUIRED[""]),
    }


def _object(schema: dict[str, Any], path: str) -> dict[str, Any]:
    prefix = f"{path}." if path else ""
    wanted = {
        name: _property(inner, f"{prefix}{name}")
        for name, inner in schema["properties"].items()
        if _is_wanted(f"{prefix}{name}")
    }
    required = list(REQUIRED.get(path, ()))
    return _said(schema, path) | {"properties": wanted} | ({"required": required} if required else {})


def _is_wanted(path: str) -> bool:
    return any(
        field == path or field.startswith((f"{path}.", f"{path}[].")) or path.startswith((f"{field}.", f"{field}[]."))
        for field in FIELDS
    )


def _property(schema: dict[str, Any], path: str) -> dict[str, Any]:
    if "properties" in schema:
        return _object(schema, path)
    shown = _said(schema, path)
    meta = declared()[path].meta if path in declared() else None
    if meta is not None and meta.kind in _FORMATS:
        shown["format"] = _FORMATS[meta.kind]  # said, and not refused by: what is none is told by whoever reads it
    if path in PICKED:
        shown |= {"type": "string", "enum": list(PICKED[path])}
    if "items" in schema:
        shown["items"] = _property(schema["items"], f"{path}[]")
    return shown


def _said(schema: dict[str, Any], path: str) -> dict[str, Any]:
    """What is said of a value beside what is in it. What must be there is not null either."""
    shown = {key: schema[key] for key in _KEPT if key in schema}
    above, _, name = path.rpartition(".")
    if name in REQUIRED.get(above, ()) and isinstance(shown.get("type"), list):
        (shown["type"],) = [one for one in shown["type"] if one != "null"]
        shown |= {"minLength": 1} if shown["type"] == "string" else {}
    return shown


def message_bytes() -> bytes:
    """The schema as it is shipped."""
    return orjson.dumps(message_schema(), option=orjson.OPT_INDENT_2) + b"\n"


def main(arguments: list[str]) -> int:
    """Write the schema to the file that is named. Exit codes: 0 done, 2 wrong use."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m mappings.message FILE\n")
        return 2
    Path(arguments[0]).write_bytes(message_bytes())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
