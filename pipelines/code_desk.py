"""The code desk: the owner of a code list says what a code means, and everything that waited for it goes on.

The row is written into the site's own file with author and reason, after a look whether every mapping that uses the
list can be compiled with it. Then what waits is released, in order: versions are read again, deliveries are written
again, and records that went on without the field are read or written again so that it arrives now. All of it may be
done twice, or by two officers at once: what has gone on is not touched again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from config.editing import rewrite
from config.findings import Finding, SiteFaults
from mappings import codes, codes_edit
from mappings.code_book import Book
from mappings.codes import CodeFaults, CodeList, CodeRow
from mappings.codes_edit import Import
from pipelines import audit, deliveries, desk, lanes, rows
from pipelines import facts as fact_store
from pipelines.batch import Batch, one_referral
from pipelines.freshness import day_of
from pipelines.ids import number_of
from pipelines.intake import Intake
from pipelines.library import ROWS, Library
from pipelines.lock import AlreadyRunning, only_one
from pipelines.looking import NotPossible, seen_of
from pipelines.plant import Plant
from pipelines.rights import Right
from pipelines.sight import EVERYTHING
from pipelines.states import DeliveryState
from pipelines.tables import delivery
from pipelines.unmapped import Held, lists_of, waiting_for

#: Two officers who change a list at one moment wait this long for one another.
_WAIT_SECONDS = 10.0


@dataclass(slots=True)
class Released:
    """What a release did."""

    stopped: list[str] = field(default_factory=list)  # went on: v7, d12
    completed: list[str] = field(default_factory=list)  # had gone on without the field, which arrives now
    waits: list[str] = field(default_factory=list)  # still waits, for another code of the list or another reason


def map_code(plant: Plant, name: str, row: CodeRow, *, who: str, why: str, zone: str = "") -> str:
    """Write what a code means into the site's files; return which file says so now. Nothing is released yet.

    `row` is as it shall be, its line and note left out; a row of the code that waits is filled in. Raises NotPossible
    with a sentence, CodeFaults or SiteFaults with what is wrong, CannotChange where the file cannot be written.
    """
    today = _today(plant, zone)

    def change(list_: CodeList) -> tuple[CodeRow, ...]:
        if any(_says(one, row) for one in list_.rows):
            return ()
        waits = next((one for one in list_.waiting if one.theirs == row.theirs), None)
        said = codes_edit.note(waits.note if waits else "", who, why, today)
        made = replace(row, line=waits.line if waits else 0, note=said)
        if waits is not None:
            owner = row.owner or waits.owner
            made = replace(made, cy=row.cy or waits.cy, en=row.en or waits.en, owner=owner)
        return (made,)

    file, changed = _write(plant, name, change)
    if changed:
        detail = {"list": name, "theirs": row.theirs, "ours": row.ours, "direction": row.direction}
        _tell(plant, name, who=who, why=why, action="code mapped", detail=detail)
    return file


def _says(one: CodeRow, row: CodeRow) -> bool:
    """Whether a row says already what is asked for."""
    same = (one.theirs, one.ours, one.valid_from, one.valid_to) == (row.theirs, row.ours, row.valid_from, row.valid_to)
    return same and one.direction == row.direction


def plan_import(plant: Plant, name: str, book: Book, *, who: str, why: str, zone: str = "") -> Import:
    """Say what a code book would change in a list; a list that is not there begins with it. Raises SiteFaults."""
    return codes_edit.compare(_list(plant, name, new=True), book.codes, author=who, reason=why, on=_today(plant, zone))


def carry_out_import(plant: Plant, name: str, book: Book, *, who: str, why: str, zone: str = "") -> tuple[str, Import]:
    """Write what a code book changes into the site's own file; return which one, and what was changed."""
    today = _today(plant, zone)
    found: list[Import] = []

    def change(list_: CodeList) -> tuple[CodeRow, ...]:
        found[:] = [codes_edit.compare(list_, book.codes, author=who, reason=why, on=today)]
        return found[0].rows

    file, changed = _write(plant, name, change, new=True)
    if changed:
        done = found[0]
        counts = {"added": len(done.added), "changed": len(done.changed), "ended": len(done.ended)}
        _tell(plant, name, who=who, why=why, action="code book imported", detail={"list": name, **counts})
    return file, found[0]


