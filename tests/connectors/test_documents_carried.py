"""Documents carried from a REST desk to a FHIR server and to a SOAP case system: fetched, scanned, handed over once."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from connectors.registry import open_connector
from pipelines.decision import Do
from pipelines.documents import Handing
from pipelines.jobs import Job, Known
from pipelines.plant import Wired
from pipelines.sending import Result
from pipelines.tables import record
from sandbox import secrets
from sandbox.world import World
from tests.connectors.fhir.conftest import RECORD
from tests.connectors.soap.conftest import NEW
from tests.rig.documents import PDF, DocumentRig, Scanner, attached

KIND = "Referral"
SYSTEMS = ("health", "casework")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, str]]:
    """A sandbox of these tests' own, whose inside may be looked at."""
    made = World(tmp_path_factory.mktemp("papers"), tenants=["torfaen"])
    server = made.server()
    server.start()
    yield made, server.url
    server.stop()
    made.close()


class Target:
    """A pretend system with the shipped profile of its kind, and a referral that it already holds."""

    def __init__(self, world: tuple[World, str], system: str, connector: Any) -> None:
        self.system, self.connector = system, connector
        self._pretend: Any = world[0].systems[system]
        new = RECORD if system == "health" else NEW
        self.number = connector.deliver(KIND, new, key=f"referral-{id(self)}").id

    @property
    def filed(self) -> list[tuple[str, str, bytes]]:
        """What is filed with its referral: name, media type and contents."""
        found = self._pretend.documents("torfaen", self.number)
        if self.system == "casework":
            return [(one["FileName"], one["MediaType"], base64.b64decode(one["Content"])) for one in found]
        papers = [one["content"][0]["attachment"] for one in found]
        return [(one["title"], one["contentType"], base64.b64decode(one["data"])) for one in papers]


@pytest.fixture(params=SYSTEMS)
def target(
    request: pytest.FixtureRequest,
    world: tuple[World, str],
    shipped: Callable[[str], Any],
    interfaces: Callable[[str], bytes],
    clock: Callable[[], datetime],
) -> Iterator[Target]:
    system, told = request.param, secrets.everything(["torfaen"])["torfaen"][request.param]
    logins = {
        "health": ("/fhir", {"api_key": {"header": "apikey", "key": "env:SECRET"}}, "api_key"),
        "casework": ("/soap", {"ws_security": {"username": "dolen", "password": "env:SECRET"}}, "password"),
    }
    path, login, secret = logins[system]
    connector = open_connector(
        shipped(system),
        {"url": f"{world[1]}/torfaen/{system}{path}", "login": login, "timeout_seconds": 10},
        interfaces=interfaces,
        clock=clock,
        secret=lambda _: told[secret],
    )
    yield Target(world, system, connector)
    connector.close()


class Hands:
    """A desk whose referral has arrived in care, and the document of it that is to be handed over next."""

    def __init__(self, folder: Path, target: Target) -> None:
        self.scanner = Scanner()
        self.rig = DocumentRig(folder, {"elm": "A"}, scanner=self.scanner)
        self._target = target
        self.rig.shelves["elm/desk"].lends["asesiad"] = ("application/pdf", PDF)
        self.rig.web.systems["elm/desk"].type_in("Ŵynne", documents=attached("asesiad"))
        self.rig.read("elm", "desk")
        self.rig.lease(1, "elm", "care", 8)
        self.rig.send(1)
        self.rig.write(1)
        # What care holds is put into the pretend system's hands: the same referral, under its number there.
        with self.rig.plant.ledger.writing() as connection:
            care = update(record).where(record.c.connection == "care")
            connection.execute(care.values(kind=KIND, external_id=target.number))
        self.rig.lease(1, "elm", "care", 8)
        ((job, known),) = self.rig.hand(1).jobs
        assert known is not None
        self.job: Job = job
        self.known: Known = known

    def hand(self, **job: Any) -> Result:
        """Hand it over as a worker does, by `pipelines.documents`."""
        council = self.rig.council("elm")
        wired = Wired(
            council="elm", name="care", kinds={}, open_connector=lambda *_: self._target.connector,
            timeout_seconds=10, settle_seconds=60, at_once=1, polls=False,
        )  # fmt: skip
        (route,) = [one for one in council.routes if one.target == "care" and one.documents is not None]
        handing = Handing(self.rig.plant, council, wired, replace(route, kind=KIND), lambda _: None)
        self.job = replace(self.job, **job)
        return handing.hand(Result(self.job), self.job, self.known)

    def close(self) -> None:
        self.rig.close()
        self.scanner.close()


@pytest.fixture
def hands(tmp_path: Path, target: Target) -> Iterator[Hands]:
    made = Hands(tmp_path, target)
    yield made
    made.close()


def test_a_document_is_fetched_looked_at_and_filed_once(hands: Hands, target: Target) -> None:
    done = hands.hand()
    assert (done.how, bool(done.external_id)) == ("handed over", True)
    assert target.filed == [("asesiad.pdf", "application/pdf", PDF)]
    assert hands.scanner.seen == [PDF]
    assert base64.b64encode(PDF) not in done.reply, "nothing of a document is kept"
    again = hands.hand(look_up=True)
    assert (again.how, again.external_id) == ("found", done.external_id)
    second = hands.hand(look_up=False, sent_before=1)
    assert (second.how, len(target.filed)) == ("found", 1)


def test_one_that_is_not_there_is_looked_for_twice_and_then_sent(hands: Hands, target: Target) -> None:
    looked = hands.hand(look_up=True)
    assert (looked.decision.do, target.filed) == (Do.NOT_SURE, [])
    assert hands.hand(look_up=False).how == "handed over"
    assert len(target.filed) == 1


def test_what_the_scanner_finds_never_reaches_them(hands: Hands, target: Target) -> None:
    hands.scanner.finds = {b"%PDF": "Eicar-Signature"}
    done = hands.hand()
    assert (done.decision.do, target.filed) == (Do.ATTENTION, [])
