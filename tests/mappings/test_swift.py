"""The swift way says what the exact way says, of every record and all facts, and no file can put words in its mouth."""

from __future__ import annotations

import copy
import io
import re
import tokenize
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from config.documents import read_yaml
from mappings import read, swift_nest, swift_read, swift_write, write
from mappings.assembly import nest_of, place, plan_for, root_of
from mappings.codes import CodeList, parse
from mappings.compile import compile_mapping
from mappings.converters import make
from mappings.facts import Refused, assemble, facts_of
from mappings.mapping import Writing
from mappings.overlay import resolve
from mappings.read import Notes
from mappings.referral import Referral
from mappings.rows import ABSENT, NEW, ReadyRow, RowMaker
from mappings.several import make_several
from mappings.source import Source

SHIPPED = Path(__file__).parents[2] / "mappings" / "shipped"
GIVEN = {"referral_id": "r", "council": "W06999001", "source_identifiers": [{"system": "contact", "value": "1"}]}
NAMES = ("contact/request", "casework/referral", "by-hand/referral", "own/odd")
# Rows of every kind that the shipped mappings do not have.
ODD = {
    "system": "odd",
    "record": "R",
    "empty": "text",
    "optional": {"G": "omit", "H/I": None, "P": "omit"},
    "fields": [
        {"ours": "type", "theirs": "T/@code", "codes": "contact-category"},
        {"ours": "status", "theirs": "T/.", "codes": "contact-status", "needed": True},
        {"ours": "person.name.family", "theirs": "N", "needed": True, "max_length": 3},
        {"ours": "person.name.given", "theirs": "G/A", "as": "joined", "max_length": 5, "lead": True},
        {"ours": "person.name.title", "theirs": "G/B", "lead": True},
        {"ours": "person.name.preferred", "theirs": "G/C", "as": "trimmed", "default": {"write": "x", "read": "y"}},
        {"theirs": "G/D", "constant": "fixed"},
        {"ours": "safeguarding_flag", "theirs": "H/I/S", "as": "opposite", "missing": "empty"},
        {"ours": "restricted_record", "theirs": "H/I/R", "default": {"write": True}},
        {"ours": "based_on", "theirs": "H/L", "codes": "contact-need"},
        {"ours": "warning_flags", "theirs": "H/W", "max_items": 2, "max_length": 4},
        {"ours": "person.address.lines", "theirs": "H/M", "as": "lines", "absent": ["-"]},
        {"ours": "extensions.odd.x", "theirs": "X"},
        {"ours": "person.telecom[system=email].value", "theirs": "P[t=e]/v", "lead": True},
        {"ours": "person.telecom[system=email].rank", "theirs": "P[t=e]/n", "as": "integer"},
        {"ours": "person.telecom[system=phone].value", "theirs": "P[t=p,u=h]", "as": "phone"},
        {"ours": "received_at", "theirs": "At", "as": "local-time", "absent": ["-"]},
        {
            "ours": "related_persons",
            "theirs": "K/O",
            "where": {"r": 1},
            "max_items": 2,
            "each": [
                {"ours": "name", "theirs": ".", "max_length": 4},
                {"ours": "is_main_carer", "theirs": "@m", "empty": "null"},
                {"theirs": "@z", "constant": 0},
            ],
        },
    ],
}


def codes(name: str) -> CodeList:
    file = SHIPPED / "codes" / f"{name}.csv"
    return parse(file.read_bytes(), name)


def rows_of(data: Any) -> tuple[list[ReadyRow], write.Shape]:
    resolved = resolve("m", lambda _: (data, "m.yaml"))
    maker = RowMaker(resolved, codes, "Europe/London", make_several, {})
    rows = [row for placed in resolved.rows if (row := maker.make(placed)) is not None]
    assert not resolved.faults, resolved.faults
    groups = {tuple(text.split("/")): style for text, style in resolved.head.get("optional", {}).items()}
    return rows, write.Shape(resolved.head.get("empty", "omit"), groups)


