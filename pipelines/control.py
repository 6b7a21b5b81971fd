"""Control: what an officer asks of a running site - read this source now, leave that connection alone, take it up
again.

Everything here writes rows. The process that runs the site notices them; where none does, a sync is done here and
now, so that two never read one source at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, select

from pipelines import audit, desk, pauses, processes, slots
from pipelines.ids import new_id
from pipelines.lock import AlreadyRunning, only_one
from pipelines.looking import NotPossible
from pipelines.places import BACK_FILL, LIVE, Key
from pipelines.plant import Kind, Plant, Wired
from pipelines.processes import SCHEDULE, SYNC, Presence
from pipelines.rights import Right
from pipelines.runs import Run, Runs
from pipelines.states import DeliveryState
from pipelines.tables import delivery, slot

LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Synced:
    """What one sync of one kind of record brought."""

    council: str
    connection: str
    kind: str
    news: int | None  # versions that were new; None where the running site did not say
    complete: bool
    words: str  # why it stopped early


def connections(plant: Plant, words: str = "", council: str = "") -> list[Wired]:
    """The connections that `torfaen/contact`, `contact` or "" (all) names. Raises NotPossible if none does."""
    code, mark, name = words.rpartition("/")
    wanted = code if mark else council
    if wanted and wanted not in plant.councils:
        raise NotPossible(f"the site has no council of that name; it has {', '.join(sorted(plant.councils)) or 'none'}")
    among = [w for c in plant.councils.values() if wanted in ("", c.code) for w in c.wired.values()]
    found = [wired for wired in among if name in ("", wired.name)]
    if not found:
        raise NotPossible(
            f"no connection has that name; there are {', '.join(sorted({w.name for w in among})) or 'none'}"
        )
    return found


def one_connection(plant: Plant, words: str, council: str = "") -> Wired:
    """The one connection that is named. Raises NotPossible if none or several are."""
    found = connections(plant, words, council)
    if len(found) > 1:
        names = ", ".join(f"{wired.council}/{wired.name}" for wired in found)
        raise NotPossible(f"{len(found)} connections have that name; write which: {names}")
    return found[0]


def pause(plant: Plant, wired: Wired, *, who: str, why: str) -> None:
    """Leave a connection alone until somebody resumes it. The reason goes to the audit, encrypted."""
    plant.sight.need(Right.CONTROL, wired.council)
    now = plant.clock.now()
    with plant.ledger.writing() as connection:
        pauses.set_pause(
            connection, wired.council, wired.name, why=pauses.BY_PERSON, words="", who=who, now=now, until=None
        )
        audit.write(
            connection,
            plant.vault,
            council=wired.council,
            who=who,
            action="pause",
            subject=wired.name,
            why=why,
            now=now,
        )


def resume(plant: Plant, wired: Wired, *, who: str) -> bool:
    """End a pause, whoever began it. Returns whether there was one."""
    plant.sight.need(Right.CONTROL, wired.council)
    now = plant.clock.now()
    with plant.ledger.writing() as connection:
        if not pauses.end(connection, wired.council, wired.name, by_person=True):
            return False
        audit.write(
            connection,
            plant.vault,
            council=wired.council,
            who=who,
            action="resume",
            subject=wired.name,
            why="",
            now=now,
        )
    return True


def sync(
    plant: Plant,
    chosen: Sequence[Wired],
    *,
    since: str = "",
    progress: Callable[[str, int], None] = lambda _w, _n: None,
) -> Iterator[Synced]:
    """Read sources now: by the process that runs the site, or here if none does.

    `since` (an instant, ISO 8601 in UTC) makes it a back-fill. `progress(what, records)` is called as it goes. What is
    asked for is a row: if this process or the one that reads is killed, the next one goes on from the same page.
    """
    for wired in chosen:
        plant.sight.need(Right.CONTROL, wired.council)
    purpose = BACK_FILL if since else LIVE
    feeds = [(wired, kind) for wired in chosen for kind in _fed(wired)]
    if not feeds:
        raise NotPossible("none of these connections is one that changes are read from; `dolen status` lists them")
    plant = plant.whole  # whoever reads takes over what a dead process left, of every council
    with plant.ledger.writing() as connection:
        now = plant.clock.now()
        waiting = [_Asked(wired, kind, purpose, _ask(connection, wired, kind, purpose, now, since))
                   for wired, kind in feeds]  # fmt: skip
    while waiting:
        with _standing_in(plant) as runs:
            while waiting:
                done = _here(plant, runs, waiting[0], progress) if runs else _elsewhere(plant, waiting[0], progress)
                if done is None:
                    break  # whoever had the site is gone, or somebody has it now
                waiting.pop(0)
                yield done


def ask(plant: Plant, chosen: Sequence[Wired], *, who: str, why: str) -> int:
    """Ask the process that runs the site to read sources now, and do not wait; returns how many kinds of record are
    read. Raises NotPossible where nobody runs it, or where nothing is read from any of them."""
    for wired in chosen:
        plant.sight.need(Right.CONTROL, wired.council)
    feeds = [(wired, kind) for wired in chosen for kind in _fed(wired)]
    if not feeds:
        raise NotPossible("none of these connections is one that changes are read from; `dolen status` lists them")
    if not processes.is_running(plant, SCHEDULE):
        raise NotPossible("nothing runs the site: start `dolen run`, or type `dolen sync`")
    now = plant.clock.now()
    with plant.ledger.writing() as connection:
        for wired, kind in feeds:
            _ask(connection, wired, kind, LIVE, now, "")
        for wired in {wired.name: wired for wired, _ in feeds}.values():
            audit.write(
                connection, plant.vault, council=wired.council, who=who, action="read now", subject=wired.name, why=why,
                now=now,
            )  # fmt: skip
    plant.nudge.set()
    return len(feeds)


def _fed(wired: Wired) -> list[Kind]:
    if not wired.polls:
        return []
    offers = wired.settings.get("offers") or {}
    return [
        kind
        for kind in wired.kinds.values()
        if "changes" in (offers[kind.name] if kind.name in offers else wired.connector.offers(kind.name))
    ]


@dataclass(frozen=True, slots=True)
class _Asked:
    """One reading that was asked for; its instant is its name."""

    wired: Wired
    kind: Kind
    purpose: str
    at: int

    @property
    def where(self) -> str:
        return f"{self.wired.council}/{self.wired.name}"


def _ask(connection: Connection, wired: Wired, kind: Kind, purpose: str, now: int, since: str) -> int:
    """Write the row that a running site notices."""
    return slots.ask(connection, Key(wired.council, wired.name, kind.name, purpose), at=now, since=since)


@contextmanager
def _standing_in(plant: Plant) -> Iterator[Runs | None]:
    """Make runs in this process, if nobody else keeps the site's timetable; None if somebody does."""
    if plant.ledger.embedded:
        try:
            with only_one(plant.lock_file), _present(plant) as runs:
                yield runs
                return
        except AlreadyRunning:
            pass
    elif not processes.is_running(plant, SCHEDULE):
        with _present(plant) as runs:
            yield runs
            return
    yield None


