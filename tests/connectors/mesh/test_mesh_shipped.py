"""The shipped profile and mapping over the pretend MESH, held to the contract: one number for both sides."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from config.documents import read_yaml
from connectors.port import Item, UnreadableItem
from connectors.problems import ProfileFaults
from connectors.registry import check_profile, check_settings, open_connector
from mappings import codes
from mappings.compile import compile_mapping
from mappings.mapping import Mapping
from mappings.message import message_bytes
from sandbox.mesh import Mesh
from tests.connectors.mesh.conftest import OURS, PASSWORD, ROOT, SHARED, THEIRS

SHIPPED = ROOT / "mappings" / "shipped"
FULL = json.loads((SHIPPED / "mesh/golden/referral.full.json").read_bytes())["write"]
WORKFLOW = "DOLEN_REFERRAL"


@pytest.fixture(scope="module")
def mapping() -> Mapping:
    return compile_mapping(
        "mesh/referral",
        lambda name: (read_yaml(SHIPPED / f"{name}.yaml").data, name),
        lambda name: codes.parse((SHIPPED / "codes" / f"{name}.csv").read_bytes(), name),
        "UTC",
    )


@pytest.fixture
def side(url: str, papers: dict[str, str], shipped: Any, clock: Any) -> Iterator[Callable[..., Any]]:
    """Opens the connection of one side: its mailbox, and that of the other."""
    made: list[Any] = []

    def start(ours: str, theirs: str, **settings: Any) -> Any:
        login = {"mesh": {"mailbox": ours, "password": "env:PASSWORD", "shared_key": "env:SHARED"}}
        connector: Any = open_connector(
            shipped("mesh"), {"url": url, "login": login, "to": theirs, "timeout_seconds": 3, **papers, **settings},
            interfaces=lambda name: (ROOT / "connectors" / name).read_bytes(), clock=clock,
            secret=lambda reference: SHARED if reference == "env:SHARED" else PASSWORD if ours == OURS else "arall",
        )  # fmt: skip
        connector._sleep = lambda _: None
        made.append(connector)
        return connector

    yield start
    for connector in made:
        connector.close()


def walk(connector: Any) -> list[Any]:
    """What waits, acknowledged."""
    found, page = [], connector.changes("Referral", watermark="")
    found += page.items
    while page.cursor:
        page = connector.changes("Referral", watermark="", cursor=page.cursor)
        found += page.items
    return found


def test_a_referral_goes_over_whole_and_is_answered_under_the_same_number(side: Any, mapping: Mapping) -> None:
    here, there = side(OURS, THEIRS), side(THEIRS, OURS)
    written = mapping.write(FULL["facts"])
    made = here.deliver("Referral", written.record, key="0199e0c1-k1")
    assert made.id == "0199e0c1-k1"
    (came,) = walk(there)
    assert isinstance(came, Item), came
    assert came.id == made.id
    reading = mapping.read(came.record)
    assert not reading.stopped
    assert not reading.left_out
    assert dict(reading.facts) == FULL["facts"]
    answer = {**reading.facts, "status": "rejected", "status_reason.text": "Dim lle", "decision.decision": "rejected"}
    there.deliver("Referral", mapping.write(answer).record, key="their-own-key", id=came.id)
    (back,) = walk(here)
    assert back.id == made.id
    assert dict(mapping.read(back.record).facts) == answer
    assert "id" not in written.record, "the caller's record is left alone"


def test_what_was_sent_is_found_and_changed_under_that_number(side: Any, mesh: Mesh, mapping: Mapping) -> None:
    here = side(OURS, THEIRS)
    record = mapping.write(FULL["facts"]).record
    made = here.deliver("Referral", record, key="k1")
    (found,) = here.find("Referral", "k1")
    assert (found.id, found.version) == ("k1", made.version)
    assert here.deliver("Referral", {**record, "priority": "routine"}, key="k1", id=found.id).effect == "updated"
    sent = [json.loads(gzip.decompress(mesh.messages[id].chunks[1])) for id in mesh.boxes[THEIRS].inbox]
    assert [(one["id"], one["priority"]) for one in sent] == [("k1", "urgent"), ("k1", "routine")]


def test_a_report_of_either_message_is_told_under_that_number(side: Any, mesh: Mesh, mapping: Mapping) -> None:
    here = side(OURS, THEIRS)
    record = mapping.write(FULL["facts"]).record
    here.deliver("Referral", record, key="0199e0c1-6b1e-7c61-9a11-5d01e0000001")
    here.deliver("Referral", {**record, "priority": "routine"}, key="0199e0c1-6b1e-7c61-9a11-5d01e0000001",
                 id="0199e0c1-6b1e-7c61-9a11-5d01e0000001")  # fmt: skip
    for id in list(mesh.boxes[THEIRS].inbox):
        mesh.expire(id)
    told = walk(here)
    assert [one.id for one in told] == ["0199e0c1-6b1e-7c61-9a11-5d01e0000001"] * 2
    assert all(isinstance(one, UnreadableItem) and "did not deliver" in one.reason for one in told)


def test_only_the_mailboxes_that_are_named_are_listened_to(side: Any, mesh: Mesh, mapping: Mapping) -> None:
    record = {"id": "k1", **mapping.write(FULL["facts"]).record}
    mine = mesh.put(OURS, OURS, WORKFLOW, json.dumps(record).encode())
    theirs = mesh.put(THEIRS, OURS, WORKFLOW, json.dumps({**record, "id": "k2"}).encode())
    assert [one.id for one in walk(side(OURS, THEIRS, senders=[THEIRS]))] == ["k2"]
    assert mesh.boxes[OURS].inbox == [mine.id]
    assert theirs.id in mesh.acknowledged
    assert [one.id for one in walk(side(OURS, THEIRS))] == ["k1"], "without senders whoever writes is read"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": ""}, "at id"), ({"status": "paused"}, "at status"), ({"person": {"name": {}}}, "at person/name"),
        ({"safeguarding_flag": None}, "at safeguarding_flag"), ({"type": None}, "at type"),
    ],
)  # fmt: skip
def test_what_is_no_referral_in_common_words_needs_attention(
    side: Any, mesh: Mesh, mapping: Mapping, change: dict[str, Any], words: str
) -> None:
    record = {"id": "k1", **mapping.write(FULL["facts"]).record, **change}
    mesh.put(THEIRS, OURS, WORKFLOW, json.dumps(record).encode())
    (told,) = walk(side(OURS, THEIRS))
    assert isinstance(told, UnreadableItem)
    assert words in told.reason
    assert "Siân" not in told.reason
    assert mesh.boxes[OURS].inbox == []


def test_the_shipped_schema_is_the_one_that_is_made_from_the_referral() -> None:
    place = "connectors/interfaces/referral-message.schema.json"
    assert (ROOT / place).read_bytes() == message_bytes(), f"python -m mappings.message {place}"


def test_a_number_that_no_answer_could_bear_is_refused(shipped: Any) -> None:
    profile = copy.deepcopy(shipped("mesh"))
    profile["records"]["Referral"]["create"]["number"] = "citizen_reference"
    with pytest.raises(ProfileFaults, match="number must be item"):
        check_profile(profile)
    with pytest.raises(ProfileFaults, match="senders"):
        check_settings("mesh", {"url": "https://mesh.example.org", "senders": [],
                                "login": {"mesh": {"mailbox": OURS, "password": "env:A", "shared_key": "env:B"}}},
                       secret=lambda _: "x")  # fmt: skip
