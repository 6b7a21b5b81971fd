"""The key store: keys are committed before use, wrapped, bound to their row, and refused to the wrong master key."""

import secrets
import sqlite3
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from pipelines import rotation
from pipelines.keystore import KeyFault, KeyStore
from pipelines.mainkey import parse_master, read_master

MASTER = bytes(range(32))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "keys.db"


@pytest.fixture
def keys(file: Path):
    store = KeyStore(f"sqlite:///{file}", MASTER)
    yield store
    store.close()


def change(file: Path, statement: str, *values: object) -> None:
    with sqlite3.connect(file) as other:
        other.execute(statement, values)
    other.close()


def asked(file: Path, statement: str) -> list[tuple]:
    with sqlite3.connect(file) as other:
        found = other.execute(statement).fetchall()
    other.close()
    return found


def afresh(file: Path, master: bytes = MASTER) -> KeyStore:
    return KeyStore(f"sqlite:///{file}", master)


def test_a_key_survives_the_process_and_is_there_before_it_is_used(keys: KeyStore, file: Path) -> None:
    id, key = keys.take("torfaen")
    again = afresh(file)  # the first store is still open: nothing waits to be committed
    try:
        assert again.key(id) == key
    finally:
        again.close()


def test_no_key_is_given_out_twice(keys: KeyStore) -> None:
    taken: list[tuple[str, bytes]] = []
    threads = [
        threading.Thread(target=lambda: taken.extend(keys.take("torfaen") for _ in range(100))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id for id, _ in taken}) == len({key for _, key in taken}) == 400


def test_no_key_rests_in_clear(keys: KeyStore, file: Path) -> None:
    held = [keys.take("torfaen")[1] for _ in range(5)]
    held += [keys.council_key("torfaen", "hash"), MASTER]
    keys.hand_to_person([(keys.take("torfaen")[0], "p1")], "torfaen")
    on_disk = b"".join(part.read_bytes() for part in file.parent.iterdir())
    assert all(key not in on_disk for key in held)


def test_another_sites_master_key_is_refused_at_once(keys: KeyStore, file: Path) -> None:
    with pytest.raises(KeyFault, match=r"does not belong to the key store keys\.db; put the right key back"):
        afresh(file, secrets.token_bytes(32))


def test_a_master_key_of_another_length_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyFault, match="32 bytes"):
        KeyStore(f"sqlite:///{tmp_path}/k.db", b"short")


def test_councils_and_purposes_have_keys_of_their_own(keys: KeyStore) -> None:
    of = {keys.council_key(council, why) for council in ("torfaen", "neath") for why in ("hash", "audit", "spool")}
    assert len(of) == 6
    assert MASTER not in of


@pytest.mark.parametrize("spoil", ["council = 'neath-port-talbot'", "holder = 'p9'", "wrapped = zeroblob(60)"])
def test_a_wrapped_key_that_was_moved_cannot_be_unwrapped(keys: KeyStore, file: Path, spoil: str) -> None:
    id, _ = keys.take("torfaen")
    change(file, f"UPDATE data_key SET {spoil} WHERE id = ?", id)
    again = afresh(file)
    try:
        with pytest.raises(KeyFault):
            again.key(id)
    finally:
        again.close()


def test_two_keys_cannot_be_exchanged(keys: KeyStore, file: Path) -> None:
    (one, _), (two, _) = keys.take("torfaen"), keys.take("torfaen")
    change(file, "UPDATE data_key SET wrapped = (SELECT wrapped FROM data_key WHERE id = ?) WHERE id = ?", two, one)
    again = afresh(file)
    try:
        with pytest.raises(KeyFault, match="cannot be unwrapped"):
            again.key(one)
    finally:
        again.close()


def test_handing_over_keeps_the_key_and_makes_it_the_persons(keys: KeyStore, file: Path) -> None:
    id, key = keys.take("torfaen")
    keys.hand_to_person([(id, "p1")], "torfaen")
    keys.hand_to_person([(id, "p1")], "torfaen")  # safe to repeat
    assert asked(file, f"SELECT holder FROM data_key WHERE id = '{id}'") == [("p1",)]
    again = afresh(file)
    try:
        assert again.key(id) == key
        again.hand_to_person([(id, "p2")], "torfaen")  # two persons turned out to be one
    finally:
        again.close()
    last = afresh(file)
    try:
        assert last.key(id) == key
    finally:
        last.close()


