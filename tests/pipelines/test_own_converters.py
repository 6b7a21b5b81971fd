"""Converters that a site adds: used like any other, tried before use, kept with the version; what is wrong with one."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

import pytest

from config.findings import Finding, SiteFaults
from pipelines import composition
from pipelines.check import check
from pipelines.library import Library

EXAMPLE = Path(__file__).resolve().parents[2] / "config" / "example"
WARD = '''"""Wards of the council's own system."""

from mappings.converters.port import Converter, Declared, Example, Request, WrongType
from mappings.meta import Kind


def ward(request: Request) -> Converter:
    """A ward as W followed by its number; ours is the number."""
    mark = str(request.options.get("mark", "W"))

    def read(value):
        if not isinstance(value, str) or not value.startswith(mark):
            raise WrongType("a ward, as W12")
        return value[len(mark):]

    def write(value):
        return mark + value

    return Converter(request.name, read, write, "nothing changes", (Kind.TEXT, Kind.ANY), ("string",), exact=True)


CONVERTERS = {
    "ward": Declared(ward, {"mark": "what stands before the number"}, (Example("W12", "12"),)),
}
'''
ROW = "  - {ours: extensions.blaenau-gwent.ward, theirs: Extra, as: ward}\n"
MAPPING = "mappings/blaenau-gwent/referral.yaml"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "site"))


def add(site: Path, text: str = WARD, name: str = "wards.py") -> None:
    path = site / "converters" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


def use(site: Path, row: str = ROW) -> None:
    path = site / MAPPING
    path.write_text(path.read_text(encoding="utf-8") + row, encoding="utf-8")


def library(site: Path) -> Library:
    return Library(composition.load(site).layers)


def found(site: Path) -> list[Finding]:
    """What is wrong with the site's converters and with the mapping that uses them."""
    there = library(site)
    findings = list(there.own_converters().findings)
    try:
        there.mapping("blaenau-gwent/referral", "Europe/London")
    except SiteFaults as faults:
        findings += faults.findings
    return sorted(set(findings))


def only(site: Path) -> Finding:
    [finding] = found(site)
    return finding


def test_it_is_used_like_any_other_and_kept_with_the_version(site: Path) -> None:
    add(site)
    before = library(site).mapping("blaenau-gwent/referral", "Europe/London")
    use(site)
    mapping = library(site).mapping("blaenau-gwent/referral", "Europe/London")
    assert mapping.read({"Extra": "W7"}).facts["extensions.blaenau-gwent.ward"] == "7"
    assert mapping.write({"extensions.blaenau-gwent.ward": "7"}).record["Extra"] == "W7"
    kept = dict(mapping.artifacts.values())
    assert kept["converter"] == WARD.encode()
    assert "converter" not in {kind for kind, _ in before.artifacts.values()}
    add(site, WARD.replace('raise WrongType("a ward, as W12")', "raise IndexError(value)"))
    use(site)
    mapping = library(site).mapping("blaenau-gwent/referral", "Europe/London")
    [gap] = mapping.read({"Extra": "secret"}).left_out
    assert (gap.kind, gap.reason) == ("wrong type", "a value that the converter ward reads")
    [gap] = mapping.write({"extensions.blaenau-gwent.ward": ["secret"]}).left_out
    assert "secret" not in str(gap)


def test_what_is_no_json_is_refused(site: Path) -> None:
    add(site, WARD.replace("return value[len(mark):]", "return {value} if value != 'W12' else '12'"))
    use(site)
    mapping = library(site).mapping("blaenau-gwent/referral", "Europe/London")
    assert [gap.kind for gap in mapping.read({"Extra": "W7"}).left_out] == ["wrong type"]


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "at", "words"),
    [
        ("from mappings.meta", "from mappings.mata", "from mappings.mata", "cannot be imported"),
        ("def ward(", "def ward((", "def ward((", "not Python"),
        ("CONVERTERS = {", "raise SystemExit(3)\nCONVERTERS = {", "raise SystemExit", "cannot be imported"),
        ("CONVERTERS =", "CONVERTER =", "", "no table CONVERTERS"),
        ('"ward": Dec', '"date": Dec', '"date": Dec', "which Dolen itself has"),
        ('"ward": Dec', '"full-name": Dec', '"full-name": Dec', "which Dolen itself has"),
        ('"ward": Dec', '"Ward 7": Dec', '"Ward 7": Dec', "the name 'Ward 7'"),
        (
            'Declared(ward, {"mark": "what stands before the number"}, (Example("W12", "12"),))',
            "ward",
            '"ward":',
            "else",
        ),
        (', (Example("W12", "12"),)', "", '"ward":', "without an example"),
        ('Example("W12", "12")', 'Example("W12", "13")', '"ward":', "reads an example as something else"),
        ("return mark + value", "return value", "raise WrongType", "raises WrongType"),
        ("return mark + value", 'return mark + "0" + value', '"ward":', "does not read what it has written"),
        ("return mark + value", "return 1 / 0", "return 1 / 0", "raises ZeroDivisionError"),
        ("return Converter(", "return str(", "", "TypeError"),
        ("return Converter(", "return 5\n    Converter(", '"ward":', "no Converter"),
    ],
)
def test_what_is_wrong_is_one_finding_with_its_line(site: Path, old: str, new: str, at: str, words: str) -> None:
    assert old in WARD
    text = WARD.replace(old, new, 1)
    add(site, text)
    use(site)
    finding = only(site)
    assert finding.file == "converters/wards.py"
    assert words in finding.found
    if at:
        assert finding.line == line_of(text, at)
    assert finding.expected
    assert finding.remedy
    assert "Traceback" not in str(finding)


def test_check_tells_it_once(site: Path) -> None:
    add(site, WARD.replace("def ward(", "def ward(("))
    use(site)
    [finding] = [one for one in check(site, environment={}) if one.severity.value == "error"]
    assert str(finding).startswith("converters/wards.py:7:1: found text that is not Python")


def test_an_exact_one_writes_its_example_back(site: Path) -> None:
    loose = WARD.replace("return value[len(mark):]", "return value[len(mark):].lstrip('0')")
    add(site, loose.replace('Example("W12", "12")', 'Example("W012", "12")'))
    assert "exact" in only(site).found


def test_two_modules_cannot_have_one_name(site: Path) -> None:
    add(site)
    add(site, WARD, "zards.py")
    assert only(site).file == "converters/zards.py"
    assert "another module" in only(site).found


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_out_of_the_folder_is_not_followed(site: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.py"
    outside.write_text("raise RuntimeError('was run')", encoding="utf-8")
    (site / "converters").mkdir()
    (site / "converters" / "outside.py").symlink_to(outside)
    assert "leads out" in only(site).found


def test_a_module_may_hold_dataclasses_and_is_read_in_no_time(site: Path) -> None:
    text = WARD.replace(
        "\ndef ward",
        "\nfrom dataclasses import dataclass\n\n@dataclass(frozen=True)\nclass A:\n    b: int\n\n\ndef ward",
    )
    add(site, "from __future__ import annotations\n" + text)
    began = time.process_time()
    assert list(library(site).own_converters().converters) == ["ward"]
    assert time.process_time() - began < 1
    add(site, "x = 1\n" * 60_000)
    assert "256 kB" in only(site).found
