"""The one door for XML: a hardened parser, and the way between an element and a system-shaped record.

Every parser of this room is made here, with entities, DTDs, network and huge trees off; a document type declaration
is refused even where it does nothing. Reasons name a line, never a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lxml import etree

XSI = "http://www.w3.org/2001/XMLSchema-instance"
NIL = f"{{{XSI}}}nil"
_XSI = f"{{{XSI}}}"
MOST_NAMES = 10_000  # more than any interface has: a document that is made of names fills no memory
FOREIGN = "@xmlns"  # in wildcard content alone: the namespace of an element that no pinned schema knows
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class UnreadableXml(ValueError):
    """The bytes are not well-formed XML, or are XML of a kind that is refused. The text is safe to log."""


def parser(*, resolver: etree.Resolver | None = None) -> etree.XMLParser:
    """Make a parser that expands nothing, fetches nothing and keeps libxml2's own limits (depth 256, 10 MB a text)."""
    made = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
    )
    if resolver is not None:
        made.resolvers.add(resolver)
    return made


def parse(content: bytes, *, max_bytes: int, base_url: str | None = None) -> etree._Element:
    """Read a document and return its root. Raises UnreadableXml."""
    return parse_with(parser(), content, max_bytes=max_bytes, base_url=base_url)


def parse_with(made: etree.XMLParser, content: bytes, *, max_bytes: int, base_url: str | None = None) -> etree._Element:
    """Read a document with a parser of `parser()`, which goes on to resolve what a schema includes."""
    if len(content) > max_bytes:
        raise UnreadableXml(f"it is longer than {max_bytes} bytes")
    if not content.strip():
        raise UnreadableXml("it is empty")
    try:
        root = etree.fromstring(content, made, base_url=base_url or "")
    except etree.XMLSyntaxError as problem:
        kind = next((entry.type_name for entry in entries(problem.error_log)), "ERR_UNKNOWN")
        raise UnreadableXml(f"it is not well-formed XML (line {problem.lineno}, {kind})") from None
    except (ValueError, LookupError):
        raise UnreadableXml("it is in an encoding that cannot be read") from None
    info: Any = root.getroottree().docinfo
    if info.doctype or info.internalDTD is not None:
        raise UnreadableXml("it has a document type declaration (DOCTYPE), which is refused")
    if next(root.iter(etree.Entity), None) is not None:
        raise UnreadableXml("it holds an entity that it does not declare")
    return root


def entries(log: Any) -> list[Any]:
    """Return what an error log of lxml holds; its type hints do not say that it is a list."""
    return list(log)


def canonical(element: etree._Element) -> bytes:
    """Return the bytes of one element in canonical form, so that the same record always has the same bytes.

    A namespace that is no absolute address has no canonical form; such an element's bytes are as it was written.
    """
    try:
        return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)
    except etree.C14NError:
        return bytes(etree.tostring(element, encoding="utf-8", with_tail=False))


def local(element: etree._Element) -> str:
    """Return an element's name without its namespace, also where it is no name, as in what is read bit by bit."""
    return str(element.tag).rpartition("}")[2]


def record_of(element: etree._Element, known: frozenset[str]) -> Any:
    """Turn an element into a value of a record (see `connectors.port`).

    An element whose namespace is not among `known` and differs from its parent's keeps it as "@xmlns": it came
    through a wildcard, and without it a whole-record update could not put it back as it was.
    """
    above = element.getparent()
    return _value(element, known, None if above is None else _NAMES[above.tag][1])


def _value(element: etree._Element, known: frozenset[str], above: str | None) -> Any:
    """The value of an element in a parent of that namespace. Each touch of an element costs as much as the rest of the
    work on it, so what most elements are, text alone, is done by their parent."""
    attributes = element.items()
    if attributes and element.get(NIL, "").strip() in ("true", "1"):
        return None
    record: dict[str, Any] = {}
    space = _NAMES[element.tag][1]
    if space not in known and space != above:
        record[FOREIGN] = space
    for name, value in attributes:
        if not str(name).startswith(_XSI):
            record["@" + _NAMES[str(name)][0]] = str(value)
    text = element.text or ""
    if len(element) == 0:
        if not record:
            return text
        record["."] = text
        return record
    if text.strip():
        record["."] = text
    for child in element:
        name, within = _NAMES[child.tag]
        more = len(child) or within not in known or child.items()
        inner = _value(child, known, space) if more else child.text or ""
        if name not in record:
            record[name] = inner
        elif isinstance(record[name], list):
            record[name].append(inner)
        else:
            record[name] = [record[name], inner]
    return record


class _Names(dict[str, tuple[str, str]]):
    """What has been split already: a {namespace}name as its name and its namespace."""

    def __missing__(self, tag: str) -> tuple[str, str]:
        if len(self) > MOST_NAMES:
            self.clear()
        space, _, name = tag.rpartition("}")
        made = self[tag] = (name, space[1:])
        return made


_NAMES = _Names()


def elements_of(name: str, value: Any, namespace: str) -> Iterator[etree._Element]:
    """Turn a value of a record back into elements; the way for content that no pinned schema describes.

    Raises ValueError, safe to log, for a value that XML cannot carry.
    """
    if isinstance(value, list):
        for one in value:
            yield from elements_of(name, one, namespace)
        return
    if isinstance(value, Mapping):
        namespace = str(value.get(FOREIGN, namespace))
    element = etree.Element(f"{{{namespace}}}{name}" if namespace else name)
    if value is None:
        element.set(NIL, "true")
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if key == ".":
                element.text = text_of(inner)
            elif key.startswith("@"):
                if key != FOREIGN:
                    element.set(key[1:], text_of(inner))
            else:
                element.extend(elements_of(key, inner, namespace))
    else:
        element.text = text_of(value)
    yield element


def text_of(value: Any) -> str:
    """Write a leaf of a record as XML does. Raises ValueError, safe to log, for what XML cannot carry."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if not isinstance(value, str):
        raise ValueError(f"a {type(value).__name__} stands where text or a number is expected")  # noqa: TRY004 - the caller catches one kind
    if found := _NOT_XML.search(value):
        raise ValueError(f"XML cannot carry the sign U+{ord(found.group()):04X} at place {found.start() + 1}")
    return value


def get(record: Any, path: str) -> Any:
    """Return what stands at `Subject/Surname` in a record, None if there is nothing; `[]` always gives a list."""
    many = path.endswith("[]")
    for step in path.removesuffix("[]").split("/"):
        if isinstance(record, list):
            record = record[0] if record else None
        record = record.get(step) if isinstance(record, Mapping) else None
    if many:
        return record if isinstance(record, list) else [] if record is None else [record]
    return record


def text_at(record: Any, path: str | None) -> str:
    """Return the text at a path, without white space around it; "" if there is none."""
    found = get(record, path) if path else None
    if isinstance(found, Mapping):
        found = found.get(".")
    return found.strip() if isinstance(found, str) else ""


def text_reader(path: str | None) -> Callable[[Any], str]:
    """What `text_at` does at one path, made once for many records."""
    if path is None or "/" in path or path.endswith("[]"):
        return lambda record: text_at(record, path)

    def read(record: Any) -> str:
        found = record.get(path) if type(record) is dict else get(record, path)
        return found.strip() if type(found) is str else "" if found is None else text_at(record, path)

    return read


def put(record: dict[str, Any], path: str, value: Any) -> None:
    """Write a value at a path, making the elements on the way."""
    *way, last = path.split("/")
    for step in way:
        inner = record.get(step)
        if not isinstance(inner, dict):
            inner = record[step] = {}
        record = inner
    record[last] = value
