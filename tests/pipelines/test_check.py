"""`dolen check` finds, with file and line, what cannot work (G9); the example site has nothing to find."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest

from config.findings import Finding, Severity
from connectors.port import Finding as Line
from pipelines import composition, doctor, mapping_bench
from pipelines.check import check

EXAMPLE = Path(__file__).resolve().parents[2] / "config" / "example"
STARTER = EXAMPLE.parent / "starter"
TORFAEN = "config/councils/torfaen.yaml"
NPT = "config/councils/neath-port-talbot.yaml"
PROFILES = Path(composition.shipped_folders()["profiles"])
INTERFACES = Path(composition.shipped_folders()["interfaces"])
MAPPINGS = Path(composition.shipped_folders()["mappings"])


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A copy of the example site."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "site"))


def edit(root: Path, file: str, old: str, new: str) -> int:
    """Change the first `old` in a file; return its line."""
    path = root / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def own(root: Path, kind: str, name: str) -> str:
    """Let the site have its own copy of a shipped file."""
    source = {"profiles": PROFILES, "interfaces": INTERFACES, "mappings": MAPPINGS}[kind] / name
    target = root / kind / name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)
    return f"{kind}/{name}"


def errors(root: Path) -> list[Finding]:
    return [one for one in check(root, environment={}) if one.severity is Severity.ERROR]


def the(found: list[Finding], file: str, line: int) -> Finding:
    """The finding at a place; shows all of them if there is none."""
    there = [one for one in found if (one.file, one.line) == (file, line)]
    assert there, "\n".join(map(str, found))
    return there[0]


@pytest.mark.parametrize("folder", [EXAMPLE, STARTER], ids=lambda folder: str(folder.name))
def test_what_is_shipped_has_no_errors_and_is_soon_checked(folder: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(folder, tmp_path / "site"))
    begun = time.monotonic()
    found = check(root, environment={})
    assert time.monotonic() - begun < 20  # about one second at a desk
    everywhere = check(root, environment={}, shipped=True)
    assert {str(one) for one in everywhere} >= {str(one) for one in found}
    found = everywhere
    assert [str(one) for one in found if one.severity is Severity.ERROR] == []
    assert found, "missing secrets are told"
    known = "is left out where the referral does not say it"  # a need told in words alone: both systems want a code
    assert [str(one) for one in found if "is not set" not in one.found and known not in one.found] == []
    assert found == sorted(found)


def test_a_missing_secret_is_an_error_for_a_site_that_goes_to_work(site: Path) -> None:
    found = check(site, live=True, environment={})
    secrets = [one for one in found if "is not set" in one.found]
    assert {one.severity for one in secrets} == {Severity.ERROR}
    assert len(secrets) == 10


def test_an_unknown_path_of_ours_is_found_in_the_councils_own_file(site: Path) -> None:
    line = edit(site, "mappings/blaenau-gwent/referral.yaml", "ours: extensions.", "ours: extension.")
    one = the(errors(site), "mappings/blaenau-gwent/referral.yaml", line)
    assert "extensions" in f"{one.expected} {one.remedy}"


def test_a_code_list_without_one_meaning_is_found(site: Path) -> None:
    line = edit(site, "codes/blaenau-gwent-priority-casework.csv", "GREEN,routine", "RED,routine")
    one = the(errors(site), "codes/blaenau-gwent-priority-casework.csv", line)
    assert "RED" in one.found


def test_a_setting_nobody_knows_is_found_with_its_line(site: Path) -> None:
    line = edit(site, TORFAEN, "timeout_seconds: 5", "time_out: 5")
    one = the(errors(site), TORFAEN, line)
    assert one.key == "connections.contact.connect.time_out"
    assert "timeout_seconds" in f"{one.expected} {one.remedy}"


def test_a_login_that_does_not_fit_is_found_in_its_connection(site: Path) -> None:
    edit(site, TORFAEN, "        oauth2:\n          token_url: http://127.0.0.1:8765/torfaen/contact/token\n"
         "          client_id: dolen-torfaen\n          client_secret: env:TORFAEN_CONTACT_SECRET\n",
         "        notify: {api_key: env:TORFAEN_CONTACT_SECRET}\n")  # fmt: skip
    found = errors(site)
    assert any(one.key.startswith("connections.contact.connect") and "notify" in str(one) for one in found), found


def test_an_address_in_clear_is_found(site: Path) -> None:
    line = edit(site, TORFAEN, "http://127.0.0.1:8765/torfaen/casework/soap", "http://casework.example.org/soap")
    assert "https" in str(the(errors(site), TORFAEN, line))


def test_a_profile_that_names_what_the_interface_lacks_is_found(site: Path) -> None:
    file = own(site, "profiles", "casework.yaml")
    edit(site, file, "operation: FindReferrals", "operation: FindReferals")
    found = errors(site)
    assert any(one.file == file and "FindReferals" in one.found and one.line for one in found), found


def test_a_profile_with_a_slip_is_found_with_its_line(site: Path) -> None:
    file = own(site, "profiles", "contact.yaml")
    line = edit(site, file, "leave_out:", "leave_of:")
    assert "leave_out" in str(the(errors(site), file, line))


def test_a_clock_that_is_none_is_blamed_on_the_profile_alone(site: Path) -> None:
    file = own(site, "profiles", "casework.yaml")
    line = edit(site, file, "clock: Europe/London", "clock: Europe/Lodnon")
    found = errors(site)
    assert the(found, file, line)
    assert {one.file for one in found} == {file}


def test_a_wsdl_that_wants_the_web_is_refused(site: Path) -> None:
    file = own(site, "interfaces", "casework.wsdl")
    edit(site, file, "<wsdl:types>" if "<wsdl:types>" in (site / file).read_text(encoding="utf-8") else "<types>",
         '<import xmlns="http://schemas.xmlsoap.org/wsdl/" namespace="urn:x" location="https://example.org/x.wsdl"/>\n'
         "<types>" if "<types>" in (site / file).read_text(encoding="utf-8") else
         '<wsdl:import namespace="urn:x" location="https://example.org/x.wsdl"/>\n<wsdl:types>')  # fmt: skip
    assert any("never fetched" in str(one) for one in errors(site))


def test_a_pinned_interface_that_is_not_there_is_found(site: Path) -> None:
    file = own(site, "profiles", "casework.yaml")
    line = edit(site, file, "interfaces/casework.wsdl", "interfaces/case-work.wsdl")
    assert "case-work.wsdl" in str(the(errors(site), file, line))


def test_a_route_from_what_cannot_be_read_is_found(site: Path) -> None:
    line = edit(
        site, NPT, "    from: contact\n    to: occupational-therapy", "    from: occupational-therapy\n    to: casework"
    )
    one = the(errors(site), NPT, line)
    assert "changes" in one.expected


def test_a_route_to_what_takes_nothing_new_is_found(site: Path) -> None:
    file = own(site, "profiles", "contact.yaml")
    text = (site / file).read_text(encoding="utf-8")
    begin, end = text.index("    create:\n"), text.index("    update:\n")
    (site / file).write_text(text[:begin] + text[end:], encoding="utf-8")
    assert any("no `create` for Request" in one.found for one in errors(site))


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ("assigned_to.team: [adults]", "assigned_to.teem: [adults]", "team"),
        ("{who: family}", "{who: family, when: {referrer.kind: [family-freind]}}", "family-friend"),
        ("{who: family}", '{who: family, when: {referrer.person_agrees: ["yes"]}}', "true"),
    ],
)
def test_a_condition_that_never_holds_is_found(site: Path, old: str, new: str, hint: str) -> None:
    line = edit(site, NPT, old, new)
    assert hint in str(the(errors(site), NPT, line))


def test_a_kind_that_the_profile_lacks_is_found(site: Path) -> None:
    line = edit(site, TORFAEN, "Request: {mapping", "Enquiry: {mapping")
    edit(site, TORFAEN, "record: Request", "record: Enquiry")
    assert "Request" in the(errors(site), TORFAEN, line).expected


def test_a_mapping_for_another_system_is_found(site: Path) -> None:
    line = edit(site, TORFAEN, "mapping: casework/referral", "mapping: by-hand/referral")
    found = errors(site)
    assert "by-hand" in the(found, TORFAEN, line).found
    assert {one.file for one in found} == {TORFAEN}, "its rows are not blamed one by one"


def test_a_golden_pair_that_does_not_hold_is_found_and_masked(site: Path) -> None:
    pair = {
        "about": "wrong on purpose",
        "read": {
            "record": {"Priority": "RED", "Subject": {"Surname": "Prydderch"}},
            "facts": {"priority": "routine", "person.name.family": "Rhydderch"},
        },
    }
    folder = site / "mappings" / "blaenau-gwent" / "golden"
    folder.mkdir(exist_ok=True)
    (folder / "referral.wrong.json").write_text(json.dumps(pair), encoding="utf-8")
    (folder / "referral.torn.json").write_text("{", encoding="utf-8")
    found = errors(site)
    assert {one.file for one in found} == {
        "mappings/blaenau-gwent/golden/referral.wrong.json",
        "mappings/blaenau-gwent/golden/referral.torn.json",
    }
    one = next(one for one in found if one.key == "read priority")
    assert (one.found, one.expected) == ('"emergency"', '"routine"')
    assert "ydderch" not in "".join(map(str, found))


def test_one_councils_faults_hide_nobody_elses(site: Path) -> None:
    edit(site, "config/councils/blaenau-gwent.yaml", "profile: contact", "profile: kontact")
    line = edit(site, TORFAEN, "timeout_seconds: 5", "time_out: 5")
    found = errors(site)
    assert the(found, TORFAEN, line)
    assert any(one.file == "config/councils/blaenau-gwent.yaml" for one in found)


def test_a_site_without_its_file_is_a_finding(tmp_path: Path) -> None:
    assert {one.file for one in check(tmp_path)} == {"config/dolen.yaml", "config/councils"}


def test_doctor_tells_of_each_connection_and_raises_for_none(site: Path) -> None:
    for file in (site / "config" / "councils").glob("*.yaml"):
        file.write_text(file.read_text(encoding="utf-8").replace(":8765/", ":9/"), encoding="utf-8")
    plant = composition.build(composition.load(site), environment={"TORFAEN_CASEWORK_PASSWORD": "x"})
    try:
        found = doctor.examine(plant, council="torfaen")
        assert {name for _, name, _ in found} == {"contact", "casework", "texts"}
        bad = {name: one for _, name, one in found if not one.well}
        assert "TORFAEN_CONTACT_SECRET is not set" in bad["contact"].words
        assert bad["casework"].subject != "settings"
        council = plant.councils["torfaen"]
        mended = {name: doctor.who_mends(council.wired[name], one) for name, one in bad.items()}
        assert (mended["contact"], mended["casework"]) == ("whoever looks after Dolen here", "the network team")
        lines = [one for _, name, one in found if name == "casework"]
        assert {doctor.line_of(one) for one in lines} >= set(doctor.LINES), "nobody takes silence for health"
        assert "must be mended first" in next(one.words for one in lines if one.subject == "page")
        login, page = Line("login", False, "refused", "ask"), Line("page", False, "odd", "ask")
        assert doctor.who_mends(council.wired["casework"], login).startswith("the system's owner, ")
        assert doctor.who_mends(council.wired["casework"], page).startswith("the supplier")
        assert doctor.line_of(Line("reading Request", True, "")) == "page"
        with pytest.raises(LookupError, match="casework, contact"):
            doctor.examine(plant, council="torfaen", connection="case-work")
    finally:
        plant.close()


def test_every_golden_pair_of_the_example_holds(site: Path) -> None:
    tried = {one.mapping: one for one in mapping_bench.run_golden(site)}
    assert set(tried) >= {"contact/request", "casework/referral", "by-hand/referral", "blaenau-gwent/referral"}
    for one in tried.values():
        assert one.well, one
        assert one.pairs
        assert one.uncovered == ()


def test_a_preview_masks_a_person_and_shows_the_way_back(site: Path) -> None:
    plant = composition.build(composition.load(site), environment={"TORFAEN_CASEWORK_PASSWORD": "x"})
    record = {
        "Received": "2026-03-02T09:30:00", "Kind": "REF", "Status": "NEW", "Priority": "P9", "Safeguarding": "false",
        "Restricted": "false", "OfficerNotes": "kept",
        "Subject": {"Forename": "Siân", "Surname": "Prydderch", "DOB": "1941-02-03", "Gender": "2"},
    }  # fmt: skip
    try:
        shown = mapping_bench.preview(plant, "torfaen", "casework", "Referral", record=json.dumps(record))
        rows = {row.ours: row for row in shown.rows}
        assert rows["status"].value == "received"
        assert rows["person.name.family"].value == "a text of 9 characters"
        assert rows["priority"].gap.startswith("unknown code in code list casework-priority")
        assert [gap.field for gap in shown.stopped] == ["priority"]
        assert "Prydderch" not in repr(shown)
        open_ = mapping_bench.preview(plant, "torfaen", "casework", "Referral", record=json.dumps(record), reveal=True)
        assert {row.ours: row.value for row in open_.rows}["person.name.family"] == "Prydderch"
        torn = mapping_bench.preview(plant, "torfaen", "casework", "Referral", record="<Referral>")
        assert "not well-formed" in torn.unreadable
        assert (
            "neither JSON nor XML"
            in mapping_bench.preview(plant, "torfaen", "casework", "Referral", record="{").unreadable
        )
        with pytest.raises(LookupError, match="no version 7"):
            mapping_bench.preview(plant, "torfaen", "casework", "Referral", version_id=7)
        with pytest.raises(LookupError, match="no connection"):
            mapping_bench.preview(plant, "torfaen", "nothing", "Referral", record="{}")
    finally:
        plant.close()


def warnings(root: Path, file: str) -> list[tuple[int, str, str]]:
    return [(one.line, one.key, one.found) for one in check(root, environment={}) if one.file == file]


def test_a_code_that_waits_and_words_without_welsh_are_warnings(site: Path) -> None:
    file = site / "codes/casework-outcome.rows.csv"
    file.write_text("theirs,ours,direction,cy,en\nO77,,,,New\nO78,nfa-information,read,,Told\n", encoding="utf-8")
    found = warnings(site, "codes/casework-outcome.rows.csv")
    assert found == [(2, "ours", "a code that nobody has mapped"), (3, "cy", "1 without Welsh")]
    assert errors(site) == []


def test_rows_of_a_list_that_is_not_there_are_found(site: Path) -> None:
    (site / "codes/casework-outcom.rows.csv").write_text("theirs,ours\nO77,x\n", encoding="utf-8")
    (found,) = [one for one in errors(site) if one.file == "codes/casework-outcom.rows.csv"]
    assert "casework-outcome" in found.remedy


def test_a_fault_in_rows_over_a_list_is_told_with_their_own_line(site: Path) -> None:
    (site / "codes/casework-priority.rows.csv").write_text("theirs,ours\nP9,urgent\n", encoding="utf-8")
    found = [one for one in errors(site) if one.file == "codes/casework-priority.rows.csv"]
    assert [(one.line, one.key) for one in found] == [(2, "ours")] * len(found)
    assert "line 3 of the list under it" in found[0].found


@pytest.mark.parametrize("ours", ["type", "status"])
def test_a_mapping_that_cannot_read_what_every_record_needs_is_found_before_anything_is_read(
    site: Path, ours: str
) -> None:
    name = own(site, "mappings", "contact/request.yaml")
    rows = (site / name).read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [row for row in rows if f"{{ours: {ours}, " not in row]
    assert len(kept) == len(rows) - 1
    (site / name).write_text("".join(kept), encoding="utf-8")
    line = (site / TORFAEN).read_text(encoding="utf-8").split("{mapping: ")[0].count("\n") + 1
    assert f"has no row in force that reads `{ours}`" in the(errors(site), TORFAEN, line).found


def test_a_code_that_is_none_of_ours_is_told_with_the_file_that_it_stands_in(site: Path) -> None:
    (site / "codes").mkdir(exist_ok=True)
    (site / "codes" / "contact-status.csv").write_text("theirs,ours\nnew,qwerty\n", encoding="utf-8")
    told = [one.remedy for one in errors(site) if "the code 'qwerty'" in one.found]
    assert told
    assert {remedy.lower() for remedy in told} == {"correct codes/contact-status.csv"}
