"""Local times without offset, as the case system keeps and shows them, and the UTC stamps it sorts by.

In the hour that happens twice, a local time that a caller sends is taken as the earlier one: reading from a little
too early costs a page, reading from too late would miss records.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/London")


def stamp(moment: datetime) -> str:
    """Return the sortable UTC stamp of an aware time, to the whole second: all records changed in a second share it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def shown(stamp: str) -> str:
    """Return the local time without offset for a UTC stamp."""
    return datetime.fromisoformat(stamp).astimezone(ZONE).strftime("%Y-%m-%dT%H:%M:%S")


def since(local: str) -> str:
    """Return the UTC stamp for a local time without offset. Raises ValueError for what is no time at all."""
    moment = datetime.fromisoformat(local)
    utc = moment.replace(tzinfo=ZONE, fold=0).astimezone(UTC)
    return utc.isoformat(timespec="seconds").replace("+00:00", "Z")
