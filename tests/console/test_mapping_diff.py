"""`dolen mapping diff` on a site whose systems are in step: three real requests, read and written by two mappings."""

import json
from pathlib import Path
from typing import Any

import pytest

LIST = "mappings/shipped/codes/contact-need.csv"
ROOT = Path(__file__).parents[2]


def by_how(found: list[dict[str, Any]], direction: str, connection: str) -> dict[tuple[str, str], dict[str, Any]]:
    [one] = [one for one in found if (one["direction"], one["connection"]) == (direction, connection)]
    return {(line["how"], line["path"]): line for line in one["fields"]}


def test_what_a_candidate_changes_is_told_before_it_is_live(synced: Any, tmp_path: Path) -> None:
    file = tmp_path / "proposed.yaml"
    file.write_text(
        "extends: casework/referral\n"
        "fields:\n"
        "  - {ours: reason.text, max_length: 10}\n"
        "  - {ours: 'needs', each: [{ours: code, codes: contact-need}]}\n"
        "  - {ours: person.gender, drop: true}\n"
        "  - {ours: priority, codes: contact-priority}\n",
        encoding="utf-8",
    )
    found = synced.json("mapping", "diff", "current", str(file), code=1)
    read, written = by_how(found, "read", "casework"), by_how(found, "write", "casework")
    assert read["newly left out", "needs"]["count"] == 3
    assert read["no longer carried", "person.gender"]["count"] == 3
    assert read["newly stopped", "priority"]["count"] == 3
    assert all(id.startswith("v") for id in read["newly stopped", "priority"]["examples"])
    assert written["newly left out", "Reason"]["count"] == 3
    assert written["no longer carried", "Subject/Gender"]["count"] == 3
    assert written["changed", "Priority"]["count"] == 3
    assert all(id.startswith("d") for id in written["changed", "Priority"]["examples"])
    assert {one["connection"] for one in found} == {"casework"}
    assert not any(word in json.dumps(found) for word in ("O'Neill", "ymolchi", "Siân"))
    shown = synced.dolen("mapping", "diff", "current", str(file))
    assert shown.returncode == 1
    assert "3 records of 3 would come out otherwise" in shown.stdout
    assert "newly stopped: priority, such as v" in shown.stdout
    # Nothing went anywhere, and nothing is another than before.
    assert synced.json("status")["open"] == 0
    assert synced.json("mapping", "diff", "current", "original", code=0)
    some = synced.json("mapping", "diff", "current", str(file), "--most", "1", code=1)
    assert {one["looked"] for one in some} == {1}


def test_values_are_shown_to_who_gives_a_reason_and_the_audit_knows(synced: Any, tmp_path: Path) -> None:
    file = tmp_path / "proposed.yaml"
    file.write_text("extends: contact/request\nfields:\n  - {ours: reason.text, drop: true}\n", encoding="utf-8")
    arguments = ("mapping", "diff", "current", str(file), "--reveal", "--connection", "torfaen/contact")
    refused = synced.dolen(*arguments)
    assert refused.returncode == 2
    assert "reason is needed" in refused.stderr
    shown = synced.dolen(*arguments, said="to see what is lost")
    assert "ymolchi" in shown.stdout
    assert synced.json("audit", "verify")["whole"]
    masked = synced.dolen(*arguments[:4])
    assert "ymolchi" not in masked.stdout
    assert "no longer carried: reason.text" in masked.stdout


def test_what_was_live_before_is_a_side_too(synced: Any) -> None:
    """A site puts a mapping live and asks afterwards what that did: by `current~1`, by digest, by `original`."""
    before = synced.json("show", "v1")["mapping"]
    own = synced.folder / "mappings/contact/request.yaml"
    own.parent.mkdir(parents=True)
    text = (ROOT / "mappings/shipped/contact/request.yaml").read_text(encoding="utf-8")
    assert "{ours: reason.text," in text
    own.write_text(text.replace("{ours: reason.text,", "{ours: reason.text, direction: write,"), encoding="utf-8")
    # Nothing has been read with today's yet: the newest mapping that was used is the one before it.
    for side in ("original", "current~1", before[:12], before):
        found = synced.json("mapping", "diff", side, "current", "--connection", "contact", code=1)
        lines = by_how(found, "read", "contact")
        assert lines["no longer carried", "reason.text"]["count"] == 3
    assert synced.dolen("mapping", "diff", "current~2", "current", "--connection", "contact").returncode == 2


