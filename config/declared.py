"""How a setting is declared: once, with description and example, and closed against what it does not know.

The types that several files share are here: durations, names, clock times, words in two languages. Each says in its
own error what to write instead, and none shows the value that it refused.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from config.findings import kind_of
from config.references import REFERENCE


class Declared(BaseModel):
    """A section of settings: unknown keys are refused, `yes` is not true, "5" is not 5, nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


def refusal(found: str, expected: str, remedy: str) -> PydanticCustomError:
    """Make the error by which a validator of ours refuses; none of the three texts may hold the value itself."""
    context = {"found": found, "expected": expected, "remedy": remedy}
    return PydanticCustomError("dolen", "found {found}, expected {expected}; {remedy}", context)


_DURATION = re.compile(
    r"P(?=.)(?:(?P<years>\d{1,3})Y)?(?:(?P<weeks>\d{1,4})W)?(?:(?P<days>\d{1,5})D)?"
    r"(?:T(?=.)(?:(?P<hours>\d{1,5})H)?(?:(?P<minutes>\d{1,6})M)?(?:(?P<seconds>\d{1,8}(?:\.\d{1,3})?)S)?)?"
)
_DURATION_IN_SCHEMAS = r"^P(?=.)(\d+Y)?(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$"
_MONTHS = re.compile(r"P(\d+Y)?\d+M(\d+D)?")


def parse_duration(value: Any) -> timedelta:
    """Read an ISO 8601 duration: PT15M, PT2S, P90D, P6Y. A year counts as 365 days; months are refused.

    A month has no fixed length, and `P6M` is nearly always a slip for `PT6M`, six minutes.
    """
    if isinstance(value, timedelta):
        return value
    expected = "a duration such as PT2S (2 seconds), PT15M (15 minutes), P90D (90 days) or P6Y (6 years)"
    if not isinstance(value, str):
        raise refusal(kind_of(value), expected, "write it as a duration, with its unit")
    match = _DURATION.fullmatch(value)
    if match is None:
        if _MONTHS.fullmatch(value):
            remedy = "for minutes put a T before the number (PT6M); for months write days (P180D)"
            raise refusal("a duration in months", expected, remedy)
        raise refusal("a text that is no duration", expected, "begin with P for days, with PT for hours or less")
    part = {name: float(digits) for name, digits in match.groupdict().items() if digits}
    days = part.pop("years", 0) * 365 + part.pop("days", 0)
    return timedelta(days=days, **part)


def duration_text(value: timedelta) -> str:
    """Write a duration as ISO 8601, in its largest whole units: P6Y, P90D, PT4H, PT1M30S."""
    years, days = divmod(value.days, 365)
    minutes, seconds = divmod(value.seconds + value.microseconds / 1_000_000, 60)
    hours, minutes = divmod(int(minutes), 60)
    large = "".join(f"{count}{unit}" for count, unit in ((years, "Y"), (days, "D")) if count)
    small = "".join(f"{count:g}{unit}" for count, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if count)
    if not large and not small:
        return "PT0S"
    return f"P{large}T{small}" if small else f"P{large}"


