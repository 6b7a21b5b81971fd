"""Purging: letting go, by rule, of what has been kept long enough, with a certificate of what went.

Each council's referrals are walked through in small pieces, each a transaction of its own, so that live work waits for
none of them. What is open is never touched; where the site says that unattended things expire at all, people were told
before (`pipelines.unattended`). A purge that is killed goes on in the next one, under the same certificate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError

from pipelines import audit, certificates, crash, expiring, retained, unattended
from pipelines.closure import CLASSES, Standing, due_class, micros, standings, walk
from pipelines.emptying import destroy_doomed, empty, hash_of
from pipelines.expiring import Gone
from pipelines.freed import forget_freed
from pipelines.logs import warn
from pipelines.plant import Council, Plant
from pipelines.states import VersionState
from pipelines.tables import audit as audit_table
from pipelines.tables import payload, referral, unread_page, version

#: Referrals in one transaction.
AT_ONCE = 100
#: Who purges where nobody asked for it.
RULE = "retention"


@dataclass(slots=True)
class Purged:
    """What a purge of one council let go of, or would."""

    council: str
    counts: dict[str, int] = field(default_factory=dict)
    referrals: dict[str, int] = field(default_factory=dict)  # class -> of how many referrals
    certificate: str = ""  # "" where nothing went
    warned: int = 0  # unattended referrals that people were told of
    expired: int = 0


def purge(
    plant: Plant,
    *,
    who: str = RULE,
    dry_run: bool = False,
    tell: Callable[[str, int], None] = lambda _what, _count: None,
) -> list[Purged]:
    """Let go of what is due in every council; `dry_run`: only count it. Raises nothing that is one referral's."""
    done = [_Council(plant, council, who, tell).purge(dry_run=dry_run) for council in plant.councils.values()]
    if not dry_run:
        destroy_doomed(plant)
        certificates.keep_files(plant)
        forget_freed(plant.ledger.engine, ("payload", "record", "version", "delivery", "attempt", "doomed"))
        plant.keys.forget_freed()
        retained.measure(plant)
    return done


