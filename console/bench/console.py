"""`dolen bench console`: how long the pages take to answer in a large ledger, and what a bulk replay takes of memory.

A ledger is filled with invented messages, of which one in twenty needs attention, and one referral in five hundred is
restricted and kept from whoever looks. The real server shows its pages on loopback to an officer who has signed in by
the link that `dolen serve` prints. Time is taken at the server, around all that it serves: from when a request is there
until the last byte of its answer is handed on. Whoever asks waits meanwhile, so that the processor time of the process
is that of the answer; a PostgreSQL's own is not in it.
"""

from __future__ import annotations

import json
import math
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import requests
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from config.settings import Console as Settings
from config.site import Site
from connectors.port import Item
from console import signin
from console.bench import desk_asks
from console.bench.desk_asks import COUNCIL, SINK, SOURCE, Ask
from console.bench.servers import LEDGER, own_database
from console.web.server import Console
from pipelines import composition, drawn, past
from pipelines.causes import Cause
from pipelines.clock import SECOND
from pipelines.intake import Intake
from pipelines.plant import Plant
from pipelines.rights import Role
from pipelines.roles import Holding, Roles, account

HERE = Path(__file__).parent / "flood"
MOST_MS, MOST_BYTES, MOST_MB = 200.0, 100_000, 50.0
#: Of so many messages one needs attention.
EVERY = 20
#: Requests that were really taken in, so that their payloads can be opened.
OPENED = 25
#: And so many that bear codes of their own which nobody has mapped, one each.
CODES = 12
#: The past ends now and is so long.
DAYS = 365
_WITHIN = 60.0

CAUSES = (
    Cause(SINK, "send", "Rejected", "the record was refused: person/date_of_birth is missing", "person.date_of_birth"),
    Cause(SINK, "write", "unknown code", "priority: the code list contact-priority has no row for the code that was "
          "given", "priority", "contact-priority"),
    Cause(SINK, "write", "too long", "reason.text: the text is longer than category takes", "reason.text"),
    Cause(SINK, "send", "Forbidden", "the login may not write requests of this team", "assigned_to.team"),
    Cause(SOURCE, "read", "unknown code", "channel: the code list contact-channel has no row for the code that was "
          "given", "channel", "contact-channel"),
)  # fmt: skip


class Failed(RuntimeError):
    """The bench cannot go on. The message says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, as the server saw it."""

    door: str
    status: int
    wall: float  # milliseconds
    cpu: float  # milliseconds of processor time of the whole process
    size: int  # bytes of the body


class Timed:
    """Takes the time of all that a server serves."""

    def __init__(self) -> None:
        self.taken: queue.SimpleQueue[tuple[int, float, float, int]] = queue.SimpleQueue()

    def around(self, app: ASGIApp) -> ASGIApp:
        """The application, timed."""

        async def timed(scope: Scope, receive: Receive, send: Send) -> None:
            began, began_cpu, status, size = time.perf_counter(), time.process_time(), 0, 0

            async def counting(message: Message) -> None:
                nonlocal status, size
                if message["type"] == "http.response.start":
                    status = message["status"]
                size += len(message.get("body", b""))
                await send(message)

            await app(scope, receive, counting)
            if scope["type"] == "http":
                wall, cpu = time.perf_counter() - began, time.process_time() - began_cpu
                self.taken.put((status, wall * 1000, cpu * 1000, size))

        return timed


def console(
    messages: int, turns: int, replay: int, ledger: str, *, tell: Callable[[str], None], seed: int = 1
) -> dict[str, Any]:
    """Fill a ledger, ask for every page so often, replay so many. `ledger`: the URL of a PostgreSQL in which a
    database may be made; "" is SQLite. Returns the object that benches print. Raises Failed, NotKnown."""
    load = _load()
    with ExitStack() as made:
        plant, site, folder, environment = made.enter_context(_plant(ledger))
        began = time.monotonic()
        _fill(plant, messages)
        tell(f"{messages} messages are in the ledger after {time.monotonic() - began:.0f} s")
        things = drawn.draw(plant, COUNCIL, OPENED, seed)
        timed = Timed()
        url, link = made.enter_context(_served(plant, site, timed))
        officer = _Officer(url, link, timed)
        shown = [one for ask in desk_asks.asks(things) for one in officer.ask(ask, turns)]
        found = [one for ask in desk_asks.searches(things) for one in officer.ask(ask, turns)]
        tell(f"{len(shown) + len(found)} answers are timed")
        results = [_p95("p95 pages", shown), _p95("p95 search", found), _largest(shown + found)]
        if replay and sys.platform == "linux":
            results.append(_replayed(folder, environment, replay))
    return {
        "bench": "console",
        "messages": messages,
        "ledger": "PostgreSQL" if ledger else "SQLite",
        "results": results,
        "doors": _by_door(shown + found),
        "machine": {"cores": os.cpu_count(), "python": sys.version.split()[0], "load": [load, _load()]},
    }


