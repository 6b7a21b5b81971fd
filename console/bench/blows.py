"""What strikes besides a kill: connections, processes, the disk, broker and database. And when something struck, as a
call that was under way at that moment may rightly be in doubt."""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from console.bench.crew import Member
from console.bench.disk import Disk
from console.bench.lines import Lines
from console.bench.officer import Question
from console.bench.site import COUNCILS
from console.bench.torment import Misfortune, Round

SLOW_BY = 0.4  # seconds
RESTART_SECONDS = 180.0
TIER_C = frozenset(f"{code}/care" for code, tier in COUNCILS.items() if tier == "C")
#: A tier C create counts as hit by what struck so shortly after its answer, in seconds: the answer may not have been
#: written down yet. And so long after it began if it never got one. Both are of a machine on which a process needs a
#: second to its first call; where the half of them need longer, everything else does too, and both grow with that.
GRACE, NO_ANSWER = 2.0, 10.0
AT_ONCE = 4  # calls under way to one system at most, as the site of the bench has it
#: Preloaded into a process whose clock is to be wrong. Where it lies is Debian's choice.
LIBFAKETIME = tuple(
    Path(folder) / "faketime" / "libfaketime.so.1"
    for folder in ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu")
)


@dataclass(slots=True)
class Blows:
    """Strikes, and remembers."""

    lines: Lines
    disk: Disk
    restart_broker: str = ""
    restart_ledger: str = ""
    embedded: bool = True
    done: Counter[str] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)  # by the peers' clock, which is the machine's
    swallowed: int = 0  # what was said to tier C systems into a black hole
    notes: list[str] = field(default_factory=list)

    def possible(self) -> list[Misfortune]:
        """What can be done on this machine; the rest is said in `notes`."""
        able = [Misfortune.CUT, Misfortune.SLOW, Misfortune.BLACK_HOLE, Misfortune.FREEZE, Misfortune.LONG_FREEZE]
        for misfortune, can, why_not in (
            (Misfortune.DISK, self.disk.can_fill, f"the disk is not filled: {self.disk.why_not}"),
            (Misfortune.CLOCK, libfaketime() is not None, "no clock jumps: libfaketime is not installed"),
            (Misfortune.BROKER, bool(self.restart_broker), "the broker is not killed: --restart-broker says how"),
            (Misfortune.LEDGER, bool(self.restart_ledger), "the database is not killed: --restart-ledger says how"),
        ):
            if can:
                able.append(misfortune)
            elif not (self.embedded and misfortune in (Misfortune.BROKER, Misfortune.LEDGER)):
                self.notes.append(why_not)
        return able

    def now(self) -> None:
        """Note that something struck at this moment."""
        self.times.append(time.time())

    def strike(self, each: Round, victim: Member) -> None:
        """Let the misfortune of this round happen, if it has one."""
        if each.misfortune in (Misfortune.NONE, Misfortune.CLOCK):
            return
        self.done[each.misfortune.value] += 1
        name = self.lines.names[each.line % len(self.lines.names)]
        self.now()
        match each.misfortune:
            case Misfortune.CUT:
                time.sleep(min(each.moment, 0.5))
                self.now()
                self.lines.cut(name)
            case Misfortune.SLOW:
                self._for(each.lasts, lambda: self.lines.slow(name, SLOW_BY), lambda: self.lines.slow(name, 0.0))
            case Misfortune.BLACK_HOLE:
                self._for(each.lasts, lambda: self.lines.swallow(name, True), lambda: self.lines.swallow(name, False))
                if name in TIER_C:
                    self.swallowed += self.lines.swallowed(name)
            case Misfortune.FREEZE | Misfortune.LONG_FREEZE:
                self._for(each.lasts, victim.freeze, victim.thaw)
            case Misfortune.DISK:
                self._for(each.lasts, self.disk.fill, self.disk.free)
            case Misfortune.BROKER:
                _shell(self.restart_broker)
            case Misfortune.LEDGER:
                _shell(self.restart_ledger)
        self.now()

    def environment(self, each: Round) -> dict[str, str]:
        """What the process that is started after this round's kill is told: perhaps a clock that is wrong."""
        library = libfaketime()
        if each.misfortune is not Misfortune.CLOCK or library is None:
            return {}
        self.done[each.misfortune.value] += 1
        return {"LD_PRELOAD": str(library), "FAKETIME": f"{each.clock:+.0f}", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    def unexplained(
        self, asked: Sequence[Question], creates: Sequence[Mapping[str, Any]], *, start_seconds: float
    ) -> list[str]:
        """The requests of which a person was asked without need; see `unexplained_questions`."""
        unseen = self.swallowed + AT_ONCE * len(self.times)
        return unexplained_questions(asked, creates, self.times, unseen=unseen, slowness=max(1.0, start_seconds))

    @staticmethod
    def _for(seconds: float, begin: Callable[[], None], end: Callable[[], None]) -> None:
        begin()
        try:
            time.sleep(seconds)
        finally:
            end()


def libfaketime() -> Path | None:
    """The library that makes a process's clock wrong, None if there is none."""
    return next((path for path in LIBFAKETIME if path.exists()), None)


def unexplained_questions(
    asked: Sequence[Question],
    creates: Sequence[Mapping[str, Any]],
    blows: Sequence[float],
    *,
    unseen: int,
    slowness: float = 1.0,
) -> list[str]:
    """Each question must be explained by a create of its own request that got no clear answer or that a blow hit.

    A call that never reached the system left no trace there: so many (`unseen`) questions may be about such a one, and
    only of those whose answer was that it is not there. `slowness` is how much longer than a second a process needs to
    its first call. Returns the tokens of the rest.
    """
    excuses = Counter(str(each["token"]) for each in creates if _in_doubt(each, blows, slowness))
    rest = []
    for question in asked:
        if excuses[question.token]:
            excuses[question.token] -= 1
        elif not question.there and unseen:
            unseen -= 1
        else:
            rest.append(question.token)
    return rest


def _in_doubt(create: Mapping[str, Any], blows: Sequence[float], slowness: float) -> bool:
    ended = create["ended"] if create["ended"] is not None else create["begun"] + NO_ANSWER * slowness
    hit = any(create["begun"] <= at <= ended + GRACE * slowness for at in blows)
    return bool(create["ambiguous"] or create["gone"] or hit)


class NotRestarted(RuntimeError):
    """The command that was to restart a server failed. The message holds what it said."""


def _shell(command: str) -> None:
    done = subprocess.run(  # noqa: S603 - the command of whoever runs the bench
        ["/bin/sh", "-c", command],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=RESTART_SECONDS,
    )
    if done.returncode:
        raise NotRestarted(f"`{command}` ended with exit code {done.returncode}:\n{done.stdout}{done.stderr}")
