"""The audit: whatever is done to its rows afterwards is found, and at which row."""

import json
import os
import random
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text

from pipelines import anchors, audit, audit_lines, guards
from pipelines.keystore import KeyStore
from pipelines.ledger import Ledger
from pipelines.tables import audit as table
from pipelines.vault import Vault

pytest_plugins = ("tests.pipelines.pieces",)


def write(bench: Any, subject: str, why: str = "agreed on the telephone") -> None:
    with bench.writing() as connection:
        audit.write(
            connection, bench.vault, council="torfaen", who="ann", action="close", subject=subject, why=why,
            now=bench.clock.now(), detail={"number": "940"},
        )  # fmt: skip


@pytest.fixture
def chain(bench: Any) -> Any:
    """Five rows."""
    for number in range(1, 6):
        write(bench, f"d{number}")
    return bench


def first_wrong(bench: Any, *stood: anchors.Anchor) -> int | None:
    found = audit.verify(bench.plant.ledger, bench.vault, stood)
    return None if found is None else found.seq


def tamper(bench: Any, *statements: str) -> None:
    """Whoever has the database takes its guards away first."""
    with bench.writing() as connection:
        guards.take_down(connection)
        for statement in statements:
            connection.execute(text(statement))


def test_an_untouched_audit_holds(chain: Any) -> None:
    assert first_wrong(chain) is None
    chain.restart()
    assert first_wrong(chain) is None
    write(chain, "d6")
    assert first_wrong(chain) is None


def test_an_empty_audit_holds(bench: Any) -> None:
    assert first_wrong(bench) is None


@pytest.mark.parametrize(
    "edit",
    ["at = at + 1", "who = 'bob'", "council = 'x'", "action = 'send again'", "subject = 'd9'", "detail = '{}'",
     "why = NULL", "why = (SELECT why FROM audit WHERE seq = 2)", "previous = ''", "hash = 'x'"],
)  # fmt: skip
def test_an_edited_row_is_found(chain: Any, edit: str) -> None:
    tamper(chain, f"UPDATE audit SET {edit} WHERE seq = 3")
    assert first_wrong(chain) == 3


@pytest.mark.parametrize("gone", [1, 3])
def test_a_deleted_row_is_named(chain: Any, gone: int) -> None:
    tamper(chain, f"DELETE FROM audit WHERE seq = {gone}")
    assert first_wrong(chain) == gone


def test_a_deleted_row_is_found_after_renumbering_too(chain: Any) -> None:
    tamper(chain, "DELETE FROM audit WHERE seq = 3", "UPDATE audit SET seq = 3 WHERE seq = 4",
           "UPDATE audit SET seq = 4 WHERE seq = 5")  # fmt: skip
    assert first_wrong(chain) == 3


def test_reordered_rows_are_found(chain: Any) -> None:
    tamper(chain, "UPDATE audit SET seq = 99 WHERE seq = 2", "UPDATE audit SET seq = 2 WHERE seq = 3",
           "UPDATE audit SET seq = 3 WHERE seq = 99")  # fmt: skip
    assert first_wrong(chain) == 2


def test_an_inserted_row_is_found(chain: Any) -> None:
    columns = "at, who, council, action, subject, why, detail"
    tamper(
        chain,
        f"INSERT INTO audit (seq, {columns}, previous, hash) SELECT 6, {columns}, hash, 'made up' FROM audit "
        "WHERE seq = 5",
    )
    assert first_wrong(chain) == 6


def test_somebody_with_the_ledger_alone_cannot_extend_the_chain(chain: Any, tmp_path: Any) -> None:
    """The hash is keyed: a row signed by another key store's master does not fit."""
    keys = KeyStore(f"sqlite:///{tmp_path}/other.db", b"x" * 32)
    with chain.writing() as connection:
        audit.write(
            connection, Vault(keys), council="torfaen", who="ann", action="close", subject="d6", why="", now=1
        )  # fmt: skip
    keys.close()
    assert first_wrong(chain) == 6


def test_the_reason_rests_encrypted(bench: Any) -> None:
    write(bench, "d1", why="Mrs Llŷr rang")
    with bench.reading() as connection:
        assert bench.vault.get(connection, "torfaen", bench.row("audit").why) == "Mrs Llŷr rang".encode()
    assert all("Llŷr".encode() not in part.read_bytes() for part in (bench.folder / "var").rglob("*") if part.is_file())


def test_what_is_rolled_back_was_never_written(chain: Any) -> None:
    boom: Callable[[], None] = lambda: (_ for _ in ()).throw(KeyboardInterrupt)  # noqa: E731 - used once, here
    with pytest.raises(KeyboardInterrupt), chain.writing() as connection:
        audit.write(connection, chain.vault, council="torfaen", who="a", action="b", subject="c", why="", now=1)
        boom()
    assert len(chain.rows("audit")) == 5
    write(chain, "d6")
    assert first_wrong(chain) is None


# --- S4: six kinds of attack, by somebody who has the database and, for two of them, the keys too ---------------------

