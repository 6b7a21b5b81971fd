"""`dolen conform` against the pretend systems: what it finds, what it makes, and what the report does not hold."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.console.conftest import REQUEST, serving, torfaen_in


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A contact centre with a few requests of invented people, and an empty case system."""
    folder = tmp_path_factory.mktemp("conform")
    with serving(torfaen_in(folder / "site"), folder / "systems") as site:
        for channel in ("phone", "email", "web"):
            site.control("POST", "torfaen/contact/records", {**REQUEST, "channel": channel})
        yield site


def verdicts(found: dict[str, Any]) -> dict[str, str]:
    """What became of each check of the kind that is read: what is told there beside it is not."""
    kind = found["kinds"][0]
    assert kind["kind"] in ("Request", "Referral")
    return {one["check"]: one["verdict"] for one in kind["told"]}


def test_reading_changes_nothing_and_names_nobody(filled: Any, tmp_path: Path) -> None:
    before = filled.control("GET", "torfaen/contact/records")
    found = filled.json("conform", "torfaen/contact", "--report", str(tmp_path / "contact"))
    assert found["counts"]["broken"] == 0
    assert found["made"] == []
    assert "a wrong login" not in verdicts(found), "it may lock an account"
    assert filled.control("GET", "torfaen/contact/records") == before
    shown = (tmp_path / "contact.md").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "contact.json").read_text(encoding="utf-8")) == found
    assert "GET /requests" in shown
    secret = filled.environment["TORFAEN_CONTACT_SECRET"]
    for value in ("O'Neill", "Siân", "07700", "ymolchi", "C-0000", secret):
        assert value not in shown + json.dumps(found)
    assert filled.dolen("conform", "contact", "--report", str(tmp_path / "contact")).returncode == 2


def test_writing_asks_marks_and_lists_what_it_made(filled: Any) -> None:
    refused = filled.dolen("conform", "torfaen/casework", "--writes")
    assert refused.returncode == 2
    assert "a reason is needed" in refused.stderr
    assert filled.control("GET", "torfaen/casework/records")["records"] == []
    found = filled.json("conform", "torfaen/casework", "--writes", "--wrong-login", said="a trial with the supplier")
    assert found["counts"]["broken"] == 0
    assert verdicts(found)["an update keeps the rest"] == "held"
    assert verdicts(found)["a wrong login"] == "held"
    held = filled.control("GET", "torfaen/casework/records")["records"]
    assert {one["ReferralId"] for one in held} == {one["id"] for one in found["made"]}
    assert all(one["ClientReference"].startswith("dolen-conform-") for one in held)
    with closing(sqlite3.connect(filled.folder / "var" / "ledger.db")) as ledger:
        assert ledger.execute("SELECT count(*) FROM audit WHERE action LIKE 'conform%'").fetchone() == (1,)


def test_what_departs_from_the_contract_is_told_without_a_value(filled: Any) -> None:
    wrong = {**REQUEST, "category": "Blodeuwedd", "priority": 1942}
    made = filled.control("POST", "torfaen/contact/records?unchecked=1", wrong)
    done = filled.dolen("conform", "torfaen/contact")
    filled.control("DELETE", f"torfaen/contact/records/{made['id']}")
    assert done.returncode == 1
    assert "BROKEN" in done.stdout
    assert "at priority: expected" in done.stdout
    assert not any(value in done.stdout + done.stderr for value in ("Blodeuwedd", "1942", made["id"]))


def test_a_live_site_makes_nothing_up(filled: Any, tmp_path: Path) -> None:
    folder = shutil.copytree(filled.folder, tmp_path / "site", ignore=shutil.ignore_patterns("var"))
    settings = folder / "config" / "dolen.yaml"
    text = settings.read_text(encoding="utf-8").replace("stage: test", "stage: live")
    settings.write_text(re.sub(r"(?m)^residents_only_to:.*\n", "", text), encoding="utf-8")
    before = filled.control("GET", "torfaen/casework/records")
    done = replace(filled, folder=folder).dolen("conform", "torfaen/casework", "--writes", said="a trial")
    assert done.returncode == 1
    assert "stage live" in done.stderr
    assert filled.control("GET", "torfaen/casework/records") == before


def test_people_are_troubled_once_and_nothing_of_theirs_is_called_broken(filled: Any, tmp_path: Path) -> None:
    folder = shutil.copytree(filled.folder, tmp_path / "site", ignore=shutil.ignore_patterns("var"))
    council = folder / "config" / "councils" / "torfaen.yaml"
    sheet = (
        'connections:\n  sheet:\n    profile: by-hand\n    owner: {name: Team, phone: "01632 960101"}\n'
        "    supplier: Nobody\n    connect: {where: the ledger on the shelf}\n"
        "    records: {Referral: {mapping: by-hand/referral}}\n"
    )
    council.write_text(council.read_text(encoding="utf-8").replace("connections:\n", sheet, 1), encoding="utf-8")
    options = ("conform", "torfaen/sheet", "--writes", "--wrong-login")
    found = replace(filled, folder=folder).json(*options, said="a trial")
    (kind,) = found["kinds"]
    came = {one["check"]: one["came"] for one in kind["told"]}
    assert found["counts"]["broken"] == found["counts"]["held"] == 0
    assert "an officer enters this Referral by hand in the ledger on the shelf" in came["create"]
    assert "troubled once" in came["an update of nothing"]
