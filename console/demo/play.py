"""The play: begins the story, lets it rain, has officers work, waits until all is quiet, asks for the verdict."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from console.demo.ending import Ending, ending, in_words
from console.demo.officers import Officers
from console.demo.screen import Line, Moment, Screen
from console.demo.stage import Stage, StageFault
from console.demo.weather import OUTAGE_AT, OUTAGE_SECONDS, Event, forecast
from pipelines import desk, overview
from pipelines.composition import build, load
from pipelines.processes import last_beat
from pipelines.reconcile import reconcile
from pipelines.states import DeliveryState

TURN_SECONDS = 0.2
TURNS_A_SIGHT = 3
LOOK_SECONDS = 1.0
#: How long nothing at all may move before all is quiet, and how long the whole may take, each with seconds a request.
STILL_SECONDS, STILL_SECONDS_EACH = 60.0, 0.005
WHOLE_SECONDS, WHOLE_SECONDS_EACH = 120.0, 0.6
_WAITING = (DeliveryState.WAITING, DeliveryState.SENDING, DeliveryState.NOT_SURE)
_THEIR_OWN_SYSTEM = ("neath-port-talbot", "occupational-therapy", "OT")


class Play:
    """One demo on a stage that is built. `pace`: requests a second."""

    def __init__(
        self, stage: Stage, screen: Screen, *, referrals: int, seed: int, kills: int, faults: bool, pace: float
    ) -> None:
        self._stage, self._screen = stage, screen
        self._referrals, self._seed, self._pace = referrals, seed, pace
        length = referrals / pace
        self._coming: list[Event] = forecast(seed=seed, length=length, referrals=referrals, kills=kills, faults=faults)
        self._officers = Officers(stage.desk)
        self._kills = 0
        self._outage_ends: float | None = None
        self._moment = Moment()
        self._looked = self._shown_half = 0.0

    def perform(self) -> Ending:
        """Play it to the end. Raises StageFault when something is stuck."""
        began = time.monotonic()
        self._plant = build(load(self._stage.site))
        try:
            self._open()
            self._until_quiet("After the last request", read_since=False)
            self._stage.desk.switch_all_off()
            self._attention()
            self._until_quiet("After what needed attention was mended", read_since=True)
            self._look(always=True)
            self._screen.keep(self._moment)
            verdict = self._stage.desk.get("verdict")
            reconciled = self._reconcile()
            return ending(
                self._plant, verdict, replayed=len(self._officers.replayed), settled=len(self._officers.settled),
                kills=self._kills, seconds=time.monotonic() - began, seed=self._seed, reconciled=reconciled,
            )  # fmt: skip
        finally:
            self._plant.close()

    def _open(self) -> None:
        if self._plant.findings:
            raise StageFault(
                "the example site has findings:\n" + "\n".join(f"    {each}" for each in self._plant.findings)
            )
        self._stage.start_run()
        self._wait(lambda: last_beat(self._plant) is not None, 30, "`dolen run` did not begin to work")
        councils = ", ".join(council.name["en"] for council in self._plant.councils.values())
        self._screen.tell(f"three pretend systems each for {councils}; seed {self._seed}")
        self._stage.desk.post("life", {"referrals": self._referrals, "seed": self._seed, "pace": self._pace})
        self._began = time.monotonic()

    def _turn(self) -> None:
        self._stage.check()
        gone = time.monotonic() - self._began
        while self._coming and self._coming[0].at <= gone:
            self._happen(self._coming.pop(0))
        if self._outage_ends is not None:
            self._during_outage()
        self._look()
        time.sleep(TURN_SECONDS)

    def _happen(self, event: Event) -> None:
        self._screen.tell(event.words)
        if event.is_kill:
            self._stage.kill_run()
            self._kills += 1
            return
        self._stage.desk.switch_on(event.tenant, event.system, event.faults, seed=self._seed)
        if event.is_outage:
            self._outage_ends = time.monotonic() + OUTAGE_SECONDS

    def _during_outage(self) -> None:
        """While the case system is down, an officer takes one by telephone and types it in as soon as she can."""
        assert self._outage_ends is not None
        if time.monotonic() > self._outage_ends - 2:
            self._outage_ends = None
            return
        if words := self._officers.type_in_one(self._plant, OUTAGE_AT):
            self._screen.tell(words)
            self._outage_ends = None

    def _attention(self) -> None:
        groups = desk.attention(self._plant)
        for group in groups:
            self._screen.tell(
                f"needs attention, {group.count}x: {group.council}/{group.connection}, {group.step}: {group.words}"
            )
            self._screen.show(f"        what to do: {group.remedy}")
        for words in self._officers.type_in_elsewhere(self._plant, *_THEIR_OWN_SYSTEM):
            self._screen.tell(words)
        if rung := self._officers.ring(self._plant, groups):
            self._screen.tell(f"officers ring {rung} people whom no message may tell (safeguarding, an interpreter)")
        mended = self._officers.mend_code_lists(self._stage.site, groups)
        if mended:
            self._screen.tell(
                f"an officer adds a row to codes/{', '.join(mended)}.csv; dolen run is started anew to read it"
            )
            self._stage.stop_run()
            self._plant.close()
            self._plant = build(load(self._stage.site))
            self._stage.start_run()
            again = self._officers.send_again(self._plant, groups, mended)
            self._screen.tell(f"sent again by cause: {again}")
        source = int(self._stage.desk.post("life/mend-source")["mended"])
        if source:
            self._screen.tell(f"contact staff mend {source} unreadable record at its source; it comes back by itself")

    def _until_quiet(self, when: str, *, read_since: bool) -> None:
        """Wait until staff have done all they can and nothing is on its way.

        `read_since`: and until every source was read from start to end since then, so that nothing stands there unread.
        """
        moving = _Movement(self._referrals)
        reads: dict[tuple[str, str], set[int]] = {}
        while True:
            for _ in range(TURNS_A_SIGHT):
                self._turn()
            life, seen = self._stage.desk.get("life"), overview.look(self._plant)
            if not self._coming and life["quiet"] and overview.is_quiet(self._plant):
                for link in seen.links:
                    if self._plant.councils[link.council].wired[link.connection].polls:
                        reads.setdefault((link.council, link.connection), set()).add(link.last_read or 0)
                # The first end of a walk was there before, the second may be of one begun before, the third is not.
                if not read_since or all(len(ends) >= 3 for ends in reads.values()):
                    return
            else:
                reads = {}
            if moving.stopped((life["done"], tuple(sorted(seen.deliveries.items())))):
                raise StageFault(f"{when}, all should have come to rest and has not:\n{self._stuck()}")

    def _reconcile(self) -> dict[str, str]:
        """Have Dolen itself compare both ends of each route that carries state."""
        told = {}
        for code, council in self._plant.councils.items():
            for route in council.routes:
                if route.carries == "state":
                    report = reconcile(self._plant, council, route.name)
                    told[f"{code}/{route.name}"] = in_words(report)
        return told

    def _stuck(self) -> str:
        seen = overview.look(self._plant)
        lines = [
            f"staff: {self._stage.desk.get('life')}",
            f"versions: {seen.versions}",
            f"deliveries: {seen.deliveries}",
        ]
        for link in seen.links:
            if link.paused or link.last_words or link.waiting or link.not_sure:
                lines.append(
                    f"{link.council}/{link.connection}: waiting {link.waiting}, not sure {link.not_sure}, "
                    f"paused {link.paused or 'no'}, last read: {link.last_words or 'well'}"
                )
        return "\n".join(f"    {line}" for line in lines)

    def _look(self, *, always: bool = False) -> None:
        if not always and time.monotonic() - self._looked < LOOK_SECONDS:
            return
        self._looked = time.monotonic()
        counts = {
            (each["tenant"], each["system"]): int(each["records"]) for each in self._stage.desk.get("state")["systems"]
        }
        life = self._stage.desk.get("life")
        lines = []
        for code, council in self._plant.councils.items():
            seen = overview.look(replace(self._plant, councils={code: council}))
            arrived = (DeliveryState.ARRIVED, DeliveryState.SETTLED)
            lines.append(
                Line(
                    council.name["en"],
                    counts.get((code, "contact"), 0),
                    counts.get((code, "casework"), 0),
                    sum(seen.deliveries.get(state.value, 0) for state in arrived),
                    sum(seen.deliveries.get(state.value, 0) for state in _WAITING),
                    counts.get((code, "notify"), 0),
                    seen.attention,
                    tuple(link.connection for link in seen.links if link.paused),
                )
            )
        self._moment = Moment(lines, life["planned"], life["started"])
        self._screen.follow(self._moment)
        if not self._shown_half and life["started"] * 2 >= self._referrals:
            self._shown_half = 1.0
            self._screen.keep(self._moment)

    def _wait(self, done: Callable[[], bool], seconds: float, otherwise: str) -> None:
        until = time.monotonic() + seconds
        while not done():
            self._stage.check()
            if time.monotonic() > until:
                raise StageFault(otherwise)
            time.sleep(0.05)


class _Movement:
    """Notices when a wait leads nowhere: nothing moves any more, or it goes on and on."""

    def __init__(self, referrals: int) -> None:
        self._still = STILL_SECONDS + STILL_SECONDS_EACH * referrals
        self._until = time.monotonic() + WHOLE_SECONDS + WHOLE_SECONDS_EACH * referrals
        self._last: object = None
        self._since = time.monotonic()

    def stopped(self, sight: object) -> bool:
        """Say whether it is time to give up, `sight` being what can be seen of the whole now."""
        now = time.monotonic()
        if sight != self._last:
            self._last, self._since = sight, now
        return now > self._until or now - self._since > self._still
