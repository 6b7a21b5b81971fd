"""PostgreSQL and RabbitMQ nodes for tests and for the fault bench: private, on free ports, gone when they are stopped.

    python tests/servers.py start --dir FOLDER            both; prints their addresses as JSON (or --export)
    python tests/servers.py kill --dir FOLDER rabbitmq    kill -9; also: freeze, thaw, start (again, on the same port)
    python tests/servers.py stop --dir FOLDER             ends both and leaves the folder to whoever made it

Started by root, a node runs as the system's own user for it. Needs the servers' programs and Python alone (Linux).
The fixtures that find and share running servers are in `tests/on_servers.py`.
"""

import argparse
import base64
import contextlib
import hashlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

START_SECONDS = 90
VHOST = "dolen-test"  # queues in it may be deleted by tests; in no other
TAIL = 3_000  # characters of a node's log that are shown when it does not start


class NotHereError(RuntimeError):
    """A server's programs are not installed, or a node does not start. The text says what to do."""


class Node:
    """One node. Everything it writes is in its folder; its address stays the same over restarts."""

    name = ""
    user = ""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._state_file = self.folder / "node.json"  # its address and processes, for the next command
        self.state: dict[str, Any] = {}
        if self._state_file.exists():
            self.state = json.loads(self._state_file.read_text(encoding="utf-8"))

    @property
    def url(self) -> str:
        """How it is spoken to by somebody who may do everything."""
        return self.through(self.state["port"])

    def through(self, port: int) -> str:
        """Its address as somebody reaches it who stands behind another port, a proxy's."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it, or start it again with the data it has; returns when it answers. Raises NotHereError."""
        if not self.state:
            self.folder.mkdir(parents=True, exist_ok=True)
            closed = [above for above in self.folder.parents if not above.stat().st_mode & 0o001]
            if closed and os.getuid() == 0:
                raise NotHereError(f"the user {self.user} cannot pass through {closed[0]}; take another folder")
            self._own(self.folder)
            self.state = {"port": free_port(), "password": secrets.token_hex(12)}
            self._prepare()
            self._save()
        if not self.alive:
            self._launch()
            self._save()
        until = time.monotonic() + START_SECONDS
        while not self._answers():
            if not self.alive or time.monotonic() > until:
                self.kill()
                raise NotHereError(f"{self.name} does not start:\n{self._log_tail()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End it in order. Idempotent."""
        self.kill()

    def kill(self) -> None:
        """Kill -9 it with all its processes, and wait until they are gone."""
        gone = list(self._processes())
        self._signal(gone, signal.SIGKILL)
        until = time.monotonic() + 20
        while any(alive(pid) for pid in gone):
            if time.monotonic() > until:
                raise NotHereError(f"{self.name} cannot be ended")
            time.sleep(0.02)

    def freeze(self) -> None:
        """SIGSTOP."""
        self._signal(self._processes(), signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self._signal(self._processes(), signal.SIGCONT)

    @property
    def alive(self) -> bool:
        """Whether its process is there, frozen or not."""
        return alive(self.pid)

    @property
    def pid(self) -> int:
        """Its main process, 0 if it was never started."""
        return int(self.state.get("pid", 0))

    def _prepare(self) -> None:
        raise NotImplementedError

    def _launch(self) -> None:
        raise NotImplementedError

    def _answers(self) -> bool:
        raise NotImplementedError

    def _processes(self) -> Iterator[int]:
        """The main process, and whatever it or its children started."""
        if self.alive:
            yield self.pid
            yield from offspring(self.pid)

    @staticmethod
    def _signal(pids: Any, number: int) -> None:
        for pid in list(pids):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _save(self) -> None:
        part = self._state_file.with_suffix(".part")
        part.write_text(json.dumps(self.state), encoding="utf-8")
        part.chmod(0o600)
        part.replace(self._state_file)

    def _as_user(self) -> dict[str, Any]:
        """What `subprocess` is told, so that the node does not run as root: its programs refuse that."""
        if os.getuid() != 0:
            return {}
        import grp
        import pwd

        who = pwd.getpwnam(self.user)
        groups = [group.gr_gid for group in grp.getgrall() if self.user in group.gr_mem]
        return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": groups}

    def _own(self, path: Path) -> None:
        if os.getuid() == 0:
            shutil.chown(path, self.user, self.user)

    def _log_tail(self) -> str:
        try:
            return (self.folder / "log").read_text(encoding="utf-8", errors="replace")[-TAIL:]
        except OSError:
            return "it wrote no log"

    def _spawn(self, command: list[str], environment: dict[str, str]) -> int:
        """Start something that outlives us; return its process."""
        away = 'nohup "$@" >>log 2>&1 </dev/null & echo $!'
        done = subprocess.run(
            ["/bin/sh", "-c", away, "sh", *command],
            env=environment, cwd=self.folder, stdout=subprocess.PIPE, encoding="ascii", check=True,
            start_new_session=True, **self._as_user(),
        )  # fmt: skip
        return int(done.stdout)


class PostgreSQL(Node):
    """A cluster of its own with fsync on, as it comes. What it logs carries no values."""

    name, user = "postgresql", "postgres"

    def through(self, port: int) -> str:
        return f"postgresql://postgres:{self.state['password']}@127.0.0.1:{port}/postgres"

    def stop(self) -> None:
        if self.alive:
            self.thaw()
            os.kill(self.pid, signal.SIGINT)  # "fast": sessions are ended, nothing is lost
            wait_until(lambda: not self.alive, 20)
        self.kill()

    def _prepare(self) -> None:
        secret = self.folder / "password"
        secret.write_text(self.state["password"], encoding="ascii")
        self._own(secret)
        done = subprocess.run(
            [program("initdb"), "-D", str(self.folder / "data"), "-U", "postgres", "-A", "scram-sha-256",
             "--pwfile", str(secret), "-E", "UTF8", "--locale=C"],
            cwd=self.folder, capture_output=True, encoding="utf-8", check=False, **self._as_user(),
        )  # fmt: skip
        secret.unlink()
        if done.returncode:
            raise NotHereError(f"initdb: {done.stderr[-TAIL:]}")
        with (self.folder / "data" / "postgresql.conf").open("a", encoding="utf-8") as settings:
            settings.write(
                f"port = {self.state['port']}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n"
                "max_connections = 300\nshared_buffers = 64MB\nautovacuum_naptime = 5s\n"
                "log_error_verbosity = terse\nlog_min_error_statement = panic\n"
            )

    def _launch(self) -> None:
        (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)  # of one that was killed
        self.state["pid"] = self._spawn([program("postgres"), "-D", str(self.folder / "data")], dict(os.environ))

    def _answers(self) -> bool:
        ready = [program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.state["port"]), "-d", "postgres"]
        return subprocess.run(ready, check=False).returncode == 0


class RabbitMQ(Node):
    """A node of its own with a name server (epmd) of its own, so that no other node on the machine is touched."""

    name, user = "rabbitmq", "rabbitmq"

    def through(self, port: int) -> str:
        return f"amqp://dolen:{self.state['password']}@127.0.0.1:{port}/{VHOST}"

    def stop(self) -> None:
        self.kill()
        names = int(self.state.get("epmd", 0))
        if alive(names):
            os.kill(names, signal.SIGKILL)
            wait_until(lambda: not alive(names), 20)

    def _prepare(self) -> None:
        self.state |= {"epmd_port": free_port(), "dist_port": free_port()}
        salt = secrets.token_bytes(4)
        mixed = salt + hashlib.sha256(salt + self.state["password"].encode()).digest()
        algorithm = "rabbit_password_hashing_sha256"
        every = {"configure": ".*", "write": ".*", "read": ".*"}
        first = {
            "users": [{"name": "dolen", "password_hash": base64.b64encode(mixed).decode(),
                       "hashing_algorithm": algorithm, "tags": "administrator"}],
            "vhosts": [{"name": VHOST}],
            "permissions": [{"user": "dolen", "vhost": VHOST, **every}],
        }  # fmt: skip
        self._write("first.json", json.dumps(first))
        self._write("plugins", "[].\n")
        self._write(
            "rabbit.conf",
            f"listeners.tcp.default = 127.0.0.1:{self.state['port']}\nlog.console = true\nlog.file = false\n"
            f"load_definitions = {self.folder / 'first.json'}\n",
        )

    def _launch(self) -> None:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("RABBITMQ_")},
            "HOME": str(self.folder),  # Erlang's cookie goes there
            "ERL_EPMD_PORT": str(self.state["epmd_port"]),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"dolen{self.state['port']}@localhost",
            "RABBITMQ_DIST_PORT": str(self.state["dist_port"]),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbit.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.folder / "advanced.config"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(self.folder / "generated"),
            "RABBITMQ_PID_FILE": str(self.folder / "server.pid"),
        }
        if not alive(int(self.state.get("epmd", 0))):
            epmd = shutil.which("epmd") or program("epmd")
            self.state["epmd"] = self._spawn([epmd, "-port", str(self.state["epmd_port"])], environment)
        self.state["pid"] = self._spawn([program("rabbitmq-server")], environment)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.state["port"]), timeout=1) as wire:
                wire.sendall(b"AMQP\x00\x00\x09\x01")
                return wire.recv(1) == b"\x01"  # a method frame: it offers to begin
        except OSError:
            return False

    def _write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")
        self._own(self.folder / name)


