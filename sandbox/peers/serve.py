"""`python -m sandbox peers`: the process that the benches start. It says one JSON line with its `url`, then serves.

It stops on SIGTERM, on Ctrl-C, and when its standard input closes: a bench that is killed leaves nothing behind.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys

from sandbox.peers.faults import Weather
from sandbox.peers.town import Town
from sandbox.peers.wire import Line


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--referrals", type=int, default=100, help="requests in the story (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="draws the same story and faults again")
    parser.add_argument("--faults", type=float, default=1.0, help="share of the declared fault rates; 0 is a calm day")
    parser.add_argument("--latest", type=float, default=3.0, help="seconds after which nothing commits any more")
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: a free one)")
    parser.add_argument("--until-stdin-closes", action="store_true", help="stop too when whoever started it is gone")


def run(given: argparse.Namespace) -> int:
    """Serve until stopped."""
    asyncio.run(_serve(given))
    return 0


async def _serve(given: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    town = Town(Weather(given.seed, given.faults), given.referrals, latest=given.latest)
    server = await loop.create_server(lambda: Line(town.answer), "127.0.0.1", given.port, backlog=1024)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if given.until_stdin_closes:
        loop.add_reader(sys.stdin.fileno(), lambda: stop.set() if not os.read(sys.stdin.fileno(), 4096) else None)
    port = server.sockets[0].getsockname()[1]
    sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{port}"}) + "\n")
    sys.stdout.flush()
    working = asyncio.create_task(town.staff.work())
    await stop.wait()
    working.cancel()
    server.close()
