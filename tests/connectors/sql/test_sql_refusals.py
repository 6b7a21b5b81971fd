"""Nothing is ever written, no call outlasts its time, and what goes wrong is named without a value or a password."""

from __future__ import annotations

import sqlite3
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import make_url, text

from connectors import registry
from connectors.errors import ConnectorError, Misconfigured, PageUnreadable, Unauthorised, Unknown, Unreachable
from connectors.port import Item, Tier, UnreadableItem
from connectors.problems import ProfileFaults
from connectors.sql.connector import SqlConnector
from tests.connectors.sql.conftest import Extract, Opened, ids, profile, walk
from tests.pipelines.proxies import Proxy

pytest_plugins = ["tests.on_servers"]

CANARY = "Gwenllian-Canary"


def rows(extract: Extract) -> int:
    with extract.owner.begin() as connection:
        return int(connection.execute(text("SELECT count(*) FROM referrals")).scalar_one())


# --- Nothing is written -----------------------------------------------------------------------------------------------


def test_a_session_of_ours_cannot_write_even_if_it_is_asked_to(extract: Extract, opened: Opened) -> None:
    extract.table()
    extract.put(1, "2026-03-01 09:30:00")
    database = opened()._database
    for statement in ("DELETE FROM referrals", "CREATE TABLE more (id INTEGER)", "UPDATE referrals SET id = 2"):
        with pytest.raises(Misconfigured, match="writes"), database.asked(opened()._deadline()) as session:
            session.execute(text(statement))
            session.commit()
    assert rows(extract) == 1


def test_a_query_that_writes_is_refused_by_the_database(extract: Extract, opened: Opened) -> None:
    extract.table()
    extract.put(1, "2026-03-01 09:30:00")
    told = profile(table=None, query="WITH gone AS (DELETE FROM referrals RETURNING *) SELECT * FROM gone")
    with pytest.raises(Misconfigured):
        opened(told).changes("Referral", watermark="")
    if extract.kind == "postgresql":
        extract.say(
            "CREATE FUNCTION clear() RETURNS SETOF referrals LANGUAGE sql AS 'DELETE FROM referrals RETURNING *'"
        )
        with pytest.raises(Misconfigured, match="the query writes"):
            opened(profile(table=None, query="SELECT * FROM clear()")).changes("Referral", watermark="")
        escape = "SELECT id, surname, changed FROM referrals, set_config('transaction_read_only', 'off', true) AS a"
        with pytest.raises(ConnectorError):
            opened(profile(table=None, query=escape)).changes("Referral", watermark="")
    assert rows(extract) == 1


def test_it_is_no_target(extract: Extract, opened: Opened) -> None:
    connector = opened()
    assert connector.offers("Referral") == {"changes", "fetch"}
    assert connector.tier("Referral") is Tier.NEITHER
    with pytest.raises(Misconfigured, match="declares no create"):
        connector.deliver("Referral", {}, key="k")
    with pytest.raises(NotImplementedError):
        connector.find("Referral", "k")
    with pytest.raises(Misconfigured, match="has no records Thing"):
        connector.changes("Thing", watermark="")


# --- What goes wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "record", [{"table": "refferals"}, {"columns": {"id": "integer", "name": "text", "changed": "moment"}}]
)
def test_a_wrong_name_is_said(extract: Extract, opened: Opened, record: dict[str, Any]) -> None:
    extract.table()
    with pytest.raises(Misconfigured, match="compare table, query and columns"):
        opened(profile(**record)).changes("Referral", watermark="")


def test_a_slow_query_ends_when_the_calls_time_does(extract: Extract, opened: Opened) -> None:
    extract.table()
    endless = "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) SELECT id, 'a' AS surname, changed"
    query = f"{endless} FROM n LEFT JOIN (SELECT max(changed) AS changed FROM referrals) r ON 1 = 1"
    connector = opened(profile(table=None, query=query, changes={"feed": "whole"}), timeout_seconds=0.4)
    begun = time.monotonic()
    with pytest.raises(Unknown, match="in time"):
        connector.changes("Referral", watermark="")
    assert time.monotonic() - begun < 3


