"""The templates of one service of GOV.UK Notify, as its list of them says.

Archived ones are not in the list, and cannot be sent either.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.errors import PageUnreadable
from connectors.notify.message import ID
from connectors.templates import Template

_CHANNELS = {"sms": "text", "email": "email", "letter": "letter"}


def read(answer: Any) -> Mapping[str, Template]:
    """Read Notify's answer. Raises PageUnreadable for one that is no list of templates."""
    rows = answer.get("templates") if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        raise PageUnreadable("reading the templates: at templates: expected a list")
    return {str(row["id"]).lower(): _one(row) for row in rows if _is_one(row)}


def _is_one(row: Any) -> bool:
    return isinstance(row, dict) and isinstance(row.get("id"), str) and bool(ID.fullmatch(row["id"]))


def _one(row: Mapping[str, Any]) -> Template:
    kind = str(row.get("type"))
    said = {name: row.get(name) if isinstance(row.get(name), str) else "" for name in ("body", "subject")}
    return Template(_CHANNELS.get(kind, kind), str(said["body"]), str(said["subject"]), str(row.get("version") or ""))
