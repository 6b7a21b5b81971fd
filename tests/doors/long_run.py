"""Fuzz the doors for long, by hand.

    nice python -m tests.doors.long_run --inputs 50000 --seed 7

Prints a line a door; ends with 1 if an input did not end as it must, and leaves that input in the current folder.
`--lines` counts the lines of ours that were reached, some times as slow, and makes later inputs of those that reached a
new one. It says where the last new one is and at which input it came, and ends with 1 for a door that is not flat: one
at which a new line came in the second half.
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

from tests.doors.fuzzed import DOORS
from tests.doors.reached import ROOT, Reached
from tests.doors.spoiling import Pool

LONGEST = 5.0  # seconds that one input may take


def by_chance(name: str, inputs: int, seed: int, *, lines: bool = False) -> bool:
    """Give a door so many inputs; say what came of it."""
    chance, door, slowest, began = random.Random(f"{seed} {name}"), DOORS[name], 0.0, time.monotonic()
    pool = Pool(door)
    for whole in door.seeds:  # what is loaded at first use is no line that an input reached
        door.take(whole)
    reached, known = Reached(), set[tuple[str, int]]()
    last, at_a_tenth, newest = 0, 0, ""
    for number in range(inputs):
        content = door.seeds[number] if number < len(door.seeds) else pool.spoilt(chance)
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
        if len(reached.lines) > len(known):
            file, line = min(reached.lines - known)
            last, newest = number + 1, f"{Path(file).relative_to(ROOT).as_posix()}:{line}"
            known |= reached.lines
            pool.keep(content)
        if number < inputs // 10:
            at_a_tenth = len(known)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    took = time.monotonic() - began
    said = f"{inputs} inputs in {took:.0f} s, the slowest {slowest * 1000:.0f} ms, memory {peak} MB at most"
    sys.stdout.write(f"{name}: {said}\n")
    flat = last <= inputs // 2
    if lines:
        sys.stdout.write(
            f"{name}: {'flat' if flat else 'NOT FLAT'}: {len(known)} lines, {at_a_tenth} of them within {inputs // 10} "
            f"inputs, the last new one by input {last} ({newest})\n"
        )
    sys.stdout.flush()
    return slowest < LONGEST and flat


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
