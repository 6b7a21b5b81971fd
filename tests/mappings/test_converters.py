"""Every converter keeps its law, raises nothing but WrongType, and never tells the value."""

from __future__ import annotations

import json
import string
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from hypothesis import assume
from hypothesis import given as example
from hypothesis import strategies as st

from mappings import converters
from mappings.converters import BadOption, WrongType, make
from mappings.meta import Kind

SECRET = "Angharad Prys"

# --- what each converter reads: beside its own, spellings that it must tidy

_dates = st.dates(date(1000, 1, 1), date(9998, 12, 31)).map(date.isoformat)
_times = st.datetimes(datetime(1900, 1, 2), datetime(2099, 12, 30)).map(lambda at: at.isoformat())  # noqa: DTZ001 - a local time is the subject
_offsets = st.sampled_from(["", "Z", "+01:00", "-0530", "+00:00"])
_stamps = st.tuples(_times, _offsets).map("".join)
_texts = st.text(max_size=12)
_digits = st.text(alphabet=string.digits, min_size=1, max_size=12)
_phones = st.one_of(
    _digits.map("0".__add__),
    st.tuples(st.sampled_from(["07700 900", "01632 960", "+44 (0)7700 900"]), st.integers(100, 999).map(str)).map(
        "".join
    ),
    st.text(alphabet=string.digits + " +()-./x", max_size=16),
    _texts,
)
_spellings = st.sampled_from(["true", "FALSE", " Yes", "no", "1", "0", "Oes", "nac oes", True, False, 1, 0])

READS: dict[tuple[str, str], st.SearchStrategy[Any]] = {
    ("text", "{}"): _texts,
    ("text", '{"absent": ["-", "?"]}'): st.sampled_from(["-", "?", "a"]),
    ("trimmed", "{}"): _texts,
    ("date", "{}"): _dates | _dates.map("{}T00:00:00".format) | _dates.map("{}Z".format),
    ("date", '{"format": "YYYYMMDD"}'): _dates.map(lambda day: day.replace("-", "")),
    ("date", '{"format": "DD/MM/YYYY"}'): _dates.map(lambda day: "/".join(reversed(day.split("-")))),
    ("date", '{"format": "DD-MM-YYYY"}'): _dates.map(lambda day: "-".join(reversed(day.split("-")))),
    ("date", '{"format": "DD.MM.YYYY"}'): _dates.map(lambda day: ".".join(reversed(day.split("-")))),
    ("date", '{"format": "DD-MMM-YYYY"}'): _dates.map(lambda day: date.fromisoformat(day).strftime("%d-%b-") + day[:4]),
    ("date", '{"absent": ["0001-01-01"]}'): _dates | st.just("0001-01-01"),
    ("partial-date", "{}"): _dates | _dates.map(lambda day: day[:7]) | _dates.map(lambda day: day[:4]),
    ("time", "{}"): _stamps,
    ("local-time", "{}"): _stamps,
    ("local-time", '{"format": "DD-MMM-YYYY"}'): _stamps.map(
        lambda stamp: date.fromisoformat(stamp[:10]).strftime("%d-%b-") + stamp[:4] + " " + stamp[11:19]
    ),
    ("offset-time", "{}"): _stamps,
    ("when", "{}"): _stamps | _dates,
    ("boolean", "{}"): _spellings,
    ("boolean", '{"wire": "text"}'): _spellings,
    ("boolean", '{"yes": ["J"], "no": ["N", "X"]}'): st.sampled_from(["j", "J", "n", "x", True, False]),
    ("opposite", "{}"): _spellings,
    ("opposite", '{"wire": "text"}'): _spellings,
    ("opposite", '{"yes": ["STOP"], "no": ["OK"]}'): st.sampled_from(["stop", "ok", True, False]),
    ("integer", "{}"): st.integers() | st.integers(-999, 999).map(str) | st.just(12.0),
    ("integer", '{"wire": "text"}'): st.integers(-(10**18) + 1, 10**18 - 1),
    ("number-as-text", "{}"): st.integers(-(2**63), 2**63 - 1),  # what XML Schema calls a long
    ("phone", "{}"): _phones,
    ("phone", '{"written": "national"}'): _phones,
    ("phone", '{"country": "IE", "written": "national"}'): _phones,
    ("postcode", "{}"): st.sampled_from(["np4 0aa", "NP40AA", " sa1 1aa", "CF10\t1AA", "not known"]) | _texts,
    ("nhs-number", "{}"): st.sampled_from(["999 000 0018", "999-000-0018", "9990000018", "999"]) | _texts,
    ("list", "{}"): st.lists(st.none() | _texts) | _texts,
    ("lines", "{}"): st.lists(_texts) | _texts,
    ("joined", "{}"): _texts,
    ("joined", '{"separator": ", "}'): st.text(alphabet="ab, ", max_size=10),
    ("as-is", "{}"): st.none() | st.booleans() | st.integers() | _texts | st.lists(_texts),
}
LOSES_AN_HOUR = "local-time"  # the one converter whose law has an exception

