"""Control: what an officer asks of a running site - read this source now, leave that connection alone, take it up
again.

Everything here writes rows. A `dolen run` in another process notices them; where none runs, a sync is done here and
now, under the same lock, so that two never read one source at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select

from pipelines import audit, desk, pauses
from pipelines.looking import NotPossible
from pipelines.plant import Kind, Plant, Wired
from pipelines.running import AlreadyRunning, is_running, only_one
from pipelines.states import DeliveryState
from pipelines.tables import delivery, slot
from pipelines.walks import Walked, Walker

LIVE = "live"
BACK_FILL = "back-fill"
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
    """Read sources now: by the `dolen run` that has the site, or here if none has.

    `since` (an instant, ISO 8601 in UTC) makes it a back-fill. `progress(what, records)` is called as it goes.
    """
    purpose = BACK_FILL if since else LIVE
    feeds = [(wired, kind) for wired in chosen for kind in _fed(wired)]
    if not feeds:
        raise NotPossible("none of these connections is one that changes are read from; `dolen status` lists them")
    try:
        with only_one(plant.lock_file):
            for wired, kind in feeds:
                yield _walk(plant, wired, kind, purpose, since, progress)
            return
    except AlreadyRunning:
        asked = [(wired, kind, _ask(plant, wired, kind, purpose, since)) for wired, kind in feeds]
    for wired, kind, at in asked:
        progress(f"{wired.council}/{wired.name}", 0)
        yield _wait(plant, wired, kind, purpose, at)


def _fed(wired: Wired) -> list[Kind]:
    if not wired.polls:
        return []
    offers = wired.settings.get("offers") or {}
    return [
        kind
        for kind in wired.kinds.values()
        if "changes" in (offers[kind.name] if kind.name in offers else wired.connector.offers(kind.name))
    ]


def _walk(
    plant: Plant, wired: Wired, kind: Kind, purpose: str, since: str, progress: Callable[[str, int], None]
) -> Synced:
    def told(walked: Walked) -> None:
        progress(f"{wired.council}/{wired.name}", walked.records)

    walker = Walker(plant, plant.councils[wired.council])
    walked = walker.walk(wired, kind, purpose=purpose, since=since or None, progress=told)
    return Synced(wired.council, wired.name, kind.name, walked.taken.news, walked.complete, walked.words)


def _ask(plant: Plant, wired: Wired, kind: Kind, purpose: str, since: str) -> int:
    """Write the row that a running site notices; its instant is its name."""
    at = plant.clock.now()
    with plant.ledger.writing() as connection:
        connection.execute(
            insert(slot).values(
                council=wired.council, connection=wired.name, kind=kind.name, purpose=purpose, at=at, since=since
            )
        )
    return at


def _wait(plant: Plant, wired: Wired, kind: Kind, purpose: str, at: int) -> Synced:
    never = threading.Event()
    looked = 0.0
    while True:
        with plant.ledger.reading() as connection:
            row = connection.execute(
                select(slot).filter_by(
                    council=wired.council, connection=wired.name, kind=kind.name, purpose=purpose, at=at
                )
            ).first()
        if row is None:  # done, and the next run has tidied it away
            return Synced(wired.council, wired.name, kind.name, None, True, "")
        if row.done is not None:
            return Synced(wired.council, wired.name, kind.name, row.records, not row.words, row.words)
        if looked >= 2 and not is_running(plant):
            raise NotPossible("the `dolen run` that had this site ended before it was done; run the same command again")
        looked = 0.0 if looked >= 2 else looked + LOOK_SECONDS
        plant.clock.wait(never, LOOK_SECONDS)


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
        )  # fmt: skip
        found = connection.execute(select(delivery.c.id).where(*where).order_by(delivery.c.id)).scalars().all()
    if not found:
        raise NotPossible("nothing of that route needs attention")
    return [f"d{number}" for number in found]
