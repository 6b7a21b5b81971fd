"""The first day: the pairs that `dolen match` found enter the ledger, and going live waits until they have.

Each pair becomes one referral with both numbers, and each record's base is what its system shows, so that the first
live reading finds nothing new and makes no write. Where the two show different values the owner's counts, the other
system is sent it by a delivery like any other, and a difference in a safeguarding field needs a person. Nobody is told
anything by text because of a pairing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, delete, insert, inspect, make_url, select
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from config.findings import Finding, Severity
from config.site import Site
from mappings.facts import Refused
from pipelines import audit, conflicts, identifiers, matching, revisions
from pipelines import facts as fact_store
from pipelines.batch import Batch
from pipelines.clock import to_time
from pipelines.databases import open_engine
from pipelines.ledger import LedgerFault
from pipelines.matching import Several
from pipelines.merge import OURS, SAFEGUARDING, WHY_SAFEGUARDING, Lost, group_of
from pipelines.pairing import Matched, Pairing, Weighed
from pipelines.pairs import Kept
from pipelines.plant import Council, Plant
from pipelines.routing import Route
from pipelines.rows import Held
from pipelines.states import VersionState
from pipelines.tables import first_day

PURPOSE = "first day"
#: Pairs written in one transaction.
_AT_ONCE = 50


@dataclass(slots=True)
class Written:
    """What came of writing the pairs."""

    paired: int = 0
    sends: int = 0  # deliveries of what differs
    not_done: list[tuple[str, str]] = field(default_factory=list)  # (number in the first system, why)
    complete: bool = False  # nothing was left to decide: going live waits for these two no longer


def write(pairing: Pairing, found: Matched, *, who: str, why: str, rest_is_apart: bool = False) -> Written:
    """Write the pairs that `found` counted. `rest_is_apart`: what stays undecided is not one case, says a person."""
    done = Written()
    some: list[tuple[Kept, Kept]] = []
    for pair in pairing.pairs():
        some.append(pair)
        if len(some) == _AT_ONCE:
            _write(pairing, some, done)
            some = []
    _write(pairing, some, done)
    done.complete = not done.not_done and (found.clear or rest_is_apart)
    plant, code, now = pairing.plant, pairing.council.code, pairing.plant.clock.now()
    with plant.ledger.writing() as connection:
        detail: dict[str, Any] = {"paired": done.paired, "sends": done.sends, "undecided": found.totals["undecided"]}
        audit.write(
            connection,
            plant.vault,
            council=code,
            who=who,
            action="match: the rest is apart" if rest_is_apart else "match",
            subject=f"{found.one} {found.other}",
            why=why,
            now=now,
            detail=detail,
        )
        if done.complete:
            enter_pair(connection, code, found.one, found.other, now=now, who=who, paired=done.paired)
    plant.nudge.set()
    return done


def enter_pair(
    connection: Connection, council: str, one: str, other: str, *, now: int, who: str, paired: int = 0
) -> None:
    """Note that the cases which two connections both hold are known: going live waits for these two no longer."""
    one, other = _pair_of(one, other)
    connection.execute(delete(first_day).filter_by(council=council, one=one, other=other))
    connection.execute(
        insert(first_day).values(council=council, one=one, other=other, at=now, who=who, paired=paired)
    )


def _write(pairing: Pairing, some: Sequence[tuple[Kept, Kept]], done: Written) -> None:
    if not some:
        return
    plant, council = pairing.plant, pairing.council
    weighed = [Weighed(pairing, *pair) for pair in some]
    with plant.ledger.writing() as connection:
        batch = Batch(connection, plant.vault, council, plant.clock.now())
        for side, wired in enumerate(pairing.sides):
            for kind in wired.kinds.values():
                here = [one for one in weighed if one.kinds[side] is kind]
                batch.fetch_records(wired.name, kind.name, [one.kept[side].id for one in here])
                about = [(batch.record(wired.name, kind.name, one.kept[side].id), "", one.shown[side]) for one in here]
                matching.fetch(batch, wired, kind, about)
        for one in weighed:
            _write_one(batch, one, done)
        batch.flush()
        for wired in pairing.sides:
            for kind in wired.kinds.values():
                plant.kept.keep(connection, {**kind.mapping.artifacts, **wired.described[1]}, batch.now)


def _rows(batch: Batch, one: Weighed) -> list[Held | None]:
    """The ledger's rows of the two records, where it has them."""
    return [batch.record(wired.name, kept.kind, kept.id) for wired, kept in zip(one.wired, one.kept, strict=True)]


