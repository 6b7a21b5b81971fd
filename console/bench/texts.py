"""The bench of texts: from a change of status in a council's system to the text that the pretend Notify took.

One council with a contact centre that owns the status, on real sockets: the sandbox in one process, `dolen run` in
another. *polled*: the contact centre is read every two seconds. *pushed*: it calls us with each change, and is never
asked. A goal stands in place of a rival: 5 and 1 seconds at the 95th percentile, at two changes a second. *safe*: many
changes while Notify fails in every way, people opt out in between, and nobody may get a text twice, one that was
somebody else's, or one after that; on servers, a second process sends beside the first.
"""

from __future__ import annotations

import json
import os
import random
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

import connectors
from config.documents import read_yaml
from console.bench.servers import BROKER, LEDGER, Servers, in_place
from console.demo.stage import Stage

GOALS = {"polled": 5.0, "pushed": 1.0}  # seconds, 95th percentile
RATE = 2.0  # changes a second
COUNCIL = "torfaen"
TOKEN = "a-token-of-the-bench-alone"  # noqa: S105 - of an invented system, for as long as the bench runs
_STEPS = ("accepted", "in-progress", "on-hold", "closed")
_TOLD = {"accepted": "accepted", "in-progress": "in_progress", "on-hold": "on_hold", "closed": "completed"}
_WEATHER = {
    "reset_after": {"rate": 0.04}, "reset_before": {"rate": 0.04}, "error_after": {"rate": 0.04, "status": 500},
    "error_before": {"rate": 0.04, "status": 503}, "html_after": {"rate": 0.02},
    # Notify counts by the minute, so one refusal is a minute's silence: seldom, or nothing is left to go wrong.
    "throttle": {"rate": 0.001, "seconds": 1},
}  # fmt: skip
_SETTLE_SECONDS, _START_SECONDS = 900.0, 60.0
#: A reply is read every two seconds: by then STOP counts, with room for a slow machine.
_HEARD_SECONDS = 20.0


class Failed(RuntimeError):
    """The bench cannot go on. The message says why."""


@dataclass(slots=True)
class Person:
    """One request in the contact centre, and what was done to it."""

    id: str
    number: str
    language: str
    version: int = 1
    changed: dict[str, float] = field(default_factory=dict)  # status -> when staff changed it
    left: float | None = None  # when they opted out