@pytest.mark.parametrize("extract", ["postgresql"], indirect=True)
def test_a_server_that_falls_silent_is_cut_off(extract: Extract, opened: Opened) -> None:
    extract.table()
    extract.put(1, "2026-03-01 09:30:00")
    url = make_url(extract.url)
    proxy = Proxy(int(url.port or 0))
    try:
        bare = url._replace(username=None, password=None, port=proxy.port).render_as_string()
        connector = opened(url=bare, timeout_seconds=1)
        assert ids(walk(connector)[0]) == ["1"]
        proxy.holds = True
        begun = time.monotonic()
        with pytest.raises((Unknown, Unreachable)):
            connector.changes("Referral", watermark="")
        assert time.monotonic() - begun < 8
        proxy.holds = False
        proxy.cut()
        assert ids(walk(connector)[0]) == ["1"]
        proxy.refuses = True
        proxy.cut()
        with pytest.raises(Unreachable):
            connector.changes("Referral", watermark="")
    finally:
        proxy.close()


@pytest.mark.parametrize("extract", ["postgresql"], indirect=True)
def test_a_wrong_password_and_a_missing_right_are_told_apart(extract: Extract, opened: Opened) -> None:
    extract.table()
    extract.put(1, "2026-03-01 09:30:00")
    role = f"dolen_{make_url(extract.url).database}"
    extract.say(f"CREATE ROLE {role} LOGIN PASSWORD '{CANARY}'")
    try:
        login = {"password": {"username": role, "password": "env:PASSWORD"}}
        wrong = opened(login=login)  # with the owner's password
        with pytest.raises(Unauthorised) as caught:
            wrong.changes("Referral", watermark="")
        own = make_url(extract.url).password or ""
        assert own not in f"{caught.value!r} {caught.value} {caught.value.__cause__} {wrong!r} {wrong._database!r}"
        extract.url = make_url(extract.url).set(password=CANARY).render_as_string(hide_password=False)
        with pytest.raises(Misconfigured, match="right to SELECT"):
            opened(login=login).changes("Referral", watermark="")
        extract.say(f"GRANT SELECT ON referrals TO {role}")
        assert ids(walk(opened(login=login))[0]) == ["1"]
        today = datetime.now(UTC)
        assert [finding for finding in opened(login=login, now=today).doctor() if not finding.well] == []
        extract.say(f"GRANT UPDATE ON referrals TO {role}")
        [bad] = [finding for finding in opened(login=login, now=today).doctor() if not finding.well]
        assert (bad.subject, bad.words) == ("rights", "the login may write to referrals")
    finally:
        extract.say(f"DROP OWNED BY {role}")
        extract.say(f"DROP ROLE {role}")


@pytest.mark.parametrize("extract", ["postgresql"], indirect=True)
def test_dates_that_python_has_none_of_spoil_one_row(extract: Extract, opened: Opened) -> None:
    extract.say("CREATE TABLE referrals (id INTEGER PRIMARY KEY, surname TEXT, changed TIMESTAMPTZ)")
    for number, stamp in enumerate(["2026-03-01 09:30:00+01", "20000-01-01", "infinity", "infinity"]):
        extract.put(number, stamp)
    items, watermark = walk(opened(profile(changes={"feed": "modified-since", "of": 2})))
    assert sorted(ids(items)) == ["0", "1", "2", "3"]
    good = [item for item in items if isinstance(item, Item)]
    assert [item.record["changed"] for item in good] == ["2026-03-01T08:30:00+00:00"]
    assert watermark == "2026-03-01T08:30:00.000000+00:00"
    extract.put(5, "2026-03-01 08:26:00Z")
    assert ids(walk(opened(), watermark)[0])[:2] == ["5", "0"]


