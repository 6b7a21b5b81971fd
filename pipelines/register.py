"""The register of preferences: what people told us about being told, and what no source has a field for.

Under the keyed hash of a number or address stand an opt-out, a language and that the number is wrong; under that of a
person or a referrer stand the fields that a council keeps here because no system of its has them. Values are sealed as
every payload is. What stands here counts at once, whatever the systems say until they were told.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from pipelines.clock import to_instant
from pipelines.plant import Council
from pipelines.tables import news, preference
from pipelines.texts import Known, Preference
from pipelines.vault import PayloadGone, Vault

#: Which fields may be kept here, by what the council's file calls them; each by whom it is about.
PLACES: Mapping[str, tuple[str, ...]] = {
    "opt_in": (
        "notify.opt_in[channel=text].opted_in",
        "notify.opt_in[channel=email].opted_in",
        "notify.opt_in[channel=letter].opted_in",
    ),
    "language": ("language.correspondence",),
    "safe_number": (
        "person.telecom[system=phone,use=mobile].value",
        "person.telecom[system=phone,use=mobile].safe_to_text",
    ),
    "referrer": (
        "referrer.wants_updates",
        "referrer.person_agrees",
        "referrer.agreement_waiver.by",
        "referrer.agreement_waiver.reason",
        "referrer.agreement_waiver.at",
        "referrer.language",
        "referrer.telecom[system=phone,use=mobile].safe_to_text",
    ),
}
REGISTER = "register"
#: What a system says that has nothing to say.
_UNTOLD = (None, "not-asked")
OPTED_OUT, WRONG, LANGUAGE = "opted_out", "wrong", "language"


def normal(to: str) -> str:
    """A number or address written so that two spellings of the same one are equal."""
    bare = re.sub(r"[\s().-]", "", to)
    if "@" in to or not re.fullmatch(r"\+?[0-9]+", bare):
        return re.sub(r"\s+", "", to).casefold()
    bare = "+" + bare[2:] if bare.startswith("00") else bare
    if bare.startswith("+"):
        return bare
    return "+44" + bare[1:] if bare.startswith("0") else f"+{bare}"


def whom(vault: Vault, council: str, to: str) -> str:
    """The keyed hash under which a number or address stands."""
    return vault.hash_value(council, "text recipient", normal(to))


def about(vault: Vault, council: str, person: str) -> str:
    """The keyed hash under which a person of ours stands."""
    return vault.hash_value(council, "preferences of", person)


def about_referrer(vault: Vault, council: str, referral: str) -> str:
    """The keyed hash under which whoever made one referral stands: another one may be made by somebody else."""
    return vault.hash_value(council, "preferences of the referrer of", referral)


def known(connection: Connection, vault: Vault, council: str) -> Known:
    """What stands in the register of a number or address, asked within one reading."""

    def of(to: str) -> Preference:
        mark = whom(vault, council, to)
        held = values(connection, vault, council, mark)
        out = held.get(OPTED_OUT) is True
        left = _since(connection, council, mark, OPTED_OUT) if out else ""
        return Preference(out, held.get(WRONG) is True, str(held.get(LANGUAGE) or ""), left)

    return of


def _since(connection: Connection, council: str, mark: str, name: str) -> str:
    where = (preference.c.council == council, preference.c.whom == mark, preference.c.name == name)
    at = connection.execute(select(preference.c.at).where(*where)).scalar_one()
    return to_instant(at).strftime("%Y-%m-%dT%H:%M:%SZ")


def values(connection: Connection, vault: Vault, council: str, mark: str) -> dict[str, Any]:
    """Everything that stands under one hash. What has expired or was erased is not there."""
    rows = connection.execute(
        select(preference.c.name, preference.c.value).where(preference.c.council == council, preference.c.whom == mark)
    ).all()
    held = {}
    for row in rows:
        try:
            held[row.name] = vault.get_json(connection, council, row.value)
        except PayloadGone:
            continue
    return held


def laid_over(
    connection: Connection, vault: Vault, council: Council, person: str, referral: str, facts: Mapping[str, Any]
) -> Mapping[str, Any]:
    """A referral's facts, and what we keep ourselves of those that no system told, where the council's file says so.
    What a system says goes before it, so that a wish that was withdrawn there is not brought back from here."""
    kept = [path for what, place in council.preferences.items() if place == REGISTER for path in PLACES[what]]
    if not kept:
        return facts
    held = values(connection, vault, council.code, about(vault, council.code, person))
    held |= values(connection, vault, council.code, about_referrer(vault, council.code, referral))
    return {**facts, **{name: held[name] for name in kept if name in held and facts.get(name) in _UNTOLD}}


def write(
    connection: Connection, vault: Vault, council: str, mark: str, name: str, value: Any, *, by: str, now: int
) -> None:
    """Write one preference down, in place of what stood there; None takes it away."""
    where = (preference.c.council == council, preference.c.whom == mark, preference.c.name == name)
    connection.execute(delete(preference).where(*where))
    if value is not None:
        sealed = vault.put_json(connection, council, "preference", value, now)
        row = {"council": council, "whom": mark, "name": name, "value": sealed, "by": by, "at": now}
        connection.execute(insert(preference).values(**row))


def lift(connection: Connection, council: str, marks: Collection[str], names: Collection[str]) -> int:
    """Let these numbers and addresses be used again, where they opted out or are wrong (`names`); return how many."""
    where = (preference.c.council == council, preference.c.whom.in_(marks), preference.c.name.in_(names))
    lifted = set(connection.execute(select(preference.c.whom).where(*where)).scalars())
    connection.execute(delete(preference).where(*where))
    return len(lifted)


def forget(connection: Connection, vault: Vault, council: str, person: str, referrals: Collection[str]) -> list[str]:
    """Take away what `told_by` lists, and what whoever referred them wished about these referrals; return the payloads
    that held it."""
    referrers = [about_referrer(vault, council, one) for one in referrals]
    marks = [*_marks(connection, vault, council, person, referrals), *referrers]
    where = (preference.c.council == council, preference.c.whom.in_(marks))
    held = list(connection.execute(select(preference.c.value).where(*where)).scalars())
    connection.execute(delete(preference).where(*where))
    return held


def told_by(
    connection: Connection, vault: Vault, council: str, person: str, referrals: Collection[str]
) -> Sequence[Row[Any]]:
    """What stands about a person, and at the numbers where nobody but they were told: rows of name, value (a payload's
    id), by and at. What somebody else at the same number may have said is not theirs, nor what a referrer wished."""
    marks = _marks(connection, vault, council, person, referrals)
    where = (preference.c.council == council, preference.c.whom.in_(marks))
    return connection.execute(select(preference).where(*where).order_by(preference.c.at, preference.c.name)).all()


def _marks(
    connection: Connection, vault: Vault, council: str, person: str, referrals: Collection[str]
) -> list[str]:
    own, others = (
        select(news.c.whom).where(news.c.council == council, where).distinct()
        for where in (news.c.referral_id.in_(referrals), news.c.referral_id.not_in(referrals))
    )
    alone = set(connection.execute(own).scalars())
    shared = connection.execute(others.where(news.c.whom.in_(alone))).scalars() if alone else ()
    return [*(alone - set(shared)), about(vault, council, person)]