def _write_one(batch: Batch, one: Weighed, done: Written) -> None:
    first = one.kept[0]
    held = _rows(batch, one)
    owners = {row.referral_id for row in held if row is not None and row.referral_id}
    if len(owners) > 1 or all(row is not None and row.referral_id for row in held):
        done.not_done.append((first.id, "the ledger has taken both in since they were read"))
        return
    if owners:
        _join(batch, one, held, owners.pop())
        done.paired += 1
        return
    try:
        person = matching.person_for(batch, _values(one), _doubtful(batch.council, one))
    except Several as several:
        done.not_done.append((first.id, several.words))
        return
    except Refused as refused:
        path, expected = refused.problems[0]
        done.not_done.append((first.id, f"{path}: {expected}"))
        return
    referral = revisions.begin(
        batch, person=person, born_in=one.wired[0].name, number=first.id, shown=_given_by(one, one.wired[0].name)
    )
    taken = {name: known for name, known in one.facts().items() if known[1] != one.wired[0].name}
    number = fact_store.target_field(one.wired[1].name)
    revisions.adopt(batch, referral, {**taken, number: (one.kept[1].id, revisions.OURSELVES)})
    versions = [_enter(batch, one, side, referral) for side in (0, 1)]
    for side in (0, 1):
        matching.expect(batch, one.wired[side], one.kinds[side], one.shown[side], referral.id)
    done.paired += 1
    for side in (0, 1):
        fields = one.to_send(side)
        if fields:
            before = len(batch.deliveries_of(referral.id))
            revisions.correct(batch, referral, target=one.wired[side].name, version=versions[side])
            done.sends += len(batch.deliveries_of(referral.id)) - before
            _conflicts(batch, one, side, fields, referral, versions[side])


def _enter(batch: Batch, one: Weighed, side: int, referral: Held) -> Held:
    """Enter one record with what its system shows as its base, and the version that was read."""
    wired, kind, kept = one.wired[side], one.kinds[side], one.kept[side]
    item = kept.item
    modified = to_time(item.modified) if item.modified else None
    content = batch.vault.hash(batch.council.code, item.raw)
    row = batch.record(wired.name, kind.name, kept.id) or batch.new_record(wired.name, kind.name, kept.id)
    row.set(
        base={name: [mark, None] for name, mark in one.marks[side].items()},
        content=content,
        version=item.version,
        modified=modified,
    )
    batch.link_record(row, referral.id)
    return batch.new_version(
        connection=wired.name,
        kind=kind.name,
        external_id=kept.id,
        record_id=row,
        referral_id=referral.id,
        raw=batch.seal("raw", item.raw, referral.person_id),
        content=content,
        version=item.version,
        our_key=item.our_key,
        modified=modified,
        mapping=kind.mapping.digest,
        profile=wired.described[0],
        revision=referral.revision,
        purpose=PURPOSE,
        state=VersionState.MERGED,
    )


def _join(batch: Batch, one: Weighed, held: Sequence[Held | None], owner: str) -> None:
    """The ledger knows one of the two: the other's number is entered, and its next reading is merged as any."""
    for wired, kind, kept, row in zip(one.wired, one.kinds, one.kept, held, strict=True):
        if row is None or not row.referral_id:
            row = row if row is not None else batch.new_record(wired.name, kind.name, kept.id)
            batch.link_record(row, owner)


def _values(one: Weighed) -> dict[str, Any]:
    return {name: value for name, (value, _) in one.facts().items()}


def _given_by(one: Weighed, connection: str) -> dict[str, Any]:
    return {name: value for name, (value, by) in one.facts().items() if by == connection}


def _doubtful(council: Council, one: Weighed) -> frozenset[str]:
    """Fields that identify nobody. Raises Refused."""
    found = identifiers.doubtful(council, one.wired[0].name, one.kept[0].id, _values(one))
    if isinstance(found, Refused):
        raise found
    return found