def release(plant: Plant, name: str, councils: Sequence[str] = (), *, who: str, why: str) -> Released:
    """Let go on whatever waits for a list and whose codes have their rows by now. Raises NotPossible without a list."""
    for code in [code for code in plant.councils if code in councils] if councils else plant.councils:
        plant.sight.need(Right.CODES, code)
    plant.refresh()
    _list(plant, name)
    asked, plant = plant, replace(plant, sight=EVERYTHING)  # a rule lets go, of what nobody here may see too
    done = Released()
    waiting = list(waiting_for(plant, councils, name))
    ready = [held for held in waiting if held.gaps is not None and not held.gaps]
    done.waits += [held.id for held in waiting if held not in ready]
    # What is read again may send more, so that all reading comes first; both go from the oldest on.
    for side in ("read", "write"):
        mine = [held for held in ready if held.side == side]
        stopped = [held.id for held in mine if held.needed]
        if stopped:
            replayed = desk.replay(plant, stopped, who=who, why=why)
            done.stopped += replayed.done
        left = [held for held in mine if not held.needed]
        done.completed += [held.id for held in left if complete(plant, held)]
    for code in sorted({held.council for held in ready if not held.needed}):
        ids = [held.id for held in ready if held.council == code and held.id in done.completed]
        if ids:
            completed(plant, name, ids, who=who, why=why, council=code)
    plant.nudge.set()
    seen = seen_of(asked, [*done.stopped, *done.completed, *done.waits])
    for ids in (done.stopped, done.completed, done.waits):
        ids[:] = [id for id in ids if id in seen]
    return done


def complete(plant: Plant, held: Held) -> bool:
    """Read or write a record again that went on without a field. False where somebody has done so already."""
    number = number_of(held.id, held.id[0]) or 0
    council = plant.councils[held.council]
    if held.side == "read":
        return Intake(plant, council).again([number]).news > 0
    with plant.ledger.writing(making_room=True) as connection:
        batch = Batch(connection, plant.vault, council, plant.clock.now())
        (row,) = rows.look(connection, delivery, "id", [number])
        route = council.route(row.route)
        referral = one_referral(batch, row.referral_id)
        if route is None or referral is None or row.carries != "state":
            return False
        # What waits already will be written with the rows of now; behind what is under way another one is needed.
        if any(
            one.state == DeliveryState.WAITING and (one.connection, one.kind) == (row.connection, row.kind)
            for one in batch.deliveries_of(referral.id)
        ):
            return False
        plain = fact_store.plain(batch.facts(referral))
        made = deliveries.make(batch, route, referral, plain=plain, version=None)
        batch.flush()
        lanes.refresh(connection, [made.lane])
    return True


def completed(plant: Plant, name: str, ids: Sequence[str], *, who: str, why: str, council: str) -> None:
    """Tell the audit which records arrive now with a field that they went on without."""
    _tell(plant, name, who=who, why=why, action="left out, taken again", detail={"ids": list(ids)}, only=council)


def known(plant: Plant, name: str) -> None:
    """Make sure that there is a code list of that name. Raises NotPossible."""
    _list(plant, name)


def _write(
    plant: Plant, name: str, change: Callable[[CodeList], Iterable[CodeRow]], *, new: bool = False
) -> tuple[str, bool]:
    """Change the site's own file of a list. Returns its name, and whether anything was changed."""
    with _alone(plant):
        library = Library(plant.freshness.layers)
        whole = _list(plant, name, new=new)
        wanted = tuple(change(whole))
        layers = library.layers
        found = layers.find("codes", name)
        own_rows = layers.find("codes", name + ROWS)
        laid_over = own_rows is not None or (found is not None and found.layer == "shipped")
        file = name + ROWS if laid_over else name
        path = layers.place_in_site("codes", file)
        shown = f"codes/{file}.csv"
        if not wanted:
            return shown, False
        before = path.read_bytes() if path.is_file() else b""
        if laid_over:
            mine = codes.parse(before, file) if before else None
            wanted = _onto(whole, mine, wanted)
        text = codes_edit.edited(before, file, wanted)
        _would_do(plant, library, name, text, laid_over=laid_over)
        _put(path, before, text)
        return shown, True


