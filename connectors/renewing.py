"""A login that is fetched, held for all threads, and fetched anew shortly before it ends or once it is refused.

Renewal is single-flight: while one thread asks, the others wait for its answer, also when the answer is no. A wrong
secret is thus tried once and not once a thread, which would lock the account at many a login server.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from connectors.again import safely_again
from connectors.deadline import Deadline
from connectors.errors import ConnectorError, Unreachable

EARLY = 30.0  # seconds before its end at which a login is renewed, but never earlier than after nine tenths of its life


@dataclass(frozen=True, slots=True)
class Ticket:
    """The headers that log a call in, and until when they do."""

    headers: Mapping[str, str] = field(repr=False)
    renew_at: float  # on the monotonic clock

    @classmethod
    def good_for(cls, headers: Mapping[str, str], asked: float, seconds: float) -> Ticket:
        """A ticket that was asked for at a moment and is good for so many seconds."""
        return cls(headers, asked + seconds - min(EARLY, seconds / 10))


@dataclass(frozen=True, slots=True)
class _Failure:
    error: ConnectorError
    at: float


class Renewing:
    """Holds the newest ticket; `fetch` asks for one and raises `connectors.errors`. Safe to use from many threads."""

    def __init__(
        self,
        fetch: Callable[[Deadline], Ticket],
        *,
        name: str,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._fetch = fetch
        self._name = name
        self._monotonic = monotonic
        self._sleep = sleep
        self._renewing = threading.Lock()
        self._held: Ticket | None = None
        self._failed: _Failure | None = None

    def __repr__(self) -> str:
        return f"Renewing({self._name})"

    def headers(self, deadline: Deadline) -> Mapping[str, str]:
        """Return headers that are still good. Raises Unauthorised, Unreachable or Throttled."""
        held = self._held
        if held is None or self._monotonic() >= held.renew_at:
            held = self._renew({}, deadline)
        return held.headers

    def renewed(self, refused: Mapping[str, str], deadline: Deadline) -> Mapping[str, str]:
        """Return other headers than the refused ones, which another thread may hold already."""
        return self._renew(refused, deadline).headers

    def _renew(self, refused: Mapping[str, str], deadline: Deadline) -> Ticket:
        asked = self._monotonic()
        if not self._renewing.acquire(timeout=max(deadline.left(), 0.0)):
            raise Unreachable("logging in took longer than the call may take; nothing was sent")
        try:
            held, failed = self._held, self._failed
            if held is not None and self._monotonic() < held.renew_at and held.headers != refused:
                return held
            if failed is not None and failed.at >= asked:
                raise _anew(failed.error)
            try:
                self._held = safely_again(lambda: self._fetch(deadline), deadline, sleep=self._sleep)
            except ConnectorError as error:
                # A copy has no traceback: that one's frames hold the failure before, and so on back to the first.
                self._failed = _Failure(_anew(error), self._monotonic())
                raise
            return self._held
        finally:
            self._renewing.release()


def _anew(error: ConnectorError) -> ConnectorError:
    """The same error as another object, without a traceback. Not by `copy`: some classes ask for more to be made."""
    made = type(error).__new__(type(error), *error.args)
    made.__dict__.update(error.__dict__)
    return made
