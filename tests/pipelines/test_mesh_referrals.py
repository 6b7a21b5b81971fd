"""Two councils that refer to one another over MESH with what is shipped: the profile, the mapping, the common words.

Both live on one site here, each with a mailbox of its own, so that nothing but messages passes between them. The
exchange is the sandbox's; the systems at either end are the rig's.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import select

from pipelines import composition, desk
from pipelines.check import check
from pipelines.plant import Plant
from pipelines.tables import record, referral
from pipelines.walks import Walker
from pipelines.worker import Worker
from sandbox.exchange import Response
from sandbox.faults import Faults
from sandbox.mesh import Mesh
from sandbox.tally import Tally
from sandbox.web import Server
from tests.found import as_asked
from tests.pipelines.conftest import HandClock
from tests.rig.pushing import LEDGER
from tests.rig.site import lay_out
from tests.rig.systems import Web

ALDER, BIRCH, STRANGER = "X26OT001", "X26OT002", "X26OT003"
WORKFLOW = "DOLEN_REFERRAL"
PARTNER = """\
  partner:
    profile: mesh
    owner: {{name: Integration team, phone: "01632 960104"}}
    supplier: Nobody
    connect:
      url: {url}
      to: {to}
      senders: [{to}]
      timeout_seconds: 5
      login: {{mesh: {{mailbox: {ours}, password: "file:{secret}", shared_key: "file:{secret}"}}}}
    records:
      Referral: {{mapping: mesh/referral}}
    owns: {owns}
    schedule: {{every: PT5M}}
    settle_seconds: 1
"""
ROUTES = """\
routes:
  - {{name: to-partner, from: {own}, to: partner, record: Referral, carries: state}}
  - {{name: from-partner, from: partner, to: {own}, record: Case, carries: state}}
