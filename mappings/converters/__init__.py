"""The named converters: pairs of read and write with a stated law, made once per row and then only called.

`make` builds one from its name and options; `NAMES` lists them; `Converter` and the errors live in `port`.
To add one: write its factory in the file of its subject, add its line to `_FACTORIES`, state its law, and give the
law test its examples.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mappings.converters import dates, lists, people, plain, times
from mappings.converters.port import BadOption, Converter, Factory, Request, TooLong, WrongType, with_absent
from mappings.meta import Json, Kind

__all__ = ["NAMES", "BadOption", "Converter", "TooLong", "WrongType", "default_for", "make", "options_of"]


class _Entry(NamedTuple):
    factory: Factory
    options: tuple[str, ...] = ()


_FACTORIES: dict[str, _Entry] = {
    "text": _Entry(plain.text),
    "trimmed": _Entry(plain.trimmed),
    "date": _Entry(dates.date, ("format",)),
    "partial-date": _Entry(dates.partial_date),
    "time": _Entry(times.time),
    "local-time": _Entry(times.local_time),
    "offset-time": _Entry(times.offset_time),
    "when": _Entry(times.when),
    "boolean": _Entry(plain.boolean, ("yes", "no", "wire")),
    "opposite": _Entry(plain.opposite, ("yes", "no", "wire")),
    "integer": _Entry(plain.integer, ("wire",)),
    "number-as-text": _Entry(plain.number_as_text),
    "phone": _Entry(people.phone, ("country", "written")),
    "postcode": _Entry(people.postcode),
    "nhs-number": _Entry(people.nhs_number),
    "list": _Entry(lists.list_),
    "lines": _Entry(lists.lines),
    "joined": _Entry(lists.joined, ("separator",)),
    "as-is": _Entry(plain.as_is),
}

NAMES: tuple[str, ...] = tuple(_FACTORIES)

_DEFAULTS = {
    Kind.TEXT: "text",
    Kind.CODE: "text",
    Kind.BOOLEAN: "boolean",
    Kind.INTEGER: "integer",
    Kind.DATE: "date",
    Kind.PARTIAL_DATE: "partial-date",
    Kind.INSTANT: "time",
    Kind.WHEN: "when",
    Kind.OBJECT: "as-is",
    Kind.ANY: "as-is",
}


def make(name: str, options: Mapping[str, Json] | None = None, *, zone: str = "UTC") -> Converter:
    """The converter of that name.

    Options for all: `absent` (list of their values that mean "known to be empty"; the first is written for None).
    Some also have their own, see `options_of` and each factory. `zone`: IANA name of the clock of times without
    offset. Raises LookupError for an unknown name, and BadOption, which says what was expected.
    """
    entry = _FACTORIES[name]
    given = dict(options or {})
    absent = given.pop("absent", [])
    for option in given:
        if option not in entry.options:
            raise BadOption(str(option), f"one of {', '.join(options_of(name))}")
    return with_absent(entry.factory(Request(name, given, zone)), absent)


def options_of(name: str) -> tuple[str, ...]:
    """The options that the converter of that name takes."""
    return ("absent", *_FACTORIES[name].options)


def default_for(kind: Kind, many: bool) -> str:
    """The converter of a row that names none, by what our field is."""
    return "list" if many and kind in (Kind.TEXT, Kind.CODE) else _DEFAULTS[kind]
