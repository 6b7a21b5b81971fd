"""Proofs: the comparisons of a route's two ends as the ledger keeps them, and which of them is due.

A planned comparison is a row, unique by route and planned instant, so that it is made once however many processes keep
the timetable. Its claim is renewed while it goes on, and a claim that is not renewed is taken over. Who compares, and
how, is `pipelines.prover`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, or_, select, update

from pipelines.clock import SECOND
from pipelines.ledger import get_meta, insert_new, set_meta
from pipelines.plant import Plant
from pipelines.report import Report
from pipelines.routing import Route
from pipelines.tables import reconciliation

if TYPE_CHECKING:
    from pipelines.plant import Council

#: A claim that was not renewed for so long is taken over.
CLAIM = 600 * SECOND
#: After so long a comparison reads every record whole again: a change that its system did not stamp is found then.
WHOLE_AFTER = 7 * 86_400 * SECOND
#: Comparisons of a route that are kept, and lines of each kind in one of them.
KEPT, LINES = 30, 200
PLANNED_SINCE = "proofs_since"


@dataclass(frozen=True, slots=True)
class Due:
    """A comparison, planned or asked for, that nobody has made or is making."""

    council: str
    route: str
    at: int
    whole: bool
    asked: bool = False  # by somebody, and not by the timetable


@dataclass(frozen=True, slots=True)
class Proved:
    """What is known of one route: its newest finished comparison, and why a newer one could not be finished."""

    council: str
    route: str
    at: int | None = None  # when it ended; None: never compared
    agrees: bool | None = None
    differ: int = 0
    open: int = 0
    compared: int = 0
    doubt: str = ""
    words: str = ""


def comparable(council: Council) -> Iterator[Route]:
    """The routes of a council whose two ends can be compared."""
    for route in council.routes:
        source, target = council.wired.get(route.source), council.wired.get(route.target)
        if route.text or source is None or target is None or route.carries != "state":
            continue
        walked = source.kinds and all("changes" in source.offers(kind) for kind in source.kinds)
        if walked and target.offers(route.kind) & {"changes", "fetch"}:
            yield route


def due(plant: Plant) -> Due | None:
    """The planned comparison that is due and has waited longest, None if none is."""
    from pipelines.timetable import Timetable  # what reads cron lines: whoever only shows proofs does not

    now = plant.clock.now()
    with plant.ledger.reading() as connection:
        since = int(get_meta(connection, PLANNED_SINCE) or 0)
        newest = _newest_planned(connection)
        wholes = _last_wholes(connection)
        goes_on = going_on(connection, now)
    if not since:
        # What was planned before anybody kept the timetable was not missed.
        with plant.ledger.writing() as connection:
            set_meta(connection, PLANNED_SINCE, str(now))
        return None
    found = []
    for council in plant.councils.values():
        for route in comparable(council):
            name = (council.code, route.name)
            if name in goes_on:
                continue
            planned = Timetable("/".join(name), council.zone, cron=route.reconcile or None).due(now)
            last = newest.get(name)
            if planned is None or planned <= since or (last is not None and not _may_begin(last, planned, now)):
                continue
            found.append(Due(*name, planned, now - wholes.get(name, 0) >= WHOLE_AFTER))
    return min(found, key=lambda one: (one.at, one.council, one.route), default=None)


def _may_begin(last: Any, planned: int, now: int) -> bool:
    if last.at != planned:
        return bool(last.at < planned)
    return last.done is None and (last.until is None or last.until <= now)


def claim(plant: Plant, one: Due, owner: str) -> bool:
    """Take a comparison; False if somebody else has it or has made it, or compares that route for another reason."""
    now = plant.clock.now()
    key = {"council": one.council, "route": one.route, "at": one.at}
    with plant.ledger.writing() as connection:
        insert_new(connection, reconciliation, [{**key, "asked_by": "", "counts": {}, "findings": {}, "words": ""}])
        hold(connection, one.council, one.route)
        if (one.council, one.route) in going_on(connection, now):
            return False
        taken = connection.execute(
            update(reconciliation)
            .filter_by(**key)
            .where(reconciliation.c.done.is_(None), is_free(now))
            .values(claimed_by=owner, until=now + CLAIM, begun=now, whole=one.whole)
        )
        return taken.rowcount == 1


def hold(connection: Connection, council: str, route: str) -> None:
    """Lock what is written of a route, so that of two who begin to compare it the second sees the first."""
    of_route = select(reconciliation.c.id).filter_by(council=council, route=route)
    connection.execute(of_route.order_by(reconciliation.c.id).with_for_update()).all()


def is_free(now: int) -> ColumnElement[bool]:
    """The condition that nobody has a comparison in hand, and that it may be tried."""
    return or_(reconciliation.c.until.is_(None), reconciliation.c.until <= now)


def going_on(connection: Connection, now: int) -> set[tuple[str, str]]:
    """(council, route) of the comparisons that are being made."""
    claimed = (reconciliation.c.done.is_(None), reconciliation.c.claimed_by.is_not(None), reconciliation.c.until > now)
    rows = connection.execute(select(reconciliation.c.council, reconciliation.c.route).where(*claimed))
    return {(row.council, row.route) for row in rows}


def renew(plant: Plant, one: Due, owner: str) -> bool:
    """Hold on to a claim; False if somebody else has taken it over."""
    return _change(plant, one, owner, until=plant.clock.now() + CLAIM)


def put_off(plant: Plant, one: Due, owner: str, *, words: str, seconds: float) -> None:
    """Give a planned comparison back; it is tried again after so long."""
    _change(plant, one, owner, claimed_by=None, until=plant.clock.now() + int(seconds * SECOND), words=words)


def finish(plant: Plant, one: Due, owner: str, report: Report | None, words: str = "") -> bool:
    """Write down what a planned comparison found, or why there is nothing to find. False: the claim was lost."""
    done = _change(plant, one, owner, claimed_by=None, done=plant.clock.now(), **_values(report), words=words)
    _tidy(plant, one.council, one.route)
    return done


def keep(plant: Plant, report: Report, *, who: str, whole: bool, begun: int) -> None:
    """Write down what a comparison found that somebody asked for."""
    now = plant.clock.now()
    with plant.ledger.writing() as connection:
        connection.execute(
            insert(reconciliation).values(
                council=report.council,
                route=report.route,
                at=begun,
                asked_by=who,
                whole=whole,
                begun=begun,
                done=now,
                words="",
                **_values(report),
            )
        )
    _tidy(plant, report.council, report.route)


def newest(connection: Connection, council: str, route: str) -> dict[str, Any] | None:
    """The lines of the newest comparison of a route that ended with a result; None if there is none."""
    row = connection.execute(
        select(reconciliation.c.findings)
        .filter_by(council=council, route=route)
        .where(reconciliation.c.agrees.is_not(None))
        .order_by(reconciliation.c.done.desc())
        .limit(1)
    ).first()
    return None if row is None else dict(row.findings)


def of_routes(connection: Connection, plant: Plant) -> list[Proved]:
    """What is known of each route that carries records."""
    found = []
    for council in plant.councils.values():
        for route in council.routes:
            if route.text or route.carries != "state":
                continue
            of_route = select(reconciliation).filter_by(council=council.code, route=route.name)
            last = connection.execute(
                of_route.where(reconciliation.c.agrees.is_not(None)).order_by(reconciliation.c.done.desc()).limit(1)
            ).first()
            tried = connection.execute(
                of_route.where(reconciliation.c.words != "").order_by(reconciliation.c.begun.desc()).limit(1)
            ).first()
            newer = tried is not None and (last is None or tried.begun > last.done)
            words = tried.words if tried is not None and newer else ""
            found.append(_proved(council.code, route.name, last, words))
    return found


def _proved(council: str, route: str, last: Row[Any] | None, words: str) -> Proved:
    if last is None:
        return Proved(council, route, words=words)
    counts = last.counts
    return Proved(
        council,
        route,
        last.done,
        last.agrees,
        int(counts.get("differ", 0)),
        int(counts.get("open", 0)),
        int(counts.get("compared", 0)),
        str(last.findings.get("doubt", "")),
        words,
    )


def _values(report: Report | None) -> dict[str, Any]:
    if report is None:
        return {"agrees": None}
    return {
        "agrees": report.agrees,
        "counts": report.counts() | {"differ": report.differences},
        "findings": report.findings(LINES) | {"doubt": report.doubt},
    }


def _change(plant: Plant, one: Due, owner: str, **values: Any) -> bool:
    with plant.ledger.writing() as connection:
        changed = connection.execute(
            update(reconciliation)
            .filter_by(council=one.council, route=one.route, at=one.at, claimed_by=owner)
            .values(**values)
        )
        return changed.rowcount == 1


def _newest_planned(connection: Connection) -> dict[tuple[str, str], Any]:
    c = reconciliation.c
    newest = (
        select(c.council, c.route, func.max(c.at).label("at"))
        .where(c.asked_by == "")
        .group_by(c.council, c.route)
        .subquery()
    )
    rows = connection.execute(
        select(c.council, c.route, c.at, c.done, c.until).join(
            newest, (c.council == newest.c.council) & (c.route == newest.c.route) & (c.at == newest.c.at)
        )
    )
    return {(row.council, row.route): row for row in rows}


def _last_wholes(connection: Connection) -> dict[tuple[str, str], int]:
    c = reconciliation.c
    rows = connection.execute(
        select(c.council, c.route, func.max(c.done))
        .where(c.whole.is_(True), c.agrees.is_not(None))
        .group_by(c.council, c.route)
    )
    return {(row[0], row[1]): int(row[2]) for row in rows}


def _tidy(plant: Plant, council: str, route: str) -> None:
    of_route = {"council": council, "route": route}
    with plant.ledger.writing() as connection:
        oldest = connection.execute(
            select(reconciliation.c.at)
            .filter_by(**of_route)
            .order_by(reconciliation.c.at.desc())
            .offset(KEPT - 1)
            .limit(1)
        ).scalar()
        if oldest is not None:
            connection.execute(
                delete(reconciliation)
                .filter_by(**of_route)
                .where(reconciliation.c.at < oldest, reconciliation.c.whole.is_(False))
            )