def texts(changes: int, runs: int, *, tell: Callable[[str], None], only: str = "") -> dict[str, Any]:
    """Time both ways, or `only` one, with so many changes a run. Returns the object that benches print."""
    results = []
    for name, goal in GOALS.items():
        if only in ("", name):
            p95s = []
            for run in range(runs):
                tell(f"{name}, run {run + 1} of {runs}: {changes} changes, {RATE:g} a second")
                with Stage(None) as stage:
                    p95s.append(_Bench(stage, pushed=name == "pushed").timed(changes))
            ours = sorted(p95s)[len(p95s) // 2]
            results.append({
                "name": name, "ours": round(ours, 3), "against": "the goal", "theirs": goal,
                "ratio": round(goal / ours, 3), "unit": "seconds to accepted, 95th percentile", "runs": runs,
            })  # fmt: skip
    return {"bench": "texts", "results": results, "machine": _machine()}


def safe(
    changes: int, *, seed: int, rate: float, tell: Callable[[str], None], servers: Servers | None = None
) -> dict[str, Any]:
    """Make so many changes in bad weather and count what went wrong. Returns the object that benches print."""
    servers = servers or Servers()
    chance = random.Random(seed)  # noqa: S311 - a story
    with in_place(servers), Stage(None) as stage:
        bench = _Bench(stage, pushed=False, apart=servers.apart)
        with _worker_beside(stage) if servers.apart else nullcontext():
            found = bench.safely(changes, chance, rate, tell)
    wrong = found["twice"] + found["misdirected"] + found["after_opt_out"] + found["lost"]
    result = {
        "name": "safe", "ours": wrong, "against": "the goal", "theirs": 0, "ratio": 1.0 if not wrong else 0.0,
        "unit": f"texts wrong or missing, of {found['texts']} about {changes} changes", "runs": 1, "seed": seed,
        **found,
    }  # fmt: skip
    return {"bench": "texts", "results": [result], "machine": _machine()}


@contextmanager
def _worker_beside(stage: Stage) -> Iterator[None]:
    """A second process that sends, so that two may reach for one text."""
    command = [sys.executable, "-m", "console", "work", "--site", str(stage.site)]
    with (stage.folder / "dolen-work.log").open("ab") as log:
        beside = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # noqa: S603 - our own
    try:
        yield
        if beside.poll() is not None:
            raise Failed(f"`dolen work` ended by itself with exit code {beside.returncode}")
    finally:
        beside.terminate()
        beside.wait(60)


class _Bench:
    def __init__(self, stage: Stage, *, pushed: bool, apart: bool = False) -> None:
        self._stage, self._pushed, self._apart = stage, pushed, apart
        self._port = _free_port()
        self._session = requests.Session()
        self._session.trust_env = False
        self._lay_out()
        stage.start_run()
        self._until(lambda: stage.log_file.read_bytes().count(b'"event":"running"') > 0, _START_SECONDS, "it starts")

    # --- The site -----------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        site = self._stage.site
        folder = site / "config/councils"
        for other in folder.glob("*.yaml"):
            if other.stem != COUNCIL:
                other.unlink()
        file = folder / f"{COUNCIL}.yaml"
        told = read_yaml(file).data
        contact, service = told["connections"]["contact"], told["connections"]["texts"]
        everybody = [group for one in told["connections"].values() for group in one.get("owns", [])]
        contact["owns"] = sorted(set(everybody))  # the status too
        service["schedule"] = {"every": "PT2S"}
        service["settle_seconds"] = 1
        told["connections"] = {"contact": contact, "texts": service}
        told["replies"] = {"number": "07700 900456", "inbox": "the bench"}
        told["routes"] = [{
            "name": "tell", "from": "contact", "to": "texts", "carries": "event", "text": "track-my-request",
            "recipients": [{"who": "person"}], "when": {"status": sorted(_TOLD.values())},
        }]  # fmt: skip
        if self._pushed:
            del contact["schedule"]
            (site / "bench.token").write_text(TOKEN, encoding="utf-8")
            contact["connect"]["push"] = {"bearer": {"tokens": [f"file:{site / 'bench.token'}"]}}
            shipped = Path(connectors.__file__).parent / "profiles/contact.yaml"
            profile = shipped.read_text(encoding="utf-8")
            (site / "profiles").mkdir(exist_ok=True)
            push = "    push: {carries: record, answer: 200}\n"
            pushed = profile.replace("    fetch: {path", f"{push}    fetch: {{path", 1)
            (site / "profiles/contact.yaml").write_text(pushed, encoding="utf-8")
            with (site / "config/dolen.yaml").open("a", encoding="utf-8") as settings:
                settings.write(f"\nlistener: {{port: {self._port}}}\n")
        as_yaml = json.dumps(told, ensure_ascii=False, indent=1)  # JSON is YAML 1.2
        file.write_text(as_yaml, encoding="utf-8")
        if self._apart:
            whole = (site / "config/dolen.yaml").read_text(encoding="utf-8")
            for old, name in (("sqlite:///ledger.db", LEDGER), ("memory://", BROKER)):
                whole = whole.replace(f'"{old}"', f'"env:{name}"')
            (site / "config/dolen.yaml").write_text(whole, encoding="utf-8")
        words = site / "texts/track-my-request.yaml"
        capless = re.sub(r"caps: .*", "caps: {a_recipient: 20, a_council: 250000}", words.read_text(encoding="utf-8"))
        words.write_text(capless, encoding="utf-8")

    # --- Staff --------------------------------------------------------------------------------------------------------

    def _ask(self, number: int) -> Person:
        language = ("cy", "en", "unknown")[number % 3]
        mobile = f"07700 900{100 + number % 900}"  # Notify sets the first few aside for what does not arrive
        record = self._staff("POST", "contact/records", {
            "category": "referral", "priority": "routine", "received_at": "2026-07-02T10:14:00+01:00", "status": "new",
            "customer": {"first_names": ["Siân"], "last_name": f"Llwyd-{number}", "date_of_birth": "1941-02-28",
                         "gender": "F", "contacts": [{"type": "mobile", "value": mobile, "ok_to_text": True}]},
            "language": {"letters": language, "speech": None, "interpreter": False},
            "updates": {"opted_in": True, "asked_at": "2026-07-02T09:14:00Z"}, "needs": [],
            "flags": {"safeguarding": False, "restricted": False},
        })  # fmt: skip
        return Person(record["id"], mobile.replace(" ", ""), {"unknown": "both"}.get(language, language))

    def _change(self, person: Person, **fields: Any) -> None:
        began = time.time()
        record = self._staff("PATCH", f"contact/records/{person.id}", fields)
        if "status" in fields:
            person.changed[fields["status"]] = began
        if self._pushed:
            self._push(record)

    def _staff(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        address = f"{self._stage.desk.url}/control/{COUNCIL}/{path}"
        answer = self._session.request(method, address, json=body, timeout=30)
        if answer.status_code >= 300:
            raise Failed(f"the pretend contact centre refuses {method}: {answer.text[:200]}")
        found: dict[str, Any] = answer.json()
        if method == "POST" and self._pushed and "customer" in found:
            self._push(found)
        return found

    def _push(self, record: dict[str, Any]) -> None:
        address = f"http://127.0.0.1:{self._port}/push/{COUNCIL}/contact/Request"
        headers = {"Authorization": f"Bearer {TOKEN}"}
        answer = self._session.post(address, json=record, headers=headers, timeout=10)
        if answer.status_code >= 300:
            raise Failed(f"the listener does not take a push: HTTP {answer.status_code}")

    def _sent(self) -> list[dict[str, Any]]:
        """Everything that Notify holds, page by page."""
        found: list[dict[str, Any]] = []
        after = ""
        while True:
            page = self._stage.desk.get(f"{COUNCIL}/notify/records", limit="500", after=after)["records"]
            found += [one for one in page if "template_id" in one]
            if len(page) < 500:
                return found
            after = page[-1]["id"]

    def _until(self, done: Callable[[], bool], seconds: float, what: str) -> None:
        until = time.monotonic() + seconds
        while not done():
            self._stage.check()
            if time.monotonic() > until:
                raise Failed(f"waited {seconds:g} seconds in vain until {what}")
            time.sleep(0.1)

    # --- What is measured ---------------------------------------------------------------------------------------------

    def timed(self, changes: int) -> float:
        """The 95th percentile of the seconds from a change to its text."""
        people = [self._ask(number) for number in range(changes)]
        time.sleep(5.0)  # the requests themselves are taken in meanwhile; nothing is told of those
        chance = random.Random(1)  # noqa: S311 - when within its half second a change comes, so that no beat is met
        began = time.monotonic()
        for number, person in enumerate(people):
            time.sleep(max(0.0, began + (number + chance.random()) / RATE - time.monotonic()))
            self._change(person, status="accepted")
        self._until(lambda: len(self._sent()) >= changes, 60.0, "every change was told")
        at = {one["personalisation"]["reference"]: _moment(one["created_at"]) for one in self._sent()}
        seconds = sorted(at[self._reference(person)] - person.changed["accepted"] for person in people)
        return seconds[min(len(seconds) - 1, int(len(seconds) * 0.95))]

    def _reference(self, person: Person) -> str:
        from pipelines.composition import build, load
        from pipelines.looking import find_referral

        if not hasattr(self, "_plant"):
            self._plant = build(load(self._stage.site))
        (found,) = find_referral(self._plant, person.id)
        return str(found.citizen_reference)

    def safely(
        self, changes: int, chance: random.Random, rate: float, tell: Callable[[str], None]
    ) -> dict[str, Any]:
        """Change, opt out, fail, wait until all is quiet; count what is wrong."""
        people = [self._ask(number) for number in range(max(1, changes // len(_STEPS)))]
        self._stage.desk.switch_on(COUNCIL, "notify", _WEATHER, seed=chance.randrange(1_000_000))
        made, began = 0, time.monotonic()
        for step in _STEPS:
            for person in people:
                if person.left is None and chance.random() < 0.05:
                    self._opt_out(person, by_reply=step != _STEPS[0] and chance.random() < 0.5)
                time.sleep(max(0.0, began + made / rate - time.monotonic()))
                self._change(person, status=step)
                made += 1
            tell(f"{made} changes made, {len(self._sent())} texts")
        self._stage.desk.switch_all_off()
        self._quiet()
        return self._judged(people)

    def _opt_out(self, person: Person, *, by_reply: bool) -> None:
        if by_reply:
            answer = chance_word(len(person.id) + int(person.id[-1]))
            self._staff("POST", "notify/records", {"user_number": f"44{person.number[1:]}", "content": answer})
            person.left = time.time() + _HEARD_SECONDS
        else:
            self._change(person, updates={"opted_in": False, "asked_at": "2026-07-03T09:14:00Z"})
            person.left = time.time()

    def _quiet(self) -> None:
        from pipelines import overview
        from pipelines.composition import build, load

        self._plant = build(load(self._stage.site))

        def at_rest() -> bool:
            look = overview.look(self._plant)
            waiting = sum(look.deliveries.get(state, 0) for state in ("waiting", "being sent", "not sure"))
            return waiting == 0

        for _ in range(3):  # a poll lies between two looks, so that nothing stands unread
            self._until(at_rest, _SETTLE_SECONDS, "nothing waits any more")
            time.sleep(2.5)

    def _templates(self) -> dict[str, tuple[str, str]]:
        """Each template's status and language, as the texts file has them."""
        from pipelines.composition import load

        held = load(self._stage.site).texts["track-my-request"].statuses
        return {
            identity: (status, language)
            for status, said in held.items()
            if said.template is not None
            for language, identity in said.template.model_dump().items()
        }

    def _judged(self, people: list[Person]) -> dict[str, Any]:
        from pipelines.attention import attention

        by_reference = {self._reference(person): person for person in people}
        named = self._templates()
        counts: Counter[tuple[str, str]] = Counter()
        wrong = Counter[str]()
        languages = Counter[str]()
        # A number that several people gave is left by all of them once one of them texts STOP.
        for one in self._sent():
            status, language = named[one["template_id"]]
            person = by_reference.get(one["personalisation"]["reference"])
            languages[language] += 1
            if person is None or _plain(one["to"]) != person.number or language != person.language:
                wrong["misdirected"] += 1
                continue
            counts[person.id, status] += 1
            told = next((at for code, at in person.changed.items() if _TOLD[code] == status), None)
            if told is None:
                wrong["misdirected"] += 1
            elif person.left is not None and told > person.left:
                wrong["after_opt_out"] += 1
        twice = sum(count - 1 for count in counts.values())
        left = {person.number for person in people if person.left is not None}
        staying = [person for person in people if person.number not in left]
        lost = sum(1 for person in staying if not counts[person.id, "completed"])
        return {
            "changes": sum(len(person.changed) for person in people), "texts": sum(languages.values()),
            "by_language": dict(sorted(languages.items())), "opted_out": len(left), "twice": twice,
            "misdirected": wrong["misdirected"], "after_opt_out": wrong["after_opt_out"], "lost": lost,
            "needs_attention": {group.words: group.count for group in attention(self._plant)},
        }  # fmt: skip


def chance_word(number: int) -> str:
    """One of the words by which people end texts."""
    return ("STOP", "Stopiwch", "stop.", "DIM MWY")[number % 4]


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).astimezone(UTC).timestamp()


def _plain(number: str) -> str:
    return re.sub(r"^\+44", "0", re.sub(r"\s", "", number))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


def _machine() -> dict[str, Any]:
    return {"cores": os.cpu_count(), "python": sys.version.split()[0], "platform": sys.platform}
