"""What a request looks like when it is read and when it is sent, from the pinned schema alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectors.flat import Flattener
from connectors.neutral import interface
from connectors.open311.connector import schema_of
from connectors.open311.items import ID, REQUESTED, UPDATED
from connectors.open311.profile import Open311Profile


def interfaces_of(profile: Open311Profile, interfaces: Callable[[str], bytes]) -> list[dict[str, Any]]:
    """One interface for each kind of record. Raises Misconfigured."""
    schema = schema_of(profile, interfaces)
    found = []
    for kind, record in profile.records.items():
        read, sent = (
            Flattener(schema.name, schema.follow, use=use).made(schema.follow(f"#/$defs/{name}"))
            for use, name in (("read", "Request"), ("write", "Sent"))
        )
        ours = {ID, REQUESTED, UPDATED, *([record.create.our_key] if record.create and record.create.our_key else [])}
        found.append(
            interface(
                profile.system,
                kind,
                schema.name,
                read=read if record.fetch else None,
                create=sent if record.create else None,
                update=sent if record.update else None,
                ours=ours,
            )
        )
    return found
