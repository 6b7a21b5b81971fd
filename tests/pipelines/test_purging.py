"""Retention: what has been kept long enough goes, with its keys and a certificate; what is open never does."""

import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from pipelines import certificates, chance, composition, crash, overview, protection, purging, retained, unattended
from pipelines.keystore import KeyFault
from pipelines.purger import Purger
from pipelines.tables import certificate, delivery, doomed, payload, referral, version
from pipelines.vault import PayloadGone

pytest_plugins = ("tests.pipelines.pieces",)

DAY = 86_400
CANARY = "Gwrhyr Gwastad Ieithoedd"


def lane(bench: Any, number: int = -1) -> str:
    return bench.rows("delivery", connection="casework")[number].lane


@pytest.fixture
def ended(bench: Any) -> Any:
    """A referral that arrived in casework and was completed there; what came of that is told to contact."""
    bench.take(bench.request(customer__last_name=CANARY))
    bench.arrived(lane(bench), "881", minute=20)
    bench.take(bench.case("881", minute=40, Status="CLOS", Subject__Surname=CANARY))
    _close_all(bench)
    return bench


def _close_all(bench: Any) -> None:
    """Whatever still waits is closed by the desk, so that the referral is closed."""
    with bench.writing() as connection:
        connection.execute(
            update(delivery).where(delivery.c.state.in_(["waiting", "needs attention"])).values(state="closed")
        )
        connection.execute(update(referral).values(status="completed"))
        connection.execute(update(version).where(version.c.state == "needs attention").values(state="closed"))


def purge(bench: Any, **options: Any) -> dict[str, int]:
    done = next(one for one in purging.purge(bench.plant, **options) if one.council == "torfaen")
    return done.referrals


def held(bench: Any) -> set[str]:
    return {row[2] for row in bench.rows("payload") if row.body is not None}


def test_each_class_goes_in_its_time_counted_from_closure(ended: Any) -> None:
    bench = ended
    assert purge(bench) == {}
    assert {"raw", "facts"} <= held(bench)
    bench.clock.pass_by(29 * DAY)
    assert purge(bench) == {}
    bench.clock.pass_by(2 * DAY)
    assert purge(bench, dry_run=True) == {"raw": 1}
    assert "raw" in held(bench), "a dry run changes nothing"
    assert purge(bench) == {"raw": 1}
    assert "raw" not in held(bench)
    assert bench.facts()["person.name.family"] == CANARY
    assert len([row for row in bench.rows("payload") if row[2] == "facts" and row.body]) == 1, "overtaken facts too"
    bench.clock.pass_by(60 * DAY)
    assert purge(bench) == {"raw": 1, "payloads": 1}
    assert held(bench) == set()
    with pytest.raises(PayloadGone):
        bench.facts()
    assert bench.rows("person_identifier") or bench.rows("record")[0].base
    bench.clock.pass_by(6 * 366 * DAY)
    purge(bench)
    for table in ("referral", "delivery", "version", "record", "proof", "attempt", "person", "payload"):
        assert bench.rows(table, **({"council": "torfaen"} if table == "payload" else {})) == [], table
    assert overview.look(bench.plant).sums_agree


def test_keys_go_with_their_payloads_and_nothing_is_left_on_the_disk(ended: Any) -> None:
    """The ledger, its log, the key store: grep finds neither name nor ciphertext. Meant to catch a log left whole."""
    bench = ended
    rows = [(row.key_id, bytes(row.body)) for row in bench.rows("payload")]
    assert CANARY in str(bench.facts())
    bench.clock.pass_by(91 * DAY)
    purge(bench)
    if bench.plant.ledger.embedded:
        var = bench.folder / "var"
        on_disk = b"".join(part.read_bytes() for part in var.rglob("*") if part.is_file())
        assert all(body not in on_disk for _, body in rows)
        assert CANARY.encode() not in on_disk
    for key_id, _ in rows:
        with pytest.raises(KeyFault, match="gone"):
            bench.plant.keys.key(key_id)
    assert bench.rows("doomed") == []


