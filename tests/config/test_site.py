"""A site as a whole: everything wrong at once, each in its place; a fault stays with its own council."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from config.findings import Severity, SiteFaults
from config.site import Site, load_site, reload

Spoil = Callable[[str, str, str], None]
Load = Callable[[], Site]

TORFAEN = "config/councils/torfaen.yaml"
NPT = "config/councils/neath-port-talbot.yaml"


def line_of(path: Path, words: str) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if words in line)


def test_the_example_has_nothing_to_mend(load: Load) -> None:
    example = load()
    assert [str(finding) for finding in example.findings] == []
    assert list(example.councils) == ["blaenau-gwent", "neath-port-talbot", "torfaen"]
    assert list(example.texts) == ["track-my-request"]


def test_a_fault_in_one_council_stops_nobody_else(site: Path, load: Load, spoil: Spoil) -> None:
    spoil(TORFAEN, "  - name: casework-to-contact", "  - nmae: casework-to-contact")
    example = load()
    assert list(example.councils) == ["blaenau-gwent", "neath-port-talbot"]
    line = line_of(site / TORFAEN, "nmae")
    assert {(finding.file, finding.line) for finding in example.findings} == {(TORFAEN, line)}
    assert any("did you mean 'name'?" in finding.remedy for finding in example.findings)


@pytest.mark.parametrize("broken", ["\t", "a: [", "- 1", "", "just words", "a: &x 1", "\udcff"])
def test_a_council_file_of_any_brokenness_stops_nobody_else(site: Path, load: Load, broken: str) -> None:
    (site / TORFAEN).write_bytes(broken.encode("utf-8", "surrogateescape"))
    example = load()
    assert list(example.councils) == ["blaenau-gwent", "neath-port-talbot"]
    assert {finding.file for finding in example.findings} == {TORFAEN}


def test_all_files_are_told_of_when_the_site_file_is_faulty(load: Load, spoil: Spoil) -> None:
    spoil("config/dolen.yaml", "stage: test", "stage: tset")
    spoil(TORFAEN, "from: contact", "from: contcat")
    spoil("texts/track-my-request.yaml", "((reference))", "")
    with pytest.raises(SiteFaults) as caught:
        load()
    assert [finding.file for finding in caught.value.findings] == [
        TORFAEN,
        "config/dolen.yaml",
        "texts/track-my-request.yaml",
    ]
    assert "did you mean 'test'?" in str(caught.value)


def test_no_site_at_all_and_the_folder_within(site: Path, tmp_path: Path) -> None:
    with pytest.raises(SiteFaults, match=r"config/dolen.yaml: found no such file"):
        load_site(tmp_path / "nowhere")
    with pytest.raises(SiteFaults, match="--site must be the folder that holds `config`"):
        load_site(site / "config")


def test_an_ending_that_would_go_unseen_is_named(site: Path, load: Load) -> None:
    (site / TORFAEN).rename(site / "config" / "councils" / "torfaen.yml")
    (finding,) = load().findings
    assert str(finding).startswith("config/councils/torfaen.yml: found another ending than .yaml, expected")
    assert finding.remedy == "rename the file"


def test_a_site_without_councils_says_so(site: Path, load: Load) -> None:
    shutil.rmtree(site / "config" / "councils")
    assert "no council's file" in str(load().findings[0])


def test_shape_faults_do_not_hide_faults_between_parts(load: Load, spoil: Spoil) -> None:
    spoil(NPT, "settle_seconds: 2", "settle_seconds: soon")
    spoil(NPT, "to: occupational-therapy", "to: occupational-theraphy")
    found = [finding.key for finding in load().findings]
    assert found == ["connections.contact.settle_seconds", "routes[4].to"]


def test_a_faulty_file_keeps_its_last_good_version(site: Path, load: Load, spoil: Spoil) -> None:
    first = load()
    spoil(TORFAEN, 'phone: "01632 960100"', "phone: ring us")
    spoil(NPT, 'phone: "01632 960300"', 'phone: "01632 960399"')
    second = reload(first)
    assert second.councils["torfaen"] is first.councils["torfaen"]
    assert second.councils["neath-port-talbot"].settings.council.phone == "01632 960399"
    assert [finding.file for finding in second.findings] == [TORFAEN]
    spoil(TORFAEN, "phone: ring us", 'phone: "01632 960199"')
    third = reload(second)
    assert third.councils["torfaen"].settings.council.phone == "01632 960199"
    assert third.findings == ()


def test_a_faulty_site_file_leaves_everything_as_it_was(load: Load, spoil: Spoil) -> None:
    first = load()
    spoil("config/dolen.yaml", "stage: test", "stage: [")
    second = reload(first)
    assert second.councils == first.councils
    assert second.settings == first.settings
    assert [finding.file for finding in second.findings] == ["config/dolen.yaml"]


def test_a_faulty_text_keeps_its_last_good_version(load: Load, spoil: Spoil) -> None:
    first = load()
    spoil("texts/track-my-request.yaml", "channel: text", "channel: pigeon")
    second = reload(first)
    assert second.texts["track-my-request"] is first.texts["track-my-request"]
    assert "pigeon" in str(second.findings[0])
    assert list(second.councils) == list(first.councils)


def test_a_council_whose_file_was_taken_away_goes(site: Path, load: Load) -> None:
    first = load()
    (site / TORFAEN).unlink()
    assert list(reload(first).councils) == ["blaenau-gwent", "neath-port-talbot"]


def test_paths_are_beside_the_site(site: Path, load: Load, spoil: Spoil) -> None:
    assert load().ledger_url() == f"sqlite:///{(site / 'var' / 'ledger.db').resolve().as_posix()}"
    spoil("config/dolen.yaml", '"sqlite:///ledger.db"', '"sqlite:////srv/ledger.db"')
    assert load().ledger_url() == "sqlite:////srv/ledger.db"


def test_a_url_may_be_a_reference(load: Load, spoil: Spoil, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil("config/dolen.yaml", '"sqlite:///ledger.db"', "env:DOLEN_LEDGER_URL")
    monkeypatch.setenv("DOLEN_LEDGER_URL", "postgresql+psycopg://dolen:secret@db.example.org/dolen")
    assert load().ledger_url().endswith("@db.example.org/dolen")


def test_missing_secrets_are_told_apart_from_faults(load: Load) -> None:
    found = load().missing_secrets({"TORFAEN_CONTACT_SECRET": "x"})
    assert len(found) == 9
    assert all(finding.severity is Severity.ERROR and finding.line for finding in found)
    assert "the environment variable TORFAEN_CASEWORK_PASSWORD is not set" in "\n".join(map(str, found))
    assert "TORFAEN_CONTACT_SECRET" not in "\n".join(map(str, found))
