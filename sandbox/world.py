"""Builds one sandbox: its store, its clock, its systems, its faults, and the server in front of them."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sandbox.bars import Bars
from sandbox.bars_answers import BarsAnswers
from sandbox.casework import Casework
from sandbox.contact import Contact
from sandbox.control import Control
from sandbox.dataverse import Dataverse
from sandbox.exchange import System
from sandbox.faults import Faults
from sandbox.health import Health
from sandbox.jadu import Jadu
from sandbox.life import Life
from sandbox.notify import Notify
from sandbox.receipts import Receipts
from sandbox.salesforce import Salesforce
from sandbox.store import Store
from sandbox.story_desk import StoryDesk
from sandbox.tally import Tally
from sandbox.verint import Verint
from sandbox.web import Server

TENANTS = ("torfaen", "blaenau-gwent", "neath-port-talbot")


class SettableClock:
    """The time that all systems of a sandbox share: the machine's, moved by as much as somebody set it apart."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def set(self, now: datetime) -> None:
        """Make it `now` (aware); time goes on from there."""
        self._ahead = now - datetime.now(UTC)


class World:
    """One sandbox with its state in `directory`, which is made if it is not there."""

    def __init__(self, directory: Path, *, tenants: Iterable[str] = TENANTS) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.store = Store(directory / "sandbox.db")
        self.clock = SettableClock()
        self.faults, self.tally = Faults(), Tally()
        casework, contact = Casework(self.store, self.clock), Contact(self.store, self.clock)
        notify = Notify(self.store, self.clock)
        health = Health(self.store, self.clock)
        platforms: list[System] = [Dataverse(self.store, self.clock), Salesforce(self.store, self.clock)]
        others: list[System] = [Verint(self.store, self.clock), Jadu(self.store, self.clock)]
        others.append(Bars(self.store, self.clock))
        systems: list[System] = [casework, contact, notify, health, *platforms, *others]
        self.systems = {system.name: system for system in systems}
        self.life = Life(self.store, contact, casework, health, self.clock)
        self.receipts = Receipts(self.store, notify, self.clock)
        stories = StoryDesk(self.store, self.life, self.receipts, BarsAnswers(self.store, self.clock))
        self.control = Control(self.store, self.systems, self.faults, self.tally, self.clock, tuple(tenants), stories)

    def server(self, *, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None) -> Server:
        """Open the port; `start()` on what is returned begins to serve. Raises OSError where the port is taken.

        A story that was going on when the sandbox was last stopped goes on.
        """
        server = Server(self.systems, self.control, self.faults, self.tally, self.clock, host=host, port=port, tls=tls)
        self.life.begin()
        self.receipts.begin()
        return server

    def close(self) -> None:
        """End the life in it and let go of the file."""
        self.life.stop()
        self.receipts.stop()
        self.store.close()
