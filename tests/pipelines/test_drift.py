"""A supplier changes its interface: found over the real wire, told with the rows that it touches, kept and shown."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipelines import composition, drift_watch, drifting, overview
from pipelines.drift_watch import DriftWatch
from pipelines.drifting import DRIFTED, NOT_OFFERED, NOT_SEEN, SAME
from pipelines.runs import Runs

ROOT = Path(__file__).parents[2]
WSDL = ROOT / "connectors/interfaces/casework.wsdl"
DAY = 86_400


def upgrade(town: Any, system: str, *replace: tuple[str, str]) -> None:
    """The supplier upgrades Torfaen's installation."""
    town.control("PUT", f"torfaen/{system}/interface", {"replace": [list(pair) for pair in replace]})


def look(town: Any, name: str) -> drifting.Looked:
    return drifting.look(town.plant, town.plant.councils["torfaen"].wired[name])


def told(looked: drifting.Looked) -> dict[str, drifting.Finding]:
    """By path, or by the words where a finding is about the whole interface."""
    return {one.path or one.words: one for one in looked.findings}


def test_what_nobody_changed_is_the_same_and_what_is_not_offered_is_no_error(town: Any) -> None:
    assert (look(town, "casework").state, look(town, "casework").findings) == (SAME, [])
    assert (look(town, "contact").state, look(town, "contact").findings) == (SAME, [])  # behind its login
    for name in set(town.plant.councils["torfaen"].wired) - {"casework", "contact", "form"}:
        assert look(town, name).state == NOT_OFFERED
    # The text differs - comments, the address that it is served at - and the meaning does not.
    live = look(town, "casework").live
    assert live is not None
    assert live.read("interfaces/casework.wsdl") != WSDL.read_bytes()


def test_a_changed_wsdl_names_rows_and_keys_by_line(town: Any) -> None:
    upgrade(
        town,
        "casework",
        ('name="Surname"', 'name="FamilyName"'),
        ('name="OfficerNotes"', 'name="StaffNotes"'),
        ('<xs:element name="ReferralId"', '<xs:element name="CaseId"'),
    )
    looked = look(town, "casework")
    assert looked.state == DRIFTED
    found = told(looked)
    surname = found["Subject/Surname"]
    mapping = (ROOT / "mappings/shipped/casework/referral.yaml").read_text(encoding="utf-8").splitlines()
    [line] = [number for number, text in enumerate(mapping, 1) if "theirs: Subject/Surname" in text]
    assert surname.harm == "breaks"
    assert surname.rows == (f"mappings/casework/referral.yaml (shipped):{line} person.name.family",)
    assert "did it become Subject/FamilyName?" in surname.words
    assert found["OfficerNotes"].harm == "harmless"  # nobody maps it
    assert looked.findings[0].harm == "breaks"


def test_an_operation_that_is_gone_breaks_where_the_profile_calls_it(town: Any) -> None:
    times = WSDL.read_text(encoding="utf-8").count("FindByClientReference")
    upgrade(town, "casework", *[("FindByClientReference", "FindByReference")] * times)
    looked = look(town, "casework")
    [gone] = [one for one in looked.findings if one.words.startswith("operation FindByClientReference is gone")]
    assert gone.harm == "breaks"
    assert "did it become FindByReference?" in gone.words
    profile = (ROOT / "connectors/profiles/casework.yaml").read_text(encoding="utf-8").splitlines()
    [line] = [number for number, text in enumerate(profile, 1) if "operation: FindByClientReference" in text]
    assert gone.keys == (f"profiles/casework.yaml (shipped):{line} records.Referral.find.operation",)


def test_a_changed_openapi_file_is_read_behind_the_login(town: Any) -> None:
    text = (ROOT / "connectors/interfaces/contact.openapi.yaml").read_text(encoding="utf-8")
    assert "postcode:" in text
    upgrade(town, "contact", ("postcode:", "post_code:"), ("/api/requests/{id}:", "/api/request/{number}:"))
    looked = look(town, "contact")
    [gone] = [one for one in looked.findings if one.words.startswith("operation PATCH /api/requests/{} is gone")]
    assert gone.harm == "breaks"
    assert [key.rpartition(" ")[2] for key in gone.keys] == ["records.Request.update.path"]
    found = told(looked)
    assert found["customer/address/postcode"].harm == "breaks"
    assert "did it become customer/address/post_code?" in found["customer/address/postcode"].words


def test_what_cannot_be_fetched_is_said_and_nothing_of_it_is_believed(town: Any) -> None:
    upgrade(town, "casework", ("<wsdl:definitions", '<!DOCTYPE x [<!ENTITY a "b">]><wsdl:definitions'))
    looked = look(town, "casework")
    assert (looked.state, "DOCTYPE" in looked.words) == (NOT_SEEN, True)
    town.control("DELETE", "torfaen/casework/interface")
    upgrade(town, "casework", ("<wsdl:types>", '<wsdl:import location="http://169.254.0.1/x.wsdl"/><wsdl:types>'))
    looked = look(town, "casework")
    assert (looked.state, "another host" in looked.words) == (NOT_SEEN, True)
    town.control("DELETE", "torfaen/casework/interface")
    town.faults("torfaen", "contact", error_before={"status": 503})
    assert look(town, "contact").state == NOT_SEEN
    town.well("torfaen", "contact")
    assert look(town, "contact").state == SAME