def _onto(whole: CodeList, mine: CodeList | None, wanted: Sequence[CodeRow]) -> tuple[CodeRow, ...]:
    """Rows as changes of the site's own file. A row that waits there is filled in; one of the list below comes up."""
    waits = {row.theirs: row.line for row in (mine.waiting if mine else ())}
    filled = tuple(replace(row, line=waits[row.theirs]) for row in wanted if row.theirs in waits)
    rest = [row for row in wanted if row.theirs not in waits]
    # A row that waits in the list below is answered by the one that takes its place.
    answered = {row.theirs for row in rest if row.ours}
    below = replace(whole, rows=tuple(row for row in whole.rows if not (row.waits and row.theirs in answered)))
    return (*filled, *codes_edit.onto(below, mine, rest))


def _put(path: Path, before: bytes, text: str) -> None:
    """Write the file if it still is what it was. A file from Windows keeps its line ends and its mark."""
    windows, mark = b"\r\n" in before, before.startswith(b"\xef\xbb\xbf")
    after = (b"\xef\xbb\xbf" if mark else b"") + (text.replace("\n", "\r\n") if windows else text).encode()

    def change(there: bytes) -> bytes:
        if there != before:
            raise NotPossible(f"somebody else has just changed {path.name}: look at it and try again")
        return after

    rewrite(path, change, start=b"")


def _would_do(plant: Plant, library: Library, name: str, text: str, *, laid_over: bool) -> None:
    """Compile all that uses the list with the text that is to be. Raises SiteFaults, CodeFaults."""
    if laid_over:
        made = codes.lay_over(codes.parse(library.layers.read("codes", name), name), text, name + ROWS)
    else:
        made = codes.parse(text, name)
    library.pretend(made)
    findings: list[Finding] = []
    for council in plant.councils.values():
        for wired in council.wired.values():
            for kind in wired.kinds.values():
                if name in lists_of(kind):
                    try:
                        library.mapping(kind.mapping_name, kind.zone)
                    except SiteFaults as faults:
                        findings += faults.findings
    if findings:
        raise SiteFaults(findings)


def _list(plant: Plant, name: str, *, new: bool = False) -> CodeList:
    layers = plant.freshness.layers
    if layers.find("codes", name) is None or name.endswith(ROWS):
        try:
            layers.place_in_site("codes", name)
        except ValueError as fault:
            raise NotPossible(str(fault)) from None
        if new and not name.endswith(ROWS):
            return codes.parse(codes_edit.EMPTY, name)
        problem = layers.missing("codes", name, ())
        raise NotPossible(f"there is no code list of that name: {problem.remedy}")
    return Library(layers).code_list(name)


@contextmanager
def _alone(plant: Plant) -> Iterator[None]:
    """Be the only one on this machine who changes code lists."""
    until = time.monotonic() + _WAIT_SECONDS
    while True:
        held = only_one(plant.lock_file.with_name("codes.lock"))
        try:
            held.__enter__()
            break
        except AlreadyRunning:
            if time.monotonic() > until:
                raise NotPossible("somebody else is changing code lists: try again in a moment") from None
            time.sleep(0.05)
    try:
        yield
    finally:
        held.__exit__(None, None, None)


def _tell(
    plant: Plant, name: str, *, who: str, why: str, action: str, detail: Mapping[str, object], only: str = ""
) -> None:
    """Write in the audit of each council that the list concerns."""
    concerned = [
        council.code
        for council in plant.councils.values()
        if any(name in lists_of(kind) for wired in council.wired.values() for kind in wired.kinds.values())
    ]
    now = plant.clock.now()
    with plant.ledger.writing(making_room=True) as connection:
        for code in [only] if only else concerned or list(plant.councils)[:1]:
            audit.write(
                connection,
                plant.vault,
                council=code,
                who=who,
                action=action,
                subject=f"codes/{name}",
                why=why,
                now=now,
                detail=dict(detail),
            )


def _today(plant: Plant, zone: str) -> date:
    zones = sorted({council.zone for council in plant.councils.values()})
    return day_of(plant.clock, zone or (zones[0] if len(zones) == 1 else "Europe/London"))


__all__ = ["CodeFaults", "Released", "carry_out_import", "complete", "completed", "known", "map_code", "plan_import",
           "release"]  # fmt: skip
