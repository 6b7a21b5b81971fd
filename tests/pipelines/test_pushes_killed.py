"""A push is as safe as reading: `dolen run` is killed between commit and answer, and everything arrives once."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rig.pushing import lay_out_pushing, push, shown, signed
from tests.rig.town import Town

PLACE = "alder/desk/Case"


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


@pytest.fixture
def town(tmp_path: Path, port: int) -> Iterator[Town]:
    made = Town(tmp_path, {"alder": "C"})  # its care system keeps no key of ours: a double would be one for good
    lay_out_pushing(tmp_path, made.tiers, made.web.url, port=port, carries="record")
    yield made
    made.close()


def listening(address: str, town: Town) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), 1):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"it does not listen:\n{town.last_words()}")


def arrives(town: Town, name: str) -> None:
    end = time.monotonic() + 30
    while not town.care("alder").of(name):
        assert time.monotonic() < end, town.last_words()
        time.sleep(0.05)


def test_killed_between_the_commit_and_the_answer(town: Town, port: int) -> None:
    address = f"http://127.0.0.1:{port}"
    case = town.desk("alder").type_in("Ann", hidden=True)  # no list shows it: it can come by the push alone
    body = shown(case)
    town.start("push kept")
    listening(address, town)
    with pytest.raises((http.client.HTTPException, OSError)):
        push(address, PLACE, body, signed(body, "m1"))
    assert town.wait_killed(), town.last_words()
    assert town.care("alder").of("Ann") == []
    town.start()
    listening(address, town)
    # What was kept is taken in, whether the supplier comes again or not.
    arrives(town, "Ann")
    for _ in range(2):
        assert push(address, PLACE, body, signed(body, "m1")).status == 200
    other = town.desk("alder").type_in("Bob", hidden=True)
    assert push(address, PLACE, shown(other), signed(shown(other), "m2")).status == 200
    arrives(town, "Bob")
    assert [len(town.care("alder").of(name)) for name in ("Ann", "Bob")] == [1, 1], town.last_words()
    assert town.sums().sums_agree
    assert town.stop() == 0
    log = town.log.read_text(encoding="utf-8")
    assert "Ann" not in log
    assert "Traceback" not in log
