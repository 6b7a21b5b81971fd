"""More of what the guarantees need: fences, ids on the broker, lists and windows, each over real sockets."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from pipelines import desk, lanes, outcomes
from pipelines.sending import Sender
from pipelines.tables import delivery, version

ROOT = Path(__file__).parents[2]


def rows(town: Any, table: Any, **where: Any) -> list[Any]:
    with town.plant.ledger.reading() as connection:
        return list(connection.execute(select(table).filter_by(**where).order_by(*table.primary_key.columns)))


def _plant(town: Any) -> Any:
    from pipelines import composition

    return composition.build(composition.load(town.site), clock=town.clock)


def test_g2_a_worker_that_slept_through_its_lease_cannot_write(town: Any) -> None:
    """Fencing: the late result of a lease that was taken over is not written."""
    town.ask()
    town.read()
    council = town.plant.councils["torfaen"]
    lane = rows(town, delivery)[0].lane
    with town.plant.ledger.writing() as connection:
        (job,) = outcomes.lease(connection, town.plant, council, "casework", "slow/1", only=lane)
    result = Sender(town.plant, council).send(job)
    town.push(600)
    now = town.clock.now()
    with town.plant.ledger.writing() as connection:
        other = lanes.take(connection, "torfaen", "casework", "quick/1", now=now, until=now + 60, most=1)
        assert other[0].fence > job.lease.fence
        assert outcomes.write(connection, town.plant, council, [result]) == [result]


def test_g5_the_broker_carries_ids_only(town: Any) -> None:
    """What is published names a connection of a council, and nothing of any referral."""
    from kombu.connection import Connection
    from kombu.entity import Queue

    from pipelines.relay import Relay
    from pipelines.wakeups import Publisher

    town.ask()
    town.read()
    publisher = Publisher(town.plant.broker_url)
    assert Relay(town.plant).turn(publisher) == 1
    with Connection(town.plant.broker_url) as other:
        message = Queue("dolen.wake")(other.default_channel).get()
        assert message is not None
        assert message.payload == {
            "format": 2,
            "council": "torfaen",
            "connection": "casework",
            "probe": False,
            "urgent": False,
        }
        message.ack()
    publisher.close()


def test_g6_an_unknown_code_elsewhere_leaves_only_that_field_out(town: Any) -> None:
    """A field that nobody needs is left out and listed; the target's own value is not blanked."""
    asked = town.ask()
    town.rest()
    (held,) = town.records("torfaen", "casework")
    before = held["Subject"].get("Gender")
    town.control(
        "PATCH", f"torfaen/contact/records/{asked['id']}?unchecked=1", {"channel": "carrier-pigeon", "team": "adults"}
    )
    town.rest()
    gaps = [gap for row in rows(town, version, connection="contact") for gap in row.gaps or []]
    assert [gap[0] for gap in gaps] == ["channel"]
    (held,) = town.records("torfaen", "casework")
    assert held["Subject"].get("Gender") == before


def test_a_test_site_texts_listed_numbers_only(town: Any) -> None:
    """Stage test: a number that is not listed is refused before anything is sent.

    Broken by not handing the list to the connection: the text went out.
    """
    settings = town.site / "config/dolen.yaml"
    text = settings.read_text(encoding="utf-8").replace('"+447700900*"', '"+447700900111"')
    settings.write_text(text, encoding="utf-8")
    town.plant.close()
    town.plant = _plant(town)
    asked = town.ask()
    customer = {**asked["customer"], "contacts": [{"type": "mobile", "value": "07700900321", "ok_to_text": True}]}
    town.change("torfaen", "contact", asked["id"], customer=customer, updates={"opted_in": True, "asked_at": None})
    town.rest()
    (held,) = town.records("torfaen", "casework")
    town.change("torfaen", "casework", held["ReferralId"], Status="ACC")
    town.rest()
    assert town.records("torfaen", "notify") == []
    (group,) = desk.attention(town.plant)
    assert group.connection == "texts"
    assert "900321" not in group.words


def test_quiet_hours_and_windows_hold_without_burning_a_try(town: Any) -> None:
    """What waits for a maintenance window goes by itself when it is over, on its first try."""
    casework = town.plant.councils["torfaen"].wired["casework"]
    there = datetime.now(ZoneInfo("Europe/London"))
    ends = there + timedelta(hours=2)
    casework.settings = {
        **casework.settings,
        "windows": [{"begins": f"{there - timedelta(hours=1):%H:%M}", "ends": f"{ends:%H:%M}"}],
    }
    town.ask()
    town.read("torfaen")
    assert town.deliver() == 0
    assert town.records("torfaen", "casework") == []
    town.push(3 * 3600)
    town.rest()
    assert len(town.records("torfaen", "casework")) == 1
    assert rows(town, delivery)[0].tries == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows has no file modes of this kind")
def test_the_master_key_is_readable_by_its_owner_alone(town: Any) -> None:
    """The embedded default makes its own key file with safe permissions."""
    (key,) = (town.site / "var/keys").glob("*.key")
    assert key.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system does not tell a process's memory so")
@pytest.mark.embedded
@pytest.mark.parametrize(("pages", "megabytes"), [("without its pages", 150), ("with its pages", 175)])
def test_an_idle_run_takes_little_memory(town: Any, pages: str, megabytes: int) -> None:
    """Three councils wired, nothing to do: what one process of `dolen run` keeps resident."""
    town.plant.close()
    settings = town.site / "config/dolen.yaml"
    lines = settings.read_text(encoding="utf-8").splitlines(keepends=True)
    console = [line for line in lines if line.startswith("console:")]
    assert len(console) == 1
    shown = "console: {host: 127.0.0.1, port: 0}\n" if pages == "with its pages" else ""
    settings.write_text("".join(shown if line in console else line for line in lines), encoding="utf-8")
    command = [sys.executable, "-m", "console", "run", "--site", str(town.site)]
    process = subprocess.Popen(command, env=town.environment, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        told = iter(process.stdout.readline, "")
        assert any("Pages at" in line for line in told) if shown else "Dolen runs" in next(told)
        time.sleep(6)
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
        kilobytes = int(status.split("VmRSS:")[1].split()[0])
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=40)
    assert process.returncode == 0
    assert kilobytes < megabytes * 1000
    town.plant = _plant(town)
