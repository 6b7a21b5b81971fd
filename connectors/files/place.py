"""Where a walk through dropped files stands: which files are done, which it is in, and behind which record.

The watermark is the files that are done and still lie there, each as a short digest of its name, size and time: a file
that is written again is another one, and one that is moved away is forgotten. So no clock has a say, a file that
arrives late under an early name is found, and a renamed one is read again, which changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

import orjson

from connectors.errors import Misconfigured
from connectors.files.folder import Dropped

_DIGITS = 16  # of a digest: 64 bits, among 20,000 files


def digest_of(file: Dropped) -> str:
    """What stands for one state of one file."""
    return sha256(f"{file.name}\0{file.size}\0{file.mark[1]}".encode("utf-8", "surrogateescape")).hexdigest()[:_DIGITS]


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a walk. `done`: files of this walk that were gone through; `file`: the one it is in; `row`: records
    of it that were read."""

    done: tuple[str, ...] = ()
    file: str = ""
    row: int = 0

    @classmethod
    def at(cls, cursor: str) -> Place:
        """Read a kept cursor; "" is the beginning. Raises Misconfigured if it is none of ours."""
        if not cursor:
            return cls()
        try:
            done, file, row = orjson.loads(cursor)
            return cls(tuple(map(str, done)), str(file), int(row))
        except (ValueError, TypeError):
            raise Misconfigured(
                "the kept place of this walk cannot be read: start the walk from its watermark"
            ) from None

    @property
    def cursor(self) -> str:
        """The place as text."""
        return orjson.dumps([self.done, self.file, self.row]).decode()

    def behind(self, file: str) -> Place:
        """The place behind a whole file."""
        return Place((*self.done, file))

    def within(self, file: str, row: int) -> Place:
        """The place behind so many records of a file."""
        return replace(self, file=file, row=row)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a watermark says: the files that are done, or, for a back-fill, since when a file must have changed."""

    done: frozenset[str] = frozenset()
    since: float = 0.0  # seconds since 1970

    def news(self, file: Dropped) -> bool:
        """Whether a file is still to be read."""
        return file.changed >= self.since and digest_of(file) not in self.done


def seen(watermark: str) -> Seen:
    """Read a watermark. Raises Misconfigured if it is neither one of ours nor a time."""
    if not watermark:
        return Seen()
    try:
        if not watermark.startswith("["):
            return Seen(since=datetime.fromisoformat(watermark).timestamp())
        return Seen(frozenset(map(str, orjson.loads(watermark))))
    except ValueError:
        raise Misconfigured("the kept watermark is not one of files: begin again with `dolen sync --from`") from None


def watermark_of(done: Iterable[str]) -> str:
    """The watermark that says that these files are done."""
    return orjson.dumps(sorted(done)).decode()
