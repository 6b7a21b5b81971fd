"""The one suite that every connector passes, reading and writing; `test_conformance.py` says who is held to it.

The contract itself is `connectors.conform`, which councils run too. Here it is joined by everything that can go wrong
on the way, made by a proxy before the peer. What a product cannot keep is exempted with a reason, and an exemption of
something that it does keep is a failure: it has gone stale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from connectors.conform.reading import READING, differing
from connectors.conform.trial import Check, Trial, Verdict, perform
from connectors.conform.writing import WRITING
from connectors.errors import (
    ConnectorError,
    Duplicate,
    ForAPerson,
    Misconfigured,
    NotThere,
    Outdated,
    PageUnreadable,
    Rejected,
    Throttled,
    Unauthorised,
    Unknown,
)
from connectors.port import Connector, Item, Receipt, Record, Tier
from tests.connectors.fault_proxy import Fault
from tests.connectors.standing import MARK, Standing, at_once, attempt

#: What a refused write may be called: by status, on a create or an update.
MEANS: Mapping[str, tuple[type[ConnectorError], ...]] = {
    "status 400": (Rejected, Unknown),
    "status 401": (Unauthorised,),
    "status 403": (Unauthorised,),
    "status 404": (NotThere, Misconfigured, Rejected, Unknown),
    "status 409": (Rejected, Duplicate, Outdated, Unknown),
    "status 412": (Outdated, Rejected, Unknown),
    "status 422": (Rejected, Unknown),
    "status 429": (Throttled,),
}
#: Pages of somebody else, a login's or a gateway's: they say nothing about the records behind them.
FOREIGN = frozenset(
    {"html before", "html called xml before", "html after", "500 after", "sign-in page", "status 500", "status 503"}
)
RENEWED = "status 401"  # a refused login is renewed once, and the call repeated
RETRY_AFTER = 7.0  # seconds, as the proxy's 429 says


# --- The contract itself ----------------------------------------------------------------------------------------------


def hold(standing: Standing, check: Check) -> None:
    """One check of the contract, with a system that has records. What the profile does not offer is not asked."""
    if check.needs - standing.connector.offers(standing.kind):
        return
    ensure(standing, 5)
    trial = Trial(
        standing.kind, standing.connector, lambda: at_once(standing.connect()), standing.key(),
        overlap=standing.overlap, versioned=standing.versioned, invented=standing.record, moving=standing.moving,
        stranger=lambda: at_once(standing.connect(wrong=True)), most_pages=500,
    )  # fmt: skip
    (told,) = perform(trial, [check])
    with standing.keeping(check.name):
        assert told.verdict is Verdict.HELD, f"{standing.name}: {check.name}: {told.verdict.value}: {told.came}"
    assert "Prydderch" not in told.came


def ensure(standing: Standing, number: int) -> list[str]:
    """So many records at least; returns the ids of all that are there. Only what has changes can be asked for them."""
    standing.calm()
    if not standing.offers("changes"):
        return []
    there = walk(standing.connector, standing.kind)
    missing = number - len(there)
    if missing > 0 and standing.fill is not None:
        standing.fill(missing)
    elif missing > 0:
        for _ in range(missing):
            standing.connector.deliver(standing.kind, standing.record(MARK), key=standing.key())
    if missing > 0:
        there = walk(standing.connector, standing.kind)
        assert len(there) >= number, f"{standing.name}: of {number} records a walk shows {len(there)}"
    return list(there)


def walk(
    connector: Connector, kind: str, *, watermark: str = "", limit: int | None = None, tries: int = 1
) -> dict[str, Item]:
    """Every record of a walk by id, in its newest form; a page that goes wrong is asked for again from its place."""
    found: dict[str, Item] = {}
    cursor, pages = "", 0
    while True:
        pages += 1
        assert pages < 300, "the walk does not end"
        try:
            page = connector.changes(kind, watermark=watermark, cursor=cursor, limit=limit)
        except ConnectorError:
            tries -= 1
            if tries < 0:
                raise
            continue
        found |= {item.id: item for item in page.items if isinstance(item, Item)}
        cursor = page.cursor
        if not cursor:
            return found


def watermark_of(connector: Connector, kind: str) -> str:
    """Where the next walk begins."""
    cursor = ""
    while True:
        page = connector.changes(kind, watermark="", cursor=cursor)
        cursor = page.cursor
        if not cursor:
            return page.watermark


# --- What goes wrong while reading ------------------------------------------------------------------------------------


def reads(standing: Standing, connector: Connector) -> dict[str, Callable[[], Any]]:
    """The reads that the product offers, each giving something that can be compared."""
    one, kind = _one(standing), standing.kind
    made: dict[str, Callable[[], Any]] = {}
    if standing.offers("changes"):
        made["changes"] = lambda: [item.id for item in connector.changes(kind, watermark="", limit=3).items]
    if standing.offers("fetch") and one["id"]:
        made["fetch"] = lambda: _seen(connector.fetch(kind, one["id"]))
    if standing.offers("find") and one["key"]:
        made["find"] = lambda: [_seen(item) for item in connector.find(kind, one["key"])]
    if hasattr(connector, "entries"):  # a directory, which is listed as a whole
        made["entries"] = lambda: [_seen(item) for item in connector.entries()]
    return made


def _seen(item: Item | None) -> Any:
    return None if item is None else (item.id, item.version)


def _one(standing: Standing) -> dict[str, str]:
    """A record to read again and again."""
    if not standing.kept:
        standing.calm()
        key = ids = ""
        if standing.offers("create"):
            key = standing.key()
            ids = standing.connector.deliver(standing.kind, standing.record(MARK), key=key).id
        else:
            ids = ensure(standing, 1)[0]
        standing.kept.update(id=ids, key=key)
    return standing.kept


def read_under(standing: Standing, name: str, fault: Fault) -> None:
    """Each read, while its call goes wrong once and while it always does: the truth, or a named error, in time."""
    facing = reads(standing, standing.facing(fault))
    for verb, read in reads(standing, standing.connector).items():
        assert standing.proxy is not None
        standing.calm()
        truth = read()
        with standing.keeping(f"{verb}: {name}"):
            for times in (1,) if fault.silent or fault.pause else (1, None):  # silence takes the whole time at once
                standing.proxy.strike(fault, times=times)
                outcome = attempt(standing, facing[verb], fault)
                assert standing.proxy.struck, f"{verb}: the fault did not strike"
                if not isinstance(outcome, ConnectorError):
                    gone = verb != "changes" and name == "status 404" and outcome in (None, [])
                    assert outcome == truth or gone, f"{standing.name} {verb} under {name}: something else was read"
                elif isinstance(outcome, PageUnreadable):  # which would make a hole of everything behind it
                    assert name not in FOREIGN, f"{standing.name} {verb}: {name} says nothing about the records"
                elif isinstance(outcome, Throttled):
                    assert outcome.after is None or outcome.after >= RETRY_AFTER
            standing.calm()
            assert read() == truth, f"{standing.name} {verb}: it is not well again after {name}"


def walk_under(standing: Standing, name: str, fault: Fault) -> None:
    """A walk of several pages of which one goes wrong: asked again from its place, it shows every record."""
    assert standing.proxy is not None
    wanted = set(ensure(standing, 7))
    for after in (1, 2):
        with standing.keeping(f"walk: {name}"):
            standing.proxy.strike(fault, after=after)
            try:
                found = walk(standing.connector, standing.kind, limit=max(2, len(wanted) // 4), tries=1)
            finally:
                standing.calm()
            assert set(found) == wanted, f"{standing.name}: {len(wanted - set(found))} records missing after {name}"


def list_under(standing: Standing, name: str, fault: Fault) -> None:
    """A list that is read as a whole, of which a page behind the first goes wrong: all of it, or a named error."""
    assert standing.proxy is not None
    read = reads(standing, standing.connector)["entries"]
    truth = read()
    for after in (1, 2):
        with standing.keeping(f"list: {name}"):
            standing.proxy.strike(fault, after=after, times=None)
            outcome = attempt(standing, read)
            assert standing.proxy.struck, "the fault did not strike"
            standing.calm()
            assert isinstance(outcome, ConnectorError) or outcome == truth, f"{standing.name}: half a list: {name}"
    assert read() == truth


def changed_while_paging(standing: Standing) -> None:
    """Records change while pages are read: with the next walk from the watermark, all were seen as they are now."""
    wanted = set(ensure(standing, 7))
    connector, kind, limit = standing.connector, standing.kind, max(2, len(wanted) // 4)
    first = connector.changes(kind, watermark="", limit=limit)
    while not first.items and first.cursor:  # a page may show nothing yet
        first = connector.changes(kind, watermark="", cursor=first.cursor, limit=limit)
    seen = {item.id: item for item in first.items if isinstance(item, Item)}
    touched, text = next(iter(seen)), f"newer {standing.key()}"
    write_text(standing, touched, text)
    cursor, page = first.cursor, first
    while cursor:
        page = connector.changes(kind, watermark="", cursor=cursor, limit=limit)
        seen |= {item.id: item for item in page.items if isinstance(item, Item)}
        cursor = page.cursor
    seen |= walk(connector, kind, watermark=page.watermark)
    assert wanted <= set(seen), f"{standing.name}: {len(wanted - set(seen))} records were never shown"
    assert text in str(seen[touched].record), f"{standing.name}: the newest text was never shown"


def write_text(standing: Standing, id: str, text: str) -> None:
    """Somebody writes a text into a record."""
    if standing.change is not None:
        standing.change(id, text)
        return
    held = standing.connector.fetch(standing.kind, id)
    assert held is not None
    standing.connector.deliver(
        standing.kind, onto(standing, held, text), key=standing.key(), id=id, version=held.version
    )


def onto(standing: Standing, held: Item, text: str) -> Record:
    """A record with another text, as the movement writes it."""
    record = standing.record(text)
    if standing.whole:
        return record
    changed = {name: record[name] for name in differing(record, standing.record("another"))}
    return {**held.record, **changed} if standing.connector.reads_first(standing.kind) else changed


# --- What goes wrong while writing ------------------------------------------------------------------------------------


def create_under(standing: Standing, name: str, fault: Fault, *, may_be_done: bool) -> None:
    """A create of which one call goes wrong: named by what to do next, never twice, and found again if it was done."""
    assert standing.proxy is not None
    connector, kind = standing.connector, standing.kind
    for step in range(_calls(standing)):
        before = standing.held() if standing.held is not None else 0
        key, what = standing.key(), f"create: {name}"
        # A refused login is renewed once and the call repeated, so it is refused for as long as it is asked.
        standing.proxy.strike(fault, after=step, times=None if name == RENEWED else 1)
        with standing.keeping(what):
            create = partial(standing.facing(fault).deliver, kind, standing.record(MARK), key=key)
            outcome = attempt(standing, create, fault)
            struck = standing.proxy.struck
            standing.calm()
            assert struck in ((1, 2) if name == RENEWED else (1,)), f"{standing.name} {what}: sent {struck} times"
            if step and standing.held is not None and isinstance(outcome, Throttled) and name not in MEANS:
                # The record was made, and its later step is not clear: sent again, it goes on and makes no other.
                made = standing.held()
                again = attempt(standing, partial(connector.deliver, kind, standing.record(MARK), key=key))
                assert isinstance(again, Receipt), f"{standing.name} {what}: {again!r} when sent again"
                assert standing.held() == made, f"{standing.name} {what}: doubled when sent again"
            else:
                _judge(standing, what, name, outcome, may_be_done=may_be_done)
            if not standing.offers("find"):
                _counted(standing, what, key, outcome, before, may_be_done=may_be_done)
                continue
            there = [item.id for item in connector.find(kind, key)]
            assert len(there) <= 1, f"{standing.name} {what}: {len(there)} records"
            if isinstance(outcome, Receipt):
                assert there == [outcome.id], f"{standing.name} {what}: a receipt for what is not there"
            elif may_be_done and step == _calls(standing) - 1:
                assert there, f"{standing.name} {what}: the peer did it, and it is not found"
            if connector.tier(kind) is Tier.KEEPS_KEY:
                again = attempt(standing, partial(connector.deliver, kind, standing.record(MARK), key=key))
                assert isinstance(again, Receipt | Duplicate), f"{standing.name} {what}: {again!r} when sent again"
                assert len(connector.find(kind, key)) == 1, f"{standing.name} {what}: doubled when sent again"


def _counted(standing: Standing, what: str, key: str, outcome: Any, before: int, *, may_be_done: bool) -> None:
    """Where our key cannot be looked for, the peer's own desk says how many there are: none too many, and none lost."""
    if standing.held is None or _calls(standing) > 1:
        return
    made = standing.held() - before
    assert made <= 1, f"{standing.name} {what}: {made} records"
    assert made or not isinstance(outcome, Receipt), f"{standing.name} {what}: a receipt for what is not there"
    assert made or not may_be_done, f"{standing.name} {what}: the peer did it, and it is not there"
    if standing.connector.tier(standing.kind) is Tier.KEEPS_KEY:
        again = attempt(standing, partial(standing.connector.deliver, standing.kind, standing.record(MARK), key=key))
        assert isinstance(again, Receipt | Duplicate), f"{standing.name} {what}: {again!r} when sent again"
        assert standing.held() == before + 1, f"{standing.name} {what}: doubled when sent again"


