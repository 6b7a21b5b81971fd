"""`dolen bench connectors`: calls of ours against the bare libraries, on the same loopback server in the same run.

Whatever is compared first shows that both give the same values. Turns alternate, and the median of each contender's
turns is told. The back-fill reads as many records as it is told through every feed, each in a process of its own, and
tells how far its memory has grown.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date, datetime
from typing import Any, NamedTuple

from connectors.port import Connector, Item
from console.bench import wire_site
from console.bench.bare import BareRest, BareSoap
from console.bench.loopback import HERE, SPACE
from console.bench.loopback_feeds import PAGE
from console.bench.wire_feeds import FEEDS

RESULTS = ("rest deliver", "soap read", "soap create", "back-fill")
FIRST = 1_000  # records after which the level of memory is taken
MOST_GROWN = 20.0  # MB
_FOR = {"rest deliver": 150, "soap read": 3, "soap create": 60}  # calls in one turn


class Disagreed(RuntimeError):
    """The two contenders do not give the same, so that there is nothing to compare."""


class Contest(NamedTuple):
    """One thing that is done by both. `each` is how many calls or records one call counts for."""

    name: str
    ours: Callable[[], object]
    against: str
    theirs: Callable[[], object]
    unit: str
    each: int = 1


@contextmanager
def served(records: int) -> Iterator[str]:
    """The loopback server, as a process; gives its address."""
    command = [sys.executable, "-m", "console.bench.loopback", str(records)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own
    assert process.stdin is not None and process.stdout is not None
    try:
        yield str(json.loads(process.stdout.readline())["url"])
    finally:
        process.stdin.close()
        process.wait(timeout=20)
        process.stdout.close()


def connectors(runs: int, only: Sequence[str], back_fill: int) -> dict[str, Any]:
    """Run what is asked for. Returns the object that benches print. Raises Disagreed."""
    wanted = only or [name for name in RESULTS if name != "back-fill" or back_fill]
    results: list[dict[str, Any]] = []
    if set(wanted) - {"back-fill"}:
        with served(PAGE) as url, closing(wire_site.rest(url)) as rest, closing(wire_site.soap(url)) as soap:
            bare_rest = BareRest(url, wire_site.SECRET)
            wsdl = str(wire_site.interface_file("interfaces/casework.wsdl"))
            bare_soap = BareSoap(url, wsdl, SPACE, wire_site.SECRET)
            with closing(bare_rest), closing(bare_soap):
                for contest in _contests(rest, soap, bare_rest, bare_soap):
                    if contest.name in wanted:
                        results.append(_held(contest, runs))
    if "back-fill" in wanted:
        results += [_filled(feed, back_fill or 100_000) for feed in FEEDS]
    machine = {"cores": os.cpu_count(), "python": sys.version.split()[0], "platform": sys.platform}
    return {"bench": "connectors", "results": results, "machine": machine}


def _contests(rest: Connector, soap: Connector, bare_rest: BareRest, bare_soap: BareSoap) -> Iterator[Contest]:
    record = json.loads((HERE / "flood" / "sample.json").read_bytes())
    yield Contest(
        "rest deliver", lambda: rest.deliver("Request", record, key="bench-1"), "requests.Session.post(json=)",
        lambda: bare_rest.deliver(record), "calls a second",
    )  # fmt: skip
    _same_page(soap, bare_soap)
    yield Contest(
        "soap read", lambda: soap.changes("Referral", watermark=""), "a plain zeep call", lambda: bare_soap.read(PAGE),
        "records a second, every field checked by ours", PAGE,
    )  # fmt: skip
    written = json.loads((HERE / "wire" / "referral.json").read_bytes())
    written = {name: value for name, value in written.items() if name not in ("ReferralId", "Version", "LastChanged")}
    plain = _as_zeep_wants(written)
    yield Contest(
        "soap create", lambda: soap.deliver("Referral", written, key="bench-1"), "a plain zeep call",
        lambda: bare_soap.create(plain), "calls a second",
    )  # fmt: skip


def _held(contest: Contest, runs: int) -> dict[str, Any]:
    """Both contenders, turn by turn."""
    calls = _FOR[contest.name]
    turns: dict[str, list[tuple[float, float]]] = {"ours": [], "theirs": []}
    for whose in turns:
        _turn(getattr(contest, whose), max(1, calls // 10))  # connections are made, and what is compiled once is
    for run in range(runs):
        for whose in ("ours", "theirs") if run % 2 else ("theirs", "ours"):
            turns[whose].append(_turn(getattr(contest, whose), calls))
    wall, cpu = (
        {whose: statistics.median(turn[kind] for turn in told) / calls for whose, told in turns.items()}
        for kind in (0, 1)
    )
    return {
        "name": contest.name,
        "ours": round(contest.each / wall["ours"], 1),
        "against": contest.against,
        "theirs": round(contest.each / wall["theirs"], 1),
        "ratio": round(wall["theirs"] / wall["ours"], 3),
        "unit": contest.unit,
        "runs": runs,
        "our_cpu": round(cpu["ours"] * 1000, 3),  # ms of processor time a call
        "their_cpu": round(cpu["theirs"] * 1000, 3),
    }


def _turn(once: Callable[[], object], calls: int) -> tuple[float, float]:
    began, spent = time.perf_counter(), time.process_time()
    for _ in range(calls):
        once()
    return time.perf_counter() - began, time.process_time() - spent


def _filled(feed: str, records: int) -> dict[str, Any]:
    """A back-fill through one feed, in a process of its own."""
    with served(records) as url:
        command = [sys.executable, "-m", "console.bench.back_fill", feed, str(records), url]
        told = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)  # noqa: S603 - our own
    if told["read"] != records:
        raise Disagreed(f"the back-fill through {feed} read {told['read']} of {records} records")
    return {
        "name": f"back-fill {feed}",
        "ours": round(told["grown"], 1),
        "against": f"what it may grow by after its first {FIRST} records",
        "theirs": MOST_GROWN,
        "ratio": round(MOST_GROWN / max(told["grown"], 0.1), 3),
        "unit": f"MB, over {records} records",
        "runs": 1,
        "records_a_second": round(records / told["seconds"]),
    }


# --- The same values --------------------------------------------------------------------------------------------------


def _same_page(soap: Connector, bare: BareSoap) -> None:
    """See that each value of each record is the same on both sides. Raises Disagreed, naming the place."""
    ours = soap.changes("Referral", watermark="").items
    theirs = bare.plain(bare.read(PAGE))["Referral"]
    if len(ours) != PAGE or len(theirs) != PAGE:
        raise Disagreed(f"a page has {PAGE} records: ours showed {len(ours)}, zeep {len(theirs)}")
    for mine, other in zip(ours, theirs, strict=True):
        if not isinstance(mine, Item):
            raise Disagreed(f"ours could not read a record: {mine.reason}")
        if place := _differ(mine.record, other, ""):
            raise Disagreed(f"the two differ at {place}")


def _differ(mine: Any, other: Any, at: str) -> str:
    """The first place at which a record of ours and what zeep gives are not the same; "" if there is none."""
    if isinstance(mine, dict):
        names = {_zeep_name(name): value for name, value in mine.items()}
        if missing := {name for name, value in other.items() if value not in (None, [])} - set(names):
            return f"{at}/{min(missing)}"
        found = (_differ(value, other.get(name), f"{at}/{name}") for name, value in names.items())
        return next(filter(None, found), "")
    if isinstance(other, list):
        mine = mine if isinstance(mine, list) else [mine]
        if len(mine) != len(other):
            return at
        return next(filter(None, (_differ(a, b, at) for a, b in zip(mine, other, strict=True))), "")
    return "" if mine == _text(other) or (mine in ("", None) and other is None) else at


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def _zeep_name(name: str) -> str:
    return "_value_1" if name == "." else name.removeprefix("@")


def _as_zeep_wants(value: Any) -> Any:
    """A record with attributes and texts under the names that zeep gives them, and true and false as such."""
    if isinstance(value, dict):
        return {_zeep_name(name): _as_zeep_wants(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_as_zeep_wants(one) for one in value]
    return {"true": True, "false": False}.get(value, value)
