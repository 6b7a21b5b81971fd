"""Forms, read within bounds of size and time. Whether one came from a page of ours is asked of `console.signin`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request

_MOST_BYTES = 65_536
_MOST_FIELDS = 1_200
_WITHIN = 10.0
_FORM = "application/x-www-form-urlencoded"

Form = Mapping[str, tuple[str, ...]]


class BadForm(Exception):
    """What was sent is no form of ours. `status` says why."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


async def read(request: Request) -> Form:
    """Read a form. Raises BadForm where it is none, is too large or too slow."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise BadForm(415)
    body = bytearray()
    try:
        async with asyncio.timeout(_WITHIN):
            async for piece in request.stream():
                body += piece
                if len(body) > _MOST_BYTES:
                    raise BadForm(413)
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except TimeoutError:
        raise BadForm(408) from None
    except ValueError:
        raise BadForm(400) from None
    found: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        found[name] = (*found.get(name, ()), value)
    return found
