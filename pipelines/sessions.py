"""Who is signed in to the pages: sessions of the ledger's own, and the sign-ins that lead to them.

The browser holds a secret and nothing else; what it stands for is here. Roles are not: they are looked up at each
request, so that one that is taken away is gone at once. Each signing-in makes a session of its own and ends the one
that the browser had, so that nobody can be made to use a session that somebody else knows.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select, update

from pipelines import audit
from pipelines.clock import SECOND
from pipelines.plant import Plant
from pipelines.rights import Officer
from pipelines.secrets_held import hash_of, new_secret, same
from pipelines.tables import session, sign_in_begun, sign_in_link

_SESSION, _BEGUN, _LINK = "session", "sign-in", "link"
#: A session is noted as seen at most so often, so that a page costs no write.
_NOTED_SECONDS = 30
#: Of what ended, rows are kept so long: who was signed in when is told by the audit.
_KEPT_SECONDS = 86_400
BEGUN_SECONDS = 600
LINK_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who proved who they are."""

    who: str
    identity: str
    names: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session lasts."""

    idle: timedelta
    longest: timedelta


def open_session(plant: Plant, person: Person, limits: Limits, *, instead_of: str = "", how: str) -> str:
    """Sign somebody in; returns the secret for the browser. `instead_of`: the secret that it held. `how`, for the
    audit: provider, link."""
    now, secret = plant.clock.now(), new_secret()
    with plant.ledger.writing(making_room=True) as connection:
        _end(connection, instead_of, now)
        connection.execute(delete(session).where(session.c.until < now - _KEPT_SECONDS * SECOND))
        connection.execute(
            session.insert().values(
                hash=hash_of(secret, _SESSION),
                who=person.who,
                identity=person.identity,
                names=list(person.names),
                groups=list(person.groups),
                accounts=list(person.accounts),
                at=now,
                seen=now,
                until=now + _micro(limits.longest),
            )
        )
        for code in sorted(_officer(plant, person).roles):
            _tell(connection, plant, code, person.who, f"sign in by {how}", now)
    return secret


def officer_of(plant: Plant, secret: str, limits: Limits) -> Officer | None:
    """Who holds a secret, with the roles that they have now; None if it is no session or one that is over."""
    if not secret:
        return None
    now, hashed = plant.clock.now(), hash_of(secret, _SESSION)
    with plant.ledger.reading() as connection:
        row = connection.execute(select(session).where(session.c.hash == hashed)).first()
    if row is None or not same(row.hash, hashed) or not is_open(row, limits, now):
        return None
    if now - row.seen > _NOTED_SECONDS * SECOND:
        with plant.ledger.writing(making_room=True) as connection:
            connection.execute(
                update(session).where(session.c.hash == hashed, session.c.ended.is_(None)).values(seen=now)
            )
    return _officer(plant, _person(row))


def is_open(row: Any, limits: Limits, now: int) -> bool:
    """Whether somebody is still signed in by this row."""
    if row.ended is not None or row.until <= now:
        return False
    return bool(row.seen + _micro(limits.idle) > now and row.at + _micro(limits.longest) > now)


def hash_in_ledger(secret: str) -> str:
    """How the ledger keeps what a browser holds, "" for nothing."""
    return hash_of(secret, _SESSION) if secret else ""


def roles_of(plant: Plant, row: Any) -> frozenset[str]:
    """The councils for which whoever is signed in by this row holds a role now."""
    return frozenset(_officer(plant, _person(row)).roles)


def end_session(plant: Plant, secret: str) -> bool:
    """Sign out; returns whether anybody was signed in. What the browser held is worth nothing from now on."""
    now = plant.clock.now()
    with plant.ledger.writing(making_room=True) as connection:
        row = _end(connection, secret, now)
        if row is not None:
            for code in sorted(_officer(plant, _person(row)).roles):
                _tell(connection, plant, code, row.who, "sign out", now)
    return row is not None


def end_all(plant: Plant, identity: str) -> int:
    """End every session of one person; returns how many there were."""
    with plant.ledger.writing(making_room=True) as connection:
        return connection.execute(
            update(session)
            .where(session.c.identity == identity, session.c.ended.is_(None))
            .values(ended=plant.clock.now())
        ).rowcount


def begin(plant: Plant) -> str:
    """Begin a sign-in at a provider; returns the secret that the browser holds until it comes back."""
    now, secret = plant.clock.now(), new_secret()
    with plant.ledger.writing(making_room=True) as connection:
        connection.execute(delete(sign_in_begun).where(sign_in_begun.c.until < now))
        connection.execute(
            sign_in_begun.insert().values(hash=hash_of(secret, _BEGUN), until=now + BEGUN_SECONDS * SECOND)
        )
    return secret


def come_back(plant: Plant, secret: str) -> bool:
    """Whether a sign-in was begun under this secret, and not long ago. It is asked once: then it is gone."""
    now = plant.clock.now()
    gone = delete(sign_in_begun).where(sign_in_begun.c.hash == hash_of(secret, _BEGUN), sign_in_begun.c.until >= now)
    with plant.ledger.writing(making_room=True) as connection:
        return connection.execute(gone).rowcount == 1


def make_link(plant: Plant, account: str, who: str) -> str:
    """Make the secret of a link that signs in whoever started the pages: once, and soon. Older ones are void."""
    now, secret = plant.clock.now(), new_secret()
    with plant.ledger.writing(making_room=True) as connection:
        connection.execute(delete(sign_in_link).where(sign_in_link.c.account == account))
        until = now + LINK_SECONDS * SECOND
        connection.execute(
            sign_in_link.insert().values(hash=hash_of(secret, _LINK), account=account, who=who, until=until)
        )
    return secret


def use_link(plant: Plant, secret: str) -> Person | None:
    """Who came by a link: None if it is none, too old, or used. Of two who use it at once, one comes in."""
    now, hashed = plant.clock.now(), hash_of(secret, _LINK)
    with plant.ledger.writing(making_room=True) as connection:
        row = connection.execute(select(sign_in_link).where(sign_in_link.c.hash == hashed)).first()
        taken = connection.execute(delete(sign_in_link).where(sign_in_link.c.hash == hashed)).rowcount
    if row is None or not taken or not same(row.hash, hashed) or row.until < now:
        return None
    return Person(row.who, f"account {row.account}", accounts=(row.account,))


def _officer(plant: Plant, person: Person) -> Officer:
    # The link is shown to whoever starts the process, so they are who owns the site's files or somebody with a role.
    ours = bool(person.accounts) and plant.roles.owned_by_us()
    return plant.roles.officer(
        person.who,
        plant.councils,
        identity=person.identity,
        names=person.names,
        groups=person.groups,
        accounts=person.accounts,
        owner=ours,
    )


def _person(row: Any) -> Person:
    return Person(row.who, row.identity, tuple(row.names), tuple(row.groups), tuple(row.accounts))


def _end(connection: Any, secret: str, now: int) -> Any:
    """End the session of a secret; returns its row, None if there was none."""
    if not secret:
        return None
    found = session.c.hash == hash_of(secret, _SESSION), session.c.ended.is_(None)
    row = connection.execute(select(session).where(*found)).first()
    connection.execute(update(session).where(*found).values(ended=now))
    return row


def _tell(connection: Any, plant: Plant, council: str, who: str, action: str, now: int) -> None:
    audit.write(
        connection, plant.vault, council=council, who=who, action=action, subject="pages", why="", now=now
    )


def _micro(length: timedelta) -> int:
    return int(length.total_seconds() * SECOND)


def names_worth_keeping(plant: Plant, names: Collection[str], groups: Collection[str]) -> tuple[list[str], list[str]]:
    """Of all that a provider tells of somebody, what a role of this site looks at: the rest is not ours to keep."""
    by_name = frozenset[str]().union(*(one.names for one in plant.roles.holdings))
    by_group = frozenset[str]().union(*(one.groups for one in plant.roles.holdings))
    return [name for name in names if name.casefold() in by_name], [group for group in groups if group in by_group]
