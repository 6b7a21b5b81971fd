"""From the bytes of a file to records, one after the other and never all at once.

A record that cannot be read is told as a `Bad` one with its bytes, and the next one is read. What makes the file
as a whole unreadable (no line of names, XML that breaks off) is raised. Reasons name lines and columns of ours, and
never a value.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol

import orjson
from lxml import etree

from connectors import xml
from connectors.files.profile import Control, Csv
from connectors.json_body import UnreadableBody, sound
from connectors.json_body import parse as parse_json

LONGEST = 1_000_000  # bytes of one record or line: more is no record but a file without line breaks
_JSON = "application/json"


class Written(Protocol):
    """How records stand in a file."""

    @property
    def format(self) -> str: ...
    @property
    def encoding(self) -> str: ...
    @property
    def csv(self) -> Csv: ...
    @property
    def items(self) -> str | None: ...
    @property
    def control(self) -> Control | None: ...


class UnreadableFile(ValueError):
    """The file as a whole cannot be read. The text is safe to log."""


@dataclass(frozen=True, slots=True)
class Row:
    """A record and its own bytes, from which it can be read again."""

    record: dict[str, Any] = field(repr=False)
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Bad:
    """A record that cannot be read."""

    raw: bytes = field(repr=False)
    reason: str


def rows(stream: BinaryIO, drop: Written) -> Iterator[Row | Bad]:
    """The records of a file, in its order. Raises UnreadableFile, also behind records that were read."""
    if drop.format == "xml":
        return _xml(stream, drop.items or "")
    lines = _Lines(stream)
    if drop.format == "json-lines":
        return _json_lines(lines, drop.encoding)
    trailer = drop.control.trailer if drop.control is not None else None
    return _csv(lines, drop.csv, drop.encoding, trailer.first if trailer else None)


def total(stream: BinaryIO, drop: Written) -> tuple[int, str | None]:
    """How many records a file holds, and what the trailer's count says (None if it has no trailer).

    Raises UnreadableFile.
    """
    trailer = drop.control.trailer if drop.control is not None else None
    if trailer is None:
        return sum(1 for _ in rows(stream, drop)), None
    told = None
    number = 0
    names = drop.csv.columns is None
    for _, _, cells in _records(_Lines(stream), drop.csv, drop.encoding):
        if names:
            names = False
        elif cells and cells[0] == trailer.first:
            told = cells[trailer.count - 1] if len(cells) >= trailer.count else ""
        elif told is not None:
            raise UnreadableFile("records stand behind the trailer")
        elif cells:
            number += 1
    return number, told


def again(raw: bytes, drop: Written) -> Row | Bad:
    """Read one record's own bytes again."""
    if drop.format == "xml":
        try:
            element = xml.parse(raw, max_bytes=LONGEST)
        except xml.UnreadableXml as trouble:
            return Bad(raw, f"the record: {trouble}")
        return _element(element)
    return _json(raw, "the record")


