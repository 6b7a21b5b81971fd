"""The listener as a part of `dolen run`: the application for pushes on a web server of ours."""

from __future__ import annotations

import threading
from collections.abc import Callable

from config.settings import Listener as Settings
from console import serving
from console.listener.app import Calls, application
from pipelines.logs import log, warn
from pipelines.plant import Plant
from pipelines.receiving import Receiver


class Listener:
    """Listens until told to stop. `told` is given the address once it is known."""

    def __init__(self, plant: Plant, settings: Settings, told: Callable[[str], None] = lambda _address: None) -> None:
        """Bind the port, so that what stands in the way is known before anything runs. Raises OSError."""
        self._settings = settings
        self._told = told
        self._receiver = Receiver(plant)
        self._socket = serving.bind(settings.host, settings.port)

    @property
    def address(self) -> str:
        """Where it listens."""
        return serving.address_of(self._socket, "https" if self._settings.certificate else "http")

    def run(self, stop: threading.Event) -> None:
        """Serve until `stop` is set; calls in hand are answered."""
        within = self._settings.within.total_seconds()
        calls = Calls(
            self._receiver.receive,
            self._receiver.known,
            most_bytes=self._settings.most_bytes,
            within=within,
            at_once=self._settings.at_once,
        )
        served = serving.Served(
            application(calls),
            within=within,
            idle=1,
            certificate=self._settings.certificate,
            key=self._settings.key,
        )
        try:
            log("listening")
            self._told(self.address)
            served.run(self._socket, stop)
        except (OSError, SystemExit) as fault:
            warn("listener_fault", error=type(fault).__name__)
        finally:
            calls.close()
            self._socket.close()
