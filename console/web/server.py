"""The console as a part of `dolen run`, and as `dolen serve`: pages behind the entrance, on a web server of ours."""

from __future__ import annotations

import threading
from collections.abc import Callable

from starlette.types import ASGIApp

from config.settings import Console as Settings
from config.site import Site
from console import serving
from pipelines.logs import log, warn
from pipelines.plant import Plant

_WITHIN, _IDLE = 10.0, 15


class Console:
    """Serves the pages until told to stop. `told` is given the address once it is known, and a link that signs in
    whoever started the pages, where the site names no provider. `around` wraps all that is served, to time it."""

    def __init__(
        self,
        plant: Plant,
        site: Site,
        settings: Settings,
        told: Callable[[str, str], None],
        *,
        who: str,
        around: Callable[[ASGIApp], ASGIApp] | None = None,
    ) -> None:
        """Bind the port, so that what stands in the way is known before anything runs. Raises OSError."""
        self._plant, self._site, self._settings, self._told, self._by = plant, site, settings, told, who
        self._around = around
        self._socket = serving.bind(settings.host, settings.port)

    @property
    def address(self) -> str:
        """Where it is reached."""
        return serving.address_of(self._socket)

    def run(self, stop: threading.Event) -> None:
        """Serve until `stop` is set; requests in hand are answered."""
        # Loaded here: what carries referrals starts without waiting for what shows them.
        from console import signin
        from console.api import beside
        from console.web.app import application, notice

        entrance = signin.entrance_of(self._site, self._plant, page=notice)
        app = application(self._plant, language=self._settings.language)
        try:
            log("serving")
            self._told(self.address, "" if entrance.provider else entrance.link(self.address, self._by))
            whole = signin.shielded(beside(app), entrance)
            if self._around is not None:
                whole = self._around(whole)
            served = serving.Served(whole, within=_WITHIN, idle=_IDLE)
            served.run(self._socket, stop)
        except (OSError, SystemExit) as fault:
            warn("console_fault", error=type(fault).__name__)
        finally:
            for line in app.state.lines.values():
                line.close()
            self._socket.close()
