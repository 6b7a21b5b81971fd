"""Converters between one day or moment of ours and several values of theirs: date and time, or day, month and year."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mappings.converters import dates, times
from mappings.converters.port import Request, Several, SeveralRequest, WrongType
from mappings.meta import Json, Kind

_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}(?:\.[0-9]{1,6})?))?", re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,4}", re.ASCII)


def date_and_time(request: SeveralRequest) -> Several:
    """A moment whose day and time of day stand apart over there: `theirs` names the day first.

    Where our field may be a day alone, a day without a time is read and written as that; else both are needed.
    """
    request.must(request.theirs == 2, "theirs", "a path for the day and one for the time of day")
    kind, many = request.fields[0]
    fits = kind in (Kind.INSTANT, Kind.WHEN) and not many
    request.must(fits, "ours", "a field that is an instant, or a date or instant")
    options = {"format": request.options["format"]} if "format" in request.options else {}
    day = dates.date(Request("date", options, request.zone))
    local = times.local_time(Request("local-time", {}, request.zone))
    to_minutes = request.choice("clock", ("HH:MM:SS", "HH:MM"), "HH:MM:SS") == "HH:MM"
    day_alone = kind is Kind.WHEN

    def spelled(both: Sequence[Json]) -> str | None:
        """Day and time as one local time; None where the time is not there."""
        if both[0] is None:
            raise WrongType("a day beside the time")
        first, clock = str(day.read(both[0])), both[1]
        if clock is None:
            return None
        match = _CLOCK.fullmatch(clock.strip()) if isinstance(clock, str) else None
        if match is None:
            raise WrongType("a time of day, as 09:30 or 09:30:00")
        return f"{first}T{int(match[1]):02d}:{match[2]}:{match[3] or '00'}"

    def together(both: Sequence[Json]) -> Json:
        whole = spelled(both)
        if whole is not None:
            return local.read(whole)
        if not day_alone:
            raise WrongType("a time of day beside the day")
        return day.read(both[0])

    def apart(whole: Json) -> Sequence[Json]:
        if day_alone and isinstance(whole, str) and len(whole) == 10:
            return [day.write(whole), None]
        first, _, clock = str(local.write(whole)).partition("T")
        return [day.write(first), clock[:5] if to_minutes else clock]

    def note(both: Sequence[Json]) -> str | None:
        try:
            whole = spelled(both)
        except WrongType:
            return None
        return local.note(whole) if whole is not None and local.note is not None else None

    loses = "which of two times in the hour that comes twice" + (", and the seconds" if to_minutes else "")
    return Several(request.name, apart, together, f"lost: {loses}, and how the two were spelled", loses, note)


def day_month_year(request: SeveralRequest) -> Several:
    """A day whose day, month and year stand apart over there, in this order; what is not known of it is left empty."""
    request.must(request.theirs == 3, "theirs", "a path for the day, one for the month and one for the year")
    kind, many = request.fields[0]
    request.must(kind in (Kind.DATE, Kind.PARTIAL_DATE) and not many, "ours", "a field that is a day")
    as_text = request.choice("wire", ("text", "json"), "text") == "text"
    whole_day = dates.date(Request("date", {}, request.zone)).read
    partial = dates.partial_date(Request("partial-date", {}, request.zone)).read
    check = whole_day if kind is Kind.DATE else partial

    def number(part: Json) -> str | None:
        if part is None:
            return None
        text = str(part) if type(part) is int else part
        if not isinstance(text, str) or not _DIGITS.fullmatch(text.strip()):
            raise WrongType("day, month and year as numbers")
        return text.strip()

    def together(three: Sequence[Json]) -> Json:
        day, month, year = (number(part) for part in three)
        if year is None or len(year) != 4 or (day is not None and month is None):
            raise WrongType("a year of four digits, and a month where there is a day")
        return check("-".join([year, *(f"{int(part):02d}" for part in (month, day) if part is not None)]))

    def apart(whole: Json) -> Sequence[Json]:
        year, month, day = [*str(check(whole)).split("-"), None, None][:3]
        return [part if part is None or as_text else int(part) for part in (day, month, year)]

    loses = "leading zeros, or that there were none" if as_text else ""
    return Several(request.name, apart, together, f"lost: {loses}" if loses else "nothing changes", loses)
