"""The flat records of the pretend platforms: what their tables' columns take, as the systems' own interface files say.

A column of several choices is a list in the file and one text on the wire, as on the platforms themselves. What is
wrong is named by column, and never by value.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML

from sandbox.store import Json


class Wrong(ValueError):
    """A record does not fit: `column` names where, `kind` what is wrong: unknown, type, length or choice."""

    def __init__(self, column: str, kind: str) -> None:
        super().__init__(f"{column}: {kind}")
        self.column, self.kind = column, kind


@cache
def columns(name: str, schema: str) -> Mapping[str, Any]:
    """The columns of a table by name, each as the interface file says it."""
    document = YAML(typ="safe", pure=True).load((files("sandbox") / "interfaces" / name).read_bytes().decode())
    found: dict[str, Any] = document["components"]["schemas"][schema]["properties"]
    return found


def check(told: Mapping[str, Any], record: Json, between: str) -> None:
    """Raise Wrong for the first column that takes no such value. `between` stands between several choices."""
    for name, value in record.items():
        if name not in told:
            raise Wrong(name, "unknown")
        column = told[name]
        if "$ref" in column or "oneOf" in column:  # a moment, the only part that the files share
            column = {"type": ["string", *(["null"] if "oneOf" in column else [])], "format": "date-time"}
        if "enum" in column:
            if value not in column["enum"] or isinstance(value, bool):
                raise Wrong(name, "choice")
        elif value is None:
            if "null" not in column["type"]:
                raise Wrong(name, "type")
        elif column["type"] == "boolean" or "boolean" in column["type"]:
            if not isinstance(value, bool):
                raise Wrong(name, "type")
        elif not isinstance(value, str):
            raise Wrong(name, "type")
        elif "items" in column:
            if not set(value.split(between)) <= set(column["items"]["enum"]):
                raise Wrong(name, "choice")
        elif len(value) > column.get("maxLength", len(value)):
            raise Wrong(name, "length")
        elif not _reads(column.get("format", ""), value):
            raise Wrong(name, "type")


def _reads(shape: str, value: str) -> bool:
    try:
        if shape == "date":
            date.fromisoformat(value)
        elif shape == "date-time":
            return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False
    return True
