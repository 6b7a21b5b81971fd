"""Converters of days: whole days in the formats that systems write, and days of which only month or year is known."""

from __future__ import annotations

import re
from datetime import date as Day

from mappings.converters.port import Convert, Converter, Request, WrongType
from mappings.meta import Json, Kind

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_BY_NAME = {name: f"{number:02d}" for number, name in enumerate(_MONTHS, start=1)}

# xsd:date may carry a zone, and some systems write a day as its midnight; neither says more than the day.
_TAIL = r"(?:Z|[+-][0-9]{2}:[0-9]{2}|[T ]00:00(?::00(?:\.0+)?)?Z?)?"
_FORMATS = {
    "YYYY-MM-DD": re.compile(rf"(?P<y>[0-9]{{4}})-(?P<m>[0-9]{{2}})-(?P<d>[0-9]{{2}}){_TAIL}", re.ASCII),
    "YYYYMMDD": re.compile(r"(?P<y>[0-9]{4})(?P<m>[0-9]{2})(?P<d>[0-9]{2})", re.ASCII),
    "DD/MM/YYYY": re.compile(r"(?P<d>[0-9]{1,2})/(?P<m>[0-9]{1,2})/(?P<y>[0-9]{4})(?: 00:00(?::00)?)?", re.ASCII),
    "DD-MM-YYYY": re.compile(r"(?P<d>[0-9]{1,2})-(?P<m>[0-9]{1,2})-(?P<y>[0-9]{4})(?: 00:00(?::00)?)?", re.ASCII),
    "DD.MM.YYYY": re.compile(r"(?P<d>[0-9]{1,2})\.(?P<m>[0-9]{1,2})\.(?P<y>[0-9]{4})", re.ASCII),
    "DD-MMM-YYYY": re.compile(r"(?P<d>[0-9]{1,2})-(?P<m>[A-Za-z]{3})-(?P<y>[0-9]{4})(?: 00:00(?::00)?)?", re.ASCII),
}
_ISO = "YYYY-MM-DD"


def date(request: Request) -> Converter:
    """A whole day. `format`: how they write it, one of the formats above."""
    spelled = request.choice("format", tuple(_FORMATS), _ISO)
    law = "a zone or a midnight beside the day is lost"
    kinds = (Kind.DATE, Kind.PARTIAL_DATE, Kind.WHEN)
    swift = _iso if spelled == _ISO else None
    read, write = _reader(spelled), _writer(spelled)
    return Converter(request.name, read, write, law, kinds, ("string",), swift_read=swift, swift_write=swift)


def _reader(spelled: str) -> Convert:
    match = _FORMATS[spelled].fullmatch
    expected = f"a day that exists, as {spelled}"

    def read(value: Json) -> Json:
        if not isinstance(value, str):
            raise WrongType(expected)
        if spelled == _ISO and len(value) == 10:  # by far the most common, so without the pattern
            found = value
        elif parts := match(value.strip()):
            month = _BY_NAME.get(parts["m"].upper(), parts["m"])
            found = f"{parts['y']}-{month:0>2}-{parts['d']:0>2}"
        else:
            raise WrongType(expected)
        return _existing(found, expected)

    return read


def _iso(value: Json) -> Json:
    """A day that is written as ours are."""
    if type(value) is not str or len(value) != 10 or value[4] != "-" or value[7] != "-":
        return None
    try:
        Day.fromisoformat(value)
    except ValueError:
        return None
    return value


def _writer(spelled: str) -> Convert:
    def write(value: Json) -> Json:
        if not isinstance(value, str) or len(value) != 10:
            raise WrongType("a whole day as YYYY-MM-DD")
        day = _existing(value, "a whole day as YYYY-MM-DD")
        if spelled == _ISO:
            return day
        year, month, number = day.split("-")
        month = _MONTHS[int(month) - 1] if "MMM" in spelled else month
        return re.sub("Y+|M+|D+", lambda part: {"Y": year, "M": month, "D": number}[part[0][0]], spelled)

    return write


def _existing(text: str, expected: str) -> str:
    """The text, if it is a day in ISO's long form that the calendar has."""
    if text[4:5] != "-" or text[7:8] != "-":
        raise WrongType(expected)
    try:
        Day.fromisoformat(text)
    except ValueError:
        raise WrongType(expected) from None
    return text


_PARTIAL = re.compile(r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?", re.ASCII)


def _partial(value: Json) -> Json:
    expected = "a day, month or year that exists, as YYYY-MM-DD, YYYY-MM or YYYY"
    if not isinstance(value, str) or not _PARTIAL.fullmatch(value):
        raise WrongType(expected)
    _existing(value + "-01-01"[len(value) - 4 :], expected)
    return value


def partial_date(request: Request) -> Converter:
    """A day, or only its month or year where no more is known."""
    return Converter(request.name, _partial, _partial, "nothing changes", (Kind.PARTIAL_DATE,), ("string",), exact=True)
