"""`dolen bench faults`, the run: moves the story on round by round, torments, lets it settle, asks for the verdict."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from console.bench.crew import Crew, Member
from console.bench.disk import Disk
from console.bench.lines import Lines
from console.bench.officer import Officer
from console.bench.peers import Peers
from console.bench.site import COUNCILS, LATEST, SIDES, Bench, lay_out
from console.bench.torment import Misfortune, Round, plan
from console.bench.verdict import Verdict, count_ledger, judge

#: How long the first call of a process that was started may take, in seconds, before its round goes on without it.
START_SECONDS = 20.0
#: Requests that have not arrived may be so many before a round waits for some to arrive, and how long it waits.
BACKLOG, BACKLOG_SECONDS = 150, 15.0
SLOW_BY = 0.4  # seconds
#: How long all may stand still before it is called stuck; and the whole of settling, with seconds for each request.
STILL_SECONDS, SETTLE_SECONDS, SETTLE_SECONDS_EACH = 60.0, 180.0, 0.06
TIER_C = frozenset(f"{code}/care" for code, tier in COUNCILS.items() if tier == "C")
#: A tier C create counts as hit by what happened so shortly after its answer: it may not have been written down.
GRACE = 0.5


@dataclass(slots=True)
class Run:
    """One run of the bench and everything that is seen of it."""

    seed: int
    kills: int
    referrals: int
    faults: float
    tell: Callable[[str], None]
    keep: bool = False
    notes: list[str] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    starts: list[float] = field(default_factory=list)  # seconds from each start to the first call
    blows: list[float] = field(default_factory=list)  # when something was done that may leave a call in doubt
    revived: int = 0
    swallowed: int = 0  # what was said to tier C systems into a black hole
    verdict: Verdict = field(default_factory=Verdict)
    story: str = ""  # of the first with whom something is wrong
    _measured: set[float] = field(default_factory=set)  # starts of which the first call was waited for
    _walks: dict[str, int] = field(default_factory=dict)  # how often each source had been read when all fell quiet

    def perform(self, bench: Bench) -> dict[str, Any]:
        """Do it all; returns what is printed."""
        began = time.monotonic()
        with (
            Disk(bench.data, self.referrals, keep=self.keep) as disk,
            Lines() as lines,
            Peers(seed=self.seed, referrals=self.referrals, faults=self.faults, latest=LATEST) as peers,
        ):
            ports = {
                f"{code}/{side}": lines.lay(f"{code}/{side}", "127.0.0.1", peers.port)
                for code in COUNCILS
                for side in SIDES
            }
            lay_out(bench, lambda code, side: f"http://127.0.0.1:{ports[f'{code}/{side}']}/{code}/{side}")
            possible = self._possible(disk)
            crew = Crew(bench.site, bench.folder / "logs", apart=False)
            try:
                crew.start()
                self._wait_for_start(crew.members[0], lines)
                with Officer(bench.site, peers) as officer:
                    for number, each in enumerate(plan(self.seed, self.kills, possible), 1):
                        self._round(number, each, crew, lines, peers, disk)
                    if not self.kills:
                        peers.go(1.0, self.referrals / 100)
                    tormented = time.monotonic() - began
                    stuck = self._settle(crew, peers, bench)
                stopping = crew.stop()
                status = dolen(bench, "status", "--json")
                return self._result(bench, peers, officer, status, stuck) | {
                    "seconds": round(time.monotonic() - began, 1),
                    "tormented_seconds": round(tormented, 1),
                    "stop_seconds": round(stopping, 2),
                }
            finally:
                crew.kill()

    def _possible(self, disk: Disk) -> list[Misfortune]:
        """What can be done on this machine; the rest is said."""
        always = [Misfortune.CUT, Misfortune.SLOW, Misfortune.BLACK_HOLE, Misfortune.FREEZE, Misfortune.LONG_FREEZE]
        if disk.can_fill:
            always.append(Misfortune.DISK)
        else:
            self.notes.append(f"the disk is not filled: {disk.why_not}")
        return always

    # --- one round ------------------------------------------------------------------------------------------------

    def _round(self, number: int, each: Round, crew: Crew, lines: Lines, peers: Peers, disk: Disk) -> None:
        victim = crew.members[each.victim % len(crew.members)]
        peers.go(each.until, each.over)
        self.revived += len(crew.revive())
        if each.starting:
            time.sleep(each.moment)
        else:
            self._wait_for_start(victim, lines)
            self._befall(each, victim, lines, disk)
            time.sleep(each.moment)
            self._wait_for_backlog(peers)
        self.blows.append(time.time())
        if victim.kill():
            self.done["killed"] += 1
        time.sleep(each.dead_for)
        victim.start()
        if number % 50 == 0:
            self.tell(f"{number} of {self.kills} kills; {self._progress(peers)}")

    def _befall(self, each: Round, victim: Member, lines: Lines, disk: Disk) -> None:
        """Let the misfortune of this round happen, if it has one."""
        if each.misfortune is Misfortune.NONE:
            return
        self.done[each.misfortune.value] += 1
        line = lines.names[each.line % len(lines.names)]
        self.blows.append(time.time())
        match each.misfortune:
            case Misfortune.CUT:
                time.sleep(min(each.moment, 0.5))
                self.blows.append(time.time())
                lines.cut(line)
            case Misfortune.SLOW:
                lines.slow(line, SLOW_BY)
                time.sleep(each.lasts)
                lines.slow(line, 0.0)
            case Misfortune.BLACK_HOLE:
                lines.swallow(line, True)
                time.sleep(each.lasts)
                lines.swallow(line, False)
                if line in TIER_C:
                    self.swallowed += lines.swallowed(line)
            case Misfortune.FREEZE | Misfortune.LONG_FREEZE:
                victim.freeze()
                time.sleep(each.lasts)
                victim.thaw()
            case Misfortune.DISK:
                disk.fill()
                time.sleep(each.lasts)
                disk.free()
        self.blows.append(time.time())

    def _wait_for_start(self, member: Member, lines: Lines) -> None:
        """Wait until a process that was just started makes its first call."""
        if member.started in self._measured:
            return
        until = member.started + START_SECONDS
        while lines.last_opened() < member.started and member.alive and time.monotonic() < until:
            time.sleep(0.01)
        if lines.last_opened() >= member.started:
            self.starts.append(lines.last_opened() - member.started)
        self._measured.add(member.started)

    def _wait_for_backlog(self, peers: Peers) -> None:
        until = time.monotonic() + BACKLOG_SECONDS
        while time.monotonic() < until and backlog(peers.state()) > BACKLOG:
            time.sleep(0.2)

    def _progress(self, peers: Peers) -> str:
        records = peers.state()["records"]
        desk, care = (sum(held for at, held in records.items() if at.endswith(side)) for side in SIDES)
        return f"{desk} of {self.referrals} requests typed, {care} in care"

    # --- the end --------------------------------------------------------------------------------------------------

    def _settle(self, crew: Crew, peers: Peers, bench: Bench) -> int:
        """Wait until nothing moves any more. Returns how much is still open then."""
        crew.start()
        self.tell(f"the last kill is done; settling. {self._progress(peers)}")
        peers.go(1.0, 0.0)
        until = time.monotonic() + SETTLE_SECONDS + SETTLE_SECONDS_EACH * self.referrals
        last, since, calm = None, time.monotonic(), False
        while True:
            time.sleep(1.0)
            self.revived += len(crew.revive())
            state, status = peers.state(), dolen(bench, "status", "--json")
            moving = sum(status["deliveries"].get(each, 0) for each in ("waiting", "being sent", "not sure"))
            moving += status["versions"].get("waiting", 0)
            questions = sum(link["attention"] for link in status["connections"] if link["connection"] == "care")
            quiet = not moving and not questions and not state["busy"] and not state["committing_late"]
            if quiet and calm and self._all_read(state):
                return 0
            if quiet and not calm:
                peers.calm()
                self._walks = state["walks"]
                calm = True
            if not quiet and calm:
                self._walks = state["walks"]
            sight = (state["typed"], state["calls"].get("create"), state["calls"].get("update"), moving, questions)
            if sight != last:
                last, since = sight, time.monotonic()
            now = time.monotonic()
            if now > until or (not quiet and now - since > STILL_SECONDS):
                self.tell(f"it does not come to rest: {moving} under way, {questions} questions, {state}")
                return int(moving) + int(questions) + int(state["busy"]) + (0 if quiet else 1)

    def _all_read(self, state: Mapping[str, Any]) -> bool:
        """Whether every source was read from start to end since: the first end may be of a walk begun before."""
        return all(walked - self._walks.get(at, 0) >= 3 for at, walked in state["walks"].items())

    def _result(
        self, bench: Bench, peers: Peers, officer: Officer, status: Mapping[str, Any], stuck: int
    ) -> dict[str, Any]:
        tokens_asked = officer.held
        verdict = judge(
            peers.truth(), peers.records(), COUNCILS, held=tokens_asked, conflicted=lambda id: conflicted(bench, id)
        )
        self.notes += count_ledger(verdict, status, stuck)
        explained = explained_questions(peers.creates(), self.blows) + self.swallowed
        questions = len(officer.asked)
        if questions > explained:
            self.notes.append(f"{questions} questions for the officer, but only {explained} creates may be in doubt")
        if officer.stumbles:
            self.notes.append(f"the desk stumbled: {officer.stumbles}")
        self.verdict = verdict
        if verdict.offences:
            self.story = story(bench, verdict.offences[0].number)
        counted = verdict.counts
        return {
            "kills": self.done["killed"], "referrals": self.referrals, "versions": counted["versions"],
            "delivered": counted["delivered"], "superseded": counted["superseded"], "held": counted["held"],
            "attention": counted["attention"], "by_tier": verdict.by_tier, "lost": counted["lost"],
            "doubled": counted["doubled"], "stale": counted["stale"], "wiped": counted["wiped"],
            "stuck": counted["stuck"], "seed": self.seed,
            "questions": questions, "questions_explained": explained, "unexplained": max(0, questions - explained),
            "conflicts": verdict.conflicts, "misfortunes": dict(self.done), "ended_by_itself": self.revived,
            "start_seconds": self._start_seconds(),
            "ledger": {"versions": status["versions"], "deliveries": status["deliveries"]},
            "faults": peers.state()["faults"], "notes": self.notes,
        }  # fmt: skip

    def _start_seconds(self) -> dict[str, float]:
        return {"median": round(median(self.starts), 2), "most": round(max(self.starts), 2)} if self.starts else {}


def backlog(state: Mapping[str, Any]) -> int:
    """Requests that stand at a desk and not yet in care."""
    records = state["records"]
    return sum(held if at.endswith("desk") else -held for at, held in records.items())


def explained_questions(creates: list[dict[str, Any]], blows: list[float]) -> int:
    """How many tier C creates may rightly be in doubt: those that got no clear answer, and those that a blow hit."""
    hit = 0
    for each in creates:
        ended = each["ended"] if each["ended"] is not None else each["begun"] + 10.0
        hit += each["ambiguous"] or each["gone"] or any(each["begun"] <= at <= ended + GRACE for at in blows)
    return hit


def dolen(bench: Bench, *words: str) -> dict[str, Any]:
    """Ask Dolen something, as a script would."""
    command = [sys.executable, "-m", "console", *words, "--site", str(bench.site)]
    for _ in range(20):
        asked = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)  # noqa: S603 - our own
        if asked.stdout.startswith("{"):
            return dict(json.loads(asked.stdout))
        time.sleep(0.5)
    raise RuntimeError(f"`dolen {' '.join(words)}` does not answer:\n{asked.stdout}{asked.stderr}")


def story(bench: Bench, number: str) -> str:
    """The story of one request, as Dolen tells it to people."""
    command = [sys.executable, "-m", "console", "trace", number, "--site", str(bench.site)]
    told = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)  # noqa: S603 - our own
    return told.stdout + told.stderr


def conflicted(bench: Bench, number: str) -> bool:
    """Whether Dolen says that a value of this request lost against another."""
    return "conflict" in story(bench, number)