FILES = {name: read_yaml(SHIPPED / f"{name}.yaml").data for name in NAMES[:3]} | {"own/odd": ODD}
ROWS = {name: rows_of(data) for name, data in FILES.items()}
READING = {name: (group := read.group_of(rows), swift_read.swift(group)) for name, (rows, _) in ROWS.items()}
WRITERS = {name: write.writer(*ROWS[name]) for name in NAMES}
EXACT = {name: write.putter(write.group_of(rows, (), shape)) for name, (rows, shape) in ROWS.items()}
RECORDS: dict[str, Any] = {
    "own/odd": {
        "T": {"@code": "carer", ".": "new"}, "N": "Rhŷ", "G": {"A": "a\nb", "B": "c", "C": " d ", "D": "fixed"},
        "H": {"I": {"S": True, "R": False}, "L": ["meals"], "W": ["dog"], "M": ["e", "f"]}, "X": {"any": [1]},
        "P": [{"t": "e", "v": "a@example.org", "n": 2}, {"t": "p", "u": "h", ".": "01632 960001"}],
        "At": "2026-10-25T01:30:00", "K": {"O": [{"r": 1, ".": "g", "@m": True}, {"r": 2, ".": "h"}]},
    },
}  # fmt: skip
FACTS: dict[str, Any] = {"own/odd": {}}
READING["own/odd"][1](RECORDS["own/odd"], FACTS["own/odd"], Notes([], [], []))
for _name in NAMES[:3]:
    folder, _, kind = _name.partition("/")
    pair = read_yaml(SHIPPED / folder / "golden" / f"{kind}.full.json").data
    RECORDS[_name] = pair["read"]["record"] if "read" in pair else {}
    FACTS[_name] = pair["read"]["facts"] if "read" in pair else pair["write"]["facts"]

