"""A target that answers with a token: the referral is made there once, is known again when it gets its number, and
nothing that the target shows meanwhile is taken for a stranger."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import select

from connectors.port import PROVISIONAL
from pipelines import composition, desk
from pipelines.intake import Intake
from pipelines.numbering import Numberer
from pipelines.plant import Plant
from pipelines.states import VersionState
from pipelines.tables import proof, record, referral, version
from pipelines.walks import Walker
from pipelines.worker import Worker
from tests.found import as_asked
from tests.pipelines.conftest import HandClock
from tests.rig.open311 import Endpoint, endpoint
from tests.rig.pushing import LEDGER
from tests.rig.site import lay_out
from tests.rig.systems import System, Web

CARE = """\
  care:
    profile: open311
    owner: {{name: The rig, phone: "01632 960101"}}
    supplier: Nobody
    connect: {{url: "{url}", api_key: "file:{key}", jurisdiction_id: torfaen.example.org, timeout_seconds: 5}}
    records:
      Request: {{mapping: alder/request}}
    owns: [status, status_reason]
    settle_seconds: 1
routes:
  - {{name: desk-to-care, from: desk, to: care, record: Request, carries: state}}
  - {{name: care-to-desk, from: care, to: desk, record: Case, carries: state}}
"""

#: The rig's people have no address, and Open311 wants a place: the council's own.
MAPPING = """\
extends: open311/request
fields:
  - {constant: "51.65", theirs: lat}
  - {constant: "-3.02", theirs: long}
"""


class Place:
    """A desk that is the rig's, and an Open311 endpoint."""

    def __init__(self, folder: Path, there: Endpoint) -> None:
        self.there, self.web = there, Web()
        self.desk: System = self.web.add("alder", "desk", "A")
        site = lay_out(folder, {"alder": "A"}, self.web.url)
        (folder / "key").write_text(there.key, encoding="utf-8")
        file = site / "config/councils/alder.yaml"
        head = file.read_text(encoding="utf-8").partition("  care:\n")[0]
        file.write_text(head + CARE.format(url=there.url, key=folder / "key"), encoding="utf-8")
        with (site / "config/dolen.yaml").open("a", encoding="utf-8") as settings:
            settings.write(LEDGER)
        (site / "mappings/alder").mkdir()
        (site / "mappings/alder/request.yaml").write_text(MAPPING, encoding="utf-8")
        self._around = as_asked(site)
        self._around.__enter__()
        self.clock = HandClock()
        self.plant: Plant = composition.build(composition.load(site), clock=self.clock)
        assert not [one for one in self.plant.findings if "warning" not in str(one.severity)]
        self.council = self.plant.councils["alder"]

    def read(self, name: str) -> None:
        wired = self.council.wired[name]
        for kind in wired.kinds.values():
            walked = Walker(self.plant, self.council).walk(wired, kind)
            assert walked.complete, walked.words

    def deliver(self) -> None:
        worker = Worker(self.plant, "test")
        while any(worker.drain(self.council, name, probe=True) for name in self.council.wired):
            pass

    def rows(self, table: Any) -> list[Any]:
        with self.plant.ledger.reading() as connection:
            return list(connection.execute(select(table)).all())

    def numbers(self) -> set[str]:
        return {row.external_id for row in self.rows(record) if row.connection == "care" and row.referral_id}

    def close(self) -> None:
        self.plant.close()
        self._around.__exit__(None, None, None)
        self.web.close()


@pytest.fixture
def site_folder(tmp_path: Path) -> Path:
    """Where the site lies, whose ledger is the one that was asked for."""
    return tmp_path


@pytest.fixture
def place(site_folder: Path) -> Iterator[Place]:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    with endpoint() as there:
        made = Place(site_folder, there)
        yield made
        made.close()
    structlog.reset_defaults()


def test_a_token_becomes_a_number_and_nothing_is_doubled(place: Place) -> None:
    place.there.control("set", kind="batch")
    case = place.desk.type_in("Ann")
    place.read("desk")
    place.deliver()
    (number,) = place.numbers()
    assert number.startswith(PROVISIONAL)
    assert [row.external_id for row in place.rows(proof)] == [number]
    # A newer revision waits for the number, and does not make a second request.
    place.desk.change(case.id, reason="second")
    place.read("desk")
    place.deliver()
    assert len(place.there.held) == 1
    # It gets its number and is shown, beside a stranger's, before anybody asked for it: both wait.
    place.there.control("number")
    mine = place.there.held[0]["service_request_id"]
    other = place.there.make(last_name="Bevan", first_name="Bob")
    place.read("care")
    assert {row.state for row in place.rows(version) if row.connection == "care"} == {VersionState.WAITING}
    assert len(place.rows(referral)) == 1
    assert Numberer(place.plant).ask() == 1
    assert place.numbers() == {mine}
    assert Numberer(place.plant).ask() == 0
    waiting = [row.id for row in place.rows(version) if row.state == VersionState.WAITING]
    Intake(place.plant, place.council).again(waiting)
    assert place.numbers() == {mine, other}
    assert len(place.rows(referral)) == 2
    # From here on it is a record like any other.
    place.clock.push(120)
    place.deliver()
    place.there.control("change", id=mine, status="in_progress")
    place.read("care")
    place.deliver()
    assert place.desk.cases[case.id].body["status"] == "in-progress"
    assert [held["service_request_id"] for held in place.there.held] == [mine, other]
    assert [group.words for group in desk.attention(place.plant) if group.connection == "care"] == []


def test_a_number_is_waited_for_while_the_endpoint_is_away(place: Place) -> None:
    place.there.control("set", kind="batch")
    place.desk.type_in("Ann")
    place.read("desk")
    place.deliver()
    place.there.control("number")
    place.there.control("set", next=["status:500"] * 3)
    assert Numberer(place.plant).ask() == 0
    (number,) = place.numbers()
    assert number.startswith(PROVISIONAL)
    assert Numberer(place.plant).ask() == 1
    assert place.numbers() == {place.there.held[0]["service_request_id"]}
