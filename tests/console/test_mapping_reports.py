"""`dolen mapping laws` and `dolen mapping coverage`, on a copy of the example site.

Most run inside this process, which is quicker; one is the command as a process of its own.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from console.main import app

ROOT = Path(__file__).parents[2]


def dolen(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = CliRunner().invoke(app, ["mapping", *arguments, "--site", str(site)])
    return subprocess.CompletedProcess([*arguments], done.exit_code, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, with one mapping of its own that breaks a law."""
    folder = tmp_path_factory.mktemp("site") / "example"
    shutil.copytree(ROOT / "config" / "example", folder)
    (folder / "mappings" / "torfaen").mkdir()
    (folder / "mappings" / "torfaen" / "referral.yaml").write_text(
        "# Somebody took `lossy` out.\nextends: casework/referral\nfields:\n"
        "  - {ours: status_reason.text, max_length: 600}\n  - {ours: received_at, lossy: false}\n",
        encoding="utf-8",
    )
    return folder


def test_laws_name_the_row_the_line_and_the_smallest_example(site: Path) -> None:
    asked = ["mapping", "laws", "torfaen/referral", "--seed", "1", "--site", str(site)]
    command = [sys.executable, "-m", "console", *asked]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, encoding="utf-8")
    assert done.returncode == 1, done.stderr
    assert done.stderr == ""
    assert "torfaen/referral: NOT WELL, 2 laws broken, tried with 200 records and" in done.stdout
    assert "keeps ours: mappings/torfaen/referral.yaml:5: received_at <-> Received" in done.stdout
    assert 'expected "2026-10-25T01:00:00Z", got "2026-10-25T00:00:00Z"' in done.stdout
    assert "fits: mappings/torfaen/referral.yaml:4: status_reason.text <-> StatusReason" in done.stdout
    assert "    StatusReason: the interface takes at most 500 characters there\n" in done.stdout
    assert '"status_reason.text": "aaaaaaaaaa... (501 characters)"' in done.stdout
    assert "the smallest referral that shows it: {" in done.stdout
    assert done.stdout.endswith("To try the same again: --seed 1\n")


def test_laws_as_data_and_of_one_mapping(site: Path) -> None:
    done = dolen(site, "laws", "contact/request", "--examples", "20", "--json")
    assert done.returncode == 0, done.stderr
    [held] = json.loads(done.stdout)
    assert (held["mapping"], held["well"], held["records"], held["broken"]) == ("contact/request", True, 20, [])
    assert isinstance(held["seed"], int)
    by_hand = dolen(site, "laws", "by-hand/referral", "--examples", "5")
    assert "no record was invented: its profile names no interface" in by_hand.stdout
    assert by_hand.returncode == 0


def test_wrong_use_is_told(site: Path) -> None:
    nobody, both = "contact/nothing", ["--json", "--markdown"]
    for arguments in (["laws", nobody], ["coverage", nobody], ["coverage", *both]):
        done = dolen(site, *arguments)
        assert done.returncode == 2
        assert done.stdout == ""
        assert len(done.stderr.splitlines()) == 1
        assert "Traceback" not in done.stderr


def test_coverage_says_what_is_lost_and_what_a_route_carries(site: Path) -> None:
    done = dolen(site, "coverage", "blaenau-gwent/request")
    assert done.returncode == 0, done.stderr
    head = "blaenau-gwent/request (mappings/blaenau-gwent/request.yaml), against interfaces/contact.openapi.yaml\n"
    assert done.stdout.startswith(head)
    assert "    internal_notes (special category)" in done.stdout
    assert "priority <-> priority: emergency, immediate become emergency (neither)" in done.stdout
    assert "blaenau-gwent: contact-to-casework, from contact to casework" in done.stdout
    assert "    extensions.blaenau-gwent.transport_needs: special category" in done.stdout
    assert "  Lost when it is read: dropped 1, in part 4, merged 1, lossy " in done.stdout
    assert "torfaen" not in done.stdout  # another council's routes do not use it


def test_coverage_as_data(site: Path) -> None:
    done = dolen(site, "coverage", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    files = [*(ROOT / "mappings/shipped").glob("*/*.yaml"), *(site / "mappings").rglob("*.yaml")]
    assert len(report["mappings"]) == len(files) > 8
    for one in report["mappings"]:
        assert sum(one["counts"].values()) == len(one["losses"]) > 0
    torfaen = {one["route"]: one for one in report["routes"] if one["council"] == "torfaen"}
    route, text = torfaen["contact-to-casework"], torfaen["tell-the-resident"]
    assert route["strictest"] == "special"
    assert route["agreement"] == "ISP-T-2026-1"
    assert {"ours": "channel", "from": "channel", "to": "", "sensitivity": "none"} in route["stops"]
    assert text["by_text"] is True
    assert {one["ours"] for one in text["arrives"]} == {
        "person.telecom[system=phone,use=mobile].value", "language.correspondence", "status", "citizen_reference",
    }  # fmt: skip


def test_the_paper_is_in_both_languages_with_a_place_to_sign(site: Path) -> None:
    done = dolen(site, "coverage", "contact/request", "--markdown")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "# Loss report / Adroddiad colled"
    assert "*The Welsh in this report awaits a Welsh checker." in done.stdout
    assert "- Ethnicity / Ethnigrwydd: person.ethnicity <-> customer/ethnicity: a text of more than 10" in done.stdout
    assert "- Lawful basis / Sail gyfreithlon: UK GDPR 6(1)(e) and 9(2)(h)" in done.stdout
    assert "| special category / categori arbennig |" in " ".join(lines).replace("|  |", "|")
    assert "| Name / Enw | Role / Swydd | Date / Dyddiad | Signature / Llofnod |" in lines
    assert lines[-1].startswith("| \u00a0")


def test_a_mapping_that_cannot_be_used_is_told_and_the_others_are_reported_on(site: Path, tmp_path: Path) -> None:
    broken = tmp_path / "site"
    shutil.copytree(site, broken)
    file = broken / "mappings" / "torfaen" / "referral.yaml"
    file.write_text("extends: casework/none\nfields: [{ours: x}]\n", encoding="utf-8")
    for command in ("laws", "coverage"):
        done = dolen(broken, command, "torfaen/referral")
        assert done.returncode == 1
        assert "torfaen/referral" in done.stdout
        assert "casework/none" in done.stdout


def test_no_other_command_loads_what_the_laws_need(site: Path) -> None:
    code = "import sys\nfrom console.main import app\ntry:\n    app(['mapping', 'coverage'])\n"
    code += "finally:\n    sys.exit(3 if 'hypothesis' in sys.modules else 0)"
    done = subprocess.run(
        [sys.executable, "-c", code, "--site", str(site)], cwd=ROOT, capture_output=True, text=True, check=False,
        env={"DOLEN_SITE": str(site), "PATH": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_the_test_of_one_mapping_names_the_rows_without_an_example(site: Path) -> None:
    pairs = site / "mappings" / "torfaen" / "golden"
    pairs.mkdir()
    (pairs / "referral.first.json").write_text('{"about": "x", "read": {"record": {}, "facts": {}}}', encoding="utf-8")
    assert "accepted: " in dolen(site, "test", "torfaen/referral", "--accept").stdout
    one, every = dolen(site, "test", "torfaen/referral"), dolen(site, "test")
    shutil.rmtree(pairs)
    assert "\n  no example: read status_reason.text\n" in one.stdout, one.stdout
    assert "no example:" not in every.stdout
