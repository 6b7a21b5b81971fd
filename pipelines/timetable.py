"""Timetables: which planned run of a connection is due. Pure: files, ledger and clock are somebody else's.

Planned instants do not depend on who asks, nor on when this process began: intervals lie on a fixed grid, cron lines
are read in the council's time, and what jitter adds follows from the name of the run. So several schedulers name the
same run alike, and the ledger lets one of them have it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from croniter import CroniterBadDateError, croniter

from pipelines.clock import SECOND, to_instant, to_time

#: Looking back for a run that is not on a holiday ends here: no run of bank holidays is as long.
_LOOK_BACK = 400
#: More than this no change of the clocks amounts to.
_LARGEST_SHIFT = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Timetable:
    """When one kind of record of one connection is read: `every` so many seconds, or by a cron line.

    `name` seeds the jitter. `closed_on` are dates on which nothing is planned.
    """

    name: str
    zone: str = "UTC"
    every: float | None = None
    cron: str | None = None
    jitter: float = 0.0
    closed_on: frozenset[date] = frozenset()

    def due(self, now: int) -> int | None:
        """The planned instant of the newest run that is due, None if there is none. Older ones were missed for good.

        The instant is the one of the timetable; jitter only delays when it becomes due.
        """
        before = now
        for _ in range(_LOOK_BACK):
            planned = self._newest(before)
            if planned is None:
                return None
            holiday = self._on_holiday(planned)
            if holiday is not None:
                before = holiday - 1
            elif planned + self._delay(planned) <= now:
                return planned
            else:
                before = planned - 1
        return None

    def next(self, now: int) -> int | None:
        """The planned instant of the run that comes next, its jitter left out; None if none ever does."""
        after = now
        for _ in range(_LOOK_BACK):
            if self.every is not None:
                gap = max(int(self.every * SECOND), 1)
                after = after // gap * gap + gap
            elif self.cron:
                zone = ZoneInfo(self.zone)
                try:
                    planned = croniter(self.cron, _wall(after, zone)).get_next(datetime)
                except CroniterBadDateError:
                    return None
                after = max(first_instant(planned, zone), after + 1)
            else:
                return None
            holiday = self._on_holiday(after)
            if holiday is None:
                return after
            after = holiday + 86_400 * SECOND - 1
        return None

    def _newest(self, now: int) -> int | None:
        if self.every is not None:
            gap = max(int(self.every * SECOND), 1)
            return now // gap * gap
        return newest_by_cron(self.cron, ZoneInfo(self.zone), now) if self.cron else None

    def _on_holiday(self, planned: int) -> int | None:
        """When the holiday on which this instant falls begins; None if it falls on none."""
        if not self.closed_on:
            return None
        zone = ZoneInfo(self.zone)
        day = to_instant(planned).astimezone(zone).date()
        return to_time(datetime(day.year, day.month, day.day, tzinfo=zone)) if day in self.closed_on else None

    def _delay(self, planned: int) -> int:
        """What jitter adds to one run: the same for everybody who works it out."""
        most = self.jitter if self.every is None else min(self.jitter, self.every)  # a run never passes the next one
        if most <= 0:
            return 0
        drawn = hashlib.sha256(f"{self.name} {planned}".encode()).digest()
        return int(int.from_bytes(drawn[:8], "big") / 2**64 * most * SECOND)


def newest_by_cron(line: str, zone: ZoneInfo, now: int) -> int | None:
    """The newest instant at or before `now` that a cron line of five fields names, in the time of a zone.

    On the nights on which clocks change a line with a fixed hour runs once for each planned time: a time that occurs
    twice is meant the first time, and one that does not occur is made up for as the clocks go forward. A line that
    repeats (its minute or hour begins with `*`) goes on evenly through both.
    """
    repeats = line.split()[0].startswith("*") or line.split()[1].startswith("*")
    try:
        return _repeating(line, zone, now) if repeats else _fixed(line, zone, now)
    except CroniterBadDateError:  # a line such as 30 February: well formed, and never
        return None


def _fixed(line: str, zone: ZoneInfo, now: int) -> int | None:
    # Local times are met from later to earlier, and so are the instants that they mean.
    local = _wall(now, zone) + _LARGEST_SHIFT
    steps = croniter(line, local + timedelta(minutes=1))
    for _ in range(_LOOK_BACK):
        planned = steps.get_prev(datetime)
        at = first_instant(planned, zone)
        if at <= now:
            return at
    return None


def _repeating(line: str, zone: ZoneInfo, now: int) -> int | None:
    found = _under_one_offset(line, zone, now)
    while (changed := _changed_between(zone, found, now)) is not None:
        now = changed - 1
        found = _under_one_offset(line, zone, now)
    return found


def _under_one_offset(line: str, zone: ZoneInfo, now: int) -> int:
    """The newest instant of a line if clocks had always been set as they are at `now`."""
    wall = _wall(now, zone)
    planned = croniter(line, wall.replace(microsecond=0) + timedelta(seconds=1)).get_prev(datetime)
    return now - int((wall - planned) / timedelta(microseconds=1))


def _changed_between(zone: ZoneInfo, begin: int, end: int) -> int | None:
    """When clocks last changed between two instants; None if both are under one offset."""
    if _offset(begin, zone) == _offset(end, zone):
        return None
    low, high, after = begin, end, _offset(end, zone)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _offset(middle, zone) == after else (middle, high)
    return high


def first_instant(local: datetime, zone: ZoneInfo) -> int:
    """The first instant at which clocks in a zone show this time, or pass it by being put forward."""
    early, late = (to_time(local.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
    if early <= late:
        return early  # shown once, or twice: the first time
    return _changed_between(zone, late, early) or early


def _wall(at: int, zone: ZoneInfo) -> datetime:
    return to_instant(at).astimezone(zone).replace(tzinfo=None)


def _offset(at: int, zone: ZoneInfo) -> timedelta:
    return to_instant(at).astimezone(zone).utcoffset() or timedelta(0)


def polls_apart(every: float | None, polls_a_day: int | None, feeds: int) -> float | None:
    """The interval that keeps so many feeds of a connection within the supplier's limit of polls a day."""
    if every is None or polls_a_day is None:
        return every
    return max(every, 86_400.0 * max(feeds, 1) / polls_a_day)


def day_begins(now: int, zone: str) -> int:
    """When the day that it is in a zone began."""
    there = ZoneInfo(zone)
    day = to_instant(now).astimezone(there)
    return to_time(datetime(day.year, day.month, day.day, tzinfo=there))
