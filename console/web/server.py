"""The console as a part of `dolen run`, and as `dolen serve`: the application on a web server of ours."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from config.settings import Console as Settings
from console import serving
from pipelines.logs import log, warn
from pipelines.plant import Plant

if TYPE_CHECKING:
    from console.web.who import Who

_WITHIN, _IDLE = 10.0, 15


class Console:
    """Serves the pages until told to stop. `told` is given the address once it is known."""

    def __init__(
        self,
        plant: Plant,
        settings: Settings,
        told: Callable[[str], None] = lambda _address: None,
        *,
        who: Who | None = None,
    ) -> None:
        """Bind the port, so that what stands in the way is known before anything runs. Raises OSError."""
        self._plant, self._settings, self._told, self._who = plant, settings, told, who
        self._socket = serving.bind(settings.host, settings.port)

    @property
    def address(self) -> str:
        """Where it is reached."""
        return serving.address_of(self._socket)

    def run(self, stop: threading.Event) -> None:
        """Serve until `stop` is set; requests in hand are answered."""
        # Loaded here: what carries referrals starts without waiting for what shows them.
        from console.web.app import application
        from console.web.who import nobody

        app = application(self._plant, who=self._who or nobody, language=self._settings.language)
        try:
            log("serving")
            self._told(self.address)
            serving.Served(app, within=_WITHIN, idle=_IDLE).run(self._socket, stop)
        except (OSError, SystemExit) as fault:
            warn("console_fault", error=type(fault).__name__)
        finally:
            for line in app.state.lines.values():
                line.close()
            self._socket.close()
