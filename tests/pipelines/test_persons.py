"""People's rights: all that is held is shown, erasing leaves nothing, and a restriction holds from now on."""

import os
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from pipelines import (
    audit,
    certificates,
    chance,
    composition,
    crash,
    erasing,
    exporting,
    overview,
    persons,
    protection,
    register,
    restricting,
)
from pipelines.keystore import KeyFault
from pipelines.looking import NotPossible
from pipelines.rights import Officer, Role
from pipelines.seeing import through
from pipelines.tables import delivery, news, referral

pytest_plugins = ("tests.pipelines.pieces",)

ADA, BRAN = "Adaryn-o-Gynan", "Branwen-o-Lanllyr"
NHS_ADA, NHS_BRAN = "9990000018", "9990000026"


def lane(bench: Any, person: str) -> str:
    return bench.rows("delivery", connection="casework", referral_id=person)[0].lane


def planted(bench: Any, name: str) -> dict[str, Any]:
    return {"customer__last_name": name, "internal_notes": f"nodyn {name}", "reason__text": f"rheswm {name}"}


@pytest.fixture
def two(bench: Any) -> Any:
    """Two people. Of the first: one that arrived, a correction that waits, an officer's reason that names them."""
    for id, name, nhs in (("C-1", ADA, NHS_ADA), ("C-2", BRAN, NHS_BRAN)):
        bench.take(bench.request(id, customer__nhs_number=nhs, **planted(bench, name)))
    bench.ada, bench.bran = (persons.by_identifier(bench.plant, nhs) for nhs in (NHS_ADA, NHS_BRAN))
    bench.arrived(lane(bench, bench.ada.referrals[0]), "881", minute=1)
    bench.take(bench.request("C-1", minute=5, customer__nhs_number=NHS_ADA, customer__last_name=f"{ADA}-2"))
    with bench.writing() as connection:
        for who, name in ((bench.ada, ADA), (bench.bran, BRAN)):
            audit.write(
                connection, bench.vault, council="torfaen", who="ann", action="page",
                subject=f"referral {who.referrals[0]}", why=f"{name} rang", now=bench.clock.now(),
            )  # fmt: skip
    return bench


def finish(bench: Any) -> None:
    with bench.writing() as connection:
        ended = update(delivery).where(delivery.c.state.in_(["waiting", "needs attention"]))
        connection.execute(ended.values(state="closed", cause_id=None))


def test_an_identifier_or_any_reference_names_one_person(two: Any) -> None:
    row = two.rows("referral")[0]
    for reference in ("C-1", "881", row.citizen_reference, row.id):
        assert persons.by_reference(two.plant, reference) == two.ada
    assert persons.by_identifier(two.plant, "999 000 0018") == two.ada
    with pytest.raises(NotPossible) as raised:
        persons.by_identifier(two.plant, "9990000050")
    assert "9990000050" not in str(raised.value)
    with pytest.raises(NotPossible, match="nobody is known"):
        persons.by_identifier(two.plant, NHS_ADA, ["blaenau-gwent"])


def test_everything_about_one_person_is_shown_and_nothing_of_another(two: Any) -> None:
    """P3: every class, queue and state. Meant to catch leaving out what is no referral's newest revision."""
    two.take(two.request("C-9", customer__nhs_number=NHS_ADA, priority="nobody-knows", **planted(two, f"{ADA}-9")))
    told = exporting.export(two.plant, two.ada, who="dpo", why="a subject access request")
    text = str(told)
    assert BRAN not in text
    assert NHS_BRAN not in text
    [one] = told["referrals"]
    assert one["facts"]["person.name.family"] == f"{ADA}-2"
    assert [str(version["content"]["customer"]["last_name"]) for version in one["versions"]] == [ADA, f"{ADA}-2"]
    assert one["versions"][0]["content"]["internal_notes"] == f"nodyn {ADA}"
    assert {delivery["state"] for delivery in one["deliveries"]} >= {"arrived", "waiting"}
    assert any(ADA in str(revision["content"]) for revision in told["earlier_revisions"]), "the first revision"
    assert [version["number"] for version in told["not_matched"]] == ["C-9"]
    assert f"{ADA}-9" in str(told["not_matched"])
    assert {"page", "person export"} <= {line["action"] for line in told["audit"]}
    assert f"{ADA} rang" in [line["why"] for line in told["audit"]]
    assert told["identified_by"] == ["person.nhs_number"]


