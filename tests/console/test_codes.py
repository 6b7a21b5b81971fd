"""Code lists at the command line: what waits, map and release while the site runs, a code book, drift."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

NOBODY = ("O'Neill", "Siân", "07700")


def test_a_code_is_mapped_while_the_site_runs_and_all_goes_on(live: Any, request_record: dict[str, Any]) -> None:
    live.control("POST", "torfaen/contact/records", {**request_record, "priority": "tomorrow"})
    live.control("POST", "torfaen/contact/records", request_record)
    with live.running():
        live.until_arrived(2)
        told = live.dolen("codes", "unmapped")
        assert told.returncode == 1
        assert "contact-priority, torfaen" in told.stdout
        assert "dolen codes map contact-priority tomorrow OURS" in told.stdout
        assert not any(word in told.stdout for word in NOBODY)
        refused = live.dolen("codes", "map", "contact-priority", "tomorrow", "urgent", "--direction", "read")
        assert (refused.returncode, "a reason is needed" in refused.stderr) == (2, True)
        assert not (live.folder / "codes/contact-priority.rows.csv").exists()
        done = live.json(
            "codes", "map", "contact-priority", "tomorrow", "urgent", "--direction", "read", "--cy", "Yfory",
            said="the team leader says so",
        )  # fmt: skip
        assert done["stopped"] == ["v1"] or done["stopped"] == ["v2"]
        assert done["file"] == "codes/contact-priority.rows.csv"
        live.until_arrived(4)  # with the row of now, in a process that was started without it
        end = time.monotonic() + 20
        while len(live.control("GET", "torfaen/casework/records?limit=50")["records"]) < 2:
            assert time.monotonic() < end
            time.sleep(0.2)
    assert live.json("codes", "unmapped") == []
    text = (live.folder / "codes/contact-priority.rows.csv").read_text(encoding="utf-8")
    assert "the team leader says so" in text
    assert "A. Swyddog" in text


def test_a_code_book_is_shown_first_and_written_with_a_reason(torfaen: Any, tmp_path: Path) -> None:
    book = tmp_path / "book.csv"
    book.write_bytes("Code;Description;Cymraeg\nP1;Emergency;Argyfwng\nP3;Routine;Tê\nP4;Low;Isel\n".encode("cp1252"))
    told = torfaen.dolen("codes", "import", "casework-priority", str(book))
    assert told.returncode == 0, told.stderr
    assert "Windows-1252" in told.stdout
    assert "Nothing was written" in told.stdout
    assert "Nothing will be written for urgent any more" in told.stderr
    assert not (torfaen.folder / "codes/casework-priority.rows.csv").exists()
    done = torfaen.json("codes", "import", "casework-priority", str(book), "--go", said="book of April")
    assert [row["theirs"] for row in done["added"]] == ["P4"]
    again = torfaen.json("codes", "import", "casework-priority", str(book))
    assert (again["added"], again["changed"], again["ended"]) == ([], [], [])
    assert "a code that nobody has mapped" in torfaen.dolen("check").stdout
    wrong = torfaen.dolen("codes", "import", "casework-priority", str(book), "--code", "Codes")
    assert (wrong.returncode, "Did you mean 'Code'" in wrong.stderr) == (1, True)


def test_wrong_use_is_one_sentence(torfaen: Any) -> None:
    mapping = ("codes", "map", "casework-priority")
    for arguments, code, said in (
        ((*mapping, "P4", "urgent", "--from", "1/4/26"), 2, "2026-04-01"),
        ((*mapping, "P4", "urgent"), 1, "one row to write each code"),
        ((*mapping, "P4", "no-such", "--direction", "read"), 1, "no-such"),
        (("codes", "map", "casework-prioriti", "P4", "urgent"), 1, "casework-priority"),
    ):
        done = torfaen.dolen(*arguments, said="why not")
        assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert list((torfaen.folder / "codes").glob("casework*")) == []


def test_drift_is_asked_and_shown(live: Any) -> None:
    (live.folder / "codes/casework-priority.csv").write_text("theirs,ours\nP1,emergency\nP2,urgent\n", encoding="utf-8")
    told = live.dolen("codes", "drift", "casework")
    assert told.returncode == 1
    assert "new P3 (Routine); dolen codes map casework-priority P3 OURS" in told.stdout
    assert "1 NEW CODE" in live.dolen("status").stdout
    (live.folder / "codes/casework-priority.csv").unlink()
    assert live.dolen("codes", "drift", "casework").returncode == 0
    assert live.json("status")["codes"][0]["drifts"] == []