def test_a_key_of_another_council_is_not_handed_over(keys: KeyStore, file: Path) -> None:
    id, _ = keys.take("neath-port-talbot")
    keys.hand_to_person([(id, "p1")], "torfaen")
    assert asked(file, f"SELECT holder FROM data_key WHERE id = '{id}'") == [("",)]


def test_without_the_persons_key_nothing_of_theirs_opens_and_no_new_one_is_made(keys: KeyStore, file: Path) -> None:
    (one, _), (two, _) = keys.take("torfaen"), keys.take("torfaen")
    keys.hand_to_person([(one, "p1")], "torfaen")
    change(file, "DELETE FROM person_key WHERE person = 'p1'")
    again = afresh(file)
    try:
        with pytest.raises(KeyFault, match="the key of this person is gone"):
            again.key(one)
        with pytest.raises(KeyFault, match="the key of this person is gone"):
            again.hand_to_person([(two, "p1")], "torfaen")
        assert asked(file, "SELECT * FROM person_key") == []
        assert again.key(two)  # nothing was half handed over
    finally:
        again.close()


@pytest.mark.parametrize("met", ["by opening a record", "by asking for a key"])
def test_who_was_erased_by_another_process_is_not_written_of_by_a_key_from_memory(
    keys: KeyStore, file: Path, met: str
) -> None:
    """A worker has the person's key at hand when another process erases them: nothing new is sealed by it."""
    sealing = keys.sealing()
    first, _ = sealing.key("torfaen", "p1", new=True)
    sealing.commit()
    worker = afresh(file)
    try:
        if met == "by opening a record":
            worker.fetch([first])
        assert worker.has_key("torfaen", "p1")
        keys.destroy("torfaen", people=["p1"])
        late = worker.sealing()
        late.key("torfaen", "p1")
        with pytest.raises(KeyFault, match="the key of this person is gone"):
            late.commit()
        assert asked(file, "SELECT * FROM person_key") == asked(file, "SELECT * FROM data_key") == []
    finally:
        worker.close()


def test_a_destroyed_data_key_is_said_to_be_gone(keys: KeyStore, file: Path) -> None:
    id, _ = keys.take("torfaen")
    change(file, "DELETE FROM data_key WHERE id = ?", id)
    again = afresh(file)
    try:
        with pytest.raises(KeyFault, match="it was erased"):
            again.key(id)
    finally:
        again.close()


def test_the_master_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "made" / "main.key"
    made = read_master(file)
    assert len(made) == 32
    assert read_master(file) == made
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [one.name for one in file.parent.iterdir()] == ["main.key"]


@pytest.mark.parametrize("text", ["", "zz", "00" * 31, "00" * 33, "not a key at all"])
def test_a_spoilt_master_key_names_its_file_and_never_itself(tmp_path: Path, text: str) -> None:
    file = tmp_path / "main.key"
    file.write_text(text, encoding="ascii")
    with pytest.raises(KeyFault, match=r"main\.key must hold .* 64 hexadecimal digits") as raised:
        read_master(file)
    assert text == "" or text not in str(raised.value)


def test_a_master_key_may_end_with_a_new_line() -> None:
    assert parse_master(MASTER.hex() + "\n", "env:X") == MASTER


def test_what_is_about_one_person_or_one_old_key_is_found_by_an_index(keys: KeyStore) -> None:
    """Meant to catch a condition that a partial index does not answer: in a million messages each erasing, each new
    person and each step of a rotation went through every key."""
    plans: list[tuple[str, str]] = []

    def explain(_connection: Any, cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if statement.startswith(("SELECT", "DELETE", "UPDATE")) and "data_key" in statement:
            steps = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters[0] if many else parameters)
            plans.extend((step[3], statement) for step in steps)

    keys.take("torfaen")
    sealing = keys.sealing()
    sealing.key("torfaen", "p1")
    sealing.commit()
    event.listen(keys._engine, "before_cursor_execute", explain)
    assert not keys.has_key("torfaen", "p2")
    assert rotation.begin(keys, bytes(reversed(MASTER)))
    assert list(rotation.go_on(keys))
    assert rotation.finish(keys)
    keys.destroy("torfaen", people=["p1"])
    assert [plan for plan in plans if "data_key" in plan[0] and not plan[0].startswith("SEARCH data_key USING")] == []
    assert {name for name in ("ix_data_key_holder", "ix_data_key_by") if name in str(plans)} == {
        "ix_data_key_holder", "ix_data_key_by"
    }  # fmt: skip