class _Council:
    """The purge of one council."""

    def __init__(self, plant: Plant, council: Council, who: str, tell: Callable[[str, int], None]) -> None:
        self._plant, self._council, self._who, self._tell = plant, council, who, tell
        self._kept = council.retention
        self._now = plant.clock.now()
        self._done = Purged(council.code)

    def purge(self, *, dry_run: bool) -> Purged:
        if not dry_run:
            self._done.warned, self._done.expired = unattended.look(self._plant, self._council)
        after, seen = "", 0
        while True:
            with self._plant.ledger.reading() as connection:
                rows = walk(connection, self._council.code, after, AT_ONCE)
                found = standings(connection, self._kept, rows, self._now)
            if not rows:
                break
            after, seen = rows[-1].id, seen + len(rows)
            due = [(one, due_class(one, self._kept, self._now)) for one in found]
            due = [(one, level) for one, level in due if (level and _news(one, level)) or self._by_route(one)]
            if due and dry_run:
                self._count(due)
            elif due:
                self._these([one.row.id for one, _ in due])
            self._tell(f"{self._council.code}: referrals looked at", seen)
        if not dry_run:
            while self._let_go([]):
                pass
            self._close()
        return self._done

    def _by_route(self, one: Standing) -> list[str]:
        """The routes whose own time is shorter than the council's, and over, since the last purge of this one."""
        if one.closed is None:
            return []
        last = one.row.gone_at or 0
        over = []
        for route in self._council.routes:
            if route.retention is not None and route.retention < self._kept.payloads:
                when = one.closed + micros(route.retention)
                if last < when <= self._now or (when <= self._now and one.last > last):
                    over.append(route.name)
        return over

    def _count(self, due: list[tuple[Standing, int]]) -> None:
        for one, level in due:
            for name in CLASSES[one.row.gone : level]:
                self._done.referrals[name] = self._done.referrals.get(name, 0) + 1

    def _these(self, ids: list[str]) -> None:
        """Let go of these together; where the database refuses, each alone, and one that it refuses still stays."""
        try:
            self._let_go(ids)
        except IntegrityError:
            for id in ids:
                try:
                    self._let_go([id])
                except IntegrityError:  # something else names it yet: told, and tried again the next time
                    warn("purge_left", council=self._council.code, referral=id)

    def _let_go(self, ids: list[str]) -> bool:
        """One transaction: of these referrals, or of what belongs to none; return whether anything went."""
        gone = Gone()
        with self._plant.ledger.writing(making_room=True) as connection:
            if ids:
                self._referrals(connection, ids, gone)
            else:
                self._loose(connection, gone)
            if not gone.counts:
                return False
            id, body = certificates.opened(connection, self._council.code, self._now, self._rule())
            for name, count in gone.counts.items():
                body["counts"][name] = body["counts"].get(name, 0) + count
                self._done.counts[name] = self._done.counts.get(name, 0) + count
            body["ids"] += len(gone.ids)
            body["ids_hash"] = hash_of(body["ids_hash"], gone.ids)
            certificates.fill(connection, id, body)
        crash.here("emptied")
        return True

    def _referrals(self, connection: Connection, ids: list[str], gone: Gone) -> None:
        code = self._council.code
        # Looked at again with their rows locked: something may have come for one of them since.
        locked = select(referral).where(referral.c.id.in_(ids), referral.c.council == code).with_for_update()
        found = standings(connection, self._kept, connection.execute(locked).all(), self._now)
        due = [(one, due_class(one, self._kept, self._now)) for one in found]
        for one, _ in due:
            if routes := self._by_route(one):
                expiring.payloads(connection, code, [one.row.id], gone, routes)
        level = {name: at for at, name in enumerate(CLASSES, start=1)}
        for name in CLASSES:
            theirs, people = expiring.by_class(due, level[name])
            if not theirs:
                continue
            self._done.referrals[name] = self._done.referrals.get(name, 0) + len(theirs)
            if name == "raw":
                expiring.raw(connection, code, theirs, people, gone)
            elif name == "payloads":
                expiring.payloads(connection, code, theirs, gone)
            elif name == "hashes":
                expiring.hashes(connection, code, theirs, people, gone)
            else:
                expiring.rows(connection, self._council, theirs, people, gone)
        for one, reached in due:
            mark = update(referral).where(referral.c.id == one.row.id)
            connection.execute(mark.values(gone=reached, gone_at=self._now))

    def _loose(self, connection: Connection, gone: Gone) -> None:
        """What belongs to no referral: versions that came to nothing, pages that could not be read, reasons."""
        code, before = self._council.code, self._now - micros(self._kept.raw)
        ended = [state for state in VersionState if state not in (VersionState.ATTENTION, VersionState.WAITING)]
        held = payload.c.body.is_not(None)
        for column, where in (
            (version.c.raw, (version.c.council == code, version.c.referral_id.is_(None), version.c.state.in_(ended),
                             version.c.at < before)),
            (unread_page.c.raw, (unread_page.c.council == code, unread_page.c.at < before)),
            (audit_table.c.why, (audit_table.c.council == code,
                                 audit_table.c.at < self._now - micros(self._kept.audit))),
        ):  # fmt: skip
            wanted = select(column).join(payload, payload.c.id == column).where(held, *where).limit(AT_ONCE)
            gone.payloads(empty(connection, code, list(connection.execute(wanted).scalars())))

    def _rule(self) -> dict[str, Any]:
        """How a certificate begins: the rule, and what is older than which instant."""
        times = {name: getattr(self._kept, name) for name in (*CLASSES, "audit")}
        return {
            "rule": {name: f"P{time.days}D" for name, time in times.items()},
            "cut_off": {name: self._now - micros(time) for name, time in times.items()},
            "counted_from": "closure",
            "counts": {},
            "ids": 0,
            "ids_hash": "",
        }

    def _close(self) -> None:
        code = self._council.code
        with self._plant.ledger.writing(making_room=True) as connection:
            id, body = certificates.opened(connection, code, self._now, self._rule())
            if not body["counts"]:
                certificates.drop(connection, id)
                return
            audit.write(
                connection, self._plant.vault, council=code, who=self._who, action="purge", subject=f"certificate {id}",
                why="", now=self._now, detail={"counts": body["counts"], "ids_hash": body["ids_hash"]},
            )  # fmt: skip
            certificates.sign(connection, self._plant.vault, id, body)
        self._done.certificate = id


def _news(one: Standing, level: int) -> bool:
    """Whether something is there to go: a class that has not gone, or something that came since it went."""
    return level > one.row.gone or one.last > (one.row.gone_at or 0)
