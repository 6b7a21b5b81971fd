"""Row 20 of docs/catalogue.md: tokens that end in the middle of the work, with eight threads and a real clock.

One thread renews for all, every call ends well, and nothing is done twice. What a refused login does to a whole
connection is the movement's part of the row.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.errors import ConnectorError, Unauthorised
from connectors.registry import open_connector

THREADS, LIFE, BATCH = 8, 2.0, 25
AT = "2026-03-02T09:15:00Z"

OPENAPI = {
    "openapi": "3.1.0",
    "paths": {"/things": {}},
    "components": {"schemas": {"Thing": {"type": "object", "properties": {"id": {"type": "string"}}}}},
}
PROFILE = {
    "system": "things",
    "protocol": "rest",
    "interface": "interfaces/things.json",
    "clock": "Europe/London",
    "records": {
        "Thing": {
            "component": "Thing",
            "item": {"id": "id", "our_key": "key"},
            "create": {"method": "POST", "path": "/things", "our_key": "key"},
            "find": {"path": "/things", "by": "key", "items": "things[]"},
        }
    },
}


class Things:
    """A system whose tokens are good for two seconds and no longer. It counts what it did, and how often it was asked
    for a token."""

    def __init__(self, small: Any, answer: Any) -> None:
        self.made: list[str] = []
        self.tokens: dict[str, float] = {}
        self.refused = 0
        self.shut = False  # takes no token at all, though it gives them
        self.life = LIFE
        self._lock = threading.Lock()
        self._answer = answer
        self.url = small(self._on).url

    def _on(self, call: Any) -> Any:
        with self._lock:
            if call.path == "/token":
                name = f"tocyn-{len(self.tokens) + 1}"
                self.tokens[name] = time.monotonic() + self.life
                # It says ten minutes, so that only a refusal tells when one has ended: the hard case.
                told = {"access_token": name, "token_type": "Bearer", "expires_in": 600}
                return self._answer(200, json.dumps(told).encode())
            given = call.headers.get("authorization", "").removeprefix("Bearer ")
            if self.shut or self.tokens.get(given, 0.0) < time.monotonic():
                self.refused += 1
                return self._answer(401, b"{}")
            self.made.append(json.loads(call.body)["key"])
            return self._answer(201, json.dumps({"id": str(len(self.made))}).encode())


@pytest.fixture
def things(small: Any, answer: Any) -> Things:
    return Things(small, answer)


@pytest.fixture
def connector(things: Things, clock: Any) -> Iterator[Any]:
    login = {"oauth2": {"token_url": things.url + "/token", "client_id": "dolen", "client_secret": "env:S"}}
    made = open_connector(
        PROFILE,
        {"url": things.url, "timeout_seconds": 10, "login": login, "limits": {"at_once": THREADS}},
        interfaces=lambda _: json.dumps(OPENAPI).encode(),
        clock=clock,
        secret=lambda _: "cyfrinach",
    )
    yield made
    made.close()


def in_threads(work: Any) -> None:
    running = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()


def test_row_20_tokens_that_end_in_mid_batch_are_renewed_once_for_all(things: Things, connector: Any) -> None:
    end, batches, sent, failed = time.monotonic() + 3 * LIFE, [0] * THREADS, [0] * THREADS, []

    def work(thread: int) -> None:
        while time.monotonic() < end:
            for _ in range(BATCH):
                sent[thread] += 1
                try:
                    connector.deliver("Thing", {}, key=f"k-{thread}-{sent[thread]}")
                except ConnectorError as error:
                    failed.append(error)
                time.sleep(0.01)
            batches[thread] += 1

    in_threads(work)
    assert failed == []
    assert len(things.made) == len(set(things.made)) == sum(sent), "each once, and none left out"
    lives = 3 * LIFE / LIFE + 2  # one more for the first, and one for what goes on behind the end
    assert 3 <= len(things.tokens) <= lives, "one token a life, whichever thread asked for it"
    assert len(things.tokens) <= sum(batches)
    assert things.refused <= THREADS * len(things.tokens), "a thread is refused once a token at the most"


def test_row_20_401_behind_a_new_token_is_said_once_a_call_and_not_asked_again(things: Things, connector: Any) -> None:
    things.shut, said = True, []

    def work(thread: int) -> None:
        for number in range(5):
            with pytest.raises(Unauthorised) as caught:
                connector.deliver("Thing", {}, key=f"k-{thread}-{number}")
            said.append(caught.value)

    in_threads(work)
    calls = THREADS * 5
    assert len(said) == calls
    assert things.made == []
    assert things.refused <= 2 * calls, "sent again once, with the new token, and no more"
    assert len(things.tokens) <= calls + 1
