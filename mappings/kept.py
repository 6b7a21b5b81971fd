"""A mapping compiled again from what is kept of it: its artifact and those of its code lists, and nothing of today.

The artifact holds the resolved rows, so no file is looked for; the digest of what comes out is that of what went in, or
it is not handed out. A format that this program cannot run as it was meant is refused, never guessed at.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from collections.abc import Mapping as Dictionary
from hashlib import sha256
from typing import Any

from mappings import codes
from mappings.compile import FORMAT, compile_mapping
from mappings.converters.port import OwnConverter
from mappings.mapping import Mapping, MappingFaults

#: Formats whose rows mean today what they meant when they were written. Whoever raises `compile.FORMAT` decides here
#: whether the older one stays; one that is taken out can be read by people and not be run any more.
RUNS_AS_WRITTEN = frozenset({1})

#: digest -> the artifact's bytes; raises LookupError for one that is not kept.
Bodies = Callable[[str], bytes]


class CannotRun(Exception):
    """What is kept cannot be compiled as it was. The message says why and what can be done instead."""


def compile_kept(digest: str, bodies: Bodies, own: Dictionary[str, OwnConverter] | None = None) -> Mapping:
    """Compile the mapping of that digest. Raises CannotRun.

    `own`: the converters that the site has today. Python that was kept is never run: a mapping with a converter of the
    site's own runs as it was only as long as that converter is as it was.
    """
    data = _opened(digest, bodies)
    lists = {name: _list(name, kept, bodies) for name, kept in data["codes"].items()}
    written = {**data["head"], "fields": data["rows"]}
    origin = f"{data['name']} as kept under {digest[:12]}"
    try:
        found = compile_mapping(
            data["name"],
            lambda _: (written, origin),
            lists.__getitem__,
            data["zone"],
            _unchanged(data.get("converters", {}), own or {}),
            written_as=data["format"],
        )
    except MappingFaults as faults:
        raise CannotRun(f"this Dolen does not take its rows any more: {faults.faults[0]}") from None
    if found.digest != digest:
        raise CannotRun("this Dolen makes something else of its rows than the one that kept it")
    return found


def _opened(digest: str, bodies: Bodies) -> dict[str, Any]:
    body = _body(digest, bodies)
    try:
        data = json.loads(body)
        written_as = data["format"]
        whole = {"name", "zone", "head", "rows", "codes"} <= data.keys()
    except (ValueError, TypeError, KeyError, AttributeError):
        raise CannotRun("what is kept under this digest is no mapping") from None
    if written_as not in RUNS_AS_WRITTEN:
        older = isinstance(written_as, int) and written_as < FORMAT
        raise CannotRun(
            f"it was written in format {written_as} by {'an older' if older else 'a newer'} Dolen, and this one runs "
            f"{', '.join(map(str, sorted(RUNS_AS_WRITTEN)))}: use today's mapping, or write what it said as a file"
        )
    if not whole:
        raise CannotRun("what is kept under this digest is no mapping")
    opened: dict[str, Any] = data
    return opened


def _unchanged(wanted: Dictionary[str, str], own: Dictionary[str, OwnConverter]) -> dict[str, OwnConverter]:
    for name, digest in wanted.items():
        if name not in own or own[name].digest != digest:
            raise CannotRun(f"the site's converter {name} is not what it was then: use today's mapping")
    return {name: own[name] for name in wanted}


def _list(name: str, stamp: str, bodies: Bodies) -> codes.CodeList:
    try:
        return codes.CodeList.kept(stamp, _body(stamp.partition(codes.SINCE)[0], bodies), name)
    except codes.CodeFaults as faults:
        raise CannotRun(f"this Dolen does not take its code list any more: {faults.faults[0]}") from None
    except ValueError:
        raise CannotRun(f"what is kept says no day of the code list {name} that can be read") from None


def _body(digest: str, bodies: Bodies) -> bytes:
    try:
        body = bodies(digest)
    except LookupError:
        raise CannotRun(f"nothing is kept under {digest[:12]} any more") from None
    if sha256(body).hexdigest() != digest:
        raise CannotRun(f"what is kept under {digest[:12]} was changed since, and is not used")
    return body