ATTACKS = ("edit", "delete", "insert", "reorder", "cut", "rebuild")
#: A thousand random positions of each in a long search, some in CI.
TIMES = 1_000 if os.environ.get("HYPOTHESIS_PROFILE") == "long" else 8


@pytest.fixture(scope="module")
def long_chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ledger, Vault, KeyStore, list[Any]]]:
    folder = tmp_path_factory.mktemp("audit")
    ledger, keys = Ledger(f"sqlite:///{folder}/ledger.db"), KeyStore(f"sqlite:///{folder}/keys.db", bytes(32))
    vault = Vault(keys)
    with ledger.writing() as connection:
        for number in range(60):
            add(connection, vault, f"d{number}")
        guards.take_down(connection)
    with ledger.reading() as connection:
        kept = [dict(row._mapping) for row in connection.execute(table.select().order_by(table.c.seq))]
    yield ledger, vault, keys, kept
    ledger.close()
    keys.close()


def add(connection: Any, vault: Vault, subject: str) -> None:
    audit.write(connection, vault, council="torfaen", who="ann", action="close", subject=subject, why="", now=1)


@pytest.mark.parametrize("attack", ATTACKS)
def test_each_attack_is_found_at_its_row(
    long_chain: tuple[Ledger, Vault, KeyStore, list[Any]], attack: str, rng: random.Random
) -> None:
    """Meant to catch a missing anchor: the cut tail and the rebuilt chain would pass, since both fit by themselves."""
    ledger, vault, keys, kept = long_chain
    head = kept[-1]
    stood = [anchors.Anchor(1, head["seq"], head["hash"], keys.identity)]
    for _ in range(TIMES):
        at = rng.randrange(2, len(kept))
        rows = [dict(row) for row in kept]
        found = at
        if attack == "edit":
            name = rng.choice(["at", "who", "council", "action", "subject", "detail", "hash"])
            rows[at - 1][name] = {"at": 7, "detail": {"x": 1}}.get(name, "other")
        elif attack == "delete":
            del rows[at - 1]
        elif attack == "insert":
            rows.insert(at, {**rows[at - 1], "seq": 0, "hash": "made up"})
            rows = [{**row, "seq": number} for number, row in enumerate(rows, start=1)]
            found = at + 1
        elif attack == "reorder":
            rows[at - 1], rows[at] = {**rows[at], "seq": at}, {**rows[at - 1], "seq": at + 1}
        elif attack == "cut":
            rows = rows[: at - 1]
        with ledger.writing() as connection:
            connection.execute(table.delete())
            if attack == "rebuild":  # with the key: whoever has that can make a whole chain that fits
                for number in range(len(kept)):
                    add(connection, vault, "nothing to see" if number == at - 1 else f"d{number}")
                found = head["seq"]
            else:
                connection.execute(table.insert(), rows)
        seen = audit.verify(ledger, vault, stood)
        assert seen is not None, (attack, at)
        assert seen.seq == found, (attack, at)
    with ledger.writing() as connection:
        connection.execute(table.delete())
        connection.execute(table.insert(), kept)
    assert audit.verify(ledger, vault, stood) is None


def test_an_anchor_a_day_lies_outside_the_database(chain: Any) -> None:
    anchorer = anchors.Anchorer(chain.plant)
    for days in (0, 0.5, 0.6, 1.2):
        chain.clock.pass_by(days * 86_400)
        anchorer(None)  # type: ignore[arg-type]
    stood = list(anchors.read(anchors.file_of(chain.plant), chain.plant.keys.identity))
    assert [one.seq for one in stood] == [5, 5, 5]
    assert anchors.file_of(chain.plant).stat().st_mode & 0o077 == 0
    assert first_wrong(chain, *stood) is None
    tamper(chain, "DELETE FROM audit WHERE seq > 3")
    assert first_wrong(chain) is None, "a chain alone cannot show that its end was cut"
    assert first_wrong(chain, *stood) == 4
    assert list(anchors.read(anchors.file_of(chain.plant), "another store")) == []


def test_eight_that_write_at_once_do_not_fork_the_chain(chain: Any) -> None:
    threads = [threading.Thread(target=lambda: [write(chain, "d9") for _ in range(5)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(chain.rows("audit")) == 45
    assert first_wrong(chain) is None


def test_a_siem_is_told_who_did_what_and_never_why(bench: Any) -> None:
    write(bench, "d1|x=\n\x1b[31m", why="Mrs Llŷr rang")
    write(bench, "d2", why="")
    as_json, cef = list(audit_lines.lines(bench.plant, 0)), list(audit_lines.lines(bench.plant, 0, cef=True))
    assert [json.loads(line)["reason_given"] for line in as_json] == [True, False]
    assert all("Llŷr" not in line and "\n" not in line and "\x1b" not in line for line in (*as_json, *cef))
    assert cef[0].startswith("CEF:0|Dolen|dolen|1|close|close|3|")
    assert "cs2=d1|x\\=??[31m" in cef[0]
    assert list(audit_lines.lines(bench.plant, 1)) == as_json[1:]