SCALARS = (
    st.sampled_from([None, "", "x", " y ", "-", True, False, 0, 1, "2026-02-30", "2026-07-01T10:00:00Z", "new", 5.0])
    | st.text(max_size=30)
    | st.integers(-3, 3)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([".", "@code", "t", "u", "v", "type", "value", "r"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def told(notes: Notes) -> list[list[Any]]:
    """All that was noted, values too: they are no part of a gap's equality."""
    gaps = [*notes.left_out, None, *notes.stopped]
    shown = [(gap, gap.value, gap.reason) if gap else None for gap in gaps]
    return [shown, list(notes.remarks)]


def places(part: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    return [at, *(place for key, value in inner for place in places(value, (*at, key)))]


MISSING = object()
POINTS = st.fixed_dictionaries({"system": st.just("phone"), "use": st.sampled_from(["home", "mobile"])})
SYSTEMS = st.sampled_from(["phone", "email", "mobile"])
TELLING = st.sampled_from([MISSING, None, "", [], "x" * 2001, False])  # what most rows have a rule for


@st.composite
def spoilt(draw: st.DrawFn, whole: Any) -> Any:
    """The record with some of its places changed, wrapped in a list, or taken out."""
    record = copy.deepcopy(whole)
    for _ in range(draw(st.integers(0, 4))):
        where = draw(st.sampled_from(places(record)[1:] or [()]))
        if not where:
            break
        at = record
        for step in where[:-1]:
            at = at[step]
        value = draw(TELLING | st.just([at[where[-1]]]) | JSON)
        if value is MISSING:
            del at[where[-1]]
        else:
            at[where[-1]] = value
    return record


@pytest.mark.parametrize("name", NAMES)
@given(st.data())
def test_reading(name: str, data: st.DataObject) -> None:
    record = data.draw(spoilt(RECORDS[name]))
    group, swift = READING[name]
    one, other = Notes([], [], []), Notes([], [], [])
    exactly: dict[str, Any] = {}
    swiftly: dict[str, Any] = {}
    group.take(record, exactly, one)
    swift(record, swiftly, other)
    assert repr(swiftly) == repr(exactly)
    assert told(other) == told(one)


def facts_like(name: str) -> st.SearchStrategy[dict[str, Any]]:
    paths = sorted({row.ours for row in ROWS[name][0] if row.ours})
    changes = st.dictionaries(st.sampled_from(paths), TELLING | JSON, max_size=5)
    return changes.map(lambda made: {key: value for key, value in (FACTS[name] | made).items() if value is not MISSING})


def new_of(name: str, referral: Referral) -> Writing:
    write_new = WRITERS[name].referral
    assert write_new is not None
    return write_new(referral)


def exactly_new(name: str, facts: dict[str, Any]) -> tuple[Any, list[list[Any]]]:
    notes = Notes([], [], [])
    record = EXACT[name](NEW, facts, notes)
    return record if isinstance(record, dict) else {}, told(notes)


@pytest.mark.parametrize("name", NAMES)
@given(st.data())
def test_writing_what_is_new(name: str, data: st.DataObject) -> None:
    facts = data.draw(facts_like(name) | st.just({}))
    writing = WRITERS[name].facts(facts, None)
    record, notes = exactly_new(name, facts)
    assert repr(writing.record) == repr(record)
    assert told(Notes(writing.left_out, writing.stopped, [])) == notes


@pytest.mark.parametrize("name", NAMES)
@given(st.data())
def test_writing_a_referral(name: str, data: st.DataObject) -> None:
    facts = {"type": "carer", "status": "received", "person.name.family": "Rhys"} | data.draw(facts_like(name))
    try:
        referral = assemble(facts, GIVEN)
    except Refused:
        assume(False)
    wanted = tuple(dict.fromkeys(row.ours for row in ROWS[name][0] if row.writes and row.ours))
    known = {path: value for path, value in facts_of(referral, wanted).items() if value is not None}
    writing = new_of(name, referral)
    record, notes = exactly_new(name, known)
    assert repr(writing.record) == repr(record)
    assert told(Notes(writing.left_out, writing.stopped, [])) == notes


PHONES: dict[str, st.SearchStrategy[Any]] = {
    "person.telecom[system=phone].value": TELLING,
    "person.telecom[system=phone].use": TELLING | SYSTEMS,
    "person.telecom[use=mobile].value": TELLING,
    "person.telecom[system=phone,use=mobile].rank": TELLING,
    "person.telecom[system=email].value": TELLING,
    "person.name.family": TELLING,
    "extensions.odd.x": TELLING | JSON,
    "notify.opt_in[channel=text].at": TELLING,
    "notify.opt_in[channel=letter].at": TELLING,
    "person.telecom": st.just(MISSING) | st.lists(POINTS, max_size=3),
}


@given(st.fixed_dictionaries(PHONES))
def test_nesting(drawn: dict[str, Any]) -> None:
    facts = {path: value for path, value in drawn.items() if value is not MISSING}
    root = root_of(tuple(facts))
    assert repr(swift_nest.swift(root, place)(facts)) == repr(nest_of(root)(facts))


def test_a_set_of_paths_becomes_swift_when_it_comes_often() -> None:
    facts = {"person.telecom[system=email].value": "a@example.org", "person.name.family": "Rhys"}
    plan = plan_for(tuple(facts))
    before = plan.nest
    nested = [plan.nest(facts) for _ in range(101)]
    assert plan.nest is not before
    assert nested[0] == nested[100] == plan.nest(facts)


def test_a_referral_that_says_next_to_nothing() -> None:
    referral = Referral.model_validate(
        GIVEN | {"type": "carer", "status": "received", "person": {"name": {"family": "Rhys"}}, "needs": [{}]}
    )
    for name in NAMES:
        wanted = tuple(dict.fromkeys(row.ours for row in ROWS[name][0] if row.writes and row.ours))
        known = {path: value for path, value in facts_of(referral, wanted).items() if value is not None}
        assert new_of(name, referral).record == exactly_new(name, known)[0], name


@pytest.mark.parametrize(
    ("name", "raw", "ours"),
    [
        ("time", "2026-03-01T09:30:00+00:00", "2026-03-01T09:30:00Z"),
        ("time", "2026-03-01T09:30:00Z", "2026-03-01T09:30:00Z"),
        ("time", "2026-02-30T09:30:00Z", None),
        ("time", "2026-03-01 09:30:00Z", None),
        ("time", "2026-03-01T24:00:00Z", None),
        ("date", "2026-03-01", "2026-03-01"),
        ("date", "2026-02-30", None),
        ("date", "2026-W09-7", None),
        ("phone", "01632 960001", "+441632960001"),
        ("phone", "07700900123", "+447700900123"),
        ("phone", "07700 900 123", None),
        ("list", ["a", ""], None),
        ("list", ["a"], ["a"]),
        ("nhs-number", "999 000 0018", "9990000018"),
        ("nhs-number", "999-000-0018", None),
    ],
)
def test_what_the_swift_way_takes(name: str, raw: Any, ours: Any) -> None:
    swift = make(name, zone="Europe/London").swift_read
    assert swift is not None
    assert swift(raw) == ours


def test_rows_about_no_field_leave_the_way_over_facts_alone() -> None:
    rows, shape = rows_of(ODD)
    rows[0].ours = "#1"  # as a row is called that only walks for another
    writer = write.writer(rows, shape)
    assert writer.referral is None
    assert writer.facts({"#1": "carer"}, None).record["T"]["@code"] == "carer"


# --- generated text

PLAIN = ("alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf")
HOSTILE = ("x');exit()#", "{v}", '"""', "__import__('os')", "c0", "{made}", "\\n    exit()\n")


def texts_of(names: tuple[str, ...]) -> list[str]:
    """The text of every function of a mapping that uses these names wherever a file may say something."""
    one, two, three, four, five, six, seven = names
    fields: list[dict[str, Any]] = [
        {"ours": "person.name.family", "theirs": one, "max_length": 70},
        {"ours": "person.name.title", "theirs": f"{two}/{three}", "absent": [seven], "default": {"write": five}},
        {"ours": "status", "theirs": six, "codes": "contact-status"},
        {"theirs": f"{two}/{four}", "constant": seven},
        {"ours": "person.telecom[system=email].value", "theirs": f"{four}[{five}={seven}]/{one}"},
        {"ours": "needs", "theirs": five, "where": {three: seven}, "each": [{"ours": "text", "theirs": two}]},
    ]
    rows, shape = rows_of({"system": "s", "record": "R", "fields": fields})
    reading, writing = read.group_of(rows), write.group_of(rows, (), shape)
    sources = [
        swift_read.source_of(reading),
        swift_write.source_of(writing, NEW, swift_write.FromFacts()),
        swift_write.source_of(writing, ABSENT, swift_write.FromReferral()),
    ]
    return [source.text for source in sources]


def test_nothing_that_a_file_says_is_in_the_text() -> None:
    assert texts_of(HOSTILE) == texts_of(PLAIN), "the text says how many rows there are of which kind, and no more"
    words = {
        token.string
        for text in texts_of(HOSTILE)
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type in (tokenize.NAME, tokenize.STRING)
    }
    ours = {word for word in words if not re.fullmatch("[a-z][0-9]+", word)}
    assert ours <= WORDS


WORDS = {
    "def", "run", "if", "elif", "else", "is", "not", "in", "and", "try", "except", "pass", "return", "type", "dict",
    "str", "len", "get", "None", "True", "False", "value", "facts", "notes", "referral", "__dict__", "_value_", "w",
    "append", "update",
}  # fmt: skip


@pytest.mark.parametrize("name", ["x y", "x;y", "X", "x.y", "x'", "", "1x", "x\n"])
def test_a_name_that_is_none_never_gets_in(name: str) -> None:
    with pytest.raises(ValueError, match="generated text"):
        Source("facts").line(1, "{name} = 1", name=name)


def test_a_path_of_many_steps_is_no_deeper_for_python_than_it_may_be() -> None:
    path = "/".join(f"s{number}" for number in range(150))
    data = {"system": "s", "record": "R", "fields": [{"ours": "person.name.family", "theirs": path}]}
    mapping = compile_mapping("m", lambda _: (data, "m.yaml"), codes, "UTC")
    record = mapping.write({"person.name.family": "Rhys"}).record
    assert mapping.read(record).facts == {"person.name.family": "Rhys"}
    assert mapping.write({}).record == {}
