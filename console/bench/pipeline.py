"""`dolen bench pipeline`: records a second from a source's page to the proof, against a plain loop in the same run.

Each contender is a process of its own and meets the same source and sink. Start-up is not measured: the source is
empty until everything runs, and time is taken from its first page to the last proof in the ledger. Runs alternate, so
that a noisy machine troubles both alike; the processor time of each contender is told beside its rate, since that is
troubled least.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from console.bench.servers import BROKER, LEDGER, Servers, own_database
from pipelines import composition
from pipelines.past import fill, proofs
from pipelines.plant import Plant
from pipelines.processes import living

HERE = Path(__file__).parent / "flood"
LONGEST = 900.0  # seconds that one run may take
SETTLING = 3.0  # seconds after the last process has begun: its first looks at source and broker are no part of a record


#: What can be measured, by the names under which it is reported.
RESULTS = ("embedded", "million rows", "rabbitmq", "two workers")


class Failed(RuntimeError):
    """A contender did not do its work, so that there is nothing to compare. The message says what was seen."""


@dataclass(slots=True)
class Contender:
    """One way of running Dolen: which processes, on what."""

    name: str
    roles: Sequence[Sequence[str]]
    servers: Servers = field(default_factory=Servers)  # where ledger and broker are; embedded without
    slow: float = 0.0  # seconds that the sink takes for each write
    rows: int = 0  # deliveries that the ledger holds already
    at_once: int = 4
    module: str = "console"  # what is run
    log: str = "warning"  # the least that it logs


def flood(slow: float) -> AbstractContextManager[str]:
    """The source and the sink, as a process; gives their address."""
    return pretend("flood", "--slow", str(slow))


@contextmanager
def pretend(*words: str) -> Iterator[str]:
    """A command of the sandbox that serves, as a process; gives its address."""
    command = [sys.executable, "-m", "sandbox", *words]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - our own
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        yield str(json.loads(process.stdout.readline())["url"])
    finally:
        process.stdin.close()
        process.wait(timeout=20)
        process.stdout.close()


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast one run was, and what it took of the processor."""

    rate: float  # records a second
    cpu: float | None  # milliseconds of processor time a record, all processes of the contender; None: not told here


def plain(url: str, records: int) -> Speed:
    """How fast the plain loop is."""
    release(url, records)
    command = [sys.executable, "-m", "console.bench.plain", f"{url}/source/requests", f"{url}/sink"]
    ended = subprocess.run(command, check=True, capture_output=True, timeout=LONGEST)  # noqa: S603 - our own
    told = json.loads(ended.stdout)
    if told["moved"] != records:
        raise Failed(f"the plain loop moved {told['moved']} of {records}")
    return Speed(records / told["seconds"], told["cpu"] * 1000 / records)


def ours(url: str, contender: Contender, records: int) -> Speed:
    """How fast Dolen is, run in this way. Raises Failed if not every record arrived once."""
    release(url, 0)
    folder = Path(tempfile.mkdtemp(prefix="dolen-bench-"))
    plant: Plant | None = None
    processes: list[subprocess.Popen[bytes]] = []
    made = ExitStack()
    try:
        environment = dict(os.environ)
        if contender.servers.apart:
            environment[LEDGER] = made.enter_context(own_database(contender.servers.ledger))
            environment[BROKER] = contender.servers.broker
        lay_out(folder, url, contender)
        plant = composition.build(composition.load(folder), environment=environment)
        if contender.rows:
            fill(plant.ledger, "bench", contender.rows)
        before = proofs(plant.ledger)
        for role in contender.roles:
            command = [sys.executable, "-m", contender.module, *role, "--site", str(folder)]
            log = (folder / f"{len(processes)}.log").open("wb")
            started = subprocess.Popen(command, env=environment, stdout=log, stderr=log)  # noqa: S603 - our own
            processes.append(started)
            log.close()
        _until_all_live(plant, processes, folder)
        began = cpu_seconds([process.pid for process in processes])
        release(url, records)
        seen = _wait(url, plant, before + records, processes, folder, contender)
        ended = cpu_seconds([process.pid for process in processes])
        if (seen["writes"], seen["keys"]) != (records, records):
            raise Failed(f"{contender.name}: {seen['writes']} writes and {seen['keys']} keys for {records} records")
        cpu = None if began is None or ended is None else (ended - began) * 1000 / records
        return Speed(records / (seen["now"] - seen["first_read"]), cpu)
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.wait(timeout=60)
        if plant is not None:
            plant.close()
        made.close()
        shutil.rmtree(folder, ignore_errors=True)


def cpu_seconds(pids: Sequence[int]) -> float | None:
    """Processor time that processes have taken so far, as Linux keeps it; None where it cannot be read."""
    ticks = 0
    try:
        for pid in pids:
            # Behind the name, which stands in brackets and may hold anything: user and system time are 12th and 13th.
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2]
            ticks += sum(int(number) for number in fields.split()[11:13])
    except (OSError, ValueError):
        return None
    return ticks / os.sysconf("SC_CLK_TCK")


def _until_all_live(plant: Plant, processes: Sequence[subprocess.Popen[bytes]], folder: Path) -> None:
    """Wait until every process has entered itself into the ledger and has looked around once."""
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        with plant.ledger.reading() as connection:
            if len(living(connection)) >= len(processes):
                time.sleep(SETTLING)
                return
        _none_ended(processes, folder)
        time.sleep(0.1)
    raise Failed(f"the processes under test did not begin within {LONGEST:.0f} s")


