"""Delivery receipts: pushed once a message has ended, with the bearer token, and again where nobody listened."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from sandbox.notify_checks import templates
from sandbox.receipts import MOST_TRIES
from sandbox.world import World
from tests.sandbox.conftest import Running


class Listener(HTTPServer):
    """A council's own address for receipts; `answers` are the statuses it gives, in turn, the last one for ever."""

    def __init__(self) -> None:
        self.answers, self.heard = [200], list[tuple[str, dict[str, Any]]]()
        super().__init__(("127.0.0.1", 0), _Hearing)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/receipts"


class _Hearing(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.heard.append((self.headers["Authorization"], body))
        answers = self.server.answers
        self.send_response(answers.pop(0) if len(answers) > 1 else answers[0])
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "sandbox")
    yield made
    made.close()


def put_message(world: World, id: str, to: str = "07700900123") -> None:
    now = world.clock().isoformat()
    message = {"id": id, "type": "sms", "to": to, "reference": "ours", "template_id": next(iter(templates()))}
    message |= {"body": "", "personalisation": {}, "created_at": now}
    world.store.collection("torfaen", "notify").put(id, message, version=1, changed=now, key="ours")


def pass_time(world: World, **by: float) -> None:
    world.clock.set(world.clock() + timedelta(**by))
    world.receipts.tick()


def test_a_receipt_comes_when_the_message_has_ended_and_once(world: World, listener: Listener) -> None:
    world.receipts.send_to("torfaen", listener.url, "word-of-theirs")
    put_message(world, "a")
    put_message(world, "b", "07700900002")
    world.receipts.tick()
    assert listener.heard == []
    for _ in range(3):
        pass_time(world, seconds=5)
    assert [(body["id"], body["status"]) for _, body in listener.heard] == [
        ("a", "delivered"), ("b", "permanent-failure")
    ]  # fmt: skip
    assert {said for said, _ in listener.heard} == {"Bearer word-of-theirs"}
    assert listener.heard[0][1]["reference"] == "ours"
    assert listener.heard[0][1]["completed_at"]


def test_what_was_not_taken_comes_again_after_five_minutes(world: World, listener: Listener) -> None:
    listener.answers = [500, 200]
    world.receipts.send_to("torfaen", listener.url, "x")
    put_message(world, "a")
    pass_time(world, seconds=5)
    pass_time(world, minutes=4)
    assert len(listener.heard) == 1
    pass_time(world, minutes=2)
    pass_time(world, minutes=20)
    assert len(listener.heard) == 2


def test_it_gives_up_after_the_fifth_time(world: World, listener: Listener) -> None:
    listener.answers = [503]
    world.receipts.send_to("torfaen", listener.url, "x")
    put_message(world, "a")
    for _ in range(10):
        pass_time(world, minutes=6)
    assert len(listener.heard) == MOST_TRIES


def test_nobody_at_the_address_is_no_harm(world: World) -> None:
    world.receipts.send_to("torfaen", "http://127.0.0.1:9/receipts", "x")
    put_message(world, "a")
    pass_time(world, seconds=5)


def test_it_can_be_set_and_ended_over_http(running: Running, listener: Listener) -> None:
    asked = {"tenant": "torfaen", "url": listener.url, "bearer": "x"}
    assert running.control("POST", "notify/callback", asked) == {}
    assert running.control("POST", "notify/callback", {**asked, "url": ""}) == {}
    running.control("POST", "notify/callback", {"tenant": "torfaen"}, status=409)
    put_message(running.world, "a")
    pass_time(running.world, seconds=5)
    assert listener.heard == []
