"""The numbers of a new system enter beside the old ones: once, never ambiguously, and what is left out is told."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.port import Item
from pipelines import first_day
from pipelines.intake import Intake
from pipelines.looking import NotPossible
from pipelines.relinking import Relinked, Relinking
from pipelines.states import VersionState
from tests.pipelines.replaced import beside, cases

pytest_plugins = ("tests.pipelines.pieces",)
LIST = "old,new\n880,N-0\n881,N-1\n882,N-2\n"


@pytest.fixture
def both(bench: Any) -> Any:
    """Three cases in the old system, and the new one beside it."""
    beside(bench)
    cases(bench)
    return bench


def run(bench: Any, text: str, *, write: bool = False, old: str = "casework", look: bool = False) -> Relinked:
    wired = bench.council.wired
    relinking = Relinking(bench.plant, wired[old], wired["newcase"], text)
    return relinking.run(write=write, who="A. Swyddog", why="Mae'r system yn newid", look=look)


def numbers(bench: Any, connection: str = "newcase") -> dict[str, str]:
    """Number -> the number in the contact centre of the request that it belongs to."""
    contact = {row.referral_id: row.external_id for row in bench.rows("record", connection="contact")}
    return {
        row.external_id: contact[row.referral_id]
        for row in bench.rows("record", connection=connection)
        if row.referral_id
    }


def test_a_dry_run_tells_and_writes_nothing(both: Any) -> None:
    before = both.rows("record"), both.rows("audit"), both.rows("referral")
    found = run(both, "old;new\n880;N-0\n999;N-9\n")
    assert dict(found.totals) == {"lines": 2, "linked": 1, "unknown": 1, "left": 2}
    assert [(told.line, told.old) for told in found.unknown] == [(3, "999")]
    assert [number for _, number in found.left] == ["881", "882"]
    assert not found.complete
    assert (both.rows("record"), both.rows("audit"), both.rows("referral")) == before


def test_every_case_is_linked_once_and_the_old_number_stays(both: Any) -> None:
    sent = len(both.rows("delivery"))
    assert run(both, LIST).complete
    found = run(both, LIST, write=True)
    assert (found.totals["linked"], found.complete) == (3, True)
    assert numbers(both) == {"N-0": "C-0", "N-1": "C-1", "N-2": "C-2"}
    assert numbers(both, "casework") == {"880": "C-0", "881": "C-1", "882": "C-2"}
    assert len(both.rows("delivery")) == sent, "nothing is sent because of a link"
    line = both.rows("audit")[-1]
    assert (line.action, line.subject, line.who) == ("links import", "casework newcase", "A. Swyddog")
    assert line.detail["linked"] == 3
    revisions = [row.revision for row in both.rows("referral")]
    again = run(both, LIST, write=True)
    assert (again.totals["linked"], again.totals["known"]) == (0, 3)
    assert [row.revision for row in both.rows("referral")] == revisions


def test_a_list_that_is_taken_in_parts_comes_to_the_same(both: Any) -> None:
    run(both, "old,new\n880,N-0\n", write=True)
    both.restart()
    assert run(both, LIST, write=True).totals == {"lines": 3, "known": 1, "linked": 2}


@pytest.mark.parametrize(
    ("text", "linked", "why"),
    [
        ("880,N-0\n880,N-1\n881,N-2", 1, "more than one new number"),
        ("880,N-0\n881,N-0\n882,N-2", 1, "to more than one old number"),
        ("880,N-0\n880,N-0", 1, ""),
    ],
)
def test_what_is_ambiguous_is_refused_and_the_rest_taken(both: Any, text: str, linked: int, why: str) -> None:
    found = run(both, text, write=True)
    assert found.totals["linked"] == linked == len(numbers(both))
    assert {told.why for told in found.refused} == {f"the list gives the {told}" for told in _told(why)}


def _told(why: str) -> list[str]:
    known = {"more": "old number more than one new number", "to": "new number to more than one old number"}
    return [known[why.split()[0]]] if why else []


def test_a_number_that_is_somebody_elses_is_refused(both: Any) -> None:
    run(both, "880,N-0", write=True)
    found = run(both, "881,N-0\n880,N-5", write=True)
    assert [told.why for told in found.refused] == [
        "newcase holds another request under the new number",
        "newcase holds this request under another number already",
    ]
    assert numbers(both) == {"N-0": "C-0"}


def test_going_live_no_longer_waits_once_all_are_linked(both: Any) -> None:
    def matched() -> set[tuple[str, str, str]]:
        with both.reading() as connection:
            return first_day.matched_pairs(connection)

    run(both, "880,N-0", write=True)
    assert matched() == set()
    run(both, LIST, write=True)
    assert matched() == {("torfaen", "contact", "newcase")}


def test_the_first_reading_of_the_new_record_is_merged_and_makes_no_new_request(both: Any) -> None:
    run(both, LIST, write=True)
    case = both.case("N-1", minute=50, Subject__Surname="Ap-1", Status="ACC")
    wired = both.council.wired["newcase"]
    taken = Intake(both.plant, both.council).take(wired, wired.kinds["Referral"], [case])
    assert sum(taken.states.values()) == 1
    assert not taken.states.get(VersionState.ATTENTION)
    assert len(both.rows("referral")) == 3


def test_a_record_that_names_somebody_else_is_noticed_before_it_is_linked(both: Any) -> None:
    class NewSystem:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(name)

        def fetch(self, kind: str, id: str) -> Item | None:
            if id == "N-2":
                return None
            if id == "N-1":
                return both.case(id, Subject__Surname="Tudur", Subject__Forename="Mair", Subject__DOB="1990-01-01")
            return both.case(id, Subject__Surname="Ap-0")

    both.council.wired["newcase"]._connector = NewSystem()
    try:
        found = run(both, LIST, write=True, look=True)
    finally:
        both.council.wired["newcase"]._connector = None
    assert [told.why for told in found.refused] == [
        "the record in newcase names another person",
        "newcase has no record of the new number",
    ]
    assert numbers(both) == {"N-0": "C-0"}


def test_a_system_that_renumbers_itself(both: Any) -> None:
    wired = both.council.wired["casework"]
    text = "old,new\n880,990\n881,991\n"
    for _ in range(2):
        found = Relinking(both.plant, wired, wired, text).run(write=True, who="A", why="b")
    assert found.totals["known"] == 2
    assert numbers(both, "casework") == {"990": "C-0", "991": "C-1", "882": "C-2"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the list is empty"),
        ("880\n", "line 1 of the list has 1 columns"),
        ("old,new\n880,\n", "line 2 of the list has no number in column new"),
        ("old,new,kind\n880,N-0,Case\n", "line 2 of the list: kind must be one of casework's, Referral"),
    ],
)
def test_a_list_that_cannot_be_read_is_named_by_its_line(both: Any, text: str, words: str) -> None:
    with pytest.raises(NotPossible, match=words):
        run(both, text)


def test_two_councils_are_never_linked(bench: Any) -> None:
    one, other = (bench.plant.councils[code].wired["casework"] for code in ("torfaen", "blaenau-gwent"))
    with pytest.raises(NotPossible, match="ever linked across councils"):
        Relinking(bench.plant, one, other, LIST)
