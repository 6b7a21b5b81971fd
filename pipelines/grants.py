"""Restricted referrals: who was given one, who opened one unasked, and what the review of that found.

A grant is for one person, one referral and a while. Data protection gives it, to somebody else; in an emergency an
operator takes it (break-glass), acts at once, and data protection must review that afterwards. Each step is audited,
and every reason is sealed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, select, update

from pipelines import audit
from pipelines.clock import SECOND
from pipelines.ids import number_of
from pipelines.logs import warn
from pipelines.looking import find_referral
from pipelines.plant import Plant
from pipelines.rights import Officer, Right
from pipelines.sight import EVERYTHING, NoSuch, NotAllowed, NotPossible
from pipelines.tables import sight_grant

LONGEST = timedelta(days=90)
GIVEN, TAKEN = "given", "taken"


@dataclass(frozen=True, slots=True)
class Grant:
    """One grant, as data protection is shown it: ids and names of officers, never the referral's person."""

    id: str  # g3
    council: str
    referral: str
    whom: str
    how: str  # given, taken
    by: str
    at: int
    until: int
    ended: int | None
    reviewed: int | None
    reviewed_by: str

    @property
    def waits_for_review(self) -> bool:
        """Whether it was taken, and nobody has said what they think of that."""
        return self.how == TAKEN and self.reviewed is None

    @property
    def ends(self) -> int:
        """When it ends, or ended."""
        return self.until if self.ended is None else min(self.ended, self.until)

    def holds(self, now: int) -> bool:
        """Whether it lets its officer see the referral at this moment."""
        return self.ended is None and self.until > now


def identity_of(words: str) -> str:
    """An officer as somebody types them: a sign-in name, or `account aevans` for the command line. Raises
    NotPossible."""
    kind, _, name = words.strip().partition(" ")
    if kind in ("account", "name", "token") and name.strip():
        return f"{kind} {name.strip().casefold() if kind == 'name' else name.strip()}"
    if not words.strip() or " " in words.strip() or len(words) > 200:
        raise NotPossible("name one officer: the name that they sign in with, or `account` and their account's name")
    return f"name {words.strip().casefold()}"


def give(plant: Plant, reference: str, whom: str, *, lasts: timedelta, why: str) -> str:
    """Let one officer see one restricted referral for a while; returns the grant's id. Raises NotPossible,
    NotAllowed."""
    giver = _officer(plant)
    row = _restricted(plant, reference, Right.PROTECT)
    identity = identity_of(whom)
    if identity == giver.key:
        raise NotAllowed("you cannot give yourself sight of a restricted referral: another officer has to")
    if not timedelta(0) < lasts <= LONGEST:
        raise NotPossible(f"a grant lasts {LONGEST.days} days at most")
    return _write(plant, row, whom=identity, how=GIVEN, lasts=lasts, why=why, giver=giver)


def take(plant: Plant, reference: str, *, why: str) -> str:
    """Break-glass: open a restricted referral now, for as long as the site's settings say; returns the grant's id.

    Whoever sees it already is told so. Raises NotPossible, NotAllowed.
    """
    taker = _officer(plant)
    row = _restricted(plant, reference, Right.SEND)
    if row.id in plant.sight.granted:
        raise NotPossible("you may see this referral already")
    made = _write(plant, row, whom=taker.key, how=TAKEN, lasts=plant.roles.break_glass, why=why, giver=taker)
    warn("break_glass", council=row.council, referral=row.id)
    return made


def listed(plant: Plant, *, unreviewed: bool = False) -> list[Grant]:
    """The grants of the councils for which this officer protects data, the newest first. `unreviewed`: those that were
    taken and nobody has reviewed. Raises NotAllowed."""
    codes = _protected(plant)
    where: list[ColumnElement[bool]] = [sight_grant.c.council.in_(codes)]
    if unreviewed:
        where += [sight_grant.c.how == TAKEN, sight_grant.c.reviewed.is_(None)]
    with plant.ledger.reading() as connection:
        rows = connection.execute(select(sight_grant).where(*where).order_by(sight_grant.c.id.desc())).all()
    return [_grant(row) for row in rows]


def one(plant: Plant, id: str) -> Grant:
    """One grant, for data protection. Raises NoSuch, NotAllowed."""
    with plant.ledger.reading() as connection:
        return _grant(_one(connection, plant, id))


def mine(plant: Plant) -> list[Grant]:
    """What this officer may see of what is restricted, at this moment; what ends first comes first. Raises
    NotAllowed."""
    of = (sight_grant.c.whom == _officer(plant).key, sight_grant.c.council.in_(list(plant.councils)))
    holds = (sight_grant.c.until > plant.clock.now(), sight_grant.c.ended.is_(None))
    with plant.ledger.reading() as connection:
        rows = connection.execute(select(sight_grant).where(*of, *holds).order_by(sight_grant.c.until)).all()
    return [_grant(row) for row in rows]