CASES = pytest.mark.parametrize(("name", "options"), list(READS), ids=lambda part: part)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def test_every_converter_has_its_law_tested() -> None:
    assert {name for name, _ in READS} == set(converters.NAMES)


@CASES
@example(st.data())
def test_what_was_read_is_written_and_read_again_as_the_same(name: str, options: str, data: st.DataObject) -> None:
    converter = make(name, json.loads(options), zone="Europe/London")
    raw = data.draw(READS[name, options])
    try:
        ours = converter.read(raw)
        written = converter.write(ours)
    except WrongType:
        assume(False)
    if name == LOSES_AN_HOUR and converter.note is not None and converter.note(written):
        return
    assert converter.read(written) == ours
    if converter.exact and ours is not None:
        assert written == raw
    if ours is not None and "as-is" not in name:
        assert isinstance(ours, list) is converter.many


@CASES
@example(ANY_JSON)
def test_whatever_comes_in_it_answers_or_says_what_it_expected(name: str, options: str, value: Any) -> None:
    converter = make(name, json.loads(options), zone="Europe/London")
    for convert in (converter.read, converter.write):
        try:
            convert(value)
        except WrongType as error:
            assert error.expected
    if converter.note is not None:
        converter.note(value)


@CASES
@example(st.data())
def test_the_swift_way_says_what_the_exact_way_says_or_nothing(name: str, options: str, data: st.DataObject) -> None:
    converter = make(name, json.loads(options), zone="Europe/London")
    value = data.draw(READS[name, options] | ANY_JSON | _stamps | _dates)
    for swift, exact in ((converter.swift_read, converter.read), (converter.swift_write, converter.write)):
        said = None if swift is None else swift(value)
        if said is not None:
            assert repr(exact(value)) == repr(said)
            assert converter.note is None or converter.note(value) is None
    for keeps, exact in ((converter.read_keeps, converter.read), (converter.write_keeps, converter.write)):
        texts = type(value) is list and all(type(one) is str and one for one in value)
        if value not in ("", []) and (texts if keeps is list else type(value) is keeps):
            assert repr(exact(value)) == repr(value)


@CASES
def test_the_value_is_never_told(name: str, options: str) -> None:
    converter = make(name, json.loads(options))
    for convert in (converter.read, converter.write):
        for value in (SECRET, [SECRET], {SECRET: SECRET}, [{"x": SECRET}]):
            try:
                convert(value)
            except WrongType as error:
                assert SECRET not in f"{error!s} {error!r}"
                assert error.__cause__ is None
                assert error.__suppress_context__ or error.__context__ is None


