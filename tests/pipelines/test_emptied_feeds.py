"""An inbox and a queue, read by a process that is killed between each of its steps: nothing is lost, nothing doubled.

The one thing that no process can hold is an answer of a queue that it never had on its disk. That one is told.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipelines import composition
from pipelines.courtesy import Courtesy
from pipelines.feeds import pages
from pipelines.looking import NotPossible
from tests.pipelines.emptying import Kill, begin, case, lay_out

pytestmark = [pytest.mark.slow, pytest.mark.embedded, pytest.mark.timeout(300)]

STEPS: list[Kill] = [
    ("crash", "page read", 1),
    ("crash", "before page commit", 1),
    ("crash", "after page commit", 1),
    ("crash", "page read", 2),
    ("crash", "after page commit", 2),
]
SPOOLED: list[Kill] = [  # behind each of these steps stands the next one
    *(("keep", "before", nth) for nth in (1, 2, 3)),
    ("keep", "after", 1),
    *(("drop", "before", nth) for nth in (1, 2, 3)),
    ("drop", "after", 3),
]
NEVER_KEPT: Kill = ("keep", "before", 2)
NOTE_ALONE: Kill = ("keep", "after", 1)


class System:
    """A system with an inbox and a queue, on loopback. `kills`: whom it kills in the middle of a call, and when."""

    def __init__(self) -> None:
        self.inbox: dict[str, Any] = {}
        self.events: list[Any] = []
        self.kills: int | None = None
        self.when = ""
        self.acknowledged: list[str] = []
        system = self

        class Conversation(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/inbox":
                    return self.say({"messages": list(system.inbox)})
                if self.path == "/events":
                    events, system.events = system.events, []
                    system.strike("taken")
                    return self.say({"events": events})
                return self.say(system.inbox[self.path.rsplit("/", 1)[1]])

            def do_PUT(self) -> None:
                id = self.path.split("/")[2]
                system.acknowledged.append(id)
                system.strike("asked")
                there = system.inbox.pop(id, None)
                system.strike("acknowledged")
                self.say({} if there else {"code": "none"}, 200 if there else 404)

            def say(self, body: Any, status: int = 200) -> None:
                sent = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A caller that is killed is what these tests are about."""

        self._server = Quiet(("127.0.0.1", 0), Conversation)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def strike(self, when: str) -> None:
        if self.kills is not None and self.when == when:
            os.kill(self.kills, signal.SIGKILL)
            self.kills = None

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def killed_and_read_again(site: Path, connection: str, kill: Kill | None, system: System, when: str = "") -> None:
    """Read until it is killed, and then by a new process; see that it really was."""
    system.when = when
    first = begin(site, connection, kill)
    system.kills = first.pid if when else None
    first.join(100)
    assert first.exitcode == -signal.SIGKILL, f"it was not killed at {kill or when}"
    time.sleep(1.1)  # as long as an answer may be on its way: twice the connection's time-out
    second = begin(site, connection)
    second.join(100)
    assert second.exitcode == 0


def taken_in(folder: Path, connection: str) -> tuple[list[str], int]:
    """The ids of the versions that the ledger has, and how many things a person has to look at."""
    with sqlite3.connect(folder / "data" / "ledger.db") as ledger:
        found = ledger.execute("select external_id, state from version where connection = ?", (connection,)).fetchall()
    ids = sorted(id for id, _ in found if id)
    assert all(state != "needs attention" for id, state in found if id)
    return ids, sum(1 for id, _ in found if not id)


def queue_read(folder: Path, kill: Kill | None, when: str = "") -> tuple[list[str], int]:
    """What the ledger has of three events, read by a process that is killed and by the one after it."""
    system = System()
    system.events = [case("c1"), case("c2"), case("c3")]
    try:
        killed_and_read_again(lay_out(folder, system.url), "queue", kill, system, when)
    finally:
        system.close()
    assert [path.name for path in (folder / "data" / "spool").rglob("queue-*") if path.name[-5:] != "-last"] == []
    return taken_in(folder, "queue")


def inbox_read(folder: Path, kill: Kill | None, when: str = "") -> list[str]:
    """Which messages were acknowledged, in order, of three that the ledger has once and the inbox no more."""
    system = System()
    system.inbox = {id: case(id) for id in ("c1", "c2", "c3")}
    try:
        killed_and_read_again(lay_out(folder, system.url), "inbox", kill, system, when)
    finally:
        system.close()
    assert taken_in(folder, "inbox") == (["c1", "c2", "c3"], 0)
    assert system.inbox == {}
    return system.acknowledged


def test_a_queue_is_read_by_a_process_that_is_killed_at_each_step(tmp_path: Path) -> None:
    with ThreadPoolExecutor(6) as pool:
        never_came = pool.submit(queue_read, tmp_path / "never", None, "taken")
        each = {kill: pool.submit(queue_read, tmp_path / "-".join(map(str, kill)), kill) for kill in STEPS + SPOOLED}
    outcomes = {kill: done.result() for kill, done in each.items()}
    assert never_came.result() == ([], 1), "an answer that never came is gone, and a person is told"
    assert outcomes.pop(NEVER_KEPT) == ([], 1), "so is one that was never on our disk"
    # A process that died with its note open cannot tell whether an answer was on its way to it.
    assert outcomes.pop(NOTE_ALONE) == (["c1", "c2", "c3"], 1)
    assert outcomes == dict.fromkeys(outcomes, (["c1", "c2", "c3"], 0))


def test_an_inbox_is_read_by_a_process_that_is_killed_at_each_step(tmp_path: Path) -> None:
    with ThreadPoolExecutor(6) as pool:
        each = [pool.submit(inbox_read, tmp_path / "-".join(map(str, kill)), kill) for kill in STEPS]
        struck = {when: pool.submit(inbox_read, tmp_path / when, None, when) for when in ("asked", "acknowledged")}
    for done in each:
        assert sorted(set(done.result())) == ["c1", "c2", "c3"]
    assert struck["asked"].result() == ["c1", "c1", "c2", "c3"], "what became of it is not known, so it is sent again"
    assert struck["acknowledged"].result() == ["c1", "c1", "c2", "c3"]


def test_nothing_is_compared_with_a_system_that_shows_its_records_once(tmp_path: Path) -> None:
    system = System()
    plant = composition.build(composition.load(lay_out(tmp_path, system.url)))
    try:
        wired = plant.councils["cedar"].wired["queue"]
        with pytest.raises(NotPossible, match="once and never again"):
            next(pages(wired, wired.kinds["Case"], Courtesy(plant, threading.Event(), share=1.0), lambda *_: None))
    finally:
        plant.close()
        system.close()
