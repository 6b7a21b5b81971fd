"""The composition root: what a site's files become, and what one council's slip does to the others."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.findings import SiteFaults
from config.secrets import SecretMissing
from connectors.errors import Misconfigured, Rejected
from pipelines import composition, rooms
from pipelines.keystore import KeyFault
from pipelines.plant import Plant

EXAMPLE = Path(__file__).resolve().parents[2] / "config" / "example"
NOTIFY_KEY = "demo-" + "-".join(["11111111-2222-3333-4444-555555555555"] * 2)
COUNCILS = ("blaenau-gwent", "neath-port-talbot", "torfaen")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A copy of the example site."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "site"))


@pytest.fixture
def built() -> Iterator[Callable[..., Plant]]:
    """Builds plants and closes them."""
    made: list[Plant] = []

    def build(root: Path, **environment: str) -> Plant:
        made.append(composition.build(composition.load(root), environment=environment))
        return made[-1]

    yield build
    for plant in made:
        plant.close()


def edit(root: Path, file: str, old: str, new: str) -> None:
    path = root / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_example_site_becomes_three_councils(site: Path, built: Callable[..., Plant]) -> None:
    plant = built(site)
    assert tuple(plant.councils) == COUNCILS
    assert list(plant.findings) == []
    assert (plant.stage, plant.broker_url) == ("test", "memory://")
    torfaen = plant.councils["torfaen"]
    assert (torfaen.gss, torfaen.zone, torfaen.name["cy"]) == ("W06000020", "Europe/London", "Torfaen")
    assert torfaen.owners["status"] == "casework"
    assert torfaen.owners["person"] == "contact"
    assert torfaen.person_identifiers == ("person.nhs_number",)
    contact = torfaen.wired["contact"]
    assert (contact.timeout_seconds, contact.settle_seconds, contact.at_once, contact.polls) == (5.0, 2.0, 4, True)
    assert contact.kinds["Request"].mapping.name == "contact/request"
    assert {name: contact.settings[name] for name in ("every", "cron", "jitter", "paused", "windows", "zone")} == {
        "every": 2.0,
        "cron": None,
        "jitter": 0.2,
        "paused": False,
        "windows": [],
        "zone": "Europe/London",
    }
    assert "changes" in contact.settings["offers"]["Request"]
    texts = torfaen.wired["texts"]
    assert not texts.polls
    assert texts.kinds == {}


def test_routes_and_texts_say_what_the_files_say(site: Path, built: Callable[..., Plant]) -> None:
    council = built(site).councils["neath-port-talbot"]
    there = council.route("contact-to-casework")
    assert there is not None
    assert (there.source, there.target, there.kind, there.carries) == ("contact", "casework", "Referral", "state")
    assert there.creates_persons
    assert there.when == {"assigned_to.team": ("adults",)}
    assert there.arrive_within is not None
    assert there.arrive_within.total_seconds() == 900
    told = council.route("tell-people")
    assert told is not None
    assert (told.kind, told.text, told.audiences) == ("Text", "track-my-request", ("",))
    assert [(row.who, row.texts) for row in told.recipients] == [
        ("family", ("track-my-request",)), ("person", ("track-my-request",)),
    ]  # fmt: skip
    assert set(council.texts["track-my-request"].templates["accepted"]) == {"cy", "en", "both"}
    assert council.wired["occupational-therapy"].kinds["Referral"].mapping.name == "by-hand/referral"


def test_a_councils_own_words_are_its_own(site: Path, built: Callable[..., Plant]) -> None:
    plant = built(site)
    own = plant.councils["blaenau-gwent"].wired["casework"].kinds["Referral"].mapping
    shared = plant.councils["torfaen"].wired["casework"].kinds["Referral"].mapping
    assert own.digest != shared.digest
    assert own.read({"Priority": "RED"}).facts["priority"] == "emergency"
    assert "priority" not in shared.read({"Priority": "RED"}).facts
    assert shared is plant.councils["neath-port-talbot"].wired["casework"].kinds["Referral"].mapping


def test_nothing_is_opened_until_somebody_talks_to_it(site: Path, built: Callable[..., Plant]) -> None:
    heavy = {"zeep", "notifications_python_client"} - set(sys.modules)
    plant = built(site, TORFAEN_NOTIFY_KEY=NOTIFY_KEY, TORFAEN_CASEWORK_PASSWORD="x", TORFAEN_CONTACT_SECRET="y")
    assert not heavy & set(sys.modules)
    for wired in plant.councils["torfaen"].wired.values():
        assert wired.connector is wired.connector
    assert "create" in plant.councils["torfaen"].wired["texts"].connector.offers("Text")


def test_a_missing_secret_is_misconfigured_when_the_connection_is_opened(
    site: Path, built: Callable[..., Plant]
) -> None:
    wired = built(site).councils["torfaen"].wired["casework"]
    with pytest.raises(Misconfigured, match="TORFAEN_CASEWORK_PASSWORD is not set"):
        _ = wired.connector


def test_in_test_texts_reach_the_listed_numbers_alone(site: Path, built: Callable[..., Plant]) -> None:
    edit(site, "config/dolen.yaml", "+447700900*", "+4477009001*")
    plant = built(site, TORFAEN_NOTIFY_KEY=NOTIFY_KEY)
    record = {"channel": "text", "to": "+447700900999", "personalisation": {}}
    template = plant.councils["torfaen"].texts["track-my-request"].templates["accepted"]["cy"]
    with pytest.raises(Rejected, match="not among only_to"):
        plant.councils["torfaen"].wired["texts"].connector.deliver("Text", {**record, "template_id": template}, key="k")


def test_a_councils_faulty_mapping_leaves_that_council_out_and_nobody_else(
    site: Path, built: Callable[..., Plant]
) -> None:
    edit(site, "mappings/blaenau-gwent/referral.yaml", "ours: priority", "ours: prioritee")
    plant = built(site)
    assert tuple(plant.councils) == ("neath-port-talbot", "torfaen")
    finding = next(one for one in plant.findings if "prioritee" in one.found)
    assert (finding.file, finding.line) == ("mappings/blaenau-gwent/referral.yaml", 5)


def test_a_faulty_code_list_does_the_same(site: Path, built: Callable[..., Plant]) -> None:
    edit(site, "codes/blaenau-gwent-priority-casework.csv", "AMBER,urgent,both", "RED,urgent,both")
    plant = built(site)
    assert tuple(plant.councils) == ("neath-port-talbot", "torfaen")
    finding = next(one for one in plant.findings if one.file.endswith(".csv"))
    assert (finding.file, finding.line, finding.key) == ("codes/blaenau-gwent-priority-casework.csv", 3, "theirs")


def test_the_main_key_is_made_once_and_belongs_to_the_site(site: Path, built: Callable[..., Plant]) -> None:
    built(site).close()
    key = site / "var" / "keys" / "main.key"
    first = key.read_text(encoding="utf-8")
    built(site).close()
    assert key.read_text(encoding="utf-8") == first
    assert (site / "var" / "keys" / "keys.db").is_file()
    assert (site / "var" / "ledger.db").is_file()
    key.write_text("00" * 32 + "\n", encoding="utf-8")
    with pytest.raises(KeyFault):
        built(site)


def test_the_main_key_may_come_from_the_environment(site: Path, built: Callable[..., Plant]) -> None:
    edit(site, "config/dolen.yaml", "file:var/keys/main.key", "env:SITE_KEY")
    with pytest.raises(SecretMissing, match="SITE_KEY"):
        built(site)
    assert built(site, SITE_KEY="ab" * 32).keys.council_key("torfaen", "hash")
    with pytest.raises(KeyFault, match=r"keys\.main"):
        built(site, SITE_KEY="not a key")


def test_a_template_may_be_a_reference(site: Path, built: Callable[..., Plant]) -> None:
    edit(site, "texts/track-my-request.yaml", "cy: ef4d82a0-a0c0-513c-a476-b8b9ee97963a", "cy: env:ACCEPTED_CY")
    rules = built(site, ACCEPTED_CY="from-elsewhere").councils["torfaen"].texts["track-my-request"]
    assert rules.templates["accepted"]["cy"] == "from-elsewhere"
    rules = built(site).councils["torfaen"].texts["track-my-request"]
    with pytest.raises(Misconfigured, match="ACCEPTED_CY"):
        _ = rules.templates["accepted"]["cy"]


def test_a_site_that_is_none_says_so(tmp_path: Path) -> None:
    with pytest.raises(SiteFaults, match="no such file"):
        composition.load(tmp_path)


def test_rooms_must_lie_beside_each_other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rooms.check_rooms()
    stranger = tmp_path / "config" / "__init__.py"
    stranger.parent.mkdir()
    stranger.write_text("", encoding="utf-8")
    real = rooms.find_spec

    def found(name: str) -> object:
        spec = real(name)
        if name == "config":
            assert spec is not None
            spec = type(spec)(name, spec.loader, origin=str(stranger))
        return spec

    monkeypatch.setattr(rooms, "find_spec", found)
    with pytest.raises(rooms.StrangeRoom, match="the package config comes from"):
        rooms.check_rooms()
