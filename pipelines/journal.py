"""The journal: which calls that may change a target were begun, so that after a kill only those are in doubt.

Just before a call its delivery's number and its lease's fence are noted in a file of the process that lies in memory
too: a process that is killed does not lose what it has noted, so whoever cleans up after it on the same machine knows
what was never sent. A power cut may lose it. It therefore counts only while the machine has not been started anew
since, which the file's first line tells; where it does not count, everything leased is in doubt.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import struct
import sys
import threading
from collections.abc import Iterable
from pathlib import Path

_ENTRY = struct.Struct(">qq")  # a delivery's number, and the fence that its lane was leased under
_HEAD = 64  # bytes in front of the first entry
#: Entries before the oldest is written over: far more than one process can have leased at once.
_ROOM = 65_536


class Journal:
    """One process's journal, begun at once: without the file nobody could tell that nothing was sent. Safe to share
    between threads."""

    def __init__(self, folder: Path, boot: str) -> None:
        """Make the file, at its full length: a disk that is full later must not stop a call. Raises OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / f"{boot}.sent"
        self._lock = threading.Lock()
        self._next = 0
        handle = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(handle, "r+b") as out:
            out.write(_first_line().ljust(_HEAD, b"\0") + bytes(_ENTRY.size * _ROOM))
            out.flush()
            self._noted: mmap.mmap | None = mmap.mmap(out.fileno(), _HEAD + _ENTRY.size * _ROOM)

    def sending(self, delivery: int, fence: int) -> None:
        """Note that a call for this delivery begins now, under this lease."""
        with self._lock:
            assert self._noted is not None
            _ENTRY.pack_into(self._noted, _HEAD + _ENTRY.size * (self._next % _ROOM), delivery, fence)
            self._next += 1

    def close(self) -> None:
        """End in order: nothing is in doubt, and the file is not needed any more."""
        with self._lock:
            if self._noted is not None:
                self._noted.close()
                self._noted = None
            self._file.unlink(missing_ok=True)


def begun(folder: Path, boot: str) -> frozenset[tuple[int, int]] | None:
    """The deliveries for which a dead process had begun a call, each with its fence; None where nobody can know.

    A process that wrote no journal on this machine may have run on another one.
    """
    try:
        found = (folder / f"{boot}.sent").read_bytes()
    except OSError:
        return None
    first = _first_line()
    whole = len(found) == _HEAD + _ENTRY.size * _ROOM
    if not first.strip() or not whole or not found.startswith(first):
        return None
    return frozenset(entry for entry in _ENTRY.iter_unpack(found[_HEAD:]) if entry[0])


def forget(folder: Path, boots: Iterable[str]) -> None:
    """Remove the journals of processes that have been cleaned up after."""
    for boot in boots:
        with contextlib.suppress(OSError):
            (folder / f"{boot}.sent").unlink()


def forget_all(folder: Path) -> None:
    """Remove every journal: no process but the one that asks is alive."""
    for file in folder.glob("*.sent"):
        file.unlink(missing_ok=True)


def _first_line() -> bytes:
    """What this start of the machine is called; an empty line where the system does not say, which never counts."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            return Path("/proc/sys/kernel/random/boot_id").read_bytes().strip() + b"\n"
    return b"\n"