def _conflicts(batch: Batch, one: Weighed, side: int, fields: Sequence[str], referral: Held, version: Held) -> None:
    """Keep what a system showed and is about to lose."""
    lost = [
        Lost(
            name,
            one.wired[1 - side].name,
            one.wired[side].name,
            one.marks[side][name],
            WHY_SAFEGUARDING if group_of(name) in SAFEGUARDING else "",
        )
        for name in fields
        if one.marks[side].get(name) and one.shown[side].get(name) is not None and group_of(name) not in OURS
    ]
    conflicts.keep(batch, referral, lost, [], version=version)


# --- Going live -------------------------------------------------------------------------------------------------------


def unmatched(plant: Plant) -> Iterator[tuple[Council, Route]]:
    """The routes whose two systems have neither been matched nor declared to need none."""
    with plant.ledger.reading() as connection:
        done = matched_pairs(connection)
    for council in plant.councils.values():
        for route in council.routes:
            if needs_matching(route) and (council.code, *_pair_of(route.source, route.target)) not in done:
                yield council, route


def hold_back(plant: Plant) -> list[str]:
    """In stage live: leave out the councils that have such a route, and say why. They are as if their files were
    faulty; nobody else waits for them."""
    if plant.stage != "live":
        return []
    told: dict[str, str] = {}
    for council, route in unmatched(plant):
        told.setdefault(
            council.code,
            f"{council.code} cannot go live: the cases that {route.source} and {route.target} both hold have not been "
            f"paired (route {route.name}). Run: dolen match {council.code}/{route.source} {council.code}/{route.target}"
            " - or, where one of them begins empty, write `first_day: nothing-to-match` at the route",
        )
    plant.councils = {code: council for code, council in plant.councils.items() if code not in told}
    return list(told.values())


def check(site: Site, environment: Mapping[str, str] | None = None) -> Iterator[Finding]:
    """The same for `dolen check`: the ledger is looked into if it is there, and never made."""
    if site.settings.stage != "live":
        return
    done = _look_into(site, environment)
    for council in site.councils.values():
        for position, route in enumerate(council.settings.routes):
            nothing_to_match = route.first_day == "nothing-to-match" or route.mode == "shadow"
            if route.carries != "state" or route.text or nothing_to_match:
                continue
            if done is None or (council.code, *_pair_of(route.from_, route.to)) not in done:
                yield council.document.finding(
                    ("routes", position),
                    found="two systems whose cases have not been paired"
                    if done is not None
                    else "two systems, and a ledger that cannot be asked whether their cases have been paired",
                    expected="that what both hold is known before the first day, because the stage is live",
                    remedy=f"run `dolen match {council.code}/{route.from_} {council.code}/{route.to}`, or write "
                    "`first_day: nothing-to-match` here where one of them begins empty",
                    severity=Severity.WARNING if done is None else Severity.ERROR,
                )


def _look_into(site: Site, environment: Mapping[str, str] | None) -> set[tuple[str, str, str]] | None:
    """What the ledger says has been matched; None if it cannot be asked."""
    try:
        url = make_url(site.ledger_url(environment))
        if url.get_backend_name() != "sqlite":
            engine = open_engine(url.render_as_string(hide_password=False), setting="ledger.url", fault=LedgerFault)
        elif not url.database or not Path(url.database).is_file():
            return set()
        else:
            address = f"{Path(url.database).resolve().as_uri()}?mode=ro"
            engine = create_engine(
                "sqlite://", creator=lambda: sqlite3.connect(address, uri=True), hide_parameters=True
            )
    except (ValueError, LedgerFault, ArgumentError):
        return None
    try:
        with engine.connect() as connection:
            made = inspect(connection).has_table(first_day.name)  # no process has run on it yet, else
            return matched_pairs(connection) if made else set()
    except SQLAlchemyError:
        return None
    finally:
        engine.dispose()


def matched_pairs(connection: Connection) -> set[tuple[str, str, str]]:
    """(council, connection, connection) of those that have been matched, the connections in alphabetical order."""
    return {(row.council, row.one, row.other) for row in connection.execute(select(first_day))}


def is_paired(connection: Connection, council: str, route: Route) -> bool:
    """Whether the cases of a route's two systems have been paired."""
    return (council, *_pair_of(route.source, route.target)) in matched_pairs(connection)


def needs_matching(route: Route) -> bool:
    """Whether both ends of a route may hold the same cases before Dolen's first day. In shadow it may wait: nothing can
    be made twice."""
    return route.carries == "state" and not route.text and not route.nothing_to_match and not route.shadow


def _pair_of(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one <= other else (other, one)