def _calls(standing: Standing) -> int:
    """How many calls a create takes."""
    assert standing.proxy is not None
    if "calls" not in standing.kept:
        _one(standing)
        standing.calm()
        standing.connector.deliver(standing.kind, standing.record(MARK), key=standing.key())
        standing.kept["calls"] = str(standing.proxy.calls)
    return int(standing.kept["calls"])


def update_under(standing: Standing, name: str, fault: Fault, *, may_be_done: bool) -> None:
    """An update of which one call goes wrong: named, and the record is as it was or as it was to be, nothing lost."""
    steps = _update_calls(standing)
    for step in range(steps):
        _update_under(standing, name, fault, step=step, last=step == steps - 1, may_be_done=may_be_done)


def _update_under(standing: Standing, name: str, fault: Fault, *, step: int, last: bool, may_be_done: bool) -> None:
    assert standing.proxy is not None
    kind = standing.kind
    one, what = _one(standing), f"update: {name}"
    standing.calm()
    held = standing.stands(one["id"])
    assert held is not None
    text = f"newer {standing.key()}"
    written = onto(standing, held, text)
    standing.proxy.strike(fault, after=step, times=None if name == RENEWED else 1)
    with standing.keeping(what):
        outcome = attempt(
            standing,
            lambda: standing.facing(fault).deliver(kind, written, key=one["key"], id=held.id, version=held.version),
            fault,
        )
        struck = standing.proxy.struck
        standing.calm()
        assert struck in ((1, 2) if name == RENEWED else (1,)), f"{standing.name} {what}: sent {struck} times"
        # What comes before the last call may be a read, which is tried again, and after which nothing is done yet.
        _judge(standing, what, name, outcome, may_be_done=may_be_done or not last)
        after = standing.stands(one["id"])
        assert after is not None
        done = text in str(after.record)
        assert done or not (isinstance(outcome, Receipt) or (may_be_done and last)), (
            f"{standing.name} {what}: it is not there"
        )
        moved = differing(held.record, after.record) - set(standing.moving) - differing(held.record, written)
        assert not moved, f"{standing.name} {what}: {moved} changed too"


