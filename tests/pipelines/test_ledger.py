"""The ledger on SQLite and on PostgreSQL alike: writers that wait for one another, readers that see one moment, errors
that hold no value. Catalogue row 5: a locked database makes a writer wait and never fails it."""

import secrets
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from pipelines import audit
from pipelines.databases import open_engine
from pipelines.keystore import KeyStore
from pipelines.ledger import Ledger, LedgerFault, get_meta, insert_new, set_meta
from pipelines.tables import cause, meta, record
from pipelines.vault import Vault

pytest_plugins = ("tests.on_servers",)


@pytest.fixture
def ledger(either: Callable[[], str]) -> Iterator[Ledger]:
    opened = Ledger(either())
    yield opened
    opened.close()


def all_at_once(count: int, work: Callable[[int], None]) -> list[BaseException]:
    """Run the same work in so many threads; return what went wrong."""
    wrong: list[BaseException] = []
    begin = threading.Barrier(count)

    def one(number: int) -> None:
        begin.wait()
        try:
            work(number)
        except BaseException as fault:
            wrong.append(fault)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong


def test_row_5_writers_wait_for_one_another_and_lose_nothing(ledger: Ledger) -> None:
    with ledger.writing() as connection:
        set_meta(connection, "count", "0")

    def count_on(_: int) -> None:
        for _ in range(50):
            with ledger.writing() as connection:
                known = connection.execute(select(meta.c.value).where(meta.c.name == "count").with_for_update())
                set_meta(connection, "count", str(int(known.scalar_one()) + 1))

    assert all_at_once(8, count_on) == []
    with ledger.reading() as connection:
        assert get_meta(connection, "count") == "400"


def test_row_5_another_process_that_holds_the_lock_is_waited_for(either: Callable[[], str]) -> None:
    url = either()
    one, other = Ledger(url), Ledger(url)  # two engines, as two processes have them
    held = threading.Event()

    def hold() -> None:
        with one.writing() as connection:
            set_meta(connection, "name", "one")
            held.set()
            threading.Event().wait(1.5)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    with other.writing() as connection:
        set_meta(connection, "name", "other")
    thread.join()
    with one.reading() as connection:
        assert get_meta(connection, "name") == "other"
    one.close()
    other.close()


def test_eight_writers_do_not_fork_the_audit(ledger: Ledger, tmp_path: Path) -> None:
    keys = KeyStore(f"sqlite:///{tmp_path}/keys.db", bytes(32))
    vault = Vault(keys)

    def write(number: int) -> None:
        for turn in range(10):
            with ledger.writing() as connection:
                audit.write(
                    connection, vault, council="torfaen", who="ann", action="close", subject=f"d{number}-{turn}",
                    why="", now=1,
                )  # fmt: skip

    assert all_at_once(8, write) == []
    assert audit.verify(ledger, vault) is None
    with ledger.reading() as connection:
        assert connection.execute(select(func.count(), func.max(audit.audit.c.seq))).one() == (80, 80)
    keys.close()


def test_a_reader_sees_one_moment(ledger: Ledger) -> None:
    with ledger.writing() as connection:
        set_meta(connection, "a", "1")
    with ledger.reading() as reader:
        assert get_meta(reader, "a") == "1"
        with ledger.writing() as connection:
            set_meta(connection, "a", "2")
        assert get_meta(reader, "a") == "1"
    with ledger.reading() as reader:
        assert get_meta(reader, "a") == "2"


def test_what_fails_is_not_there_at_all(ledger: Ledger) -> None:
    with pytest.raises(KeyboardInterrupt), ledger.writing() as connection:
        set_meta(connection, "a", "1")
        raise KeyboardInterrupt
    with pytest.raises(IntegrityError), ledger.writing() as connection:
        set_meta(connection, "b", "1")
        connection.execute(insert(meta).values(name="b", value="2"))
    with ledger.reading() as connection:
        assert (get_meta(connection, "a"), get_meta(connection, "b")) == (None, None)