"""


class Place:
    """The site, its exchange, and what stands at either end."""

    def __init__(self, folder: Path) -> None:
        self.mesh = Mesh("gwenynen", {ALDER: "gwenynen", BIRCH: "gwenynen", STRANGER: "gwenynen"}, _now)
        systems = {ALDER: self.mesh, BIRCH: self.mesh, STRANGER: self.mesh}
        self._exchange = Server(systems, lambda _: Response(404), Faults(), Tally(), _now)
        self._exchange.start()
        self.web = Web()
        self.desk, self.care = self.web.add("alder", "desk", "A"), self.web.add("birch", "care", "A")
        self.site = self._laid_out(folder)
        self._around = as_asked(self.site)
        self._around.__enter__()
        self.clock = HandClock()
        self.plant: Plant = composition.build(composition.load(self.site), clock=self.clock)
        assert not self.plant.findings, self.plant.findings

    def _laid_out(self, folder: Path) -> Path:
        site = lay_out(folder, {"alder": "A", "birch": "A"}, self.web.url)
        (folder / "secret").write_text("gwenynen", encoding="utf-8")
        (folder / "secret").chmod(0o600)
        codes = site / "codes/rig-status.csv"
        codes.write_text(codes.read_text("utf-8") + "rejected,rejected,both,Heb ei dderbyn,Not accepted,,,\n", "utf-8")
        asks = "[type, priority, person, reason, received_at, safeguarding_flag, restricted_record]"
        for council, own, other, ours, to, owns in (
            ("alder", "desk", "care", ALDER, BIRCH, "[status, status_reason]"),
            ("birch", "care", "desk", BIRCH, ALDER, asks),
        ):
            file = site / f"config/councils/{council}.yaml"
            head, _, rest = file.read_text(encoding="utf-8").partition("  desk:\n")
            first, _, rest = rest.partition("  care:\n")
            kept = {"desk": f"  desk:\n{first}", "care": f"  care:\n{rest.partition('routes:')[0]}"}
            assert other in kept
            # Two names of one exchange: two councils at one address would be asked about, and rightly so.
            url = self._exchange.url.replace("127.0.0.1", "localhost" if council == "birch" else "127.0.0.1")
            partner = PARTNER.format(url=url, to=to, ours=ours, owns=owns, secret=folder / "secret")
            file.write_text(f"{head}{kept[own]}{partner}{ROUTES.format(own=own)}", encoding="utf-8")
        settings = site / "config/dolen.yaml"
        settings.write_text(settings.read_text(encoding="utf-8") + LEDGER, encoding="utf-8")
        return site

    def settle(self) -> None:
        """Let both read and send until nothing is due."""
        for _ in range(2):
            for code in ("alder", "birch"):
                council = self.plant.councils[code]
                for wired in council.wired.values():
                    for kind in wired.kinds.values():
                        Walker(self.plant, council).walk(wired, kind)
                worker = Worker(self.plant, "test")
                for _again in range(2):
                    for name in council.wired:
                        while worker.drain(council, name, probe=True):
                            pass
                self.clock.push(40)

    def rows(self, table: Any) -> list[Any]:
        with self.plant.ledger.reading() as connection:
            return list(connection.execute(select(table)).all())

    def sent(self, box: str) -> list[dict[str, Any]]:
        """The bodies of the messages to a mailbox, the oldest first."""
        every = self.mesh.messages.values()
        told = [one for one in every if (one.to, one.headers["mex-workflowid"]) == (box, WORKFLOW)]
        return [json.loads(gzip.decompress(b"".join(one.chunks[at] for at in sorted(one.chunks)))) for one in told]

    def close(self) -> None:
        self.plant.close()
        self._around.__exit__(None, None, None)
        self.web.close()
        self._exchange.stop()


def _now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def site_folder(tmp_path: Path) -> Path:
    """Where the site lies, whose ledger is the one that was asked for."""
    return tmp_path


@pytest.fixture
def place(site_folder: Path) -> Iterator[Place]:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    made = Place(site_folder)
    yield made
    made.close()
    structlog.reset_defaults()


def test_a_referral_goes_over_is_answered_and_changed(place: Place) -> None:
    assert [one for one in check(place.site) if "partner" in f"{one.key}" or "mesh" in f"{one.file}"] == []
    asked = place.desk.type_in("O'Llŷr-Ŵyn")
    place.settle()
    (case,) = place.care.cases.values()
    assert case.body["person"]["last_name"] == "O'Llŷr-Ŵyn"
    (begun,) = [row for row in place.rows(referral) if row.council == "alder"]
    numbers = {row.council: row.external_id for row in place.rows(record) if row.connection == "partner"}
    assert numbers == {"alder": begun.id, "birch": begun.id}, "both sides know it by the number of who began it"
    place.care.change(case.id, status="rejected", status_reason="Dim lle")
    place.settle()
    assert (asked.body["status"], asked.body["status_reason"]) == ("rejected", "Dim lle")
    place.desk.change(asked.id, priority="urgent", reason="Cwympodd eto")
    place.settle()
    assert (case.body["priority"], case.body["reason"]) == ("urgent", "Cwympodd eto")
    assert case.body["status"] == "rejected", "the status is theirs, whatever a message of ours says"
    assert {one["id"] for box in (ALDER, BIRCH) for one in place.sent(box)} == {begun.id}
    assert len(place.rows(referral)) == 2
    assert (len(place.desk.cases), len(place.care.cases)) == (1, 1)
    assert desk.attention(place.plant) == []


def test_it_settles_and_nothing_goes_to_and_fro(place: Place) -> None:
    place.desk.type_in("Prys")
    place.settle()
    (case,) = place.care.cases.values()
    place.care.change(case.id, status="accepted")
    place.settle()
    before = (len(place.sent(ALDER)), len(place.sent(BIRCH)))
    for _ in range(3):
        place.settle()
    assert (len(place.sent(ALDER)), len(place.sent(BIRCH))) == before
    assert max(before) <= 4, "each change goes once, and once more the other way"


def test_what_a_stranger_sends_is_not_taken(place: Place) -> None:
    place.desk.type_in("Rees")
    place.settle()
    body, *_ = place.sent(BIRCH)
    forged = json.dumps({**body, "person": {"name": {"family": "Rhywun"}}}).encode()
    left = place.mesh.put(STRANGER, BIRCH, WORKFLOW, forged)
    place.settle()
    (case,) = place.care.cases.values()
    assert case.body["person"]["last_name"] == "Rees"
    assert place.mesh.boxes[BIRCH].inbox == [left.id], "it stays for whoever takes it, and its sender is told"


def test_a_message_that_nobody_collected_needs_attention_at_its_referral(place: Place) -> None:
    case = place.desk.type_in("Huws")
    council = place.plant.councils["alder"]
    Walker(place.plant, council).walk(council.wired["desk"], council.wired["desk"].kinds["Case"])
    worker = Worker(place.plant, "test")
    while worker.drain(council, "partner", probe=True):
        pass
    (lost,) = place.mesh.boxes[BIRCH].inbox
    place.mesh.expire(lost)
    place.settle()
    (group,) = desk.attention(place.plant)
    assert "was not collected in time" in group.words
    assert case.body["status"] == "new"
    assert place.care.cases == {}