def test_another_host_is_never_asked(town: Any) -> None:
    file = town.site / "config/councils/torfaen.yaml"
    text = file.read_text(encoding="utf-8")
    url = f"{town.url}/torfaen/casework/soap"
    assert f"url: {url}" in text
    file.write_text(
        text.replace(f"url: {url}", f"url: {url}\n      interface_url: http://127.0.0.1:9/soap?wsdl"), encoding="utf-8"
    )
    looked = look(town, "casework")
    assert looked.state == NOT_SEEN
    assert "only the connection's own host is asked" in looked.words


def test_what_was_fetched_is_saved_for_review_and_the_pinned_file_stays(town: Any, tmp_path: Path) -> None:
    pinned = town.site / "interfaces" / "casework.wsdl"
    pinned.parent.mkdir(exist_ok=True)
    shutil.copy(WSDL, pinned)
    upgrade(town, "casework", ('name="Surname"', 'name="FamilyName"'))
    looked = look(town, "casework")
    [written] = drifting.save(looked, tmp_path / "review")
    assert 'name="FamilyName"' in written.read_text(encoding="utf-8")
    assert pinned.read_bytes() == WSDL.read_bytes()


def test_the_night_looks_once_keeps_what_it_found_and_status_tells(town: Any) -> None:
    plant, watch = town.plant, DriftWatch(town.plant)
    runs = Runs(plant, "boot-1")
    watch(runs)  # what was planned before anybody kept the timetable was not missed
    assert overview.look(plant).interfaces == []
    upgrade(town, "casework", ('name="Surname"', 'name="FamilyName"'))
    town.push(DAY)
    looks = 0
    while (one := drift_watch.due(plant)) is not None:
        assert drift_watch.claim(plant, one, "boot-1")
        assert not drift_watch.claim(plant, one, "boot-2")  # somebody else keeps the timetable too
        drift_watch.make(plant, one, "boot-1")
        looks += 1
        assert looks < 20
    seen = {(one.council, one.connection): one for one in overview.look(plant).interfaces}
    changed = seen["torfaen", "casework"]
    assert (changed.state, changed.attention) == (DRIFTED, True)
    assert changed.breaks >= 1
    assert not seen["neath-port-talbot", "casework"].attention
    # The supplier puts it right, or the file is pinned anew: the next night takes the word back.
    town.control("DELETE", "torfaen/casework/interface")
    town.push(DAY)
    watch(runs)
    watch.close()
    while (one := drift_watch.due(plant)) is not None:
        assert drift_watch.claim(plant, one, "boot-1")
        drift_watch.make(plant, one, "boot-1")
    assert not any(one.attention for one in overview.look(plant).interfaces)


def test_a_look_whose_process_died_is_made_by_another_and_a_silent_system_is_asked_again(town: Any) -> None:
    plant = town.plant
    # By the hour until it is due: a day later, whatever the hour is now, might be just before the next night's look.
    for _ in range(30):
        if (one := drift_watch.due(plant)) is not None:
            break
        town.push(3600)
    assert one is not None
    assert drift_watch.claim(plant, one, "dead/1")
    others = []
    while (other := drift_watch.due(plant)) is not None:
        assert other != one
        assert drift_watch.claim(plant, other, "boot-1")
        others.append(other)
    town.push(drift_watch.CLAIM / 1_000_000 + 1)
    assert drift_watch.due(plant) == one
    system = one.connection if one.connection in ("casework", "contact") else "contact"
    town.faults(one.council, system, dead={"seconds": 0})
    assert drift_watch.claim(plant, one, "boot-1")
    assert drift_watch.make(plant, one, "boot-1").state == NOT_SEEN
    town.well(one.council, system)
    town.push(drift_watch.AGAIN / 1_000_000 + 1)
    again = drift_watch.due(plant)
    assert again is not None
    assert again.at == one.at


def test_a_site_that_wants_no_look_gets_none(town: Any) -> None:
    file = town.site / "config/dolen.yaml"
    file.write_text(file.read_text(encoding="utf-8") + "\ninterface_drift: {cron: null}\n", encoding="utf-8")
    plant = composition.build(composition.load(town.site), clock=town.clock)
    try:
        assert drift_watch.due(plant) is None
        town.push(2 * DAY)
        assert drift_watch.due(plant) is None
    finally:
        plant.close()


@pytest.mark.parametrize("pairs", [{"replace": "x"}, {"replace": [["only one"]]}, {"replace": [["not there", "x"]]}])
def test_the_control_desk_refuses_what_makes_no_sense(town: Any, pairs: Any) -> None:
    import urllib.error

    with pytest.raises(urllib.error.HTTPError) as refused:
        town.control("PUT", "torfaen/casework/interface", pairs)
    assert refused.value.code in (400, 422)
    assert json.loads(refused.value.read())["error"]
