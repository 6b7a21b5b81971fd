"""Matching by a person's exact number: the one open request that can be meant, or nobody. Rule R5; G6 and G11."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from pipelines import check as checking
from pipelines import composition

pytest_plugins = ("tests.pipelines.pieces",)

DECLARED = 'match: ["source_identifiers[system=contact].value"]'
NHS, OTHER, DOUBTFUL = "9990000018", "9990000026", "9990000019"


@pytest.fixture
def by_person(bench_with: Callable[..., Any]) -> Any:
    """Torfaen, whose case system is matched by NHS numbers too."""
    return bench_with((DECLARED, 'match: ["source_identifiers[system=contact].value", person.nhs_number]'))


def referrals(bench: Any) -> int:
    return len(bench.rows("referral"))


def test_a_case_that_names_the_person_is_their_one_open_request(by_person: Any) -> None:
    by_person.take(by_person.request("C-1", customer__nhs_number=NHS))
    assert by_person.states(by_person.case("881", Subject__NHSNumber=NHS)) == ["merged"]
    assert referrals(by_person) == 1
    assert {row.external_id for row in by_person.rows("record") if row.referral_id} == {"C-1", "881"}


def test_without_the_declaration_it_is_another_request_of_the_same_person(bench: Any) -> None:
    bench.take(bench.request("C-1", customer__nhs_number=NHS))
    bench.take(bench.case("881", Subject__NHSNumber=NHS))
    assert referrals(bench) == 2
    assert len(bench.rows("person")) == 1


def test_two_open_requests_of_one_person_need_attention(by_person: Any) -> None:
    by_person.take(*(by_person.request(f"C-{n}", minute=n, customer__nhs_number=NHS) for n in (1, 2)))
    assert by_person.states(by_person.case("881", Subject__NHSNumber=NHS)) == ["needs attention"]
    assert by_person.row("cause").error == "several candidates"
    assert referrals(by_person) == 2


def test_a_closed_request_is_not_meant(by_person: Any) -> None:
    by_person.take(by_person.request("C-1", customer__nhs_number=NHS, status="cancelled"))
    by_person.take(by_person.request("C-2", minute=1, customer__nhs_number=NHS))
    by_person.take(by_person.case("881", Subject__NHSNumber=NHS))
    owner = {row.external_id: row.referral_id for row in by_person.rows("record")}
    assert owner["881"] == owner["C-2"] != owner["C-1"]


def test_a_request_that_has_its_case_already_is_not_meant(by_person: Any) -> None:
    by_person.take(by_person.request("C-1", customer__nhs_number=NHS))
    by_person.take(by_person.case("881", Subject__NHSNumber=NHS))
    by_person.take(by_person.case("882", minute=31, Subject__NHSNumber=NHS))
    assert referrals(by_person) == 2


def test_another_number_is_another_person(by_person: Any) -> None:
    by_person.take(by_person.request("C-1", customer__nhs_number=NHS))
    by_person.take(by_person.case("881", Subject__NHSNumber=OTHER))
    assert referrals(by_person) == 2


def test_a_wrong_check_digit_matches_nobody(by_person: Any) -> None:
    by_person.take(by_person.request("C-1", customer__nhs_number=DOUBTFUL))
    by_person.take(by_person.case("881", Subject__NHSNumber=DOUBTFUL))
    assert referrals(by_person) == 2


def test_a_case_number_goes_before_a_persons_number(by_person: Any) -> None:
    by_person.take(*(by_person.request(f"C-{n}", minute=n, customer__nhs_number=NHS) for n in (1, 2)))
    by_person.take(by_person.case("881", Subject__NHSNumber=NHS, SourceReference="C-2"))
    owner = {row.external_id: row.referral_id for row in by_person.rows("record")}
    assert owner["881"] == owner["C-2"]


def test_a_page_of_several_is_matched_one_by_one(by_person: Any) -> None:
    by_person.take(
        by_person.request("C-1", customer__nhs_number=NHS), by_person.request("C-2", customer__nhs_number=OTHER)
    )
    states = by_person.states(
        by_person.case("881", Subject__NHSNumber=NHS),
        by_person.case("882", Subject__NHSNumber=NHS),  # the first of the page has it
        by_person.case("883", Subject__NHSNumber=OTHER),
    )
    assert states == ["merged"] * 3
    owner = {row.external_id: row.referral_id for row in by_person.rows("record")}
    assert owner["881"] == owner["C-1"]
    assert owner["883"] == owner["C-2"]
    assert owner["882"] not in (owner["C-1"], owner["C-2"])


def test_g11_never_across_councils(by_person: Any) -> None:
    by_person.take(by_person.request("C-1", customer__nhs_number=NHS), council="neath-port-talbot")
    by_person.take(by_person.case("881", Subject__NHSNumber=NHS))
    assert sorted(row.council for row in by_person.rows("referral")) == ["neath-port-talbot", "torfaen"]


@pytest.mark.parametrize(
    "path", ["person.name.family", "source_identifiers[system=contacts].value", "citizen_reference"]
)
def test_check_refuses_what_identifies_no_record(site_folder: Any, path: str) -> None:
    file = site_folder / "config" / "councils" / "torfaen.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(DECLARED, f'match: ["{path}"]'), encoding="utf-8")
    [found] = [one for one in checking.check(site_folder) if "by which no record can be matched" in one.found]
    assert (found.severity.value, found.file, found.line > 1) == ("error", "config/councils/torfaen.yaml", True)
    assert "person.nhs_number" in found.expected


# --- `dolen check` before going live ----------------------------------------------------------------------------------


def held_up(folder: Any) -> list[Any]:
    return [one for one in checking.check(folder) if "dolen match" in one.remedy]


@pytest.fixture
def going_live(site_folder: Any) -> Any:
    """The example site with Torfaen alone, about to go live."""
    for other in ("blaenau-gwent", "neath-port-talbot"):
        (site_folder / "config" / "councils" / f"{other}.yaml").unlink()
    file = site_folder / "config" / "dolen.yaml"
    text = file.read_text(encoding="utf-8").replace("stage: test", "stage: live")
    file.write_text(text.replace('residents_only_to: ["+447700900*"]\n', ""), encoding="utf-8")
    return site_folder


def test_check_refuses_to_go_live_unmatched(going_live: Any) -> None:
    found = held_up(going_live)
    assert [(one.severity.value, one.key) for one in found] == [("error", "routes[0]"), ("error", "routes[1]")]
    assert all(one.line > 1 for one in found)
    assert not (going_live / "var").exists()  # looking made no ledger


def test_check_sees_what_was_declared(going_live: Any) -> None:
    file = going_live / "config" / "councils" / "torfaen.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text.replace("    carries: state\n", "    carries: state\n    first_day: nothing-to-match\n"), encoding="utf-8"
    )
    assert held_up(going_live) == []


def test_check_sees_what_was_matched(going_live: Any) -> None:
    from sqlalchemy import insert

    from pipelines import tables

    plant = composition.build(composition.load(going_live), environment={})
    with plant.ledger.writing() as connection:
        connection.execute(
            insert(tables.first_day).values(
                council="torfaen", one="casework", other="contact", at=1, who="A. Swyddog", paired=3
            )
        )
    plant.close()
    assert held_up(going_live) == []


def test_check_says_when_the_ledger_cannot_be_asked(going_live: Any) -> None:
    file = going_live / "config" / "dolen.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(re.sub(r"(?m)^ledger: .*$", "ledger: {url: env:NOBODY_SET_THIS}", text), encoding="utf-8")
    assert {one.severity.value for one in held_up(going_live)} == {"warning"}
