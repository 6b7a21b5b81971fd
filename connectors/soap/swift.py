"""Records read from their canonical bytes by one pattern, made of the interface's type: what most records fit.

Touching each element of a tree costs ten times what a compiled pattern takes for it. The pattern knows the order of the
elements, so that it matches or fails at once and never tries again. Whatever it does not expect - nil, a wildcard, an
element of another namespace or that nobody knows, another order - makes it say so, and the tree is read as always
(`connectors.xml.record_of`). A test holds both to the same values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any

from lxml import etree
from zeep.xsd.elements import Any as Wildcard
from zeep.xsd.types import AnySimpleType, ComplexType

MOST_HEADS = 16  # ways in which a system writes the first tag; each has a pattern of its own
MOST_FIELDS = 2_000
MOST_DEPTH = 12
_CONTENT = "_value_1"  # zeep's name for the text of an element that has attributes
_HEAD = re.compile(r'<(?:([A-Za-z_][\w.-]*):)?([A-Za-z_][\w.-]*) xmlns(?::([\w.-]+))?="([^"<&]*)"')
_ATTRIBUTE = re.compile(r' ([A-Za-z_][\w.-]*)="([^"<]*)"')
# What canonical XML (W3C, version 1.1, section 1.1) writes for these signs in text and attributes; & comes last.
_ESCAPES = (
    ("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#x9;", "\t"), ("&#xA;", "\n"), ("&#xD;", "\r"), ("&amp;", "&"),
)  # fmt: skip

Groups = Sequence[str | None]
#: Makes a value of the groups of the whole pattern.
Take = Callable[[Groups], Any]


class NotFitting(Exception):
    """The record or its type is not of the kind that a pattern reads."""


class Swift:
    """Reads records of one element. Safe to use from several threads."""

    def __init__(self, element: Any) -> None:
        """`element` is zeep's element of the record."""
        self._element = element
        self._made: dict[str, Callable[[str], dict[str, Any]] | None] = {}

    def slices(self, page: bytes, found: Sequence[etree._Element]) -> list[bytes]:
        """Of each record of a page its canonical bytes, cut out of the page; b"" where they must be made from the tree.

        A page without comments, instructions and CDATA holds the first tag of a record nowhere else. What is cut out is
        canonical if it holds no entity, no carriage return and no sign > but those of its tags, and if the pattern then
        takes it, which allows neither an empty tag nor white space within one.
        """
        none = [b""] * len(found)
        if not found or _holds_more(page) or _encoding(found[0]) not in (None, "UTF-8", "utf-8"):
            return none
        first, name = found[0], self._element.qname
        if first.tag != f"{{{name.namespace}}}{name.localname}":
            return none
        tag = f"{first.prefix}:{name.localname}" if first.prefix else name.localname
        parts = page.split(f"<{tag}>".encode())
        if len(parts) != len(found) + 1:
            return none
        head = f'<{tag} xmlns{f":{first.prefix}" if first.prefix else ""}="{name.namespace}">'.encode()
        close = f"</{tag}>".encode()
        cut = [head + part[: end + len(close)] if (end := part.find(close)) >= 0 else b"" for part in parts[1:]]
        if _plainly(page):
            return cut
        return [each if _plainly(each) else b"" for each in cut]

    def read(self, raw: bytes) -> dict[str, Any] | None:
        """The record of canonical bytes, or None if the tree must be read."""
        text = raw.decode("utf-8")
        head = text[: text.find(">")]
        if head not in self._made:
            if len(self._made) >= MOST_HEADS:
                return None
            self._made[head] = self._reader(head)
        reader = self._made[head]
        if reader is None:
            return None
        try:
            return reader(text)
        except NotFitting:
            return None

    def _reader(self, head: str) -> Callable[[str], dict[str, Any]] | None:
        found = _HEAD.fullmatch(head)
        name = self._element.qname
        if found is None or found[1] != found[3] or (found[4], found[2]) != (name.namespace, name.localname):
            return None
        try:
            made = _Type(self._element.type, f"{found[1]}:" if found[1] else "", str(name.namespace), base=0)
        except (NotFitting, RecursionError):
            return None
        if made.attributes or len(made.names) < 2:
            return None
        pattern = re.compile(f"{re.escape(head)}>{made.inner}\\s*</{re.escape(head[1:].partition(' ')[0])}>")

        def read(text: str) -> dict[str, Any]:
            match = pattern.fullmatch(text)
            if match is None:
                raise NotFitting
            groups: Groups = match.groups()
            return made.record([*map(_plain, groups)] if "&" in text else groups)

        return read


