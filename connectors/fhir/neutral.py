"""What the records of a FHIR server look like: the resources of each kind side by side, by the names of their types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectors.errors import Misconfigured
from connectors.fhir import documents
from connectors.fhir.profile import FhirProfile, FhirRecord
from connectors.flat import Flattener
from connectors.neutral import interface
from connectors.rest.interface import Interface, open_interface

Schema = dict[str, Any]


def fits(profile: FhirProfile, interfaces: Callable[[str], bytes]) -> None:
    """Compile what each resource is judged by. Raises Misconfigured for one that the pinned file does not have."""
    opened = _opened(profile, interfaces)
    for kind, record in profile.records.items():
        for type in record.types:
            opened.prepare(type)
        documents.fits(kind, record, opened)


def interfaces_of(profile: FhirProfile, interfaces: Callable[[str], bytes]) -> list[dict[str, Any]]:
    """One interface for each kind of record. Raises Misconfigured for a resource that the file does not have."""
    opened = _opened(profile, interfaces)
    return [
        interface(
            profile.system,
            kind,
            profile.interface,
            read=_side_by_side(opened, record, "read"),
            create=_side_by_side(opened, record, "write") if "create" in record.offers else None,
            update=_side_by_side(opened, record, "write") if "update" in record.offers else None,
            ours=_ours(record),
        )
        for kind, record in profile.records.items()
    ]


def _opened(profile: FhirProfile, interfaces: Callable[[str], bytes]) -> Interface:
    try:
        body = interfaces(profile.interface)
    except (LookupError, OSError, ValueError) as problem:
        raise Misconfigured(
            f"interface: {profile.interface} is not among the pinned interfaces: save it there"
        ) from problem
    return open_interface(body, profile.interface)


def _side_by_side(opened: Interface, record: FhirRecord, use: str) -> Schema:
    parts = {
        type: Flattener(opened.name, opened.follow, use=use).made(opened.raw_component(type)) for type in record.types
    }
    return {"type": "object", "required": list(record.types), "properties": parts}


def _ours(record: FhirRecord) -> set[str]:
    """What the connector puts into each resource by itself, or the server does."""
    found = {f"{type}/{name}" for type in record.types for name in ("resourceType", "id", "meta")}
    return found | {f"{step.resource}/{element}" for step in record.steps for element in step.refers}
