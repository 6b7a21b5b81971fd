"""`dolen audit dependencies`: three answers, and the third is never taken for the first.

The feeds are files and a small OSV service on this machine; pip-audit is the real one, as a process. Meant to catch an
audit that counts only what pip-audit has looked up, and says "nothing known" of a service that has hung up.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from console.supply import advisories
from console.supply.advisories import Feed, stored
from console.supply.packages import Package, installed, locked

ROOT = Path(__file__).parents[2]
LOCK = f"requests==2.31.0 \\\n    --hash=sha256:{'0' * 64}\nPyYAML==6.0.1 \\\n    --hash=sha256:{'1' * 64}\n"
NOW = datetime.now(UTC)


def record(**changes: Any) -> dict[str, Any]:
    """An advisory against requests from 2.3.0 on, mended in 2.32.0."""
    return {
        "id": "PYSEC-2024-1", "modified": NOW.isoformat(),
        "affected": [{
            "package": {"ecosystem": "PyPI", "name": "Requests"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "2.3.0"}, {"fixed": "2.32.0"}]}],
        }],
        **changes,
    }  # fmt: skip


def ranges(*events: dict[str, str]) -> dict[str, Any]:
    package = {"ecosystem": "PyPI", "name": "requests"}
    return {"affected": [{"package": package, "ranges": [{"type": "ECOSYSTEM", "events": list(events)}]}]}


OTHER = record(id="OTHER", affected=[{"package": {"ecosystem": "PyPI", "name": "flask"}, "versions": ["9"]}])


@pytest.fixture
def audit(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Run the command on two pins."""
    lock = tmp_path / "two.lock"
    lock.write_text(LOCK, encoding="utf-8")

    def audit(*more: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "console", "audit", "dependencies", "--lock", str(lock), *more]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=90, check=False)
        assert "Traceback" not in done.stdout + done.stderr
        return done.returncode, done.stdout + done.stderr

    return audit


@pytest.fixture
def keep(tmp_path: Path) -> Callable[..., str]:
    """Store a feed in a file."""

    def keep(*records: Any, name: str = "feed.json") -> str:
        (tmp_path / name).write_text(json.dumps(list(records)), encoding="utf-8")
        return str(tmp_path / name)

    return keep


def test_nothing_known_something_known_and_not_audited(audit: Any, keep: Any) -> None:
    assert audit("--advisories", keep(OTHER)) == (
        0,
        f"2 packages audited by 1 advisories of feed.json, the newest of {NOW:%Y-%m-%d}: nothing is known against "
        "them.\n",
    )
    code, said = audit("--advisories", keep(record()))
    assert code == 1
    assert "requests 2.31.0: PYSEC-2024-1, mended in 2.32.0" in said
    old = (NOW - timedelta(days=31)).isoformat()
    for feed in ([], [record(id="OTHER", affected=[])], [{**OTHER, "modified": old}], [OTHER, {"id": 3}]):
        code, said = audit("--advisories", keep(*feed))
        assert (code, said.startswith("NOT AUDITED: ")) == (3, True)
    code, said = audit("--advisories", keep(record(), "no record"))  # what is known is told first
    assert (code, "PYSEC-2024-1" in said, "NOT AUDITED" in said) == (1, True, True)


@pytest.mark.parametrize(
    ("changes", "hit"),
    [
        (ranges({"introduced": "0"}), True),
        (ranges({"introduced": "2.31.0"}), True),
        (ranges({"introduced": "2.31.1"}), False),
        (ranges({"introduced": "0"}, {"fixed": "2.31.0"}), False),
        (ranges({"introduced": "0"}, {"last_affected": "2.31.0"}), True),
        (ranges({"introduced": "0"}, {"last_affected": "2.30.0"}), False),
        (ranges({"introduced": "0"}, {"fixed": "1"}, {"introduced": "2.4"}), True),
        (ranges({"fixed": "2.40"}, {"introduced": "2.4"}), True),  # in whatever order they are written
        ({"affected": [{"package": {"ecosystem": "PyPI", "name": "requests"}, "versions": ["2.31.0"]}]}, True),
        ({"affected": [{"package": {"ecosystem": "npm", "name": "requests"}, "versions": ["2.31.0"]}]}, False),
        ({"withdrawn": "2025-01-01T00:00:00Z"}, False),
    ],
)
def test_which_versions_an_advisory_is_about(changes: dict[str, Any], hit: bool) -> None:
    feed = Feed()
    feed.take(record(**changes))
    assert [one.id for one in feed.about(Package("requests", "2.31.0"))] == (["PYSEC-2024-1"] if hit else [])


def test_a_feed_as_osv_hands_it_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("PYSEC-2024-1.json", json.dumps(record()))
        packed.writestr("../../outside.json", json.dumps(OTHER))  # nothing is unpacked, so its name leads nowhere
        packed.writestr("broken.json", "{")
    feed = stored(tmp_path / "all.zip")
    assert (feed.records, feed.unreadable) == (2, 1)
    assert [one.name for one in tmp_path.iterdir()] == ["all.zip"]
    monkeypatch.setattr(advisories, "MOST_BYTES", 1_000_000)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("bomb.json", b" " * 1_000_001)
    with pytest.raises(advisories.BadFeed, match="longer than 1000000 bytes"):
        stored(tmp_path / "bomb.zip")


@pytest.fixture
def osv() -> Iterator[Callable[[int, bytes], str]]:
    """An OSV service that answers each question in one way."""
    running: list[HTTPServer] = []

    def serve(status: int, body: bytes) -> str:
        class One(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None: ...

        running.append(HTTPServer(("127.0.0.1", 0), One))
        threading.Thread(target=running[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{running[-1].server_port}/v1/query"

    yield serve
    for one in running:
        one.shutdown()
        one.server_close()


def test_pip_audit_is_believed_only_for_what_it_looked_up(audit: Any, osv: Any) -> None:
    code, said = audit("--service", osv(200, b"{}"))
    assert (code, said) == (0, "2 packages audited by pip-audit's feed: nothing is known against them.\n")
    mended = ranges({"introduced": "2.3.0"}, {"fixed": "2.32.0"})
    code, said = audit("--service", osv(200, json.dumps({"vulns": [record(**mended)]}).encode()), "--json")
    told = json.loads(said)
    assert (code, told["audited"]) == (1, True)
    assert {"package": "requests", "version": "2.31.0", "id": "PYSEC-2024-1", "mended_in": ["2.32.0"]} in told["known"]
    code, said = audit("--service", osv(503, b""))
    assert (code, said.startswith("NOT AUDITED: no advisory feed")) == (3, True)


def test_what_is_looked_at(tmp_path: Path) -> None:
    names = {one.name for one in installed()}
    assert {"requests", "sqlalchemy", "ruamel-yaml"} <= names
    assert "dolen" not in names
    assert {one.name for one in locked(ROOT / "requirements.lock")} <= names | {"colorama", "tzdata"}
    (tmp_path / "none.lock").write_text("# nothing\n", encoding="utf-8")
    with pytest.raises(ValueError, match="pins no package"):
        locked(tmp_path / "none.lock")


def test_wrong_use(audit: Any) -> None:
    assert audit("--advisories", "not-there.json")[0] == 2
