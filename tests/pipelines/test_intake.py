"""Intake: what one page of records becomes, and that a page and its place are one."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from connectors.port import UnreadableItem
from pipelines.intake import ROWS_A_TRANSACTION, Intake
from pipelines.tables import meta

pytest_plugins = ("tests.pipelines.pieces",)

NHS = "9990000018"
SHIPPED = Path(__file__).resolve().parents[2] / "mappings" / "shipped" / "codes"


def test_a_new_record_is_a_referral_with_its_numbers_and_a_delivery(bench: Any) -> None:
    assert bench.states(bench.request()) == ["merged"]
    facts, row = bench.facts(), bench.row("referral")
    assert facts["person.name.family"] == "Llŷr"
    assert facts["source_identifiers[system=contact].value"] == "C-1"
    assert facts["target_identifiers[system=contact].value"] == "C-1"
    assert facts["citizen_reference"] == row.citizen_reference
    assert (row.revision, row.born_in, row.status, row.priority, row.restricted) == (
        1, "contact", "received", "routine", False,
    )  # fmt: skip
    assert bench.deliveries() == ["waiting"]
    version = bench.row("version")
    assert (version.referral_id, version.revision, version.purpose) == (row.id, 1, "live")


def test_what_was_received_is_kept_byte_for_byte_and_with_its_mapping(bench: Any) -> None:
    item = bench.request()
    bench.take(item)
    version = bench.row("version")
    with bench.reading() as connection:
        assert bench.vault.get(connection, "torfaen", version.raw) == item.raw
    assert version.mapping in {row.digest for row in bench.rows("artifact")}


def test_the_same_bytes_are_no_version(bench: Any) -> None:
    bench.take(bench.request())
    assert bench.states(bench.request()) == ["repeat"]
    assert bench.states(bench.request(), bench.request()) == ["repeat", "repeat"]
    assert len(bench.rows("version")) == 1


def test_twice_in_one_page_is_once(bench: Any) -> None:
    assert sorted(bench.states(bench.request(), bench.request())) == ["merged", "repeat"]
    assert len(bench.rows("referral")) == 1


def test_a_change_in_what_we_do_not_map_is_no_change(bench: Any) -> None:
    bench.take(bench.request())
    assert bench.states(bench.request(minute=1, internal_notes="Rang back")) == ["no change"]
    assert bench.row("referral").revision == 1
    assert len(bench.rows("delivery")) == 1


def test_an_older_version_changes_nothing(bench: Any) -> None:
    bench.take(bench.request(minute=5))
    assert bench.states(bench.request(minute=1, customer__last_name="Pugh")) == ["older"]
    assert bench.facts()["person.name.family"] == "Llŷr"
    assert len(bench.rows("delivery")) == 1


def test_versions_with_one_stamp_are_ordered_by_their_number(bench: Any) -> None:
    bench.take(bench.request(version=9))
    assert bench.states(bench.request(version=10, customer__last_name="Pugh")) == ["merged"]
    assert bench.states(bench.request(version=9, customer__last_name="Rees")) == ["older"]
    assert bench.facts()["person.name.family"] == "Pugh"


def test_a_record_that_cannot_be_read_holds_up_nobody(bench: Any) -> None:
    bad = UnreadableItem(b"<broken", "the element is not closed", id="C-2")
    assert bench.states(bench.request("C-1"), bad, bench.request("C-3")) == ["merged", "merged", "needs attention"]
    [version] = bench.rows("version", state="needs attention")
    cause = bench.row("cause", id=version.cause_id)
    assert (version.external_id, cause.step, cause.words) == ("C-2", "feed", "the element is not closed")
    with bench.reading() as connection:
        assert bench.vault.get(connection, "torfaen", version.raw) == b"<broken"


def test_a_hole_without_an_id_is_kept_once(bench: Any) -> None:
    hole = UnreadableItem(b"??", "not even the id can be read")
    assert bench.states(hole, to="contact") == ["needs attention"]
    assert bench.states(hole, to="contact") == ["repeat"]
    assert len(bench.rows("version")) == 1


def test_a_readable_version_ends_what_the_unreadable_one_waited_for(bench: Any) -> None:
    bench.take(UnreadableItem(b"<broken", "not closed", id="C-1"), to="contact")
    assert bench.states(bench.request()) == ["merged"]
    assert [row.state for row in bench.rows("version")] == ["replaced", "merged"]


def test_an_unknown_code_in_a_needed_field_stops_the_record_with_a_cause(bench: Any) -> None:
    assert bench.states(bench.request(priority="tomorrow")) == ["needs attention"]
    cause = bench.row("cause")
    assert (cause.step, cause.error, cause.field, cause.code_list) == (
        "read", "unknown code", "priority", "contact-priority",
    )  # fmt: skip
    assert "tomorrow" not in cause.words
    assert bench.rows("referral") == []


def test_one_cause_for_all_that_it_stops(bench: Any) -> None:
    bench.take(*(bench.request(f"C-{n}", priority="tomorrow") for n in range(5)))
    assert {row.cause_id for row in bench.rows("version")} == {bench.row("cause").id}


def test_an_unknown_code_elsewhere_leaves_out_that_field_and_is_noted(bench: Any) -> None:
    assert bench.states(bench.request(channel="pigeon")) == ["merged"]
    assert "channel" not in bench.facts()
    [[field, code_list, cause]] = bench.row("version").gaps
    assert (field, code_list, cause) == ("channel", "contact-channel", bench.row("cause").id)


def test_a_known_code_that_becomes_unknown_keeps_what_was_known(bench: Any) -> None:
    bench.take(bench.request())
    bench.take(bench.request(minute=1, channel="pigeon", customer__last_name="Pugh"))
    facts = bench.facts()
    assert (facts["channel"], facts["person.name.family"]) == ("phone", "Pugh")


def test_nhs_numbers_that_are_equal_are_one_person(bench: Any) -> None:
    bench.take(
        bench.request("C-1", customer__nhs_number=NHS), bench.request("C-2", customer__nhs_number="999 000 0018")
    )
    assert len(bench.rows("person")) == 1
    assert len(bench.rows("referral")) == 2
    assert len({row.lane for row in bench.rows("delivery")}) == 1


def test_people_alike_in_all_but_a_number_are_two(bench: Any) -> None:
    bench.take(bench.request("C-1"), bench.request("C-2"))
    assert len(bench.rows("person")) == 2


def test_a_wrong_check_digit_identifies_nobody(bench: Any) -> None:
    bench.take(
        bench.request("C-1", customer__nhs_number="9990000019"), bench.request("C-2", customer__nhs_number="9990000019")
    )
    assert bench.rows("person_identifier") == []
    assert len(bench.rows("person")) in (0, 2)


def test_nobody_is_matched_across_councils(bench: Any) -> None:
    bench.take(bench.request("C-1", customer__nhs_number=NHS))
    bench.take(bench.request("C-1", customer__nhs_number=NHS), council="neath-port-talbot")
    assert len(bench.rows("person")) == len(bench.rows("referral")) == 2
    first, second = bench.rows("person_identifier")
    assert (first.council, second.council) == ("neath-port-talbot", "torfaen")
    assert first.hash != second.hash


def test_our_key_of_another_council_is_no_key(bench: Any) -> None:
    bench.take(bench.request("C-1"))
    stolen = bench.row("referral").id
    bench.take(bench.case("881", our_key=stolen), council="neath-port-talbot")
    assert len(bench.rows("referral")) == 2


def test_two_records_with_one_key_need_a_person(bench: Any) -> None:
    bench.take(bench.request())
    key = bench.row("referral").id
    assert bench.states(bench.case("881", our_key=key)) == ["merged"]
    assert bench.states(bench.case("882", our_key=key)) == ["needs attention"]
    assert bench.row("cause").error == "several candidates"
    assert len(bench.rows("referral")) == 1


def test_a_route_whose_condition_fails_is_named_on_the_version(bench: Any) -> None:
    bench.take(bench.case(Status="TRI"))
    assert bench.row("version").not_taken == ["tell-the-resident"]
    assert bench.deliveries("texts") == []
    assert bench.deliveries("contact") == ["waiting"]


def test_a_conflict_is_kept_and_the_loser_is_told_once(bench: Any) -> None:
    bench.take(bench.request())
    bench.arrived(bench.row("delivery").lane, "881", minute=1)
    bench.take(bench.case(minute=10))
    bench.take(bench.request(minute=20, customer__last_name="Pugh"))
    before = len(bench.rows("delivery"))
    assert bench.states(bench.case(minute=30, Subject__Surname="Rees")) == ["merged"]
    conflict = bench.row("conflict", field="person.name.family")
    assert (conflict.winner, conflict.loser, conflict.open) == ("contact", "casework", False)
    assert bench.facts()["person.name.family"] == "Pugh"
    assert len(bench.rows("delivery")) == before + 1
    # They insist: it is counted, and not sent for ever.
    bench.take(bench.case(minute=31, Subject__Surname="Thomas"))
    sent = len(bench.rows("delivery"))
    bench.take(bench.case(minute=32, Subject__Surname="Rees"))
    assert bench.row("conflict", id=conflict.id).times == 2
    assert len(bench.rows("delivery")) == sent


def test_a_conflict_about_safeguarding_is_left_open_for_a_person(bench: Any) -> None:
    bench.take(bench.request(flags__safeguarding=True))
    bench.take(bench.case(our_key=bench.row("referral").id))
    assert bench.row("conflict", field="safeguarding_flag").open
    assert bench.facts()["safeguarding_flag"] is True


def test_a_page_and_its_place_are_one_transaction(bench: Any) -> None:
    def place(connection: Any) -> None:
        assert connection.execute(select(meta).where(meta.c.name == "place")).first() is None
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench.take(bench.request("C-1"), bench.request("C-2"), place=place)
    assert bench.rows("version") == bench.rows("record") == bench.rows("referral") == []
    assert len(bench.states(bench.request("C-1"), bench.request("C-2"))) == 2


def test_a_page_larger_than_one_transaction_moves_its_place_with_the_last(bench: Any) -> None:
    seen: list[int] = []

    def place(connection: Any) -> None:
        connection.execute(insert(meta).values(name="place", value="moved"))
        seen.append(len(bench.rows("referral")))  # another connection: what is committed already

    items = [bench.request(f"C-{n}") for n in range(ROWS_A_TRANSACTION + 5)]
    taken = bench.take(*items, place=place)
    assert taken.news == len(items)
    assert seen == [ROWS_A_TRANSACTION]
    assert bench.row("meta", name="place").value == "moved"


def test_an_empty_page_still_moves_the_place(bench: Any) -> None:
    bench.take(
        to="contact", place=lambda connection: connection.execute(insert(meta).values(name="place", value="moved"))
    )
    assert bench.row("meta", name="place").value == "moved"


def test_a_mended_code_list_frees_what_it_stopped(bench: Any) -> None:
    bench.take(bench.request(priority="tomorrow"))
    words = (SHIPPED / "contact-priority.csv").read_text(encoding="utf-8")
    mended = words.rstrip("\n") + "\ntomorrow,routine,read,,,,,\n"
    (bench.folder / "codes" / "contact-priority.csv").write_text(mended, encoding="utf-8")
    bench.restart()
    taken = Intake(bench.plant, bench.council).again([bench.row("version").id])
    assert [state.value for state in taken.states] == ["merged"]
    assert bench.facts()["priority"] == "routine"
    assert bench.row("version").cause_id is None
    assert bench.deliveries() == ["waiting"]


def test_what_is_taken_again_after_a_newer_version_came_is_replaced(bench: Any) -> None:
    bench.take(bench.request(priority="tomorrow"))
    first = bench.row("version").id
    bench.take(bench.request(minute=1, priority="next week"))
    assert [row.state for row in bench.rows("version")] == ["replaced", "needs attention"]
    assert Intake(bench.plant, bench.council).again([first]).news == 0


def test_another_councils_version_is_not_taken_again(bench: Any) -> None:
    bench.take(bench.request(priority="tomorrow"), council="neath-port-talbot")
    assert Intake(bench.plant, bench.council).again([bench.row("version").id]).news == 0


def test_no_value_of_a_record_rests_in_clear(bench: Any) -> None:
    bench.take(bench.request(customer__nhs_number=NHS), bench.request("C-2", priority="tomorrow"))
    bench.plant.ledger.close()
    on_disk = b"".join(part.read_bytes() for part in (bench.folder / "var").rglob("*") if part.is_file())
    for value in ("Llŷr", "07700", "7700900123", NHS, "1941-02-28", "Cwympodd", "NP44"):
        assert value.encode() not in on_disk, value
