"""Whatever a tired person writes and whatever a system sends: faults and gaps, never a traceback."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from config.documents import read_yaml
from mappings.codes import CodeList, parse
from mappings.compile import compile_mapping
from mappings.file import ItemRow, MappingFile, Row
from mappings.mapping import MappingFaults

SHIPPED = Path(__file__).parents[2] / "mappings" / "shipped"
CASEWORK = read_yaml(SHIPPED / "casework" / "referral.yaml").data
KEYS = sorted(
    {info.alias or name for model in (MappingFile, Row, ItemRow) for name, info in model.model_fields.items()}
)

_SCALARS = st.none() | st.booleans() | st.integers(-5, 99) | st.floats() | st.text(max_size=8)
_WORDS = st.sampled_from(
    ["person.name.family", "needs", "code", "status", "a/b", "@c", ".", "l[t=x]/v", "date", "list", "omit", "default",
     "read", "casework-status", "mine", "person.telecom[system=email].value", "extensions.a.b", "needs[].code"]
)  # fmt: skip
JSON = st.recursive(
    _SCALARS | _WORDS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=4), inner, max_size=5)
    ),
    max_leaves=20,
)
ROW = st.dictionaries(st.sampled_from(KEYS), JSON, max_size=6)
OURS = st.sampled_from(
    ["person.name.family", "person.name.given", "status", "needs", "person.telecom", "received_at", "notes", "code",
     "person.telecom[system=email].value", "person.date_of_birth", "safeguarding_flag", "extensions.a.b", "text", "a",
     ["person.name.given", "person.name.family"], ["code", "text"], ["status", "notes"]]
)  # fmt: skip
THEIRS = st.sampled_from(
    ["A", "A/B", "A/@c", "A/.", ".", "L[t=x]/v", "L[t=x]", "L", "Needs/Need", "Subject/Surname", "", "/",
     ["A", "B"], ["A/B", "L[t=x]/v", "."], ["Subject/DOB", "Subject/Surname"]]
)  # fmt: skip
LIKELY: dict[str, st.SearchStrategy[Any]] = {
    "as": st.sampled_from(["date", "time", "text", "list", "joined", "boolean", "integer", "as-is", "phone", "tiem",
                           "date-and-time", "full-name", "numbered", "given-names", "parts", "day-month-year"]),
    "codes": st.sampled_from(["casework-status", "casework-need", "mine"]),
    "zone": st.sampled_from(["UTC", "Nowhere"]),
    "absent": st.lists(_SCALARS, max_size=2),
    "constant": _SCALARS,
    "default": st.dictionaries(st.sampled_from(["read", "write"]), _SCALARS | _WORDS),
    "direction": st.sampled_from(["read", "write", "both"]),
    "needed": st.booleans(),
    "lead": st.booleans(),
    "key": st.booleans(),
    "options": st.dictionaries(
        st.sampled_from(["separator", "wire", "yes", "no", "country", "format"]), JSON, min_size=1
    ),
    "max_length": st.integers(-1, 3),
    "max_items": st.integers(-1, 3),
    "empty": st.sampled_from(["omit", "null", None, "text", "list", "default"]),
    "missing": st.sampled_from(["unknown", "empty"]),
    "where": st.dictionaries(st.sampled_from(["t", "u"]), _SCALARS, max_size=2),
    "drop": st.booleans(),
    "choices": st.lists(st.lists(THEIRS, max_size=3), max_size=2),
    "lossy": st.booleans() | st.just("spaces"),
}
_PAIR: dict[str, st.SearchStrategy[Any]] = {"ours": OURS, "theirs": THEIRS}


def some(keys: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """A row with three of these keys at most: with more, something is always wrong."""
    chosen = st.lists(st.sampled_from(sorted(keys)), max_size=3, unique=True)
    return chosen.flatmap(lambda names: st.fixed_dictionaries({**_PAIR, **{name: keys[name] for name in names}}))


LIKELY_ROW = some({**LIKELY, "each": st.lists(some(LIKELY), max_size=2)})


def codes(name: str) -> CodeList:
    file = SHIPPED / "codes" / f"{name}.csv"
    if not name.startswith("casework-") or not file.exists():
        raise LookupError(name)
    return parse(file.read_bytes(), name)


MAPPING = compile_mapping("casework/referral", lambda _: (CASEWORK, "referral.yaml"), codes, "Europe/London")
RECORD: dict[str, Any] = {
    "Received": "2026-01-24T16:00:00", "Kind": "SGN", "Status": "CLO", "Priority": "P1",
    "Subject": {"Forename": "Ffîon", "Surname": "Dâf", "DOB": "1977-12-31", "Address": {"Line": ["a"]},
                "Gender": "9", "PreferredLanguage": "B"},
    "Updates": {"OptedIn": "true"}, "Needs": {"Need": [{"@code": "N01"}]}, "Safeguarding": "true", "Restricted": "1",
}  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(JSON | st.fixed_dictionaries({"system": JSON, "record": JSON, "fields": st.lists(ROW, max_size=4)}))
def test_any_file_compiles_or_names_its_faults(data: Any) -> None:
    try:
        compile_mapping("mine", lambda _: (data, "mine.yaml"), codes, "UTC")
    except MappingFaults as faults:
        assert faults.faults


@settings(max_examples=1000, deadline=None)
@given(st.lists(LIKELY_ROW, min_size=1, max_size=4), st.none() | LIKELY["choices"])
def test_any_rows_compile_or_name_their_faults(rows: list[dict[str, Any]], choices: Any) -> None:
    data = {"system": "s", "record": "R", "choices": choices, "fields": rows}
    try:
        mapping = compile_mapping("mine", lambda _: (data, "mine.yaml"), codes, "UTC")
    except MappingFaults as faults:
        assert all(fault.path for fault in faults.faults), [str(fault) for fault in faults.faults]
    else:
        mapping.read(RECORD)
        mapping.write({"person.name.family": "x", "needs": [{"code": "meals"}]}, RECORD)
        mapping.write(mapping.read({"A": {"B": "x", "@c": "1"}, "B": "y", "L": [{"t": "x", "v": "v"}]}).facts, RECORD)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["shared", "own"]), st.lists(LIKELY_ROW | ROW, min_size=1, max_size=3))
def test_any_overlay_compiles_or_names_its_faults(extends: str, rows: list[dict[str, Any]]) -> None:
    files = {"own": {"extends": extends, "fields": rows}, "shared": CASEWORK}
    try:
        compile_mapping("own", lambda name: (files[name], name), codes, "UTC")
    except MappingFaults as faults:
        assert faults.faults


def _places(record: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = record.items() if isinstance(record, dict) else enumerate(record) if isinstance(record, list) else ()
    return [at, *(place for key, value in inner for place in _places(value, (*at, key)))]


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(_places(RECORD)[1:]), JSON)
def test_any_value_anywhere_in_a_record_is_a_fact_or_a_gap(place: tuple[Any, ...], value: Any) -> None:
    record = copy.deepcopy(RECORD)
    group = record
    for step in place[:-1]:
        group = group[step]
    group[place[-1]] = value
    reading = MAPPING.read(record)
    MAPPING.write(reading.facts, record)
    MAPPING.write(MAPPING.read(RECORD).facts, record)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(MAPPING.fields), JSON, max_size=6))
def test_any_facts_are_written_or_a_gap(facts: dict[str, Any]) -> None:
    MAPPING.write(facts, RECORD)
    MAPPING.write(facts)