def test_what_a_person_was_told_and_wishes_is_shown_and_what_another_said_is_not(two: Any) -> None:
    """Meant to catch a list of tables that forgot what is not sealed with the referral."""
    at, vault = two.clock.now(), two.vault
    marks = {number: register.whom(vault, "torfaen", number) for number in ("07700 900111", "07700 900222")}
    with two.writing() as connection:
        for who, number in ((two.ada, "07700 900111"), (two.ada, "07700 900222"), (two.bran, "07700 900222")):
            to = two.rows("delivery", referral_id=who.referrals[0])[-1 if number.endswith("222") else 0]
            row = {"delivery_id": to.id, "council": "torfaen", "connection": "notify", "referral_id": who.referrals[0],
                   "route": "texts", "recipient": "resident", "words": "accepted", "channel": "text", "language": "cy",
                   "status": "accepted", "whom": marks[number], "at": at, "report": "delivered"}  # fmt: skip
            connection.execute(insert(news).values(row))
        for mark, name, value in (
            (marks["07700 900111"], register.OPTED_OUT, True),
            (marks["07700 900222"], register.WRONG, True),  # it may have been the other who said so
            (register.about(vault, "torfaen", two.ada.id), "language.correspondence", "cy"),
        ):
            register.write(connection, vault, "torfaen", mark, name, value, by="reply", now=at)
    told = exporting.export(two.plant, two.ada, who="dpo", why="a subject access request")
    heard = [one for delivery in told["referrals"][0]["deliveries"] for one in delivery["told"]]
    assert [(one["status"], one["by"], one["language"], one["report"]) for one in heard] == [
        ("accepted", "text", "cy", "delivered")
    ] * 2
    assert {one["what"]: one["value"] for one in told["wishes"]} == {
        "opted_out": True, "language.correspondence": "cy"
    }  # fmt: skip
    assert not any(mark in str(told) for mark in marks.values())


def test_erasing_needs_a_ground_and_nothing_open(two: Any) -> None:
    with pytest.raises(NotPossible, match="that is no ground"):
        erasing.erase(two.plant, two.ada, ground="because", who="dpo", why="asked")
    with pytest.raises(NotPossible, match=r"d\d+ .*not at an end"):
        erasing.erase(two.plant, two.ada, ground="objection", who="dpo", why="asked")
    assert two.rows("certificate") == []


def test_after_erasing_nothing_tells_of_the_person_and_the_other_is_whole(two: Any) -> None:
    """P2, at the size of CI."""
    finish(two)
    copies = [(row.id, row.key_id, bytes(row.body)) for row in two.rows("payload", person_id=two.ada.id)]
    theirs, others = ({mark for mark in str(two.row("record", external_id=id).base).split("'") if len(mark) == 32}
                      for id in ("C-1", "C-2"))  # fmt: skip
    marks = theirs - others
    assert copies
    assert marks
    id = erasing.erase(two.plant, two.ada, ground="objection", who="dpo", why="a letter of the person")
    for payload, key, body in copies:  # a backup of the ledger, with the keys as they are now
        with pytest.raises(KeyFault):
            two.vault.unseal("torfaen", payload, key, body)
    if two.plant.ledger.embedded:
        on_disk = b"".join(file.read_bytes() for file in (two.folder / "var").rglob("*") if file.is_file())
        sealed, hashed = [body for _, _, body in copies], [mark.encode() for mark in marks]
        for canary in (ADA.encode(), NHS_ADA.encode(), *sealed, *hashed):
            assert canary not in on_disk
    told = str(exporting.export(two.plant, two.ada, who="dpo", why="to see"))
    assert ADA not in told
    assert two.facts(two.row("referral", id=two.bran.referrals[0]))["person.name.family"] == BRAN
    assert set(two.deliveries(referral_id=two.ada.referrals[0])) == {"erased"}
    with pytest.raises(NotPossible):
        persons.by_identifier(two.plant, NHS_ADA)
    [certificate] = certificates.listed(two.plant, certificates.ERASURE)
    assert (certificate.id, certificate.holds, certificate.body["ground"]) == (id, True, "objection")
    assert ADA not in str(certificate)
    assert audit.verify(two.plant.ledger, two.vault) is None
    assert overview.look(two.plant).sums_agree


