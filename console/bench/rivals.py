"""`dolen bench peers`: the same work done by what else a council's developer would reach for, in the same run.

*celery*: a task a record on the same RabbitMQ, from the same source to the same sink, with confirms on in both, and as
many processes that send; ours with everything that it promises. *dlt*: reading what changed at a REST source, ours into
the ledger. Runs alternate, as everywhere; a rival that is not installed is left out, and the result says so.
"""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from console.bench.pipeline import LONGEST, Contender, Failed, Speed, cpu_seconds, flood, lay_out, ours, release, result
from console.bench.servers import BROKER, LEDGER, Servers, own_database

#: What can be measured, by the names under which it is reported.
RESULTS = ("celery", "celery, whole", "celery, marked", "dlt", "dlt, everything")
INSTALL = "python -m pip install 'dolen[peers]', or celery and dlt by themselves, with the Python of .venv"
_HOW = {"celery": "number", "celery, whole": "whole", "celery, marked": "marked"}
_AGAINST = {
    "celery": "Celery: the message names the request, the task fetches it",
    "celery, whole": "Celery: the message is the request",
    "celery, marked": "Celery: as the first, with a row in PostgreSQL for what arrived",
}
_SIDE, _DLT, _SYNC = "console.bench.by_celery", "console.bench.by_dlt", "console.bench.by_sync"


def peers(records: int, runs: int, workers: int, servers: Servers, only: Collection[str] = ()) -> dict[str, Any]:
    """Run every contest for which there is what it needs, or those of `only`. Returns the object that benches print.

    `workers`: processes that send, on each side. Raises Failed.
    """
    wanted = [name for name in RESULTS if name in (only or RESULTS)]
    notes = [
        f"Left out, as {package} is not installed: {package}. {INSTALL}"
        for package in ("celery", "dlt")
        if not _installed(package) and any(name.startswith(package) for name in wanted)
    ]
    results = []
    if _installed("celery") and any(name in _HOW for name in wanted):
        if servers.apart:
            results += _against_celery([name for name in wanted if name in _HOW], records, runs, workers, servers)
        else:
            notes.append("Left out, as no servers were named: celery. Give --ledger and --broker")
    if _installed("dlt") and (reads := [name for name in wanted if name.startswith("dlt")]):
        results += _against_dlt(reads, records, runs)
    machine = {"cores": os.cpu_count(), "python": sys.version.split()[0], "platform": sys.platform}
    return {"bench": "peers", "results": results, "notes": notes, "machine": machine}


def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


# --- Celery -----------------------------------------------------------------------------------------------------------


def _against_celery(
    names: Sequence[str], records: int, runs: int, workers: int, servers: Servers
) -> list[dict[str, Any]]:
    mine = Contender("dolen", [["schedule"], *[["work"]] * workers], servers=servers)
    pairs: dict[str, list[tuple[Speed, Speed]]] = {name: [] for name in names}
    with flood(0.0) as url:
        for _ in range(runs):
            ran = ours(url, mine, records)
            for name in names:
                pairs[name].append((ran, celery(url, records, workers, servers, _HOW[name])))
    return [{**result(name, _AGAINST[name], pairs[name], runs), "workers": workers} for name in names]


def celery(url: str, records: int, workers: int, servers: Servers, how: str) -> Speed:
    """How fast Celery is, from the first page read to the last request that the sink took. Raises Failed."""
    release(url, 0)
    side = {"QUEUE": f"dolen-bench-{secrets.token_hex(6)}", "SOURCE": f"{url}/source/requests", "SINK": f"{url}/sink"}
    environment = {**os.environ, BROKER: servers.broker}
    environment |= {f"DOLEN_BENCH_{name}": value for name, value in side.items()}
    with ExitStack() as made:
        if how == "marked":
            environment[LEDGER] = made.enter_context(own_database(servers.ledger))
            _lay_marks(environment[LEDGER])
        worker = made.enter_context(_worker(environment, workers))
        release(url, records)
        began = _tree_seconds(worker.pid)
        command = [sys.executable, "-m", _SIDE, side["SOURCE"], how]
        publisher = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)  # noqa: S603 - our own
        try:
            seen = _until_taken(url, records, worker)
            told, _ = publisher.communicate(timeout=60)
        finally:
            publisher.kill()
            publisher.wait()
        ended = _tree_seconds(worker.pid)
    if (seen["writes"], seen["keys"]) != (records, records):
        raise Failed(f"Celery: {seen['writes']} writes and {seen['keys']} keys for {records} records")
    cpu = None if began is None or ended is None else ended - began + json.loads(told)["cpu"]
    return Speed(records / (seen["last_write"] - seen["first_read"]), None if cpu is None else cpu * 1000 / records)


