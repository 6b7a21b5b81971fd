"""What BaRS messages look like: their resources side by side, and what a message says of itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectors.bars.answers import STATUSES
from connectors.bars.profile import BarsProfile, BarsRecord
from connectors.flat import Flattener
from connectors.neutral import interface
from connectors.rest.interface import Interface, open_interface

Schema = dict[str, Any]
_TEXT: Schema = {"type": "string"}
_MESSAGE: Schema = {"type": "object", "properties": dict.fromkeys(("id", "event", "reason", "answers", "focus"), _TEXT)}
_ANSWER: Schema = {"type": "object", "properties": {
    "status": {"type": "string", "enum": list(STATUSES)}, "reason": _TEXT, "reason_code": _TEXT}}  # fmt: skip
_RESPONSE: Schema = {"type": "object", "properties": {"identifier": _TEXT, "code": {"enum": [
    "ok", "transient-error", "fatal-error"], "type": "string"}}}  # fmt: skip
_HEADER: Schema = {"type": "object", "properties": {"response": _RESPONSE}}


def fits(profile: BarsProfile, interfaces: Callable[[str], bytes]) -> None:
    """Compile what each resource is judged by. Raises Misconfigured for one that the pinned file does not have."""
    opened = open_interface(interfaces(profile.interface), profile.interface)
    for record in profile.records.values():
        for type in (*record.types, "Organization"):
            opened.prepare(type)


def interfaces_of(profile: BarsProfile, interfaces: Callable[[str], bytes]) -> list[dict[str, Any]]:
    """One interface for each kind of message. Raises Misconfigured for a resource that the file does not have."""
    opened = open_interface(interfaces(profile.interface), profile.interface)
    return [
        interface(
            profile.system,
            kind,
            profile.interface,
            read=_parts(opened, record, "read", {"Message": _MESSAGE, **_answer(record)}),
            create=_parts(opened, record, "write", {"MessageHeader": _HEADER}) if record.create is not None else None,
            update=_parts(opened, record, "write", {"MessageHeader": _HEADER}) if record.update is not None else None,
            ours=_ours(record),
        )
        for kind, record in profile.records.items()
    ]


def _parts(opened: Interface, record: BarsRecord, use: str, more: Schema) -> Schema:
    parts = {
        type: Flattener(opened.name, opened.follow, use=use).made(opened.raw_component(type)) for type in record.types
    }
    return {"type": "object", "required": list(record.types), "properties": {**parts, **more}}


def _answer(record: BarsRecord) -> Schema:
    return {"Answer": _ANSWER} if record.answers else {}


def _ours(record: BarsRecord) -> set[str]:
    found = {f"{type}/{name}" for type in record.types for name in ("resourceType", "id", "meta")}
    return found | {f"{step.resource}/{element}" for step in record.resources for element in step.refers}
