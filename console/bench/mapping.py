"""`dolen bench mapping`: one record read and written by a compiled mapping, and by whatever else would do it.

Everybody ends in the same `Referral.model_validate` when reading and in the same record when writing; that this is so
is looked at before anything is timed. Turns alternate and processor time counts, so that a busy machine troubles all
alike.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from config.layers import Layers
from console.bench import byhand
from console.bench.engines import ENGINES, Codes, Engine
from mappings.facts import assemble
from mappings.referral import Referral
from pipelines.library import Library, shipped_folders

HERE = Path(__file__).parent / "words"
MAPPING, ZONE = "bench/request", "Europe/London"
LISTS = ("category", "channel", "gender", "language", "need", "outcome", "priority", "referrer", "speech", "status")
GIVEN = {  # what the ledger owns, for every contender
    "referral_id": "6f1f7b1e-6a0d-4d7a-9a3e-0d5b8f3a2c11",
    "correlation_id": "6f1f7b1e-6a0d-4d7a-9a3e-0d5b8f3a2c11",
    "council": "W06999001",
    "source_identifiers": [{"system": "contact", "value": "C-000881"}],
}
INSTALL = "python -m pip install jmespath glom jsonata-python, with the Python of .venv"


class Disagreed(RuntimeError):
    """A contender does not give what the mapping gives, so that there is nothing to compare."""


class Contender(NamedTuple):
    """One way to read and to write the record."""

    name: str
    called: str
    read: Callable[[], Referral]
    write: Callable[[], Any]


class Contest(NamedTuple):
    """The mapping, and those it is compared with. `missing`: the engines that are not installed."""

    ours: Contender
    others: Sequence[Contender]
    missing: Sequence[Engine]


def contest() -> Contest:
    """Make the contenders. Raises Disagreed if one of them gives anything else than the mapping."""
    found = library()
    mapping = found.mapping(MAPPING, ZONE)
    record: dict[str, Any] = json.loads((HERE / "record.json").read_bytes())
    reads, writes = code_lists(found)
    ours = Contender(
        "mapping",
        "the compiled mapping",
        lambda: assemble(mapping.read(record).facts, GIVEN),
        lambda: mapping.write(referral).record,
    )
    referral = ours.read()
    by_hand = Contender(
        "hand-written",
        "hand-written Python",
        lambda: byhand.read(record, GIVEN, reads),
        lambda: byhand.write(referral, writes),
    )
    installed = [engine for engine in ENGINES if engine.installed]
    # An engine reaches into plain data, so it is given the referral as such, and its making is not timed.
    plain = referral.model_dump(mode="json", by_alias=True, exclude={"remarks"})
    others = [by_hand, *(_contender(engine, record, plain, reads, writes) for engine in installed)]
    for other in others:
        if other.read() != referral:
            raise Disagreed(f"{other.called} reads another referral than the mapping")
        if other.write() != ours.write():
            raise Disagreed(f"{other.called} writes another record than the mapping")
    return Contest(ours, others, [engine for engine in ENGINES if not engine.installed])


def library() -> Library:
    """The files of the bench, laid over the shipped ones."""
    return Library(Layers(HERE, shipped_folders()))


def code_lists(found: Library) -> tuple[Codes, Codes]:
    """The tables of each code list, to read and to write, for those who look codes up by hand."""
    lists = {name: found.code_list(name) for name in (f"contact-{each}" for each in LISTS)}
    reads = {name: dict(codes.reads()) for name, codes in lists.items()}
    return reads, {name: dict(codes.writes()) for name, codes in lists.items()}


def _contender(
    engine: Engine,
    record: dict[str, Any],
    plain: dict[str, Any],
    reads: Codes,
    writes: Codes,
) -> Contender:
    read, write = engine.make(reads, writes)
    return Contender(
        engine.name,
        engine.called,
        lambda: Referral.model_validate({**read(record), **GIVEN}),
        lambda: write(plain),
    )


def mapping(runs: int, seconds: float) -> dict[str, Any]:
    """Run the contest: so many turns of about so many seconds each. Returns the object that benches print."""
    found = contest()
    results = []
    for verb in ("read", "write"):
        rates = _rates(verb, [found.ours, *found.others], runs, seconds)
        mine = rates[found.ours.name]
        for other in found.others:
            theirs = rates[other.name]
            results.append(
                {
                    "name": f"{verb} against {other.name}",
                    "ours": round(mine, 1),
                    "against": other.called,
                    "theirs": round(theirs, 1),
                    "ratio": round(mine / theirs, 3),
                    "unit": "records a second of processor time",
                    "runs": runs,
                }
            )
    notes = [f"Left out, as {engine.package} is not installed: {engine.called}. {INSTALL}" for engine in found.missing]
    machine = {"cores": os.cpu_count(), "python": sys.version.split()[0], "platform": sys.platform}
    return {"bench": "mapping", "results": results, "notes": notes, "machine": machine}


def against_hand_written(runs: int, seconds: float) -> dict[str, float]:
    """By result, how often as fast as hand-written Python we are; no other engine is asked. Raises Disagreed."""
    found = contest()
    pair = (found.ours, found.others[0])
    ratios = {}
    for verb in ("read", "write"):
        rates = _rates(verb, pair, runs, seconds)
        ratios[f"{verb} against {pair[1].name}"] = rates[pair[0].name] / rates[pair[1].name]
    return ratios


def _rates(verb: str, contenders: Sequence[Contender], runs: int, seconds: float) -> dict[str, float]:
    """Records a second of each contender: the median of its turns."""
    calls = {}
    for contender in contenders:
        once: Callable[[], Any] = getattr(contender, verb)
        calls[contender.name] = max(1, int(seconds / max(_time(once, 20) / 20, 1e-9)))
    turns: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for _ in range(runs):
        for contender in contenders:
            number = calls[contender.name]
            turns[contender.name].append(number / max(_time(getattr(contender, verb), number), 1e-9))
    return {name: statistics.median(rates) for name, rates in turns.items()}


def _time(once: Callable[[], Any], calls: int) -> float:
    began = time.process_time()
    for _ in range(calls):
        once()
    return time.process_time() - began
