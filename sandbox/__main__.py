"""`python -m sandbox`: starts the pretend systems as a process of their own.

`serve` prints one JSON line with the `url` once it can be called, and stops cleanly on SIGTERM or Ctrl-C. Its state
stays in the directory it is given; its logins are written there too, as `secrets.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import ssl
import sys
import threading
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sandbox import country, flood, open311, secrets
from sandbox.faults import KINDS
from sandbox.peers import serve as peers
from sandbox.world import TENANTS, World


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code: 0 done, 2 wrong use or nowhere to listen or write."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="Pretend council systems.")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve all pretend systems for every council, until stopped")
    serve.add_argument("--dir", type=Path, required=True, help="where the state lives; made if it is not there")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    serve.add_argument("--port", type=int, default=0, help="port to listen on (default: a free one)")
    serve.add_argument(
        "--tenants", default=",".join(TENANTS), help="councils to write logins for (default %(default)s)"
    )
    serve.add_argument("--now", type=_moment, help="start with this time, such as 2026-10-25T00:59:50+00:00")
    serve.add_argument("--cert", type=Path, help="serve over TLS with this certificate chain (PEM); needs --key")
    serve.add_argument("--key", type=Path, help="the certificate's private key (PEM)")
    serve.add_argument("--until-stdin-closes", action="store_true", help="stop too when whoever started it is gone")
    commands.add_parser("faults", help="list the faults that can be switched on, as JSON")
    peers.declare(commands.add_parser("peers", help="serve the fast systems of the benches, in memory, until stopped"))
    flood.declare(commands.add_parser("flood", help="serve a source of any size and a sink that counts, for benches"))
    country.declare(commands.add_parser("country", help="serve many councils whose staff type by a plan, for a bench"))
    open311.declare(commands.add_parser("open311", help="serve an Open311 endpoint, in memory, until stopped"))
    given = parser.parse_args(arguments)
    if given.command == "peers":
        return peers.run(given)
    if given.command == "open311":
        return open311.run(given)
    if given.command == "country":
        return country.run(given)
    if given.command == "flood":
        return flood.run(given)
    if given.command == "faults":
        return _say({name: {"words": kind.words, "numbers": dict(kind.numbers)} for name, kind in KINDS.items()})
    if (given.cert is None) != (given.key is None):
        serve.error("--cert and --key go together")
    try:
        return _serve(given)
    except (OSError, ssl.SSLError) as error:
        sys.stderr.write(f"The sandbox cannot start: {error}. Choose another --dir, --port or certificate.\n")
        return 2


def _serve(given: argparse.Namespace) -> int:
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    world = World(given.dir, tenants=(tenants := given.tenants.split(",")))
    if given.now is not None:
        world.clock.set(given.now)
    _write_secrets(given.dir / "secrets.json", tenants)
    tls = None
    if given.cert is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(given.cert, given.key)
    server = world.server(host=given.host, port=given.port, tls=tls)
    server.start()
    _say({"url": server.url})
    if given.until_stdin_closes:
        threading.Thread(target=_wait_for_end_of_stdin, args=[stopped], daemon=True).start()
    stopped.wait()
    server.stop()
    world.close()
    return 0


def _write_secrets(path: Path, tenants: Sequence[str]) -> None:
    whole = json.dumps(secrets.everything(tenants), indent=2)
    unfinished = path.with_suffix(".new")
    unfinished.touch(mode=0o600)
    unfinished.write_text(whole + "\n", encoding="utf-8")
    unfinished.replace(path)


def _wait_for_end_of_stdin(stopped: threading.Event) -> None:
    # Below Python's own buffer: a thread that waits inside it would stop the interpreter from ending in order.
    while os.read(sys.stdin.fileno(), 4096):
        pass
    stopped.set()


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no offset")
    return moment


def _say(line: object) -> int:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
