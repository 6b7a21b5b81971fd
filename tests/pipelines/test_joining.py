"""Two referrals that turn out to be one request: joined by a person, and parted again. Rule R16 of the data model."""

from typing import Any

import pytest

from pipelines import joining, overview
from pipelines.desk import NotPossible
from tests.pipelines.test_histories import in_casework, lane_to

pytest_plugins = ("tests.pipelines.pieces",)

FIRST, SECOND = "9990000018", "9990000026"
WHO = {"who": "ann", "why": "agreed on the telephone"}


def twice(bench: Any) -> tuple[Any, Any]:
    """One request typed twice: C-1, which casework holds as 881, and C-2, which it has not got yet."""
    in_casework(bench)
    bench.take(bench.request("C-2", minute=6, channel=None, transport_needs="Wheelchair"))
    first, second = bench.rows("referral")
    if bench.facts(first)["source_identifiers[system=contact].value"] != "C-1":
        first, second = second, first
    return first, second


def test_two_referrals_are_joined_and_what_only_one_knows_is_kept(bench: Any) -> None:
    first, second = twice(bench)
    words = joining.join(bench.plant, first.citizen_reference, second.citizen_reference, **WHO)
    assert "doubles" in words
    assert bench.row("referral", id=second.id).merged_into == first.id
    assert bench.deliveries("casework", referral_id=second.id) == ["closed"], "casework gets no second case"
    double = bench.row("record", external_id="C-2")
    assert (double.aside, double.referral_id) == (True, second.id)
    revision = bench.row("referral", id=first.id).revision
    assert bench.states(bench.request("C-2", minute=20, customer__last_name="Pugh")) == ["closed"]
    assert bench.row("referral", id=first.id).revision == revision
    assert bench.row("audit").detail["aside"] == [double.id]
    assert overview.look(bench.plant).sums_agree


def test_a_joined_referral_is_parted_again(bench: Any) -> None:
    first, second = twice(bench)
    joining.join(bench.plant, first.citizen_reference, second.citizen_reference, **WHO)
    joining.part(bench.plant, second.citizen_reference, **WHO)
    assert bench.row("referral", id=second.id).merged_into is None
    assert not bench.row("record", external_id="C-2").aside
    assert len({row.person_id for row in bench.rows("referral")}) == 2
    assert bench.states(bench.request("C-2", minute=20, customer__last_name="Pugh")) == ["merged"]
    assert bench.facts(second)["person.name.family"] == "Pugh"
    assert bench.facts(first)["person.name.family"] == "Llŷr"
    with pytest.raises(NotPossible):
        joining.part(bench.plant, second.citizen_reference, **WHO)


def test_records_move_to_the_referral_that_stays(bench: Any) -> None:
    bench.take(bench.request("C-1"))
    bench.take(bench.case("881", minute=5))  # typed in by hand there, without our key or the number
    first, second = sorted(bench.rows("referral"), key=lambda row: row.born_in != "contact")
    joining.join(bench.plant, first.citizen_reference, second.citizen_reference, **WHO)
    assert bench.row("record", external_id="881").referral_id == first.id
    assert bench.facts(first)["target_identifiers[system=casework].value"] == "881"
    assert bench.deliveries("casework", referral_id=first.id)[-1] == "waiting", "and it updates 881"
    assert bench.states(bench.case("881", minute=9, Status="ACC")) == ["merged"]
    assert bench.row("referral", id=first.id).status == "accepted"
    joining.part(bench.plant, second.citizen_reference, **WHO)
    assert bench.row("record", external_id="881").referral_id == second.id
    assert bench.facts(first)["target_identifiers[system=casework].value"] is None


def test_a_raised_flag_stays_up_and_a_person_sees_both(bench: Any) -> None:
    bench.take(bench.request("C-1"))
    bench.take(bench.case("881", minute=5, Safeguarding="true"))
    first, second = sorted(bench.rows("referral"), key=lambda row: row.born_in != "contact")
    joining.join(bench.plant, first.citizen_reference, second.citizen_reference, **WHO)
    assert bench.facts(first)["safeguarding_flag"] is True


@pytest.mark.parametrize("other", ["", "nobody"])
def test_what_cannot_be_joined(bench: Any, other: str) -> None:
    bench.take(bench.request("C-1"))
    reference = bench.row("referral").citizen_reference
    with pytest.raises(NotPossible):
        joining.join(bench.plant, reference, other or reference, **WHO)


def test_people_with_two_numbers_are_not_joined_nor_is_what_is_on_its_way(bench: Any) -> None:
    bench.take(bench.request("C-1", customer__nhs_number=FIRST), bench.request("C-2", customer__nhs_number=SECOND))
    first, second = (row.citizen_reference for row in bench.rows("referral"))
    with pytest.raises(NotPossible, match="two people"):
        joining.join(bench.plant, first, second, **WHO)
    bench.take(bench.request("C-3", minute=3))
    bench.no_answer(lane_to(bench, "casework"))
    third = bench.rows("referral")
    [one] = [row.citizen_reference for row in third if row.citizen_reference not in (first, second)]
    with pytest.raises(NotPossible, match="on its way"):
        joining.join(bench.plant, first, one, **WHO)
    assert bench.rows("audit") == []


def test_referrals_of_two_councils_are_never_joined(bench: Any) -> None:
    bench.take(bench.request("C-1"))
    bench.take(bench.request("C-1"), council="neath-port-talbot")
    first, second = (row.citizen_reference for row in bench.rows("referral"))
    with pytest.raises(NotPossible, match="two councils"):
        joining.join(bench.plant, first, second, **WHO)
