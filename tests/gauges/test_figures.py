"""What a monitoring system reads: the figures are right, their labels closed, and nobody is in them."""

import json
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from config.documents import parse_yaml
from config.metrics import Metrics
from config.settings import Console as ConsoleSettings
from console.gauges.server import Gauged
from console.web.server import Console
from pipelines import composition, pauses
from pipelines.decision import Decision, Do
from pipelines.measures import FIGURES
from pipelines.sending import Result

pytest_plugins = ("tests.pipelines.pieces",)

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"\b(dolen_[a-z_]+|process_[a-z_]+)\b")
CANARIES = ("Siân", "Llŷr", "1941-02-28", "07700", "Cwmbrân", "NP44", "\"C-1\"")


@dataclass
class Answer:
    """What a door answered."""

    status_code: int
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


class Doors:
    """Something that serves, and calls of it."""

    def __init__(self, part: Gauged | Console) -> None:
        self.address = part.address
        self._stop = threading.Event()
        self._thread = threading.Thread(target=part.run, args=(self._stop,))
        self._thread.start()

    def get(self, path: str, method: str = "GET") -> Answer:
        try:
            with urllib.request.urlopen(urllib.request.Request(self.address + path, method=method), timeout=20) as one:
                return Answer(one.status, one.read().decode())
        except urllib.error.HTTPError as fault:
            with fault:
                return Answer(fault.code, fault.read().decode())

    def close(self) -> None:
        self._stop.set()
        self._thread.join()


@pytest.fixture
def seen(bench: Any) -> Iterator[tuple[Any, Doors]]:
    """The three doors of a bench, and the bench."""
    doors = Doors(Gauged(bench.plant, Metrics(port=0), bench.folder / "var"))
    yield bench, doors
    doors.close()


