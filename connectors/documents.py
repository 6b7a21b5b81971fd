"""Documents that belong to a record: the port by which they are lent by one system and handed to another.

A document is met late and only once: its bytes go from the source into a file that nobody else can read, are looked
at there, and go on to the target. A connector that can do either has the methods of `Lends` or `TakesDocuments`, and
says so in `offers(DOCUMENT)`: "fetch", "create", "find".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from connectors.errors import Misconfigured
from connectors.port import Receipt

if TYPE_CHECKING:
    from connectors.http import Readable

#: What a document is called where kinds of records are: it is none, and has no mapping.
DOCUMENT = "Document"
#: Longest file name that is handed on, in characters.
LONGEST_NAME = 150
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\"<>|:*?;%]+")


@dataclass(frozen=True, slots=True)
class Lent:
    """What a source said of a document whose bytes it has just given. `mime` is "" where it did not say."""

    mime: str
    size: int  # bytes


@dataclass(frozen=True, slots=True)
class Document:
    """A document at hand. `reader` gives its bytes from the beginning; `name` may stand in a header as it is."""

    name: str = field(repr=False)
    mime: str
    size: int
    reader: Callable[[], Readable] = field(repr=False)


@runtime_checkable
class Lends(Protocol):
    """A system whose records have documents that can be fetched."""

    def lend(self, kind: str, id: str, ref: str, into: Callable[[bytes], None], *, most_bytes: int) -> Lent:
        """Fetch the document `ref` of record `id`, piece by piece, into `into`. A read, safe to repeat.

        Raises any of `connectors.errors`; ReplyTooLarge behind `most_bytes`, of which nothing is to be used.
        """


@runtime_checkable
class TakesDocuments(Protocol):
    """A system to whose records documents can be added."""

    def add(self, kind: str, id: str, document: Document, *, key: str) -> Receipt:
        """Add a document to record `id` under our stable `key`. Raises as `Target.deliver`."""

    def find_document(self, kind: str, id: str, key: str) -> str:
        """Return the target's id of the document that it holds under our key, "" if it holds none.

        Raises NotImplementedError where the profile names no way to ask.
        """


class Offering(Protocol):
    """What says what it can do."""

    def offers(self, kind: str) -> frozenset[str]:
        """See `connectors.port.Connector`."""


def offered(connector: Offering) -> frozenset[str]:
    """Of "fetch", "create" and "find", what a connector can do with documents; nothing where it knows of none."""
    try:
        return connector.offers(DOCUMENT)
    except Misconfigured:
        return frozenset()


def fit_name(name: str, mime: str) -> str:
    """Return a file name that leads nowhere and hides nothing: no path, no signs of control or direction.

    Source of the signs: Unicode TR 36 (directional overrides) and the names that Windows refuses.
    """
    last = re.split(r"[/\\]", name)[-1]
    kept = _UNFIT.sub(" ", last).strip(" .")
    kept = re.sub(r"\s+", " ", kept)
    stem, dot, ending = kept.rpartition(".")
    if len(kept) > LONGEST_NAME:
        kept = f"{stem[: LONGEST_NAME - len(ending) - 1]}.{ending}" if dot and len(ending) < 10 else kept[:LONGEST_NAME]
    return kept or f"document{_ENDINGS.get(mime, '')}"


_ENDINGS = {"application/pdf": ".pdf", "image/jpeg": ".jpg", "image/png": ".png", "text/plain": ".txt"}
