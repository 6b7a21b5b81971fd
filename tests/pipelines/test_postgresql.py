"""The ledger on PostgreSQL: what it must be for us, and what becomes of work when it goes away. Catalogue row 6.

Where a server is killed or set otherwise, it is one of the test's own.
"""

import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import SQLAlchemyError

from pipelines import databases, frozen
from pipelines.frozen import end_frozen
from pipelines.ledger import Ledger, LedgerFault, get_meta, set_meta
from pipelines.tables import artifact, meta
from tests.servers import PostgreSQL

pytest_plugins = ("tests.on_servers",)


def say(url: str, *words: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for one in words:
            connection.execute(one)  # type: ignore[arg-type]


def wait_for(url: str, question: str, answer: str) -> None:
    """Settings arrive at new sessions a moment after they are changed."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with psycopg.connect(url) as connection:
            row = connection.execute(question).fetchone()  # type: ignore[arg-type]
        if row is not None and row[0] == answer:
            return
        time.sleep(0.05)
    raise AssertionError(f"{question} is not {answer}")


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg", "postgres"])
def test_urls_may_be_written_as_people_write_them(postgresql: str, scheme: str) -> None:
    ledger = Ledger(urlsplit(postgresql)._replace(scheme=scheme).geturl())
    with ledger.writing() as connection:
        set_meta(connection, "a", "1")
    ledger.close()


def test_a_session_that_need_not_wait_for_the_disk_is_refused(postgresql: str) -> None:
    name = urlsplit(postgresql).path[1:]
    say(postgresql, f"ALTER DATABASE {name} SET synchronous_commit = off")
    with pytest.raises(LedgerFault, match="synchronous_commit is off; set synchronous_commit = on"):
        Ledger(postgresql)
    say(postgresql, f"ALTER DATABASE {name} SET synchronous_commit = local")
    Ledger(postgresql).close()


def test_a_database_in_another_encoding_or_for_reading_alone_is_refused(postgresql: str) -> None:
    name = urlsplit(postgresql).path[1:]
    say(postgresql, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with pytest.raises(LedgerFault, match="transaction_read_only is on; name the server that takes writes"):
        Ledger(postgresql)
    latin = f"{name}_latin"
    server = urlsplit(postgresql)._replace(path="/postgres").geturl()
    say(server, f"CREATE DATABASE {latin} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    try:
        with pytest.raises(LedgerFault, match="server_encoding is LATIN1"):
            Ledger(urlsplit(postgresql)._replace(path=f"/{latin}").geturl())
    finally:
        say(server, f"DROP DATABASE {latin} WITH (FORCE)")


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_row_8_a_server_that_does_not_wait_for_its_disk_is_refused(own_postgresql: PostgreSQL, setting: str) -> None:
    ledger = Ledger(own_postgresql.url)
    say(own_postgresql.url, f"ALTER SYSTEM SET {setting} = off", "SELECT pg_reload_conf()")
    wait_for(own_postgresql.url, f"SELECT current_setting('{setting}')", "off")
    with pytest.raises(LedgerFault, match=rf"ledger\.url needs: {setting} is off; set {setting} = on"):
        Ledger(own_postgresql.url)
    ledger.engine.dispose()
    with pytest.raises(LedgerFault), ledger.writing():  # one that runs meets it with its next connection
        pass
    ledger.close()


def test_a_frozen_writer_does_not_hold_its_locks_for_ever(postgresql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(databases._SESSION, "idle_in_transaction_session_timeout", 1_500)
    frozen, other = Ledger(postgresql), Ledger(postgresql)
    with other.writing() as connection:
        set_meta(connection, "a", "0")
    begun = time.monotonic()
    with pytest.raises(SQLAlchemyError), frozen.writing() as connection:
        set_meta(connection, "a", "frozen")
        with other.writing() as going_on:
            set_meta(going_on, "a", "1")
        assert time.monotonic() - begun < 8
        set_meta(connection, "b", "woke up late")
    with frozen.writing() as connection:  # and goes on
        assert (get_meta(connection, "a"), get_meta(connection, "b")) == ("1", None)
    frozen.close()
    other.close()

@pytest.mark.parametrize("how", ["between a COPY and its rows", "between two statements sent without a wait"])
def test_a_writer_frozen_within_a_statement_is_ended_by_whoever_lives(
    postgresql: str, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """No bound of the server's own is looked at there: each is set far below the patience of others."""
    monkeypatch.setattr(frozen, "PATIENCE_MILLISECONDS", 2_000)
    living = Ledger(postgresql)
    with living.writing() as connection:
        set_meta(connection, "a", "0")
    caught, quiet = (psycopg.connect(postgresql, application_name=databases.PROGRAM) for _ in range(2))
    for bound in ("idle_in_transaction_session_timeout", "statement_timeout", "lock_timeout"):
        caught.execute(f"SET {bound} = 300")  # type: ignore[arg-type]
    caught.commit()
    quiet.execute("SELECT 1")  # has written nothing, and may stand still
    caught.execute("UPDATE meta SET value = 'frozen' WHERE name = 'a'")
    if "COPY" in how:
        caught.pgconn.send_query(b"COPY meta FROM STDIN")
    else:
        caught.pgconn.enter_pipeline_mode()
        caught.pgconn.send_query_params(b"SELECT 1", [])
        caught.pgconn.send_flush_request()
    caught.pgconn.flush()
    time.sleep(1)
    with living.writing() as connection:
        assert end_frozen(connection) == 0  # it may still go on
    time.sleep(1.2)
    with living.writing() as connection:
        assert end_frozen(connection) == 1
        set_meta(connection, "a", "1")
        assert get_meta(connection, "a") == "1"
    assert quiet.execute("SELECT 1").fetchone() == (1,)
    living.close()
    caught.close()
    quiet.close()


def test_a_lock_is_not_waited_for_for_ever(postgresql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(databases._SESSION, "lock_timeout", 500)
    one, other = Ledger(postgresql), Ledger(postgresql)
    with one.writing() as connection:
        set_meta(connection, "a", "1")
        with pytest.raises(SQLAlchemyError, match="55P03"), other.writing() as waiting:
            set_meta(waiting, "a", "2")
    with other.writing() as connection:
        set_meta(connection, "a", "2")
    one.close()
    other.close()


def test_two_that_lock_crosswise_are_told_and_nothing_of_one_is_kept(postgresql: str) -> None:
    ledger = Ledger(postgresql)
    with ledger.writing() as connection:
        for name in ("a", "b"):
            set_meta(connection, name, "0")
    begin, failed = threading.Barrier(2), []

    def cross(first: str, second: str) -> None:
        try:
            with ledger.writing() as connection:
                set_meta(connection, first, first)
                begin.wait()
                set_meta(connection, second, first)
        except SQLAlchemyError as fault:
            failed.append(fault)

    threads = [threading.Thread(target=cross, args=pair) for pair in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(failed) == 1
    assert "40P01" in str(failed[0])
    with ledger.reading() as connection:
        assert get_meta(connection, "a") == get_meta(connection, "b") != "0"
    ledger.close()


class Writers:
    """Four that write numbered rows without pause; what was answered for is remembered outside the database."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.answered: set[str] = set()
        self.asked: set[str] = set()
        self.faults = 0
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(number,)) for number in range(4)]
        for thread in self._threads:
            thread.start()

    def _write(self, number: int) -> None:
        turn = 0
        while not self._stop.is_set():
            name, turn = f"{number}-{turn}", turn + 1
            self.asked.add(name)
            try:
                with self.ledger.writing() as connection:
                    connection.execute(insert(artifact).values(digest=name, kind="text", body="x", at=1))
                    connection.execute(insert(meta).values(name=name, value="x"))
            except SQLAlchemyError:
                self.faults += 1
                self._stop.wait(0.02)
            else:
                self.answered.add(name)

    def more(self, count: int, seconds: float = 30) -> None:
        """Wait until so many more were answered for: they go on by themselves."""
        goal, until = len(self.answered) + count, time.monotonic() + seconds
        while len(self.answered) < goal:
            assert time.monotonic() < until, "writing does not go on"
            time.sleep(0.01)

    def end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        with self.ledger.reading() as connection:
            kept = set(connection.execute(select(artifact.c.digest)).scalars())
            beside = set(connection.execute(select(meta.c.name).where(meta.c.name.in_(self.asked))).scalars())
        assert kept == beside, "half of a transaction was kept"
        assert self.answered <= kept <= self.asked
        assert self.faults > 0, "nothing was broken off, so nothing was tried"


def test_row_6_sessions_that_are_killed_as_they_commit(postgresql: str) -> None:
    """An error may mean that it was committed or that it was not; an answer means that it was."""
    ledger = Ledger(postgresql)
    writers = Writers(ledger)
    name = urlsplit(postgresql).path[1:]
    server = urlsplit(postgresql)._replace(path="/postgres").geturl()
    for _ in range(15):
        writers.more(5)
        say(server, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    writers.more(20)
    writers.end()
    ledger.close()


def test_row_6_a_server_that_is_killed_and_started_again_under_load(own_postgresql: PostgreSQL) -> None:
    ledger = Ledger(own_postgresql.url)
    writers = Writers(ledger)
    for _ in range(3):
        writers.more(30)
        own_postgresql.kill()
        time.sleep(0.5)
        own_postgresql.start()
    writers.more(30)
    writers.end()
    ledger.close()


def test_g5_the_servers_log_holds_no_value(own_postgresql: PostgreSQL) -> None:
    ledger = Ledger(own_postgresql.url)
    for _ in range(2):
        for value in ("canary-one", "canary-two\0"):
            try:
                with ledger.writing() as connection:
                    connection.execute(insert(meta).values(name="canary-name", value=value))
            except SQLAlchemyError:
                continue
    ledger.close()
    own_postgresql.stop()
    logged = Path(own_postgresql.folder / "log").read_text(encoding="utf-8", errors="replace")
    assert "duplicate key" in logged
    assert "canary" not in logged


def test_a_session_that_the_server_ended_is_noticed_before_it_is_used(postgresql: str) -> None:
    ledger = Ledger(postgresql)
    with ledger.writing() as connection:
        set_meta(connection, "a", "1")
    name = urlsplit(postgresql).path[1:]
    server = urlsplit(postgresql)._replace(path="/postgres").geturl()
    say(server, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    with ledger.reading() as connection:
        assert get_meta(connection, "a") == "1"
    ledger.close()


def test_what_is_sealed_is_not_packed_and_the_rest_quickly(postgresql: str) -> None:
    Ledger(postgresql).close()
    how = (
        "SELECT attname, attstorage, attcompression FROM pg_attribute WHERE attrelid IN ('payload'::regclass, "
        "'record'::regclass) AND attname IN ('body', 'base')"
    )
    with psycopg.connect(postgresql) as connection:
        found = {name: (storage, packed) for name, storage, packed in connection.execute(how)}
        quick = connection.execute(
            "SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression'"
        ).fetchone()
    assert found["body"][0] == "e"
    assert found["base"] == ("x", "l" if quick == (True,) else "")
