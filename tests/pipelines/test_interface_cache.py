"""What was read of an interface is kept, believed only while the files are as they were, and never in the site."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from config.findings import Severity
from pipelines.check import check
from pipelines.interface_cache import InterfaceCache, folder_of

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "config" / "example"
PROFILE = {"system": "t"}


class Files:
    """Pinned files in memory, and how often they were worked on."""

    def __init__(self) -> None:
        self.files = {"a.wsdl": b"one", "b.xsd": b"two"}
        self.asked = 0

    def read(self, name: str) -> bytes:
        return self.files[name]

    def ask(self, reading: Any) -> list[str]:
        self.asked += 1
        return [reading(name).decode() for name in sorted(self.files)]

    def answer(self, folder: Path | None, profile: Any = PROFILE) -> Any:
        return InterfaceCache(folder).answer("x", profile, self.read, self.ask)


@pytest.fixture
def files() -> Files:
    return Files()


def entry(folder: Path) -> Path:
    (found,) = folder.glob("*.json")
    return found


def test_the_second_time_nothing_is_read_anew(files: Files, tmp_path: Path) -> None:
    assert files.answer(tmp_path) == ["one", "two"]
    assert files.answer(tmp_path) == ["one", "two"]
    assert files.asked == 1


def test_a_file_that_changed_is_read_anew_also_one_that_is_only_imported(files: Files, tmp_path: Path) -> None:
    files.answer(tmp_path)
    files.files["b.xsd"] = b"three"
    assert files.answer(tmp_path) == ["one", "three"]
    del files.files["b.xsd"]
    assert files.answer(tmp_path) == ["one"]


def test_another_profile_is_another_question(files: Files, tmp_path: Path) -> None:
    files.answer(tmp_path)
    files.answer(tmp_path, {"system": "u"})
    assert files.asked == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes().replace(b"one", b"won")),
        lambda path: path.write_bytes(path.read_bytes()[:-4]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b'{"version": 0}\n[]'),
        lambda path: path.write_bytes(b"\xff\xfe[[[["),
        lambda path: (path.unlink(), path.mkdir()),
    ],
)
def test_a_damaged_entry_is_no_entry(files: Files, tmp_path: Path, damage: Any) -> None:
    files.answer(tmp_path)
    damage(entry(tmp_path))
    assert files.answer(tmp_path) == ["one", "two"]
    assert files.asked == 2


def test_a_folder_that_cannot_be_used_is_no_fault(files: Files, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    assert files.answer(tmp_path / "taken") == ["one", "two"]
    assert files.answer(None) == ["one", "two"]


def test_entries_do_not_grow_for_ever(files: Files, tmp_path: Path) -> None:
    for number in range(205):
        files.answer(tmp_path, {"system": str(number)})
    assert len(list(tmp_path.iterdir())) == 200


def test_where_it_lies(tmp_path: Path) -> None:
    own = {"XDG_CACHE_HOME": str(tmp_path), "LOCALAPPDATA": str(tmp_path)}
    assert folder_of(own) == tmp_path / "dolen" / "interfaces"
    assert folder_of({"XDG_CACHE_HOME": "relative", "LOCALAPPDATA": "relative"}) != Path("relative/dolen/interfaces")


def _large(least: int) -> str:
    """The shipped WSDL, grown to so many bytes by types of twenty elements that stand in the record."""
    text = (ROOT / "connectors" / "interfaces" / "casework.wsdl").read_text(encoding="utf-8")
    types, uses, size, number = [], [], len(text), 0
    while size < least:
        elements = "".join(
            f'\n          <xs:element name="Element{number}x{inner}" type="cw:Words" minOccurs="0"/>'
            for inner in range(20)
        )
        types.append(f'<xs:complexType name="Large{number}"><xs:sequence>{elements}</xs:sequence></xs:complexType>\n')
        uses.append(f'<xs:element name="Large{number}" type="cw:Large{number}" minOccurs="0"/>\n')
        size, number = size + len(types[-1]) + len(uses[-1]), number + 1
    extra = '<xs:element name="Extra" type="cw:Extra" minOccurs="0"/>'
    text = text.replace('<xs:complexType name="Referral">', "".join(types) + '<xs:complexType name="Referral">')
    return text.replace(extra, extra + "".join(uses))


def test_a_large_wsdl_is_parsed_once_and_the_site_is_not_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    site = Path(shutil.copytree(EXAMPLE, tmp_path / "site"))
    (site / "interfaces").mkdir()
    (site / "interfaces" / "casework.wsdl").write_text(_large(300_000), encoding="utf-8")
    before = {path: path.stat().st_mtime_ns for path in site.rglob("*")}
    first = check(site, environment={})
    began = time.process_time()
    second = check(site, environment={})
    assert time.process_time() - began < 2.0  # 0.6 s on a quiet core
    assert first == second
    assert [one for one in second if one.severity is Severity.ERROR] == []
    assert {path: path.stat().st_mtime_ns for path in site.rglob("*")} == before
    kept = list((tmp_path / "cache").rglob("*.json"))
    assert any(len(path.read_bytes()) > 100_000 for path in kept)
    assert all(json.loads(path.read_bytes().partition(b"\n")[0])["version"] == 1 for path in kept)


def test_the_whole_example_site_is_checked_within_two_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    began = time.process_time()
    check(EXAMPLE, environment={})
    assert time.process_time() - began < 2.0  # processor time, with nothing in the cache
