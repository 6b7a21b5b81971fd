"""Pauses: a connection that is left alone for now, by a person, by its login, or by its breaker.

While a connection is paused its deliveries wait and burn no try. A breaker's pause ends by itself with one probe: the
relay lets a single lane through, and its result closes the breaker or keeps it open for longer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select, update

from pipelines import ready
from pipelines.clock import SECOND
from pipelines.ready import Say
from pipelines.rows import Held
from pipelines.tables import pause

BY_PERSON = "by a person"
BY_LOGIN = "login refused"
BY_BREAKER = "not reachable"
BY_FEED = "cannot be read"
BY_LIMIT = "the system's limit is reached"

#: Where a connection's settings say nothing. The longest pause is the site's promise of 15 minutes.
FAILURES = 5
WITHIN_SECONDS = 600.0
FIRST_SECONDS = 30.0
LONGEST_SECONDS = 900.0
LOGIN_SECONDS = 60  # a refused login is tried again now and then, in case the supplier mends it on their side

_ALL = Say(select(pause))
_ONE = Say(
    select(pause).where(
        pause.c.council == ready.given("council", pause.c.council),
        pause.c.connection == ready.given("name", pause.c.connection),
    )
)

@dataclass(frozen=True, slots=True)
class BreakerRules:
    """When a connection's breaker opens, and for how many seconds at first: doubled with each failed probe."""

    after_failures: int = FAILURES
    try_again: float = FIRST_SECONDS
    within: float = WITHIN_SECONDS


def rules_of(settings: Mapping[str, Any]) -> BreakerRules:
    """Read the rules from a connection's settings."""
    given = settings.get("pause") or {}
    return BreakerRules(
        int(given.get("after_failures", FAILURES)),
        float(given.get("try_again", FIRST_SECONDS)),
        float(given.get("within", WITHIN_SECONDS)),
    )


class May(StrEnum):
    """Whether a connection may be called."""

    CALL = "call"
    PROBE = "probe"  # its breaker's time is over, and this caller alone may try it, once
    NOT = "not"


def may_call(connection: Connection, council: str, name: str, *, now: int, until: int, probe: bool) -> May:
    """Say whether a connection may be called. `probe`: the caller is ready to try one whose breaker is open.

    Of several that are ready one is told so; if nothing is heard of it, the next may try after `until`.
    """
    held = of(connection, council, name)
    if held is None:
        return May.CALL
    if not probe or held.until is None or held.until > now:
        return May.NOT
    claimed = connection.execute(
        update(pause)
        .where(pause.c.council == council, pause.c.connection == name, pause.c.until == held.until)
        .values(until=until)
    )
    return May.PROBE if claimed.rowcount == 1 else May.NOT


def may_probe_again(connection: Connection, council: str, name: str, *, now: int) -> None:
    """Give the claim of a probe back unused."""
    connection.execute(
        update(pause)
        .where(pause.c.council == council, pause.c.connection == name, pause.c.until.is_not(None))
        .values(until=now)
    )


def all_pauses(connection: Connection) -> dict[tuple[str, str], Held]:
    """Every pause, by council and connection."""
    return {(row["council"], row["connection"]): Held(row) for row in _ALL.rows(connection)}


def of(connection: Connection, council: str, name: str) -> Held | None:
    """The pause of one connection, None if it runs."""
    return next((Held(row) for row in _ONE.rows(connection, council=council, name=name)), None)


def set_pause(
    connection: Connection,
    council: str,
    name: str,
    *,
    why: str,
    words: str,
    who: str,
    now: int,
    until: int | None,
    failures: int = 0,
) -> None:
    """Pause a connection, or change why and until when. A pause by a person is never shortened by a machine."""
    held = of(connection, council, name)
    if held is not None and held.why == BY_PERSON and why != BY_PERSON:
        return
    values = {"why": why, "words": words, "who": who, "until": until, "failures": failures}
    if held is None:
        connection.execute(insert(pause).values(council=council, connection=name, at=now, **values))
    else:
        connection.execute(update(pause).where(pause.c.council == council, pause.c.connection == name).values(**values))


def end(
    connection: Connection, council: str, name: str, *, by_person: bool = False, limit_over_by: int | None = None
) -> bool:
    """End a pause; a machine does not end a person's. Returns whether there was one to end.

    `limit_over_by`: this moment, for a call that was under way when the limit was reached and whose success says
    nothing of it: such a pause lasts until its own time.
    """
    where = [pause.c.council == council, pause.c.connection == name]
    if not by_person:
        where.append(pause.c.why != BY_PERSON)
    if limit_over_by is not None:
        where.append(or_(pause.c.why != BY_LIMIT, pause.c.until <= limit_over_by))
    return connection.execute(delete(pause).where(*where)).rowcount > 0


def trip(
    connection: Connection,
    council: str,
    name: str,
    *,
    why: str,
    words: str,
    now: int,
    first_seconds: float = FIRST_SECONDS,
    asked_seconds: float = 0.0,
) -> int:
    """Open the breaker, or keep it open for longer after a failed probe. Returns until when.

    `asked_seconds`: for how long the system itself asks to be left alone, where its limit is reached (BY_LIMIT).
    """
    held = of(connection, council, name)
    failures = (held.failures if held is not None else 0) + 1
    seconds = LOGIN_SECONDS if why == BY_LOGIN else min(first_seconds * 2.0 ** min(failures - 1, 10), LONGEST_SECONDS)
    if why == BY_LIMIT:
        seconds = asked_seconds or seconds
    until = now + int(seconds * SECOND)
    set_pause(connection, council, name, why=why, words=words, who="dolen", now=now, until=until, failures=failures)
    return until