@contextmanager
def _plant(ledger: str) -> Iterator[tuple[Plant, Site, Path, Mapping[str, str]]]:
    """A site of one council on a ledger of its own, whose systems nobody serves: nothing is called. Gives its folder
    and its environment with it."""
    folder = Path(tempfile.mkdtemp(prefix="dolen-bench-"))
    with ExitStack() as made:
        made.callback(shutil.rmtree, folder, ignore_errors=True)
        environment = dict(os.environ)
        if ledger:
            environment[LEDGER] = made.enter_context(own_database(ledger))
        (folder / "config" / "councils").mkdir(parents=True)
        (folder / "key").write_text("bench\n", encoding="utf-8")
        for name, place in (("dolen.yaml", "config/dolen.yaml"), ("council.yaml", f"config/councils/{COUNCIL}.yaml")):
            words = (HERE / name).read_text(encoding="utf-8").format(
                url="http://127.0.0.1:9", ledger=f"env:{LEDGER}" if ledger else "sqlite:///ledger.db",
                broker="memory://", at_once=4, level="warning",
            )  # fmt: skip
            (folder / place).write_text(words, encoding="utf-8")
        site = composition.load(folder)
        plant = composition.build(site, environment=environment)
        made.callback(plant.close)
        everywhere, accounts = frozenset({COUNCIL}), frozenset({account()})
        plant.roles = Roles(tuple(Holding(role, everywhere, accounts=accounts) for role in Role))
        yield plant, site, folder, environment


def _fill(plant: Plant, messages: int) -> None:
    """Some requests that are really taken in and then refused, and behind them the past."""
    sample = json.loads((HERE / "sample.json").read_bytes())
    council, now = plant.councils[COUNCIL], plant.clock.now()
    wired = council.wired[SOURCE]
    items = []
    for number in range(OPENED + CODES):
        stamp = datetime(2026, 7, 2, 11, tzinfo=UTC) + timedelta(minutes=number)
        record = {**sample, "id": f"O-{number}", "version": 1, "changed_at": stamp.isoformat()}
        if number >= OPENED:
            record["priority"] = f"code-{number}"
        items.append(Item(record["id"], record, json.dumps(record).encode(), "1", stamp))
    Intake(plant, council).take(wired, next(iter(wired.kinds.values())), items)
    past.stop_all(plant.ledger, COUNCIL, CAUSES[0], now)
    apart = DAYS * 86_400 * SECOND // messages
    past.fill(
        plant.ledger, COUNCIL, messages, after=OPENED, begins=now - apart * (messages + OPENED + 1), apart=apart,
        why=CAUSES, every=EVERY,
    )  # fmt: skip
    past.settle(plant.ledger)


@contextmanager
def _served(plant: Plant, site: Site, timed: Timed) -> Iterator[tuple[str, str]]:
    """The pages, served; gives their address, and the link that signs in."""
    told: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
    stop = threading.Event()
    served = Console(plant, site, Settings(port=0), lambda *said: told.put(said), who="bench", around=timed.around)
    thread = threading.Thread(target=served.run, args=(stop,), name="console")
    thread.start()
    try:
        yield told.get(timeout=_WITHIN)
    except queue.Empty:
        raise Failed(f"the pages were not served within {_WITHIN:.0f} s") from None
    finally:
        stop.set()
        thread.join()