def test_a_backup_from_before_can_be_read_no_more(ended: Any, tmp_path: Path) -> None:
    """Crypto-shredding: the ledger's backup alone, with the key store as it is now. Meant to catch not dooming keys."""
    bench = ended
    copies = [(row.id, row.key_id, bytes(row.body)) for row in bench.rows("payload")]
    bench.clock.pass_by(91 * DAY)
    purge(bench)
    for id, key_id, body in copies:
        with pytest.raises(KeyFault):
            bench.vault.unseal("torfaen", id, key_id, body)


@pytest.mark.parametrize("state", ["waiting", "needs attention", "not sure", "version", "conflict"])
def test_what_is_open_keeps_everything_of_its_referral(bench: Any, state: str) -> None:
    bench.take(bench.request())
    with bench.writing() as connection:
        one = connection.execute(select(referral)).one()
        if state == "version":
            connection.execute(update(delivery).values(state="closed"))
            connection.execute(update(version).values(state="needs attention"))
        elif state == "conflict":
            connection.execute(update(delivery).values(state="closed"))
            conflict = {"council": "torfaen", "referral_id": one.id, "field": "f", "winner": "a", "loser": "b"}
            made = {**conflict, "lost": "h", "revision": 1, "open": True, "at": 1}
            connection.execute(insert(composition_tables().conflict), made)
        elif state != "waiting":
            connection.execute(update(delivery).values(state="being sent"))
            cause = bench_cause(bench, connection)
            connection.execute(update(delivery).values(state=state, cause_id=cause))
        connection.execute(update(referral).values(status="completed"))
    before = held(bench)
    bench.clock.pass_by(20 * 365 * DAY)
    assert purge(bench) == {}
    assert held(bench) == before


def composition_tables() -> Any:
    from pipelines import tables

    return tables


def bench_cause(bench: Any, connection: Any) -> int:
    from pipelines import causes

    return causes.note(connection, "torfaen", causes.Cause("casework", "send", "Rejected", "words"), bench.clock.now())


def test_a_referral_that_nobody_ends_counts_as_closed_when_nothing_is_heard(bench: Any) -> None:
    bench.take(bench.request())
    with bench.writing() as connection:
        connection.execute(update(delivery).values(state="closed"))
    bench.clock.pass_by((730 + 29) * DAY)
    assert purge(bench) == {}
    bench.clock.pass_by(2 * DAY)
    assert purge(bench) == {"raw": 1}


def test_what_comes_after_its_facts_expired_is_taken_in_whole(ended: Any) -> None:
    """Broken by weighing it against facts that are gone: the record stopped, and needed attention for ever."""
    bench = ended
    bench.clock.pass_by(91 * DAY)
    purge(bench)
    bench.restart()
    minute = 60 * 24 * 92
    assert bench.states(bench.request(minute=minute, customer__last_name="Prys", status="new")) == ["merged"]
    facts = bench.facts()
    assert facts["person.name.family"] == "Prys"
    assert facts["person.name.given"] == ["Siân"], "also what did not change"
    assert "waiting" in bench.deliveries("casework")
    assert purge(bench) == {}, "it is open again"


def test_the_certificate_says_what_went_and_can_be_checked(ended: Any) -> None:
    bench = ended
    bench.clock.pass_by(31 * DAY)
    purge(bench)
    [one] = certificates.listed(bench.plant)
    assert one.holds
    assert one.body["counts"]["payload raw"] == 2
    assert one.body["rule"]["raw"] == "P30D"
    assert len(one.body["ids_hash"]) == 64
    last = bench.rows("audit")[-1]
    assert (one.body["audit"], last.action, last.subject) == (
        {"seq": last.seq, "hash": last.hash}, "purge", f"certificate {one.id}",
    )  # fmt: skip
    assert (certificates.folder_of(bench.plant) / f"purge-{one.id}.json").is_file()
    changed = bench.row("certificate").body.replace("P30D", "P60D")
    with bench.writing() as connection:
        connection.execute(update(certificate).values(body=changed))
    assert not certificates.listed(bench.plant)[0].holds


def test_a_purge_that_is_killed_goes_on_under_the_same_certificate(ended: Any) -> None:
    bench = ended
    bench.clock.pass_by(31 * DAY)
    at, folder = bench.clock.at, bench.folder
    for point in (("emptied", 1), ("keys destroyed", 1)):
        bench.plant.close()
        if not (child := os.fork()):
            chance._drawn.held = b""
            crash._AT = point
            purging.purge(composition.build(composition.load(folder), clock=bench.clock, environment={}))
            os._exit(0)
        assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
        bench.begin()
    assert bench.clock.at == at
    assert bench.rows("doomed"), "it was killed before the ledger knew that the keys are gone"
    purge(bench)
    assert bench.rows("doomed") == []
    [one] = certificates.listed(bench.plant)
    assert one.body["counts"]["payload raw"] == 2


