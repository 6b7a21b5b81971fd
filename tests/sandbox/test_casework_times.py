"""Local times without offset in Europe/London, through both clock changes, lose no record to a caller who reads on."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.casework import times
from tests.sandbox.conftest import Caller

START = datetime(2026, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(-300, 800).flatmap(
    lambda day: st.integers(0, 86_399).map(lambda second: START + timedelta(days=day, seconds=second))
)


@given(MOMENTS)
def test_reading_from_a_shown_time_never_misses_its_record(moment: datetime) -> None:
    stamp = times.stamp(moment)
    back = times.since(times.shown(stamp))
    assert back <= stamp
    assert datetime.fromisoformat(stamp) - datetime.fromisoformat(back) in (timedelta(), timedelta(hours=1))


@pytest.mark.parametrize(("local", "utc"), [
    ("2026-01-15T12:00:00", "2026-01-15T12:00:00Z"),
    ("2026-07-15T12:00:00", "2026-07-15T11:00:00Z"),
    ("2026-10-25T01:30:00", "2026-10-25T00:30:00Z"),  # happens twice: the earlier
    ("2026-03-29T01:30:00", "2026-03-29T01:30:00Z"),  # does not happen at all
    ("2026-07-15T12:00:00.75", "2026-07-15T11:00:00Z"),
])  # fmt: skip
def test_local_to_utc(local: str, utc: str) -> None:
    assert times.since(local) == utc


def test_the_hour_that_happens_twice(casework: Caller) -> None:
    shown = []
    for minute in ("00:59:59", "01:10:00"):  # UTC: the second call comes after the clocks went back
        casework.running.world.clock.set(datetime.fromisoformat(f"2026-10-25T{minute}+00:00"))
        casework.login = lambda: ""
        made = casework.running.control("POST", "torfaen/casework/type-in", RECORD, status=201)
        shown.append(casework.running.control("GET", f"torfaen/casework/records/{made['ReferralId']}")["LastChanged"])
    assert shown == ["2026-10-25T01:59:59", "2026-10-25T01:10:00"]
    casework.login = Caller(casework.running).login
    assert casework.find(since="2026-10-25T01:59:59") == (["R0000001", "R0000002"], False)
    assert casework.find(since="2026-10-25T02:00:00") == ([], False)


def test_times_that_are_none(casework: Caller) -> None:
    for nonsense in ("2026-02-30T00:00:00", "2026-01-01T24:00:00", "2026-01-01", "2026-01-01T00:00:00Z"):
        inner = f"<ChangedFrom>{nonsense}</ChangedFrom><Page>1</Page><PageSize>1</PageSize>"
        assert casework.refused("FindReferrals", inner) == ("ValidationFault", "ChangedFrom")
    assert casework.find(since="0001-01-01T00:00:00") == ([], False)
    assert casework.find(since="9999-12-31T23:59:59") == ([], False)


RECORD = {
    "Received": "2026-01-01T00:00:00",
    "Kind": "REF",
    "Status": "NEW",
    "Priority": "P1",
    "Subject": {"Forename": ["A"], "Surname": "B", "DOB": "0001-01-01", "Gender": "1", "PreferredLanguage": "N"},
    "Safeguarding": "false",
    "Restricted": "false",
}