def _more_than_nothing(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise refusal("no time at all", "a duration longer than nothing", "write how long, such as PT15M")
    return value


_AS_DURATION = (BeforeValidator(parse_duration), WithJsonSchema({"type": "string", "pattern": _DURATION_IN_SCHEMAS}))
Duration = Annotated[timedelta, *_AS_DURATION]
LongerThanNothing = Annotated[timedelta, AfterValidator(_more_than_nothing), *_AS_DURATION]


def matching(pattern: str, what: str, remedy: str) -> tuple[BeforeValidator, WithJsonSchema]:
    """Accept texts of one form only; `what` names the form in the error."""
    form = re.compile(pattern)

    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise refusal(kind_of(value), what, "put it in quotes" if isinstance(value, int | float) else remedy)
        if not form.fullmatch(value):
            raise refusal("a text of another form", what, remedy)
        return value

    return BeforeValidator(check), WithJsonSchema({"type": "string", "pattern": f"^(?:{pattern})$"})


Name = Annotated[
    str,
    *matching(
        r"[a-z][a-z0-9]*(?:-[a-z0-9]+){0,12}",
        "a name in small letters, digits and single hyphens, such as contact-to-casework",
        "write it in small letters a-z, words joined by hyphens",
    ),
]
FileName = Annotated[
    str,
    *matching(
        r"[a-z0-9][a-z0-9_-]*(?:/[a-z0-9][a-z0-9_-]*){0,3}",
        "the name of a file without folder tricks or ending, such as contact/request",
        "write folder and name in small letters, without `..`, and without .yaml",
    ),
]
Kind = Annotated[
    str,
    *matching(
        r"[A-Z][A-Za-z0-9]{0,39}",
        "a kind of record as the profile names it, such as Referral",
        "begin with a capital letter, and use letters and digits only",
    ),
]
Group = Annotated[
    str,
    *matching(
        r"[a-z][a-z_]{0,39}",
        "a group of fields, such as person, language or status",
        "write the first word of the field's path only",
    ),
]
_STEP = r"[A-Za-z_][A-Za-z0-9_-]*(?:\[[a-z_]+=[A-Za-z0-9_:/+-]+(?:,[a-z_]+=[A-Za-z0-9_:/+-]+)*\])?"
FieldPath = Annotated[
    str,
    *matching(
        rf"{_STEP}(?:\.{_STEP}){{0,7}}",
        "the path of a field, such as assigned_to.team",
        "look the field up in the list of fields",
    ),
]
ClockTime = Annotated[
    str,
    *matching(
        r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", "a time of day such as 08:30", "write two digits, a colon, two digits"
    ),
]


def _a_date(value: str) -> str:
    try:
        date.fromisoformat(value)
    except ValueError:
        raise refusal("a day that does not exist", "a date such as 2026-12-25", "correct month and day") from None
    return value


DateText = Annotated[
    str,
    *matching(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "a date such as 2026-12-25", "write year, month and day"),
    AfterValidator(_a_date),
]
Phone = Annotated[
    str,
    *matching(
        r"\+?[0-9][0-9 ()-]{2,24}",
        "a telephone number such as 01632 960100",
        "write digits and spaces only",
    ),
]
Line = Annotated[str, Field(min_length=1, max_length=300)]


def _known_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (OSError, ValueError, KeyError):  # a folder's name, a name with .., a name nobody knows
        raise refusal("a name that is no time zone", "a zone such as Europe/London", "write Europe/London") from None
    return value


Zone = Annotated[str, AfterValidator(_known_zone)]

Reference = Annotated[
    str,
    *matching(
        REFERENCE,
        "a reference to a secret: env:NAME or file:PATH",
        "keep the secret in the environment or in a file of its own, and write env:NAME or file:PATH here",
    ),
]


_WHOLE_REFERENCE = re.compile(REFERENCE)
_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s]*")
_PASSWORD_IN_URL = re.compile(r"://[^/@\s]*:[^/@\s]+@")


def _address(value: Any) -> str:
    """Accept a URL without a password, or a reference to one."""
    if not isinstance(value, str):
        raise refusal(kind_of(value), "a URL", "write it as text")
    if _WHOLE_REFERENCE.fullmatch(value):
        return value
    if _PASSWORD_IN_URL.search(value):
        expected = "a URL without a password, or a reference"
        raise refusal("a URL with a password in it", expected, "put the whole URL in the environment: env:DOLEN_...")
    if not _URL.fullmatch(value):
        raise refusal("a text that is no URL", "a URL such as sqlite:///ledger.db", "begin with the scheme and ://")
    return value


Address = Annotated[
    str, BeforeValidator(_address), WithJsonSchema({"type": "string", "pattern": rf"^(?:{REFERENCE}|{_URL.pattern})$"})
]


class Words(Declared):
    """The same words in Welsh and in English; neither may be missing."""

    cy: Line = Field(description="In Welsh.", examples=["Torfaen"])
    en: Line = Field(description="In English.", examples=["Torfaen"])
