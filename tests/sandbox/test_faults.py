"""Every fault strikes over a real socket as it says, before or after the commit, where and as often as told."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import requests

from sandbox.exchange import Exchange, Request, Response
from sandbox.faults import KINDS, Faults, WrongFault
from sandbox.store import Json
from sandbox.tally import Tally
from sandbox.web import Server


class Jar:
    """The smallest system: POST /add commits one more, GET /count tells how many."""

    name = "jar"

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()

    def answer(self, request: Request, exchange: Exchange) -> Response:
        exchange.begin(request.path.strip("/"))
        if request.path == "/mistake":
            raise KeyError("no")
        if request.path == "/add":
            exchange.commit(self._add)
        return Response(200, b"x" * 1000 if request.path == "/long" else str(self.count).encode())

    def failure(self, request: Request, status: int) -> Response:
        return Response(status, b"the jar is broken", "text/plain")

    def staff_put(self, tenant: str, id: str, record: Json) -> Json:
        return record

    def _add(self) -> None:
        with self._lock:
            self.count += 1


class Shelf:
    """One jar, served."""

    def __init__(self) -> None:
        self.jar, self.faults, self.tally = Jar(), Faults(), Tally()
        front = lambda _: Response(404)  # noqa: E731 - used once, here
        self.server = Server({"jar": self.jar}, front, self.faults, self.tally, lambda: datetime.now(UTC))
        self.server.start()

    def on(self, name: str, **settings: object) -> None:
        self.faults.set("torfaen", "jar", {name: settings})

    def add(self, tenant: str = "torfaen", timeout: float = 5) -> requests.Response:
        return requests.post(f"{self.server.url}/{tenant}/jar/add", timeout=timeout)

    def outcomes(self) -> Counter[str]:
        return Counter(str(line["outcome"]) for line in self.tally.shown() for _ in range(int(line["calls"])))


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    shelf = Shelf()
    yield shelf
    shelf.server.stop()


@pytest.mark.parametrize(("name", "status", "done"), [
    ("error_before", 503, 0), ("error_after", 500, 1), ("throttle", 429, 0),
    ("html_before", 200, 0), ("html_after", 200, 1),
])  # fmt: skip
def test_answers_that_tell_nothing(shelf: Shelf, name: str, status: int, done: int) -> None:
    shelf.on(name)
    answer = shelf.add()
    assert (answer.status_code, shelf.jar.count) == (status, done)
    assert answer.headers.get("Retry-After") == ("1" if name == "throttle" else None)
    assert answer.headers["Content-Type"].startswith("text/html") == name.startswith("html")


@pytest.mark.parametrize(("name", "done"), [("reset_before", 0), ("reset_after", 1), ("dead", 0)])
def test_connections_that_break(shelf: Shelf, name: str, done: int) -> None:
    shelf.on(name)
    with pytest.raises(requests.ConnectionError) as broken:
        shelf.add()
    assert ("reset" in str(broken.value).lower()) == name.startswith("reset")
    assert shelf.jar.count == done


@pytest.mark.parametrize(("name", "done"), [("hang_before", 0), ("hang_after", 1)])
def test_silence_longer_than_the_caller_waits(shelf: Shelf, name: str, done: int) -> None:
    shelf.on(name, seconds=20)
    with pytest.raises(requests.Timeout):
        shelf.add(timeout=0.3)
    assert shelf.jar.count == done


def test_silence_ends_in_a_dropped_connection(shelf: Shelf) -> None:
    shelf.on("hang_after", seconds=0.2)
    with pytest.raises(requests.ConnectionError):
        shelf.add()


def test_a_late_commit_comes_after_its_caller_gave_up(shelf: Shelf) -> None:
    shelf.on("late_commit", seconds=0.6, silent_seconds=20)
    with pytest.raises(requests.Timeout):
        shelf.add(timeout=0.2)
    assert shelf.jar.count == 0
    deadline = time.monotonic() + 5
    while shelf.jar.count == 0 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert shelf.jar.count == 1
    assert shelf.outcomes()["late commit"] == 1


def test_latency(shelf: Shelf) -> None:
    shelf.on("latency", ms=150)
    began = time.monotonic()
    assert shelf.add().ok
    assert time.monotonic() - began >= 0.15


def test_half_a_body_and_a_body_in_drips(shelf: Shelf) -> None:
    url = f"{shelf.server.url}/torfaen/jar/long"
    shelf.on("truncated", times=1)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        requests.get(url, timeout=5)
    shelf.on("slow_drip", bytes_a_second=2000)
    began = time.monotonic()
    assert len(requests.get(url, timeout=5).content) == 1000
    assert time.monotonic() - began > 0.3


def test_a_dead_system_comes_back(shelf: Shelf) -> None:
    shelf.on("dead", seconds=0.3)
    with pytest.raises(requests.ConnectionError):
        shelf.add()
    time.sleep(0.35)
    assert shelf.add().ok


def test_only_there_only_that_operation_only_so_often(shelf: Shelf) -> None:
    shelf.on("error_before", times=2, operations=["add"])
    assert shelf.add("blaenau-gwent").ok
    assert requests.get(f"{shelf.server.url}/torfaen/jar/count", timeout=5).ok
    assert [shelf.add().status_code for _ in range(3)] == [503, 503, 200]
    assert shelf.outcomes() == {"200": 3, "error before": 2}


def test_the_same_seed_strikes_the_same_calls() -> None:
    def drawn(seed: int) -> list[bool]:
        faults = Faults()
        faults.set("t", "s", {"error_before": {"rate": 0.3}}, seed=seed)
        return [faults.draw("t", "s", "error_before") is not None for _ in range(200)]

    assert drawn(7) == drawn(7) != drawn(8)
    assert 30 < sum(drawn(7)) < 90


def test_an_after_fault_waits_for_a_commit(shelf: Shelf) -> None:
    shelf.on("error_after", times=1)
    assert requests.get(f"{shelf.server.url}/torfaen/jar/count", timeout=5).ok
    assert shelf.add().status_code == 500


def test_switching_off(shelf: Shelf) -> None:
    faults = shelf.faults
    faults.set("a", "jar", {"dead": {}, "latency": {}})
    faults.set("b", "jar", {"dead": {}})
    faults.clear("a", name="dead")
    assert [(on["tenant"], list(on["faults"])) for on in faults.shown()] == [("a", ["latency"]), ("b", ["dead"])]
    faults.clear()
    assert faults.shown() == []


@pytest.mark.parametrize(("faults", "words"), [
    ({"deda": {}}, "There is no fault 'deda'"),
    ({"dead": {}, "latency": {"milliseconds": 3}}, "no setting 'milliseconds'"),
    ({"latency": {"rate": 1.5}}, "from 0 to 1"),
    ({"latency": {"rate": True}}, "from 0 to 1"),
    ({"latency": {"times": -1}}, "`times`"),
    ({"latency": {"ms": "3"}}, "`ms`"),
    ({"latency": {"operations": "add"}}, "`operations`"),
])  # fmt: skip
def test_a_wrong_fault_is_refused_and_sets_nothing(faults: dict[str, dict[str, object]], words: str) -> None:
    desk = Faults()
    with pytest.raises(WrongFault, match=words):
        desk.set("t", "s", faults)
    assert desk.shown() == []
    assert all(kind.words for kind in KINDS.values())


def test_a_mistake_in_a_system_is_its_failure_and_the_connection_lives(shelf: Shelf) -> None:
    with requests.Session() as http:
        assert http.get(f"{shelf.server.url}/torfaen/jar/mistake", timeout=5).status_code == 500
        assert http.get(f"{shelf.server.url}/torfaen/jar/count", timeout=5).ok
    (said,) = set(shelf.outcomes()) - {"200"}
    assert said.startswith("mistake of the sandbox: KeyError at test_faults.py:")
