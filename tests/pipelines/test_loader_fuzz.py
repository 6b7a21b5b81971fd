"""Whatever a tired person writes in a mapping or a profile ends in findings with file, line and remedy, and quickly.

First each mistake by name, with its whole line; then any mistake anywhere, by chance.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from config.documents import parse_yaml
from config.findings import Finding, SiteFaults
from config.layers import Layers
from connectors.problems import ProfileFaults
from connectors.registry import check_profile
from mappings.file import ItemRow, MappingFile, Row
from pipelines.library import Library, findings_of, shipped_folders

MAPPING = """system: casework
record: Referral
empty: omit
optional: {Subject/Address: omit}
choices: [[Subject/Email, Subject/Fax]]
fields:
  - {ours: status, theirs: Status, codes: casework-status, needed: true}
  - {ours: person.name.family, theirs: Subject/Surname, max_length: 70}
  - ours: person.date_of_birth
    theirs: Subject/DOB
    as: date
    absent: ["0001-01-01"]
    default: {write: null}
  - {ours: person.address.town, theirs: Subject/Address/Town}
  - {ours: "person.telecom[system=email].value", theirs: Subject/Email}
  - {ours: "appointments[kind=visit].start", theirs: [Day, Time], as: date-and-time, lossy: true}
  - {ours: [reason.code, reason.text], theirs: Why, as: parts, options: {separator: "|"}}
  - {constant: DOLEN, theirs: From}
  - ours: needs
    theirs: Needs/Need
    where: {Kind: need}
    each:
      - {ours: code, theirs: "@code", codes: casework-need, key: true}
      - {ours: text, theirs: "."}
