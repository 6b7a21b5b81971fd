"""The shipped mappings and the example site's own: golden pairs, laws, and the interfaces that they are written for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from lxml import etree

from config.documents import read_yaml
from mappings import fieldpaths, golden, paths
from mappings.codes import CodeList, parse
from mappings.compile import compile_mapping
from mappings.facts import normal
from mappings.mapping import Mapping as FieldMapping
from mappings.meta import Kind

ROOT = Path(__file__).parents[2]
SHIPPED, SITE = ROOT / "mappings" / "shipped", ROOT / "config" / "example"
FOLDERS = {"mappings": (SITE / "mappings", SHIPPED), "codes": (SITE / "codes", SHIPPED / "codes")}
NAMES = ("contact/request", "casework/referral", "blaenau-gwent/request", "blaenau-gwent/referral")
XS = "{http://www.w3.org/2001/XMLSchema}"


def find(folder: str, name: str) -> Path:
    for root in FOLDERS[folder]:
        if (path := root / name).exists():
            return path
    raise LookupError(name)


def load(name: str) -> tuple[Any, str]:
    path = find("mappings", f"{name}.yaml")
    return read_yaml(path).data, str(path.relative_to(ROOT))


def codes(name: str) -> CodeList:
    return parse(find("codes", f"{name}.csv").read_bytes(), name)


MAPPINGS = {name: compile_mapping(name, load, codes, "Europe/London") for name in NAMES}


@pytest.fixture(params=NAMES)
def mapping(request: pytest.FixtureRequest) -> FieldMapping:
    return MAPPINGS[request.param]


def known(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts that say something: where emptiness is written by leaving out, it reads as not known."""
    return {path: value for path, value in facts.items() if value is not None}


def pairs_of(mapping: FieldMapping) -> dict[str, golden.Pair]:
    files = [file for root in FOLDERS["mappings"] for file in sorted(root.glob(golden.pattern(mapping.name)))]
    return {file.name: golden.load(file.read_bytes(), file.name) for file in files}


def test_golden_pairs_hold(mapping: FieldMapping) -> None:
    pairs = pairs_of(mapping)
    assert pairs
    assert [str(difference) for difference in golden.run(mapping, pairs, reveal=True)] == []


def test_golden_pairs_show_every_row_both_ways(mapping: FieldMapping) -> None:
    data, origin = load(mapping.name)
    own = origin if "extends" in data else ""
    assert golden.uncovered(mapping, pairs_of(mapping).values(), own) == []


def test_facts_are_in_the_spelling_that_is_compared(mapping: FieldMapping) -> None:
    for pair in pairs_of(mapping).values():
        if pair.read is not None:
            facts = dict(mapping.read(pair.read.record).facts)
            assert normal(facts) == facts


@pytest.mark.parametrize("name", NAMES)
def test_what_reads_without_a_stop_is_written_and_reads_the_same(name: str) -> None:
    mapping = MAPPINGS[name]
    for pair in pairs_of(mapping).values():
        if pair.read is None or pair.read.stopped:
            continue
        facts = mapping.read(pair.read.record).facts
        onto = mapping.write(facts, pair.read.record)
        assert not onto.left_out
        assert not onto.stopped
        assert known(mapping.expected(onto.record)) == known(facts)


# Our side, generated from what the referral says of each field.

_WORDS = st.text("abcŵŷâêîôûÁÈ'- xyz", min_size=1, max_size=9).filter(lambda text: text.strip() == text)
_DAYS = st.dates().map(lambda day: day.isoformat()).filter(lambda day: day != "0001-01-01")
_INSTANTS = st.integers(0, 4_000_000_000).map(
    lambda second: datetime.fromtimestamp(second, UTC).replace(tzinfo=None).isoformat() + "Z"
)
_TELEPHONES = st.integers(0, 999).map(lambda number: f"+447700900{number:03d}")
_OF_ONE_SHAPE = {
    "person.address.postcode": "NP44 1AA", "person.address.uprn": "10012345678", "person.nhs_number": "9990000018",
}  # fmt: skip


def values_of(mapping: FieldMapping, path: str, within: str = "") -> st.SearchStrategy[Any]:
    declared = fieldpaths.type_of(path, within)
    row = next((row for row in _rows(mapping) if row["ours"] == path), {})
    if "codes" in row:
        one: st.SearchStrategy[Any] = st.sampled_from(sorted(codes(row["codes"]).writes()))
    elif row.get("as") == "phone":
        one = _TELEPHONES
    elif path in _OF_ONE_SHAPE:
        one = st.just(_OF_ONE_SHAPE[path])
    else:
        one = {
            Kind.BOOLEAN: st.booleans(), Kind.INSTANT: _INSTANTS, Kind.PARTIAL_DATE: _DAYS, Kind.WHEN: _DAYS,
        }.get(declared.kind, _WORDS)  # fmt: skip
    return st.lists(one, min_size=1, max_size=3) if declared.many else one


def _rows(mapping: FieldMapping) -> list[dict[str, Any]]:
    data, _ = load(mapping.name)
    below = _rows(MAPPINGS[data["extends"]]) if "extends" in data else []
    own = [row for row in data["fields"] if row.get("ours")]
    return own + [row for row in below if row["ours"] not in {mine["ours"] for mine in own}]


def facts_for(mapping: FieldMapping, *, every: bool) -> st.SearchStrategy[dict[str, Any]]:
    both = [row.ours for row in mapping.rows if row.direction == "both"]
    fields: dict[str, st.SearchStrategy[Any]] = {path: values_of(mapping, path) for path in both if path != "needs"}
    need = st.fixed_dictionaries(
        {"code": st.sampled_from(sorted(codes(f"{mapping.system}-need").writes()))}, optional={"text": _WORDS}
    )
    fields["needs"] = st.lists(need, min_size=1, max_size=4)
    return st.fixed_dictionaries(fields) if every else st.fixed_dictionaries({}, optional=fields)


