"""A file inside a body that is sent: in Base64 or as it is, with what stands around it, and never whole in memory."""

from __future__ import annotations

import base64
import io
import secrets
from collections.abc import Callable

from connectors.documents import Document
from connectors.http import PIECE, Body, Readable


def mark() -> str:
    """A text that nothing else holds, to stand where a file goes. It is Base64 itself, so that a schema takes it."""
    return secrets.token_hex(16)


def in_place_of(marked: str, body: bytes, document: Document) -> tuple[int, Callable[[], Body]]:
    """A rendered body with a document's Base64 in place of the mark: its length in bytes, and what gives it."""
    head, _, tail = body.partition(marked.encode())
    size = len(head) + encoded_size(document.size) + len(tail)
    return size, lambda: Around(head, Encoded(document.reader()), tail, size)


def encoded_size(size: int) -> int:
    """How many bytes so many bytes are in Base64 (RFC 4648, with padding)."""
    return -(-size // 3) * 4


class Encoded:
    """A file in Base64, read once from beginning to end."""

    def __init__(self, file: Readable) -> None:
        self._file = file
        self._left = b""

    def read(self, size: int = -1, /) -> bytes:
        """Return the next piece: about as much as was asked for, none at the end."""
        while piece := self._file.read(size if size > 0 else PIECE):
            whole = self._left + piece
            end = len(whole) - len(whole) % 3  # three bytes are four signs: what is over waits for more
            self._left = whole[end:]
            if end:
                return base64.b64encode(whole[:end])
        last, self._left = self._left, b""
        return base64.b64encode(last)


class Around:
    """A file with something before and behind it, read once from beginning to end."""

    def __init__(self, head: bytes, file: Readable, tail: bytes, size: int) -> None:
        self._left: list[Readable] = [io.BytesIO(head), file, io.BytesIO(tail)]
        self.len = size  # by this name requests learns that the length is known

    def read(self, size: int = -1, /) -> bytes:
        """Return the next piece, none at the end."""
        while self._left:
            if piece := self._left[0].read(size if size > 0 else PIECE):
                return piece
            self._left.pop(0)
        return b""
