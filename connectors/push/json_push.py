"""A push as JSON: whole, not too deep, and of the right sort before it is kept; taken apart after."""

from __future__ import annotations

from typing import Any

from connectors.json_body import UnreadableBody, parse
from connectors.push.port import Pushed, PushRefused

#: Levels of objects and lists: far more than any record has, far fewer than would cost anything.
DEEPEST = 64


def look(pushed: Pushed) -> Any:
    """Return the parsed body. Raises PushRefused: 415 for another content type, 400 for what is no whole JSON."""
    kind = pushed.header("Content-Type")
    if pushed.header("Content-Encoding") not in ("", "identity"):
        raise PushRefused(415, "the body is packed; send it as it is")
    try:
        value = parse(pushed.body, kind)
    except UnreadableBody as trouble:
        reason = trouble.reason.replace("the answer", "the body")
        raise PushRefused(415 if trouble.foreign and pushed.body.strip() else 400, reason) from None
    if deeper_than(value, DEEPEST):
        raise PushRefused(400, f"the body is nested deeper than {DEEPEST} levels")
    return value


def deeper_than(value: Any, most: int) -> bool:
    """Whether lists and objects are nested deeper than `most`; level by level, so that depth itself costs nothing."""
    level = [value]
    for _ in range(most):
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one if isinstance(one, list) else ())
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True
