"""`dolen bench pipeline`: records a second from a source's page to the proof, against a plain loop in the same run.

Each contender is a process of its own and meets the same source and sink. Start-up is not measured: the source is
empty until everything runs, and time is taken from its first page to the last proof in the ledger. Runs alternate, so
that a noisy machine troubles both alike.
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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from console.bench.fill import fill
from pipelines import composition
from pipelines.plant import Plant
from pipelines.tables import proof

HERE = Path(__file__).parent / "flood"
LONGEST = 900.0  # seconds that one run may take


@dataclass(slots=True)
class Contender:
    """One way of running Dolen: which processes, on what."""

    name: str
    roles: Sequence[Sequence[str]]
    ledger: str = "sqlite:///ledger.db"
    broker: str = "memory://"
    slow: float = 0.0  # seconds that the sink takes for each write
    rows: int = 0  # deliveries that the ledger holds already
    at_once: int = 4
    environment: dict[str, str] = field(default_factory=dict)


@contextmanager
def flood(slow: float) -> Iterator[str]:
    """The source and the sink, as a process; gives their address."""
    command = [sys.executable, "-m", "sandbox", "flood", "--slow", str(slow)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        yield str(json.loads(process.stdout.readline())["url"])
    finally:
        process.stdin.close()
        process.wait(timeout=20)
        process.stdout.close()


def plain(url: str, records: int) -> float:
    """Records a second of the plain loop."""
    _control(url, records)
    command = [sys.executable, "-m", "console.bench.plain", f"{url}/source/requests", f"{url}/sink"]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=LONGEST).stdout)
    if told["moved"] != records:
        raise RuntimeError(f"the plain loop moved {told['moved']} of {records}")
    return float(records / told["seconds"])


def ours(url: str, contender: Contender, records: int) -> float:
    """Records a second of Dolen, run in this way. Raises RuntimeError if not every record arrived once."""
    _control(url, 0)
    folder = Path(tempfile.mkdtemp(prefix="dolen-bench-"))
    plant: Plant | None = None
    processes: list[subprocess.Popen[bytes]] = []
    environment = {**os.environ, **contender.environment}
    try:
        _lay_out(folder, url, contender)
        plant = composition.build(composition.load(folder), environment=environment)
        if contender.rows:
            fill(plant.ledger, "bench", contender.rows)
        before = _proofs(plant)
        for role in contender.roles:
            command = [sys.executable, "-m", "console", *role, "--site", str(folder)]
            log = (folder / f"{len(processes)}.log").open("wb")
            processes.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
            log.close()
        time.sleep(3.0 if len(processes) == 1 else 5.0)
        _control(url, records)
        seen = _wait(url, plant, before + records, processes, folder)
        if (seen["writes"], seen["keys"]) != (records, records):
            raise RuntimeError(
                f"{contender.name}: {seen['writes']} writes and {seen['keys']} keys for {records} records"
            )
        return float(records / (seen["now"] - seen["first_read"]))
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.wait(timeout=60)
        if plant is not None:
            plant.close()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(
    url: str, plant: Plant, proofs: int, processes: Sequence[subprocess.Popen[bytes]], folder: Path
) -> dict[str, Any]:
    """Wait until so many proofs are in the ledger; asked seldom, so that asking costs nothing."""
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        if _proofs(plant) >= proofs:
            return _control(url)
        if any(process.poll() is not None for process in processes):
            ended = b"".join(file.read_bytes() for file in sorted(folder.glob("*.log")))
            raise RuntimeError(f"a process under test ended by itself: {ended[-600:].decode(errors='replace')}")
        time.sleep(0.05)
    raise RuntimeError(f"{_proofs(plant)} of {proofs} records arrived in {LONGEST:.0f} s")


def _proofs(plant: Plant) -> int:
    with plant.ledger.reading() as connection:
        return (
            int(connection.execute(select(func.max(proof.c.delivery_id))).scalar() or 0)
            if plant.ledger.embedded
            else int(connection.execute(select(func.count()).select_from(proof)).scalar_one())
        )


def _lay_out(folder: Path, url: str, contender: Contender) -> None:
    (folder / "config" / "councils").mkdir(parents=True)
    (folder / "key").write_text("bench\n", encoding="utf-8")
    for name, place in (("dolen.yaml", folder / "config"), ("council.yaml", folder / "config" / "councils")):
        text = (HERE / name).read_text(encoding="utf-8")
        text = text.format(url=url, ledger=contender.ledger, broker=contender.broker, at_once=contender.at_once)
        (place / name.replace("council", "bench")).write_text(text, encoding="utf-8")


def _control(url: str, records: int | None = None) -> dict[str, Any]:
    """Ask how it stands, or release so many records."""
    body = None
    if records is not None:
        sample = json.loads((HERE / "sample.json").read_bytes())
        body = json.dumps({"records": records, "sample": sample}).encode()
    request = urllib.request.Request(f"{url}/control", data=body, method="GET" if body is None else "POST")
    with urllib.request.urlopen(request, timeout=60) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def pipeline(records: int, runs: int, ledger: str = "", broker: str = "", only: Sequence[str] = ()) -> dict[str, Any]:
    """Run every contender that the machine has what it needs for. Returns the result object of every bench."""
    results = []
    alone = Contender("embedded", [["run"]])
    if not only or "embedded" in only:
        results.append(_against_plain(alone, records, runs))
    if not only or "million rows" in only:
        full = Contender("million rows", [["run"]], rows=1_000_000)
        results.append(_against(full, Contender("ten thousand rows", [["run"]], rows=10_000), records, runs))
    if ledger and broker:
        named = {"DOLEN_BENCH_LEDGER": ledger, "DOLEN_BENCH_BROKER": broker}
        beyond = {"ledger": "env:DOLEN_BENCH_LEDGER", "broker": "env:DOLEN_BENCH_BROKER", "environment": named}
        if not only or "rabbitmq" in only:
            one = Contender("rabbitmq", [["schedule"], ["work"]], **beyond)  # type: ignore[arg-type]
            results.append(_against_plain(one, records, runs))
        if not only or "two workers" in only:
            slow: dict[str, Any] = {**beyond, "slow": 0.02, "at_once": 8}
            one = Contender("one worker", [["schedule"], ["work", "--at-once", "4"]], **slow)
            two = Contender("two workers", [["schedule"], *[["work", "--at-once", "4"]] * 2], **slow)
            results.append(_against(two, one, records, runs))
    machine = {"cores": os.cpu_count(), "python": sys.version.split()[0], "platform": sys.platform}
    return {"bench": "pipeline", "results": results, "machine": machine}


def _against_plain(contender: Contender, records: int, runs: int) -> dict[str, Any]:
    with flood(contender.slow) as url:
        pairs = [(ours(url, contender, records), plain(url, records)) for _ in range(runs)]
    return _result(contender.name, "a plain loop", pairs, runs)


def _against(contender: Contender, other: Contender, records: int, runs: int) -> dict[str, Any]:
    with flood(contender.slow) as url:
        pairs = [(ours(url, contender, records), ours(url, other, records)) for _ in range(runs)]
    return _result(contender.name, other.name, pairs, runs)


def _result(name: str, against: str, pairs: Sequence[tuple[float, float]], runs: int) -> dict[str, Any]:
    mine, theirs = (statistics.median(one) for one in zip(*pairs, strict=True))
    return {
        "name": name,
        "ours": round(mine, 1),
        "against": against,
        "theirs": round(theirs, 1),
        "ratio": round(mine / theirs, 3),
        "unit": "records a second",
        "runs": runs,
    }