def _none_ended(processes: Sequence[subprocess.Popen[bytes]], folder: Path) -> None:
    if any(process.poll() is not None for process in processes):
        ended = b"".join(file.read_bytes() for file in sorted(folder.glob("*.log")))
        raise Failed(f"a process under test ended by itself: {ended[-600:].decode(errors='replace')}")


def _wait(
    url: str,
    plant: Plant,
    wanted: int,
    processes: Sequence[subprocess.Popen[bytes]],
    folder: Path,
    contender: Contender,
) -> dict[str, Any]:
    """Wait until so many proofs are in the ledger; asked seldom, so that asking costs nothing."""
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        if proofs(plant.ledger) >= wanted:
            return release(url)
        _none_ended(processes, folder)
        time.sleep(0.02 if contender.rows < 100_000 else 0.2)
    raise Failed(f"{proofs(plant.ledger)} of {wanted} records arrived in {LONGEST:.0f} s")


def lay_out(folder: Path, url: str, contender: Contender) -> None:
    """Write the bench's site into a folder."""
    (folder / "config" / "councils").mkdir(parents=True)
    (folder / "key").write_text("bench\n", encoding="utf-8")
    for name, place in (("dolen.yaml", folder / "config"), ("council.yaml", folder / "config" / "councils")):
        text = (HERE / name).read_text(encoding="utf-8")
        apart = contender.servers.apart
        text = text.format(
            url=url,
            ledger=f"env:{LEDGER}" if apart else "sqlite:///ledger.db",
            broker=f"env:{BROKER}" if apart else "memory://",
            at_once=contender.at_once,
            level=contender.log,
        )
        (place / name.replace("council", "bench")).write_text(text, encoding="utf-8")


def release(url: str, records: int | None = None, *, after: int = 0, spread: bool = False) -> dict[str, Any]:
    """Ask the source and the sink how it stands, or release so many records; 0 withdraws them.

    `after`: they are numbered from there on. `spread`: each was changed a second after the one before.
    """
    body = None
    if records is not None:
        sample = json.loads((HERE / "sample.json").read_bytes())
        body = json.dumps({"records": records, "sample": sample, "after": after, "spread": spread}).encode()
    return asked(f"{url}/control", body)


def asked(address: str, body: bytes | None = None) -> dict[str, Any]:
    """What the source or the sink answers to one call; `body` is posted."""
    request = urllib.request.Request(address, data=body)  # noqa: S310 - our own, on this machine
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - the same
        found: dict[str, Any] = json.load(answer)
    return found


def pipeline(records: int, runs: int, servers: Servers, only: Collection[str] = ()) -> dict[str, Any]:
    """Run every contest for which there is what it needs, or those of `only`. Returns the object that benches print."""
    wanted = [name for name in RESULTS if name in (only or RESULTS)]
    results = []
    if "embedded" in wanted:
        results.append(_against_plain(Contender("embedded", [["run"]]), records, runs))
    if "million rows" in wanted:
        full = Contender("million rows", [["run"]], rows=1_000_000)
        results.append(_against(full, Contender("ten thousand rows", [["run"]], rows=10_000), records, runs))
    if servers.apart and "rabbitmq" in wanted:
        one = Contender("rabbitmq", [["schedule"], ["work"]], servers=servers)
        results.append(_against_plain(one, records, runs))
    if servers.apart and "two workers" in wanted:
        worker = ["work", "--at-once", "4"]
        slow: dict[str, Any] = {"servers": servers, "slow": 0.02, "at_once": 8}
        alone = Contender("one worker", [["schedule"], worker], **slow)
        results.append(_against(Contender("two workers", [["schedule"], worker, worker], **slow), alone, records, runs))
    machine = {"cores": os.cpu_count(), "python": sys.version.split()[0], "platform": sys.platform}
    return {"bench": "pipeline", "results": results, "machine": machine}


def _against_plain(contender: Contender, records: int, runs: int) -> dict[str, Any]:
    with flood(contender.slow) as url:
        pairs = [(ours(url, contender, records), plain(url, records)) for _ in range(runs)]
    return result(contender.name, "a plain loop", pairs, runs)


def _against(contender: Contender, other: Contender, records: int, runs: int) -> dict[str, Any]:
    with flood(contender.slow) as url:
        pairs = [(ours(url, contender, records), ours(url, other, records)) for _ in range(runs)]
    return result(contender.name, other.name, pairs, runs)


def result(name: str, against: str, pairs: Sequence[tuple[Speed, Speed]], runs: int) -> dict[str, Any]:
    """One line of what a bench prints: the medians of pairs of runs."""
    mine, theirs = (statistics.median(speed.rate for speed in one) for one in zip(*pairs, strict=True))
    our_cpu, their_cpu = (_cpu(one) for one in zip(*pairs, strict=True))
    return {
        "name": name,
        "ours": round(mine, 1),
        "against": against,
        "theirs": round(theirs, 1),
        "ratio": round(mine / theirs, 3),
        "unit": "records a second",
        "our_cpu": our_cpu,
        "their_cpu": their_cpu,
        "cpu_unit": "milliseconds of processor time a record",
        "runs": runs,
    }


def _cpu(speeds: Sequence[Speed]) -> float | None:
    known = [speed.cpu for speed in speeds if speed.cpu is not None]
    return round(statistics.median(known), 3) if known else None
