"""YAML that somebody else wrote (JSON is YAML too): read as plain data, or refused under one name.

The library is known to end in errors of the language where a file is strange enough: a mapping as a key, `!!int ""`,
`!!bool x`, a letter beyond all letters. Whatever it raises means that the file cannot be read. What a file may be made
into by its own aliases is for whoever walks through it.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError


class UnreadableYaml(ValueError):
    """It is neither YAML nor JSON that can be read."""


def read(body: bytes) -> Any:
    """Return what a file says: dicts, lists and plain values; no tag makes anything else. Raises UnreadableYaml."""
    try:
        return YAML(typ="safe", pure=True).load(BytesIO(body))
    except (YAMLError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError):
        raise UnreadableYaml("neither YAML nor JSON that can be read") from None