@contextmanager
def _worker(environment: dict[str, str], workers: int) -> Iterator[subprocess.Popen[str]]:
    """A Celery worker that is ready, with so many processes beside the one that shares out; its queue is gone after."""
    from console.bench.by_celery import READY

    command = [
        sys.executable, "-m", "celery", "-A", _SIDE, "worker", "--pool", "prefork", "--concurrency", str(workers),
        "--loglevel", "ERROR", "--without-gossip", "--without-mingle",
    ]  # fmt: skip
    pipe = subprocess.PIPE
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, env=environment, stdout=pipe, stderr=log, text=True)  # noqa: S603 - our own
        assert process.stdout is not None
        try:
            if not any(READY in line for line in process.stdout):
                raise Failed(f"Celery's worker did not start: {_last(log)}")
            yield process
        finally:
            process.terminate()
            process.wait(timeout=60)
            process.stdout.close()
            _forget(environment)


def _lay_marks(ledger: str) -> None:
    import psycopg

    from console.bench.by_celery import MARKS

    with psycopg.connect(ledger.replace("postgresql+psycopg:", "postgresql:", 1)) as line:
        line.execute(MARKS)


def _last(log: IO[bytes]) -> str:
    log.seek(0)
    return log.read()[-600:].decode(errors="replace")


def _forget(environment: dict[str, str]) -> None:
    """Take the bench's queue from the broker."""
    from console.bench import by_celery

    with by_celery.app.connection_for_write(environment[BROKER]) as line:
        line.default_channel.queue_delete(environment[by_celery.QUEUE])
        line.default_channel.exchange_delete(environment[by_celery.QUEUE])


def _until_taken(url: str, records: int, worker: subprocess.Popen[str]) -> dict[str, Any]:
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        seen = release(url)
        if seen["writes"] >= records:
            return seen
        if worker.poll() is not None:
            raise Failed("Celery's worker ended by itself")
        time.sleep(0.05)
    raise Failed(f"Celery moved {seen['writes']} of {records} in {LONGEST:.0f} s")


def _tree_seconds(pid: int) -> float | None:
    """Processor time of a process and of those that it started, as Linux keeps it; None where it cannot be read."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return None
    return cpu_seconds([pid, *map(int, children)])


# --- dlt --------------------------------------------------------------------------------------------------------------


def _against_dlt(names: Sequence[str], records: int, runs: int) -> list[dict[str, Any]]:
    """A first read of everything, then one of what changed since: a tenth as many."""
    pairs: dict[str, list[tuple[Speed, Speed]]] = {"dlt, everything": [], "dlt": []}
    with flood(0.0) as url:
        for _ in range(runs):
            both = zip(reads(url, records, our_reader), reads(url, records, their_reader), strict=True)
            for name, pair in zip(pairs, both, strict=True):
                pairs[name].append(pair)
    what = {"dlt": "dlt, reading what changed since", "dlt, everything": "dlt, reading everything once"}
    return [result(name, what[name], pairs[name], runs) for name in names]


def reads(url: str, records: int, command: Callable[[str, Path], list[str]]) -> tuple[Speed, Speed]:
    """How fast somebody reads everything, and then what changed since."""
    folder = Path(tempfile.mkdtemp(prefix="dolen-bench-"))
    pipe = subprocess.PIPE
    with ExitStack() as made:
        made.callback(shutil.rmtree, folder, ignore_errors=True)
        log = made.enter_context((folder / "log").open("w+b"))
        reader = subprocess.Popen(  # noqa: S603 - our own
            command(url, folder), stdin=pipe, stdout=pipe, stderr=log, text=True
        )
        with reader:
            speeds = []
            for after, number in ((0, records), (records, max(records // 10, 1))):
                release(url, number, after=after, spread=True)
                assert reader.stdin is not None
                assert reader.stdout is not None
                reader.stdin.write("\n")
                reader.stdin.flush()
                line = reader.stdout.readline()
                if not line:
                    raise Failed(f"a reader ended by itself: {_last(log)}")
                told = json.loads(line)
                if told["read"] != number:
                    raise Failed(f"a reader read {told['read']} of {number}")
                speeds.append(Speed(number / told["seconds"], told["cpu"] * 1000 / number))
            assert reader.stdin is not None
            reader.stdin.close()
    return speeds[0], speeds[1]


def our_reader(url: str, folder: Path) -> list[str]:
    lay_out(folder / "site", url, Contender("reader", []))
    return [sys.executable, "-m", _SYNC, str(folder / "site")]


def their_reader(url: str, folder: Path) -> list[str]:
    return [sys.executable, "-m", _DLT, f"{url}/source", str(folder)]
