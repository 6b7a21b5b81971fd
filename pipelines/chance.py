"""Chance from the operating system, drawn in larger pieces: asking it for sixteen bytes costs as much as for thousands.

Each byte is handed out once. Good for keys and nonces as much as for names of rows; a process that forks must not
carry it over, which ours never do.
"""

from __future__ import annotations

import os
import threading

_PIECE = 8192


class _Drawn(threading.local):
    """What one thread has drawn and not used."""

    held = b""
    used = 0


_drawn = _Drawn()


def draw(count: int) -> bytes:
    """Return so many unpredictable bytes, 8,192 at most."""
    begin = _drawn.used
    if begin + count > len(_drawn.held):
        _drawn.held = os.urandom(_PIECE)
        begin = 0
    _drawn.used = begin + count
    return _drawn.held[begin : begin + count]
