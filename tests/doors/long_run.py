"""Fuzz the doors for long, by hand.

    nice python -m tests.doors.long_run --inputs 50000 --seed 7

Prints a line a door; ends with 1 if an input did not end as it must, and leaves that input in the current folder.
`--lines` counts the lines of ours that were reached, some five times as slow, and says at which input the last new one
came: coverage is flat where that was long ago.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import time
import traceback
from contextlib import nullcontext
from pathlib import Path

from tests.doors.door import Door
from tests.doors.fuzzed import DOORS
from tests.doors.reached import Reached

LONGEST = 5.0  # seconds that one input may take


def spoilt(chance: random.Random, door: Door) -> bytes:
    """One input, as `test_fuzz.inputs` makes them, a hundred times as fast."""
    if not chance.randrange(5):
        return chance.randbytes(chance.randrange(300))
    body = bytearray(chance.choice(door.seeds))
    for _ in range(chance.randrange(6)):
        at = chance.randrange(len(body) + 1)
        match chance.randrange(5):
            case 0 | 1:
                body[at:at] = chance.choice(door.words)
            case 2:
                del body[at : at + chance.randrange(1, 41)]
            case 3:
                body[at : at + 1] = chance.randbytes(chance.randrange(4))
            case _:
                body[at:at] = body[at : at + chance.randrange(1, 201)]
    return bytes(body)


def by_chance(name: str, inputs: int, seed: int, *, lines: bool = False) -> bool:
    """Give a door so many inputs; say what came of it."""
    chance, door, slowest, began = random.Random(f"{seed} {name}"), DOORS[name], 0.0, time.monotonic()
    reached, came = Reached(), dict[int, int]()  # at which input how many lines had been reached, where it was news
    for number in range(inputs):
        content = spoilt(chance, door)
        start = time.monotonic()
        try:
            with reached if lines else nullcontext():
                door.take(content)
        except Exception:
            Path(f"fuzz-{number}.bin").write_bytes(content)
            sys.stdout.write(f"{name}: input {number} of seed {seed}, kept as fuzz-{number}.bin\n")
            traceback.print_exc()
            return False
        slowest = max(slowest, time.monotonic() - start)
        if len(reached.lines) > max(came.values(), default=0):
            came[number + 1] = len(reached.lines)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    took = time.monotonic() - began
    said = f"{inputs} inputs in {took:.0f} s, the slowest {slowest * 1000:.0f} ms, memory {peak} MB at most"
    sys.stdout.write(f"{name}: {said}\n")
    if came:
        at_a_tenth = max((count for number, count in came.items() if number <= inputs // 10), default=0)
        sys.stdout.write(
            f"{name}: {len(reached.lines)} lines reached, {at_a_tenth} of them within {inputs // 10} inputs; the last "
            f"new one by input {max(came)}\n"
        )
    sys.stdout.flush()
    return slowest < LONGEST


def main() -> int:
    """Read what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--lines", action="store_true")
    parser.add_argument("doors", nargs="*")
    told = parser.parse_args()
    well = [
        by_chance(name, told.inputs, told.seed, lines=told.lines) for name in told.doors or DOORS
    ]  # each, also where one did not do well
    return 0 if all(well) else 1


if __name__ == "__main__":
    sys.exit(main())
