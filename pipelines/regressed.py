"""Regressed: a system shows a record as it was before, because it was restored from a backup. Rule R14.

One old version in an old page is no news: pages are slow, and our own write may be newer. But a version number that
falls under a later stamp, or an old version that the system still shows when it is read again, says that the system
itself went back. Nothing of it is taken in by itself: what it lost would be lost everywhere. A person is told once for
the connection, and sends the newest again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from pipelines.causes import Cause
from pipelines.clock import SECOND
from pipelines.tables import cause
from pipelines.versions import is_older

if TYPE_CHECKING:
    from connectors.port import Item
    from pipelines.rows import Held

ERROR = "regressed"
#: So long apart an old version must be shown twice before the record is read anew to make sure.
PERSISTS = 60 * SECOND
#: So many tries, and so many seconds between them, a target may be slow to show what it took in.
TRIES, WAIT_SECONDS = 3, 5.0
#: Records that are read anew for one page at the most; the others have their turn when they are shown again.
READ_AGAIN = 20


def why(connection: str) -> Cause:
    """The one cause for all that a connection shows as it was before."""
    words = (
        f"{connection} shows records as they were before: it was restored from a backup, or put back. Nothing of it "
        "was taken in; sending again writes the newest there, and keeps what was typed there since"
    )
    return Cause(connection, "feed", ERROR, words)


def cause_id(connection: Connection, council: str, name: str) -> int | None:
    """The id of that cause, None while a connection has never gone back."""
    fingerprint = why(name).fingerprint(council)
    found: int | None = connection.execute(select(cause.c.id).where(cause.c.fingerprint == fingerprint)).scalar()
    return found


def shows_old(held: Held, current: Item) -> bool:
    """Say whether a record that was read just now is older than what we know of it."""
    modified = None if current.modified is None else round(current.modified.timestamp() * SECOND)
    return not held.rewrite and is_older(held, modified, current.version)
