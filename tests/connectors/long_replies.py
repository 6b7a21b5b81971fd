"""Fuzz the readers of replies for long, by hand.

    nice python -m tests.connectors.long_replies --inputs 50000 --seed 7

Prints a line a case; ends with 1 if an answer did not end as it must, and leaves that answer in the current folder. An
input is an answer in two parts, as `test_reply_fuzz` gives it: to the first call, and to all later ones.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.connectors import reply_cases, reply_cases_public
from tests.connectors.broken_replies import INSIDE, Said, answers, ends_well
from tests.connectors.conftest import ROOT

CASES = reply_cases.CASES | reply_cases_public.CASES
LONGEST = 5.0  # seconds that one call may take before it counts as hanging, on a machine that others use too


def shipped(name: str) -> Any:
    """A shipped profile."""
    return YAML(typ="safe", pure=True).load((ROOT / "connectors" / "profiles" / f"{name}.yaml").read_text("utf-8"))


def pinned(name: str) -> bytes:
    """The bytes of a shipped pinned interface."""
    return (ROOT / "connectors" / name).read_bytes()


def by_chance(name: str, inputs: int, seed: int, peers: tuple[Said, Said, Path]) -> bool:
    """Give one case so many answers; say what came of it."""
    (system, canary, file), case = peers, CASES[name]
    connector = reply_cases.opened(case, system.origin, shipped, pinned)
    chance, slowest, began = random.Random(f"{seed} {name}"), 0.0, time.monotonic()
    for number in range(inputs):
        said = [*case.before, *answers(chance, case.kind, case.wholes, case.own)]
        start = time.monotonic()
        try:
            ends_well(lambda: case.call(connector), system, canary, file, said, seconds=LONGEST)
        except Exception:
            Path(f"reply-{number}.bin").write_bytes(b"\n---\n".join(said))
            sys.stdout.write(f"{name}: answer {number} of seed {seed}, kept as reply-{number}.bin\n")
            traceback.print_exc(file=sys.stdout)
            return False
        slowest = max(slowest, time.monotonic() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    took = time.monotonic() - began
    said_of_it = f"{inputs} in {took:.0f} s, the slowest {slowest * 1000:.0f} ms, memory {peak} MB at most"
    sys.stdout.write(f"{name}: {said_of_it}\n")
    sys.stdout.flush()
    connector.close()
    return True


def main() -> int:
    """Read what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("cases", nargs="*", help="beginnings of their names; without any, all")
    told = parser.parse_args()
    chosen = [name for name in CASES if not told.cases or name.startswith(tuple(told.cases))]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ffeil"
        file.write_text(INSIDE, encoding="utf-8")
        peers = (Said(), Said(), file)
        # Each, also where one before it did not do well.
        well = [by_chance(name, told.inputs, told.seed, peers) for name in chosen]
    return 0 if well and all(well) else 1


if __name__ == "__main__":
    sys.exit(main())
