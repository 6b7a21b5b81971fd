"""The forms of single values: durations, names, zones, recipients, references."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from config.declared import (
    Duration,
    FieldPath,
    FileName,
    LongerThanNothing,
    Name,
    Phone,
    Reference,
    Zone,
    duration_text,
)
from config.settings import SiteSettings


def accepted(form: Any, value: object) -> bool:
    try:
        TypeAdapter(form).validate_python(value)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("PT2S", timedelta(seconds=2)),
        ("PT0.5S", timedelta(milliseconds=500)),
        ("PT15M", timedelta(minutes=15)),
        ("P90D", timedelta(days=90)),
        ("P2W", timedelta(weeks=2)),
        ("P6Y", timedelta(days=2190)),
        ("P1DT12H", timedelta(hours=36)),
    ],
)
def test_durations(written: str, meant: timedelta) -> None:
    assert TypeAdapter(Duration).validate_python(written) == meant


@pytest.mark.parametrize(
    "wrong", ["15", "15M", "P", "PT", "P1DT", "PT15", "-PT1S", "P1.5D", "pt15m", "PT15M ", "", 15, None, [], 1.5]
)
def test_what_is_no_duration(wrong: object) -> None:
    assert not accepted(Duration, wrong)


def test_months_are_refused_with_the_likely_slip() -> None:
    with pytest.raises(ValidationError, match="PT6M"):
        TypeAdapter(Duration).validate_python("P6M")


def test_no_time_at_all_is_refused_where_it_would_mean_never() -> None:
    assert accepted(Duration, "PT0S")
    assert not accepted(LongerThanNothing, "PT0S")


@given(
    st.timedeltas(timedelta(0), timedelta(days=99_999)).map(
        lambda value: value - timedelta(microseconds=value.microseconds)
    )
)
def test_a_duration_reads_back_as_it_was_written(value: timedelta) -> None:
    assert TypeAdapter(Duration).validate_python(duration_text(value)) == value


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        (
            Name,
            ["a", "contact-to-casework", "b2"],
            ["", "A", "a--b", "-a", "a-", "a_b", "../a", "a b", "a" * 70 + "-" * 70, 5],
        ),
        (
            FileName,
            ["contact/request", "notify", "a_b/c-d"],
            ["", "/etc/passwd", "../a", "a/../b", "a//b", "a.yaml", "C:/x", "a\\b"],
        ),
        (
            FieldPath,
            ["status", "assigned_to.team", "person.telecom[system=phone,use=mobile].value"],
            ["", ".a", "a..b", "a b", "a[]"],
        ),
        (Zone, ["Europe/London", "UTC"], ["Europe/Londn", "", "../etc/passwd", "/etc/passwd", "Europe", 5]),
        (Phone, ["01632 960100", "+44 1632 960100", "101"], ["", "ring us", "0163x", 1632960100]),
        (
            Reference,
            ["env:TORFAEN_KEY", "file:var/keys/main.key"],
            ["", "env:", "env:A B", "hunter2", "file:", "file:a\nb", 5],
        ),
    ],
)
def test_forms(form: Any, good: list[object], bad: list[object]) -> None:
    assert [value for value in good if not accepted(form, value)] == []
    assert [value for value in bad if accepted(form, value)] == []


@pytest.mark.parametrize(
    ("pattern", "good"),
    [
        ("+447700900*", True),
        ("07700 900123", True),
        ("someone@example.org", True),
        ("*", False),
        ("07*", False),
        ("*@example.org", False),
        ("everybody", False),
    ],
)
def test_who_may_be_reached_in_test_cannot_be_everybody(pattern: str, good: bool) -> None:
    assert accepted(SiteSettings, {"schema_version": 2, "residents_only_to": [pattern]}) is good


def test_a_refusal_never_shows_the_value() -> None:
    for form in (Duration, Name, FileName, FieldPath, Zone, Phone, Reference):
        with pytest.raises(ValidationError) as caught:
            TypeAdapter(form).validate_python("Hunter2 !")
        assert "Hunter2" not in caught.value.errors(include_input=False)[0]["msg"]
