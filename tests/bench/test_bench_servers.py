"""Servers that the fault bench is given: what is typed is checked, and passwords stay out of sight."""

from __future__ import annotations

import pytest

from console.bench.lines import Lines
from console.bench.servers import BROKER, LEDGER, Servers, behind_lines, given
from console.guard import WrongUse
from tests.found import found_postgresql

URLS = ("postgresql://bench@127.0.0.1:5432/x", "amqp://bench@127.0.0.1:5672/bench")


def test_neither_is_embedded_and_both_are_servers() -> None:
    assert not given("", "", "", "").apart
    assert given(*URLS, "", "").apart


@pytest.mark.parametrize(
    "typed",
    [
        (URLS[0], "", "", ""),
        ("", URLS[1], "", ""),
        ("", "", "restart", ""),
        ("sqlite:///x.db", URLS[1], "", ""),
        (URLS[0], "memory://", "", ""),
        ("env:DOLEN_BENCH_NOWHERE", URLS[1], "", ""),
    ],
)
def test_what_cannot_work_is_wrong_use(typed: tuple[str, str, str, str]) -> None:
    with pytest.raises(WrongUse):
        given(*typed)


def test_a_password_may_come_from_the_environment_and_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_LEDGER", "postgresql://bench:hidden@127.0.0.1/x")
    servers = given("env:BENCH_LEDGER", URLS[1], "", "")
    assert "hidden" in servers.ledger
    assert "hidden" not in repr(servers)


def test_the_bench_makes_a_database_of_its_own_behind_a_line_and_drops_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import psycopg

    url = found_postgresql()
    monkeypatch.delenv(LEDGER, raising=False)

    def names() -> set[str]:
        with psycopg.connect(url) as line:
            return {row[0] for row in line.execute("SELECT datname FROM pg_database")}

    before = names()
    with Lines() as lines, behind_lines(Servers(url, URLS[1]), lines) as environment:
        assert set(environment) == {LEDGER, BROKER}
        with psycopg.connect(environment[LEDGER]) as line:
            own = line.execute("SELECT current_database()").fetchone()
        assert own is not None
        assert own[0] in names() - before
        lines.swallow("ledger", True)
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(environment[LEDGER], connect_timeout=2)
    assert own[0] not in names()
