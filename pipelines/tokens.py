"""Tokens by which programs call the interface: made by an administrator, shown once, kept as a hash, for a while.

A token has roles for councils as a person has. It is nobody's eyes: it can neither be a case-reader nor data
protection, so that no program reads a case, and whoever may make tokens cannot make themselves more than they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from pipelines import audit
from pipelines.clock import SECOND
from pipelines.ids import number_of
from pipelines.plant import Plant
from pipelines.rights import Officer, Right, Role
from pipelines.secrets_held import hash_of, new_secret, same
from pipelines.sight import NoSuch, NotPossible
from pipelines.tables import api_token

PREFIX = "dolen_"
#: What a token may be.
ROLES = (Role.VIEWER, Role.OPERATOR, Role.CODE_LIST_OWNER)
LONGEST = timedelta(days=366)
_WHAT = "token"
_NOTED_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Token:
    """One token, as an administrator may see it."""

    id: str  # t3
    name: str
    roles: Mapping[str, tuple[str, ...]]  # council -> roles
    made_by: str
    at: int
    until: int
    last_used: int | None
    revoked: int | None


def add(plant: Plant, name: str, roles: Mapping[str, tuple[Role, ...]], *, lasts: timedelta, why: str) -> str:
    """Make a token; returns it, for this once. Raises NotPossible, NotAllowed."""
    officer = plant.sight.officer
    who, name, now = officer.who if officer else "the site", name.strip(), plant.clock.now()
    if not name or len(name) > 60 or not name.isprintable():
        raise NotPossible("a token needs a name of at most 60 letters, which says what it is for")
    if not roles or not any(roles.values()):
        raise NotPossible("a token needs a role, and a council that it is for")
    if not timedelta(0) < lasts <= LONGEST:
        raise NotPossible(f"a token lasts {LONGEST.days} days at most")
    for council, held in roles.items():
        if council not in plant.councils:
            raise NoSuch(f"the site has no council {council} that you may make tokens for")
        plant.sight.need(Right.ADMINISTER, council)
        if beyond := [role.value for role in held if role not in ROLES]:
            raise NotPossible(f"a token cannot be {' or '.join(beyond)}: {', '.join(ROLES)}")
    secret = new_secret(PREFIX)
    with plant.ledger.writing() as connection:
        if connection.execute(select(api_token.c.id).where(api_token.c.name == name)).first() is not None:
            raise NotPossible(f"there is a token of the name {name}; choose another")
        connection.execute(
            api_token.insert().values(
                name=name,
                hash=hash_of(secret, _WHAT),
                roles={code: [role.value for role in held] for code, held in roles.items()},
                made_by=who,
                at=now,
                until=now + int(lasts.total_seconds()) * SECOND,
            )
        )
        for code in sorted(roles):
            audit.write(
                connection, plant.vault, council=code, who=who, action="token added", subject=f"token {name}", why=why,
                now=now, detail={"roles": [role.value for role in roles[code]]},
            )  # fmt: skip
    return secret


def listed(plant: Plant) -> list[Token]:
    """The tokens for councils that the plant has, the newest first; other councils of theirs are not shown."""
    with plant.ledger.reading() as connection:
        rows = connection.execute(select(api_token).order_by(api_token.c.id.desc())).all()
    return [_shown(plant, row) for row in rows if set(row.roles).intersection(plant.councils)]


def revoke(plant: Plant, id: str, *, why: str) -> str:
    """End a token, by its id (t3) or name; returns what was done in a sentence. Raises NotPossible, NotAllowed."""
    officer, now = plant.sight.officer, plant.clock.now()
    with plant.ledger.writing(making_room=True) as connection:
        number = number_of(id, "t") if id[:1] in "tT" else None
        row = connection.execute(
            select(api_token).where((api_token.c.id == number) | (api_token.c.name == id.strip()))
        ).first()
        if row is None or not set(row.roles).intersection(plant.councils):
            raise NoSuch(f"there is no token {id}; see `dolen token list`")
        for code in row.roles:
            plant.sight.need(Right.ADMINISTER, code)
        if row.revoked is not None:
            raise NotPossible(f"the token {row.name} was revoked before")
        who = officer.who if officer else "the site"
        connection.execute(update(api_token).where(api_token.c.id == row.id).values(revoked=now, revoked_by=who))
        for code in sorted(row.roles):
            audit.write(
                connection, plant.vault, council=code, who=who, action="token revoked", subject=f"token {row.name}",
                why=why, now=now,
            )  # fmt: skip
    return f"the token {row.name} is worth nothing from now on"


def officer_of(plant: Plant, secret: str) -> Officer | None:
    """Who calls with a token; None if it is none, too old or revoked."""
    if not secret.startswith(PREFIX):
        return None
    now, hashed = plant.clock.now(), hash_of(secret, _WHAT)
    with plant.ledger.reading() as connection:
        row = connection.execute(select(api_token).where(api_token.c.hash == hashed)).first()
    if row is None or not same(row.hash, hashed) or row.revoked is not None or row.until <= now:
        return None
    if row.last_used is None or now - row.last_used > _NOTED_SECONDS * SECOND:
        with plant.ledger.writing(making_room=True) as connection:
            connection.execute(update(api_token).where(api_token.c.id == row.id).values(last_used=now))
    roles = {
        code: frozenset(Role(one) for one in held if Role(one) in ROLES)
        for code, held in row.roles.items()
        if code in plant.councils
    }
    return Officer(f"token {row.name}", roles, f"token {row.id}")


def _shown(plant: Plant, row: Any) -> Token:
    roles = {code: tuple(held) for code, held in sorted(row.roles.items()) if code in plant.councils}
    return Token(f"t{row.id}", row.name, roles, row.made_by, row.at, row.until, row.last_used, row.revoked)
