"""A mapping is held against the columns that the profile of an extract declares (G9)."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.findings import Severity
from tests.pipelines.fitting_site import FittingSite, expect

PROFILE = """system: t
protocol: sql
clock: Europe/London
records:
  Case:
    table: cases
    columns:
      id: integer
      surname: text
      received: moment
      changed: moment
      born: date
      kind: integer
    item: {id: id, modified: changed}
    required: [surname]
    changes: {feed: modified-since}
"""


@pytest.fixture
def site(tmp_path: Path) -> FittingSite:
    made = FittingSite(tmp_path)
    made.write("profiles/t.yaml", PROFILE)
    return made


def test_columns_that_fit(site: FittingSite) -> None:
    site.mapping("""
        - {ours: person.name.family, theirs: surname, direction: read}
        - {ours: person.date_of_birth, theirs: born, as: date, direction: read}
        - {ours: received_at, theirs: received, as: time, direction: read, lossy: the offset}
    """)
    assert [str(one) for one in site.found() if one.severity is Severity.ERROR] == []


def test_a_column_that_is_not_declared(site: FittingSite) -> None:
    site.mapping("- {ours: person.name.family, theirs: surnames, direction: read} #!")
    expect(site, Severity.ERROR, "surname")


def test_a_day_that_is_read_as_a_time(site: FittingSite) -> None:
    site.mapping("- {ours: received_at, theirs: born, as: time, direction: read, lossy: the offset} #!")
    expect(site, Severity.ERROR, "a day")