def read(client: Doors) -> dict[str, dict[tuple[str, ...], float]]:
    """The figures, by name and label values."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert not any(canary in answer.text for canary in CANARIES)
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(answer.text):
        for one in family.samples:
            order = [name for name in (*_labels(family.name), "le") if name in one.labels]
            found.setdefault(one.name, {})[tuple(one.labels[name] for name in order)] = one.value
    return found


def test_the_figures_tell_what_is_so(seen: tuple[Any, Doors]) -> None:
    bench, client = seen
    read(client)
    bench.take(bench.request("C-1", priority="emergency"), bench.request("C-2"))
    job = bench.job(bench.rows("delivery")[0].lane)
    bench.clock.pass_by(3)
    bench.write(Result(job, error="Rejected", words="no", decision=Decision(Do.ATTENTION)))
    bench.take(bench.request("C-9", priority="tomorrow"))
    with bench.writing() as connection:
        pauses.trip(
            connection, "torfaen", "texts", why=pauses.BY_LOGIN, words="no", now=bench.clock.now()
        )
    bench.clock.pass_by(1000)
    found = read(client)
    assert found["dolen_needs_attention"] == {("torfaen", "casework", "send"): 1, ("torfaen", "contact", "read"): 1}
    assert found["dolen_urgent_open"]["torfaen", "casework"] == 1
    assert found["dolen_late"]["torfaen", "contact-to-casework"] == 2
    assert found["dolen_oldest_undelivered_seconds"]["torfaen", "casework"] == 1003
    assert found["dolen_connection_paused"] == {("torfaen", "texts", "login refused"): 1}
    assert found["dolen_queue_due"]["torfaen", "casework"] == 1
    assert found["dolen_tries_total"] == {("torfaen", "casework", "needs attention"): 1}
    assert found["dolen_try_seconds_sum"]["torfaen", "casework", "send"] == 3
    assert found["dolen_try_seconds_bucket"]["torfaen", "casework", "send", "2.5"] == 0
    assert found["dolen_try_seconds_bucket"]["torfaen", "casework", "send", "5.0"] == 1
    bench.clock.pass_by(301)  # what looks at every row is counted once in a while
    assert read(client)["dolen_deliveries"] == {("torfaen", "needs attention"): 1, ("torfaen", "waiting"): 1}
    assert read(client)["dolen_tries_total"] == {("torfaen", "casework", "needs attention"): 1}  # and not again


def test_what_residents_were_told_is_among_them_counted_once_an_hour(seen: tuple[Any, Doors]) -> None:
    bench, client = seen
    bench.take(*(bench.request(f"C-{number}") for number in range(4)))
    assert 'referrals{council="torfaen"}' not in client.get("/metrics").text  # fewer than five are nobody's business
    bench.take(*(bench.request(f"D-{number}") for number in range(4)))
    assert 'referrals{council="torfaen"}' not in client.get("/metrics").text
    bench.clock.pass_by(3_600)
    assert 'dolen_outcome_referrals{council="torfaen"} 8' in client.get("/metrics").text.splitlines()
    read(client)


def test_what_the_dashboard_and_the_rules_name_is_there(seen: tuple[Any, Doors]) -> None:
    """With the labels that they name it by."""
    board = json.loads((ROOT / "ops/grafana/dolen.json").read_text(encoding="utf-8"))
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    rules = (ROOT / "ops/prometheus/dolen.yml").read_text(encoding="utf-8")
    data: Any = parse_yaml(rules.encode(), Path("dolen.yml"), name="dolen.yml").data
    asked += [rule["expr"] for rule in data["groups"][0]["rules"]]
    client = seen[1]
    text = client.get("/metrics").text
    helped = set(re.findall(r"^# HELP (\S+)", text, re.MULTILINE))
    for expression in asked:
        for name in NAME.findall(expression):
            bare = name.removesuffix("_bucket")
            assert {name, bare, name.removesuffix("_total")} & helped, name
    told = {panel["title"]: target for panel in board["panels"] for target in panel["targets"]}
    for title, target in told.items():
        labels = {one for name in NAME.findall(target["expr"]) for one in _labels(name)} | {"instance"}
        assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= labels, title
    shown = {name for expression in asked for name in NAME.findall(expression)}
    assert {"dolen_late", "dolen_source_lag_seconds", "dolen_needs_attention", "dolen_processes"} <= shown


def _labels(name: str) -> tuple[str, ...]:
    figure = FIGURES.get(name.removesuffix("_bucket").removesuffix("_total"))
    return figure.labels if figure is not None else ()


def test_it_lives_and_is_ready_and_says_why_not(seen: tuple[Any, Doors]) -> None:
    bench, client = seen
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]["clock"]) == (
        503, "the ledger's clock and this machine's differ",
    )  # fmt: skip
    assert [name for name, words in answer.json()["checks"].items() if words != "ok"] == ["clock"]  # it stands in July
    object.__setattr__(bench.plant.alerts.alerts.when, "clock", bench.plant.alerts.limits.expiry * 99)
    assert client.get("/readyz").json()["ready"] is True
    bench.plant.broker_url = "amqp://guest:secret@127.0.0.1:1//"
    answer = client.get("/readyz")
    assert answer.json()["checks"]["broker"].startswith("it does not answer")
    assert "secret" not in answer.text
    bench.plant.ledger.lost.set()
    assert client.get("/healthz").status_code == 503
    assert client.get("/readyz").json()["checks"]["ledger"] == "the database does not answer"
    assert client.get("/metrics").status_code == 503
    bench.plant.ledger.lost.clear()
    assert client.get("/metrics", "POST").status_code == 405


def test_the_pages_have_the_two_doors_and_not_the_figures(bench: Any) -> None:
    site = composition.load(bench.folder)
    doors = Doors(Console(bench.plant, site, ConsoleSettings(port=0), lambda *_: None, who="ann"))
    try:
        assert doors.get("/healthz").status_code == 200
        assert doors.get("/readyz").json()["checks"]["ledger"] == "ok"
        assert doors.get("/metrics").status_code in (401, 404)
    finally:
        doors.close()
