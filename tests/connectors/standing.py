"""One product in the conformance suite, and what every outcome of a call to it must keep: time, bounds and silence."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import Any

from connectors.errors import ConnectorError
from connectors.port import Connector, Item, Record
from tests.connectors.fault_proxy import PERSON, TOKEN, Fault, FaultProxy

SECONDS = 0.15  # that one call may take where the peer is silent or slow, so that it is soon over
CALM_SECONDS = 10.0  # everywhere else; nothing should come near it, however busy the machine is
MOST_BYTES = 1_000_000  # of a reply
LATE = 1.5  # seconds beyond the deadline; the machine is busy, and what hangs hangs for longer
WORDS = (PERSON, "Blodeuwedd", "Prydderch", "900942", TOKEN)  # of the suppliers whom the proxy plays
MARK = "Mae Blodeuwedd Prydderch yn byw yma"


@dataclass
class Standing:
    """One product: how its connector is opened, what an invented record looks like, and where the peer stands."""

    name: str
    kind: str
    connect: Callable[..., Connector]  # opens the connection by way of the proxy, of CALM_SECONDS and MOST_BYTES;
    # `hurried=True` of SECONDS, `wrong=True` with a wrong secret
    record: Callable[[str], Record]  # an invented record whose free text is the given one
    proxy: FaultProxy | None  # None where nothing travels over HTTP
    secrets: tuple[str, ...] = ()
    fill: Callable[[int], None] | None = None  # lets staff type so many records; left out where we can create them
    change: Callable[[str, str], None] | None = None  # lets staff write a text into a record; left out likewise
    held: Callable[[], int] | None = None  # how many records the peer holds, where its own desk is asked
    shows: Callable[[str], Record] | None = None  # a record as the peer's own desk shows it, where we cannot read it
    whole: bool = False  # every change tells the whole record
    moving: frozenset[str] = frozenset()  # the fields at the top of a record that the system sets itself
    overlap: bool = True  # the feed asks again from its watermark
    versioned: bool = True
    exempt: Mapping[str, str] = field(default_factory=dict)  # check or "verb: fault" -> why it is not kept
    numbers: Iterator[int] = field(default_factory=count)
    kept: dict[str, str] = field(default_factory=dict)  # one record for many faults

    def offers(self, what: str) -> bool:
        """Whether the profile offers it."""
        return what in self.connector.offers(self.kind)

    def key(self) -> str:
        """A key that was never used."""
        return f"conform-{self.name}-{next(self.numbers)}"

    @cached_property
    def connector(self) -> Connector:
        """The connector, opened once."""
        return at_once(self.connect())

    @cached_property
    def hurried(self) -> Connector:
        """The same with little time."""
        return at_once(self.connect(hurried=True))

    def facing(self, fault: Fault) -> Connector:
        """The connector that meets a fault."""
        return self.hurried if fault.silent or fault.pause else self.connector

    def calm(self) -> None:
        """Let nothing go wrong from now on."""
        if self.proxy is not None:
            self.proxy.calm()

    def readable(self) -> bool:
        """Whether what was written can be looked at afterwards."""
        return self.offers("fetch") or self.shows is not None

    def stands(self, id: str) -> Item | None:
        """A record as it stands there now."""
        if self.shows is None:
            return self.connector.fetch(self.kind, id)
        return Item(id, self.shows(id), b"")

    def close(self) -> None:
        """Let go of the connectors."""
        self.connector.close()
        if "hurried" in self.__dict__:
            self.hurried.close()

    @contextmanager
    def keeping(self, what: str) -> Iterator[None]:
        """What happens inside must hold, unless it is exempted: then it must not."""
        reason = self.exempt.get(what)
        try:
            yield
        except AssertionError:
            if reason is None:
                raise
        else:
            assert reason is None, f"{what} holds for {self.name}: take the exemption out"


def at_once(connector: Connector) -> Connector:
    """Let it not wait before it tries a read again: only the clock is pretended."""
    for part in (connector, getattr(connector, "_asking", None), getattr(connector, "_login", None)):
        if hasattr(part, "_sleep"):
            part._sleep = lambda _: None
    return connector


def attempt(standing: Standing, call: Callable[[], Any], fault: Fault | None = None) -> Any:
    """What comes of a call: its value, or its named error, in time, within bounds and without anybody's words."""
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    try:
        outcome = call()
    except ConnectorError as error:
        outcome = error
    took = time.monotonic() - began
    most = SECONDS if fault is not None and (fault.silent or fault.pause) else CALM_SECONDS
    assert took < most + LATE, f"{standing.name}: {took:.1f} seconds"
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 80_000, f"{standing.name}: memory grew by {grown} KB"
    if isinstance(outcome, ConnectorError):
        silent(standing, outcome)
    return outcome


def silent(standing: Standing, error: ConnectorError) -> None:
    """An error says nobody's name and no secret, however it is printed."""
    said, at = [], error
    seen: set[int] = set()
    link: BaseException | None = at
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        said += [str(link), repr(link), repr(link.args)]
        link = link.__cause__ or link.__context__ if not link.__suppress_context__ or link.__cause__ else None
    said += [repr(standing.connector), error.code]
    said += [str(getattr(error, name, "")) for name in ("field", "existing")]
    text = "\n".join(said)
    for word in (*WORDS, *standing.secrets):
        assert word not in text, f"{standing.name}: an error shows what it must not"
