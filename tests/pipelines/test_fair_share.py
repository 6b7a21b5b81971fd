"""Fair share and pace: what is urgent overtakes a running back-fill in two seconds, and live work does not wait for it.

A source and a sink of the sandbox's, made for speed, and Dolen's own threads on the machine's clock. The back-fill is
being read and delivered all the while. HYPOTHESIS_PROFILE=long makes it one of 100,000 records.
"""

import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import func, select

from connectors.port import Item
from pipelines import composition
from pipelines.intake import Intake
from pipelines.plant import Plant
from pipelines.relay import Relay
from pipelines.tables import delivery
from pipelines.walks import Walker
from pipelines.worker import Worker
from tests.conftest import PROFILE

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "console/bench/flood"
RECORDS = 100_000 if PROFILE == "long" else 20_000
SAMPLE: dict[str, Any] = json.loads((BENCH / "sample.json").read_bytes())


@pytest.fixture
def flood() -> Iterator[Callable[[int], str]]:
    """A source with as many requests as it is asked for, and a sink that takes 20 milliseconds for each."""
    command = [sys.executable, "-m", "sandbox", "flood", "--slow", "0.02"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        url = str(json.loads(process.stdout.readline())["url"])

        def release(records: int) -> str:
            order = json.dumps({"records": records, "sample": SAMPLE}).encode()
            urllib.request.urlopen(urllib.request.Request(f"{url}/control", data=order), timeout=60).close()
            return url

        yield release
    finally:
        process.stdin.close()
        process.wait(timeout=20)
        process.stdout.close()


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Plant]]:
    """Build the site of the pipeline bench on a flood; `limits` of its sink, as they are written."""
    made: list[Plant] = []

    def build(url: str, limits: str = "{at_once: 4}") -> Plant:
        (tmp_path / "config/councils").mkdir(parents=True)
        (tmp_path / "key").write_text("bench\n", encoding="utf-8")
        for name, place in (("dolen.yaml", "dolen.yaml"), ("council.yaml", "councils/bench.yaml")):
            text = (BENCH / name).read_text(encoding="utf-8")
            text = text.format(
                url=url, ledger="sqlite:///ledger.db", broker="memory://", at_once=4, level="warning"
            )
            text = text.replace("limits: {at_once: 4}", f"limits: {limits}")
            (tmp_path / "config" / place).write_text(text, encoding="utf-8")
        made.append(composition.build(composition.load(tmp_path), environment={}))
        return made[-1]

    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    yield build
    structlog.reset_defaults()
    for plant in made:
        plant.close()


@contextmanager
def running(plant: Plant, *, reads: bool = True) -> Iterator[None]:
    """Dolen's own threads, and one that reads the back-fill."""
    stop = threading.Event()
    council = plant.councils["bench"]
    source = council.wired["source"]

    def read() -> None:
        while reads and not stop.is_set():
            Walker(plant, council).walk(source, source.kinds["Request"], purpose="back-fill", most_pages=2)

    threads = [
        threading.Thread(target=Worker(plant, "boot").run, args=(stop,), name="worker"),
        threading.Thread(target=Relay(plant).run, args=(stop,), name="relay"),
        threading.Thread(target=read, name="back-fill"),
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=60)


def count(plant: Plant, *where: Any) -> int:
    with plant.ledger.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(delivery).where(*where)).scalar_one())


def asked(number: int, priority: str) -> Item:
    stamp = datetime(2026, 7, 2, 11, 0, number % 60, tzinfo=UTC)
    record = {
        **SAMPLE,
        "id": f"L-{number}",
        "version": 1,
        "changed_at": stamp.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "priority": priority,
        "external_reference": None,
        "public_reference": None,
        "case_number": None,
        "customer": {**SAMPLE["customer"], "last_name": f"Byw-{number}", "nhs_number": None},
    }
    return Item(f"L-{number}", record, json.dumps(record).encode(), "1", stamp, "")


def seconds_until_arrived(plant: Plant, number: int, priority: str) -> float:
    """Somebody asks for help, and it is taken in: how long until the sink holds it."""
    council = plant.councils["bench"]
    source = council.wired["source"]
    began = time.monotonic()
    Intake(plant, council).take(source, source.kinds["Request"], [asked(number, priority)])
    while not count(plant, delivery.c.id == newest(plant), delivery.c.state == "arrived"):
        assert time.monotonic() - began < 30
        time.sleep(0.02)
    return time.monotonic() - began


def newest(plant: Plant) -> int:
    """The newest delivery that no back-fill made."""
    with plant.ledger.reading() as connection:
        return int(connection.execute(select(func.max(delivery.c.id)).where(delivery.c.live)).scalar_one())


@pytest.mark.slow
@pytest.mark.timeout(3600 if PROFILE == "long" else 180)
def test_live_and_urgent_work_overtakes_a_running_back_fill(flood: Any, opened: Any, record_property: Any) -> None:
    """Broken by leasing the oldest lanes first: it came behind everything that was waiting."""
    plant = opened(flood(RECORDS))
    with running(plant):
        began = time.monotonic()
        while count(plant, ~delivery.c.live) < RECORDS // 4:
            assert time.monotonic() - began < 600
            time.sleep(0.1)
        urgent = [seconds_until_arrived(plant, number, "emergency") for number in range(3)]
        ordinary = [seconds_until_arrived(plant, number, "routine") for number in range(3, 6)]
        waiting = count(plant, ~delivery.c.live, delivery.c.state == "waiting")
        arrived = count(plant, ~delivery.c.live, delivery.c.state == "arrived")
    figures = f"urgent {max(urgent):.2f} s, live {max(ordinary):.2f} s; {arrived} arrived and {waiting} waiting"
    record_property("fair share", figures)
    assert waiting > 1_000, "there was nothing to overtake"
    assert arrived > 100, "the back-fill stood still"
    assert max(urgent) < 2
    assert max(ordinary) < 2


@pytest.mark.slow
@pytest.mark.timeout(3600 if PROFILE == "long" else 180)
def test_what_waited_out_an_outage_drains_at_the_suppliers_own_limit(
    flood: Any, opened: Any, record_property: Any
) -> None:
    """Neither faster than was agreed nor, by our own doing, slower. Broken by a wake-up for each record."""
    count_waiting, rate = (15_000, 150) if PROFILE == "long" else (300, 50)
    plant = opened(flood(count_waiting), f"{{at_once: 4, calls_a_second: {rate}}}")
    council = plant.councils["bench"]
    source = council.wired["source"]
    Walker(plant, council).walk(source, source.kinds["Request"])
    assert count(plant, delivery.c.state == "waiting") == count_waiting
    began = time.monotonic()
    with running(plant, reads=False):
        while count(plant, delivery.c.state == "arrived") < count_waiting:
            assert time.monotonic() - began < 1_000
            time.sleep(0.1)
    took = time.monotonic() - began
    record_property("drain", f"{count_waiting} in {took:.1f} s at {rate} a second")
    assert took > (count_waiting - 1) / rate * 0.99, "faster than the supplier allows"
    assert took < count_waiting / rate * 1.25 + 1