NODES: dict[str, type[Node]] = {node.name: node for node in (PostgreSQL, RabbitMQ)}
VARIABLES = {"postgresql": "DOLEN_TEST_POSTGRESQL", "rabbitmq": "DOLEN_TEST_RABBITMQ"}


def program(name: str) -> str:
    """Find a server's program where Debian puts it, or on the path. Raises NotHereError."""
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    newest = sorted(versions, key=lambda path: float(path.parent.name), reverse=True)
    for folder in (*newest, Path("/usr/lib/rabbitmq/bin")):
        if (folder / name).exists():
            return str(folder / name)
    found = shutil.which(name)
    if found is None:
        raise NotHereError(f"the program {name} is not installed: apt-get install postgresql rabbitmq-server")
    return found


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def alive(pid: int) -> bool:
    """Whether a process is there and has not ended (one that nobody has asked after yet has)."""
    if pid <= 0:
        return False
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def offspring(pid: int) -> Iterator[int]:
    """The children of a process, their children, and so on."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
    todo = [pid]
    while todo:
        below = parents.get(todo.pop(), [])
        yield from below
        todo += below


def wait_until(true: Callable[[], bool], seconds: float) -> bool:
    """Wait until something is so; False if it is not so in time."""
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def main(arguments: list[str]) -> int:
    """Do what the command line asks; a fault is one sentence and exit code 1."""
    parser = argparse.ArgumentParser(prog="tests/servers.py", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("what", choices=("start", "stop", "kill", "freeze", "thaw"))
    parser.add_argument("which", nargs="*", help="postgresql, rabbitmq; both if none is named")
    parser.add_argument("--dir", type=Path, required=True, help="the folder of the nodes")
    parser.add_argument("--export", action="store_true", help="print shell lines in place of JSON")
    asked = parser.parse_intermixed_args(arguments)
    unknown = set(asked.which) - set(NODES)
    if unknown:
        parser.error(f"no such server: {', '.join(sorted(unknown))}")
    nodes = [NODES[name](asked.dir / name) for name in asked.which or NODES]
    try:
        for node in nodes:
            getattr(node, asked.what)()
    except NotHereError as fault:
        sys.stderr.write(f"{fault}\n")
        return 1
    if asked.what == "start":
        urls = {node.name: node.url for node in nodes}
        lines = [f"export {VARIABLES[name]}='{url}'" for name, url in urls.items()]
        sys.stdout.write("\n".join(lines) + "\n" if asked.export else json.dumps(urls) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
