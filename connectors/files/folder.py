"""A folder in which files are dropped: listed, opened, moved and deleted by plain names alone.

A name is somebody else's word. Only names in the folder itself are looked at, only regular files are opened, and a
symbolic link is neither followed nor moved, so that no name can lead to another file of the machine.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from connectors.errors import Misconfigured, Unknown, Unreachable

TAKEN = "taken"  # the folder beside the files into which what was taken in is moved
MOST_FILES = 20_000  # in one folder; where more lie, somebody has to tidy up before the next can be found


@dataclass(frozen=True, slots=True)
class Dropped:
    """One file as the listing shows it."""

    name: str
    size: int  # bytes
    changed: float  # seconds since 1970, by the clock of the machine that holds it

    @property
    def mark(self) -> tuple[int, int]:
        """What differs when the file was written again: size and time in milliseconds."""
        return self.size, round(self.changed * 1000)


class Folder(Protocol):
    """Where files lie. Raises Unreachable where it cannot be reached and Misconfigured where it is not there."""

    def listing(self) -> list[Dropped]:
        """Every regular file in it, in no order."""

    def stream(self, name: str) -> BinaryIO:
        """Open a file to be read from its beginning. Raises Unknown if it has gone meanwhile."""

    def move(self, name: str) -> None:
        """Move a file into `taken`, over one of the same name. One that is gone is no fault."""

    def delete(self, name: str) -> None:
        """Delete a file. One that is gone is no fault."""

    def close(self) -> None:
        """Let go of the connection. Idempotent."""


class LocalFolder:
    """A folder of this machine, or one that is mounted here."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __repr__(self) -> str:
        return "LocalFolder()"

    def listing(self) -> list[Dropped]:
        """Every regular file in it."""
        try:
            with os.scandir(self._path) as entries:
                return list(_files(entries))
        except (FileNotFoundError, NotADirectoryError):
            raise Misconfigured("folder: there is no such folder: correct it, or have it made") from None
        except PermissionError:
            raise Misconfigured("folder: this account may not read it: ask for the right to") from None
        except OSError as trouble:
            raise Unreachable(
                f"the folder cannot be read ({errno.errorcode.get(trouble.errno or 0, 'error')})"
            ) from None

    def stream(self, name: str) -> BinaryIO:
        """Open a regular file; a link that was put in its place is refused."""
        try:
            handle = os.open(self._path / plain(name), os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        except OSError as trouble:
            raise Unknown(f"a file cannot be opened ({errno.errorcode.get(trouble.errno or 0, 'error')})") from None
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise Unknown("what was a file is none any more")
        return os.fdopen(handle, "rb")

    def move(self, name: str) -> None:
        """Move a file into `taken`."""
        try:
            (self._path / TAKEN).mkdir(exist_ok=True)
            (self._path / plain(name)).replace(self._path / TAKEN / name)
        except FileNotFoundError:
            return
        except OSError as trouble:
            raise _unmoved(trouble) from None

    def delete(self, name: str) -> None:
        """Delete a file."""
        try:
            (self._path / plain(name)).unlink(missing_ok=True)
        except OSError as trouble:
            raise _unmoved(trouble) from None

    def close(self) -> None:
        """There is nothing to let go of."""


def plain(name: str) -> str:
    """Return a name that stands for a file of the folder itself. Raises Misconfigured for any other."""
    if name in ("", ".", "..") or "/" in name or "\\" in name or "\0" in name:
        raise Misconfigured("a name of a file leads out of its folder; that is refused")
    return name


def bounded(files: list[Dropped]) -> list[Dropped]:
    """Return the files, if a folder can hold so many. Raises Misconfigured."""
    if len(files) > MOST_FILES:
        raise Misconfigured(
            f"folder: more than {MOST_FILES} files lie in it: move the old ones away, or write `after: move`"
        )
    return files


def _files(entries: Iterator[os.DirEntry[str]]) -> Iterator[Dropped]:
    for entry in entries:
        try:
            told = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue  # gone between the two looks
        if stat.S_ISREG(told.st_mode):
            yield Dropped(entry.name, told.st_size, told.st_mtime)


def _unmoved(trouble: OSError) -> Misconfigured:
    why = errno.errorcode.get(trouble.errno or 0, "error")
    return Misconfigured(
        f"after: a file that was taken in can be neither moved nor deleted ({why}): ask for the right to"
    )
