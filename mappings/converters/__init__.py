"""The named converters: pairs of read and write with a stated law, made once per row and then only called.

`make` builds one from its name and options, `make_several` one between one value and several; the tables are below, and
`NAMES` and `SEVERAL_NAMES` list them. `Converter`, `Several` and the errors live in `port`.
To add one: write its factory in the file of its subject, add its line to the table, state its law, and give the
law test its examples.
"""

from __future__ import annotations

from collections.abc import Mapping

from mappings.converters import apart, apart_days, dates, lists, people, plain, times
from mappings.converters.port import (
    BadOption,
    Converter,
    Declared,
    DeclaredSeveral,
    Example,
    Several,
    SeveralRequest,
    TooLong,
    WrongType,
    with_absent,
)
from mappings.converters.port import Request as _Request
from mappings.meta import Json, Kind

__all__ = [
    "BUILT_IN", "NAMES", "SEVERAL", "SEVERAL_NAMES", "BadOption", "Converter", "Several", "SeveralRequest", "TooLong",
    "WrongType", "default_for", "make", "make_several", "options_of",
]  # fmt: skip

_FORMAT = {"format": "how they write the day: YYYY-MM-DD (if not given), YYYYMMDD, DD/MM/YYYY, DD-MM-YYYY, DD.MM.YYYY "
           "or DD-MMM-YYYY"}  # fmt: skip
_SPELLINGS = {
    "yes": "a text or a list: their spellings of true instead, of which the first is written; needs `no`",
    "no": "the same for false; needs `yes`",
    "wire": 'json (if not given) writes true and false, text writes "true" and "false"',
}

BUILT_IN: Mapping[str, Declared] = {
    "text": Declared(plain.text, {}, (Example("Siân ", "Siân "),)),
    "trimmed": Declared(plain.trimmed, {}, (Example(" Siân ", "Siân"),)),
    "date": Declared(
        dates.date,
        _FORMAT,
        (Example("1950-02-03", "1950-02-03"), Example("03/02/1950", "1950-02-03", {"format": "DD/MM/YYYY"})),
    ),
    "partial-date": Declared(dates.partial_date, {}, (Example("1950-02", "1950-02"),)),
    "time": Declared(times.time, {}, (Example("2026-06-01T10:30:00+01:00", "2026-06-01T09:30:00Z"),)),
    "local-time": Declared(
        times.local_time,
        _FORMAT,
        (
            Example("2026-06-01T10:30:00", "2026-06-01T09:30:00Z"),
            Example("01-JUN-2026 10:30:00", "2026-06-01T09:30:00Z", {"format": "DD-MMM-YYYY"}),
        ),
    ),
    "offset-time": Declared(times.offset_time, {}, (Example("2026-06-01T10:30:00+01:00", "2026-06-01T09:30:00Z"),)),
    "when": Declared(times.when, {}, (Example("2026-06-01", "2026-06-01"),)),
    "boolean": Declared(
        plain.boolean, _SPELLINGS, (Example("yes", True), Example("J", True, {"yes": ["J"], "no": ["N"]}))
    ),
    "opposite": Declared(plain.opposite, _SPELLINGS, (Example(True, False),)),
    "integer": Declared(
        plain.integer,
        {"wire": "json (if not given) writes a number, text its digits"},
        (Example("3", 3), Example("3", 3, {"wire": "text"})),
    ),
    "number-as-text": Declared(plain.number_as_text, {}, (Example(4711, "4711"),)),
    "phone": Declared(
        people.phone,
        {
            "country": "two capital letters: whose numbers have no country code; GB if not given",
            "written": "e164 (if not given), or national for numbers of `country`",
        },
        (Example("07700 900123", "+447700900123"), Example("07700900123", "+447700900123", {"written": "national"})),
    ),
    "postcode": Declared(people.postcode, {}, (Example("np44 1aa", "NP44 1AA"),)),
    "nhs-number": Declared(people.nhs_number, {}, (Example("999 000 0018", "9990000018"),)),
    "list": Declared(lists.list_, {}, (Example("Siân", ["Siân"]),)),
    "lines": Declared(lists.lines, {}, (Example("1 Heol Las\nPontnewydd", ["1 Heol Las", "Pontnewydd"]),)),
    "joined": Declared(
        lists.joined,
        {"separator": "what parts the members; a line break if not given"},
        (Example("Siân, Eira", ["Siân", "Eira"], {"separator": ", "}),),
    ),
    "as-is": Declared(plain.as_is, {}, (Example({"Seats": 2}, {"Seats": 2}),)),
}

