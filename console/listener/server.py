"""The web server around the application, as a part of `dolen run`.

uvicorn with its pure Python reader of HTTP (h11), which is strict about what a request may look like. It limits how
long a connection may idle between requests and not how long the first one's headers may take, so that is done here.
What a proxy says of the caller's address is not believed.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from config.settings import Listener as Settings
from console.listener.app import Calls, application
from pipelines.logs import log, warn
from pipelines.plant import Plant
from pipelines.receiving import Receiver

_LOOK_SECONDS = 0.1
_CLOSE_SECONDS = 5
_MOST_HEADER_BYTES = 32_768
#: Connections open at the same time, whatever they do; a file each.
_MOST_CONNECTIONS = 512


class Listener:
    """Listens until told to stop. `told` is given the address once it is known."""

    def __init__(self, plant: Plant, settings: Settings, told: Callable[[str], None] = lambda _address: None) -> None:
        """Bind the port, so that what stands in the way is known before anything runs. Raises OSError."""
        self._settings = settings
        self._told = told
        self._receiver = Receiver(plant)
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        self._socket = socket.create_server((settings.host, settings.port), family=family, backlog=128)

    @property
    def address(self) -> str:
        """Where it listens."""
        scheme = "https" if self._settings.certificate else "http"
        host, port = self._socket.getsockname()[:2]
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"

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
        server = uvicorn.Server(
            uvicorn.Config(
                application(calls),
                http=_patient(within),
                ws="none",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=1,
                timeout_graceful_shutdown=_CLOSE_SECONDS,
                limit_concurrency=_MOST_CONNECTIONS,
                h11_max_incomplete_event_size=_MOST_HEADER_BYTES,
                ssl_certfile=self._settings.certificate,
                ssl_keyfile=self._settings.key,
            )
        )
        watch = threading.Thread(target=_watch, args=(stop, server), name="listener-watch")
        watch.start()
        try:
            log("listening")
            self._told(self.address)
            server.run([self._socket])
        except (OSError, SystemExit) as fault:
            warn("listener_fault", error=type(fault).__name__)
        finally:
            server.should_exit = True
            watch.join()
            calls.close()
            self._socket.close()


def _watch(stop: threading.Event, server: uvicorn.Server) -> None:
    while not server.should_exit:
        if stop.wait(_LOOK_SECONDS):
            server.should_exit = True


def _patient(seconds: float) -> type[H11Protocol]:
    """uvicorn's protocol, with a limit on how long a caller may take until its headers are there."""

    class Patient(H11Protocol):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._late = asyncio.get_running_loop().call_later(seconds, self._headers_late)

        def connection_lost(self, exc: Exception | None) -> None:
            self._late.cancel()
            super().connection_lost(exc)

        def _headers_late(self) -> None:
            if self.cycle is None and not self.transport.is_closing():
                self.transport.close()

    return Patient
