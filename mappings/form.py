"""The published JSON Schema of what a web form may send: the referral's own fields, those that a form can know.

Made from the declarations, as `mappings.schema` is, and stricter: it is closed, so that a slip in a name is told and
not lost; coded fields take our codes and nothing else; texts keep to their length. `python -m mappings.form FILE`
writes it.
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
#: What a form may say, each with everything below it.
FIELDS = (
    "type",
    "status",
    "channel",
    "restricted_record",
    "priority",
    "received_at",
    "reason.text",
    "needs",
    "person.name",
    "person.date_of_birth",
    "person.gender",
    "person.nhs_number",
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
    "notify.opt_in[].channel",
    "notify.opt_in[].opted_in",
    "notify.opt_in[].at",
    "referrer.kind",
    "referrer.name",
    "referrer.organisation",
    "referrer.relationship",
    "referrer.wants_updates",
    "referrer.person_agrees",
    "referrer.language",
    "referrer.telecom[].system",
    "referrer.telecom[].use",
    "referrer.telecom[].value",
    "safeguarding_flag",
)
REQUIRED = {
    "": ("type", "priority", "received_at", "person", "language", "safeguarding_flag"),
    "person": ("name",),
    "person.name": ("family",),
    "person.telecom[]": ("system", "value"),
    "referrer.telecom[]": ("system", "value"),
    "notify.opt_in[]": ("channel", "opted_in"),
    "language": ("correspondence",),
    "needs[]": ("code",),
}
#: Of several codes, those that a form's record is read by.
_ONLY = {
    "status": ("received",),
    "person.telecom[].system": ("phone", "email"),
    "person.telecom[].use": ("home", "mobile"),
    "referrer.telecom[].system": ("phone",),
    "referrer.telecom[].use": ("mobile",),
    "notify.opt_in[].channel": ("text",),
}
_MOST_ITEMS = 20
_LENGTH = 254  # of a text that has no limit of its own
_FORMS = {
    Kind.INSTANT: r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})$",
    Kind.PARTIAL_DATE: r"^\d{4}-\d{2}-\d{2}$",  # a form knows the whole day, or leaves it out
}
_CHECKED = {
    "person.nhs_number": r"^\d{3} ?\d{3} ?\d{4}$",
    "person.address.uprn": r"^\d{1,12}$",
    "language.spoken": r"^[a-z]{2,3}$",
}


def form_schema() -> dict[str, Any]:
    """The schema (draft 2020-12), with the same order of keys each time."""
    whole = referral_schema()
    return {
        "$schema": whole["$schema"],
        "$id": f"urn:dolen:web-form:{VERSION}",
        "title": "Request by a web form",
        "description": "What a form sends about one request for help: the fields of a referral that a form can know.",
        "x-version": VERSION,
        "x-referral-version": whole["x-version"],
    } | _object(whole, "")


def _object(schema: dict[str, Any], path: str) -> dict[str, Any]:
    prefix = f"{path}." if path else ""
    wanted = {
        name: _property(inner, f"{prefix}{name}")
        for name, inner in schema["properties"].items()
        if _is_wanted(f"{prefix}{name}")
    }
    required = [name for name in wanted if name in REQUIRED.get(path, ())]
    return {"type": "object", "properties": wanted, "additionalProperties": False} | (
        {"required": required} if required else {}
    )


def _is_wanted(path: str) -> bool:
    return any(
        field == path or field.startswith((f"{path}.", f"{path}[].")) or path.startswith((f"{field}.", f"{field}[]."))
        for field in FIELDS
    )


def _property(schema: dict[str, Any], path: str) -> dict[str, Any]:
    shown = {key: schema[key] for key in ("title", "description", "x-label", "x-codes") if key in schema}
    if schema.get("type") == "array":
        inner = schema["items"]
        items = _object(inner, f"{path}[]") if "properties" in inner else _leaf(inner, path)
        return shown | {"type": "array", "items": items, "maxItems": _MOST_ITEMS}
    return shown | (_object(schema, path) if "properties" in schema else _leaf(schema, path))


def _leaf(schema: dict[str, Any], path: str) -> dict[str, Any]:
    told = schema["type"]
    kind = next((one for one in told if one != "null"), "string") if isinstance(told, list) else told
    if kind != "string":
        return {"type": kind}
    meta = declared()[path].meta
    if meta.codes is not None:
        return {
            "type": "string",
            "enum": [code.value for code in meta.codes if path not in _ONLY or code.value in _ONLY[path]],
        }
    pattern = _CHECKED.get(path) or _FORMS.get(meta.kind)
    if pattern:
        stamp = {Kind.INSTANT: {"format": "date-time"}, Kind.PARTIAL_DATE: {"format": "date"}}.get(meta.kind, {})
        return {"type": "string", **stamp, "pattern": pattern}
    return {"type": "string", "minLength": 1, "maxLength": meta.most or _LENGTH}


def form_bytes() -> bytes:
    """The schema as it is shipped."""
    return orjson.dumps(form_schema(), option=orjson.OPT_INDENT_2) + b"\n"


def main(arguments: list[str]) -> int:
    """Write the schema to the file that is named. Exit codes: 0 done, 2 wrong use."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m mappings.form FILE\n")
        return 2
    Path(arguments[0]).write_bytes(form_bytes())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
