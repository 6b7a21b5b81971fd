"""What the form looks like that an officer enters a record in, where the profile names a JSON Schema of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectors.by_hand import ByHandProfile
from connectors.errors import Misconfigured
from connectors.flat import Flattener
from connectors.json_schema import JsonSchema
from connectors.neutral import interface


def interfaces_of(profile: ByHandProfile, interfaces: Callable[[str], bytes]) -> list[dict[str, Any]]:
    """One interface for each kind of record; without a form nothing is known. Raises Misconfigured."""
    found = []
    for kind, record in profile.records.items():
        form = None
        if record.form is not None:
            try:
                body = interfaces(record.form)
            except (LookupError, OSError, ValueError) as problem:
                raise Misconfigured(
                    f"records.{kind}.form: {record.form} is not among the pinned interfaces: save it there"
                ) from problem
            read = JsonSchema(body, record.form)
            form = Flattener(record.form, read.follow, use="write").made(read.root)
        found.append(interface(profile.system, kind, record.form or "", read=None, create=form, update=form, ours=()))
    return found
