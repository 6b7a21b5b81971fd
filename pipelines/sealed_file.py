"""A file for one document on its way: sealed while it rests, readable only by the process that holds it, gone after.

The key is made for this file and never leaves memory, so what a killed process leaves on the disk can be read by
nobody. It stands in a folder of its own under the site's data and is unlinked at once where the system allows it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from connectors.http import Readable

#: Bytes sealed together: each piece has a number of its own as its nonce, which the key sees once.
PIECE = 64 * 1024
_TAG = 16


class SealedFile:
    """Takes a document piece by piece, then gives it back as often as it is asked. Use it as a context."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by __exit__
        self._cipher = AESGCM(AESGCM.generate_key(256))
        self._waiting = bytearray()
        self._pieces = 0
        self.size = 0
        self.begin = b""  # the first bytes, by which a type is known

    def __enter__(self) -> SealedFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def take(self, piece: bytes) -> None:
        """Add bytes at the end."""
        self._waiting += piece
        self.size += len(piece)
        if len(self.begin) < PIECE // 1024:
            self.begin = (self.begin + piece)[: PIECE // 1024]
        while len(self._waiting) >= PIECE:
            self._seal(bytes(self._waiting[:PIECE]))
            del self._waiting[:PIECE]

    def done(self) -> None:
        """Say that there is no more to come."""
        if self._waiting:
            self._seal(bytes(self._waiting))
            self._waiting.clear()

    def reader(self) -> Readable:
        """The document from its beginning; several readers do not get into one another's way."""
        return _Reader(self)

    def piece(self, number: int) -> bytes:
        """One piece, opened; b"" behind the last."""
        if number >= self._pieces:
            return b""
        self._file.seek(number * (PIECE + _TAG))
        return self._cipher.decrypt(_nonce(number), self._file.read(PIECE + _TAG), None)

    def _seal(self, piece: bytes) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._pieces), piece, None))
        self._pieces += 1


class _Reader:
    def __init__(self, spool: SealedFile) -> None:
        self._spool, self._number, self._left = spool, 0, b""

    def read(self, size: int = -1, /) -> bytes:
        if not self._left:
            self._left = self._spool.piece(self._number)
            self._number += 1
        count = size if size > 0 else PIECE
        given, self._left = self._left[:count], self._left[count:]
        return given


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")
