"""A web server of ours around an application: how long a caller may take, how it is told to stop.

uvicorn with its pure Python reader of HTTP (h11), which is strict about what a request may look like. It limits how
long a connection may idle between requests and not how long the first one's headers may take, so that is done here.
What a proxy says of the caller's address is not believed.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

_LOOK_SECONDS = 0.1
_CLOSE_SECONDS = 5
_MOST_HEADER_BYTES = 32_768
#: Connections open at the same time, whatever they do; a file each.
_MOST_CONNECTIONS = 512


def bind(host: str, port: int) -> socket.socket:
    """Take the port, so that what stands in the way is known before anything runs. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=128)


def address_of(taken: socket.socket, scheme: str = "http") -> str:
    """Where a server on this socket is reached."""
    host, port = taken.getsockname()[:2]
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


class Served:
    """An application on a socket. `within`: seconds in which a caller's headers must be there; `idle`: seconds that a
    connection may be kept between two requests."""

    def __init__(
        self,
        application: Any,
        *,
        within: float,
        idle: int,
        certificate: str | None = None,
        key: str | None = None,
    ) -> None:
        self._server = uvicorn.Server(
            uvicorn.Config(
                application,
                http=_patient(within),
                ws="none",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=idle,
                timeout_graceful_shutdown=_CLOSE_SECONDS,
                limit_concurrency=_MOST_CONNECTIONS,
                h11_max_incomplete_event_size=_MOST_HEADER_BYTES,
                ssl_certfile=certificate,
                ssl_keyfile=key,
            )
        )

    def run(self, taken: socket.socket, stop: threading.Event) -> None:
        """Serve until `stop` is set; calls in hand are answered. Raises OSError or SystemExit where it cannot."""
        watch = threading.Thread(target=self._watch, args=(stop,), name="server-watch")
        watch.start()
        try:
            self._server.run([taken])
        finally:
            self._server.should_exit = True
            watch.join()

    def _watch(self, stop: threading.Event) -> None:
        while not self._server.should_exit:
            if stop.wait(_LOOK_SECONDS):
                self._server.should_exit = True


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
