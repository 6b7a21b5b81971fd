"""A BaRS message is as safe as any push: `dolen run` is killed between commit and answer, and it arrives once."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipelines.test_bars_received import PLACE, message
from tests.rig.bars import lay_out_bars
from tests.rig.pushing import push
from tests.rig.town import Town


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


@pytest.fixture
def town(tmp_path: Path, port: int) -> Iterator[Town]:
    made = Town(tmp_path, {"alder": "C"})  # its care system keeps no key of ours: a double would be one for good
    lay_out_bars(tmp_path, made.web.url, nhs="http://127.0.0.1:9/none", token="none", port=port)
    yield made
    made.close()


def test_killed_between_the_commit_and_the_answer(town: Town, port: int) -> None:
    address = f"http://127.0.0.1:{port}"
    headers, bundle = message("k1")
    body = json.dumps(bundle).encode()

    def sent() -> int:
        end = time.monotonic() + 30
        while True:
            try:
                return push(address, PLACE, body, headers).status
            except ConnectionRefusedError:  # it is not up yet
                assert time.monotonic() < end, town.last_words()
                time.sleep(0.05)

    town.start("push kept")
    with pytest.raises((http.client.HTTPException, ConnectionResetError)):
        sent()
    assert town.wait_killed(), town.last_words()
    town.start()
    assert sent() == 409, "the sender takes it for success, and it is one"
    end = time.monotonic() + 30
    while not town.care("alder").of("O'Neill"):
        assert time.monotonic() < end, town.last_words()
        time.sleep(0.05)
    assert town.stop() == 0
    assert len(town.care("alder").of("O'Neill")) == 1
    assert town.sums().sums_agree
    assert "O'Neill" not in town.log.read_text(encoding="utf-8")
