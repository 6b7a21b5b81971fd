"""The site that a bench runs: five councils, each a desk and a care system, on a folder of the bench's own.

The peers say which council has which tier; here stands only what Dolen is told of them. Nothing of the real site of
whoever runs the bench is read or touched.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

#: Each council and the tier of its care system: by routes 40, 40 and 20 of 100. The peers declare the same.
COUNCILS = {"alder": "A", "birch": "A", "cedar": "B", "damson": "B", "elder": "C"}
SIDES = ("desk", "care")
TEMPLATE = Path(__file__).parent / "template"
#: Short, so that a run is quick: a call's deadline, and how long after it a peer may still commit, in seconds.
TIMEOUT, SETTLE = 2.0, 3.0
#: By then the peers have committed whatever they got, with room for a slow machine and a slow line.
LATEST = TIMEOUT + SETTLE - 1.5


@dataclass(frozen=True, slots=True)
class Bench:
    """Where everything of one run lies."""

    folder: Path
    ledger: str = ""  # the environment variable that holds its URL; "" for SQLite in the data folder
    broker: str = ""  # the same for the broker; "" for the one in memory

    @property
    def site(self) -> Path:
        """The site that the processes under test run."""
        return self.folder / "site"

    @property
    def data(self) -> Path:
        """What they write."""
        return self.folder / "data"


def lay_out(bench: Bench, address: Callable[[str, str], str]) -> None:
    """Write the site. `address(council, side)`: the URL by which Dolen reaches a peer."""
    for part in ("profiles", "mappings", "codes", "interfaces"):
        shutil.copytree(TEMPLATE / part, bench.site / part)
    (bench.site / "config" / "councils").mkdir(parents=True)
    bench.data.mkdir(exist_ok=True)
    council = (TEMPLATE / "council.yaml").read_text(encoding="utf-8")
    for number, (code, tier) in enumerate(COUNCILS.items(), 1):
        text = council.format(
            code=code,
            name=code.title(),
            gss=f"W0699990{number}",
            tier=tier,
            profile=tier.lower(),
            timeout=TIMEOUT,
            settle=SETTLE,
            **{side: address(code, side) for side in SIDES},
        )
        (bench.site / "config" / "councils" / f"{code}.yaml").write_text(text, encoding="utf-8")
    whole = (TEMPLATE / "dolen.yaml").read_text(encoding="utf-8")
    text = whole.format(
        data=bench.data,
        ledger=f"env:{bench.ledger}" if bench.ledger else "sqlite:///ledger.db",
        broker=f"env:{bench.broker}" if bench.broker else "memory://",
        keys=bench.folder / "main.key",
    )
    (bench.site / "config" / "dolen.yaml").write_text(text, encoding="utf-8")
