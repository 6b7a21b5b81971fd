"""The site's lock: where the ledger is a file on this machine, exactly one process runs the site.

The operating system gives the lock back when its holder ends, however it ends. So whoever has it knows that every
earlier holder is gone. Sites on a database server need no lock: there the rows of `pipelines.processes` tell who lives.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


class AlreadyRunning(RuntimeError):
    """Another `dolen run` has this site. Stop that one first, or leave it to its work."""


@contextmanager
def only_one(lock_file: Path) -> Iterator[None]:
    """Hold the site's lock. The system gives it back when the process ends, however it ends. Raises AlreadyRunning."""
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    with lock_file.open("a+", encoding="utf-8") as handle:
        if not _lock(handle):
            raise AlreadyRunning("another `dolen run` has this site; stop that one first, or leave it to its work")
        yield


def is_held(lock_file: Path) -> bool:
    """Whether a process holds the lock at this moment."""
    try:
        with only_one(lock_file):
            return False
    except AlreadyRunning:
        return True


def _lock(handle: IO[str]) -> bool:
    if os.name == "nt":
        import msvcrt

        try:
            handle.seek(0)
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(handle.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
