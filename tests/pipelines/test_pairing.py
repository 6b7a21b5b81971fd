"""The first day: cases that two systems hold already are paired by exact numbers alone, and none is made twice. The
systems are real pretend ones; G2, G4, G6 and section 10 of the design's `dolen match`."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from connectors.port import Item
from pipelines import first_day, overview, tables
from pipelines.looking import NotPossible
from pipelines.pairing import Matched, Pairing, read_list, usable
from pipelines.pairs import CASE, PERSON, Pairs

CODE = "torfaen"
NUMBERS = "source_identifiers[system=contact].value"
NHS = "person.nhs_number"


def council(town: Any) -> Any:
    return town.plant.councils[CODE]


def sides(town: Any) -> tuple[Any, Any]:
    return council(town).wired["contact"], council(town).wired["casework"]


def type_in(town: Any, number: str) -> str:
    """An officer typed the request into the case system before there was a Dolen, quoting its number."""
    return str(town.control("POST", f"{CODE}/casework/type-in", {"from_contact": number})["ReferralId"])


def person(letter: str, nhs: str | None = None) -> dict[str, Any]:
    return {
        "first_names": [f"Enw{letter}"],
        "last_name": f"Llŷr{letter}",
        "date_of_birth": f"194{ord(letter) % 10}-02-28",
        "gender": "F",
        "nhs_number": nhs,
        "contacts": [],
    }


def asked(town: Any, letter: str, nhs: str | None = None) -> str:
    language = {"letters": "cy", "speech": None, "interpreter": False}
    return str(town.ask(CODE, customer=person(letter, nhs), language=language)["id"])


def found(town: Any, go: bool = False, by: tuple[str, ...] = (), **options: Any) -> Any:
    """Match; with `go` write too. Returns what was found, and what was written."""
    with Pairing(town.plant, council(town), *sides(town)) as pairing:
        seen = pairing.match(by, options.pop("listed", None))
        done = first_day.write(pairing, seen, who="A. Swyddog", why="y diwrnod cyntaf", **options) if go else None
    return (seen, done) if go else seen


def rows(town: Any, table: Any, **where: Any) -> list[Any]:
    with town.plant.ledger.reading() as connection:
        return list(connection.execute(select(table).filter_by(council=CODE, **where)).all())


def names(lines: Any) -> list[str]:
    return [line.number for line in lines]


# --- Finding ----------------------------------------------------------------------------------------------------------


def test_cases_are_paired_by_the_number_that_one_quotes_of_the_other(town: Any) -> None:
    first, second, alone = (asked(town, letter) for letter in "ABC")
    cases = [type_in(town, first), type_in(town, second)]
    seen = found(town)
    assert seen.by == (NUMBERS,)
    assert sorted((pair.one, pair.other) for pair in seen.pairs) == sorted(zip((first, second), cases, strict=True))
    assert (names(seen.alone), seen.clear) == ([alone], True)
    assert rows(town, tables.referral) == []  # nothing is written until somebody says so
    assert rows(town, tables.first_day) == []


def test_two_cases_that_quote_one_number_are_for_a_person(town: Any) -> None:
    first = asked(town, "A")
    cases = [type_in(town, first), type_in(town, first)]
    seen = found(town)
    assert seen.pairs == []
    assert sorted(names(seen.undecided)) == sorted([first, *cases])
    assert "several candidates" in seen.undecided[0].why
    _, done = found(town, go=True)
    assert (done.paired, done.complete) == (0, False)


def test_a_number_that_names_another_person_pairs_nobody(town: Any) -> None:
    first = asked(town, "A")
    case = type_in(town, first)
    town.change(CODE, "casework", case, Subject={"Forename": ["Arall"], "Surname": "Hollol", "DOB": "1920-01-01"})
    seen = found(town)
    assert (seen.pairs, sorted(names(seen.undecided))) == ([], sorted([first, case]))
    assert {line.why for line in seen.undecided} == {"the two records name different people"}


def test_a_persons_number_pairs_their_one_open_case(town: Any) -> None:
    first, other = asked(town, "A", "9990000018"), asked(town, "B", "9990000026")
    cases = [type_in(town, number) for number in (first, other)]
    for case in cases:
        town.change(CODE, "casework", case, SourceReference=None)
    assert found(town).pairs == []
    seen = found(town, by=(NHS,))
    assert sorted((pair.one, pair.other) for pair in seen.pairs) == sorted(zip((first, other), cases, strict=True))


def test_a_person_with_two_open_cases_is_for_a_person_and_a_closed_one_is_not_meant(town: Any) -> None:
    first, second = asked(town, "A", "9990000018"), asked(town, "A", "9990000018")
    case = type_in(town, first)
    town.change(CODE, "casework", case, SourceReference=None)
    seen = found(town, by=(NHS,))
    assert (seen.pairs, sorted(names(seen.undecided))) == ([], sorted([first, second, case]))
    town.change(CODE, "contact", second, status="cancelled")
    [pair] = found(town, by=(NHS,)).pairs
    assert (pair.one, pair.other) == (first, case)


def test_a_doubtful_number_pairs_nobody(town: Any) -> None:
    first = asked(town, "A", "9990000018")
    case = type_in(town, first)
    town.control("PATCH", f"{CODE}/contact/records/{first}?unchecked=1", {"customer": {"nhs_number": "9990000019"}})
    town.change(CODE, "casework", case, SourceReference=None, Subject={"NHSNumber": "9990000019"})
    assert found(town, by=(NHS,)).pairs == []


def test_case_numbers_go_before_a_persons_number(town: Any) -> None:
    requests = [asked(town, "A", "9990000018") for _ in range(2)]
    cases = [type_in(town, number) for number in requests]
    seen = found(town, by=(NHS, NUMBERS))
    assert sorted((pair.one, pair.other) for pair in seen.pairs) == sorted(zip(requests, cases, strict=True))
    assert seen.undecided == []


def test_likeness_is_no_identifier(town: Any) -> None:
    with pytest.raises(NotPossible, match="no exact identifier"):
        usable(council(town), *sides(town), ["person.name.family"])
    with pytest.raises(NotPossible, match="expected"):
        usable(council(town), *sides(town), ["person.nhsnumber"])


def test_what_cannot_be_read_is_told(town: Any) -> None:
    first = asked(town, "A")
    case = type_in(town, first)
    town.control("PATCH", f"{CODE}/contact/records/{first}?unchecked=1", {"priority": "brys"})
    seen = found(town)
    assert (names(seen.unreadable), names(seen.alone), seen.clear) == ([first], [case], False)


# --- A person's list --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("C-1,881\nC-2,882\n", [("C-1", "881"), ("C-2", "882")]),
        ("\ufeffcontact,casework\r\n C-1 , 881 \r\n\r\n", [("C-1", "881")]),
        ("casework;contact\n881;C-1\n", [("C-1", "881")]),
        ("", []),
    ],
)
def test_a_list_of_numbers(text: str, pairs: list[tuple[str, str]]) -> None:
    assert read_list(text, "contact", "casework") == pairs


@pytest.mark.parametrize("text", ["C-1\n", "C-1,\n", "C-1,881,x\n"])
def test_a_list_that_is_none(text: str) -> None:
    with pytest.raises(NotPossible, match="line 1"):
        read_list(text, "contact", "casework")


def test_a_list_pairs_what_no_number_says(town: Any) -> None:
    first, second = asked(town, "A"), asked(town, "B")
    cases = [type_in(town, number) for number in (first, second)]
    for case in cases:
        town.change(CODE, "casework", case, SourceReference=None)
    seen = found(town, listed=[(first, cases[0]), (second, "R9999999"), (second, cases[0])])
    assert (seen.pairs, names(seen.unknown)) == ([], ["R9999999"])
    assert sorted(names(seen.undecided)) == sorted([first, second, cases[0]])
    seen = found(town, listed=[(first, cases[0]), (second, cases[1])])
    assert (seen.totals["pairs"], seen.clear) == (2, True)


# --- Writing ----------------------------------------------------------------------------------------------------------


def test_the_first_reading_of_equal_pairs_writes_nothing_anywhere(town: Any) -> None:
    numbers = [asked(town, letter) for letter in "AB"]
    cases = [type_in(town, number) for number in numbers]
    seen, done = found(town, go=True)
    assert [(pair.to_one, pair.to_other) for pair in seen.pairs] == [((), ())] * 2
    assert (done.paired, done.sends, done.not_done, done.complete) == (2, 0, [], True)
    assert town.read() == 0
    assert town.deliver() == 0
    assert rows(town, tables.delivery) == []
    assert [(row.external_id, row.connection) for row in rows(town, tables.record)].__len__() == 4
    assert len(rows(town, tables.referral)) == 2
    assert overview.look(town.plant).sums_agree
    # Later changes go both ways to the record that is there, and none is made.
    town.change(CODE, "contact", numbers[0], priority="urgent")
    town.change(CODE, "casework", cases[1], Status="INP", Subject={"Surname": "Golygwyd"})
    town.rest()
    assert len(town.records(CODE, "casework")) == 2
    assert len(town.records(CODE, "contact")) == 2
    assert town.control("GET", f"{CODE}/casework/records/{cases[0]}")["Priority"] != "P3"
    request = town.control("GET", f"{CODE}/contact/records/{numbers[1]}")
    assert request["status"] == "in-progress"
    # Edited there knowing the present value, by whoever: an ordinary edit, as anywhere else, and nobody's conflict.
    assert request["customer"]["last_name"] == "Golygwyd"
    assert rows(town, tables.conflict) == []


def test_what_differs_is_listed_and_the_owners_value_is_sent(town: Any) -> None:
    number = asked(town, "A")
    case = type_in(town, number)
    town.change(CODE, "casework", case, Subject={"Surname": "Hen"}, Status="INP")
    [pair] = found(town).pairs
    assert "person.name.family" in pair.to_other
    assert "status" in pair.to_one
    _, done = found(town, go=True)
    assert (done.paired, done.sends) == (1, 2)
    town.rest()
    assert town.control("GET", f"{CODE}/casework/records/{case}")["Subject"]["Surname"] == "LlŷrA"
    assert town.control("GET", f"{CODE}/contact/records/{number}")["status"] == "in-progress"
    [lost] = [row for row in rows(town, tables.conflict) if row.field == "person.name.family"]
    assert (lost.winner, lost.loser, lost.open) == ("contact", "casework", False)
    assert all(row.kind != "Text" for row in rows(town, tables.delivery))  # nobody is told by text of an old status


def test_a_safeguarding_field_that_differs_needs_a_person(town: Any) -> None:
    number = asked(town, "A")
    case = type_in(town, number)
    town.change(CODE, "casework", case, Safeguarding="true")
    [pair] = found(town).pairs
    assert pair.safeguarding == ("safeguarding_flag",)
    found(town, go=True)
    [lost] = [row for row in rows(town, tables.conflict) if row.field == "safeguarding_flag"]
    assert lost.open


def test_matching_twice_pairs_once(town: Any) -> None:
    type_in(town, asked(town, "A"))
    found(town, go=True)
    seen, done = found(town, go=True)
    assert (seen.totals["known"], seen.totals["pairs"], done.paired, done.complete) == (1, 0, 0, True)
    assert len(rows(town, tables.referral)) == 1


def test_a_case_whose_request_was_read_already_is_joined_to_it(town: Any) -> None:
    """Somebody ran Dolen before matching: the request waits to be made in the case system, where it is already."""
    number = asked(town, "A")
    town.read()
    case = type_in(town, number)
    town.change(CODE, "casework", case, SourceReference=None)
    seen, done = found(town, go=True, listed=[(number, case)])
    assert (seen.pairs[0].made != "", done.paired) == (True, 1)
    town.rest()
    assert [str(one["ReferralId"]) for one in town.records(CODE, "casework")] == [case]


def test_two_requests_of_the_ledger_are_not_made_one_by_matching(town: Any) -> None:
    number = asked(town, "A")
    case = type_in(town, number)
    town.change(CODE, "casework", case, SourceReference=None)
    town.read()
    seen = found(town, listed=[(number, case)])
    assert seen.pairs == []
    assert {line.why for line in seen.undecided} == {"the ledger has made two referrals of them: join those first"}


def test_every_match_is_in_the_audit(town: Any) -> None:
    type_in(town, asked(town, "A"))
    found(town, go=True)
    [row] = [row for row in rows(town, tables.audit) if row.action == "match"]
    assert (row.who, row.subject, row.detail["paired"]) == ("A. Swyddog", "contact casework", 1)
    [version, _] = rows(town, tables.version)
    assert (version.purpose, version.state) == ("first day", "merged")


# --- Going live -------------------------------------------------------------------------------------------------------


def test_going_live_waits_until_both_systems_are_matched(town: Any) -> None:
    town.plant.councils = {CODE: council(town)}
    assert first_day.hold_back(town.plant) == []  # in stage test nothing waits
    town.plant.stage = "live"
    [words] = first_day.hold_back(town.plant)
    assert "dolen match torfaen/contact torfaen/casework" in words
    assert CODE not in town.plant.councils


def test_a_match_lets_both_directions_go_live(town: Any) -> None:
    type_in(town, asked(town, "A"))
    found(town, go=True)
    town.plant.stage, town.plant.councils = "live", {CODE: council(town)}
    assert first_day.hold_back(town.plant) == []


def test_what_is_undecided_holds_back_until_a_person_says_that_it_is_apart(town: Any) -> None:
    first = asked(town, "A")
    for _ in range(2):
        type_in(town, first)
    _, done = found(town, go=True)
    assert not done.complete
    assert len(list(first_day.unmatched(town.plant))) > 0
    _, done = found(town, go=True, rest_is_apart=True)
    assert done.complete
    assert [one.code for one, _ in first_day.unmatched(town.plant) if one.code == CODE] == []


# --- The pairs alone --------------------------------------------------------------------------------------------------


def item(id: str) -> Item:
    return Item(id, {"name": "Siân"}, b"Si\xc3\xa2n")


def keep(pairs: Pairs, side: int, id: str, *keys: tuple[int, str, str]) -> None:
    pairs.keep(side, "K", item(id), open=True, referral="", keys=keys)


def test_whoever_hangs_on_an_undecided_record_is_undecided_too() -> None:
    with Pairs() as pairs:
        keep(pairs, 0, "a1", (CASE, "n", "1"), (CASE, "m", "9"))
        keep(pairs, 1, "b1", (CASE, "n", "1"))
        keep(pairs, 1, "b2", (CASE, "n", "1"))
        keep(pairs, 1, "b3", (CASE, "m", "9"))  # alone it would be made anew beside a1
        keep(pairs, 0, "a2", (CASE, "n", "2"))
        keep(pairs, 1, "b4", (CASE, "n", "2"))
        pairs.join(CASE)
        assert [(one.id, other.id) for one, other in pairs.paired(known=False)] == [("a2", "b4")]
        assert [(id, bool(why)) for _, id, _, why in pairs.unpaired(1)] == [("b1", True), ("b2", True), ("b3", True)]


def test_two_numbers_that_contradict_each_other_pair_nobody() -> None:
    with Pairs() as pairs:
        keep(pairs, 0, "a1", (CASE, "number in A", "a1"), (CASE, "number in B", "b2"))
        keep(pairs, 1, "b1", (CASE, "number in B", "b1"), (CASE, "number in A", "a1"))
        keep(pairs, 1, "b2", (CASE, "number in B", "b2"))
        pairs.join(CASE)
        pairs.join(PERSON)
        assert list(pairs.paired(known=False)) == []
        assert all(why for side in (0, 1) for *_, why in pairs.unpaired(side))


def test_what_a_record_says_comes_back_as_it_was() -> None:
    with Pairs() as pairs:
        keep(pairs, 0, "a1", (CASE, "n", "1"))
        keep(pairs, 1, "b1", (CASE, "n", "1"))
        pairs.join(CASE)
        [(one, _)] = pairs.paired(known=False)
        assert (one.item.record, one.item.raw, one.item.modified) == (item("a1").record, item("a1").raw, None)


def test_found_counts_more_than_it_keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.pairing.MOST_LINES", 2)
    many = Matched("c", "a", "b")
    for number in range(5):
        many.add("alone", number)
    assert (many.totals["alone"], len(many.alone)) == (5, 2)
