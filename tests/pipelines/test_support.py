"""The support bundle: it helps, and no canary of a person, a record, an officer or a member of staff is in it."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from config.findings import Finding
from pipelines import composition, control, desk, support
from pipelines.causes import Cause
from pipelines.decision import Decision, Do
from pipelines.sending import Result

pytest_plugins = ("tests.pipelines.pieces",)

CANARIES = (
    "Siân", "Llŷr", "1941-02-28", "07700", "Cwmbrân", "NP44", "Gwyn", "Cwympodd",  # a person
    "C-1", "S-881-X", "quoted by the system",  # a record, and what a system said
    "ann.officer", "agreed with her son",  # an officer and a reason
    "01632", "Social care systems team", "Service desk", "Head of Adult",  # staff
    "invented-words", "found-in-a-file",  # secrets, and slips in files
)  # fmt: skip


@pytest.fixture
def bundle(bench: Any, tmp_path: Path) -> dict[str, str]:
    """The bundle of a site at which everything happened: its files, as text."""
    plant = bench.plant
    bench.take(bench.request("C-1", priority="urgent"), bench.request("C-1b"))
    first, second = bench.rows("delivery")
    job = bench.job(first.lane)
    why = Cause("casework", "send", "Rejected", "quoted by the system: Siân Llŷr", "person.name.family")
    bench.write(Result(job, error="Rejected", words=why.words, decision=Decision(Do.ATTENTION), cause=why))
    bench.arrived(second.lane, "S-881-X", minute=40)
    bench.take(bench.request("C-1c", priority="tomorrow"))
    [wired] = control.connections(plant, "torfaen/texts")
    control.pause(plant, wired, who="ann.officer", why="agreed with her son")
    desk.close(plant, f"d{first.id}", who="ann.officer", why="agreed with her son")
    slip = Finding("config/dolen.yaml", 3, 1, "stage", "found-in-a-file", "test or live", "write test")
    to = tmp_path / "bundle.zip"
    names = support.bundle(plant, composition.load(bench.folder), [slip], to)
    with pytest.raises(FileExistsError):
        support.bundle(plant, composition.load(bench.folder), [], to)
    with zipfile.ZipFile(to) as packed:
        assert packed.namelist() == names
        return {name: packed.read(name).decode() for name in names}


def test_nobody_is_in_it(bundle: dict[str, str]) -> None:
    found = [(name, canary) for name, text in bundle.items() for canary in CANARIES if canary in text]
    assert found == []


def test_it_tells_what_a_supporter_asks_first(bundle: dict[str, str]) -> None:
    told = {name: json.loads(text) for name, text in bundle.items() if name.endswith(".json")}
    assert told["program.json"]["packages"]["SQLAlchemy"]
    assert told["findings.json"] == [{"file": "config/dolen.yaml", "key": "stage", "line": 3, "severity": "error"}]
    [torfaen] = [one for one in told["site.json"] if one["council"] == "torfaen"]
    assert torfaen["connections"]["casework"]["protocol"] == "soap"
    assert {one["name"] for one in torfaen["routes"]} >= {"contact-to-casework"}
    [unread] = told["attention.json"]
    assert (unread["step"], unread["code_list"], unread["count"]) == ("read", "contact-priority", 1)
    assert ["torfaen", "casework", "send", "needs attention", "Rejected", 1] in told["states.json"]["tries"]
    assert told["states.json"]["rows"]["referral"] == 2
    assert [one["why"] for one in told["pause.json"]] == ["by a person"]
    assert {"dolen_late", "dolen_deliveries"} <= {one["name"] for one in told["figures.json"]}
    assert told["ready.json"]["ledger"] == ""
