"""What was once read of pinned interfaces: a large WSDL is parsed when it has changed, and not each time.

An entry is found by what was asked and by the profile, and believed only if every pinned file that was read for it has
the same bytes today and its own bytes have the digest that stands before them. It lies in the user's cache folder, may
be deleted at any time, and is never written into a site.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from collections.abc import Mapping as Dictionary
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

Read = Callable[[str], bytes]
Ask = Callable[[Read], Any]  # given the reader of pinned files; answers with plain data

#: Raised whenever the same files would give another answer: the neutral form, or what a profile is held against.
VERSION = 1
_MOST_ENTRIES = 200  # a site has some ten; the oldest go


def folder_of(environment: Dictionary[str, str]) -> Path | None:
    """Where this user's caches are; None where nobody knows."""
    own = environment.get("LOCALAPPDATA") if os.name == "nt" else environment.get("XDG_CACHE_HOME")
    if own and Path(own).is_absolute():
        return Path(own) / "dolen" / "interfaces"
    with suppress(RuntimeError):  # an account without a home
        return Path.home() / ".cache" / "dolen" / "interfaces"
    return None


class InterfaceCache:
    """Answers about pinned interfaces, each worked out once. A cache that cannot be used is no cache, and no fault."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._known: dict[str, Any] = {}

    def answer(self, question: str, profile: Dictionary[str, Any], read: Read, ask: Ask) -> Any:
        """The answer of `ask`, from the cache if the files are as they were. Raises what `ask` raises."""
        key = sha256(json.dumps([VERSION, question, profile], sort_keys=True, default=str).encode()).hexdigest()
        if key not in self._known:
            found = self._kept(key, read)
            self._known[key] = self._asked(key, read, ask) if found is None else found[0]
        return self._known[key]

    def _kept(self, key: str, read: Read) -> tuple[Any] | None:
        """What is kept under the key, in a tuple; None for nothing, and for anything that is not as it should be."""
        if self._folder is None:
            return None
        try:
            head, _, body = (self._folder / f"{key}.json").read_bytes().partition(b"\n")
            told = json.loads(head)
            if told["version"] != VERSION or told["digest"] != sha256(body).hexdigest():
                return None
            if any(sha256(read(name)).hexdigest() != digest for name, digest in told["files"].items()):
                return None
            return (json.loads(body),)
        except Exception:
            return None

    def _asked(self, key: str, read: Read, ask: Ask) -> Any:
        files: dict[str, str] = {}

        def reading(name: str) -> bytes:
            content = read(name)
            files[name] = sha256(content).hexdigest()
            return content

        found = ask(reading)
        if files and self._folder is not None:
            with suppress(OSError):
                self._keep(self._folder, key, files, found)
        return found

    def _keep(self, folder: Path, key: str, files: dict[str, str], found: Any) -> None:
        """Write an entry whole or not at all: another process may read or write it at this moment."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        body = json.dumps(found, separators=(",", ":")).encode()
        head = json.dumps({"version": VERSION, "files": files, "digest": sha256(body).hexdigest()}).encode()
        handle, name = tempfile.mkstemp(dir=folder, prefix="new-")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(head + b"\n" + body)
            Path(name).replace(folder / f"{key}.json")
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
        _prune(folder)


def _prune(folder: Path) -> None:
    entries = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in entries[_MOST_ENTRIES:]:
        old.unlink(missing_ok=True)
