"""What `dolen bench peers` compares with: Celery, as one writes it to move records reliably on RabbitMQ.

A task a record, acknowledged when it is done and given back when its worker dies (`acks_late`), every message confirmed
and on the broker's disk. What moves is mapped and posted by the same code as the plain loop. `number`: the message
names the request, and the task fetches it, so that nobody's data lies in a queue; `whole`: the message is the request.
Neither keeps anything: what has no task any more has arrived. `marked` fetches too, and writes a row for each request
that arrived, looked for before it sends, as whoever must be able to say what arrived does at the least. Celery is no
part of Dolen; this file is a module of its worker's, and `python -m console.bench.by_celery SOURCE HOW` reads the
source and publishes.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from typing import Any

import psycopg
import requests

from console.bench.plain import mapped
from console.bench.servers import BROKER, LEDGER

QUEUE, SOURCE, SINK = "DOLEN_BENCH_QUEUE", "DOLEN_BENCH_SOURCE", "DOLEN_BENCH_SINK"
READY = "the worker is ready"

MARKS = "CREATE TABLE arrived (number text PRIMARY KEY, theirs text NOT NULL, at timestamptz DEFAULT now())"

_session = requests.Session()
_ledgers: list[psycopg.Connection[Any]] = []  # this process's, once it has one


def _made() -> Any:
    """The application. Raises ModuleNotFoundError where Celery is not installed."""
    found = importlib.import_module("celery").Celery("bench", broker=os.environ.get(BROKER, ""))
    found.conf.update(
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_ignore_result=True,
        task_default_queue=os.environ.get(QUEUE, "bench"),
        broker_transport_options={"confirm_publish": True},
        broker_connection_retry_on_startup=True,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_redirect_stdouts=False,
    )
    return found


app = _made()


@importlib.import_module("celery").signals.worker_ready.connect  # type: ignore[untyped-decorator]  # no types
def _say_so(**_: Any) -> None:
    sys.stdout.write(READY + "\n")
    sys.stdout.flush()


@app.task(name="number")  # type: ignore[untyped-decorator]  # no types
def carry(number: str) -> None:
    """Fetch one request, map it, post it."""
    _post(_fetched(number))


@app.task(name="whole")  # type: ignore[untyped-decorator]  # no types
def carry_whole(record: dict[str, Any]) -> None:
    """Map one request, post it."""
    _post(record)


@app.task(name="marked")  # type: ignore[untyped-decorator]  # no types
def carry_marked(number: str) -> None:
    """Fetch one request, map it, post it, and write down that it arrived; nothing where that is written already."""
    if not _ledgers:
        _ledgers.append(psycopg.connect(os.environ[LEDGER].replace("postgresql+psycopg:", "postgresql:", 1)))
    ledger = _ledgers[0]
    with ledger.transaction():
        if ledger.execute("SELECT 1 FROM arrived WHERE number = %s", [number]).fetchone():
            return
    theirs = _post(_fetched(number))
    with ledger.transaction():
        ledger.execute("INSERT INTO arrived (number, theirs) VALUES (%s, %s)", [number, theirs])


def _fetched(number: str) -> dict[str, Any]:
    answer = _session.get(f"{os.environ[SOURCE]}/{number}", timeout=30)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def _post(record: dict[str, Any]) -> str:
    answer = _session.post(f"{os.environ[SINK]}/{record['id']}", json=mapped(record), timeout=30)
    answer.raise_for_status()
    return str(answer.json()["id"])


def main(source: str, how: str) -> None:
    """Publish a task for every request of the source, and print as JSON the processor time that it took."""
    spent, cursor = time.process_time(), ""
    while True:
        page = _session.get(source, params={"cursor": cursor, "limit": "100"}, timeout=30).json()
        for record in page["requests"]:
            app.send_task(how, [record if how == "whole" else record["id"]])
        cursor = page["next"]
        if not cursor:
            break
    sys.stdout.write(json.dumps({"cpu": time.process_time() - spent}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