@pytest.mark.parametrize("extract", ["postgresql"], indirect=True)
def test_every_type_of_a_database_becomes_plain_data(extract: Extract, opened: Opened) -> None:
    extract.say(
        "CREATE TABLE referrals (id UUID PRIMARY KEY, n NUMERIC(12, 4), big NUMERIC(30), yes BOOLEAN, day DATE, "
        "at TIMESTAMPTZ, t TIME, b BYTEA, j JSONB, f DOUBLE PRECISION, pad CHAR(6), e BIGINT, s SMALLINT)"
    )
    extract.say(
        "INSERT INTO referrals VALUES ('11111111-2222-3333-4444-555555555555', 1.5000, 12345678901234567890123, true, "
        "'1941-02-03', '2026-07-01 09:30+01', '09:30', '\\xDEAD', '{\"a\": [1, null]}', 0.1, 'ab', 1772359800000, 3)"
    )
    types = {
        "id": "text", "n": "number", "big": "number", "yes": "boolean", "day": "date", "at": "moment", "t": "time",
        "b": "bytes", "j": "json", "f": "number", "pad": "text", "e": "milliseconds", "s": "integer",
    }  # fmt: skip
    for stamp in ("at", "e"):
        told = profile(columns=types, item={"id": "id", "modified": stamp})
        [item], watermark = walk(opened(told, now=item_time()))
        assert isinstance(item, Item)
        assert item.record == {
            "id": "11111111-2222-3333-4444-555555555555", "n": "1.5000", "big": "12345678901234567890123",
            "yes": True, "day": "1941-02-03", "at": "2026-07-01T08:30:00+00:00", "t": "09:30:00", "b": "3q0=",
            "j": {"a": [1, None]}, "f": "0.1", "pad": "ab    ", "e": "2026-03-01T10:10:00+00:00", "s": 3,
        }  # fmt: skip
        assert opened(told).parse("Referral", item.raw, id=item.id) == item
        assert ids(walk(opened(told), watermark)[0]) == [item.id]
        assert opened(told).fetch("Referral", item.id) == item
    other = profile(columns={**types, "j": "text", "day": "moment"}, item={"id": "id", "modified": "at"})
    [wrong] = walk(opened(other))[0]
    assert isinstance(wrong, UnreadableItem)
    assert wrong.reason == "Referral at j: expected text"


def item_time() -> datetime:
    return datetime(2026, 12, 1, tzinfo=UTC)


@pytest.mark.parametrize("extract", ["sqlite"], indirect=True)
def test_a_file_that_is_not_there_or_is_none(extract: Extract, opened: Opened, tmp_path: Any) -> None:
    connector = opened(url=f"sqlite:///{tmp_path / 'nowhere.db'}")
    with pytest.raises(Misconfigured, match="no such file"):
        connector.changes("Referral", watermark="")
    assert not (tmp_path / "nowhere.db").exists()
    assert [finding.well for finding in connector.doctor()] == [False]
    (tmp_path / "letter.db").write_bytes(b"Dear all, " * 500)
    with pytest.raises(Misconfigured, match="no SQLite database"):
        opened(url=f"sqlite:///{tmp_path / 'letter.db'}").changes("Referral", watermark="")


@pytest.mark.parametrize("extract", ["sqlite"], indirect=True)
def test_text_that_is_not_utf_8_spoils_one_row(extract: Extract, opened: Opened, tmp_path: Any) -> None:
    extract.table()
    extract.put(1, "2026-03-01T09:30:00")
    with sqlite3.connect(tmp_path / "extract.db") as line:
        line.execute("INSERT INTO referrals VALUES (2, CAST(x'53ee' AS TEXT), '2026-03-01T09:31:00')")
    line.close()
    items, watermark = walk(opened())
    assert [getattr(item, "reason", "") for item in items] == ["", "Referral at surname: expected text in UTF-8"]
    assert ids(walk(opened(), watermark)[0]) == ["1", "2"]


@pytest.mark.parametrize("extract", ["sqlite"], indirect=True)
def test_stamps_of_text_that_do_not_sort_by_time_are_refused(extract: Extract, opened: Opened) -> None:
    extract.table()
    extract.put(1, "01/03/2026 09:30")
    with pytest.raises(Misconfigured, match="does not sort by time"):
        opened().changes("Referral", watermark="2026-03-01T09:30:00+00:00")


def test_a_row_whose_id_is_not_one_is_not_fetched(extract: Extract, opened: Opened) -> None:
    extract.say("CREATE TABLE referrals (id INTEGER, surname TEXT, changed TEXT)")
    extract.say("INSERT INTO referrals VALUES (1, 'a', NULL), (1, 'b', NULL), (NULL, 'c', NULL)")
    with pytest.raises(PageUnreadable, match="two rows have this id"):
        opened().fetch("Referral", "1")
    found = {finding.subject: finding for finding in opened().doctor()}
    assert not found["ids of Referral"].well
    assert found["reading Referral"].well


# --- Settings and profiles --------------------------------------------------------------------------------------------

