"""The staff of the peers: they type what the story says, and everything they type is written down as the truth.

The truth is append-only and apart from what the systems hold: one entry for each thing typed, made at the moment in
which the system took it. Staff in care can only work on what has arrived there; until it has, their deeds wait.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sandbox import names
from sandbox.peers.story import COUNCILS, STATUSES, UNMAPPED, Deed, Step, Story
from sandbox.peers.system import Body, Held, System

TICK_SECONDS = 0.01
ASK_AGAIN_SECONDS = 0.3
#: How often staff in care look whether a record is known enough for them to correct it, before they let it be.
PATIENCE = 30


@dataclass(frozen=True, slots=True)
class Typed:
    """One thing that somebody typed. `fields`: what they typed, as a patch; `mark`: the part that tells it from others.

    `root`: of a mobile number typed in care, the number that stood there by Dolen's hand before any of staff's own.
    """

    nth: int
    at: float
    council: str
    token: str
    side: str
    id: str
    deed: str
    mark: str
    fields: Body
    unmapped: bool = False
    root: str = ""


class Staff:
    """Everybody who types, in every council."""

    def __init__(self, story: Story, systems: Mapping[str, System], now: Callable[[], float]) -> None:
        self._story, self._systems, self._now = story, systems, now
        self._steps = story.steps()
        self._next = 0
        self._until = 0.0
        self._due: list[tuple[float, int, Step]] = []  # (when, a tie-breaker, what)
        self._waiting: dict[str, list[Step]] = {}  # token -> deeds in care for what has not arrived
        self._numbers: dict[tuple[str, str], int] = {}  # (token, deed) -> how many were typed
        self._asked: dict[tuple[int, int], int] = {}
        self._serial = 0
        self._committing = 0
        self.truth: list[Typed] = []
        self.hurried = False

    @property
    def busy(self) -> bool:
        """Whether anything that was released is still to be typed; what waits for an arrival does not count."""
        return bool(self._due) or self._committing > 0

    @property
    def planned(self) -> int:
        """How many deeds the whole story has."""
        return len(self._steps)

    @property
    def waiting(self) -> int:
        """Deeds in care that wait for a record to arrive."""
        return sum(map(len, self._waiting.values()))

    def release(self, until: float, over: float) -> None:
        """Let everything up to that share of the story happen, spread over so many seconds from now."""
        now, began = self._now(), self._until
        span = max(until - began, 1e-9)
        while self._next < len(self._steps) and self._steps[self._next].at <= until:
            step = self._steps[self._next]
            self._push(now + over * max(0.0, step.at - began) / span, step)
            self._next += 1
        self._until = max(until, began)

    def arrived(self, token: str) -> None:
        """A record has arrived in care: whoever waited for it may begin, in a moment."""
        for step in self._waiting.pop(token, []):
            self._push(self._now() + ASK_AGAIN_SECONDS, step)

    async def work(self) -> None:
        """Type what is due, for ever."""
        while True:
            now = self._now()
            while self._due and self._due[0][0] <= now:
                self._do(heapq.heappop(self._due)[2])
            await asyncio.sleep(TICK_SECONDS)

    def let_be(self) -> None:
        """No longer wait for records to become known: what can be typed now is typed, the rest never."""
        self.hurried = True

    def _push(self, at: float, step: Step) -> None:
        self._serial += 1
        heapq.heappush(self._due, (at, self._serial, step))

    def _do(self, step: Step) -> None:
        token, council = self._story.token(step.number), self._story.council(step.number)
        system = self._systems[f"{council}/{step.side}"]
        if step.deed is Deed.CREATE:
            self._commit_later(step, lambda stamp: self._create(system, council, token, step, stamp))
            return
        ids = system.by_token.get(token)
        if not ids:
            if step.side == "care":
                self._waiting.setdefault(token, []).append(step)
            else:  # the desk's own record is being committed late
                self._push(self._now() + ASK_AGAIN_SECONDS, step)
            return
        held = system.records[ids[0]]
        if step.deed is Deed.MOBILE and not held.known:
            asked = self._asked[step.number, step.nth] = self._asked.get((step.number, step.nth), 0) + 1
            if asked < PATIENCE and not self.hurried:
                self._push(self._now() + ASK_AGAIN_SECONDS, step)
            return
        self._commit_later(step, lambda stamp: self._change(system, council, token, step, held, stamp))

    def _commit_later(self, step: Step, commit: Callable[[int | None], None]) -> None:
        if not step.late or self.hurried:
            commit(None)
            return
        stamp = int(self._now())
        self._committing += 1

        def finish() -> None:
            self._committing -= 1
            commit(stamp)

        asyncio.get_running_loop().call_later(step.late, finish)

    def _create(self, system: System, council: str, token: str, step: Step, stamp: int | None) -> None:
        chance = self._story.weather.chance("typed", step.number)
        body: Body = {
            "external_reference": None,
            "status": "new",
            "status_reason": None,
            "kind": chance.choice(("contact", "referral", "assessment")),
            "priority": UNMAPPED if step.unmapped else chance.choice(("routine", "routine", "urgent")),
            "team": chance.choice(("adults", "carers")),
            "received_at": "2026-01-15T10:00:00Z",
            "reason": self._story.reason(step.number, self._count(token, "reason")),
            "person": self._story.person(step.number),
            "safeguarding": chance.random() < 0.02,
            "restricted": False,
            "notes": None,
        }
        held = system.enter(body, token=token, stamp=stamp)
        self._write_down(council, token, step, held, body["reason"], {**body, "person": {**body["person"]}})

    def _change(self, system: System, council: str, token: str, step: Step, held: Held, stamp: int | None) -> None:
        changes, mark, root = self._typed(step, token, held)
        system.change(held, changes, stamp=stamp)
        self._write_down(council, token, step, held, mark, changes, root)

    def _typed(self, step: Step, token: str, held: Held) -> tuple[Body, str, str]:
        """What is typed, the mark in it, and the number below it."""
        chance = self._story.weather.chance("typed", step.number, step.nth)
        if step.deed is Deed.NOTES:
            notes = f"{chance.choice(names.INTERNAL_NOTES)} ({step.side})"
            return {"notes": notes}, notes, ""
        if step.deed is Deed.STATUS:
            nth = self._count(token, "status")
            reason = f"(s{nth})"
            return {"status": STATUSES[min(nth, len(STATUSES)) - 1], "status_reason": reason}, reason, ""
        if step.deed is Deed.MOBILE:
            number = self._story.mobile(step.number, 400 + self._count(token, "care mobile"))
            return {"person": {"mobile": number}}, number, held.mobile_root
        reason = self._story.reason(step.number, self._count(token, "reason"))
        changes: Body = {"reason": reason}
        if step.unmapped:
            changes["priority"] = UNMAPPED
        elif step.with_mobile:
            changes["person"] = {"mobile": self._story.mobile(step.number, self._count(token, "desk mobile"))}
        if not step.unmapped and held.body["priority"] == UNMAPPED:
            changes["priority"] = "urgent"  # somebody noticed, and puts it right
        return changes, reason, ""

    def _count(self, token: str, what: str) -> int:
        nth = self._numbers[token, what] = self._numbers.get((token, what), 0) + 1
        return nth

    def _write_down(
        self, council: str, token: str, step: Step, held: Held, mark: str, fields: Body, root: str = ""
    ) -> None:
        # A record with a priority that nobody has mapped stays unreadable whatever else is typed into it.
        unmapped = step.side == "desk" and held.body["priority"] == UNMAPPED
        self.truth.append(
            Typed(
                len(self.truth), self._now(), council, token, step.side, held.id, str(step.deed), mark, fields,
                unmapped, root,
            )
        )  # fmt: skip


def plain(typed: Typed) -> dict[str, Any]:
    """One entry as data."""
    return asdict(typed)


def sides() -> list[tuple[str, str, str]]:
    """Every system: (council, side, tier). The desk keeps our key, in case anybody should create a record there."""
    return [
        (council, side, tier if side == "care" else "A")
        for council, tier in COUNCILS.items()
        for side in ("desk", "care")
    ]
