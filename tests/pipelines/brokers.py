"""A RabbitMQ node of a test's own, which it may kill, freeze and start again.

Its data, its logs and its name server (epmd) live and end with it, so that no other node on the machine is touched.
Started by root it runs as the system's user for it, as Erlang's cookie and good manners want.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Node:
    """One node. Its port and its data stay the same over restarts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._epmd_port = free_port()
        self._user = ["setpriv", "--reuid=rabbitmq", "--regid=rabbitmq", "--init-groups"] if os.getuid() == 0 else []
        self._epmd: subprocess.Popen[bytes] | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._log = folder / "node.log"
        (folder / "plugins").write_text("[].\n", encoding="utf-8")
        (folder / "rabbit.conf").write_text(
            f"log.console = true\nlog.file = false\nlisteners.tcp.default = 127.0.0.1:{self.port}\n",
            encoding="utf-8",
        )
        self._environment = {
            **os.environ,
            "HOME": str(folder),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"dolen{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbit.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
        }

    @property
    def url(self) -> str:
        return self.through(self.port)

    def through(self, port: int) -> str:
        """Its address as somebody reaches it who stands behind another port, a proxy's."""
        return f"amqp://guest:guest@127.0.0.1:{port}//"

    def start(self) -> None:
        if self._epmd is None:
            self._epmd = subprocess.Popen(
                [*self._user, "epmd", "-port", str(self._epmd_port)], env=self._environment, cwd=self.folder
            )
        self._log.unlink(missing_ok=True)
        with self._log.open("wb") as log:
            self._server = subprocess.Popen(
                [*self._user, str(PROGRAM)],
                env=self._environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        until = time.monotonic() + 60
        while b"Server startup complete" not in self._log.read_bytes():
            if self._server.poll() is not None or time.monotonic() > until:
                raise AssertionError(self._log.read_text(encoding="utf-8", errors="replace")[-3000:])
            time.sleep(0.1)

    def kill(self) -> None:
        """kill -9."""
        self._signal(signal.SIGKILL)
        if self._server is not None:
            self._server.wait(timeout=20)
            self._server = None

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        if self._server is not None:
            self.thaw()
            self.kill()
        if self._epmd is not None:
            self._epmd.kill()
            self._epmd.wait(timeout=20)

    def _signal(self, number: signal.Signals) -> None:
        if self._server is None:
            return
        with suppress(psutil.NoSuchProcess):
            parent = psutil.Process(self._server.pid)
            for one in [parent, *parent.children(recursive=True)]:
                with suppress(psutil.NoSuchProcess):
                    one.send_signal(number)


@contextmanager
def node() -> Iterator[Node]:
    """Start a node in a folder of its own, and leave nothing behind."""
    folder = Path(tempfile.mkdtemp(prefix="dolen-broker-"))
    if os.getuid() == 0:
        who = pwd.getpwnam("rabbitmq")
        os.chown(folder, who.pw_uid, who.pw_gid)
    one = Node(folder)
    try:
        one.start()
        yield one
    finally:
        one.close()
        shutil.rmtree(folder, ignore_errors=True)
