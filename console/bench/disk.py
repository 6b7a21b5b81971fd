"""A small disk of the bench's own under the data folder, so that it can be filled without harm to anybody.

It is a file with a file system in it, mounted there; that takes root and Linux. Where it cannot be had the data lie in
an ordinary folder, nothing is filled, and the bench says so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from types import TracebackType

#: Room for the ledger: a bottom and so much for each request, in bytes.
ROOM, ROOM_EACH = 128_000_000, 150_000


class Disk:
    """Use it as a context. `folder` is the data folder; it is made. `keep`: what lies in it outlives the disk."""

    def __init__(self, folder: Path, referrals: int, *, wanted: bool = True, keep: bool = False) -> None:
        self._folder = folder
        self._image = folder.with_name("disk.img")
        self._filler = folder / "filler"
        self._size = ROOM + ROOM_EACH * referrals
        self._mounted, self._wanted, self._keep = False, wanted, keep
        self.why_not = ""

    @property
    def can_fill(self) -> bool:
        """Whether the disk is ours to fill."""
        return self._mounted

    def __enter__(self) -> Disk:
        self._folder.mkdir(parents=True)
        self.why_not = self._mount()
        self._mounted = not self.why_not
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._mounted:
            kept = self._folder.with_name("kept")
            if self._keep:
                shutil.copytree(self._folder, kept, ignore=shutil.ignore_patterns("lost+found"))
            _run("umount", "--lazy", str(self._folder))
            self._image.unlink(missing_ok=True)
            if self._keep:
                shutil.copytree(kept, self._folder, dirs_exist_ok=True)
                shutil.rmtree(kept)

    def fill(self) -> None:
        """Take all the room that is left."""
        free = shutil.disk_usage(self._folder).free
        with self._filler.open("wb") as filler:
            try:
                os.posix_fallocate(filler.fileno(), 0, free)
            except OSError:  # somebody took a part of it meanwhile: what is left goes in small pieces
                while True:
                    try:
                        filler.write(b"\0" * 65_536)
                        filler.flush()
                    except OSError:
                        break

    def free(self) -> None:
        """Give it back."""
        self._filler.unlink(missing_ok=True)

    def _mount(self) -> str:
        """Returns why it cannot be done, "" if it is."""
        if not self._wanted:
            return "the ledger lies on a server"
        if not hasattr(os, "geteuid") or os.geteuid() != 0:
            return "that takes root"
        if shutil.which("mkfs.ext4") is None or shutil.which("mount") is None:
            return "there is no mkfs.ext4 here"
        with self._image.open("wb") as image:
            image.truncate(self._size)
        for command in (
            ("mkfs.ext4", "-q", "-F", "-m", "0", str(self._image)),
            ("mount", "-o", "loop", str(self._image), str(self._folder)),
        ):
            if words := _run(*command):
                self._image.unlink(missing_ok=True)
                return words
        return ""


def _run(*command: str) -> str:
    """Run a tool of the system; returns its words if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)  # noqa: S603
    return "" if done.returncode == 0 else f"{command[0]}: {done.stderr.strip() or done.returncode}"
