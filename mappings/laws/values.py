"""Single values, invented: texts with Welsh letters, days, moments and numbers, each kind with the ones that hurt."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

Values = st.SearchStrategy[Any]

LETTERS = "abcdefghijklmnoprstuwyABCEMNRSTYâêîôûŵŷÂÊÎÔÛŴŶáïöëÁÏ0123456789 '-.,&()/"
_CLEAN = st.sampled_from(["a", "B", "ŵ", "7"])
MOST_USUAL = 40  # characters of a text that is not meant to be as long as it may be

# Leap days of three sorts, the ends of a century, the first and last day of a year.
_DAYS = [date(2024, 2, 29), date(2000, 2, 29), date(1900, 3, 1), date(1999, 12, 31), date(2026, 1, 1)]
# The nights in which clocks change in the United Kingdom: before, in the hour that is missing or comes twice, after.
_FORWARD, _BACK = datetime(2026, 3, 29, 1), datetime(2026, 10, 25, 1)  # noqa: DTZ001 - texts without a zone
_NIGHTS = [at + timedelta(minutes=minutes) for at in (_BACK, _FORWARD) for minutes in (0, 30, -30)]
_ZONES = ["Z", "+01:00", "-05:00"]


def days() -> Values:
    """A day as YYYY-MM-DD."""
    usual = st.dates(date(1900, 1, 1), date(2100, 12, 31))
    return st.one_of(usual, st.sampled_from(_DAYS)).map(date.isoformat)


def partial_days() -> Values:
    """A day, a month or a year."""
    return st.tuples(days(), st.sampled_from([10, 7, 4])).map(lambda both: both[0][: both[1]])


def naive_moments() -> Values:
    """A date and time without a zone, mostly to the second."""
    usual = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001 - texts without a zone
    to_the_second = usual.map(lambda at: at.replace(microsecond=0))
    nights = st.sampled_from(_NIGHTS)
    return st.one_of(to_the_second, nights, nights, nights, usual)  # one in three of these is what hurts most


def instants() -> Values:
    """An instant as the referral spells it: UTC with a Z."""
    return naive_moments().map(lambda at: at.isoformat() + "Z")


def moments(zone: str) -> Values:
    """A moment as their side spells it. `zone`: "required", "optional" or "none"."""
    bare = naive_moments().map(datetime.isoformat)
    if zone == "none":
        return bare
    zoned = st.tuples(bare, st.sampled_from(_ZONES)).map("".join)
    return zoned if zone == "required" else st.one_of(bare, zoned)


def texts(shortest: int = 0, longest: int | None = None) -> Values:
    """A text with Welsh letters, spaces at its ends and all; also as short and as long as it may be."""
    most = MOST_USUAL if longest is None else min(longest, MOST_USUAL)
    usual = st.text(LETTERS, min_size=shortest, max_size=max(most, shortest))
    edges = [usual, _CLEAN.map(lambda letter: letter * max(shortest, 1))]
    if shortest == 0:
        edges.append(st.just(""))
    if longest is not None and longest > most:
        edges.append(_CLEAN.map(lambda letter: letter * longest))
    return st.one_of(*edges)


def matching(pattern: str, shortest: int, longest: int | None) -> Values:
    """A text that a pattern of JSON Schema takes. One that is anchored is taken whole, another may stand anywhere."""
    whole = pattern.startswith("^") and pattern.endswith("$")
    found = st.from_regex(re.compile(pattern), fullmatch=whole, alphabet=st.sampled_from(LETTERS + ":;_@+#*="))
    return found.filter(lambda text: shortest <= len(text) and (longest is None or len(text) <= longest))


#: Values of texts of which more is known than that they are text, by the soft check of our field.
CHECKED: dict[str, list[str]] = {
    "nhs-number": ["9990000018", "9990000026", "9990000034"],
    "postcode": ["NP44 1AA", "SA11 3QZ", "NP23 6XB", "M1 1AE"],
    "uprn": ["1", "10012345678", "100123456789"],
    "ods": ["W92001", "W95010"],
    "gss": ["W06000012", "W06000019", "W06000020"],
    "uuid": ["018f3f6e-0000-7000-8000-000000000001"],
    "language": ["cy", "en", "bfi", "pl", "ar"],
    "telecom": ["+447700900123", "+441632960001", "+447700900000", "someone@example.org"],
}

#: How people and systems spell what these converters tidy; tried beside whatever else the interface allows.
SPELLED: dict[str, list[str]] = {
    "phone": ["07700 900123", "+447700900123", "01632 960001", "(01632) 960-001", "07700 900123 or 01632 960001"],
    "postcode": ["np441aa", "NP44 1AA", " sa11  3qz "],
    "nhs-number": ["999 000 0018", "999-000-0026", "9990000034"],
    "when": ["2026-03-01", "2026-03-01T09:30:00Z", "2026-07-01T09:30:00+01:00"],
}
