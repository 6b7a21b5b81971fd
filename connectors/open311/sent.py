"""A record as the form fields of a create: what the standard takes, and attributes by their codes."""

from __future__ import annotations

import copy
from typing import Any

from connectors.errors import Rejected
from connectors.port import Record
from connectors.xml import put

#: The arguments of POST requests, as the standard lists them; whatever else a record holds is read only.
TAKEN = (
    "service_code", "lat", "long", "address_string", "address_id", "email", "device_id", "account_id", "first_name",
    "last_name", "phone", "description", "media_url",
)  # fmt: skip


def fields_of(record: Record, our_key: str | None, key: str) -> list[tuple[str, str]]:
    """The fields to send. Raises Rejected, naming the field, for a value that no form can carry."""
    sent = copy.deepcopy(record)
    if our_key:
        put(sent, our_key, key)
    fields = [(name, _text(name, sent[name])) for name in TAKEN if sent.get(name) not in (None, "")]
    attributes = sent.get("attribute") or {}
    if not isinstance(attributes, dict):
        raise Rejected("not sent: attribute holds no fields", field="attribute", code="not-in-interface")
    for code, value in attributes.items():
        if isinstance(value, list):
            fields += [(f"attribute[{code}][]", _text(f"attribute/{code}", one)) for one in value]
        elif value not in (None, ""):
            fields.append((f"attribute[{code}]", _text(f"attribute/{code}", value)))
    return fields


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise Rejected(f"not sent: {name} is no text", field=name, code="not-in-interface")