class _Lines:
    """Lines of bytes, counted; a line without end is refused before it fills the memory."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.number = 0

    def __iter__(self) -> Iterator[bytes]:
        while line := self._stream.readline(LONGEST + 1):
            self.number += 1
            if len(line) > LONGEST:
                raise UnreadableFile(f"line {self.number} is longer than {LONGEST} bytes")
            if self.number == 1:
                line = line.removeprefix(codecs.BOM_UTF8)
            yield line


def _json_lines(lines: _Lines, encoding: str) -> Iterator[Row | Bad]:
    for line in lines:
        text = line.strip()
        if not text:
            continue
        where = f"line {lines.number}"
        if encoding not in ("utf-8", "ascii"):
            try:
                text = text.decode(encoding).encode()
            except UnicodeDecodeError:
                yield Bad(line, f"{where}: letters that are not {encoding}")
                continue
        yield _json(text, where)


def _json(text: bytes, where: str) -> Row | Bad:
    try:
        found = parse_json(text, _JSON)
        raw = sound(found)
    except UnreadableBody as trouble:
        return Bad(text, f"{where}: {trouble.reason.replace('the answer', 'it')}")
    if not isinstance(found, dict):
        return Bad(text, f"{where}: expected one record between braces")
    return Row(found, raw)


def _csv(lines: _Lines, how: Csv, encoding: str, trailer: str | None) -> Iterator[Row | Bad]:
    names: Sequence[str] | None = how.columns
    for number, raw, cells in _records(lines, how, encoding):
        if cells is None:
            if names is None:
                raise UnreadableFile(f"line {number}, which names the columns, holds letters that are not {encoding}")
            yield Bad(raw, f"line {number}: letters that are not {encoding}")
        elif names is None:
            names = _names(cells)
        elif not cells or (trailer is not None and cells[0] == trailer):
            continue
        elif len(cells) != len(names):
            yield Bad(raw, f"line {number}: found {len(cells)} fields, expected {len(names)}")
        else:
            record = dict(zip(names, cells, strict=True))
            yield Row(record, orjson.dumps(record))
    if names is None:
        raise UnreadableFile("it is empty: not even the names of the columns are there")


def _names(cells: Sequence[str]) -> Sequence[str]:
    names = [cell.strip() for cell in cells]
    if "" in names:
        raise UnreadableFile(f"column {names.index('') + 1} has no name")
    if len(set(names)) < len(names):
        place = next(at for at, name in enumerate(names, 1) if name in names[: at - 1])
        raise UnreadableFile(f"column {place} has the name of an earlier one")
    return names


def _records(lines: _Lines, how: Csv, encoding: str) -> Iterator[tuple[int, bytes, list[str] | None]]:
    """Each record with the number of its last line and its bytes; None for letters that cannot be read.

    The csv module is given one line after another, so that its own bytes can be told for each record. It must not see
    what it cannot mean: letters that are not of the encoding stand for themselves (surrogates) until the record is
    whole.
    """
    held: list[bytes] = []

    def fed() -> Iterator[str]:
        for line in lines:
            held.append(line)
            if sum(map(len, held)) > LONGEST:
                raise UnreadableFile(f"the record that ends in line {lines.number} is longer than {LONGEST} bytes")
            yield line.decode(encoding, "surrogateescape")

    reader = csv.reader(fed(), delimiter=how.delimiter, strict=True)
    while True:
        held.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise UnreadableFile(
                f"near line {lines.number}: a quotation mark does not close, a field is far too long, or lines "
                "do not end as lines do"
            ) from None
        broken = any("\udc80" <= letter <= "\udcff" for cell in cells for letter in cell) if _odd(cells) else False
        yield lines.number, b"".join(held), None if broken else cells


def _odd(cells: list[str]) -> bool:
    """Whether a field may hold a letter that was not of the encoding: most are plain and are not looked at closely."""
    return any(not cell.isascii() for cell in cells)


def _xml(stream: BinaryIO, name: str) -> Iterator[Row | Bad]:
    """Read element by element; what was read is let go of, so that a file of any length takes little memory."""
    found = etree.iterparse(
        _Undeclared(stream), events=("end",), tag=f"{{*}}{name}", resolve_entities=False, no_network=True,
        load_dtd=False, huge_tree=False, recover=False, remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        for _, element in found:
            if any(xml.local(above) == name for above in element.iterancestors()):
                continue  # a record within a record is part of it
            yield _element(element)
            element.clear(keep_tail=False)
            while element.getprevious() is not None:
                parent = element.getparent()
                assert parent is not None  # it has a sibling
                del parent[0]
    except etree.XMLSyntaxError as trouble:
        raise UnreadableFile(f"it is not well-formed XML (line {trouble.lineno})") from None


def _element(element: etree._Element) -> Row | Bad:
    raw = xml.canonical(element)
    if len(raw) > LONGEST:
        return Bad(raw[:LONGEST], f"the record is longer than {LONGEST} bytes")
    if next(element.iter(etree.Entity), None) is not None:
        return Bad(raw, "the record holds an entity that the file does not declare")
    record = xml.record_of(element, frozenset({etree.QName(element).namespace or ""}))
    if not isinstance(record, dict):
        return Bad(raw, "the record holds no element")
    return Row(record, raw)


class _Undeclared:
    """A stream of XML in which a document type declaration is refused as it passes by."""

    _SIGN = b"<!DOCTYPE"

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._tail = b""
        self._looking = True

    def read(self, size: int = -1) -> bytes:
        """Read on. Raises UnreadableFile where a declaration begins."""
        block = self._stream.read(io.DEFAULT_BUFFER_SIZE if size < 0 else size)
        if self._looking:
            seen = self._tail + block
            if self._SIGN in seen or self._SIGN.decode().encode("utf-16-le") in seen:
                raise UnreadableFile("it has a document type declaration (DOCTYPE), which is refused")
            self._tail = seen[-2 * len(self._SIGN) :]
        return block
