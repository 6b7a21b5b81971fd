"""What an officer sees: their own councils, and of restricted referrals those that were granted. Held as an attacker
of another council would try it, over every list, count, search, story, preview and command of the desk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from pipelines import (
    alert_looks,
    attention,
    control,
    desk,
    glance,
    grants,
    left_out,
    overview,
    sheets,
    showing,
    story,
    unmapped,
    unmasking,
    worklist,
)
from pipelines.looking import find_referral, seen_of
from pipelines.plant import Plant
from pipelines.rights import BRINGS, Officer, Right, Role
from pipelines.seeing import through, through_or_refuse
from pipelines.sight import NotAllowed, NotPossible
from pipelines.states import DeliveryState
from pipelines.tables import version
from tests.pipelines.pieces import Bench

HIDDEN, OPEN = "C-9", "C-1"


def officer(name: str, *roles: Role, council: str = "torfaen") -> Officer:
    return Officer(name, {council: frozenset(roles)}, f"name {name}")


@dataclass
class Desk:
    """A bench on which one restricted referral and one that is not wait, and eyes to look at them with."""

    bench: Bench

    def eyes(self, name: str = "op", *roles: Role, council: str = "torfaen") -> Plant:
        return through(self.bench.plant, officer(name, *(roles or (Role.OPERATOR,)), council=council))

    def id(self, number: str) -> str:
        (row,) = find_referral(self.bench.plant, number)
        return str(row.id)

    def delivery(self, number: str) -> str:
        return f"d{self.bench.rows('delivery', referral_id=self.id(number))[0].id}"

    def version(self, number: str) -> str:
        return f"v{self.bench.rows('version', external_id=number)[-1].id}"

    def stop(self, number: str) -> None:
        """Have what is to be sent of a referral refused by its target."""
        from pipelines.decision import Decision, Do
        from pipelines.sending import Result

        row = self.bench.rows("delivery", referral_id=self.id(number))[0]
        job = self.bench.job(row.lane)
        refused = Result(job, error="Rejected", words="refused", decision=Decision(Do.ATTENTION, 0))
        assert self.bench.write(refused)


@pytest.fixture(scope="module")
def at(site: Path) -> Iterator[Desk]:
    """One for all tests of this file: each looks with eyes of its own, and what is sent is sent in the last."""
    bench = Bench(site)
    hidden = {"flags__restricted": True, "customer__last_name": "Cudd"}
    bench.take(bench.request(OPEN), bench.request(HIDDEN, **hidden))
    # Its next version cannot be read: it names its record by the number alone, and is hidden all the same.
    bench.take(bench.request(HIDDEN, minute=5, priority="whenever", **hidden))
    desk = Desk(bench)
    for number in (OPEN, HIDDEN):
        desk.stop(number)
    yield desk
    bench.end()


def everything(plant: Plant, at: Desk) -> str:
    """All that the desk shows anybody, as text."""
    told: list[Any] = [
        attention.attention(plant), attention.open_conflicts(plant), left_out.left_out(plant),
        list(unmapped.waiting_for(plant)), unmapped.unmapped(plant),
        worklist.open_deliveries(plant, "torfaen", "casework", list(DeliveryState)),
        [asdict(one) for one in glance.glance(plant, sorted(plant.councils)).links],
    ]  # fmt: skip
    for number in (OPEN, HIDDEN):
        references = (number, at.id(number), at.delivery(number))
        told += [[row.id for row in find_referral(plant, one)] for one in references]
        for id in (at.delivery(number), at.version(number)):
            told.append(said(lambda id=id: showing.show(plant, id)))  # type: ignore[misc]
            if number == HIDDEN and not plant.sight.is_whole:  # where it may be seen, its target would be asked
                told.append(said(lambda id=id: desk.preview(plant, id)))  # type: ignore[misc]
        told.append(said(lambda number=number: story.tell(plant, at.id(number))))  # type: ignore[misc]
    told.append(said(lambda: control.to_replay(plant, [], fingerprint="", route="contact-to-casework")))
    return "\n".join(map(str, told))


def said(ask: Callable[[], Any]) -> str:
    try:
        return str(ask())
    except (NotPossible, LookupError) as fault:
        return type(fault).__name__
    except Exception as fault:  # `one()` of a story finds none
        assert "No row" in str(fault), fault
        return "nothing"


def traces(at: Desk, number: str) -> set[str]:
    ids = {at.id(number), number, f"'{at.delivery(number)}'", f"'{at.version(number)}'"}
    return ids | {f"({at.version(number)[1:]},)", f"id={at.delivery(number)[1:]},"}


def test_a_restricted_referral_is_in_nothing_that_is_shown(at: Desk) -> None:
    shown, whole = everything(at.eyes(), at), everything(at.bench.plant, at)
    assert {one for one in traces(at, HIDDEN) if one in whole} >= {at.id(HIDDEN), HIDDEN}
    assert [one for one in traces(at, HIDDEN) if one in shown] == []
    assert at.id(OPEN) in shown


def test_counts_do_not_tell_of_it_either(at: Desk) -> None:
    seen, whole = overview.look(at.eyes()), overview.look(at.bench.plant)
    assert (whole.referrals, seen.referrals) == (2, 1)
    assert sum(whole.deliveries.values()) - sum(seen.deliveries.values()) >= 1
    assert (whole.versions["needs attention"], seen.versions.get("needs attention", 0)) == (1, 0)
    assert seen.sums_agree
    assert seen.attention < whole.attention
    few, all_ = (glance.glance(plant, ["torfaen"]) for plant in (at.eyes(), at.bench.plant))
    assert sum(one.attention for one in few.links) == 1
    assert sum(one.attention for one in all_.links) == 2
    assert sum(one.total for one in few.flows) == sum(one.total for one in all_.flows) / 2


def test_another_council_reaches_nothing(at: Desk) -> None:
    stranger = at.eyes("bg", Role.OPERATOR, Role.CASE_READER, council="blaenau-gwent")
    shown = everything_but_lists(stranger, at)
    for number in (OPEN, HIDDEN):
        assert [one for one in traces(at, number) if one in shown] == []
    look = overview.look(stranger)
    assert (look.referrals, look.versions, look.deliveries) == (0, {}, {})
    for act in acts(at, stranger, OPEN):
        with pytest.raises(NotPossible):
            act()
    assert attention.attention(stranger, ["torfaen"]) == []  # also where they name it
    assert at.bench.rows("audit", who="bg") == []


def everything_but_lists(plant: Plant, at: Desk) -> str:
    return everything(plant, at).replace("torfaen", "")


def acts(at: Desk, plant: Plant, number: str) -> list[Callable[[], Any]]:
    """Everything that changes or shows one thing by its id."""
    d, v, who = at.delivery(number), at.version(number), "bg"
    return [
        lambda: desk.settle(plant, d, how="by-hand", number="R1", who=who, why="x"),
        lambda: desk.close(plant, d, who=who, why="x"),
        lambda: desk.close(plant, v, who=who, why="x"),
        lambda: sheets.sheet(plant, d, language="both", who=who, why="x"),
        lambda: unmasking.unmask(plant, number, why="x"),
        lambda: showing.show(plant, d),
    ]


def test_nobody_acts_on_what_they_do_not_see(at: Desk) -> None:
    eyes = at.eyes("op", Role.OPERATOR, Role.CASE_READER)
    for act in acts(at, eyes, HIDDEN):
        with pytest.raises(NotPossible):
            act()
    done = desk.replay(eyes, [at.delivery(HIDDEN)], who="op", why="x")
    assert [id for id, _ in done.not_done] == [at.delivery(HIDDEN)]
    assert seen_of(eyes, [at.delivery(HIDDEN), at.delivery(OPEN), at.version(HIDDEN), "d999"]) == {at.delivery(OPEN)}


def test_a_grant_lets_one_officer_see_one_referral_for_a_while(at: Desk) -> None:
    protector = at.eyes("dp", Role.DATA_PROTECTION)
    made = grants.give(protector, HIDDEN, "granted", lasts=timedelta(days=1), why="she is his caseworker")
    assert at.id(HIDDEN) in everything(at.eyes("granted"), at)
    assert at.id(HIDDEN) not in everything(at.eyes("second"), at)
    assert at.id(HIDDEN) not in everything(protector, at)  # whoever gives it does not see it by that
    assert [one.id for one in grants.listed(protector)] == [made]
    assert grants.reason(protector, made) == "she is his caseworker"
    at.bench.clock.pass_by(86_401)
    assert at.id(HIDDEN) not in everything(at.eyes("granted"), at)


def test_a_grant_can_be_ended(at: Desk) -> None:
    protector = at.eyes("ender", Role.DATA_PROTECTION)
    made = grants.give(protector, HIDDEN, "ended", lasts=timedelta(days=1), why="x")
    assert at.eyes("ended").sight.granted
    grants.end(protector, made, why="moved to another team")
    assert not at.eyes("ended").sight.granted
    with pytest.raises(NotPossible, match="over already"):
        grants.end(protector, made, why="again")
    assert [row.action for row in at.bench.rows("audit", who="ender")] == ["sight given", "sight ended"]


@pytest.mark.parametrize(
    ("reference", "whom", "days", "words"),
    [
        (HIDDEN, "dp", 1, "cannot give yourself"),
        (HIDDEN, "two words", 1, "name one officer"),
        (HIDDEN, "op", 91, "90 days at most"),
        (HIDDEN, "op", 0, "90 days at most"),
        (OPEN, "op", 1, "is not restricted"),
        ("C-404", "op", 1, "no referral of that reference"),
    ],
)
def test_what_cannot_be_granted(at: Desk, reference: str, whom: str, days: int, words: str) -> None:
    with pytest.raises(NotPossible, match=words):
        grants.give(at.eyes("dp", Role.DATA_PROTECTION), reference, whom, lasts=timedelta(days=days), why="x")
    assert not [row for row in at.bench.rows("sight_grant") if row.whom == f"name {whom}" and row.by == "dp"]


def test_only_data_protection_gives_and_only_for_its_council(at: Desk) -> None:
    for role in Role:
        if role is not Role.DATA_PROTECTION:
            with pytest.raises(NotAllowed):
                grants.give(at.eyes("x", role), HIDDEN, "op", lasts=timedelta(days=1), why="x")
            with pytest.raises(NotAllowed):
                grants.listed(at.eyes("x", role))
    elsewhere = at.eyes("dp", Role.DATA_PROTECTION, council="blaenau-gwent")
    with pytest.raises(NotPossible, match="no referral of that reference"):
        grants.give(elsewhere, HIDDEN, "op", lasts=timedelta(days=1), why="x")


def test_nobody_reviews_what_they_opened_themselves(at: Desk) -> None:
    made = grants.take(at.eyes("both", Role.OPERATOR, Role.DATA_PROTECTION), HIDDEN, why="x")
    with pytest.raises(NotAllowed, match="another officer"):
        grants.review(at.eyes("both", Role.OPERATOR, Role.DATA_PROTECTION), made, finding="all well")


def test_only_an_operator_breaks_the_glass(at: Desk) -> None:
    for role in Role:
        if Right.SEND not in BRINGS[role]:
            with pytest.raises(NotAllowed):
                grants.take(at.eyes("x", role), HIDDEN, why="x")


def test_a_right_that_nobody_gave_is_told_and_not_what_is_there(at: Desk) -> None:
    with pytest.raises(NotAllowed, match="case-reader"):
        through_or_refuse(at.bench.plant, officer("op", Role.OPERATOR), Right.UNMASK)
    with pytest.raises(NotAllowed, match="case-reader"):
        unmasking.unmask(at.eyes("op"), OPEN, why="x")
    shown = unmasking.unmask(at.eyes("reader", Role.CASE_READER), OPEN, why="the carer rang")
    assert ("person.name.family", "Llŷr") in shown.facts
    assert "Llŷr" not in repr(shown)
    assert [row.subject for row in at.bench.rows("audit", action="unmask")] == [f"referral {at.id(OPEN)}"]


def test_break_glass_opens_at_once_is_told_and_has_to_be_reviewed(at: Desk) -> None:
    made = grants.take(at.eyes("breaker"), HIDDEN, why="a child is in danger tonight")
    eyes = at.eyes("breaker")
    assert at.id(HIDDEN) in everything(eyes, at)
    done = desk.replay(eyes, [at.delivery(HIDDEN)], who="breaker", why="tonight")  # alone, and reviewed afterwards
    assert done.done == [at.delivery(HIDDEN)]
    with pytest.raises(NotPossible, match="may see this referral already"):
        grants.take(eyes, HIDDEN, why="again")
    at.bench.clock.pass_by(3601)
    assert not at.eyes("breaker").sight.granted
    protector = at.eyes("dp", Role.DATA_PROTECTION)
    with at.bench.reading() as connection:
        (told,) = alert_looks.glass(connection, at.bench.plant, None, at.bench.clock.now())  # type: ignore[arg-type]
    assert (told.council, told.urgent) == ("torfaen", True)
    (waiting,) = [one for one in grants.listed(protector, unreviewed=True) if one.id == made]
    assert (waiting.id, waiting.how, waiting.by) == (made, "taken", "breaker")
    grants.review(protector, made, finding="it was right")
    for other in grants.listed(protector, unreviewed=True):
        grants.review(protector, other.id, finding="seen")
    with at.bench.reading() as connection:
        assert list(alert_looks.glass(connection, at.bench.plant, None, 0)) == []  # type: ignore[arg-type]
    assert made not in [one.id for one in grants.listed(protector, unreviewed=True)]
    with pytest.raises(NotPossible, match="waits for no review"):
        grants.review(protector, made, finding="again")
    actions = [row.action for row in at.bench.rows("audit")]
    assert {"break-glass", "break-glass reviewed"} <= set(actions)
    for file in at.bench.folder.rglob("*.db*"):
        assert b"a child is in danger" not in file.read_bytes()


def test_what_names_its_record_by_the_number_alone_is_hidden_with_it(at: Desk) -> None:
    id = at.version(HIDDEN)
    with at.bench.writing() as connection:  # as what could not be read at all is kept
        connection.execute(update(version).where(version.c.id == int(id[1:])).values(record_id=None, referral_id=None))
    assert showing.show(at.bench.plant, id).id == id
    with pytest.raises(NotPossible):
        showing.show(at.eyes("op"), id)
    assert seen_of(at.eyes("op"), [id]) == set()
