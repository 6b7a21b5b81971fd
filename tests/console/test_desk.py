"""The desk over a running site and real pretend systems, from run and sync to settle, close and trace."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

PERSONAL = ("O'Neill", "Siân", "1941-05-06", "07700", "ymolchi")


def quiet(done: subprocess.CompletedProcess[str]) -> str:
    text = done.stdout + done.stderr
    assert not any(word in text for word in PERSONAL), text
    return text


def test_a_request_travels_and_its_story_is_told(live: Any, request_record: dict[str, Any]) -> None:
    made = live.control("POST", "torfaen/contact/records", request_record)
    with live.running():
        live.until_arrived(2)
        assert live.json("status")["running"] is True
        second = live.dolen("run")
        assert second.returncode == 1
        assert "nother `dolen run`" in second.stderr
        synced = live.json("sync", "contact")  # asked of the process that runs
        assert [one["complete"] for one in synced] == [True]
    (story,) = live.json("trace", made["id"])
    assert set(story["numbers"]) == {"contact", "casework"}
    for reference in (story["referral"], story["citizen_reference"], story["citizen_reference"].lower()):
        assert quiet(live.dolen("trace", reference)).count(story["referral"]) == 1
    assert story["lines"][0]["at"].endswith(("+00:00", "+01:00"))
    unknown = live.dolen("trace", "C-999999")
    assert unknown.returncode == 1
    assert "Never shown to us" in unknown.stdout
    assert "torfaen/contact was last read at" in unknown.stdout
    assert live.json("audit", "verify")["whole"] is True


def test_sync_works_where_nothing_runs(live: Any, request_record: dict[str, Any]) -> None:
    live.control("POST", "torfaen/contact/records", request_record)
    assert [one["news"] for one in live.json("sync", "contact")] == [1]
    assert [one["news"] for one in live.json("sync", "torfaen/contact")] == [0]
    assert live.json("sync", "contact", "--from", "2020-01-01")[0]["complete"]
    assert live.dolen("sync", "texts").returncode == 1


def test_a_pause_holds_and_its_reason_is_nowhere_in_clear(live: Any) -> None:
    done = live.dolen("pause", "casework", said="Mrs O'Neill asked for quiet\n")
    assert done.returncode == 0
    assert "O'Neill" not in done.stdout + done.stderr
    (link,) = [one for one in live.json("status")["connections"] if one["connection"] == "casework"]
    assert link["paused"] == "by a person"
    for file in (live.folder / "var").rglob("*"):
        assert not file.is_file() or b"asked for quiet" not in file.read_bytes()
    assert "goes on" in live.dolen("resume", "casework").stdout
    assert "was not paused" in live.dolen("resume", "casework").stdout


@pytest.fixture
def stopped(live: Any, request_record: dict[str, Any]) -> str:
    """A delivery that casework refuses, because its staff's checks want another priority; returns its id."""
    request_record["priority"] = "whenever"
    live.control("POST", "torfaen/contact/records", request_record)
    live.json("sync", "contact")
    (cause,) = live.json("attention", code=1)["causes"]
    return str(cause["ids"][0])


def test_attention_says_why_and_what_to_type(live: Any, stopped: str) -> None:
    done = live.dolen("attention")
    assert done.returncode == 1
    text = quiet(done)
    (cause,) = live.json("attention", code=1)["causes"]
    asked = "dolen codes map contact-priority"
    for words in (cause["fingerprint"], "torfaen/contact", "priority", "codes/", stopped, asked):
        assert words in text
    shown = live.json("show", stopped)
    assert shown["state"] == "needs attention"
    assert shown["cause"] == cause["fingerprint"]
    assert shown["remedy"]
    quiet(live.dolen("show", stopped))
    dry = live.dolen("replay", "--cause", cause["fingerprint"], "--dry-run")
    assert "It would text 0 people." in dry.stdout
    assert dry.returncode == 0
    assert "Nothing was sent" in dry.stdout


def test_a_code_is_mended_and_all_that_waits_is_sent_again(live: Any, stopped: str) -> None:
    (cause,) = live.json("attention", code=1)["causes"]
    shipped = Path(__file__).parents[2] / "mappings" / "shipped" / "codes" / f"{cause['code_list']}.csv"
    lines = shipped.read_text(encoding="utf-8").splitlines()
    row = next(line for line in lines if "routine" in line.split(",")[:2])
    parts = row.split(",")
    heads = lines[0].split(",")
    parts[heads.index("theirs")] = "whenever"
    if "direction" in heads:
        parts[heads.index("direction")] = "read"
    own = live.folder / "codes" / shipped.name
    own.write_text("\n".join([*lines, ",".join(parts)]) + "\n", encoding="utf-8")
    again = live.json("replay", "--cause", cause["fingerprint"], said="the practice lead decided")
    assert again["done"] == [stopped]
    assert live.dolen("attention").returncode == 0
    with live.running():
        live.until_arrived(1)


def test_close_and_what_is_closed_stays_closed(live: Any, stopped: str) -> None:
    assert live.dolen("close", stopped, said="entered twice").returncode == 0
    assert live.dolen("close", stopped, said="again").returncode == 1
    assert live.dolen("replay", stopped, said="again").returncode == 1
    assert live.dolen("attention").returncode == 0
    assert live.json("audit", "verify")["whole"] is True


def test_a_waiting_delivery_is_previewed_and_settled_by_hand(live: Any, request_record: dict[str, Any]) -> None:
    live.control("POST", "torfaen/contact/records", request_record)
    live.json("sync", "contact")
    shown = live.dolen("show", "d1")
    assert "create" in quiet(shown)
    assert "Subject/Surname = •••" in shown.stdout
    preview = live.json("show", "d1")["preview"]
    assert preview["effect"] == "create"
    assert "Subject/Surname" in preview["fields"]
    typed = "R0000777"
    done = live.dolen("settle", "d1", "--by-hand", typed, said="typed in while casework was down")
    assert done.returncode == 0
    assert typed in done.stdout
    assert live.json("show", "d1")["state"] == "settled"
    assert live.dolen("settle", "d1", "--not-arrived", said="no").returncode == 1


def test_a_request_that_is_there_twice_is_joined_and_parted(live: Any, request_record: dict[str, Any]) -> None:
    first, second = (live.control("POST", "torfaen/contact/records", request_record)["id"] for _ in range(2))
    live.json("sync", "contact")
    joined = live.dolen("join", first, second, said="Mrs O'Neill rang twice\n")
    assert joined.returncode == 0, joined.stderr
    assert "double" in quiet(joined)
    again = live.dolen("join", first, second, said="Mrs O'Neill rang twice\n")
    assert (again.returncode, "one referral already" in again.stderr) == (1, True)
    (story,) = live.json("trace", second)
    assert any("join" in line["words"] for line in story["lines"])
    assert live.dolen("part", second, said="two people after all\n").returncode == 0
    assert live.dolen("part", second, said="two people after all\n").returncode == 1
    assert live.dolen("settle", "v1", "--same", said="no\n").returncode == 1
    assert live.dolen("settle", "v1", "--same", "--new", said="no\n").returncode == 2
    assert live.dolen("settle", "v1", "--of", "x", said="no\n").returncode == 1
