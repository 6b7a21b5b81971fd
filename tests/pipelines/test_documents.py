"""Documents follow their referral: fetched late, looked at, handed over once, kept nowhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from pipelines import desk
from pipelines.check import check
from pipelines.previewing import preview
from pipelines.states import DeliveryState
from pipelines.tables import delivery
from tests.rig.documents import PDF, DocumentRig, Scanner, attached

Build = Callable[..., DocumentRig]


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    made: list[Any] = []

    def build(
        tier: str = "A", *, rules: str = "{}", scanner: Scanner | None = None, without: bool = False
    ) -> DocumentRig:
        looks = None if without else scanner or Scanner()
        rig = DocumentRig(tmp_path, {"elm": tier}, rules=rules, scanner=looks)
        made.extend([rig, *([looks] if looks else [])])
        return rig

    yield build
    for one in made:
        one.close()


def lend(rig: DocumentRig, ref: str, body: bytes = PDF, mime: str = "application/pdf") -> None:
    rig.shelves["elm/desk"].lends[ref] = (mime, body)


def documents(rig: DocumentRig) -> list[Any]:
    """The deliveries of documents, the oldest first."""
    with rig.plant.ledger.reading() as connection:
        return list(connection.execute(select(delivery).where(delivery.c.kind == "Document").order_by(delivery.c.id)))


@pytest.mark.parametrize("tier", ["A", "B", "C"])
def test_a_document_follows_its_referral_and_is_handed_over_once(build: Build, tier: str) -> None:
    scanner = Scanner()
    rig = build(tier, scanner=scanner)
    lend(rig, "asesiad")
    case = rig.web.systems["elm/desk"].type_in("Ŵynne", documents=attached("asesiad"))
    rig.carry("elm")
    (handed,) = rig.shelves["elm/care"].handed
    (held,) = rig.web.systems["elm/care"].of("Ŵynne")
    assert (handed.case, handed.mime, handed.body) == (held.id, "application/pdf", PDF)
    assert handed.name == ("asesiad.pdf" if tier != "C" else "")
    assert scanner.seen == [PDF]
    rig.push(2)
    rig.web.systems["elm/desk"].change(case.id, reason="and more")
    rig.carry("elm")
    rig.kill_all()
    rig.carry("elm")
    assert len(rig.shelves["elm/care"].handed) == 1
    assert [row.state for row in documents(rig)] == [DeliveryState.ARRIVED]


def test_a_document_that_comes_later_follows_later(build: Build) -> None:
    rig = build()
    lend(rig, "un")
    lend(rig, "dau", b"%PDF-1.4 dau")
    case = rig.web.systems["elm/desk"].type_in("Ŵynne", documents=attached("un"))
    rig.carry("elm")
    rig.push(2)
    rig.web.systems["elm/desk"].change(case.id, documents=attached("un", "dau"))
    rig.carry("elm")
    assert [one.body for one in rig.shelves["elm/care"].handed] == [PDF, b"%PDF-1.4 dau"]


@pytest.mark.parametrize("tier", ["A", "B", "C"])
@pytest.mark.parametrize("answer", ["done, unsaid", "not done, unsaid"])
def test_without_an_answer_it_is_there_once_or_a_person_looks(build: Build, tier: str, answer: str) -> None:
    rig = build(tier)
    lend(rig, "asesiad")
    rig.web.systems["elm/desk"].type_in("Ŵynne", documents=attached("asesiad"))
    rig.shelves["elm/care"].answers = [answer]
    rig.carry("elm", 1)
    for _ in range(6):
        rig.push(200)
        rig.carry("elm", 1)
    handed = rig.shelves["elm/care"].handed
    (row,) = documents(rig)
    if tier == "C":
        assert len(handed) == (answer == "done, unsaid")
        assert (row.state, row.due) == (DeliveryState.NOT_SURE, None)
        desk.settle(rig.plant, f"d{row.id}", how="not-arrived", number="", who="officer", why="looked")
        rig.carry("elm", 1)
        assert len(rig.shelves["elm/care"].handed) == (2 if answer == "done, unsaid" else 1), "as she said"
    else:
        assert len(handed) == 1
        assert row.state == DeliveryState.ARRIVED


@pytest.mark.parametrize("tier", ["A", "B"])
def test_a_worker_that_dies_after_handing_over_does_not_hand_over_twice(build: Build, tier: str) -> None:
    rig = build(tier)
    lend(rig, "asesiad")
    rig.web.systems["elm/desk"].type_in("Ŵynne", documents=attached("asesiad"))
    rig.read("elm", "desk")
    rig.lease(1, "elm", "care", 8)
    rig.send(1)
    rig.write(1)
    assert rig.lease(1, "elm", "care", 8)
    assert rig.send(1) is not None
    rig.kill(1)
    for _ in range(4):
        rig.push(200)
        rig.carry("elm", 1)
    assert len(rig.shelves["elm/care"].handed) == 1
    assert [row.state for row in documents(rig)] == [DeliveryState.ARRIVED]


def test_what_the_scanner_finds_is_not_handed_on_and_needs_attention(build: Build) -> None:
    rig = build(scanner=Scanner({b"EICAR": "Eicar-Signature"}))
    lend(rig, "drwg", b"%PDF-1.7 EICAR")
    case = rig.web.systems["elm/desk"].type_in("Ŵynne", documents=attached("drwg"))
    rig.carry("elm")
    assert rig.shelves["elm/care"].handed == []
    (group,) = desk.attention(rig.plant)
    assert (group.step, "Eicar-Signature" in str(group)) == ("scan", True)
    rig.push(2)
    rig.web.systems["elm/desk"].change(case.id, reason="still told")
    rig.carry("elm")
    assert rig.web.systems["elm/care"].of("Ŵynne")[0].body["reason"] == "still told", "its referral goes on"


@pytest.mark.parametrize(
    "says", [b"", b"stream: no idea\0", b"INSTREAM size limit exceeded. ERROR\0", b"stream: OK and more\0"]
)
def test_no_answer_of_the_scanner_is_never_taken_for_well(build: Build, says: bytes) -> None:
    scanner = Scanner(says=says or b"\0")
    rig = build(scanner=scanner)
    if not says:
        scanner.close()
    lend(rig, "asesiad")
    rig.web.systems["elm/desk"].type_in("Ŵynne", documents=attached("asesiad"))
    rig.carry("elm")
    assert rig.shelves["elm/care"].handed == []
    (row,) = documents(rig)
    assert row.state in (DeliveryState.WAITING, DeliveryState.ATTENTION)


def test_a_site_without_a_scanner_hands_on_only_what_needs_none(build: Build) -> None:
    rig = build(without=True, rules="{unscanned: both systems scan what is put into them}")
    lend(rig, "asesiad")
    rig.web.systems["elm/desk"].type_in("Ŵynne", documents=attached("asesiad"))
    rig.carry("elm")
    assert len(rig.shelves["elm/care"].handed) == 1


def test_the_check_wants_a_scanner_and_ends_that_can(build: Build) -> None:
    rig = build("C", without=True)
    rig._edit("profiles/rig-c.yaml", "documents:", "# documents:")
    words = [str(finding) for finding in check(rig.site)]
    assert any("documents that nothing would look at" in one for one in words)
    assert any("whose profile takes no documents" in one for one in words)


@pytest.mark.parametrize(
    ("rules", "mime", "body", "rule"),
    [
        ("{most_megabytes: 1}", "application/pdf", b"%PDF-" + b"x" * 1_000_001, "larger than 1 MB"),
        ("{}", "application/x-msdownload", b"MZ", "does not carry the type application/x-msdownload"),
        ("{types: [image/png]}", "application/pdf", PDF, "does not carry the type application/pdf"),
    ],
)
def test_what_the_route_does_not_carry_stays_by_a_named_rule(
    build: Build, rules: str, mime: str, body: bytes, rule: str
) -> None:
    rig = build(rules=rules)
    lend(rig, "asesiad", body, mime)
    rig.web.systems["elm/desk"].type_in("Ŵynne", documents=attached("asesiad"))
    rig.carry("elm")
    (row,) = documents(rig)
    assert row.state == DeliveryState.NOT_SENT
    assert rule in row.reason
    assert rig.shelves["elm/care"].handed == []


def test_as_large_as_allowed_is_carried_whole(build: Build) -> None:
    rig = build(rules="{most_megabytes: 1}")
    body = b"%PDF-" + bytes(range(256)) * 3906 + b"x" * 59
    assert len(body) == 1_000_000
    lend(rig, "asesiad", body)
    rig.web.systems["elm/desk"].type_in("Ŵynne", documents=attached("asesiad"))
    rig.carry("elm")
    assert rig.shelves["elm/care"].handed[0].body == body


def test_what_is_not_what_it_says_needs_attention(build: Build) -> None:
    rig = build()
    lend(rig, "asesiad", b"MZ\x90 a program")
    rig.web.systems["elm/desk"].type_in("Ŵynne", documents=attached("asesiad"))
    rig.carry("elm")
    assert "does not begin as one" in str(desk.attention(rig.plant)[0])
    assert rig.shelves["elm/care"].handed == []


def test_a_document_that_is_gone_or_refused_needs_attention_and_goes_by_replay(build: Build) -> None:
    rig = build()
    rig.web.systems["elm/desk"].type_in("Ŵynne", documents=attached("asesiad"))
    rig.carry("elm")
    (group,) = desk.attention(rig.plant)
    assert (group.step, "no longer has the document" in str(group)) == ("fetch", True)
    lend(rig, "asesiad")
    rig.shelves["elm/care"].answers = ["refuse"]
    (row,) = documents(rig)
    assert preview(rig.plant, f"d{row.id}").effect == "create"
    for _ in range(2):
        assert len(desk.replay(rig.plant, [f"d{row.id}"], who="officer", why="mended").done) == 1
        rig.push(200)
        rig.carry("elm", 1)
    assert len(rig.shelves["elm/care"].handed) == 1


def test_hostile_names_and_references_lead_nowhere(build: Build) -> None:
    rig = build()
    for ref in ("un", "ok"):
        lend(rig, ref)
    told = [
        *attached("../../cases", "..", "a?b#c"),
        *attached("un", title="x\r\nX-Key: other"),
        *attached("ok", title='..\\..\\a"; filename="b\u202e.exe\x00.pdf'),
    ]
    rig.web.systems["elm/desk"].type_in("Ŵynne", documents=told)
    rig.carry("elm")
    assert {row.state for row in documents(rig)} == {DeliveryState.ARRIVED, DeliveryState.ATTENTION}
    names = [one.name for one in rig.shelves["elm/care"].handed]
    assert len(names) == len({one.key for one in rig.shelves["elm/care"].handed}) == 2
    assert not any(sign in name for name in names for sign in '\r\n"/\\\x00\u202e;')


def test_nothing_of_a_document_is_left_in_the_site(build: Build) -> None:
    rig = build()
    secret = b"%PDF-1.7 cyfrinach-" + b"q" * 200_000
    lend(rig, "asesiad", secret)
    rig.web.systems["elm/desk"].type_in("Ŵynne", documents=attached("asesiad"))
    rig.carry("elm")
    assert rig.shelves["elm/care"].handed[0].body == secret
    files = [path for path in rig.site.parent.rglob("*") if path.is_file()]
    assert files
    assert not any(b"cyfrinach" in path.read_bytes() or b"q" * 100 in path.read_bytes() for path in files)
    assert list((rig.plant.lock_file.parent / "documents").iterdir()) == []
