"""The journal: which calls that may change a target were begun, so that after a kill only those are in doubt.

Just before a call its delivery's number and its lease's fence are appended to a file of the process, without waiting
for the disk: a process that is killed does not lose what it has written, so whoever cleans up after it on the same
machine knows what was never sent. A power cut may lose the end of the file. It therefore counts only while the machine
has not been started anew since, which the file's first line tells; where it does not count, everything leased is in
doubt.
"""

from __future__ import annotations

import contextlib
import os
import struct
import sys
import threading
from collections.abc import Iterable
from pathlib import Path

_ENTRY = struct.Struct(">qq")  # a delivery's number, and the fence that its lane was leased under
_LARGEST = 4_000_000  # bytes; a file that has grown so far is begun anew between two batches


class Journal:
    """One process's journal, begun at once: without the file nobody could tell that nothing was sent. Safe to share
    between threads."""

    def __init__(self, folder: Path, boot: str) -> None:
        self._file = folder / f"{boot}.sent"
        self._lock = threading.Lock()
        self._handle = -1
        self._written = 0
        self._open()

    def sending(self, delivery: int, fence: int) -> None:
        """Note that a call for this delivery begins now, under this lease."""
        with self._lock:
            self._written += os.write(self._handle, _ENTRY.pack(delivery, fence))

    def nothing_in_flight(self) -> None:
        """Say that every call that was begun has its result in the ledger: a long file is begun anew."""
        with self._lock:
            if self._handle >= 0 and self._written > _LARGEST:
                os.close(self._handle)
                self._open()

    def close(self) -> None:
        """End in order: nothing is in doubt, and the file is not needed any more."""
        with self._lock:
            if self._handle >= 0:
                os.close(self._handle)
                self._handle = -1
            self._file.unlink(missing_ok=True)

    def _open(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | getattr(os, "O_BINARY", 0)
        self._handle = os.open(self._file, flags, 0o600)
        os.write(self._handle, _first_line())
        self._written = 0


def begun(folder: Path, boot: str) -> frozenset[tuple[int, int]] | None:
    """The deliveries for which a dead process had begun a call, each with its fence; None where nobody can know.

    A process that wrote no journal on this machine may have run on another one.
    """
    try:
        found = (folder / f"{boot}.sent").read_bytes()
    except OSError:
        return None
    first = _first_line()
    if not first.strip() or not found.startswith(first):
        return None
    entries = found[len(first) :]
    whole = len(entries) - len(entries) % _ENTRY.size
    return frozenset((delivery, fence) for delivery, fence in _ENTRY.iter_unpack(entries[:whole]))


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