@CASES
def test_known_to_be_empty(name: str, options: str) -> None:
    given = json.loads(options)
    converter = make(name, given)
    assert converter.read(None) is None
    assert converter.read("") is None
    assert converter.write(None) == (given["absent"][0] if "absent" in given else None)
    assert converter.law and converter.kinds and converter.theirs


# --- one by one


@pytest.mark.parametrize(
    ("name", "options", "raw", "ours"),
    [
        ("trimmed", {}, "  a b ", "a b"),
        ("trimmed", {}, "   ", None),
        ("date", {}, "1950-12-31", "1950-12-31"),
        ("date", {}, "1950-12-31T00:00:00", "1950-12-31"),
        ("date", {}, "1950-12-31+01:00", "1950-12-31"),
        ("date", {"absent": ["0001-01-01"]}, "0001-01-01", None),
        ("date", {"format": "DD-MMM-YYYY"}, "1-may-2023 00:00:00", "2023-05-01"),
        ("date", {"format": "DD/MM/YYYY"}, "3/2/2023", "2023-02-03"),
        ("time", {}, "2026-03-01T10:30:00+01:00", "2026-03-01T09:30:00Z"),
        ("time", {}, "2026-07-01T10:30:00", "2026-07-01T09:30:00Z"),
        ("time", {}, "2026-07-01 10:30", "2026-07-01T09:30:00Z"),
        ("time", {}, "2026-03-01T09:30:00.1234567Z", "2026-03-01T09:30:00.123456Z"),
        ("when", {}, "2026-07-01", "2026-07-01"),
        ("when", {}, "2026-07-01T10:30:00", "2026-07-01T09:30:00Z"),
        ("boolean", {}, "YES", True),
        ("boolean", {}, 0, False),
        ("opposite", {}, "1", False),
        ("integer", {}, " -12 ", -12),
        ("number-as-text", {}, 120, "120"),
        ("number-as-text", {}, "9223372036854775807", "9223372036854775807"),
        ("phone", {}, "07700 900123", "+447700900123"),
        ("phone", {}, "+44 (0)1632 960100", "+441632960100"),
        ("phone", {}, "00447700900123", "+447700900123"),
        ("phone", {}, "+353 1 555 0100", "+35315550100"),
        ("phone", {"country": "IE"}, "01 555 0100", "+35315550100"),
        ("phone", {}, "960100", "960100"),  # without its area code
        ("phone", {}, " 07700 900123 (daughter)", "07700 900123 (daughter)"),
        ("phone", {}, "07700900123/01632960100", "07700900123/01632960100"),
        ("postcode", {}, "np40aa", "NP4 0AA"),
        ("postcode", {}, " somewhere ", "somewhere"),
        ("nhs-number", {}, "999 000 0018", "9990000018"),
        ("nhs-number", {}, "999 000 001", "999 000 001"),
        ("list", {}, "Siân", ["Siân"]),
        ("list", {}, [None, "", "a"], ["a"]),
        ("list", {}, [], None),
        ("lines", {}, ["1 Heol Wen\r\nFflat 2", " ", " Cwm "], ["1 Heol Wen", "Fflat 2", "Cwm"]),
        ("joined", {"separator": ", "}, "a,b , c,,", ["a", "b", "c"]),
    ],
)
def test_reading(name: str, options: dict[str, Any], raw: Any, ours: Any) -> None:
    assert make(name, options, zone="Europe/London").read(raw) == ours


