"""The doors for machines as a part of a process that runs the site."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from config.metrics import Metrics as Settings
from console import serving
from pipelines.logs import log, warn
from pipelines.plant import Plant

_WITHIN, _IDLE = 5.0, 15


class Gauged:
    """Serves them until told to stop. `told` is given the address once it is known."""

    def __init__(
        self, plant: Plant, settings: Settings, data: Path, told: Callable[[str], None] = lambda _address: None
    ) -> None:
        """Bind the port, so that what stands in the way is known before anything runs. Raises OSError."""
        self._plant, self._data, self._told = plant, data, told
        self._socket = serving.bind(settings.host, settings.port)

    @property
    def address(self) -> str:
        """Where it is reached."""
        return serving.address_of(self._socket)

    def run(self, stop: threading.Event) -> None:
        """Serve until `stop` is set."""
        from console.gauges.app import application  # what carries referrals starts without waiting for it

        served = serving.Served(application(self._plant, self._data), within=_WITHIN, idle=_IDLE)
        try:
            log("measured")
            self._told(self.address)
            served.run(self._socket, stop)
        except (OSError, SystemExit) as fault:
            warn("metrics_fault", error=type(fault).__name__)
        finally:
            self._socket.close()