def test_a_code_list_is_a_side(synced: Any, tmp_path: Path) -> None:
    file = tmp_path / "contact-need.csv"
    text = (ROOT / LIST).read_text(encoding="utf-8")
    file.write_text("\n".join(line for line in text.splitlines() if not line.startswith("bathing,")), encoding="utf-8")
    found = synced.json("mapping", "diff", "current", str(file), code=1)
    assert any(line["how"] == "newly left out" for one in found for line in one["fields"])


def test_what_expired_is_counted_and_said(synced: Any, tmp_path: Path) -> None:
    import sqlite3

    with sqlite3.connect(synced.folder / "var" / "ledger.db") as ledger:
        gone = ledger.execute("SELECT raw FROM version WHERE connection = 'contact' LIMIT 1").fetchone()[0]
        ledger.execute("UPDATE payload SET body = NULL WHERE id = ?", (gone,))
    ledger.close()
    file = tmp_path / "proposed.yaml"
    file.write_text("extends: contact/request\nfields:\n  - {ours: reason.text, drop: true}\n", encoding="utf-8")
    found = synced.json("mapping", "diff", "current", str(file), code=1)
    [one] = [one for one in found if one["direction"] == "read"]
    assert one["gone"] == 1
    assert one["looked"] == one["differ"] + one["gone"]
    assert "1 of them expired or erased, so nobody can say" in synced.dolen("mapping", "diff", "current", str(file)).stdout


@pytest.mark.parametrize(
    ("side", "words"),
    [
        ("nowhere.yaml", "there is no file nowhere.yaml"),
        ("abcdef0", "no kept mappings have a digest that begins with abcdef0"),
        ("", "there is no file"),
        ("current~0", "there is no file current~0"),
    ],
)
def test_a_side_that_is_none_is_one_sentence(torfaen: Any, side: str, words: str) -> None:
    done = torfaen.dolen("mapping", "diff", "current", side)
    assert done.returncode == 2
    assert words in done.stderr


def test_replay_with_another_mapping_from_the_command_line(synced: Any, tmp_path: Path) -> None:
    """A request with a priority that nobody mapped: dry run, then sent with a list that is not live; the story tells."""
    record = synced.control("GET", "torfaen/contact/records")["records"][0]
    synced.control("PATCH", f"torfaen/contact/records/{record['id']}?unchecked=1", {"priority": "tomorrow"})
    synced.json("sync", "torfaen/contact")
    [cause] = synced.json("attention", code=1)["causes"]
    [id] = cause["ids"]
    file = tmp_path / "contact-priority.csv"
    text = (ROOT / "mappings/shipped/codes/contact-priority.csv").read_text(encoding="utf-8")
    file.write_text(text + "tomorrow,urgent,read,,,,,\n", encoding="utf-8")
    dry = synced.json("replay", id, "--mapping", str(file), "--dry-run")
    assert {"path": "priority", "how": "newly carried"} in dry[0]["differs"]
    shown = synced.dolen("replay", id, "--mapping", str(file), "--dry-run").stdout
    assert "newly carried: priority" in shown
    assert synced.dolen("replay", id, "--mapping", str(file)).returncode == 2  # no reason, no replay
    assert synced.json("replay", id, "--mapping", str(file), said="agreed with the team")["done"] == [id]
    story = json.dumps(synced.json("trace", record["id"]), ensure_ascii=False)
    assert "A. Swyddog: send again (candidate mapping " in story
    assert synced.json("status")["attention"] == 0