class _Type:
    """A complex type: the pattern of what stands in it, and what its groups make. The first of them is group `base`."""

    def __init__(self, kind: Any, prefix: str, space: str, *, base: int, depth: int = 0) -> None:
        if depth > MOST_DEPTH or not isinstance(kind, ComplexType):
            raise NotFitting
        self.attributes = frozenset(attribute.qname.localname for _, attribute in kind.attributes if attribute.name)
        # Most types with attributes have one: what is around its value is known then, and need not be looked for.
        self._only = next(iter(self.attributes)) if len(self.attributes) == 1 else ""
        self.given = ""  # the pattern of its attributes
        if self.attributes:
            name = re.escape(self._only) if self._only else "[A-Za-z_][\\w.-]*"
            self.given = f'(?: {name}="[^"<\\t\\n\\r]*"){"?" if self._only else "*"}+'
        self.names: list[str] = []
        self.text = -1  # the group of the text, where there is nothing but text
        self._inside: list[tuple[str, Take]] = []  # what is more than one text
        places: list[int] = []
        patterns: list[str] = []
        self.groups = 0
        for name, element in kind.elements:
            if name == _CONTENT and element.name == _CONTENT:
                self.text, self.groups = base, 1
                continue
            if isinstance(element, Wildcard) or str(element.qname.namespace or "") != space:
                continue  # what stands there makes the pattern fail
            local, place = element.qname.localname, base + self.groups
            pattern, groups, take = _element(element, prefix, space, place, depth)
            if take is not None:
                self._inside.append((local, take))
            patterns.append(pattern)
            self.names.append(local)
            places.append(place)
            self.groups += groups
        if len(set(self.names)) != len(patterns) or len(patterns) > MOST_FIELDS or (self.text >= 0 and patterns):
            raise NotFitting
        self.inner = "([^<]*+)" if self.text >= 0 else "".join(patterns)
        self._pick: Callable[[Groups], Iterable[str | None]] = (
            itemgetter(*places) if len(places) > 1 else lambda groups: [groups[place] for place in places]
        )

    def record(self, groups: Groups) -> dict[str, Any]:
        """What stands in it, without its attributes."""
        made: dict[str, Any] = dict(zip(self.names, self._pick(groups), strict=True))
        for name, take in self._inside:
            if made[name] is not None:
                made[name] = take(groups)
        if None in made.values():
            made = {name: value for name, value in made.items() if value is not None}
        if not made:
            raise NotFitting  # an element without any inside is text, and which text the tree knows
        return made

    def value(self, groups: Groups, given: str) -> Any:
        """What stands in it, with the attributes that were given before it."""
        made: dict[str, Any] = {}
        if given and self._only:
            made[f"@{self._only}"] = given[len(self._only) + 3 : -1]  # of ` name="value"`
            given = ""
        for key, value in _ATTRIBUTE.findall(given) if given else ():
            if key not in self.attributes or (made and f"@{key}" <= next(reversed(made))):
                raise NotFitting  # canonical attributes are in order
            made[f"@{key}"] = value
        if self.text < 0:
            return {**made, **self.record(groups)}
        text = groups[self.text] or ""
        return {**made, ".": text} if made else text


def _element(element: Any, prefix: str, space: str, place: int, depth: int) -> tuple[str, int, Take | None]:
    """The pattern of one element, there or not, its number of groups, and what makes a value; None for one text."""
    tag = re.escape(prefix + element.qname.localname)
    many = element.accepts_multiple
    if isinstance(element.type, AnySimpleType):
        one = f"\\s*<{tag}>([^<]*+)</{tag}>"
        return _many(one, place, None) if many else (f"(?:{one})?+", 1, None)
    inner = _Type(element.type, prefix, space, base=1 if many else place + 1, depth=depth + 1)
    one = f"\\s*<{tag}({inner.given})>{inner.inner}{'' if inner.text >= 0 else chr(92) + 's*'}</{tag}>"
    if many:
        return _many(one, place, inner)
    if not inner.attributes and inner.text < 0:
        return f"(?:{one})?+", inner.groups + 1, inner.record
    return f"(?:{one})?+", inner.groups + 1, lambda groups: inner.value(groups, groups[place] or "")


def _many(one: str, place: int, inner: _Type | None) -> tuple[str, int, Take]:
    """The same for an element that may come again: its whole block first, and then each."""
    each = re.compile(one)
    bare = re.sub(r"\((?!\?)", "(?:", one)

    def take(groups: Groups) -> Any:
        block = groups[place] or ""
        if inner is None:
            values = each.findall(block)
        elif inner.text >= 0:  # two groups, and both are always there
            values = [inner.value(found, found[0]) for found in each.findall(block)]
        else:
            values = [inner.value(found := match.groups(), found[0]) for match in each.finditer(block)]
        return values if len(values) > 1 else values[0]

    return f"((?:{bare})++)?+", 1, take


def _holds_more(page: bytes) -> bool:
    """Whether a page has comments, instructions or CDATA. One sign is looked for much faster than two: a page without
    any ! has none, nor has one with no more than the two ? of its declaration."""
    return (b"!" in page and b"<!" in page) or (page.count(b"?") > 2 and page.find(b"<?", 5) >= 0)


def _plainly(text: bytes) -> bool:
    """Whether what is written is what is meant, and > closes tags alone. Every tag has one at least."""
    return b"&" not in text and b"\r" not in text and text.count(b"<") == text.count(b">")


def _encoding(element: etree._Element) -> str | None:
    info: Any = element.getroottree().docinfo
    return str(info.encoding) if info.encoding else None


def _plain(text: str | None) -> str | None:
    """A text without the escapes of canonical XML."""
    if text is None or "&" not in text:
        return text
    if "<" in text:  # several elements: their texts cannot be told from their tags any more
        raise NotFitting
    for written, meant in _ESCAPES:
        text = text.replace(written, meant)
    return text
