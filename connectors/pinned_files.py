"""Which pinned files a profile leads to: its interface, and what that imports or includes, file by file.

Nothing is fetched and nothing is compiled. A file that is missing or cannot be read is left out; who uses it says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urljoin

from connectors import xml

#: Gives relative names something to be relative to; no place on any disk.
_HOME = "file:///pinned/"
_MOST_BYTES = 20_000_000
#: More files than this is no interface but a mistake.
_MOST_FILES = 200


def pinned_files(profile: Mapping[str, Any], interfaces: Callable[[str], bytes]) -> list[tuple[str, bytes]]:
    """The pinned files of a profile with their bytes, the interface itself first. `interfaces` raises LookupError."""
    wanted = [name for name in (profile.get("interface"), *_of_kinds(profile)) if isinstance(name, str)]
    found: dict[str, bytes] = {}
    while wanted and len(found) < _MOST_FILES:
        name = wanted.pop(0)
        if name in found:
            continue
        try:
            found[name] = interfaces(name)
        except (LookupError, OSError, ValueError):
            continue
        wanted += [file for place in imports_of(found[name]) if (file := _beside(name, place))]
    return list(found.items())


def _of_kinds(profile: Mapping[str, Any]) -> Iterator[Any]:
    """What a kind names of its own: a form's schema, and the interface of what a system calls of ours."""
    records = profile.get("records")
    for section in records.values() if isinstance(records, Mapping) else ():
        if isinstance(section, Mapping):
            push = section.get("push")
            yield section.get("form")
            yield push.get("interface") if isinstance(push, Mapping) else None


def imports_of(content: bytes) -> Iterator[str]:
    """The places that a WSDL or a schema imports, includes or redefines, as they are written; none of other files."""
    if not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") and b"<\0" not in content[:4]:
        return
    try:
        root = xml.parse(content, max_bytes=_MOST_BYTES)
    except xml.UnreadableXml:
        return
    for element in root.iter("{*}import", "{*}include", "{*}redefine", "{*}override"):
        place = element.get("schemaLocation") or element.get("location")
        if place:
            yield place.strip()


def _beside(name: str, place: str) -> str:
    """The pinned name that a file means by a place, "" for one outside."""
    address = urljoin(_HOME + name, place)
    return address.removeprefix(_HOME) if address.startswith(_HOME) and ".." not in address.split("/") else ""
