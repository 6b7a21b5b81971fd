"""What the tests of the door for HTTP share: sessions, and a listener that says what it is told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from connectors.http import HttpSession
from connectors.settings import HttpSettings

Talk = Callable[[socket.socket], None]


@pytest.fixture
def session() -> Iterator[Callable[..., HttpSession]]:
    """Opens sessions: `session(url, **settings)`."""
    opened: list[HttpSession] = []

    def session(url: str, **settings: Any) -> HttpSession:
        given = {"timeout_seconds": 2.0, **settings}
        opened.append(HttpSession(HttpSettings.model_validate({"url": url, **given}, context={"secret": str})))
        return opened[-1]

    yield session
    for one in opened:
        one.close()


@pytest.fixture
def raw() -> Iterator[Callable[[Talk], int]]:
    """Listens on loopback and gives every connection to `talk`; returns the port."""
    listeners: list[socket.socket] = []

    def raw(talk: Talk) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def one(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                talk(connection)

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=one, args=(connection,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        return int(listener.getsockname()[1])

    yield raw
    for listener in listeners:
        listener.close()
