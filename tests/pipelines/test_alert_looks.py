"""What is amiss: each kind of look finds what it is for and nothing else; a source is judged by its own past."""

import socket
import ssl
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import trustme
from sqlalchemy import insert, update

from pipelines import alert_machine, pauses, persons, processes, quiet_sources, restricting, tables, watchman
from pipelines.alert_looks import Amiss, Condition
from pipelines.clock import SECOND, to_instant, to_time

pytest_plugins = ("tests.pipelines.pieces", "tests.pipelines.alerted")

HOUR = 3600 * SECOND
DAY = 24 * 3600


def amiss(alerted: Any, kind: Amiss) -> list[Condition]:
    found, looked = watchman.look(alerted.bench.plant, alerted.rules, {kind})
    assert looked == {kind}
    return found


def walked(alerted: Any, name: str, kind: str) -> None:
    now = alerted.bench.clock.now()
    with alerted.bench.writing() as connection:
        connection.execute(
            insert(tables.walk).values(
                council="torfaen", connection=name, kind=kind, purpose="live", completed=now, began=now
            )
        )


def test_a_source_that_is_not_read_lags_and_a_paused_one_is_told_as_that(alerted: Any) -> None:
    walked(alerted, "contact", "Request")
    walked(alerted, "casework", "Referral")
    assert amiss(alerted, Amiss.LAG) == []
    alerted.bench.clock.pass_by(31 * 60)
    assert [one.connection for one in amiss(alerted, Amiss.LAG)] == ["contact", "casework"]
    with alerted.bench.writing() as connection:
        pauses.trip(
            connection, "torfaen", "contact", why=pauses.BY_LOGIN, words="no", now=alerted.bench.clock.now()
        )
    assert [one.connection for one in amiss(alerted, Amiss.LAG)] == ["casework"]
    assert amiss(alerted, Amiss.PAUSED) == []
    alerted.bench.clock.pass_by(601)
    assert [(one.connection, one.words) for one in amiss(alerted, Amiss.PAUSED)] == [("contact", "login refused")]


def test_a_backlog_is_found(alerted_with: Any) -> None:
    alerted = alerted_with()
    object.__setattr__(alerted.rules.alerts.when, "backlog", 2)
    alerted.bench.take(alerted.bench.request("C-1"))
    assert amiss(alerted, Amiss.BACKLOG) == []
    alerted.bench.take(alerted.bench.request("C-2"))
    assert [(one.connection, one.count) for one in amiss(alerted, Amiss.BACKLOG)] == [("casework", 2)]


def test_what_arrived_and_was_not_picked_up_is_found_and_sooner_where_it_is_urgent(alerted: Any) -> None:
    alerted.bench.take(alerted.bench.request("C-1"), alerted.bench.request("C-2", priority="urgent"))
    for number, row in enumerate(alerted.bench.rows("delivery"), 881):
        alerted.bench.arrived(row.lane, str(number))
    assert amiss(alerted, Amiss.NOT_PICKED_UP) == []
    alerted.bench.clock.pass_by(3700)
    [one] = amiss(alerted, Amiss.NOT_PICKED_UP)
    assert (one.connection, one.count, one.urgent) == ("casework", 1, True)
    alerted.bench.clock.pass_by(2 * DAY)
    assert amiss(alerted, Amiss.NOT_PICKED_UP)[0].count == 2


def test_a_restriction_is_told_at_once_and_again_when_another_joins(alerted: Any) -> None:
    """Meant to catch a restriction that only a log knows of, and a referral that its source calls restricted."""
    bench = alerted.bench
    bench.take(bench.request("C-1"), bench.request("C-2", customer__nhs_number="9990000026"), bench.request("C-3"))
    with bench.writing() as connection:
        hidden = bench.row("record", external_id="C-3").referral_id
        connection.execute(update(tables.referral).where(tables.referral.c.id == hidden).values(restricted=True))
    assert amiss(alerted, Amiss.RESTRICTED) == []
    first, second = (persons.by_reference(bench.plant, number) for number in ("C-1", "C-2"))
    restricting.restrict(bench.plant, first, who="dpo", why="an objection", only=first.referrals[0])
    [one] = amiss(alerted, Amiss.RESTRICTED)
    assert (one.council, one.count, one.urgent, one.since) == ("torfaen", 1, True, bench.clock.now())
    bench.clock.pass_by(60)
    restricting.restrict(bench.plant, second, who="dpo", why="an objection", only=second.referrals[0])
    [both] = amiss(alerted, Amiss.RESTRICTED)
    assert (both.key, both.count, both.newest) == (one.key, 2, one.newest + 60 * SECOND)
    for person in (first, second):
        restricting.unrestrict(bench.plant, person, who="dpo", why="agreed")
    assert amiss(alerted, Amiss.RESTRICTED) == []


