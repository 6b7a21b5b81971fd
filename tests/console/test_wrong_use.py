"""What a person meets who types something wrong or whose site is wrong: one clear sentence, the right exit code."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def test_no_such_folder(bare: Any, tmp_path: Path) -> None:
    bare.folder = tmp_path / "nowhere"
    done = bare.dolen("status")
    assert done.returncode == 2
    assert "There is no folder" in done.stderr
    assert "--site" in done.stderr
    assert not bare.folder.exists()  # nothing was made on the way


def test_folder_without_a_site(bare: Any, tmp_path: Path) -> None:
    bare.folder = tmp_path / "empty"
    bare.folder.mkdir()
    for command in (["status"], ["check"], ["attention"], ["run"], ["mapping", "test"]):
        done = bare.dolen(*command)
        assert done.returncode == 2, command
        assert "config/dolen.yaml" in done.stderr
        assert "dolen new" in done.stderr
    assert list(bare.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["settle", "d1"], "--by-hand NUMBER"),
        (["settle", "d1", "--arrived", "7", "--not-arrived"], "one of"),
        (["replay"], "--cause"),
        (["replay", "d1", "--route", "contact-to-casework"], "one of the three"),
        (["sync", "--from", "yesterday"], "2026-03-01"),
        (["sync", "--from", "2999-01-01"], "future"),
        (["attention", "--council", "cardiff"], "torfaen"),
        (["mapping", "test", "no/such"], "No mapping"),
        (["close", "d1"], "a reason is needed"),
        (["pause", "torfaen/contact"], "a reason is needed"),
        (["frobnicate"], "No such command"),
        (["status", "--colour"], "No such option"),
    ],
)
def test_wrong_use_is_2_and_says_what_to_write(bare: Any, arguments: list[str], words: str) -> None:
    done = bare.dolen(*arguments)
    assert done.returncode == 2, done.stdout + done.stderr
    assert words in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "d999"], "no delivery d999"),
        (["show", "v999"], "no version v999"),
        (["replay", "--cause", "0123456789ab"], "dolen attention"),
        (["replay", "--route", "nowhere"], "contact-to-casework"),
        (["reconcile", "nowhere"], "contact-to-casework"),
        (["reconcile", "tell-the-resident"], "carries texts"),
        (["resume", "no-such"], "contact"),
        (["resume", "contact"], "torfaen/contact"),
        (["trace", "H7K-2MT-999"], "Never shown to us"),
    ],
)
def test_what_is_not_there_is_1_and_says_what_there_is(bare: Any, arguments: list[str], words: str) -> None:
    done = bare.dolen(*arguments)
    assert done.returncode == 1, done.stdout + done.stderr
    assert words in done.stdout + done.stderr


def test_a_typo_names_file_line_and_remedy(bare: Any, replaced: Callable[[Path, str, str], None]) -> None:
    replaced(bare.folder, "settle_seconds: 2", "setle_seconds: 2")
    done = bare.dolen("check")
    assert done.returncode == 1
    assert "config/councils/torfaen.yaml:" in done.stdout
    assert "settle_seconds" in done.stdout
    # The other councils go on, and whoever asks is told of the one that does not.
    status = bare.dolen("status")
    assert status.returncode == 0
    assert "torfaen.yaml" in status.stderr
    assert "blaenau-gwent" in status.stdout
    assert "torfaen" not in status.stdout


def test_a_broken_site_file_shows_every_finding_at_once(bare: Any) -> None:
    file = bare.folder / "config" / "dolen.yaml"
    file.write_text("schema_version: 2\nstage: tset\nbroker: {url: 7}\n", encoding="utf-8")
    done = bare.dolen("status")
    assert done.returncode == 1
    assert "dolen.yaml:2" in done.stderr
    assert "dolen.yaml:3" in done.stderr


def test_a_missing_secret_is_named_and_stops_only_its_connection(bare: Any) -> None:
    done = bare.dolen("doctor", "torfaen/contact")
    assert done.returncode == 1
    assert "TORFAEN_CONTACT_SECRET" in done.stdout
    assert bare.dolen("status").returncode == 0


def test_an_unreachable_host_is_a_sentence(torfaen: Any, replaced: Callable[[Path, str, str], None]) -> None:
    replaced(torfaen.folder, "http://127.0.0.1:8765", "http://127.0.0.1:9")
    doctor = torfaen.dolen("doctor", "contact")
    assert doctor.returncode == 1
    assert "NOT WELL" in doctor.stdout
    sync = torfaen.dolen("sync", "contact")
    assert sync.returncode == 1
    assert "stopped" in sync.stdout
    reconcile = torfaen.dolen("reconcile", "contact-to-casework")
    assert reconcile.returncode == 1
    assert len(reconcile.stderr.strip().splitlines()) == 1
    for done in (doctor, sync, reconcile):
        assert "dolen-secret" not in done.stdout + done.stderr


def test_the_wrong_main_key_is_told(bare: Any) -> None:
    assert bare.dolen("status").returncode == 0
    (bare.folder / "var" / "keys" / "main.key").write_text("00" * 32 + "\n", encoding="ascii")
    done = bare.dolen("status")
    assert done.returncode == 1
    assert "master key" in done.stderr


def test_a_ledger_that_is_none_is_told(bare: Any) -> None:
    (bare.folder / "var").mkdir()
    (bare.folder / "var" / "ledger.db").write_bytes(b"this is not a database" * 100)
    done = bare.dolen("status")
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "ledger" in done.stderr


def test_new_refuses_a_folder_that_holds_something(bare: Any) -> None:
    before = sorted(bare.folder.rglob("*"))
    done = subprocess.run(
        [sys.executable, "-m", "console", "new", str(bare.folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "not an empty folder" in done.stderr
    assert sorted(bare.folder.rglob("*")) == before


def test_a_reason_or_number_is_never_an_argument(bare: Any) -> None:
    for command in ("replay", "settle", "close", "pause"):
        words = bare.dolen(command, "--help").stdout.lower()
        assert "--why" not in words
        assert "--reason" not in words