def _grant(row: Any) -> Grant:
    return Grant(
        f"g{row.id}", row.council, row.referral_id, row.whom, row.how, row.by, row.at, row.until, row.ended,
        row.reviewed, row.reviewed_by,
    )  # fmt: skip


def reason(plant: Plant, id: str) -> str:
    """Why a grant was given or taken, for whoever reviews it. Raises NotPossible, NotAllowed, PayloadGone."""
    with plant.ledger.reading() as connection:
        row = _one(connection, plant, id)
        return plant.vault.get(connection, row.council, row.why).decode() if row.why else ""


def end(plant: Plant, id: str, *, why: str) -> str:
    """End a grant now; returns what was done in a sentence. Raises NotPossible, NotAllowed."""
    officer, now = _officer(plant), plant.clock.now()
    with plant.ledger.writing(making_room=True) as connection:
        row = _one(connection, plant, id)
        if row.ended is not None or row.until <= now:
            raise NotPossible(f"g{row.id} is over already")
        connection.execute(update(sight_grant).where(sight_grant.c.id == row.id).values(ended=now))
        _tell(connection, plant, row, officer, "sight ended", why, now)
    return f"g{row.id} is over: {row.whom} no longer sees that referral by it"


def review(plant: Plant, id: str, *, finding: str) -> str:
    """Note what the review of a break-glass found; returns what was done in a sentence. Raises NotPossible,
    NotAllowed."""
    officer, now = _officer(plant), plant.clock.now()
    with plant.ledger.writing(making_room=True) as connection:
        row = _one(connection, plant, id)
        if row.how != TAKEN or row.reviewed is not None:
            raise NotPossible(f"g{row.id} waits for no review")
        if row.whom == officer.key:
            raise NotAllowed("you cannot review what you opened yourself: another officer has to")
        found = plant.vault.put(connection, row.council, "why", finding.encode(), now)
        connection.execute(
            update(sight_grant)
            .where(sight_grant.c.id == row.id)
            .values(reviewed=now, reviewed_by=officer.who, finding=found)
        )
        _tell(connection, plant, row, officer, "break-glass reviewed", finding, now)
    return f"g{row.id} is reviewed"


def _officer(plant: Plant) -> Officer:
    officer = plant.sight.officer
    if officer is None:
        raise NotAllowed("grants are between officers, and nobody is named here")
    return officer


def _protected(plant: Plant) -> list[str]:
    codes = list(_officer(plant).councils(Right.PROTECT))
    if not codes:
        raise NotAllowed("you may not do this: it takes the role data-protection")
    return [code for code in codes if code in plant.councils]


def _one(connection: Connection, plant: Plant, id: str) -> Any:
    number = number_of(id, "g")
    row = None
    if number is not None:
        row = connection.execute(
            select(sight_grant).where(sight_grant.c.id == number, sight_grant.c.council.in_(_protected(plant)))
        ).first()
    if row is None:
        raise NoSuch(f"there is no grant {id}; ids look like g3")
    return row


def _restricted(plant: Plant, reference: str, right: Right) -> Any:
    """The one restricted referral that a reference names, among the councils for which the officer has the right."""
    officer = _officer(plant)
    codes = {code: one for code, one in plant.councils.items() if officer.may(right, code)}
    if not codes:
        plant.sight.need(right, next(iter(plant.councils), "any council"))
    found = find_referral(replace(plant, councils=codes, sight=EVERYTHING), reference)
    if not found:
        raise NoSuch("there is no referral of that reference; see `dolen trace`")
    if len(found) > 1:
        raise NotPossible("several referrals have that number; name one by our own id or the resident's reference")
    if not found[0].restricted:
        raise NotPossible("that referral is not restricted: everybody who works for that council's desk may see it")
    return found[0]


def _write(
    plant: Plant, row: Any, *, whom: str, how: str, lasts: timedelta, why: str, giver: Officer
) -> str:
    now = plant.clock.now()
    with plant.ledger.writing(making_room=True) as connection:
        made = connection.execute(
            sight_grant.insert().values(
                council=row.council,
                referral_id=row.id,
                whom=whom,
                how=how,
                by=giver.who,
                why=plant.vault.put(connection, row.council, "why", why.encode(), now),
                at=now,
                until=now + int(lasts.total_seconds()) * SECOND,
            )
        ).inserted_primary_key
        assert made is not None
        action = "sight given" if how == GIVEN else "break-glass"
        audit.write(
            connection, plant.vault, council=row.council, who=giver.who, action=action, subject=f"referral {row.id}",
            why=why, now=now, detail={"grant": f"g{made[0]}", "whom": whom},
        )  # fmt: skip
    return f"g{made[0]}"


def _tell(connection: Connection, plant: Plant, row: Any, officer: Officer, action: str, why: str, now: int) -> None:
    audit.write(
        connection, plant.vault, council=row.council, who=officer.who, action=action,
        subject=f"referral {row.referral_id}", why=why, now=now, detail={"grant": f"g{row.id}"},
    )  # fmt: skip
