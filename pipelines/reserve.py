"""The reserve: some megabytes beside an embedded ledger that are given up when its disk is full.

On a full disk even deleting needs room, because what is deleted is written down first. So while there is room a file
is kept that nobody needs. When the disk turns out to be full, taking in stops, by this file's word, until there is room
again; what makes room, or ends what has begun, may give the reserve up and go on. On PostgreSQL the disk is the
server's and cannot be seen from here: writing is tried again now and then.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from pathlib import Path

from pipelines.databases import FULL_WORDS, DiskFull
from pipelines.logs import log, warn

SIZE = 4 * 1024 * 1024  # bytes
NAME = "reserve"
#: So much more than the reserve must be free before taking in goes on, so that it is not begun and stopped by turns.
_AGAIN = 2
#: Where the free room cannot be seen: how long nothing is tried, in seconds.
_PATIENCE = 5.0


class Reserve:
    """Whether there is room, and the file that is kept for when there is not. Safe to share between threads."""

    def __init__(self, folder: Path | None, *, size: int = SIZE) -> None:
        """`folder`: where the ledger's file is; None where the disk is not ours to see."""
        self._file = None if folder is None else folder / NAME
        self._size = size
        self._lock = threading.Lock()
        self._full_since: float | None = None

    @property
    def is_full(self) -> bool:
        """Whether the disk was full when it was last written to, and there has been no room since."""
        return self._full_since is not None

    def keep(self) -> None:
        """Make the file where there is room enough for it beside everything else. Does nothing if it is there."""
        if self._file is None or self._whole() or not self._room(1 + _AGAIN):
            return
        try:
            with self._file.open("wb") as out:
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(out.fileno(), 0, self._size)
                else:
                    out.write(os.urandom(self._size))  # bytes that no disk stores smaller than they are
                    out.flush()
                os.fsync(out.fileno())
        except OSError:
            self._file.unlink(missing_ok=True)  # others were quicker to use the room

    def full(self) -> None:
        """Remember that there was no room."""
        with self._lock:
            if self._full_since is None:
                warn("the ledger's disk is full: nothing is taken in until there is room")
            self._full_since = time.monotonic()

    def ask(self, *, making_room: bool) -> None:
        """Let a writer pass. Raises DiskFull while there is no room, save for one that makes some."""
        if making_room:
            # A command that was just started does not know that the disk is full, so it looks.
            if self._file is not None and self._whole() and not self._room(1):
                self.give_up()
            return
        if self._full_since is None:
            return
        with self._lock:
            if self._full_since is not None and not self._again():
                raise DiskFull(FULL_WORDS)

    def give_up(self) -> bool:
        """Let go of the file; False if there was none."""
        try:
            if self._file is not None:
                self._file.unlink()
                return True
        except FileNotFoundError:
            pass
        return False

    def _again(self) -> bool:
        if self._file is None:
            if time.monotonic() - (self._full_since or 0.0) < _PATIENCE:
                return False
        elif not self._room(_AGAIN if self._whole() else 1 + _AGAIN):
            return False
        self._full_since = None
        log("the ledger's disk has room again")
        self.keep()
        return True

    def _whole(self) -> bool:
        return self._file is not None and self._file.exists() and self._file.stat().st_size >= self._size

    def _room(self, times: int) -> bool:
        """Whether so many times the reserve is free."""
        return self._file is not None and shutil.disk_usage(self._file.parent).free >= times * self._size
