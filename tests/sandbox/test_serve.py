"""`python -m sandbox` as a process: starts, says where, survives a kill, stops when asked, speaks TLS, stays small."""

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
import requests
import trustme

from sandbox.__main__ import main
from sandbox.casework import Casework
from sandbox.secrets import everything
from sandbox.store import Store
from sandbox.world import TENANTS
from tests.sandbox.test_control import PLACE, RECORD


@contextlib.contextmanager
def serving(directory: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-W", "error", "-m", "sandbox", "serve", "--dir", str(directory), *more]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, json.loads(process.stdout.readline())["url"]
        finally:
            process.kill()


def test_it_says_where_it_is_writes_its_logins_and_stops_when_asked(tmp_path: Path) -> None:
    with serving(tmp_path / "d") as (process, url):
        assert requests.get(f"{url}/control/state", timeout=5).ok
        path = tmp_path / "d" / "secrets.json"
        assert json.loads(path.read_text(encoding="utf-8")) == everything(TENANTS)
        assert path.stat().st_mode & 0o077 == 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0


def test_it_stops_while_a_call_hangs(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, url):
        faults = {"tenant": "torfaen", "system": "casework", "faults": {"hang_before": {"seconds": 60}}}
        requests.post(f"{url}/control/faults", json=faults, timeout=5)
        with pytest.raises(requests.Timeout):
            requests.get(f"{url}/torfaen/casework/soap?wsdl", timeout=0.3)
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0


def test_it_ends_with_whoever_started_it(tmp_path: Path) -> None:
    with serving(tmp_path, "--until-stdin-closes") as (process, _):
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(5) == 0


def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    made: list[str] = []
    for _ in range(3):
        with serving(tmp_path) as (process, url), requests.Session() as http:
            for _ in range(20):
                made.append(http.post(f"{url}/control/{PLACE}", json=RECORD, timeout=5).json()["ReferralId"])
            process.kill()
    with serving(tmp_path) as (_, url):
        kept = requests.get(f"{url}/control/{PLACE}?limit=500", timeout=5).json()["records"]
    assert [each["ReferralId"] for each in kept] == made == [f"R{number:07d}" for number in range(1, 61)]


def test_tls_and_a_certificate_that_nobody_trusts(tmp_path: Path) -> None:
    ca = trustme.CA()
    issued = ca.issue_cert("127.0.0.1")
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    issued.private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    pem = str(tmp_path / "server.pem")
    with serving(tmp_path, "--cert", pem, "--key", pem) as (_, url):
        assert url.startswith("https://127.0.0.1:")
        assert requests.get(f"{url}/control/state", verify=str(tmp_path / "ca.pem"), timeout=5).ok
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(f"{url}/control/state", timeout=5)
        wsdl = requests.get(f"{url}/torfaen/casework/soap?wsdl", verify=str(tmp_path / "ca.pem"), timeout=5).text
        assert f'location="{url}/torfaen/casework/soap"' in wsdl


def test_its_clock_can_be_set(tmp_path: Path) -> None:
    with serving(tmp_path, "--now", "2026-10-25T00:59:50+00:00") as (_, url):
        made = requests.post(f"{url}/control/{PLACE}", json=RECORD, timeout=5).json()
        assert made["LastChanged"].startswith("2026-10-25T01:59:5")
        requests.put(f"{url}/control/clock", json={"now": "2026-12-01T09:00:00+00:00"}, timeout=5)
        made = requests.post(f"{url}/control/{PLACE}", json=RECORD, timeout=5).json()
        assert made["LastChanged"].startswith("2026-12-01T09:00:0")


@pytest.mark.parametrize("arguments", [
    [], ["serve"], ["serve", "--dir", "x", "--port", "many"], ["serve", "--dir", "x", "--cert", "y"],
    ["serve", "--dir", "x", "--now", "2026-10-25T00:59:50"],
])  # fmt: skip
def test_wrong_use(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with serving(tmp_path / "a") as (_, url):
        command = [sys.executable, "-m", "sandbox", "serve", "--dir", str(tmp_path / "b"), "--port", url.split(":")[2]]
        second = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert (second.returncode, second.stdout) == (2, "")
    assert "Choose another --dir, --port" in second.stderr


def test_it_lists_its_faults(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["faults"]) == 0
    assert json.loads(capsys.readouterr().out)["throttle"]["numbers"] == {"seconds": 1}


@pytest.mark.slow
def test_memory_stays_flat_for_fifty_thousand_records(tmp_path: Path) -> None:
    store = Store(tmp_path / "sandbox.db")
    casework = Casework(store, lambda: datetime(2026, 11, 2, 9, 0, tzinfo=UTC))
    for _ in range(50):
        with store.transaction():
            for _ in range(1000):
                casework.write_unchecked("torfaen", "", RECORD)
    store.close()
    with serving(tmp_path) as (process, url), requests.Session() as http:
        place, pages, count = f"{url}/control/{PLACE}?limit=500", 0, 0
        small = psutil.Process(process.pid).memory_info().rss
        after = ""
        while after is not None:
            page = http.get(f"{place}&after={after}", timeout=10).json()
            pages, count, after = pages + 1, count + len(page["records"]), page["next"]
        assert (pages, count) == (100, 50_000)
        assert psutil.Process(process.pid).memory_info().rss - small < 40_000_000
