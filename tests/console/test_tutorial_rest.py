"""docs/connect-a-rest-system.md, followed to the letter, against the system that it shows."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from connectors.registry import open_connector
from tests.console import tutorial
from tests.console.tutorial import ROOT, Tutorial, edit

PAGE = Tutorial("connect-a-rest-system.md")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder as the reader's, with the pretend system running beside it."""
    shutil.copytree(ROOT / "docs/connect-a-system", tmp_path / "docs/connect-a-system")
    script = str(tmp_path / "docs/connect-a-system/pretend_rest_system.py")
    with subprocess.Popen([sys.executable, script, "0"], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        (tmp_path / "address").write_text(server.stdout.readline().split()[-1], encoding="utf-8")
        yield tmp_path
        server.terminate()


def follow(folder: Path, *lines: str) -> list[tuple[int, str]]:
    return tutorial.follow(folder, *lines, MY_COUNCIL_PONT_KEY="pretend")


def test_a_reader_who_follows_the_page_has_records_read(folder: Path) -> None:
    site = folder / "my-site"
    new, begun = follow(folder, *PAGE.shown(2))
    assert (new[0], begun[0]) == (0, 0), begun[1]
    counts = re.search(r"of (\d+) values (\d+) in force \(\d+ sure\), (\d+) guessed and commented out, (\d+)", begun[1])
    said = re.search(r"Of (\d+) values (\d+) are in force, (\d+) were guessed and are commented out, (\d+)", PAGE.text)
    assert counts is not None
    assert said is not None
    assert counts.groups() == said.groups()

    with (site / "codes/pont-gender.csv").open(encoding="utf-8", newline="") as codes:
        assert {(row["owner"], row["note"][:7]) for row in csv.DictReader(codes)} == {("", "a guess")}

    address = (folder / "address").read_text(encoding="utf-8")
    council = PAGE.blocks(3, "yaml")[0].replace("http://127.0.0.1:8791", address)
    (site / "config/councils/my-council.yaml").write_text(council, encoding="utf-8")
    ((_, text),) = follow(folder, *PAGE.shown(3))
    wrong = [line for line in text.splitlines() if line.startswith("error:")]
    assert "no row in force that reads `status`" in wrong[0]
    assert [re.findall("no row that writes `([a-z]+)`", line) for line in wrong[1:]] == [["status"], ["urgency"]]

    profile = (site / "profiles/pont.yaml").read_text(encoding="utf-8")
    for line in re.findall(r"^\| (`.*?) \|", PAGE.section(4), re.MULTILINE):
        for part in line.split(", `"):
            assert part.strip("`").removesuffix(" ...}") in profile.replace("  #", ""), part

    mapping = site / "mappings/pont/case.yaml"
    for row in PAGE.blocks(4, "yaml")[0].splitlines():
        edit(mapping, rf"^  # {re.escape(row.strip())}", f"  {row.strip()}")
    edit(mapping, r"^  # - \{ours: , .*\n", "")
    for name, rows in zip(("pont-status", "pont-priority"), PAGE.blocks(4, "csv"), strict=True):
        with (site / f"codes/{name}.csv").open("a", encoding="utf-8") as codes:
            codes.write(rows)
    pair = site / "mappings/pont/golden/case.first.json"
    edit(pair, r'(?<="read": \{\n    "record": \{\n)( *"caseType": "referral",\n)', rf"\1{PAGE.blocks(5, 'json')[0]}")
    reveal, accept, check = follow(folder, *PAGE.shown(5))
    assert '"in_progress"' in reveal[1]
    assert accept[0] == 0, accept[1]
    assert [line for line in check[1].splitlines() if line.startswith("error:") and "'parked'" not in line] == []

    doctor, sync, attention = follow(folder, *PAGE.shown(6)[:3])
    assert (doctor[0], sync[0]) == (0, 0), doctor[1] + sync[1]
    assert "pont-status has no row" in attention[1]
    mapped, status = follow(folder, *PAGE.shown(6)[3:])
    assert (mapped[0], status[0]) == (0, 0), mapped[1]
    assert "3 merged" in status[1]
    checked, audited = follow(folder, "dolen check --site my-site", "dolen audit verify --site my-site")
    assert (checked[0], audited[0]) == (0, 0), checked[1]
    assert "parked,on_hold" in (site / "codes/pont-status.csv").read_text(encoding="utf-8")


def test_the_guessed_profile_writes_each_case_once_and_leaves_alone_what_it_does_not_name(folder: Path) -> None:
    follow(folder, *PAGE.shown(2))
    site = folder / "my-site"
    profile = YAML(typ="safe").load((site / "profiles/pont.yaml").read_text(encoding="utf-8"))
    told = {
        "url": (folder / "address").read_text(encoding="utf-8"),
        "login": {"api_key": {"header": "X-Api-Key", "key": "env:K"}},
    }
    pont = open_connector(
        profile,
        told,
        interfaces=lambda name: (site / name).read_bytes(),
        clock=lambda: datetime.now(UTC),
        secret=lambda _: "k",
    )
    new = json.loads((site / "mappings/pont/golden/case.first.json").read_text(encoding="utf-8"))["write"]["record"]
    new |= {"status": "new", "urgency": "high"}
    once, again = (pont.deliver("Case", new, key="dolen-1") for _ in range(2))
    assert once.id == again.id
    held = pont.fetch("Case", once.id)
    assert held is not None
    pont.deliver("Case", {"status": "closed"}, key="dolen-1", id=once.id, version=held.version)
    kept = pont.fetch("Case", once.id)
    assert kept is not None
    assert (kept.record["status"], kept.record["person"]) == ("closed", new["person"])
    assert len(pont.changes("Case", watermark="", limit=2).items) == 2
    pont.close()