def test_the_same_versions_do_not_come_back_a_newer_one_waits_and_a_new_request_is_taken(two: Any) -> None:
    """Meant to catch a tombstone left out: the next walk would bring the person back."""
    finish(two)
    erasing.erase(two.plant, two.ada, ground="objection", who="dpo", why="asked")
    before = len(two.rows("version")), len(two.rows("payload"))
    for minute, name in ((0, ADA), (5, f"{ADA}-2"), (3, "something between")):
        same = two.request("C-1", minute=minute, customer__nhs_number=NHS_ADA, customer__last_name=name)
        assert two.states(same) == ["repeat"]
    assert (len(two.rows("version")), len(two.rows("payload"))) == before
    newer = two.request("C-1", minute=9, customer__nhs_number=NHS_ADA, customer__last_name="Newydd")
    assert two.states(newer) == ["needs attention"]
    assert two.rows("cause")[-1].error == "erased"
    assert two.states(two.request("C-7", customer__nhs_number=NHS_ADA)) == ["merged"]
    assert len(two.rows("referral")) == 3
    assert persons.by_identifier(two.plant, NHS_ADA).id != two.ada.id


@pytest.mark.embedded
def test_a_restored_backup_is_erased_again_before_anything_runs(two: Any, tmp_path: Path) -> None:
    """Ledger and keys from before: the certificate's file, which lies beside them, says who must go."""
    finish(two)
    two.plant.close()
    var = two.folder / "var"
    for name in ("ledger.db", "keys/keys.db"):
        with sqlite3.connect(var / name) as one, sqlite3.connect(tmp_path / Path(name).name) as other:
            one.backup(other)
    two.begin()
    id = erasing.erase(two.plant, two.ada, ground="objection", who="dpo", why="asked")
    two.plant.close()
    for name in ("ledger.db", "keys/keys.db"):
        for part in var.glob(f"{name}*"):
            part.unlink()
        shutil.copy(tmp_path / Path(name).name, var / name)
    two.begin()
    assert persons.by_identifier(two.plant, NHS_ADA) == two.ada, "the backup knows them"
    assert erasing.repeat(two.plant) == 1
    assert erasing.repeat(two.plant) == 0
    with pytest.raises(NotPossible):
        persons.by_identifier(two.plant, NHS_ADA)
    on_disk = b"".join(file.read_bytes() for file in var.rglob("*") if file.is_file())
    assert NHS_ADA.encode() not in on_disk
    assert [one.id for one in certificates.listed(two.plant)] == [id]


@pytest.mark.embedded
def test_an_erasing_that_is_killed_is_ended_by_the_next_start(two: Any) -> None:
    finish(two)
    keys = [row.key_id for row in two.rows("payload", person_id=two.ada.id)]
    two.plant.close()
    if not (child := os.fork()):
        chance._drawn.held = b""
        crash._AT = ("emptied", 1)
        plant = composition.build(composition.load(two.folder), clock=two.clock, environment={})
        erasing.erase(plant, two.ada, ground="objection", who="dpo", why="asked")
        os._exit(0)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
    two.begin()
    assert two.plant.keys.key(keys[0]), "the ledger has let go, the key store has not yet"
    erasing.repeat(two.plant)
    for key in keys:
        with pytest.raises(KeyFault):
            two.plant.keys.key(key)


def test_a_restriction_holds_for_what_waits_and_what_comes_and_ends_when_it_is_lifted(town: Any) -> None:
    """Over real sockets: the sandbox holds nothing of it until it is lifted. Meant to catch it not being judged."""
    town.ask("torfaen")
    town.read("torfaen")
    with town.plant.ledger.reading() as connection:
        id = connection.execute(select(referral.c.id)).scalar()
    person = persons.by_reference(town.plant, str(id))
    done = restricting.restrict(town.plant, person, who="dpo", why="the person objects")
    assert (done.referrals, done.under_way) == (1, ())
    assert done.waiting
    assert tuple(name for name, _ in done.held_by) == ("contact",)
    town.deliver()
    assert town.records("torfaen", "casework") == []
    [request] = town.records("torfaen", "contact")
    town.change("torfaen", "contact", request["id"], priority="urgent")
    town.read("torfaen")
    town.push(7200)
    town.deliver()
    assert town.records("torfaen", "casework") == []
    with town.plant.ledger.reading() as connection:
        row = connection.execute(select(referral)).one()
    assert protection.restricted(town.plant) == {"torfaen": 1}
    neighbour = Officer("A. Neighbour", {"blaenau-gwent": frozenset({Role.VIEWER})})
    assert protection.restricted(through(town.plant, neighbour)) == {}
    assert row.restricted, "hidden from those without a grant, whatever the source says"
    assert restricting.unrestrict(town.plant, person, who="dpo", why="settled") >= 1
    town.deliver()
    assert len(town.records("torfaen", "casework")) == 1
