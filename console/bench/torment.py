"""What is done to the processes under test, and when: all of it drawn from the seed before anything begins.

A round lets some more of the story happen, lets Dolen work for a moment drawn by lot, perhaps with some misfortune on
the way, and then kills a process. So the kills are spread over the whole movement however fast it goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

#: A process that has not been heard of for this long is given up by the others, in seconds.
SILENCE = 8.0


class Misfortune(StrEnum):
    """Something that happens besides a kill."""

    NONE = ""
    CUT = "connection cut"
    SLOW = "connection slowed"
    BLACK_HOLE = "black hole"
    FREEZE = "frozen for a moment"
    LONG_FREEZE = "frozen past the lease"
    BROKER = "broker killed"
    LEDGER = "database killed"
    DISK = "disk full"
    CLOCK = "clock jumped"


#: How often, of a thousand rounds. What is not possible on this machine is left out, and said.
_RATES = {
    Misfortune.CUT: 120, Misfortune.SLOW: 80, Misfortune.BLACK_HOLE: 25, Misfortune.FREEZE: 30,
    Misfortune.LONG_FREEZE: 8, Misfortune.BROKER: 20, Misfortune.LEDGER: 15, Misfortune.DISK: 15, Misfortune.CLOCK: 15,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Round:
    """One round. Times are in seconds."""

    until: float  # share of the story
    over: float  # in which the staff type it
    starting: bool  # the kill comes while the process is still starting
    moment: float  # from the process's first call (or its start) to the kill
    victim: int  # which process, as a number to take the remainder of
    dead_for: float  # before it is started again
    misfortune: Misfortune = Misfortune.NONE
    line: int = 0  # which line, likewise
    lasts: float = 0.0
    clock: float = 0.0  # seconds by which the clock jumps


def plan(seed: int, kills: int, possible: Sequence[Misfortune]) -> list[Round]:
    """Draw every round. With at least forty kills each misfortune that is possible happens once or more."""
    chance = Random(f"{seed}/torment")  # noqa: S311 - a story, not a secret
    sure = list(possible) if kills >= 40 else []
    chance.shuffle(sure)
    fixed = dict(zip(sorted(chance.sample(range(kills), len(sure))), sure, strict=True)) if sure else {}
    return [_round(chance, number, kills, possible, fixed.get(number)) for number in range(kills)]


def _round(chance: Random, number: int, kills: int, possible: Sequence[Misfortune], sure: Misfortune | None) -> Round:
    drawn, misfortune = chance.random() * 1000, Misfortune.NONE
    for each in possible:
        drawn -= _RATES[each]
        if drawn < 0:
            misfortune = each
            break
    misfortune = sure or misfortune
    starting = misfortune is Misfortune.NONE and chance.random() < 0.12
    return Round(
        until=(number + 1) / kills,
        over=chance.uniform(0.0, 1.0),
        starting=starting,
        moment=chance.uniform(0.0, 0.9) if starting else min(4.0, chance.expovariate(1 / 0.7)),
        victim=chance.randrange(1 << 16),
        dead_for=chance.uniform(0.3, 1.5) if chance.random() < 0.05 else 0.0,
        misfortune=misfortune,
        line=chance.randrange(1 << 16),
        lasts=_lasts(chance, misfortune),
        clock=chance.choice((-7200.0, -90.0, 90.0, 7200.0)),
    )


def _lasts(chance: Random, misfortune: Misfortune) -> float:
    match misfortune:
        case Misfortune.LONG_FREEZE:
            return chance.uniform(SILENCE + 1, SILENCE + 4)
        case Misfortune.FREEZE | Misfortune.BLACK_HOLE:
            return chance.uniform(0.5, 3.0)
        case Misfortune.SLOW:
            return chance.uniform(0.5, 2.0)
        case Misfortune.DISK:
            return chance.uniform(0.5, 2.0)
        case _:
            return 0.0