URLS = [
    ("reports.example.org", "SQLAlchemy URL"),
    (f"postgresql://dolen:{CANARY}@reports.example.org/extract", "use `login`"),
    (f"mssql+pyodbc:///?odbc_connect=DRIVER%3Dx%3BPWD%3D{CANARY}", "use `login`"),
    (f"postgresql://reports.example.org/extract?password={CANARY}", "use `login`"),
    ("postgresql://reports.example.org/extract?sslmode=require", "sslmode=verify-full"),
    ("postgresql://127.0.0.1/extract?options=-c%20default_transaction_read_only%3Doff", "leave out options"),
    ("sqlite:///extract.db", "whole path"),
    ("sqlite://", "whole path"),
    ("sqlite:////srv/extract.db?mode=rw", "whole path"),
]


@pytest.mark.parametrize(("url", "words"), URLS, ids=[words for _, words in URLS])
def test_an_address_that_cannot_stand(url: str, words: str) -> None:
    with pytest.raises(ProfileFaults) as caught:
        registry.check_settings("sql", {"url": url}, secret=lambda _: "")
    assert words in str(caught.value)
    assert CANARY not in f"{caught.value} {caught.value!r}"


def test_a_password_is_a_reference_and_is_never_shown() -> None:
    login = {"password": {"username": "dolen", "password": "env:PASSWORD"}}
    told = {"url": "postgresql://reports.example.org/extract", "login": login}
    made: Any = registry.check_settings("sql", told, secret=lambda _: CANARY)
    connector = SqlConnector(registry.check_profile(profile()), made, clock=item_time)  # type: ignore[arg-type]
    engine = connector._database._engine
    assert CANARY not in f"{made!r} {made.model_dump_json()} {connector!r} {connector._database!r} {engine!r}"
    assert engine.url.query["sslmode"] == "verify-full"
    login["password"]["password"] = CANARY
    with pytest.raises(ProfileFaults, match="env:NAME or file:PATH"):
        registry.check_settings("sql", told, secret=lambda _: CANARY)


def test_a_driver_that_is_not_installed_is_said() -> None:
    made: Any = registry.check_settings("sql", {"url": "oracle+oracledb://reports.example.org/"}, secret=str)
    with pytest.raises(Misconfigured, match=r"driver of oracle\+oracledb is not installed"):
        SqlConnector(registry.check_profile(profile()), made, clock=item_time)  # type: ignore[arg-type]


PROFILES: list[tuple[dict[str, Any], str]] = [
    ({"query": "SELECT 1 AS id FROM x"}, "either table or query"),
    ({"table": None}, "either table or query"),
    ({"table": "referrals; DROP TABLE referrals"}, "reporting.referrals"),
    ({"table": None, "query": "DELETE FROM referrals"}, "write one SELECT"),
    ({"table": None, "query": "SELECT 1; DELETE FROM referrals"}, "without a semicolon"),
    ({"table": None, "query": "SELECT * FROM referrals WHERE id > :least"}, "behind a colon"),
    ({"item": {"id": "number", "modified": "changed"}}, "number is not among columns"),
    ({"item": {"id": "id"}}, "needs item.modified"),
    ({"item": {"id": "id", "modified": "surname"}}, "item.modified must be one of"),
    ({"item": {"id": "changed", "modified": "changed"}}, "item.id must be text or integer"),
    ({"columns": {"id": "integer", "changed": "date"}}, "overlap of P1D"),
    ({"columns": {"id": "int", "changed": "moment"}}, "records.Referral.columns.id"),
]


@pytest.mark.parametrize(("record", "words"), PROFILES, ids=[words for _, words in PROFILES])
def test_a_profile_that_cannot_work(record: dict[str, Any], words: str) -> None:
    with pytest.raises(ProfileFaults) as caught:
        registry.check_profile(profile(**record))
    assert words in str(caught.value)


def test_a_semicolon_within_a_text_is_no_second_statement() -> None:
    registry.check_profile(profile(table=None, query="SELECT ';' AS id, 'it''s; so :x' AS changed -- ; \nFROM x"))


def test_the_neutral_form_is_what_is_declared() -> None:
    [made] = registry.interfaces_of(profile(required=["surname"]), interfaces=lambda _: b"")
    assert made["read"]["properties"]["surname"] == {"type": "string"}
    assert made["read"]["properties"]["changed"]["type"] == ["string", "null"]
    assert (made["create"], made["update"], made["ours"]) == (None, None, ["changed", "id"])
