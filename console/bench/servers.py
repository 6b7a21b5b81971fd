"""Servers that the bench is given: a PostgreSQL and a RabbitMQ, reached through lines that can be made to fail.

The bench makes a database of its own there and drops it at its end, so that no ledger of a real site can be met.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from console.bench.lines import Lines
from console.guard import WrongUse
from console.show import complain

LEDGER, BROKER = "DOLEN_BENCH_LEDGER", "DOLEN_BENCH_BROKER"
_PORTS = {"postgresql": 5432, "amqp": 5672}


@dataclass(frozen=True, slots=True)
class Servers:
    """Where they are; both empty for the embedded ledger and broker. A URL may hold a password: `repr` shows none."""

    ledger: str = field(default="", repr=False)
    broker: str = field(default="", repr=False)
    restart_ledger: str = field(default="", repr=False)
    restart_broker: str = field(default="", repr=False)

    @property
    def apart(self) -> bool:
        """Whether the roles run apart, on servers."""
        return bool(self.ledger)


def given(ledger: str, broker: str, restart_ledger: str, restart_broker: str) -> Servers:
    """Read what was typed; `env:NAME` keeps a password out of the list of processes. Raises WrongUse."""
    if bool(ledger) != bool(broker):
        raise WrongUse("Give both --ledger and --broker, or neither for SQLite and the broker in memory")
    if not ledger and (restart_ledger or restart_broker):
        raise WrongUse("--restart-ledger and --restart-broker go with --ledger and --broker")
    told = Servers(_plain("--ledger", ledger), _plain("--broker", broker), restart_ledger, restart_broker)
    _must_be("--ledger", told.ledger, "postgresql")
    _must_be("--broker", told.broker, "amqp")
    return told


def given_ledger(ledger: str) -> str:
    """Read what was typed for a bench that needs a ledger alone; "" is SQLite. Raises WrongUse."""
    url = _plain("--ledger", ledger)
    _must_be("--ledger", url, "postgresql")
    return url


def _must_be(name: str, url: str, scheme: str) -> None:
    if url and (urlsplit(url).scheme.partition("+")[0] != scheme or not urlsplit(url).hostname):
        raise WrongUse(f"{name} must be a URL that begins with {scheme}://, or env:NAME of one")


@contextmanager
def behind_lines(servers: Servers, lines: Lines, *, keep: bool = False) -> Iterator[dict[str, str]]:
    """Make the database and lay the lines; gives the environment of the processes under test.

    `keep`: the database stays. Our own environment leads there directly, so that officers get through whatever happens.
    """
    if not servers.apart:
        yield {}
        return
    with own_database(servers.ledger, keep=keep) as ledger:
        direct = {LEDGER: ledger, BROKER: servers.broker}
        os.environ.update(direct)
        try:
            yield {
                name: _through(lines, where, direct[name]) for name, where in ((LEDGER, "ledger"), (BROKER, "broker"))
            }
        finally:
            for name in direct:
                os.environ.pop(name, None)


@contextmanager
def in_place(servers: Servers) -> Iterator[None]:
    """Make the database, and name it and the broker in our own environment, which the processes of a bench inherit.

    Nothing is made for the embedded ledger and broker.
    """
    if not servers.apart:
        yield
        return
    with own_database(servers.ledger) as ledger:
        os.environ.update({LEDGER: ledger, BROKER: servers.broker})
        try:
            yield
        finally:
            for name in (LEDGER, BROKER):
                os.environ.pop(name, None)


def _through(lines: Lines, name: str, url: str) -> str:
    parts = urlsplit(url)
    port = lines.lay(name, parts.hostname or "", parts.port or _PORTS[parts.scheme.partition("+")[0]])
    login, at, _ = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{login}{at}127.0.0.1:{port}").geturl()


@contextmanager
def own_database(url: str, *, keep: bool = False) -> Iterator[str]:
    """Make a database of the bench's own on a server, and drop it in the end; gives its URL."""
    import psycopg
    from psycopg import sql

    parts: SplitResult = urlsplit(url)
    plain = parts._replace(scheme="postgresql").geturl()
    name = f"dolen_bench_{secrets.token_hex(6)}"
    with psycopg.connect(plain, autocommit=True) as line:
        line.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield parts._replace(path=f"/{name}").geturl()
    finally:
        if keep:
            complain(f"The ledger is kept as the database {name}.")
        else:
            with psycopg.connect(plain, autocommit=True) as line:
                line.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _plain(option: str, value: str) -> str:
    if not value.startswith("env:"):
        return value
    found = os.environ.get(value.removeprefix("env:"), "")
    if not found:
        raise WrongUse(f"{option} names {value}, and there is nothing in the environment under that name")
    return found
