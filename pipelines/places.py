"""Places: where the walk through a source stands, and who walks.

One run at a time holds a walk, under a fence that grows with every holder. Each page moves the place in the transaction
that writes the page, and only for the holder of the newest fence: a scheduler that was asleep cannot write an old page
behind one that took over. The row is also the lock under which the runs of a walk are given out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, select, update

from connectors.port import Page
from pipelines.ledger import insert_new
from pipelines.tables import walk

LIVE = "live"
BACK_FILL = "back-fill"


class Key(NamedTuple):
    """Names a walk: live and back-fill of one feed are two walks, each with its own place."""

    council: str
    connection: str
    kind: str
    purpose: str


class WalkLost(RuntimeError):
    """Somebody else has taken this walk over. Nothing of the page in hand was written; let go."""


@dataclass(slots=True)
class Place:
    """A walk that is held, and where it stands."""

    key: Key
    owner: str
    fence: int
    cursor: str
    watermark: str


def lock(connection: Connection, key: Key) -> str | None:
    """Lock the walk's row, made if need be; return who holds the walk, None if nobody does."""
    insert_new(connection, walk, [{**key._asdict(), "cursor": "", "watermark": "", "pages": 0, "words": ""}])
    found = connection.execute(select(walk.c.owner).filter_by(**key._asdict()).with_for_update()).scalar_one()
    return None if found is None else str(found)


def take(connection: Connection, key: Key, owner: str, *, now: int, since: str | None = None) -> Place:
    """Take a walk that `lock` has locked and that nobody holds any more. `since` begins it anew at that watermark."""
    held = connection.execute(select(walk).filter_by(**key._asdict())).one()
    values: dict[str, object] = {"owner": owner, "fence": held.fence + 1}
    if since is not None:
        values |= {"cursor": "", "watermark": since, "completed": None, "began": now, "pages": 0}
    elif not held.cursor:
        values |= {"began": now}
    connection.execute(update(walk).filter_by(**key._asdict()).values(**values))
    begun = connection.execute(select(walk.c.cursor, walk.c.watermark).filter_by(**key._asdict())).one()
    return Place(key, owner, held.fence + 1, begun.cursor, begun.watermark)


def check(connection: Connection, place: Place) -> None:
    """Make sure, until the transaction ends, that the walk is still held. Raises WalkLost."""
    _update(connection, place, {"owner": place.owner})


def mover(place: Place, page: Page, now: int, *, also: Callable[[Connection], None]) -> Callable[[Connection], None]:
    """What moves the place behind a page, within the transaction that writes the page. Raises WalkLost there."""
    values: dict[str, object] = {"cursor": page.cursor, "pages": walk.c.pages + 1}
    if not page.cursor:
        values |= {"watermark": page.watermark, "completed": now}

    def move(connection: Connection) -> None:
        _update(connection, place, values)
        also(connection)

    return move


def begin_again(connection: Connection, place: Place) -> None:
    """Go back to the walk's first page: its source knows the kept place no more. Raises WalkLost."""
    _update(connection, place, {"cursor": ""})
    place.cursor = ""


def say(connection: Connection, place: Place, words: str) -> None:
    """Write down why a walk stands still, "" when it goes on. Raises WalkLost."""
    _update(connection, place, {"words": words})


def tell(connection: Connection, place: Place, words: str) -> bool:
    """Write down what a walk has to tell; False if its row says just that already. Raises WalkLost."""
    held = connection.execute(select(walk.c.words).filter_by(**place.key._asdict())).scalar_one()
    _update(connection, place, {"words": words})
    return bool(held != words)


def give_back(connection: Connection, place: Place, words: str) -> bool:
    """Let go of a walk; return False where it was somebody else's already, which stays so."""
    try:
        _update(connection, place, {"owner": None, "words": words})
    except WalkLost:
        return False
    return True


def others_live(connection: Connection, place: Place, busy: Callable[[str], bool]) -> bool:
    """Whether a live walk of the same connection is under way."""
    owners = connection.execute(
        select(walk.c.owner).where(
            walk.c.council == place.key.council,
            walk.c.connection == place.key.connection,
            walk.c.purpose == LIVE,
            walk.c.owner.is_not(None),
            walk.c.owner != place.owner,
        )
    ).scalars()
    return any(busy(str(owner)) for owner in owners)


def _update(connection: Connection, place: Place, values: dict[str, object]) -> None:
    moved = connection.execute(
        update(walk)
        .filter_by(**place.key._asdict())
        .where(walk.c.owner == place.owner, walk.c.fence == place.fence)
        .values(**values)
    )
    if not moved.rowcount:
        raise WalkLost(f"{place.key.connection} is read by another process now")