@pytest.fixture
def tallied(alerted: Any) -> Any:
    """Seven weeks in which Torfaen's contact centre showed ten an hour, every hour; it is a Thursday, 13:00."""
    now = alerted.bench.clock.now()
    rows = [
        {"council": "torfaen", "connection": "contact", "hour": now - now % HOUR - back * HOUR, "versions": 10}
        for back in range(1, 7 * 7 * 24)
    ]
    with alerted.bench.writing() as connection:
        connection.execute(insert(tables.source_hour), rows)
    return alerted


def test_a_source_is_quiet_by_its_own_past(tallied: Any) -> None:
    assert amiss(tallied, Amiss.QUIET) == []
    tallied.bench.clock.pass_by(3600)  # an hour without any
    [one] = amiss(tallied, Amiss.QUIET)
    assert (one.connection, one.since) == ("contact", tallied.bench.clock.now() - HOUR)
    with tallied.bench.writing() as connection:  # a paused one cannot show anything
        pauses.set_pause(
            connection, "torfaen", "contact", why=pauses.BY_PERSON, words="", who="ann", now=0, until=None
        )
    assert amiss(tallied, Amiss.QUIET) == []


def test_nights_weekends_and_bank_holidays_are_no_silence(tallied: Any) -> None:
    known = {row.hour: row.versions for row in tallied.bench.rows("source_hour")}
    wired = tallied.bench.plant.councils["torfaen"].wired["contact"]
    now = tallied.bench.clock.now() + HOUR
    assert quiet_sources.quiet_hours(known, wired, now) == 1
    at_night = {hour: count for hour, count in known.items() if (hour // HOUR) % 24 != (now // HOUR - 1) % 24}
    assert quiet_sources.quiet_hours(at_night, wired, now) == 0  # it never shows anything at this hour
    few = {hour: (1 if (hour // HOUR) % 7 == 0 else 0) for hour in known}
    assert quiet_sources.quiet_hours(few, wired, now) == 0  # one may be missing by chance
    short = {hour: count for hour, count in known.items() if hour > now - 3 * 7 * 24 * HOUR}
    assert quiet_sources.quiet_hours(short, wired, now) == 0  # nobody knows its past yet
    christmas = to_time(datetime(2026, 12, 25, 13, 0, tzinfo=UTC))
    then = {christmas - back * HOUR: 10 for back in range(25, 7 * 7 * 24)}
    assert quiet_sources.quiet_hours(then, wired, christmas) == 0


def test_versions_are_tallied_once_and_a_summer_hour_is_its_own(alerted: Any) -> None:
    alerted.bench.take(*(alerted.bench.request(f"C-{number}") for number in range(5)))
    now = alerted.bench.clock.now()
    assert quiet_sources.tally(alerted.bench.plant, now) == 0  # some with lower numbers may still come
    alerted.bench.clock.pass_by(61)
    assert quiet_sources.tally(alerted.bench.plant, alerted.bench.clock.now()) == 5
    alerted.bench.take(alerted.bench.request("C-9"))
    alerted.bench.clock.pass_by(61)
    assert quiet_sources.tally(alerted.bench.plant, alerted.bench.clock.now()) == 1
    assert quiet_sources.tally(alerted.bench.plant, alerted.bench.clock.now()) == 0
    [row] = alerted.bench.rows("source_hour")
    assert (row.connection, row.hour, row.versions) == ("contact", now - now % HOUR, 6)


def test_what_is_about_to_end_is_told_before(alerted_with: Any, tmp_path: Any) -> None:
    now = datetime(2026, 7, 2, 12, 0, tzinfo=UTC)
    pem = tmp_path / "ours.pem"
    issued = trustme.CA().issue_cert("dolen.example.org", not_after=now + timedelta(days=20))
    issued.cert_chain_pems[0].write_to_path(pem)
    alerted = alerted_with()
    assert amiss(alerted, Amiss.EXPIRY) == []
    rules = alerted.rules
    rules.ends["torfaen", "contact"] = (now + timedelta(days=3)).date()
    rules.ends["torfaen", "casework"] = (now + timedelta(days=90)).date()
    rules.certificates["torfaen", "casework"] = pem
    rules.certificates["torfaen", "texts"] = tmp_path / "not-there.pem"
    found = {(one.connection, one.words): one.count for one in amiss(alerted, Amiss.EXPIRY)}
    assert found == {("contact", "login"): 3, ("casework", "certificate"): 20}


def test_the_certificate_that_a_system_shows_is_looked_at(alerted_with: Any, tmp_path: Any) -> None:
    authority = trustme.CA()
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    now = datetime.now(UTC)
    authority.issue_cert("localhost", not_after=now + timedelta(days=9, hours=1)).configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = threading.Thread(target=_greet, args=(listening, context))
        serving.start()
        alerted = alerted_with()
        url = f"https://localhost:{listening.getsockname()[1]}/api"
        alerted.rules.peers.clear()
        alerted.rules.peers["torfaen", "contact"] = {"url": url, "ca_bundle": str(ca)}
        alerted.rules.peers["torfaen", "casework"] = {"url": "https://127.0.0.1:1/"}
        found = alert_machine.shown_ends(alerted.rules)
        serving.join()
    assert set(found) == {("torfaen", "contact")}
    assert abs(to_instant(found["torfaen", "contact"]) - now - timedelta(days=9, hours=1)) < timedelta(minutes=1)
    alerted.rules.shown["torfaen", "contact"] = alerted.bench.clock.now() + 9 * DAY * SECOND
    [one] = amiss(alerted, Amiss.EXPIRY)
    assert (one.connection, one.words, one.count) == ("contact", "certificate of the system", 9)


def _greet(listening: socket.socket, context: ssl.SSLContext) -> None:
    listening.settimeout(20)
    line, _ = listening.accept()
    with line, suppress(OSError), context.wrap_socket(line, server_side=True) as secured:
        secured.recv(1)


def test_a_lost_key_a_full_disk_and_a_clock_that_is_off(alerted_with: Any) -> None:
    alerted = alerted_with()
    assert amiss(alerted, Amiss.KEYS) == amiss(alerted, Amiss.DISK) == []
    main = alerted.rules.key_files[0]
    away = main.rename(main.with_name("away.key"))
    assert [one.urgent for one in amiss(alerted, Amiss.KEYS)] == [True]
    away.rename(main)
    object.__setattr__(alerted.rules.alerts.when, "disk_megabytes", 10**9)
    assert [one.kind for one in amiss(alerted, Amiss.DISK)] == [Amiss.DISK]
    assert amiss(alerted, Amiss.CLOCK) == []
    object.__setattr__(alerted.rules.alerts.when, "clock", timedelta(seconds=30))
    [off] = amiss(alerted, Amiss.CLOCK)  # the bench's clock stands in July
    assert off.count > DAY


def test_a_process_that_fell_silent_is_told_and_one_that_stopped_is_not(alerted: Any) -> None:
    assert amiss(alerted, Amiss.LOST) == amiss(alerted, Amiss.DOWN) == []
    presence = processes.Presence(alerted.bench.plant, "boot-9", ["work", "schedule"])
    presence.register()
    assert {one.words for one in amiss(alerted, Amiss.DOWN)} == ({"work", "schedule"} if _embedded(alerted) else set())
    processes.all_others_are_gone(alerted.bench.plant)
    [one] = amiss(alerted, Amiss.LOST)
    assert one.count == 1
    assert {one.words for one in amiss(alerted, Amiss.DOWN)} == {"work", "schedule"}
    alerted.bench.clock.pass_by(1801)
    assert amiss(alerted, Amiss.LOST) == []


def _embedded(alerted: Any) -> bool:
    """There the lock tells who runs, and in this test nobody holds it."""
    return bool(alerted.bench.plant.ledger.embedded)
