"""The interface that a system shows of itself today, fetched for comparison with the pinned one. Nothing is replaced.

Only the connection's own host is asked, with its login, its deadline and its limits, and no redirect is followed. What
a WSDL imports is fetched from there too and renamed, so that what comes out could be pinned as it is; an import from
elsewhere is refused. XML with a document type declaration is not read at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urljoin

from lxml import etree

from connectors import xml, yaml_body
from connectors.deadline import Deadline
from connectors.errors import ConnectorError, Misconfigured, Unauthorised, Unknown
from connectors.http import HttpSession, Reply, origin
from connectors.logins import HttpLogin, login_addresses, open_login, send_logged_in, sign_in_page
from connectors.pace import Agree
from connectors.pinned_files import imports_of
from connectors.quiet import silence_libraries
from connectors.registry import check_profile, check_settings
from connectors.settings import HttpSettings
from connectors.soap.pinned import WSDL

#: More files than this is no interface but a loop.
MOST_FILES = 50
_MOST_BYTES = 20_000_000
_METHODS = ("get", "put", "post", "patch", "delete")
_IMPORTS = ("{*}import", "{*}include", "{*}redefine", "{*}override")


class NotOffered(ConnectorError):
    """The system shows no interface that could be fetched. That is how many are, and no fault."""


@dataclass(frozen=True, slots=True)
class Live:
    """What was fetched: the files by the names under which they could be pinned, the interface itself first."""

    files: Mapping[str, bytes]

    def read(self, name: str) -> bytes:
        """A file by name, as `interfaces` of a connector is called. Raises LookupError."""
        return self.files[name]


def fetch(
    profile: Mapping[str, Any],
    connect: Mapping[str, Any],
    *,
    secret: Callable[[str], str],
    agree: Agree | None = None,
) -> Live:
    """Fetch the live interface of one connection.

    Raises NotOffered, and whatever a call raises: Unreachable, Unauthorised, Unknown, Throttled, Misconfigured.
    """
    silence_libraries()
    checked = check_profile(profile)
    place = getattr(checked, "interface_url", None)
    protocol = str(profile.get("protocol"))
    if protocol not in ("soap", "rest"):
        raise NotOffered("this kind of connection has no interface that a machine could fetch")
    settings = cast(HttpSettings, check_settings(protocol, connect, secret=secret))
    address = settings.interface_url or _address(settings.url, place, protocol)
    session = HttpSession(
        settings, also=login_addresses(settings), sign_in_page=sign_in_page(settings), agree=agree
    )
    try:
        if origin(address) != origin(settings.url):
            raise Misconfigured(
                f"interface_url leads to {origin(address)}, and only the connection's own host is asked "
                f"({origin(settings.url)}): save that file beside the pinned one and compare it by hand"
            )
        asking = _Asking(session, open_login(settings, session), session.deadline())
        first = str(profile["interface"])
        return Live(asking.wsdl(first, address) if protocol == "soap" else {first: asking.openapi(address)})
    finally:
        session.close()


def operations_of(content: bytes) -> frozenset[str]:
    """The operations that an interface's main file offers: names in a WSDL, method and path in an OpenAPI file."""
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        root = xml.parse(content, max_bytes=_MOST_BYTES)
        found = root.iterfind(f"{{{WSDL}}}portType/{{{WSDL}}}operation")
        return frozenset(name for one in found if (name := one.get("name")))
    return frozenset(f"{method.upper()} {_unnamed(path)}" for path, method in _routes(content))


