"""Reads JSON as strictly as an officer reads a form: what cannot be meant is named and never mended.

One bad record must not cost its neighbours, so a page is parsed in a way that keeps the blemish where it is: bytes
that are not UTF-8, a number that JSON does not have and a key given twice stay inside their record until `sound`
looks at it. Reasons name a path and never a value.
"""

from __future__ import annotations

import json
import math
from typing import Any

import orjson

_DEEPEST = 254  # orjson writes no deeper; nothing that means something comes near


class UnreadableBody(Exception):
    """A body is not the JSON that was promised. `reason` is safe to log.

    `foreign` says that it is no JSON by its own account (HTML, nothing at all): another page altogether, such as a
    login, and no broken record.
    """

    def __init__(self, reason: str, *, foreign: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.foreign = foreign


class _GivenTwice(dict[str, Any]):
    """An object in which one key stood twice: nobody knows which was meant."""


class _NoNumber:
    """NaN, Infinity or a number beyond all measure, which JSON does not have."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    return read if len(read) == len(pairs) else _GivenTwice(read)


def _decimal(text: str) -> float | _NoNumber:
    number = float(text)
    return number if math.isfinite(number) else _NoNumber()


def _constant(_: str) -> _NoNumber:
    return _NoNumber()


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_float=_decimal)


def parse(body: bytes, content_type: str) -> Any:
    """Parse `body`; blemishes inside are found by `sound`. Raises UnreadableBody if it is no JSON as a whole."""
    kind, _, rest = content_type.partition(";")
    kind = kind.strip().lower()
    if not body.strip():
        raise UnreadableBody("the answer has no body; JSON was expected", foreign=True)
    if kind != "application/json" and not kind.endswith("+json"):
        found = kind if kind in {"text/html", "text/plain", "text/xml", "application/xml"} else "another content type"
        raise UnreadableBody(
            f"the answer is {found if kind else 'without a content type'}; JSON was expected", foreign=True
        )
    charset = rest.lower().partition("charset=")[2].split(";")[0].strip(' "')
    if charset not in {"", "utf-8", "utf8", "us-ascii"}:
        raise UnreadableBody("the answer says that it is not UTF-8; JSON is always UTF-8")
    text = body.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        place, end = error.pos, len(text)
        raise UnreadableBody(f"the answer is not valid JSON at character {place} of {end}") from None
    except RecursionError:
        raise UnreadableBody("the answer is nested too deep to be meant") from None
    except ValueError:  # an integer of thousands of digits
        raise UnreadableBody("the answer holds a number too long to be meant") from None


def twice_on_the_way(value: Any, path: str) -> str:
    """Say where on the way down `path` an object holds a key twice; "" if none does. The rest is not looked at."""
    passed: list[str] = []
    for step in path.split("/"):
        if isinstance(value, _GivenTwice):
            return f"at {'/'.join(passed) or 'the top'}: a key stands twice in one object; expected once"
        if not isinstance(value, dict):
            break
        passed.append(step)
        value = value.get(step)
    return ""


def sound(value: Any) -> bytes:
    """Return `value` as canonical JSON bytes. Raises UnreadableBody, naming path and blemish, if it holds one."""
    try:
        return orjson.dumps(value, option=orjson.OPT_PASSTHROUGH_SUBCLASS)
    except (orjson.JSONEncodeError, RecursionError):
        raise UnreadableBody(blemish(value)) from None


def read(body: bytes, content_type: str) -> Any:
    """Parse `body` and refuse any blemish in it. Raises UnreadableBody."""
    value = parse(body, content_type)
    sound(value)
    return value


def as_received(value: Any) -> bytes:
    """Return the bytes of a blemished value as near to what came as can be: evidence, to be kept and never parsed."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=lambda _: None)
    except (RecursionError, ValueError):
        return b""
    return text.encode("utf-8", "surrogateescape" if _escapes_only(text) else "surrogatepass")


def _escapes_only(text: str) -> bool:
    return all("\udc80" <= letter <= "\udcff" for letter in text if "\ud800" <= letter <= "\udfff")


def blemish(value: Any) -> str:
    """Say where something is that JSON cannot hold, breadth first and without recursion: the depth itself may be it."""
    level: list[tuple[str, Any]] = [("", value)]
    for _ in range(_DEEPEST):
        below: list[tuple[str, Any]] = []
        for path, found in level:
            if isinstance(found, _GivenTwice):
                return f"at {path or 'the top'}: a key stands twice in one object; expected once"
            if isinstance(found, _NoNumber):
                return f"at {path}: a number that JSON does not have (NaN or Infinity)"
            if isinstance(found, int) and not -(2**63) <= found < 2**64:
                return f"at {path}: a whole number longer than 64 bits"
            if isinstance(found, str) and not _is_text(found):
                return f"at {path}: text that is not valid UTF-8"
            if isinstance(found, dict):
                if not all(_is_text(key) for key in found):
                    return f"at {path or 'the top'}: a key that is not valid UTF-8"
                below += [(_below(path, key), inner) for key, inner in found.items()]
            elif isinstance(found, list):
                below += [(_below(path, str(place)), inner) for place, inner in enumerate(found)]
        if not below:
            break
        level = below
    else:
        return f"nested deeper than {_DEEPEST} levels"
    return "something that JSON cannot hold"


def _below(path: str, step: str) -> str:
    # A key may itself be a value in disguise; only what looks like a field's name is shown.
    shown = step if step.isascii() and step.replace("_", "").replace("-", "").isalnum() and len(step) <= 40 else "?"
    return f"{path}/{shown}" if path else shown


def _is_text(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
