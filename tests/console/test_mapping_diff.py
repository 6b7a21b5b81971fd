"""`dolen mapping diff` and `dolen replay --mapping` as they are typed, on a site whose systems are in step."""

import json
import re
from pathlib import Path
from typing import Any

from tests.roles_given import give

ROOT = Path(__file__).parents[2]


def test_what_a_candidate_changes_is_told_before_it_is_live(synced: Any, tmp_path: Path) -> None:
    file = tmp_path / "proposed.yaml"
    file.write_text("extends: casework/referral\nfields:\n  - {ours: reason.text, drop: true}\n", encoding="utf-8")
    shown = synced.dolen("mapping", "diff", "current", str(file))
    assert shown.returncode == 1
    assert "3 records of 3 would come out otherwise" in shown.stdout
    assert "no longer carried: Reason, such as d" in shown.stdout
    assert "ymolchi" not in shown.stdout
    refused = synced.dolen("mapping", "diff", "current", str(file), "--reveal", said="to see what is lost")
    assert "it takes the role case-reader" in refused.stderr
    give(synced.folder, "case-reader")
    revealed = synced.dolen("mapping", "diff", "current", str(file), "--reveal", said="to see what is lost")
    assert "ymolchi" in revealed.stdout
    refused = synced.dolen("mapping", "diff", "current", "nowhere.yaml")
    assert (refused.returncode, refused.stdout) == (2, "")


def test_replay_with_a_list_that_is_not_live(synced: Any, tmp_path: Path) -> None:
    """A request with a priority that nobody mapped: dry run, then sent with a candidate; the story tells."""
    record = synced.control("GET", "torfaen/contact/records")["records"][0]
    synced.control("PATCH", f"torfaen/contact/records/{record['id']}?unchecked=1", {"priority": "tomorrow"})
    synced.json("sync", "torfaen/contact")
    [cause] = synced.json("attention", code=1)["causes"]
    [id] = cause["ids"]
    file = tmp_path / "contact-priority.csv"
    text = (ROOT / "mappings/shipped/codes/contact-priority.csv").read_text(encoding="utf-8")
    file.write_text(text + "tomorrow,urgent,read,,,,,\n", encoding="utf-8")
    assert "newly carried: priority" in synced.dolen("replay", id, "--mapping", str(file), "--dry-run").stdout
    assert synced.json("replay", id, "--mapping", str(file), said="agreed with the team")["done"] == [id]
    story = json.dumps(synced.json("trace", record["id"]), ensure_ascii=False)
    assert re.search(r"A\. Swyddog \(\S+\): send again \(candidate mapping ", story)