def _update_calls(standing: Standing) -> int:
    """How many calls an update takes: some read before they write."""
    assert standing.proxy is not None
    if "update calls" not in standing.kept:
        one = _one(standing)
        held = standing.stands(one["id"])
        assert held is not None
        written = onto(standing, held, f"newer {standing.key()}")
        standing.calm()
        standing.connector.deliver(standing.kind, written, key=one["key"], id=held.id, version=held.version)
        standing.kept["update calls"] = str(standing.proxy.calls)
    return int(standing.kept["update calls"])


def handed_over(standing: Standing) -> None:
    """New or changed, every record is for a person, who is told where; nobody's words are in what is said."""
    before = standing.held() if standing.held is not None else 0
    for number in ("", "4711"):
        deliver = partial(
            standing.connector.deliver, standing.kind, standing.record(MARK), key=standing.key(), id=number
        )
        outcome = attempt(standing, deliver)
        assert isinstance(outcome, ForAPerson), f"{standing.name}: {outcome!r}"
        assert outcome.reason
    if standing.held is not None:
        assert standing.held() == before + 2, f"{standing.name}: each goes to its people, once"
    # `dolen conform --writes` troubles them once, and calls nothing broken that it cannot see.
    trial = Trial(standing.kind, standing.connector, standing.connect, standing.key(), invented=standing.record)
    told = perform(trial, [*WRITING, *READING])
    assert {one.verdict for one in told} == {Verdict.NOT_TRIED}
    assert all(one.came for one in told)
    if standing.held is not None:
        assert standing.held() == before + 3, f"{standing.name}: one mail for a whole trial"


def _judge(standing: Standing, what: str, name: str, outcome: Any, *, may_be_done: bool) -> None:
    if may_be_done and isinstance(outcome, Receipt):
        return
    if name in MEANS:
        assert isinstance(outcome, MEANS[name]), f"{standing.name} {what}: {outcome!r}"
        if isinstance(outcome, Throttled):
            assert outcome.after is not None and outcome.after >= RETRY_AFTER, f"{standing.name}: Retry-After is lost"
    else:
        assert isinstance(outcome, Unknown), f"{standing.name} {what}: {outcome!r} where nobody can know"
