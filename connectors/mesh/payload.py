"""What is in a message: records read out of it, and one record written into it."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator

from lxml import etree

from connectors.errors import Rejected
from connectors.files.rows import Bad, Row, UnreadableFile, again, rows, total
from connectors.json_body import blemish
from connectors.mesh.profile import Mailbox, Send
from connectors.port import Record


def records(body: bytes, how: Mailbox) -> Iterator[Row | Bad]:
    """The records of a message, in its order. Raises UnreadableFile for one that is not whole."""
    if how.format == "json":
        return iter([again(body, how)])
    if how.control is not None:
        number, told = total(io.BytesIO(body), how)
        if told is None:
            raise UnreadableFile("it has no trailer, so it may have been cut off")
        if told != str(number):
            raise UnreadableFile(f"its trailer does not say {number}, which is how many records it holds")
    return rows(io.BytesIO(body), how)


def written(record: Record, how: Send) -> bytes:
    """One record as the bytes of a message. Raises Rejected for one that cannot be written so; nothing was sent."""
    doing = "writing a message"
    try:
        if how.format == "json":
            return json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
        if how.format == "csv":
            return _csv(record)
        return bytes(etree.tostring(_element(how.items or "", record), encoding="utf-8", xml_declaration=True))
    except (TypeError, ValueError, RecursionError) as trouble:
        why = str(trouble) if isinstance(trouble, _NotFlat) else blemish(record)
        raise Rejected(f"{doing}: the record cannot be written as {how.format} ({why}); nothing was sent") from None


def chunks(body: bytes, how: Send, most: int) -> list[bytes]:
    """A message's parts, each packed by itself, none longer than `most` bytes."""
    pack = gzip.compress if how.compress else bytes
    whole = pack(body)
    if len(whole) <= most:
        return [whole]
    # What cannot be packed grows by some bytes in a thousand, and by a head.
    step = max(most - most // 100 - 100, 1)
    return [pack(body[start : start + step]) for start in range(0, len(body), step)]


class _NotFlat(ValueError):
    """A record with something in it that the format has no place for."""


def _csv(record: Record) -> bytes:
    for value in record.values():
        if isinstance(value, dict | list):
            raise _NotFlat("a CSV record holds single values only")
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(record)
    writer.writerow(["" if value is None else _word(value) for value in record.values()])
    return out.getvalue().encode()


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _element(name: str, value: object) -> etree._Element:
    element = etree.Element(name)
    if not isinstance(value, dict):
        element.text = "" if value is None else _word(value)
        return element
    for key, inner in value.items():
        if key.startswith("@"):
            element.set(key[1:], _word(inner))
        elif key == ".":
            element.text = _word(inner)
        else:
            for one in inner if isinstance(inner, list) else [inner]:
                element.append(_element(key, one))
    return element
