"""How many records a second the shipped casework mapping reads and writes, on its fullest golden pair.

Run as `python benchmarks/mapping_speed.py`. Medians of several runs; the numbers are this machine's and only good for
comparing one commit with another on it.
"""

from __future__ import annotations

import json
import statistics
import sys
import timeit
from collections.abc import Callable
from pathlib import Path
from typing import Any

SHIPPED = Path(__file__).resolve().parents[1] / "mappings" / "shipped"
RUNS, REPEATS = 7, 2000


def rate(once: Callable[[], object]) -> float:
    """Calls a second, the median of the runs."""
    return statistics.median(REPEATS / timeit.timeit(once, number=REPEATS) for _ in range(RUNS))


def main() -> None:
    """Time reading and writing and print one JSON object."""
    sys.path.insert(0, str(SHIPPED.parents[1]))
    from config.documents import read_yaml
    from mappings.codes import CodeList, parse
    from mappings.compile import compile_mapping

    def load(name: str) -> tuple[Any, str]:
        return read_yaml(SHIPPED / f"{name}.yaml").data, name

    def codes(name: str) -> CodeList:
        return parse((SHIPPED / "codes" / f"{name}.csv").read_bytes(), name)

    mapping = compile_mapping("casework/referral", load, codes, "Europe/London")
    pair = json.loads((SHIPPED / "casework" / "golden" / "referral.full.json").read_bytes())
    record = pair["read"]["record"]
    facts = mapping.read(record).facts
    results = {
        "reads a second": round(rate(lambda: mapping.read(record))),
        "creates a second": round(rate(lambda: mapping.write(facts))),
        "updates a second": round(rate(lambda: mapping.write(facts, record))),
    }
    sys.stdout.write(json.dumps(results) + "\n")


if __name__ == "__main__":
    main()