@pytest.mark.parametrize("words", ["Mrs Llŷr", "Mrs Llŷr\0", "Mrs Llŷr\udc80"])
def test_no_error_repeats_what_was_to_be_written(ledger: Ledger, words: str) -> None:
    """A NUL and half a character too, which row 25 of the catalogue asks for: they are refused or kept, by the kind of
    database, and the connection goes on."""
    with ledger.writing() as connection:
        set_meta(connection, "taken", "1")
    with pytest.raises((SQLAlchemyError, UnicodeError)) as raised, ledger.writing() as connection:
        connection.execute(insert(meta).values(name="taken", value=words))
    fault: BaseException | None = raised.value
    while fault is not None:
        assert "Llŷr" not in str(fault)
        assert not isinstance(fault, SQLAlchemyError) or "Llŷr" not in repr(fault)
        fault = fault.__cause__
    with ledger.writing() as connection:
        assert get_meta(connection, "taken") == "1"


def test_rows_that_are_there_stay_and_the_others_are_entered(ledger: Ledger) -> None:
    row = {
        "council": "torfaen", "connection": "contact", "kind": "Request", "external_id": "C-1", "base": {}, "at": 1,
    }  # fmt: skip

    def enter(number: int) -> None:
        rows = [{**row, "external_id": f"C-{n}", "at": number} for n in range(20)]
        with ledger.writing() as connection:
            insert_new(connection, record, rows)

    assert all_at_once(4, enter) == []
    with ledger.reading() as connection:
        found = connection.execute(select(record.c.external_id, record.c.base)).all()
    assert sorted(row.external_id for row in found) == sorted(f"C-{n}" for n in range(20))
    assert {str(row.base) for row in found} == {"{}"}


def test_json_and_long_numbers_come_back_as_they_were(ledger: Ledger) -> None:
    base = {"person.name.family": ["ab", None], "Tŷ": [1.5, True, "\x01"]}
    with ledger.writing() as connection:
        connection.execute(
            insert(record).values(
                council="torfaen", connection="contact", kind="Request", external_id="C-1", base=base, at=2**53 + 1
            )
        )
    with ledger.reading() as connection:
        row = connection.execute(select(record)).one()
    assert (row.base, row.at) == (base, 2**53 + 1)


def test_a_name_is_taken_once_by_those_who_ask_at_once(ledger: Ledger) -> None:
    about = {
        "fingerprint": "f", "council": "torfaen", "connection": "contact", "step": "read", "error": "x", "words": "x",
        "first_seen": 1, "last_seen": 1,
    }  # fmt: skip

    def ask(_: int) -> None:
        with ledger.writing() as connection:
            insert_new(connection, cause, [about])

    assert all_at_once(6, ask) == []
    with ledger.reading() as connection:
        assert connection.execute(select(func.count()).select_from(cause)).scalar() == 1


@pytest.mark.parametrize("url", ["nonsense", "mysql://db.example.org/dolen", "sqlite://", "sqlite:///:memory:"])
def test_another_kind_of_database_is_refused_in_a_sentence(url: str) -> None:
    with pytest.raises(LedgerFault, match=r"ledger\.url .*write sqlite:///"):
        Ledger(url)


def test_a_file_that_is_no_ledger_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "ledger.db"
    file.write_bytes(b"a letter to the council" * 500)
    with pytest.raises(LedgerFault, match="cannot be read as a ledger"):
        Ledger(f"sqlite:///{file}")
    assert file.read_bytes() == b"a letter to the council" * 500


def test_a_database_of_somebody_elses_is_refused(either: Callable[[], str]) -> None:
    url = either()
    engine = open_engine(url, setting="ledger.url", fault=LedgerFault)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE person (name text)"))
    engine.dispose()
    with pytest.raises(LedgerFault, match="is no ledger; name an empty database"):
        Ledger(url)


def test_a_server_that_does_not_answer_is_said_without_its_password() -> None:
    secret = secrets.token_hex(8)
    with pytest.raises(LedgerFault, match=r"does not answer; .* ledger\.url leads to it") as raised:
        Ledger(f"postgresql://dolen:{secret}@127.0.0.1:1/dolen")
    assert secret not in str(raised.value)


def test_a_disk_that_keeps_no_write_ahead_log_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite's own way to disks that share no memory between processes, as network shares do not."""
    monkeypatch.chdir(tmp_path)  # the path of such a URL is taken as it stands
    with pytest.raises(LedgerFault, match=r"the disk of ledger\.url does not keep .*on a local disk"):
        Ledger(f"sqlite:///file:{tmp_path / 'ledger.db'}?vfs=unix-none&uri=true")


def test_closing_is_idempotent(ledger: Ledger) -> None:
    ledger.close()
    ledger.close()