def operations_used(profile: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The operations that a profile calls, each with its place in the profile."""
    if profile.get("protocol") == "soap":
        yield from _operations_within(profile, ())
        return
    for kind, section in profile.get("records", {}).items():
        for name, part in section.items() if isinstance(section, Mapping) else ():
            if not isinstance(part, Mapping) or name == "push":
                continue  # what the system calls is ours
            at = ("records", kind, name)
            if isinstance(part.get("path"), str):
                yield (*at, "path"), f"{part.get('method', 'GET').upper()} {_unnamed(part['path'])}"


def _operations_within(part: Any, at: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(part, Mapping) and isinstance(part.get("operation"), str):
        yield (*at, "operation"), part["operation"]
    pairs = part.items() if isinstance(part, Mapping) else enumerate(part) if isinstance(part, list) else ()
    for name, inner in pairs:
        yield from _operations_within(inner, (*at, name))


def is_called(offered: str, used: str) -> bool:
    """Whether an offered operation is the one that a profile calls: an OpenAPI path may begin with what is part of the
    connection's url."""
    method, space, path = used.partition(" ")
    return offered == used or (bool(space) and offered.startswith(f"{method} ") and offered.endswith(path))


@dataclass(frozen=True, slots=True)
class _Asking:
    """Everything that one look asks for, within one deadline."""

    session: HttpSession
    login: HttpLogin
    deadline: Deadline

    def wsdl(self, first: str, address: str) -> dict[str, bytes]:
        """A WSDL and what it imports, each import renamed to where it lies now."""
        names, files, waiting = {address: first}, dict[str, bytes](), [address]
        stem = re.sub(r"[^A-Za-z0-9_-]", "-", first.rpartition("/")[2].rpartition(".")[0]) or "interface"
        folder = first[: first.rfind("/") + 1]
        while waiting:
            here = waiting.pop(0)
            content = self.get(here)
            root = _xml(content, WSDL if here == address else "")
            for place in imports_of(content):
                try:
                    there = urljoin(here, place)
                except ValueError:  # http://[ and the like
                    raise Unknown("the live interface imports what has no address; it was not read") from None
                if not there.lower().startswith(("http://", "https://")) or origin(there) != origin(address):
                    raise Misconfigured(
                        "the live interface imports a file from another host, which is never fetched: "
                        "ask the supplier for the whole of it"
                    )
                if there not in names:
                    if len(names) >= MOST_FILES:
                        raise Unknown(f"the live interface imports more than {MOST_FILES} files; it was not read")
                    names[there] = f"{folder}{stem}-{len(names)}{'.wsdl' if 'wsdl' in there.lower() else '.xsd'}"
                    waiting.append(there)
            files[names[here]] = _renamed(root, content, here, names)
        return files

    def openapi(self, address: str) -> bytes:
        """An OpenAPI 3 file, which stands alone."""
        content = self.get(address)
        if not _routes_or_none(content):
            raise NotOffered("what the system shows there is no OpenAPI 3 file")
        return content

    def get(self, address: str) -> bytes:
        """One file. Raises NotOffered where there is none."""
        reply: Reply = send_logged_in(self.session, self.login, "GET", address, deadline=self.deadline)
        if reply.status in (404, 405, 406, 410, 501):
            raise NotOffered(f"the system shows no interface there (status {reply.status})")
        if reply.status in (401, 403):
            raise Unauthorised(f"the login may not read the interface (status {reply.status})")
        if reply.status != 200:
            raise Unknown(f"the system did not show its interface (status {reply.status})")
        return reply.body


def _address(url: str, place: str | None, protocol: str) -> str:
    if place:
        return url.partition("?")[0].rstrip("/") + place
    if protocol == "soap":
        return f"{url.partition('?')[0]}?wsdl"
    raise NotOffered("the profile does not say where the system shows its interface (interface_url)")


def _xml(content: bytes, namespace: str) -> etree._Element:
    try:
        root = xml.parse(content, max_bytes=_MOST_BYTES)
    except xml.UnreadableXml as problem:
        if namespace and not content.lstrip().startswith((b"<?xml", b"<")):
            raise NotOffered("what the system shows there is no WSDL") from None
        raise Unknown(f"the live interface cannot be read: {problem}") from None
    if namespace and etree.QName(root).namespace != namespace:
        raise NotOffered("what the system shows there is no WSDL 1.1")
    return root


def _renamed(root: etree._Element, content: bytes, here: str, names: Mapping[str, str]) -> bytes:
    """The file with its imports leading to where they lie beside it."""
    found = False
    for element in root.iter(*_IMPORTS):
        for key in ("schemaLocation", "location"):
            place = element.get(key)
            if place and urljoin(here, place.strip()) in names:
                element.set(key, names[urljoin(here, place.strip())].rpartition("/")[2])
                found = True
    return etree.tostring(root, xml_declaration=True, encoding="utf-8") if found else content


def _routes_or_none(content: bytes) -> list[tuple[str, str]] | None:
    try:
        return _routes(content)
    except (ValueError, AttributeError, TypeError):
        return None


def _routes(content: bytes) -> list[tuple[str, str]]:
    document = yaml_body.read(content)
    if not str(document.get("openapi", "")).startswith("3."):
        raise ValueError("no OpenAPI 3 file")
    return [
        (str(path), method) for path, item in (document.get("paths") or {}).items() for method in item
        if method in _METHODS
    ]  # fmt: skip


def _unnamed(path: str) -> str:
    """A path whose parameters have lost their names, which everybody chooses for himself."""
    return re.sub(r"\{[^{}]*\}", "{}", path.partition("?")[0]).rstrip("/")