@pytest.mark.parametrize(
    ("name", "options", "ours", "theirs"),
    [
        ("date", {"format": "DD-MMM-YYYY"}, "2023-05-01", "01-MAY-2023"),
        ("date", {"format": "YYYYMMDD"}, "2023-05-01", "20230501"),
        ("time", {}, "2026-07-01T09:30:00Z", "2026-07-01T09:30:00Z"),
        ("local-time", {}, "2026-07-01T09:30:00Z", "2026-07-01T10:30:00"),
        ("local-time", {}, "2026-01-01T09:30:00Z", "2026-01-01T09:30:00"),
        ("local-time", {"format": "DD-MMM-YYYY"}, "2023-05-01T12:00:00Z", "01-MAY-2023 13:00:00"),
        ("local-time", {"format": "DD/MM/YYYY"}, "2023-05-01T12:00:00Z", "01/05/2023 13:00:00"),
        ("offset-time", {}, "2026-07-01T09:30:00Z", "2026-07-01T10:30:00+01:00"),
        ("offset-time", {}, "1800-07-01T09:30:00Z", "1800-07-01T09:30:00+00:00"),
        ("boolean", {}, True, True),
        ("boolean", {"wire": "text"}, True, "true"),
        ("boolean", {"yes": ["Y", "J"], "no": ["N"]}, False, "N"),
        ("opposite", {"yes": ["STOP"], "no": ["OK"]}, True, "OK"),
        ("opposite", {"wire": "text"}, True, "false"),
        ("integer", {"wire": "text"}, 7, "7"),
        ("number-as-text", {}, "120", 120),
        ("phone", {"written": "national"}, "+447700900123", "07700900123"),
        ("phone", {"written": "national"}, "+35315550100", "+35315550100"),
        ("joined", {"separator": ", "}, ["a", "b"], "a, b"),
    ],
)
def test_writing(name: str, options: dict[str, Any], ours: Any, theirs: Any) -> None:
    assert make(name, options, zone="Europe/London").write(ours) == theirs


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("text", 7),
        ("date", "31/12/1950"),
        ("date", "1950-02-30"),
        ("date", "1950-1-1"),
        ("date", "1950-W01-1"),
        ("date", "1950-12-31T09:00:00"),
        ("partial-date", "50"),
        ("time", "2026-03-01"),  # midnight would be a guess
        ("time", "09:30"),
        ("time", "2026-02-30T09:30:00"),
        ("time", "0001-01-01T00:00:00+14:00"),
        ("boolean", "perhaps"),
        ("boolean", 2),
        ("integer", "1.5"),
        ("integer", True),
        ("number-as-text", True),
        ("phone", 7700900123),
        ("list", [{"x": "y"}]),
        ("joined", ["a"]),
    ],
)
def test_the_wrong_type_is_said_and_not_guessed(name: str, raw: Any) -> None:
    with pytest.raises(WrongType):
        make(name).read(raw)


@pytest.mark.parametrize(
    ("name", "options", "ours"),
    [
        ("date", {}, "1950"),  # only the year is known: a day would be a guess
        ("time", {}, "2026-03-01"),
        ("time", {}, "2026-03-01T09:30:00+01:00"),
        ("number-as-text", {}, "007"),
        ("boolean", {}, "true"),
        ("joined", {"separator": ", "}, ["Cardiff, Wales"]),
        ("date", {"absent": ["1900-01-01"]}, "1900-01-01"),  # would come back as empty
    ],
)
def test_what_cannot_be_written_is_said(name: str, options: dict[str, Any], ours: Any) -> None:
    with pytest.raises(WrongType):
        make(name, options).write(ours)


@pytest.mark.parametrize(
    ("name", "options", "option"),
    [
        ("text", {"format": "x"}, "format"),
        ("text", {"absent": "x"}, "absent"),
        ("text", {"absent": [[]]}, "absent"),
        ("date", {"format": "MM/DD/YYYY"}, "format"),
        ("boolean", {"yes": ["Y"]}, "no"),
        ("boolean", {"no": ["N"]}, "yes"),
        ("boolean", {"yes": [], "no": []}, "yes"),
        ("boolean", {"yes": ["Y"], "no": ["y"]}, "no"),
        ("boolean", {"wire": "xml"}, "wire"),
        ("phone", {"country": "Wales"}, "country"),
        ("phone", {"written": "nicely"}, "written"),
        ("joined", {"separator": ""}, "separator"),
    ],
)
def test_a_bad_option_is_named(name: str, options: dict[str, Any], option: str) -> None:
    with pytest.raises(BadOption) as caught:
        make(name, options)
    assert caught.value.option == option
    assert caught.value.expected