def test_nothing_expires_unseen(bench: Any) -> None:
    """Told a month before, counted from when it was told and not from when it was due."""
    council = bench.council
    from datetime import timedelta

    council.retention = council.retention.model_copy(update={"unattended": timedelta(days=365)})
    bench.take(bench.request())
    bench.clock.pass_by(800 * DAY)  # Dolen was down all the time, and nobody was told
    purge(bench)
    assert protection.coming(bench.plant) == {"torfaen": 1}
    assert bench.deliveries("casework") == ["waiting"]
    bench.clock.pass_by(29 * DAY)
    purge(bench)
    assert bench.deliveries("casework") == ["waiting"]
    bench.clock.pass_by(2 * DAY)
    purge(bench)
    assert bench.deliveries("casework") == ["expired"]
    assert bench.rows("delivery")[0].reason == unattended.REASON
    assert protection.coming(bench.plant) == {}
    assert bench.rows("audit")[-1].action == "expire"


def test_a_councils_own_times_and_a_routes_shorter_one(bench_with: Any) -> None:
    bench = bench_with(("connections:", "retention: {raw: P5D}\nconnections:"))
    assert bench.council.retention.raw.days == 5
    assert bench.council.retention.payloads.days == 90
    assert bench.plant.councils["blaenau-gwent"].retention.raw.days == 30


def test_the_oldest_payload_is_measured_by_class(ended: Any) -> None:
    bench = ended
    assert retained.of(bench.plant).at is None
    purge(bench)
    measured = retained.of(bench.plant)
    assert measured.at == bench.clock.now()
    raw = next(one for one in measured.oldest if (one.council, one.kind) == ("torfaen", "raw"))
    assert raw.count == 2
    bench.clock.pass_by(31 * DAY)
    purge(bench)
    assert all(one.kind != "raw" for one in retained.of(bench.plant).oldest)


def test_rows_go_with_retention_alone(ended: Any) -> None:
    bench = ended
    for table in ("delivery", "proof", "version"):
        with pytest.raises(IntegrityError), bench.writing() as connection:
            connection.execute(delete(getattr(composition_tables(), table)))


def test_it_is_done_once_a_night_by_one_process(ended: Any) -> None:
    bench = ended
    bench.clock.pass_by(31 * DAY)
    first, second = Purger(bench.plant, "20 2 * * *"), Purger(bench.plant, "20 2 * * *")
    for one in (first, second):
        one(None)  # type: ignore[arg-type]
        one.close()
    assert len(certificates.listed(bench.plant)) == 1
    assert "raw" not in held(bench)
    assert bench.rows("doomed") == []


@pytest.mark.embedded
def test_the_file_of_the_ledger_shrinks(bench: Any) -> None:
    with bench.writing() as connection:
        ids = [bench.vault.put(connection, "torfaen", "page", os.urandom(20_000), 1) for _ in range(60)]
        for id in ids:
            page = {"council": "torfaen", "connection": "contact", "kind": "Request", "cursor": id, "raw": id}
            connection.execute(insert(composition_tables().unread_page), {**page, "words": "", "at": 1})
    file = bench.folder / "var/ledger.db"
    purging.forget_freed(bench.plant.ledger.engine)
    before = file.stat().st_size
    purge(bench)
    assert file.stat().st_size < before - 900_000
    assert sqlite3.connect(file).execute("PRAGMA freelist_count").fetchone()[0] < 50


def test_the_doomed_are_destroyed_by_whoever_comes_next(bench: Any) -> None:
    with bench.writing() as connection:
        id = bench.vault.put(connection, "torfaen", "raw", b"x", 1)
        key = connection.execute(select(payload.c.key_id).where(payload.c.id == id)).scalar()
        connection.execute(insert(doomed), {"council": "torfaen", "key_id": key})
    purge(bench)
    with pytest.raises(KeyFault):
        bench.plant.keys.key(key)
