"""Everything that is read of a WSDL, from pinned bytes alone: zeep's model of it and its compiled schema.

zeep would fetch whatever a WSDL imports, from the web or from this machine's disk. Here both zeep and libxml2 get
documents from one function that knows the pinned files and refuses every other address, whatever its scheme.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin, urlsplit

import zeep
import zeep.exceptions
import zeep.transports
from lxml import etree

from connectors import xml
from connectors.errors import Misconfigured

XSD = "http://www.w3.org/2001/XMLSchema"
WSDL = "http://schemas.xmlsoap.org/wsdl/"
HOME = "file:///pinned/"  # no place on any disk: gives relative imports something to be relative to
INLINE = "file:///inline/"  # the schemas that stand inside a WSDL, by number
MAX_BYTES = 20_000_000

Interfaces = Callable[[str], bytes]

# lxml puts its loader of imports in at each parsing and the former one back after it, for the whole process: whenever
# another thread ends a parsing meanwhile, libxml2 asks the disk for what only our resolver has. An import that is not
# found is to libxml2 no more than a warning, and the schema then refuses every message; so that is looked for.
_ATTEMPTS = 10
_compiling = threading.Lock()  # and setting up libxml2's own types, at the first compilation, has no lock either


class Pinned:
    """The pinned files of one interface. `files` lists those that were read, in order."""

    def __init__(self, name: str, interfaces: Interfaces) -> None:
        self.name = name
        self.files: list[str] = []
        self._interfaces = interfaces

    def load(self, address: str) -> bytes:
        """Return a pinned file's bytes. Raises Misconfigured, naming the file and what it asks for."""
        name = address.removeprefix(HOME)
        if name == address or ".." in name.split("/") or name.startswith("/") or "\\" in name:
            raise Misconfigured(
                f"{self.name} imports {_short(address)}, which is not pinned and is never fetched: "
                "save that file beside it in interfaces/ and name it there by its file name"
            )
        try:
            content = self._interfaces(name)
        except (LookupError, OSError, ValueError) as problem:
            raise Misconfigured(
                f"{self.name} needs the file {_short(name)}, which is not among the pinned interfaces: save it there"
            ) from problem
        if name not in self.files:
            self.files.append(name)
        return content

    def document(self, address: str) -> etree._Element:
        """Return a pinned file's root. Raises Misconfigured."""
        try:
            return xml.parse(self.load(address), max_bytes=MAX_BYTES)
        except xml.UnreadableXml as problem:
            raise Misconfigured(f"{_short(address.removeprefix(HOME))} cannot be read: {problem}") from None


class PinnedTransport(zeep.transports.Transport):
    """zeep's way to documents, with nothing but the pinned ones behind it. It cannot send.

    Transport's own __init__ is left out on purpose: it makes a session that reads file:// addresses.
    """

    def __init__(self, pinned: Pinned) -> None:
        self._pinned = pinned
        self._close_session = False
        self.cache = None

    def load(self, url: str) -> bytes:
        return self._pinned.load(url)

    def post(self, address: str, message: Any, headers: Any) -> Any:
        raise NotImplementedError("messages are sent by connectors.http alone")

    get = post


def client_of(pinned: Pinned) -> zeep.Client:
    """Build zeep's model of the WSDL. Raises Misconfigured."""
    pinned.document(HOME + pinned.name)  # zeep's own words about bytes that are no XML would show them
    settings = zeep.Settings(strict=True, forbid_dtd=True, forbid_entities=True, xml_huge_tree=False)
    try:
        return zeep.Client(  # type: ignore[no-untyped-call]
            HOME + pinned.name, transport=PinnedTransport(pinned), settings=settings
        )
    except Misconfigured:
        raise
    except (zeep.exceptions.Error, etree.LxmlError, LookupError, AttributeError, TypeError, ValueError) as problem:
        raise Misconfigured(
            f"{pinned.name} is not a WSDL that can be used ({type(problem).__name__}): pin the supplier's file anew"
        ) from problem


