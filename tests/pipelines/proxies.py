"""A small TCP proxy that stands before a server and misbehaves on demand: swallows, withholds answers, hangs up."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading


class Proxy:
    """Passes bytes both ways until told otherwise. One thread serves all connections."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._pairs: dict[socket.socket, tuple[socket.socket, bool]] = {}  # from -> (to, towards the server)
        self._held: dict[socket.socket, bytearray] = {}  # to -> what it has not been sent
        self._lock = threading.Lock()
        # A black hole: nothing goes on and nobody is told. As TCP does it, what was held goes on when the hole ends.
        self.holds = False
        self.holds_answers = False  # only what the server says; `cut` loses it for good
        self.refuses = False  # new connections end at once
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="proxy")
        self._thread.start()

    def cut(self) -> None:
        """End every connection that there is."""
        with self._lock:
            for one in list(self._pairs):
                self._drop(one)

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        self.cut()
        self._selector.close()
        self._listener.close()

    def _run(self) -> None:
        while not self._ended.is_set():
            for key, _ in self._selector.select(0.05):
                one = key.fileobj
                assert isinstance(one, socket.socket)
                with self._lock:
                    if one is self._listener:
                        self._accept()
                    elif one in self._pairs:
                        self._take(one)
            with self._lock:
                for one in [*self._held]:
                    self._pass_on(one)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        try:
            if self.refuses:
                raise ConnectionRefusedError
            server = socket.create_connection(("127.0.0.1", self._to), timeout=5)
        except OSError:
            client.close()
            return
        for one, other, up in ((client, server, True), (server, client, False)):
            self._pairs[one] = (other, up)
            self._selector.register(one, selectors.EVENT_READ)

    def _take(self, one: socket.socket) -> None:
        other, _ = self._pairs[one]
        try:
            data = one.recv(65536)
        except OSError:
            data = b""
        if data:
            self._held.setdefault(other, bytearray()).extend(data)
        elif not self.holds:
            self._drop(one)

    def _pass_on(self, one: socket.socket) -> None:
        """Send a socket what is held for it, unless it is to be held on."""
        if one not in self._pairs:  # it ended a moment ago, together with its other half
            self._held.pop(one, None)
            return
        _, towards_server = self._pairs[one]
        if self.holds or (self.holds_answers and towards_server):  # its own words go up: what it hears comes down
            return
        try:
            one.sendall(self._held.pop(one))
        except OSError:
            self._drop(one)

    def _drop(self, one: socket.socket) -> None:
        other, _ = self._pairs.pop(one, (None, False))
        for each in (one, other):
            if each is not None:
                self._pairs.pop(each, None)
                self._held.pop(each, None)
                with contextlib.suppress(KeyError, ValueError):
                    self._selector.unregister(each)
                each.close()
