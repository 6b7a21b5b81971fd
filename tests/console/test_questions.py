"""The letter of questions for a supplier, and the worked profiles of the styles that closed systems have."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from config.findings import Severity
from connectors.questions import Known, questions
from pipelines import asking
from pipelines.check import check

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "systems" / "closed-case-systems"
STYLES = {
    "soap-style": "soap-ws-security",
    "rest-style": "rest-numbered-pages",
    "id-list-style": "rest-id-list",
    "extract-style": "file-extract",
    "sql-style": "sql-extract",
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLES, tmp_path / "site"))


def dolen(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "console", "questions", *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def places(site: Path, name: str) -> set[str]:
    return {one.place for one in asking.letter(site, name).asked}


def test_the_worked_profiles_have_nothing_wrong() -> None:
    found = check(EXAMPLES, environment={})
    assert [str(one) for one in found if one.severity is Severity.ERROR] == []
    ours = [one for one in found if "(shipped)" not in one.file]
    assert {one.file for one in ours} == {"config/councils/our-council.yaml"}, "secrets alone are missing"


@pytest.mark.parametrize("style", STYLES)
def test_each_style_has_its_letter_and_no_claim_of_a_product(style: str) -> None:
    letter = asking.letter(EXAMPLES, f"our-council/{style}").as_markdown()
    assert letter.count("Why it matters: ") == letter.count("Without an answer: ") == letter.count("Your answer:") > 8
    assert "Our Council" in letter
    assert "PASSWORD" not in letter
    assert "https://" not in letter
    profile = (EXAMPLES / "profiles" / f"{STYLES[style]}.yaml").read_text(encoding="utf-8")
    assert "invented" in profile
    for product in ("Mosaic", "Liquidlogic", "Eclipse", "CareDirector", "AzeusCare"):
        assert product not in profile


def test_a_question_goes_away_once_its_key_is_written(site: Path) -> None:
    profile = site / "profiles" / "soap-ws-security.yaml"
    before = places(site, "soap-style")
    assert {"records.Contact.create.keeps_key", "records.Contact.item.deleted", "maintenance"} <= before
    assert not before & {"records.Contact.update.version", "records.Contact.find"}

    edit(profile, "our_key: OurReference, reply", "our_key: OurReference, keeps_key: true, reply")
    council = site / "config" / "councils" / "our-council.yaml"
    maintenance = 'supplier: x\n    maintenance: [{days: [sun], begins: "02:00", ends: "04:00"}]'
    edit(council, "supplier: Service desk, 01632 960003", maintenance)
    edit(council, "limits: {at_once: 2}", "limits: {at_once: 2, calls_a_second: 5, polls_a_day: 288}")
    after = places(site, "soap-style")
    assert before - after == {
        "records.Contact.create.keeps_key",
        "maintenance",
        "connect.limits.calls_a_second",
        "connect.limits.polls_a_day",
    }

    edit(profile, "version: Version, modified", "modified")
    edit(profile, ", id: Id, version: Version, reply: {version: Version}}", ", id: Id}")
    edit(profile, '    find: {operation: FindByOurReference, by: OurReference, items: "Contact[]"}\n', "")
    assert places(site, "soap-style") - after == {"records.Contact.update.version", "records.Contact.find"}


GAPS: list[tuple[str, dict[str, Any], str]] = [
    ("no changes", {"item": {"id": "Id"}}, "records.R.changes"),
    ("no stamp", {"item": {"id": "Id"}}, "records.R.item.modified"),
    ("no create", {"item": {"id": "Id"}}, "records.R.create"),
    ("no key", {"item": {"id": "Id"}, "create": {"operation": "C"}}, "records.R.create.our_key"),
    ("no errors", {"item": {"id": "Id"}, "create": {"operation": "C"}}, "records.R.errors"),
    ("no field", {"item": {"id": "Id"}, "create": {"operation": "C"}}, "records.R.fault.field"),
    ("replace or merge", {"item": {"id": "Id"}, "update": {"mode": "merge"}}, "records.R.update.mode"),
    ("a window", {"item": {}, "changes": {"feed": "modified-between"}}, "records.R.changes.window"),
    ("a filter", {"item": {}, "changes": {"feed": "newest-first"}}, "records.R.changes.path"),
]


@pytest.mark.parametrize(("name", "record", "place"), GAPS, ids=[row[0] for row in GAPS])
def test_a_gap_is_asked_about(name: str, record: dict[str, Any], place: str) -> None:
    profile = {"system": "s", "protocol": "soap", "clock": "Europe/London", "records": {"R": record}}
    found = {one.place: one for one in questions(Known(profile))}
    assert place in found
    assert "clock" in found
    assert found[place].why
    assert found[place].without
    assert len({one.ask for one in questions(Known(profile))}) == len(questions(Known(profile))), "each is asked once"


def test_the_command_writes_the_letter(tmp_path: Path) -> None:
    file = tmp_path / "letters" / "letter.md"
    done = dolen("our-council/soap-style", "--site", str(EXAMPLES), "--out", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert file.read_text(encoding="utf-8").startswith("# Questions about the interface of closed\n")
    data = json.loads(dolen("verint", "--site", str(EXAMPLES), "--json").stdout)
    assert data["system"] == "verint"
    assert {one["topic"] for one in data["questions"]} >= {"Learning what changed", "When something is refused"}


def test_what_cannot_be_asked_says_what_to_write() -> None:
    with pytest.raises(asking.Unasked, match="no supplier whom one could ask"):
        asking.letter(EXAMPLES, "by-hand")
    done = dolen("none", "--site", str(EXAMPLES))
    assert done.returncode == 2
    assert "no connection and no profile has that name: write one of our-council/extract-style" in done.stderr
    assert "Traceback" not in done.stderr


def test_several_connections_of_a_name_are_told_apart() -> None:
    example = ROOT / "config" / "example"
    with pytest.raises(asking.Unasked, match="torfaen/casework"):
        asking.letter(example, "casework")
    assert asking.letter(example, "torfaen/casework").council == "Torfaen"
    assert asking.letter(example, "casework", "torfaen").council == "Torfaen"
