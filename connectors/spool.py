"""What a connector may keep on this machine's disk for one connection: sealed, and for good when `keep` returns.

It is for what a system gives away once and for what it must not be asked twice. Whoever opens a connector hands it in,
as the reservation of turns is; a connector without one refuses what it cannot do safely.
"""

from __future__ import annotations

from typing import Protocol

from connectors.errors import Misconfigured, Unreachable


class Spool(Protocol):
    """Named bodies of one connection. Safe to use from several threads and processes at once."""

    alone: bool  # no other machine works on this connection, so what is not kept here was not done

    def keep(self, name: str, body: bytes) -> None:
        """Write `body` so that a crash right after this cannot lose it. Raises SpoolFault."""

    def read(self, name: str) -> bytes | None:
        """Return what was kept, None if nothing of this name is. Raises SpoolFault for what cannot be opened."""

    def names(self, prefix: str) -> list[str]:
        """The names that begin so, in the order of the alphabet. Raises SpoolFault."""

    def drop(self, name: str) -> None:
        """Forget it; nothing happens if it is gone. Raises SpoolFault."""

    def forget_older(self, prefix: str, seconds: float) -> None:
        """Drop what begins so and was kept longer ago than that. Raises SpoolFault."""


class SpoolFault(Unreachable):
    """The disk did not take or give back what is kept there. It may do so later; nothing is asked before it does."""


def needed(spool: Spool | None, what: str) -> Spool:
    """Return the spool. Raises Misconfigured, saying what cannot be done without one."""
    if spool is None:
        raise Misconfigured(f"{what} needs a place on the disk, and none was handed in: use a site's command")
    return spool
