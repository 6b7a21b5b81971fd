"""The spool: what a system gave away once, sealed on this machine's disk until the ledger has it.

One folder for each connection below the site's data. A file is sealed with a key of its council that no file holds, and
council, connection and name are authenticated with it, so that it cannot pass for another. It is written beside its
place, forced to the disk, and then renamed: what has its name is whole.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from connectors.registry import family_of
from connectors.spool import SpoolFault
from pipelines.chance import draw
from pipelines.keystore import KeyStore
from pipelines.plant import Council

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,150}")
_UNFINISHED = ".new"
_AS_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)  # Windows would mend line ends
_STILL_WRITTEN = 3_600.0  # seconds after which nobody is still writing a file


class FolderSpool:
    """One connection's files. Safe to use from several threads and processes at once."""

    def __init__(self, folder: Path, keys: KeyStore, council: str, connection: str, *, alone: bool) -> None:
        """Nothing is written before the first `keep`. `alone`: no other machine works on this connection."""
        self._folder = folder / council / connection
        self._keys = keys
        self._council = council
        self._connection = connection
        self.alone = alone

    def __repr__(self) -> str:
        return f"FolderSpool({self._council}/{self._connection})"

    def keep(self, name: str, body: bytes) -> None:
        """Write it for good; see `connectors.spool.Spool`."""
        place = self._place(name)
        nonce = draw(12)
        sealed = nonce + self._sealing().encrypt(nonce, body, self._about(name))
        unfinished = place.with_name(f"{name}.{os.getpid()}-{draw(4).hex()}{_UNFINISHED}")
        try:
            self._there()
            with os.fdopen(os.open(unfinished, _AS_NEW, 0o600), "wb") as file:
                file.write(sealed)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(place)
            _settle(self._folder)
        except OSError as problem:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise self._fault("cannot be written", problem) from None

    def read(self, name: str) -> bytes | None:
        """Open it; see `connectors.spool.Spool`."""
        try:
            sealed = self._place(name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as problem:
            raise self._fault("cannot be read", problem) from None
        try:
            return self._sealing().decrypt(sealed[:12], sealed[12:], self._about(name))
        except (InvalidTag, ValueError):
            raise SpoolFault(
                f"a file of the spool of {self._council}/{self._connection} cannot be opened: it was changed, or it is "
                "of a site with another main key; move it out of the folder, and compare with the supplier"
            ) from None

    def names(self, prefix: str) -> list[str]:
        """List what is kept; see `connectors.spool.Spool`."""
        try:
            found = [entry.name for entry in os.scandir(self._folder) if not _left_over(entry)]
        except FileNotFoundError:
            return []
        except OSError as problem:
            raise self._fault("cannot be listed", problem) from None
        return sorted(name for name in found if name.startswith(prefix) and _NAME.fullmatch(name))

    def drop(self, name: str) -> None:
        """Forget it; see `connectors.spool.Spool`."""
        try:
            self._place(name).unlink(missing_ok=True)
        except OSError as problem:
            raise self._fault("cannot be tidied", problem) from None

    def forget_older(self, prefix: str, seconds: float) -> None:
        """Tidy up; see `connectors.spool.Spool`."""
        before = time.time() - seconds
        for name in self.names(prefix):
            with suppress(FileNotFoundError):
                if self._place(name).stat().st_mtime < before:
                    self.drop(name)

    def _place(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError("a name in the spool is of small letters, digits and hyphens")
        return self._folder / name

    def _about(self, name: str) -> bytes:
        return f"{self._council}|{self._connection}|{name}".encode()

    def _sealing(self) -> AESGCM:
        return AESGCM(self._keys.council_key(self._council, "spool"))

    def _there(self) -> None:
        """Make the folders, each for good before the one in it."""
        for folder in (self._folder.parent.parent, self._folder.parent, self._folder):
            if not folder.is_dir():
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                _settle(folder.parent)

    def _fault(self, what: str, problem: OSError) -> SpoolFault:
        why = os.strerror(problem.errno) if problem.errno else type(problem).__name__
        return SpoolFault(
            f"the spool of {self._council}/{self._connection} (the folder spool in the site's data) {what}: {why}; "
            "give Dolen's account room and rights there"
        )


def give_places(council: Council, keys: KeyStore, folder: Path, *, alone: bool) -> None:
    """Give the connections that keep something on the disk a place there; nothing is written yet."""
    for name, wired in council.wired.items():
        family = family_of(str(wired.settings.get("protocol")))
        if family is not None and family.spools:
            wired.keeps(FolderSpool(folder, keys, council.code, name, alone=alone))


def _left_over(entry: os.DirEntry[str]) -> bool:
    """Whether a file was never finished, as its writer died; one that is old enough is cleared away."""
    if not entry.name.endswith(_UNFINISHED):
        return False
    with suppress(FileNotFoundError):
        if entry.stat().st_mtime < time.time() - _STILL_WRITTEN:
            Path(entry.path).unlink()
    return True


def _settle(folder: Path) -> None:
    """Force a folder's own entries to the disk; Windows does it by itself."""
    if os.name == "nt":
        return
    entry = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(entry)
    finally:
        os.close(entry)