"""
SOAP, REST = ((shipped_folders()["profiles"] / f"{name}.yaml").read_text("utf-8") for name in ("casework", "contact"))
SECONDS = 5  # of processor time for one file, on a machine that does much else; the worst takes a tenth of it


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fuzz")
    for kind in ("mappings", "profiles"):
        (folder / kind).mkdir()
    return folder


def mapping_findings(site: Path, raw: bytes, **more: str) -> list[Finding]:
    """What is said of a mapping file; nothing if it compiles."""
    (site / "mappings" / "mine.yaml").write_bytes(raw)
    for name, text in more.items():
        (site / "mappings" / f"{name}.yaml").write_text(text, encoding="utf-8")
    try:
        Library(Layers(site, shipped_folders())).mapping("mine", "Europe/London")
    except SiteFaults as faults:
        return list(faults.findings)
    return []


def profile_findings(raw: bytes) -> list[Finding]:
    """What is said of a profile, as `dolen check` says it."""
    try:
        document = parse_yaml(raw, Path("profiles/mine.yaml"))
    except SiteFaults as faults:
        return list(faults.findings)
    try:
        check_profile(document.data if isinstance(document.data, dict) else {})
    except ProfileFaults as faults:
        return findings_of(document, faults.problems)
    return []


def sound(findings: list[Finding]) -> None:
    for finding in findings:
        assert finding.file.endswith(("mine.yaml", "shared.yaml")), finding
        assert finding.line >= 0
        assert finding.found
        assert finding.expected
        assert finding.remedy
        line = str(finding)
        assert "\n" not in line
        assert "Traceback" not in line
        assert len(line) < 2_000


# --- each mistake by its name ------------------------------------------------------------------------------------


def line_of(part: str) -> int:
    return MAPPING[: MAPPING.index(part)].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    theirs: Subject/DOB", "   theirs: Subject/DOB",
         "mine.yaml:10:4: found a line indented differently from its neighbours, expected the same indentation "
         "for the keys "
         "of one section; line the key up with those above it"),
        ("    as: date\n", "\tas: date\n",
         "mine.yaml:11:1: found a tab, expected spaces; indent with two spaces a level, never with tabs"),
        ("record: Referral", "record: Referral\nrecord: Case",
         "mine.yaml:3:1 record: found the key 'record' twice, expected each key once; delete one of them; it "
         "stands already in "
         "line 2"),
        ("record: Referral", "record: NO", ""),
        ("needed: true", "needed: NO",
         "mine.yaml:7:60 fields[0].needed: found 'NO', expected true or false; write what is expected here"),
        ("absent: [\"0001-01-01\"]", "absent: *empties",
         "mine.yaml:12:13 fields[2].absent: found an alias (*empties), expected each value written out; write "
         "the value "
         "out here"),
        ("person.name.family,", "person.name.famly,",
         "mine.yaml:8:6 fields[1].ours: found 'person.name.famly', expected a field of the referral; did you mean "
         "'person.name.family'?"),
        ("theirs: Subject/Surname", "theirs: Subject//Surname",
         "mine.yaml:8:32 fields[1].theirs: found an empty step in 'Subject//Surname', expected steps such as "
         "Subject, @code, . "
         "or contacts[type=mobile], between slashes; correct the path"),
        ("codes: casework-status", "codes: casework-statsu",
         "mine.yaml:7:36 fields[0].codes: found no code list named 'casework-statsu', expected the name of a "
         "CSV file beside the "
         "mappings; correct the name, or add the file"),
        ("as: date\n", "as: daet\n",
         "mine.yaml:11:5 fields[2].as: found the converter 'daet', expected the name of a converter; did you "
         "mean date?"),
        ("max_length: 70", "max_lenght: 70",
         "mine.yaml:8:57 fields[1].max_lenght: found unknown key 'max_lenght', expected a key of the format; "
         "did you mean "
         "`max_length`?"),
        ("max_length: 70", "max_length: seventy",
         "mine.yaml:8:57 fields[1].max_length: found 'seventy', expected a whole number; write what is expected here"),
        ("system: casework", "extends: mine",
         "mine.yaml:1:1 extends: found a loop or too long a chain: mine -> mine, expected files that end in one "
         "without "
         "`extends`; take out one `extends`"),
        ("system: casework", "extends: nowhere",
         "mine.yaml:1:1 extends: found no mapping named 'nowhere', expected the name of a shipped mapping or of "
         "the site's own; "
         "correct the name, or add the file"),
        ("system: casework", "extends: ../../../etc/passwd",
         "mine.yaml:1:1 extends: found no mapping named '../../../etc/passwd', expected the name of a shipped "
         "mapping or of the "
         "site's own; correct the name, or add the file"),
        ("theirs: Status", "theirs: Subject/Surname",
         "mine.yaml:8:32 fields[1].theirs: found `Subject/Surname` beside `Subject/Surname`, expected one row "
         "that writes a "
         "path; give one of the two `direction: read`, or take it out"),
        ("lossy: true", "lossy: false",
         "mine.yaml:16:67 fields[5].as: found the converter date-and-time on a row that is not declared lossy, "
         "expected `lossy: "
         "which of two times in the hour that comes twice`, or `lossy: true`; add `lossy`, or a `direction`"),
        ("Subject/Email, Subject/Fax", "Subject/Email, Fax",
         "mine.yaml:5:11 choices[0]: found paths in different groups, expected members that stand beside one "
         "another; correct "
         "the paths"),
    ],
)  # fmt: skip
def test_one_clear_line(site: Path, old: str, new: str, said: str) -> None:
    assert MAPPING.count(old) >= 1
    findings = mapping_findings(site, MAPPING.replace(old, new, 1).encode())
    sound(findings)
    assert [str(finding).removeprefix("mappings/") for finding in findings] == ([said] if said else [])


def test_saved_by_an_editor_of_windows(site: Path) -> None:
    assert mapping_findings(site, b"\xef\xbb\xbf" + MAPPING.replace("\n", "\r\n").encode()) == []
    welsh = MAPPING.replace("DOLEN", "Tŷ Cymorth â chi")
    assert mapping_findings(site, welsh.encode("utf-8")) == []
    [finding] = mapping_findings(site, MAPPING.replace("DOLEN", "Cyngor Cwmbrân").encode("cp1252"))
    assert (finding.line, "Windows-1252" in finding.found) == (line_of("DOLEN"), True)
    [finding] = mapping_findings(site, MAPPING.encode("utf-16"))
    assert "UTF-16" in finding.found


def test_a_loop_of_three_files_names_the_chain(site: Path) -> None:
    row = "fields:\n  - {ours: status}\n"
    findings = mapping_findings(site, f"extends: b\n{row}".encode(), b=f"extends: c\n{row}", c=f"extends: mine\n{row}")
    assert ["mine -> b -> c -> mine" in finding.found for finding in findings] == [True]


@pytest.mark.parametrize(
    "deep", ["[" * 2_000, "{a: " * 2_000, "- " * 2_000, "".join(f"{' ' * n}a:\n" for n in range(900))]
)
def test_nesting_beyond_reason_ends_at_once(site: Path, deep: str) -> None:
    began = time.process_time()
    for findings in (mapping_findings(site, (MAPPING + deep).encode()), mapping_findings(site, deep.encode()),
                     profile_findings(deep.encode())):  # fmt: skip
        assert findings
        sound([finding for finding in findings if finding.file])
    assert time.process_time() - began < SECONDS


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("protocol: soap", "protocol: sopa", (3, "protocol")),
        ("protocol: soap", "protocol: [soap]", (3, "protocol")),
        ("clock: Europe/London", "clock: Europe/Londn", (6, "clock")),
        ("id: ReferralId, version", "id: [ReferralId], version", (9, "records.Referral.item.id")),
        ("interface: interfaces/casework.wsdl", "interface: ../casework.wsdl", (4, "interface")),
        ("    item: {", "    itme: {", (9, "records.Referral.itme")),
    ],
)
def test_a_profile_is_told_where_it_is_wrong(old: str, new: str, place: tuple[int, str]) -> None:
    assert old in SOAP
    findings = profile_findings(SOAP.replace(old, new, 1).encode())
    sound(findings)
    assert place in [(finding.line, finding.key) for finding in findings]


# --- a wrong type at every key -----------------------------------------------------------------------------------

WRONG: list[Any] = [
    None,
    True,
    0,
    -1,
    2.5,
    "",
    "x",
    "NO",
    [],
    ["x"],
    [[]],
    [None],
    {},
    {"x": "y"},
    [{}],
    10**30,
    "a/b",
    ".",
]


def spots(data: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in inner:
        yield (*at, key)
        yield from spots(value, (*at, key))


def with_value(data: Any, spot: tuple[Any, ...], value: Any) -> Any:
    data = orjson.loads(orjson.dumps(data))
    inside = data
    for step in spot[:-1]:
        inside = inside[step]
    inside[spot[-1]] = value
    return data


def as_yaml(data: Any) -> bytes:
    return orjson.dumps(data, option=orjson.OPT_INDENT_2) if _fits(data) else b"x"


def _fits(data: Any) -> bool:
    try:
        orjson.dumps(data)
    except TypeError:
        return False
    return True


def test_a_wrong_type_at_every_key_of_a_mapping() -> None:
    from mappings.codes import CodeList, parse
    from mappings.compile import compile_mapping
    from mappings.mapping import MappingFaults

    def codes(name: str) -> CodeList:
        found = Layers(Path(), shipped_folders()).find("codes", str(name))
        if found is None:
            raise LookupError(name)
        return parse(found.path.read_bytes(), name)

    data = parse_yaml(MAPPING.encode(), Path("mine.yaml")).data
    tried = set()
    for spot in spots(data):
        for value in WRONG:
            try:
                compile_mapping(
                    "mine",
                    lambda _, spot=spot, value=value: (with_value_any(data, spot, value), "mine.yaml"),
                    codes,
                    "UTC",
                )
            except MappingFaults as faults:
                places = [fault.path for fault in faults.faults]
                assert len(places) == len(set(map(str, zip(places, faults.faults, strict=True))))
                assert all(fault.found and fault.expected and fault.remedy for fault in faults.faults)
        tried |= {step for step in spot if isinstance(step, str)}
    named = {info.alias or name for model in (MappingFile, Row, ItemRow) for name, info in model.model_fields.items()}
    assert named - tried <= {"extends", "zone", "direction", "max_items", "lead", "missing", "drop", "note"}


def with_value_any(data: Any, spot: tuple[Any, ...], value: Any) -> Any:
    """The same as `with_value`, for values that JSON cannot hold."""
    made = with_value(data, spot, None)
    inside = made
    for step in spot[:-1]:
        inside = inside[step]
    inside[spot[-1]] = value
    return made


@pytest.mark.parametrize("text", [SOAP, REST], ids=["soap", "rest"])
def test_a_wrong_type_at_every_key_of_a_profile(text: str) -> None:
    data = parse_yaml(text.encode(), Path("profiles/mine.yaml")).data
    for number, spot in enumerate(spots(data)):
        for value in WRONG[number % 3 :: 3]:
            try:
                check_profile(with_value_any(data, spot, value))
            except ProfileFaults as faults:
                assert faults.problems
                assert all(problem.found and problem.expected for problem in faults.problems)


# --- any mistake anywhere ----------------------------------------------------------------------------------------

PIECES = [
    "\t", "  ", " ", "\n", "- ", ": ", ":", "#", "[", "]", "{", "}", ",", "'", '"', "|", ">", "*a", "&a ", "!!str ",
    "!x ", "<<: ", "? ", "---\n", "...\n", "%YAML 1.1\n", "NO", "null", "~", "0123", "1e9", ".inf", "ours", "theirs: x",
    "each:", "extends: mine\n", "drop: true", "\u2028", "\x00", "\u202e", "\ufeff", "ŵ", "\x85", "[[[[", "2026-02-30",
    "0x1F", "@code",
    "person.", "a[b=c]", "a[", "/", "//", "choices: [[a, b]]\n", "as: parts", "options: {separator: ''}",
]  # fmt: skip


def mangled(text: str, chance: random.Random) -> str:
    """A text with one to three mistakes of the kinds that hands make."""
    for _ in range(chance.randrange(1, 4)):
        lines = text.split("\n")
        at = chance.randrange(len(lines))
        spot = chance.randrange(len(text) + 1)
        match chance.randrange(7):
            case 0:
                lines[at] = " " * chance.randrange(5) + lines[at].lstrip(" ")
            case 1:
                lines.insert(at, lines[chance.randrange(len(lines))])
            case 2:
                del lines[at]
            case 3:
                lines[at] = lines[at].replace(": ", chance.choice([":", " : ", ":\t", "= "]), 1)
            case 4:
                lines[at] = "\t" + lines[at]
            case _:
                lines = (text[:spot] + chance.choice(PIECES) + text[spot + chance.randrange(4) :]).split("\n")
        text = "\n".join(lines) or " "
    return text


QUIET = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)


@settings(suppress_health_check=QUIET, max_examples=120, deadline=None)
@given(seed=st.integers(0, 2**32), codec=st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-8-sig", "cp1252", "utf-16"]))
@example(seed=0, codec="cp1252")
def test_a_mapping_with_mistakes_anywhere(site: Path, seed: int, codec: str) -> None:
    began = time.process_time()
    sound(mapping_findings(site, mangled(MAPPING, random.Random(seed)).encode(codec, "replace")))
    assert time.process_time() - began < SECONDS


@settings(suppress_health_check=QUIET, max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_an_overlay_with_mistakes_anywhere(site: Path, seed: int) -> None:
    own = "extends: shared\nfields:\n  - {ours: status, codes: casework-status}\n"
    own += "  - {ours: needs, each: [{ours: text, drop: true}]}\n  - {ours: person.address.town, drop: true}\n"
    own += "  - {ours: [reason.code, reason.text], as: full-name, lossy: true}\n"
    sound(mapping_findings(site, mangled(own, random.Random(seed)).encode(), shared=MAPPING))


@settings(suppress_health_check=QUIET, max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), text=st.sampled_from([SOAP, REST]))
def test_a_profile_with_mistakes_anywhere(seed: int, text: str) -> None:
    began = time.process_time()
    sound(profile_findings(mangled(text, random.Random(seed)).encode()))
    assert time.process_time() - began < SECONDS
