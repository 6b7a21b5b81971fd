"""Masks: values as screens may show them. What a field may tell follows from its declared sensitivity alone."""

from __future__ import annotations

import json
from typing import Any

from mappings import fieldpaths
from mappings.meta import Sensitivity


def shown(path: str, value: Any, *, reveal: bool) -> str:
    """A value of a field of ours, masked unless its field is nobody's or it is to be revealed."""
    plain = not path or fieldpaths.sensitivity(path) is Sensitivity.NONE
    return masked(value, reveal=reveal or plain)


def masked(value: Any, *, reveal: bool) -> str:
    """A value in the words that tell nothing of it, unless it is to be revealed."""
    if type(value) is object:  # the mark for "not there", ours or the golden pairs'
        return "nothing"
    if value is None:
        return "empty"
    if reveal:
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, str):
        return f"a text of {len(value)} characters"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return {bool: "yes or no", int: "a number", float: "a number"}.get(type(value), "several fields")