class _Officer:
    """Somebody who is signed in, and asks one page after the other."""

    def __init__(self, url: str, link: str, timed: Timed) -> None:
        self._url, self._timed = url, timed
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Origin"] = url
        page = self._session.get(link, timeout=_WITHIN)
        token = re.search(rf'name="{signin.FIELD}" value="([^"]+)"', page.text)
        if page.status_code != 200 or token is None:
            raise Failed(f"nobody could sign in: {page.status_code}")
        self._token = unescape(token.group(1))
        for _ in range(1 + len(page.history)):
            timed.taken.get(timeout=_WITHIN)

    def ask(self, ask: Ask, turns: int) -> Iterator[Answer]:
        """Ask so often, after once that is not counted: the first look at a page reads its template. Raises Failed."""
        for turn in range(turns + 1):
            form = None if ask.form is None else {signin.FIELD: self._token, **ask.form}
            try:
                answer = self._session.request(
                    "GET" if form is None else "POST", self._url + ask.path, data=form, timeout=_WITHIN
                )
            except requests.RequestException as fault:
                raise Failed(f"{ask.door} was not answered within {_WITHIN:.0f} s: {type(fault).__name__}") from None
            status, wall, cpu, size = self._timed.taken.get(timeout=_WITHIN)
            if answer.status_code != 200:
                raise Failed(f"{ask.door} answered {answer.status_code}")
            if turn:
                yield Answer(ask.door, status, wall, cpu, size)


def _p95(name: str, answers: Sequence[Answer]) -> dict[str, Any]:
    """The 95th percentile of the slowest door: every page is to be quick, and many quick ones hide none."""
    slowest = _by_door(answers)[0]
    return {
        "name": name,
        "ours": slowest["p95"],
        "against": "200 ms",
        "theirs": MOST_MS,
        "ratio": round(MOST_MS / slowest["p95"], 2),
        "unit": "milliseconds, of the slowest",
        "our_cpu": slowest["cpu"],
        "cpu_unit": "milliseconds of processor time an answer, 95th percentile",
        "slowest": slowest["door"],
        "of_all": round(percentile([one.wall for one in answers]), 1),
        "of_all_cpu": round(percentile([one.cpu for one in answers]), 1),
        "runs": len(answers),
    }


def _largest(answers: Sequence[Answer]) -> dict[str, Any]:
    one = max(answers, key=lambda answer: answer.size)
    return {
        "name": "largest page",
        "ours": one.size,
        "against": "100 KB",
        "theirs": MOST_BYTES,
        "ratio": round(MOST_BYTES / one.size, 2),
        "unit": "bytes without what browsers keep",
        "door": one.door,
        "runs": len(answers),
    }


def _by_door(answers: Sequence[Answer]) -> list[dict[str, Any]]:
    """Each door, the slowest first."""
    doors: dict[str, list[Answer]] = {}
    for one in answers:
        doors.setdefault(one.door, []).append(one)
    told = [
        {"door": door, "p95": round(percentile([one.wall for one in some]), 1),
         "cpu": round(percentile([one.cpu for one in some]), 1), "bytes": max(one.size for one in some),
         "answers": len(some)}
        for door, some in doors.items()
    ]  # fmt: skip
    return sorted(told, key=lambda one: -float(str(one["p95"])))


def percentile(values: Sequence[float], share: float = 0.95) -> float:
    """The least of the values that so large a share of them does not exceed."""
    return sorted(values)[max(math.ceil(share * len(values)) - 1, 0)]


def _replayed(folder: Path, environment: Mapping[str, str], wanted: int) -> dict[str, Any]:
    """What a bulk replay takes of memory, in a process of its own. Raises Failed."""
    command = [sys.executable, "-m", "console.bench.bulk_replay", str(folder), str(wanted)]
    ended = subprocess.run(command, env=dict(environment), capture_output=True, check=False)  # noqa: S603 - our own
    if ended.returncode:
        raise Failed(f"the replay ended by itself: {ended.stderr[-600:].decode(errors='replace')}")
    told = json.loads(ended.stdout)
    if told["not_done"] or told["written"] < told["done"]:
        raise Failed(f"{told['not_done']} could not be sent again: {told['note']}; the audit has {told['written']}")
    return {
        "name": "replay memory",
        "ours": round(told["grown"], 1),
        "against": "50 MB",
        "theirs": MOST_MB,
        "ratio": round(MOST_MB / max(told["grown"], 0.1), 2),
        "unit": "MB above idle",
        "our_cpu": round(told["cpu"] * 1000 / told["done"], 2),
        "cpu_unit": "milliseconds of processor time a delivery",
        "deliveries": told["done"],
        "idle": round(told["idle"], 1),
        "seconds": round(told["seconds"], 1),
        "runs": 1,
    }


def _load() -> float | None:
    """How many processes wanted the processors in the last minute; None where the system does not tell."""
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None
