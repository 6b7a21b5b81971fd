"""docs/connect-a-system.md, followed to the letter: every command that it shows, against the system that it shows.

The commands run in the order of the page, a few to a process; what the page asks a person to edit is edited between.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console import tutorial
from tests.console.tutorial import ROOT, Tutorial, edit

PAGE = Tutorial("connect-a-system.md")
shown = PAGE.shown


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder as the reader's, with the pretend system running beside it."""
    shutil.copytree(ROOT / "docs/connect-a-system", tmp_path / "docs/connect-a-system")
    script = str(tmp_path / "docs/connect-a-system/pretend_system.py")
    with subprocess.Popen([sys.executable, script, "0"], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        (tmp_path / "address").write_text(server.stdout.readline().split()[-1], encoding="utf-8")
        yield tmp_path
        server.terminate()


def follow(folder: Path, *lines: str) -> list[tuple[int, str]]:
    return tutorial.follow(folder, *lines, MY_COUNCIL_CYNEFIN_PASSWORD="pretend")


def block(number: int, language: str) -> str:
    return PAGE.blocks(number, language)[0]


def test_a_reader_who_follows_the_page_has_records_read(folder: Path) -> None:
    site = folder / "my-site"
    new, begun = follow(folder, *shown(2))
    assert (new[0], begun[0]) == (0, 0), begun[1]
    counts = re.search(r"of (\d+) values (\d+) in force \(\d+ sure\), (\d+) guessed and commented out, (\d+)", begun[1])
    said = re.search(r"of (\d+) values (\d+) are in force, (\d+) were guessed and are commented out, (\d+)", PAGE.text)
    assert counts is not None
    assert said is not None
    assert counts.groups() == said.groups()

    address = (folder / "address").read_text(encoding="utf-8")
    council = block(3, "yaml").replace("http://127.0.0.1:8790/cases", address)
    (site / "config/councils/my-council.yaml").write_text(council, encoding="utf-8")
    ((_, text),) = follow(folder, *shown(3))
    wrong = [line for line in text.splitlines() if line.startswith("error:")]
    assert {"no row that writes" in line or "no row in force that reads `status`" in line for line in wrong} == {True}

    mapping = site / "mappings/cynefin/servicecase.yaml"
    for row in block(4, "yaml").splitlines():
        edit(mapping, rf"^  # {re.escape(row.strip())}$", f"  {row.strip()}")
    edit(mapping, r"^  # - \{ours: , .*\n", "")
    check, test = follow(folder, *shown(5)[:2])
    assert (check[0], test[0]) == (1, 1)
    assert "missing: status" in test[1]

    pair = site / "mappings/cynefin/golden/servicecase.first.json"
    edit(pair, r'(?<="read": \{\n    "record": \{\n)((?:.*\n)*?)( *"CaseType": "REF",\n)', rf"\1\2{block(5, 'json')}")
    reveal, accept, check = follow(folder, *shown(5)[2:])
    assert '"in_progress"' in reveal[1]
    assert "servicecase.yaml:" in reveal[1]
    assert accept[0] == 0, accept[1]
    assert [line for line in check[1].splitlines() if line.startswith("error:") and "PARKED" not in line] == []
    assert "well, 1 pair" in accept[1]

    preview, doctor, sync, attention = follow(folder, *shown(6), *shown(7), *shown(8)[:2])
    assert max(len(line) for line in preview[1].splitlines()) <= 100
    assert (preview[0], doctor[0], sync[0]) == (0, 0, 0), doctor[1]
    assert "cynefin-status has no row" in attention[1]

    with (site / "codes/cynefin-status.csv").open("a", encoding="utf-8") as codes:
        codes.write(block(8, "csv"))
    replay, preview, status, invent, test = follow(folder, *shown(8)[2:])
    assert (replay[0], preview[0], status[0]) == (0, 0, 0), replay[1]
    assert "3 merged" in status[1]
    assert invent[0] == 0, invent[1]
    assert (test[0], "well, 2 pairs" in test[1]) == (0, True), test[1]
    (look_alike,) = site.glob("mappings/cynefin/golden/*.invented-*.json")
    assert not re.search("Penhâl|1950-07-14|SC-0003", look_alike.read_text(encoding="utf-8"))
    checked, audited = follow(folder, "dolen check --site my-site", "dolen audit verify --site my-site")
    assert (checked[0], audited[0]) == (0, 0), checked[1]


def test_somebody_who_may_be_real_is_found_in_a_pair_of_the_site(folder: Path) -> None:
    follow(folder, *shown(2))
    pair = folder / "my-site/mappings/cynefin/golden/servicecase.first.json"
    edit(pair, r'"NHSNo": "\d+"', f'"NHSNo": "943476{5919}"')
    edit(pair, r'"Relationship": ".*"', f'"Relationship": "merch, 0113 {2345678}"')
    ((code, text),) = follow(folder, "dolen check --site my-site")
    lines = pair.read_text(encoding="utf-8").splitlines()
    numbers = [number for number, line in enumerate(lines, 1) if "NHSNo" in line]
    assert code == 1
    for number in numbers:
        assert f"servicecase.first.json:{number}:1 " in text
    assert "found an NHS number that may be somebody's" in text
    assert "found a telephone number that may be somebody's" in text
    assert "943476" not in text
    assert "2345678" not in text
