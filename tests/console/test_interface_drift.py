"""`dolen interface drift` as it is typed, against systems that show their interface over the real wire."""

import json
from pathlib import Path
from typing import Any


def test_a_supplier_changes_its_interface(live: Any, tmp_path: Path) -> None:
    well = live.json("interface", "drift")
    states = {one["connection"]: one["state"] for one in well}
    assert (states["casework"], states["contact"]) == ("the same", "the same")
    assert "not offered" in states.values()  # texts, and what is entered by hand
    live.control("PUT", "torfaen/casework/interface", {"replace": [['name="Surname"', 'name="FamilyName"']]})
    done = live.dolen("interface", "drift", "torfaen/casework", "--save", str(tmp_path / "review"))
    assert done.returncode == 1
    assert "did it become Subject/FamilyName?" in done.stdout
    assert "mappings/casework/referral.yaml (shipped):" in done.stdout
    [written] = (tmp_path / "review").rglob("*.wsdl")
    assert 'name="FamilyName"' in written.read_text(encoding="utf-8")
    status = live.dolen("status")
    assert "torfaen/casework: the system shows another interface since" in status.stdout
    assert "1 BREAK" in status.stdout
    assert status.returncode == 0
    told = {one["connection"]: one for one in json.loads(live.dolen("status", "--json").stdout)["interfaces"]}
    assert told["casework"]["attention"]
    assert not told["contact"]["attention"]
    live.control("DELETE", "torfaen/casework/interface")
    assert live.dolen("interface", "drift", "casework").stdout == "torfaen/casework: the same\n"
    assert "another interface" not in live.dolen("status").stdout


def test_a_system_that_does_not_answer_is_a_problem_and_a_wrong_name_is_a_sentence(torfaen: Any) -> None:
    done = torfaen.dolen("interface", "drift", "casework")
    assert done.returncode == 1
    assert "torfaen/casework: not seen: " in done.stdout
    assert torfaen.dolen("interface", "drift", "nowhere").returncode == 1