@pytest.mark.parametrize("name", NAMES)
def test_whatever_we_write_reads_the_same(name: str) -> None:
    mapping = MAPPINGS[name]
    repeated = {path for path in mapping.fields if path.endswith(("_at", ".at"))}

    @settings(max_examples=100, deadline=None)
    @given(facts_for(mapping, every=True))
    def law(facts: dict[str, Any]) -> None:
        writing = mapping.write(facts)
        assert not writing.stopped
        assert not writing.left_out
        reading = mapping.read(writing.record)
        found = dict(reading.facts)
        for remark in reading.remarks:  # the hour that comes twice is declared lossy
            assert remark.field in repeated
            found.pop(remark.field)
            facts.pop(remark.field)
        assert found == facts

    law()


@pytest.mark.parametrize("name", NAMES)
def test_writing_part_of_it_changes_only_that_part(name: str) -> None:
    mapping = MAPPINGS[name]
    held = next(pair.read.record for pair in pairs_of(mapping).values() if pair.read and not pair.read.left_out)
    before = mapping.read(held).facts

    @settings(max_examples=100, deadline=None)
    @given(facts_for(mapping, every=False))
    def law(facts: dict[str, Any]) -> None:
        reading = mapping.read(mapping.write(facts, held).record)
        doubtful = {remark.field for remark in reading.remarks}
        after = {path: value for path, value in reading.facts.items() if path not in doubtful}
        wanted = {path: value for path, value in {**before, **facts}.items() if path not in doubtful}
        assert known(after) == known(_without_leads(wanted, after))

    law()


def _without_leads(wanted: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """A group without the value that leads it is not written: what else was to be in it is not there."""
    gone = {
        "referrer.": "referrer.kind",
        "notify.opt_in[channel=text].": "notify.opt_in[channel=text].opted_in",
        "person.telecom[system=phone,use=mobile].": "person.telecom[system=phone,use=mobile].value",
    }
    kept = dict(wanted)
    for prefix, lead in gone.items():
        if wanted.get(lead) is None:
            for path in [path for path in kept if path.startswith(prefix)]:
                if path in after:
                    kept[path] = after[path]
                else:
                    del kept[path]
    return kept


# Their side: the interfaces that connectors have pinned.


def test_every_path_of_casework_is_in_its_wsdl() -> None:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    tree = etree.parse(ROOT / "connectors" / "interfaces" / "casework.wsdl", parser)
    types = {one.get("name"): one for one in tree.iter(f"{XS}complexType") if one.get("name")}

    def reaches(steps: tuple[paths.Step, ...], type_name: str) -> bool:
        first, *rest = steps
        if first.key == ".":
            return True
        kind = "attribute" if first.key.startswith("@") else "element"
        for element in types[type_name].iter(f"{XS}{kind}"):
            if element.get("name") == first.key.removeprefix("@"):
                return not rest or reaches(tuple(rest), (element.get("type") or "").removeprefix("cw:"))
        return False

    for name in ("casework/referral", "blaenau-gwent/referral"):
        for row in MAPPINGS[name].rows:
            assert reaches(paths.parse(row.theirs), "Referral"), row.theirs
    mapped = {row.theirs.split("/")[0] for row in MAPPINGS["blaenau-gwent/referral"].rows}
    elements = {element.get("name") for element in types["Referral"].iter(f"{XS}element")}
    kept_out = {"ReferralId", "Version", "LastChanged", "ClientReference", "OfficerNotes", "Extra"}
    assert elements - mapped == kept_out


@pytest.mark.parametrize("name", ["contact/request", "blaenau-gwent/request"])
def test_what_is_created_in_contact_fits_its_interface(name: str) -> None:
    mapping = MAPPINGS[name]
    document = read_yaml(ROOT / "connectors" / "interfaces" / "contact.openapi.yaml").data
    schema = {"$ref": "#/components/schemas/RequestWritten", "components": document["components"]}
    valid: Callable[[Any], Any] = Draft202012Validator(schema).validate
    needed = ("type", "priority", "received_at", "person.name.given", "person.name.family", "safeguarding_flag",
              "restricted_record", "status", "person.telecom[system=email].value")  # fmt: skip

    @settings(max_examples=100, deadline=None)
    @given(
        facts_for(mapping, every=True),
        st.sets(st.sampled_from(mapping.fields)),
        st.sets(st.sampled_from(mapping.fields)),
    )
    def law(facts: dict[str, Any], unknown: set[str], empty: set[str]) -> None:
        facts |= {path: None for path in empty if path not in needed}
        facts = {path: value for path, value in facts.items() if path in needed or path not in unknown}
        writing = mapping.write(facts)
        assert not writing.stopped
        valid(writing.record)

    law()


def test_nobody_real_is_in_a_golden_pair(mapping: FieldMapping) -> None:
    for pair in pairs_of(mapping).values():
        facts = {**(pair.read.facts if pair.read else {}), **(pair.write.facts or {} if pair.write else {})}
        for path, value in facts.items():
            if path == "person.nhs_number" and value:
                assert value.startswith("999")
            elif path.endswith("use=mobile].value") and value:
                assert value.startswith("+447700900")
            elif path.endswith("email].value") and value:
                assert value.endswith("@example.org")


def test_welsh_displays_are_there_and_say_that_they_await_a_checker() -> None:
    for folder in FOLDERS["codes"]:
        for file in sorted(folder.glob("*.csv")):
            for row in parse(file.read_bytes(), file.stem).rows:
                assert row.cy, (file.name, row.line)
                assert row.en, (file.name, row.line)
                assert "awaits a Welsh checker" in row.note