@pytest.mark.parametrize("zone", ["Europe/Lundain", "", "/etc/localtime", "../x"])
def test_a_zone_that_is_none(zone: str) -> None:
    with pytest.raises(BadOption, match="zone"):
        make("time", zone=zone)


def test_absent_values_are_told_apart_by_type() -> None:
    converter = make("integer", {"absent": [-1]})
    assert (converter.read(-1), converter.read("-1"), converter.read(0)) == (None, -1, 0)
    assert make("boolean", {"absent": ["0"]}).read(False) is False


# --- the two hours of the year


@pytest.mark.parametrize(
    ("raw", "utc", "mark"),
    [
        ("2026-10-25T00:59:59", "2026-10-24T23:59:59Z", None),
        ("2026-10-25T01:00:00", "2026-10-25T00:00:00Z", "ambiguous-time"),
        ("2026-10-25T01:59:59", "2026-10-25T00:59:59Z", "ambiguous-time"),
        ("2026-10-25T02:00:00", "2026-10-25T02:00:00Z", None),
        ("2026-03-29T00:59:59", "2026-03-29T00:59:59Z", None),
        ("2026-03-29T01:30:00", "2026-03-29T01:30:00Z", "no-such-time"),
        ("2026-03-29T02:00:00", "2026-03-29T01:00:00Z", None),
        ("2026-10-25T01:30:00Z", "2026-10-25T01:30:00Z", None),
        ("2026-10-25T01:30:00+00:00", "2026-10-25T01:30:00Z", None),
    ],
)
@pytest.mark.parametrize("name", ["time", "local-time", "offset-time", "when"])
def test_local_times_at_the_change_of_clocks(name: str, raw: str, utc: str, mark: str | None) -> None:
    converter = make(name, zone="Europe/London")
    assert converter.read(raw) == utc
    assert converter.note is not None
    assert converter.note(raw) == mark


@pytest.mark.parametrize("zone", ["Europe/London", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "UTC"])
@example(at=st.datetimes(datetime(1971, 1, 2), datetime(2037, 12, 30)))  # noqa: DTZ001 - a local time is the subject
def test_a_mark_is_made_exactly_where_the_local_time_does_not_say(zone: str, at: datetime) -> None:
    converter = make("local-time", zone=zone)
    assert converter.note is not None
    known = ZoneInfo(zone)
    both = {at.replace(tzinfo=known, fold=fold).astimezone(UTC) for fold in (0, 1)}
    assert (converter.note(at.isoformat()) is not None) is (len(both) == 2)


def test_the_second_of_the_two_hours_comes_back_as_the_first() -> None:
    converter = make("local-time", zone="Europe/London")
    second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    written = converter.write("2026-10-25T01:30:00Z")
    assert written == "2026-10-25T01:30:00"
    assert converter.read(written) == (second - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert "twice" in converter.law


# --- phones: the short way and the library agree


@example(st.from_regex(r"0[1237][0-9]{9}", fullmatch=True, alphabet=string.digits))
def test_the_short_way_for_british_numbers_agrees_with_the_library(national: str) -> None:
    number = phonenumbers.parse(national, "GB")
    assert make("phone").read(national) == phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


# --- defaults


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("many", [False, True])
def test_every_kind_of_field_has_a_converter_that_fits(kind: Kind, many: bool) -> None:
    converter = make(converters.default_for(kind, many))
    assert kind in converter.kinds
    if kind in (Kind.TEXT, Kind.CODE):
        assert converter.many is many


def test_options_are_listed() -> None:
    assert converters.options_of("boolean") == ("absent", "yes", "no", "wire")
    with pytest.raises(LookupError):
        make("magic")
