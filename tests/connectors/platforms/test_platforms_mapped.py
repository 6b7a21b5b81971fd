"""The shipped mappings with the shipped profiles over loopback: what we write comes back from the system as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from config.documents import read_yaml
from console.main import app
from mappings import codes
from mappings.compile import compile_mapping
from mappings.mapping import Mapping

ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / "mappings" / "shipped"
BOTH = pytest.mark.parametrize("system", ["dataverse", "salesforce"])


def mapping_of(system: str) -> Mapping:
    return compile_mapping(
        f"{system}/referral",
        lambda name: (read_yaml(SHIPPED / f"{name}.yaml").data, name),
        lambda name: codes.parse((SHIPPED / "codes" / f"{name}.csv").read_bytes(), name),
        "UTC",
    )


def facts_of(system: str) -> dict[str, Any]:
    pair = json.loads((SHIPPED / system / "golden" / "referral.create.json").read_text(encoding="utf-8"))
    facts: dict[str, Any] = pair["write"]["facts"]
    return facts


@BOTH
def test_a_referral_written_there_is_read_back_the_same(own: Any, opened: Any, walk: Any, system: str) -> None:
    mapping, facts, connector = mapping_of(system), facts_of(system), opened(system)
    own.later(minutes=1)
    written = mapping.write(facts)
    assert not written.stopped
    made = connector.deliver("Referral", written.record, key="dolen-1")
    own.later(minutes=3)
    (item,), _, _ = walk(connector)
    assert (item.id, item.our_key) == (made.id, "dolen-1")
    reading = mapping.read(item.record)
    assert not reading.stopped
    assert not reading.left_out
    assert dict(reading.facts) == facts


@BOTH
def test_an_update_written_onto_what_is_held_changes_that_alone(own: Any, opened: Any, system: str) -> None:
    mapping, facts, connector = mapping_of(system), facts_of(system), opened(system)
    made = connector.deliver("Referral", mapping.write(facts).record, key="dolen-1")
    held = connector.fetch("Referral", made.id)
    wanted = {"status": "accepted", "reason.text": None, "needs": [{"code": "meals"}]}
    onto = mapping.write(wanted, held.record).record
    changed = {name: value for name, value in onto.items() if held.record.get(name) != value}
    assert len(changed) == 3
    own.later(seconds=2)
    connector.deliver("Referral", changed, key="dolen-1", id=made.id, version=held.version)
    after = connector.fetch("Referral", made.id)
    assert dict(mapping.read(after.record).facts) == {**facts, **wanted}


@BOTH
def test_the_two_rooms_pin_the_same_interface(system: str) -> None:
    name = f"interfaces/{system}.openapi.yaml"
    assert (ROOT / "connectors" / name).read_bytes() == (ROOT / "sandbox" / name).read_bytes()


@BOTH
def test_a_site_that_uses_it_is_found_sound(tmp_path: Path, system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    run = CliRunner().invoke(app, ["new", str(site)])
    assert run.exit_code == 0, run.output
    council = site / "config" / "councils" / "my-council.yaml"
    monkeypatch.setenv("PLATFORM_SECRET", "cyfrinach")
    council.write_text(
        "council:\n  code: my-council\n  gss: W06000020\n  name: {cy: Cyngor, en: Council}\n"
        "  time_zone: Europe/London\n  phone: '01632 960100'\nconnections:\n  platform:\n"
        f"    profile: {system}\n"
        "    owner: {name: Systems team, phone: '01632 960001'}\n    supplier: Service desk\n    connect:\n"
        "      url: https://my-council.example.org/api\n      login:\n        oauth2:\n"
        "          token_url: https://login.example.org/token\n          client_id: dolen\n"
        "          client_secret: env:PLATFORM_SECRET\n"
        f"    records:\n      Referral: {{mapping: {system}/referral}}\n    owns: [status]\n",
        encoding="utf-8",
    )
    found = CliRunner().invoke(app, ["check", "--site", str(site), "--json"])
    told = json.loads(found.output)
    assert found.exit_code == 0, told