def schema_of(pinned: Pinned, *, alone: tuple[str, str] | None = None) -> etree.XMLSchema:
    """Compile the schemas of the WSDL, and what they include, for libxml2. Raises Misconfigured.

    `alone`: namespace and name of a type; an element `alone` without namespace is then known too, which is of it.
    """
    inline = _inline_schemas(pinned, HOME + pinned.name, set())
    made = xml.parser(resolver=_Resolver(pinned, [content for _, content in inline]))
    by_namespace: dict[str, list[int]] = {}
    for number, (namespace, _) in enumerate(inline):
        by_namespace.setdefault(namespace, []).append(number)
    imports = []
    for namespace, numbers in by_namespace.items():
        place = f"{INLINE}{numbers[0]}" if len(numbers) == 1 else f"{INLINE}{'+'.join(map(str, numbers))}"
        stated = f' namespace="{namespace}"' if namespace else ""
        imports.append(f'<xs:import{stated} schemaLocation="{place}"/>')
    extra = ""
    if alone is not None:
        extra = f'<xs:element xmlns:alone="{alone[0]}" name="alone" type="alone:{alone[1]}"/>'
    wrapper = f'<xs:schema xmlns:xs="{XSD}">{"".join(imports)}{extra}</xs:schema>'.encode()
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with _compiling:
                compiled = etree.XMLSchema(xml.parse_with(made, wrapper, max_bytes=MAX_BYTES, base_url=INLINE))
        except etree.XMLSchemaParseError as problem:
            if attempt == _ATTEMPTS:
                line = problem.error_log[0].line if len(problem.error_log) else 0
                raise Misconfigured(
                    f"the schema in {pinned.name} cannot be compiled (line {line}): pin the supplier's file anew"
                ) from problem
        else:
            if all(entry.type_name != "SCHEMAP_WARN_UNLOCATED_SCHEMA" for entry in xml.entries(compiled.error_log)):
                return compiled
    raise Misconfigured(f"a schema that {pinned.name} imports cannot be read: pin the supplier's files anew")


def namespaces_of(client: zeep.Client) -> frozenset[str]:
    """Return the namespaces that the pinned schemas describe; "" too if local elements carry none."""
    documents = [document for document in client.wsdl.types.documents if document._target_namespace != XSD]
    found = {str(document._target_namespace or "") for document in documents}
    if any(document._element_form != "qualified" for document in documents):
        found.add("")
    return frozenset(found)


def declared_names(pinned: Pinned) -> frozenset[str]:
    """Return the local names of all elements that the pinned files declare."""
    return frozenset(
        name
        for file in pinned.files
        for node in pinned.document(HOME + file).iter(f"{{{XSD}}}element")
        if (name := node.get("name")) is not None
    )


def _inline_schemas(pinned: Pinned, address: str, seen: set[str]) -> list[tuple[str, bytes]]:
    """Collect (target namespace, bytes) of every schema that stands inside the WSDL or one that it imports."""
    if address in seen:
        return []
    seen.add(address)
    root = pinned.document(address)
    found = []
    for schema in root.iterfind(f"{{{WSDL}}}types/{{{XSD}}}schema"):
        for outside in schema.iterfind("*[@schemaLocation]"):
            # The copy that libxml2 gets lies elsewhere, so what it names must be whole.
            outside.set("schemaLocation", urljoin(address, outside.get("schemaLocation") or ""))
        found.append((schema.get("targetNamespace") or "", etree.tostring(schema)))
    for other in root.iterfind(f"{{{WSDL}}}import"):
        found += _inline_schemas(pinned, urljoin(address, other.get("location") or ""), seen)
    return found


class _Resolver(etree.Resolver):
    """Answers libxml2 with the schemas of the WSDL and with pinned files."""

    def __init__(self, pinned: Pinned, inline: list[bytes]) -> None:
        self._pinned = pinned
        self._inline = inline

    def resolve(  # type: ignore[override]  # the hints leave out the context that lxml hands in
        self,
        system_url: str,
        public_id: str,  # noqa: ARG002 - lxml hands it in
        context: Any,
    ) -> Any:
        content = self._content(system_url)
        return self.resolve_string(content, context, base_url=system_url)

    def _content(self, address: str) -> bytes:
        if not address.startswith(INLINE):
            return self._pinned.load(address)
        numbers = address.removeprefix(INLINE)
        if "+" not in numbers:
            return self._inline[int(numbers)]
        # libxml2 takes one document a namespace, and leaves out a second one without a word.
        first = etree.fromstring(self._inline[int(numbers.partition("+")[0])], xml.parser())
        parts = "".join(f'<xs:include schemaLocation="{INLINE}{number}"/>' for number in numbers.split("+"))
        namespace = first.get("targetNamespace")
        stated = f' targetNamespace="{namespace}"' if namespace else ""
        return f'<xs:schema xmlns:xs="{XSD}"{stated}>{parts}</xs:schema>'.encode()


def _short(address: str) -> str:
    """Show an address without what may be secret in it."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}" if parts.scheme else parts.path
