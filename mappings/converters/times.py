"""Converters of instants. Ours is always UTC with a Z; theirs is UTC, local time without offset, or with offset.

When clocks go back an hour comes twice, and when they go forward an hour is missing: a local time in either is read
as if the change had not happened yet, and `note` marks it, so that nobody takes the choice for knowledge.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mappings.converters.dates import date
from mappings.converters.port import BadOption, Convert, Converter, Request, WrongType
from mappings.meta import Json, Kind
from mappings.remarks import RemarkCode

_INSTANT = "an instant in UTC, as 2026-03-01T09:30:00Z"
_TIME = "a date and time, as 2026-03-01T09:30:00"
# Hour 24 is another day's hour 0, and Pythons differ over it.
_read = datetime.fromisoformat
_OURS = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(?:Z|\+00:00)", re.ASCII)


def time(request: Request) -> Converter:
    """An instant; a time without offset is in the zone. Written in UTC with a Z."""
    return _made(request, _as_it_is, "the offset it came with is lost")


def local_time(request: Request) -> Converter:
    """An instant, written as local time of the zone without offset. `format`: how the day in it is written, with the
    time of day behind a space; left out, it is ISO's."""
    zone = _zone(request.zone)

    def spelled(at: datetime, _: str) -> str:
        return at.astimezone(zone).replace(tzinfo=None).isoformat()

    made = _made(request, spelled, "in the hour that comes twice, which of the two it was is lost")
    return made if "format" not in request.options else _of_format(made, date(request))


def _of_format(iso: Converter, day: Converter) -> Converter:
    """A local time whose day is written another way, such as 01-MAY-2023 13:00:00."""

    def unfolded(value: Json) -> str:
        head, space, clock = value.strip().partition(" ") if isinstance(value, str) else ("", "", "")
        if not space:
            raise WrongType("a day in the row's format, a space and a time of day")
        return f"{day.read(head)}T{clock.strip()}"

    def read(value: Json) -> Json:
        return iso.read(unfolded(value))

    def write(value: Json) -> Json:
        head, _, clock = str(iso.write(value)).partition("T")
        return f"{day.write(head)} {clock}"

    def note(value: Json) -> str | None:
        try:
            return iso.note(unfolded(value)) if iso.note is not None else None
        except WrongType:
            return None

    return replace(iso, read=read, write=write, note=note, swift_read=None, swift_write=None)


def offset_time(request: Request) -> Converter:
    """An instant, written as local time of the zone with its offset."""
    zone = _zone(request.zone)

    def spelled(at: datetime, _: str) -> str:
        local = at.astimezone(zone)
        offset = local.utcoffset() or timedelta()
        # Before standard time zones had offsets in seconds, which no interface can read.
        return (at if offset.seconds % 60 else local).isoformat()

    return _made(request, spelled, "the offset it came with is lost")


def _as_it_is(_: datetime, value: str) -> str:
    return value


def _made(request: Request, spelled: Callable[[datetime, str], str], law: str) -> Converter:
    zone = _zone(request.zone)

    def write(value: Json) -> Json:
        if not isinstance(value, str) or value[-1:] != "Z":
            raise WrongType(_INSTANT)
        try:
            return spelled(_parsed(value, _INSTANT), value)
        except OverflowError:
            raise WrongType(_INSTANT) from None

    kinds = (Kind.INSTANT, Kind.WHEN)
    return Converter(
        request.name,
        _reader(zone),
        write,
        law,
        kinds,
        ("string",),
        note=_noter(zone),
        swift_read=_ours,
        swift_write=_existing if spelled is _as_it_is else None,
    )


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadOption("zone", "the name of a time zone, like Europe/London") from None


def _parsed(value: str, expected: str) -> datetime:
    """The text, in ISO's long form, as date and time. Never a day alone: midnight would be a guess."""
    if len(value) < 16 or value[10] not in "T " or value[7] != "-" or value[13] != ":":
        raise WrongType(expected)
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise WrongType(expected) from None


def _reader(zone: ZoneInfo) -> Convert:
    def read(value: Json) -> Json:
        if not isinstance(value, str):
            raise WrongType(_TIME)
        at = _parsed(value.strip(), _TIME)
        try:
            utc = (at if at.tzinfo is not None else at.replace(tzinfo=zone)).astimezone(UTC)
        except OverflowError:  # the first and last day of the calendar, in a zone beside UTC
            raise WrongType(_TIME) from None
        return utc.replace(tzinfo=None).isoformat() + "Z"

    return read


def _ours(value: Json) -> Json:
    """An instant that is written as ours are, or with UTC's offset in numbers."""
    # The whole of nearly every one, sign by sign: it costs half of asking the pattern, and a record has many.
    if type(value) is not str or not (
        (len(value) == 20 and value[19] == "Z" and value[10] == "T" and value[4] == value[7] == "-"
         and value[13] == value[16] == ":" and value[11:13] < "24")
        or _OURS.fullmatch(value)
    ):  # fmt: skip
        return None
    try:
        _read(value)
    except ValueError:
        return None
    return value if value[-1] == "Z" else value[:-6] + "Z"


def _existing(value: Json) -> Json:
    """An instant that is written as it is."""
    if type(value) is not str or value[-1:] != "Z":
        return None
    try:
        _parsed(value, _INSTANT)
    except WrongType:
        return None
    return value


def _noter(zone: ZoneInfo) -> Callable[[Json], str | None]:
    def note(value: Json) -> str | None:
        if not isinstance(value, str) or value[-1:] == "Z":  # whatever ends so has an offset, or is no time
            return None
        try:
            at = _parsed(value.strip(), _TIME)
        except WrongType:
            return None
        if at.tzinfo is not None:
            return None
        return _mark(zone, at)

    return note


@lru_cache(maxsize=64)
def _changes(zone: ZoneInfo, year: int, month: int) -> bool:
    """Whether the zone's offset changes in or beside that month, so that most times need no closer look."""
    first = datetime(year, month, 1, tzinfo=UTC)
    hours = range(-36, 33 * 24, 6)
    try:
        return len({(first + timedelta(hours=hour)).astimezone(zone).utcoffset() for hour in hours}) > 1
    except OverflowError:
        return True


def _mark(zone: ZoneInfo, at: datetime) -> str | None:
    if not _changes(zone, at.year, at.month):
        return None
    before = at.replace(tzinfo=zone, fold=0).utcoffset()
    after = at.replace(tzinfo=zone, fold=1).utcoffset()
    if before is None or after is None or before == after:
        return None
    return RemarkCode.AMBIGUOUS_TIME.value if before > after else RemarkCode.NO_SUCH_TIME.value


def when(request: Request) -> Converter:
    """A day where only the day is known, else an instant as `time` has it."""
    day, instant = date(request), time(request)

    def read(value: Json) -> Json:
        return day.read(value) if isinstance(value, str) and len(value.strip()) <= 10 else instant.read(value)

    def write(value: Json) -> Json:
        return day.write(value) if isinstance(value, str) and len(value) == 10 else instant.write(value)

    law = "the offset it came with is lost"
    return Converter(request.name, read, write, law, (Kind.WHEN,), ("string",), note=instant.note)
