"""`dolen bench faults`, the run: moves the story on round by round, torments, lets it settle, asks for the verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from console.bench.asking import conflicted, dolen, story
from console.bench.blows import Blows
from console.bench.crew import Crew, Member
from console.bench.disk import Disk
from console.bench.lines import Lines
from console.bench.officer import Officer
from console.bench.peers import Peers
from console.bench.servers import BROKER, LEDGER, Servers, behind_lines
from console.bench.settling import Settling
from console.bench.site import COUNCILS, LATEST, SIDES, Bench, lay_out
from console.bench.torment import Round, plan
from console.bench.verdict import Verdict, count_ledger, judge

#: How long the first call of a process that was started may take, in seconds, before its round goes on without it.
START_SECONDS = 20.0
#: Requests that have not arrived may be so many before a round waits for some to arrive, and how long it waits.
BACKLOG, BACKLOG_SECONDS = 150, 15.0
PROGRESS_EVERY = 50  # kills


@dataclass(slots=True)
class Run:
    """One run of the bench and everything that is seen of it. `weather`: share of the declared fault rates."""

    seed: int
    kills: int
    referrals: int
    weather: float
    servers: Servers
    tell: Callable[[str], None]
    keep: bool = False
    killed: int = 0
    starts: list[float] = field(default_factory=list)  # seconds from each start to the first call
    verdict: Verdict = field(default_factory=Verdict)
    story: str = ""  # of the first with whom something is wrong
    _measured: set[float] = field(default_factory=set)  # starts of which the first call was waited for

    def perform(self, bench: Bench) -> dict[str, Any]:
        """Do it all; returns what is printed."""
        began = time.monotonic()
        apart = self.servers.apart
        if apart:
            bench = Bench(bench.folder, LEDGER, BROKER)
        with (
            Disk(bench.data, self.referrals, wanted=not apart, keep=self.keep) as disk,
            Lines() as lines,
            Peers(seed=self.seed, referrals=self.referrals, faults=self.weather, latest=LATEST) as peers,
            behind_lines(self.servers, lines, keep=self.keep) as environment,
        ):
            ports = {
                f"{code}/{side}": lines.lay(f"{code}/{side}", "127.0.0.1", peers.port)
                for code in COUNCILS
                for side in SIDES
            }
            lay_out(bench, lambda code, side: f"http://127.0.0.1:{ports[f'{code}/{side}']}/{code}/{side}")
            blows = Blows(lines, disk, self.servers.restart_broker, self.servers.restart_ledger, embedded=not apart)
            crew = Crew(bench.site, bench.folder / "logs", apart=apart, environment=environment)
            try:
                dolen(bench, "status")  # makes the ledger and its keys, so that nobody races for them
                crew.start()
                self._wait_for_start(crew.members[0], lines)
                with Officer(bench.site, peers) as officer:
                    for number, each in enumerate(plan(self.seed, self.kills, blows.possible()), 1):
                        self._round(number, each, crew, blows, peers)
                    if not self.kills:
                        peers.go(1.0, self.referrals / 100)
                    tormented = time.monotonic() - began
                    self.tell(f"{self.killed} kills are done; settling. {self._progress(peers)}")
                    settling = Settling(bench, crew, peers, self.referrals, self.tell)
                    still_open = settling.wait()
                stopping = crew.stop()
                status = dolen(bench, "status")
                return self._result(bench, peers, officer, blows, status, still_open) | {
                    "ended_by_itself": crew.revived,
                    "seconds": round(time.monotonic() - began, 1),
                    "tormented_seconds": round(tormented, 1),
                    "stop_seconds": round(stopping, 2),
                }
            finally:
                crew.kill()

    def _round(self, number: int, each: Round, crew: Crew, blows: Blows, peers: Peers) -> None:
        victim = crew.members[each.victim % len(crew.members)]
        peers.go(each.until, each.over)
        crew.revive()
        if each.starting:
            time.sleep(each.moment)
        else:
            self._wait_for_start(victim, blows.lines)
            blows.strike(each, victim)
            time.sleep(each.moment)
            self._wait_for_backlog(peers, crew)
        crew.revive()  # one that ended by itself in the meantime is killed all the same, as it starts
        blows.now()
        if victim.kill():
            self.killed += 1
        time.sleep(each.dead_for)
        victim.start(blows.environment(each))
        if number % PROGRESS_EVERY == 0:
            self.tell(f"{number} of {self.kills} kills; {self._progress(peers)}")

    def _wait_for_start(self, member: Member, lines: Lines) -> None:
        """Wait until a process that was just started makes its first call. Where several run, nobody can tell whose."""
        if member.started in self._measured or (self.servers.apart and self._measured):
            return
        until = member.started + START_SECONDS
        while lines.last_opened() < member.started and member.alive and time.monotonic() < until:
            time.sleep(0.01)
        if lines.last_opened() >= member.started:
            self.starts.append(lines.last_opened() - member.started)
        self._measured.add(member.started)

    def _wait_for_backlog(self, peers: Peers, crew: Crew) -> None:
        until = time.monotonic() + BACKLOG_SECONDS
        while time.monotonic() < until and backlog(peers.state()) > BACKLOG:
            crew.revive()
            time.sleep(0.2)

    def _progress(self, peers: Peers) -> str:
        records = peers.state()["records"]
        desk, care = (sum(held for at, held in records.items() if at.endswith(side)) for side in SIDES)
        return f"{desk} of {self.referrals} requests typed, {care} in care"

    def _result(
        self,
        bench: Bench,
        peers: Peers,
        officer: Officer,
        blows: Blows,
        status: Mapping[str, Any],
        still_open: int,
    ) -> dict[str, Any]:
        verdict = self.verdict = judge(
            peers.truth(), peers.records(), COUNCILS, held=officer.held, conflicted=lambda id: conflicted(bench, id)
        )
        notes = [*blows.notes, *count_ledger(verdict, status, still_open)]
        started, questions = self._start_seconds(), len(officer.asked)
        needless = blows.unexplained(officer.asked, peers.creates(), start_seconds=started.get("median", 1.0))
        if needless:
            notes.append(f"a person was asked without need about {', '.join(needless[:10])}")
        if officer.stumbles:
            notes.append(f"the desk could not be used for moments: {officer.stumbles}")
        if verdict.offences:
            self.story = story(bench, verdict.offences[0].number)
        counts = dict(verdict.counts)
        return {
            "kills": self.killed, "referrals": self.referrals, **counts, "by_tier": verdict.by_tier, "seed": self.seed,
            "on": "postgresql+rabbitmq" if self.servers.apart else "embedded",
            "questions": questions, "questions_explained": questions - len(needless), "unexplained": len(needless),
            "unaccounted": verdict.unaccounted,
            "conflicts": verdict.conflicts, "misfortunes": dict(blows.done), "start_seconds": started,
            "ledger": {"versions": status["versions"], "deliveries": status["deliveries"]},
            "faults": peers.state()["faults"], "notes": notes,
        }  # fmt: skip

    def _start_seconds(self) -> dict[str, float]:
        return {"median": round(median(self.starts), 2), "most": round(max(self.starts), 2)} if self.starts else {}


def backlog(state: Mapping[str, Any]) -> int:
    """Requests that stand at a desk and not yet in care."""
    records = state["records"]
    return sum(held if at.endswith("desk") else -held for at, held in records.items())
