"""Several candidates: an officer is shown which referrals a record may belong to, by numbers alone, and chooses one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from pipelines import deciding
from pipelines.candidates import candidates
from pipelines.looking import NotPossible
from pipelines.rights import Officer, Role
from pipelines.seeing import through
from pipelines.tables import referral

pytest_plugins = ("tests.pipelines.pieces",)

CONTACT = "Request: {mapping: contact/request}"
NHS = "9990000018"
WHO = {"who": "ann", "why": "the team says so"}


@pytest.fixture
def torn(bench_with: Callable[..., Any]) -> Any:
    """Torfaen, whose contact centre is matched by NHS numbers, with a request of a person who has two open cases."""
    bench = bench_with((CONTACT, "Request: {mapping: contact/request, match: [person.nhs_number]}"))
    bench.take(*(bench.case(f"88{n}", minute=n, Subject__NHSNumber=NHS) for n in (1, 2)))
    assert bench.states(bench.request("C-1", minute=9, customer__nhs_number=NHS)) == ["needs attention"]
    return bench


def stopped(bench: Any) -> str:
    return f"v{bench.rows('version', state='needs attention')[0].id}"


def owner(bench: Any, number: str) -> str:
    return str(bench.row("record", external_id=number).referral_id)


def test_the_candidates_are_told_by_their_numbers_and_nothing_else(torn: Any) -> None:
    found = candidates(torn.plant, stopped(torn))
    assert [(one.numbers, one.born_in, one.held) for one in found.seen] == [
        ((("casework", "881"),), "casework", ""), ((("casework", "882"),), "casework", ""),
    ]  # fmt: skip
    assert found.hidden == 0 and NHS not in repr(found) and "Llŷr" not in repr(found)


def test_the_one_that_is_chosen_gets_the_record_and_the_audit_says_which(torn: Any) -> None:
    id, chosen = stopped(torn), owner(torn, "882")
    assert deciding.choose(torn.plant, id, chosen, **WHO) == f"{id} is taken: of the referral that was chosen"
    assert owner(torn, "C-1") == chosen != owner(torn, "881")
    assert len(torn.rows("referral")) == 2
    said = torn.row("audit", action="choose referral")
    assert (said.subject, said.detail) == (id, {"referral": chosen})
    with pytest.raises(NotPossible, match="does not wait for anybody"):
        deciding.choose(torn.plant, id, owner(torn, "881"), **WHO)


def test_what_the_record_does_not_name_cannot_be_chosen(torn: Any) -> None:
    torn.take(torn.case("883"))
    with pytest.raises(NotPossible, match=r"it may belong to: .*casework 881.*casework 882"):
        deciding.choose(torn.plant, stopped(torn), owner(torn, "883"), **WHO)
    assert torn.rows("audit", action="choose referral") == []


def test_a_referral_of_which_the_system_holds_a_record_is_not_taken_away_from_it(bench: Any) -> None:
    bench.take(bench.request())
    key = bench.row("referral").id
    assert bench.states(bench.request("C-2", our_key=key)) == ["needs attention"]
    assert [one.held for one in candidates(bench.plant, stopped(bench)).seen] == ["C-1"]
    with pytest.raises(NotPossible, match="holds C-1 of that referral already"):
        deciding.choose(bench.plant, stopped(bench), key, **WHO)


def test_a_restricted_candidate_is_counted_and_not_named(torn: Any) -> None:
    with torn.writing() as connection:
        connection.execute(update(referral).where(referral.c.id == owner(torn, "881")).values(restricted=True))
    eyes = through(torn.plant, Officer("op", {"torfaen": frozenset({Role.OPERATOR})}, "name op"))
    found = candidates(eyes, stopped(torn))
    assert [one.referral for one in found.seen] == [owner(torn, "882")] and found.hidden == 1
    with pytest.raises(NotPossible, match="names no such referral"):
        deciding.choose(eyes, stopped(torn), owner(torn, "881"), **WHO)
