"""Texts of a system that hold several values, such as the choices of a list that takes many: to us they are lists.

The bytes of a record stay as they came; only what mappings see is taken apart, and put together again when it is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.errors import Rejected
from connectors.port import Record


def apart(found: Any, joined: Mapping[str, str]) -> Any:
    """A record with the texts at these paths taken apart; what is no text stays, for the interface to judge."""
    for path, between in joined.items():
        found = _changed(found, path.split("/"), lambda text, by=between: _parts(text, by))
    return found


def together(record: Record, joined: Mapping[str, str], doing: str) -> Record:
    """A record with the lists at these paths put together. Raises Rejected for a value that would fall apart."""
    changed: Any = record
    for path, between in joined.items():

        def put(values: Any, by: str = between, at: str = path) -> Any:
            if not isinstance(values, list):
                return values
            if not all(isinstance(value, str) and value and by not in value for value in values):
                raise Rejected(f"{doing}: at {at}: a value that cannot stand in one text with others; nothing was sent")
            return by.join(values) or None

        changed = _changed(changed, path.split("/"), put)
    return dict(changed)


def _parts(text: Any, between: str) -> Any:
    return [part for one in text.split(between) if (part := one.strip())] if isinstance(text, str) else text


def _changed(found: Any, steps: list[str], change: Any) -> Any:
    """A copy along the way to one value, with that value changed; the same where there is none."""
    if not isinstance(found, dict) or steps[0] not in found:
        return found
    inner = found[steps[0]]
    return {**found, steps[0]: change(inner) if len(steps) == 1 else _changed(inner, steps[1:], change)}
