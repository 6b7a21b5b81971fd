"""`dolen bench privacy`: what encryption and redaction cost, and how long a person's rights take in a large ledger.

The pipeline is run with both and without, in turns, against the same source and sink; what is compared with keeps the
same rows in the same transactions, so that the difference is what sealing, keys and the log's list cost. For the rights
a ledger is filled with invented messages, then one person with messages of her own is shown and erased.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from connectors.port import Item
from console.bench import pipeline as contest
from console.bench.pipeline import Contender
from pipelines import composition, erasing, exporting, past, persons
from pipelines.intake import Intake
from pipelines.plant import Plant

#: Invented: the sample's person, under a number that is nobody's.
NHS = "9990000018"
HERS = 20  # requests of the person who is shown and erased
MOST_SECONDS = 5.0


def privacy(records: int, runs: int, messages: int) -> dict[str, Any]:
    """Run both contests; `messages` 0 leaves the second out. Returns the object that benches print."""
    results = []
    if records:
        with contest.flood(0.0) as url:
            sealed = Contender("pipeline", [["run"]], log="info")  # with a line for each record, so that it is redacted
            clear = Contender("in clear", [["run"]], log="info", module=IN_CLEAR)
            pairs = [(contest.ours(url, sealed, records), contest.ours(url, clear, records)) for _ in range(runs)]
        results.append(contest.result("pipeline", "nothing sealed or redacted", pairs, runs))
    if messages:
        results += rights(messages)
    machine = {"cores": os.cpu_count(), "python": sys.version.split()[0], "platform": sys.platform}
    return {"bench": "privacy", "results": results, "machine": machine}


IN_CLEAR = "console.bench.in_clear"


def rights(messages: int) -> list[dict[str, Any]]:
    """Show and erase one person in a ledger of so many messages. Raises contest.Failed if she is not found whole."""
    folder = Path(tempfile.mkdtemp(prefix="dolen-bench-"))
    plant: Plant | None = None
    try:
        contest.lay_out(folder, "http://127.0.0.1:9", Contender("rights", []))
        plant = composition.build(composition.load(folder))
        past.fill(plant.ledger, "bench", messages)
        past.fill_keys(plant.keys, "bench", messages)
        _hers(plant)
        whom = persons.by_identifier(plant, NHS)
        began = time.perf_counter()
        told = exporting.export(plant, whom, who="bench", why="bench")
        exported = time.perf_counter() - began
        if len(told["referrals"]) != HERS or not all(one["facts"] and one["versions"] for one in told["referrals"]):
            raise contest.Failed(f"{len(told['referrals'])} of {HERS} requests were shown")
        began = time.perf_counter()
        erasing.erase(plant, whom, ground="objection", who="bench", why="bench")
        erased = time.perf_counter() - began
        return [_seconds("export", exported, messages), _seconds("erase", erased, messages)]
    finally:
        if plant is not None:
            plant.close()
        shutil.rmtree(folder, ignore_errors=True)


def _seconds(name: str, taken: float, messages: int) -> dict[str, Any]:
    return {
        "name": name,
        "ours": round(taken, 3),
        "against": f"the target, with {messages} messages",
        "theirs": MOST_SECONDS,
        "ratio": round(MOST_SECONDS / taken, 2),
        "unit": "seconds",
        "runs": 1,
    }


def _hers(plant: Plant) -> None:
    """The requests of one person, taken in as a source shows them; nothing of them is left open."""
    sample = json.loads((contest.HERE / "sample.json").read_bytes())
    council = plant.councils["bench"]
    wired = council.wired["source"]
    kind = next(iter(wired.kinds.values()))
    items = []
    for number in range(HERS):
        stamp = datetime(2026, 7, 2, 11, tzinfo=UTC) + timedelta(minutes=number)
        record = {**sample, "id": f"H-{number}", "version": 1, "changed_at": stamp.isoformat()}
        record["customer"] = {**sample["customer"], "nhs_number": NHS}
        items.append(Item(record["id"], record, json.dumps(record).encode(), "1", stamp))
    Intake(plant, council).take(wired, kind, items)
    past.close_all(plant.ledger)