@contextmanager
def _present(plant: Plant) -> Iterator[Runs]:
    presence, over = Presence(plant, new_id(), [SYNC]), threading.Event()
    presence.register()
    if plant.ledger.embedded:
        processes.all_others_are_gone(plant, presence.boot)
    beat = threading.Thread(target=presence.run, args=(over,), name="beat", daemon=True)
    beat.start()
    try:
        yield Runs(plant, presence.boot)
    finally:
        over.set()
        beat.join()
        presence.leave()


def _here(plant: Plant, runs: Runs, asked: _Asked, progress: Callable[[str, int], None]) -> Synced | None:
    claimed = runs.claim(asked.wired, asked.kind, asked.purpose, asked.at, asked=True)
    if isinstance(claimed, Run):
        runs.make(asked.wired, asked.kind, claimed, lambda walked: progress(asked.where, walked.records))
    done = _done(plant, asked)
    if done is None:
        plant.clock.wait(threading.Event(), LOOK_SECONDS)
    return done


def _elsewhere(plant: Plant, asked: _Asked, progress: Callable[[str, int], None]) -> Synced | None:
    """Wait for the process that runs the site; None when there is none any more."""
    never, told, looked = threading.Event(), -1, 0.0
    while True:
        done = _done(plant, asked)
        if done is not None:
            return done
        with plant.ledger.reading() as connection:
            read = connection.execute(select(slot.c.read).filter_by(**_key(asked)._asdict(), at=asked.at)).scalar()
        if read is not None and read != told:
            told = int(read)
            progress(asked.where, told)
        if looked >= 2:
            looked = 0.0
            if not processes.is_running(plant, SCHEDULE):
                return None
        looked += LOOK_SECONDS
        plant.clock.wait(never, LOOK_SECONDS)


def _key(asked: _Asked) -> Key:
    return Key(asked.wired.council, asked.wired.name, asked.kind.name, asked.purpose)


def _done(plant: Plant, asked: _Asked) -> Synced | None:
    wired, kind = asked.wired, asked.kind
    with plant.ledger.reading() as connection:
        row = connection.execute(select(slot).filter_by(**_key(asked)._asdict(), at=asked.at)).first()
    if row is None:  # done, and a later run has tidied it away
        return Synced(wired.council, wired.name, kind.name, None, True, "")
    if row.done is None:
        return None
    return Synced(wired.council, wired.name, kind.name, row.records, not row.words, row.words)


def to_replay(plant: Plant, ids: Sequence[str], *, fingerprint: str, route: str, council: str = "") -> list[str]:
    """The ids of what would be sent again: those named, all of a cause, or all of a route that need attention.

    Raises NotPossible if nothing fits.
    """
    if ids:
        return list(dict.fromkeys(id.strip().lower() for id in ids))
    if fingerprint:
        groups = desk.attention(plant, [council] if council else ())
        group = next((one for one in groups if one.fingerprint == fingerprint), None)
        if group is None:
            raise NotPossible("nothing needs attention because of that cause; see `dolen attention`")
        return [f"v{number}" for number in group.versions] + [f"d{number}" for number in group.deliveries]
    codes = [council] if council else list(plant.councils)
    if not any(one.route(route) for code, one in plant.councils.items() if code in codes):
        names = sorted({known.name for code in codes for known in plant.councils[code].routes})
        raise NotPossible(f"no route has that name; there are {', '.join(names) or 'none'}")
    with plant.ledger.reading() as connection:
        where = (
            delivery.c.route == route, delivery.c.state == DeliveryState.ATTENTION, delivery.c.council.in_(codes),
            plant.sight.of(delivery.c.referral_id),
        )  # fmt: skip
        found = connection.execute(select(delivery.c.id).where(*where).order_by(delivery.c.id)).scalars().all()
    if not found:
        raise NotPossible("nothing of that route needs attention")
    return [f"d{number}" for number in found]