_NAME = ["person.name.given", "person.name.family"]
_VISIT = "appointments[kind=visit].start"
_ADDRESS = ["person.address.lines", "person.address.town", "person.address.postcode"]
_MOBILE = "person.telecom[system=phone,use=home].value"

SEVERAL: Mapping[str, DeclaredSeveral] = {
    "date-and-time": DeclaredSeveral(
        apart_days.date_and_time,
        {**_FORMAT, "clock": "HH:MM:SS (if not given) or HH:MM: how the time of day is written"},
        {"ours": _VISIT, "theirs": ["VisitDay", "VisitTime"], "whole": "2026-06-01T09:30:00Z",
         "parts": ["2026-06-01", "10:30:00"]},
    ),
    "day-month-year": DeclaredSeveral(
        apart_days.day_month_year,
        {"wire": "text (if not given) writes digits, json numbers"},
        {"ours": "person.date_of_birth", "theirs": ["Day", "Month", "Year"], "whole": "1950-02-03",
         "parts": ["03", "02", "1950"]},
    ),
    "full-name": DeclaredSeveral(
        apart.full_name,
        {"order": "given-family (if not given) or family-comma-given: how the names stand in the one text"},
        {"ours": _NAME, "theirs": "FullName", "whole": "Siân Rees", "parts": [["Siân"], "Rees"]},
    ),
    "given-names": DeclaredSeveral(
        apart.given_names,
        {},
        {"ours": "person.name.given", "theirs": ["Forename", "MiddleNames"], "whole": ["Siân", "Eira"],
         "parts": ["Siân", "Eira"]},
    ),
    "numbered": DeclaredSeveral(
        apart.numbered,
        {},
        {"ours": "person.address.lines", "theirs": ["Address1", "Address2", "Address3"],
         "whole": ["1 Heol Las", "Pontnewydd"], "parts": ["1 Heol Las", "Pontnewydd", None]},
    ),
    "address-text": DeclaredSeveral(
        apart.address_text,
        {"separator": "what parts lines, town and postcode; a line break if not given"},
        {"ours": _ADDRESS, "theirs": "Address", "options": {"separator": ", "},
         "whole": "1 Heol Las, Cwmbrân, NP44 1AA", "parts": [["1 Heol Las"], "Cwmbrân", "NP44 1AA"]},
    ),
    "area-and-number": DeclaredSeveral(
        apart.area_and_number,
        {"country": "two capital letters: whose numbers have area codes; GB if not given"},
        {"ours": _MOBILE, "theirs": ["AreaCode", "Number"], "whole": "+441632960001", "parts": ["01632", "960001"]},
    ),
    "parts": DeclaredSeveral(
        apart.parts,
        {"separator": "what stands between the parts; needed"},
        {"ours": ["reason.code", "reason.text"], "theirs": "Reason", "options": {"separator": "|"},
         "whole": "R1|at home", "parts": ["R1", "at home"]},
    ),
}  # fmt: skip

NAMES: tuple[str, ...] = tuple(BUILT_IN)
SEVERAL_NAMES: tuple[str, ...] = tuple(SEVERAL)

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


def make(
    name: str,
    options: Mapping[str, Json] | None = None,
    *,
    zone: str = "UTC",
    own: Mapping[str, Declared] | None = None,
) -> Converter:
    """The converter of that name; `own` are those that a site adds.

    Options for all: `absent` (list of their values that mean "known to be empty"; the first is written for None).
    Some also have their own, see `options_of` and each factory. `zone`: IANA name of the clock of times without
    offset. Raises LookupError for an unknown name, and BadOption, which says what was expected.
    """
    declared = BUILT_IN.get(name) or (own or {})[name]
    given = dict(options or {})
    absent = given.pop("absent", [])
    _known(given, ("absent", *declared.options))
    return with_absent(declared.factory(_Request(name, given, zone)), absent)


def make_several(request: SeveralRequest) -> Several:
    """The converter between one value and several, as the request names it. Raises LookupError and BadOption."""
    declared = SEVERAL[request.name]
    _known(request.options, tuple(declared.options))
    return declared.factory(request)


def _known(given: Mapping[str, Json], options: tuple[str, ...]) -> None:
    for option in given:
        if option not in options:
            raise BadOption(str(option), f"one of {', '.join(options)}" if options else "no options")


def options_of(name: str) -> tuple[str, ...]:
    """The options that the built-in converter of that name takes."""
    return ("absent", *BUILT_IN[name].options)


def default_for(kind: Kind, many: bool) -> str:
    """The converter of a row that names none, by what our field is."""
    return "list" if many and kind in (Kind.TEXT, Kind.CODE) else _DEFAULTS[kind]
