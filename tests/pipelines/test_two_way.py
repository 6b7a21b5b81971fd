"""Two-way traffic that goes wrong: numbers used again, renumbered and deleted records, persons that turn out to be one.

The rules are R12, R13 and R15 of docs/data-model.md; the joining of referrals is in `test_joining.py`. What a system
still holds, when Dolen asks it for one record, is said by a stand-in that knows numbers and nothing else.
"""

import threading
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.port import Item, UnreadableItem
from pipelines import deciding, desk, identity, story
from pipelines.desk import NotPossible
from pipelines.merge import Base, Known
from tests.pipelines.test_histories import in_casework

pytest_plugins = ("tests.pipelines.pieces",)

FIRST, SECOND = "9990000018", "9990000026"
WHO = {"who": "ann", "why": "agreed on the telephone"}
SOMEBODY_ELSE = {
    "customer__first_names": ["Gwilym"],
    "customer__last_name": "Prosser",
    "customer__date_of_birth": "1958-11-03",
}


class Remembers:
    """What a system holds when it is asked for one record, over the connector that the site has."""

    def __init__(self, bench: Any, name: str, *items: Item) -> None:
        self.wired = bench.council.wired[name]
        self.real = self.wired.connector
        self.items = {item.id: item for item in items}
        self.asked: list[str] = []
        self.wired._open, self.wired._connector = (lambda *_: self), None

    def fetch(self, kind: str, id: str) -> Item | None:
        self.asked.append(id)
        return self.items.get(id)

    def parse(self, kind: str, raw: bytes, *, id: str) -> Item | UnreadableItem:
        """These records are no XML; what was shown once is known by its bytes."""
        known = [item for item in self.items.values() if item.raw == raw]
        return known[0] if known else self.real.parse(kind, raw, id=id)

    def close(self) -> None:
        self.real.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


# --- Numbers that are used again --------------------------------------------------------------------------------------


def test_a_number_used_again_for_somebody_else_overwrites_nobody(bench: Any) -> None:
    bench.take(bench.request())
    assert bench.states(bench.request(minute=9, **SOMEBODY_ELSE)) == ["needs attention"]
    assert bench.facts()["person.name.family"] == "Llŷr"
    assert bench.row("cause").error == "another person"
    assert "Prosser" not in bench.row("cause").words
    assert len(bench.rows("delivery")) == 1


def test_a_correction_of_one_thing_is_no_other_person(bench: Any) -> None:
    bench.take(bench.request())
    assert bench.states(bench.request(minute=1, customer__last_name="Prosser")) == ["merged"]
    assert bench.states(bench.request(minute=2, customer__date_of_birth="1941-02-27")) == ["merged"]
    married = {"customer__last_name": "Rees", "customer__first_names": ["Siân Mair"]}
    assert bench.states(bench.request(minute=3, customer__date_of_birth="1941-02-27", **married)) == ["merged"]


def test_a_person_says_that_it_is_the_same_all_the_same(bench: Any) -> None:
    bench.take(bench.request())
    bench.take(bench.request(minute=9, **SOMEBODY_ELSE))
    id = f"v{bench.rows('version')[-1].id}"
    assert desk.replay(bench.plant, [id], **WHO).not_done, "sending again says nothing of whose it is"
    deciding.same(bench.plant, id, **WHO)
    assert bench.facts()["person.name.family"] == "Prosser"
    assert len(bench.rows("referral")) == 1
    assert bench.rows("audit")[-1].action == "same request"
    with pytest.raises(NotPossible):
        deciding.same(bench.plant, id, **WHO)


def test_of_two_officers_who_decide_at_once_one_has_decided_and_the_other_is_told(bench: Any) -> None:
    """Each has seen that the version needs attention before the other is done; one says "the same", the other "new"."""
    bench.take(bench.request())
    bench.take(bench.request(minute=9, **SOMEBODY_ELSE))
    id = f"v{bench.rows('version')[-1].id}"
    looked, told = threading.Barrier(2), []
    stopped = deciding._stopped

    def seen(plant: Any, id: str) -> Any:
        row = stopped(plant, id)
        looked.wait(20)
        return row

    def officer(decide: Any) -> None:
        try:
            told.append(decide(bench.plant, id, **WHO))
        except NotPossible as fault:
            told.append(f"refused: {fault}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deciding, "_stopped", seen)
        officers = [threading.Thread(target=officer, args=(one,)) for one in (deciding.same, deciding.new)]
        for thread in officers:
            thread.start()
        for thread in officers:
            thread.join()
    (refused,) = (words for words in told if words.startswith("refused"))
    assert refused.endswith("somebody else has decided")
    decided = [row.action for row in bench.rows("audit")]
    assert decided in (["same request"], ["new request"])
    assert len(bench.rows("referral")) == (1 if decided == ["same request"] else 2)


def test_a_person_says_that_the_number_was_used_again(bench: Any) -> None:
    key = in_casework(bench)
    bench.take(bench.case(minute=6, our_key=key, Status="ACC"))
    assert bench.deliveries("contact")[-1] == "waiting"
    bench.take(bench.request(minute=9, **SOMEBODY_ELSE))
    deciding.new(bench.plant, f"v{bench.rows('version')[-1].id}", **WHO)
    old, new = sorted(bench.rows("referral"), key=lambda row: row.id != key)
    assert bench.facts(new)["person.name.family"] == "Prosser"
    assert bench.facts(old)["person.name.family"] == "Llŷr"
    assert bench.facts(old)["target_identifiers[system=contact].value"] is None
    assert old.person_id != new.person_id
    assert bench.row("record", connection="contact").referral_id == new.id
    # What waited for the old request would have made it a second time; the new one is sent as any other.
    assert bench.deliveries("contact", referral_id=key)[-1:] == ["closed"]
    assert bench.deliveries("casework", referral_id=new.id) == ["waiting"]
    assert bench.states(bench.request(minute=10, channel="web", **SOMEBODY_ELSE)) == ["merged"]
    assert bench.facts(old)["person.name.family"] == "Llŷr"


def test_a_wrong_number_typed_by_an_officer_is_noticed_when_the_record_comes(bench: Any) -> None:
    bench.take(bench.request())
    id = bench.row("delivery").id
    desk.settle(bench.plant, f"d{id}", how="by-hand", number="940", who="ann", why="typed during the outage")
    theirs = {"Subject__Forename": "Gwilym", "Subject__Surname": "Prosser", "Subject__DOB": "1958-11-03"}
    assert bench.states(bench.case("940", Status="ACC", **theirs)) == ["needs attention"]
    assert bench.facts()["status"] == "received"


marks = st.sampled_from(["a", "b", "c"])
people = st.fixed_dictionaries({}, optional=dict.fromkeys(identity.TELLING, marks))


def _hash(name: str, value: object) -> str:
    return f"{name}|{value}"


@given(before=people, now=people)
def test_whoever_keeps_a_name_or_a_birthday_is_no_other_person_by_two_changes(before: Any, now: Any) -> None:
    base: Base = {name: [_hash(name, value), None] for name, value in before.items()}
    facts: dict[str, Known] = {name: (value, "contact", 1) for name, value in before.items()}
    shown = {name: _hash(name, value) for name, value in now.items()}
    changed = [name for name in now if name in before and now[name] != before[name]]
    kept = [name for name in now if name in before and now[name] == before[name]]
    said = identity.is_somebody_else(shown, base, facts, _hash)
    assert said == (len(changed) >= 2 and (not kept or len(changed) >= 3))


# --- Records under another number -------------------------------------------------------------------------------------


def test_a_record_whose_number_changed_is_the_same_record(bench: Any) -> None:
    key = in_casework(bench)
    moved = bench.case("9881", minute=40, our_key=key, Status="ACC")
    system = Remembers(bench, "casework", moved)
    assert bench.states(moved) == ["needs attention"]  # as its page alone showed it
    assert system.asked == ["881"]
    assert bench.row("version", external_id="9881").state == "merged"
    assert bench.facts()["target_identifiers[system=casework].value"] == "9881"
    assert bench.facts()["status"] == "accepted"
    assert bench.row("record", external_id="881").referral_id is None
    assert bench.row("record", external_id="9881").base.keys() >= bench.row("record", external_id="881").base.keys()
    assert bench.deliveries("contact")[-1] == "waiting", "the contact centre is told the new number"
    bench.take(bench.request(minute=50, customer__last_name="Pugh"))
    assert len(bench.rows("referral")) == 1


def test_two_records_that_both_are_there_stay_a_persons_to_decide(bench: Any) -> None:
    key = in_casework(bench)
    double = bench.case("882", minute=40, our_key=key)
    Remembers(bench, "casework", bench.case("881", minute=5, our_key=key), double)
    bench.take(double)
    assert bench.row("version", external_id="882").state == "needs attention"
    assert bench.row("record", external_id="881").referral_id == key


def test_a_person_says_that_it_is_the_same_under_another_number(bench: Any) -> None:
    key = in_casework(bench)
    moved = bench.case("9881", minute=40, our_key=key, Status="ACC")
    system = Remembers(bench, "casework", moved, bench.case("881", minute=5, our_key=key))
    bench.take(moved)
    del system.items["881"]
    deciding.same(bench.plant, f"v{bench.rows('version')[-1].id}", **WHO)
    assert bench.facts()["target_identifiers[system=casework].value"] == "9881"
    assert bench.row("record", external_id="881").referral_id is None


# --- Deletions --------------------------------------------------------------------------------------------------------


def deleted(item: Item) -> Item:
    return replace(item, deleted=True, raw=item.raw + b" ")


def test_row_14_a_deletion_at_the_source_deletes_nothing_and_asks(bench: Any) -> None:
    key = in_casework(bench)
    before = len(bench.rows("delivery"))
    assert bench.states(deleted(bench.request(minute=40))) == ["needs attention"]
    assert bench.states(deleted(bench.request(minute=40))) == ["repeat"]
    [group] = desk.attention(bench.plant)
    assert (group.error, group.count) == ("deleted", 1)
    assert "nothing was deleted in any other system" in group.words
    assert len(bench.rows("delivery")) == before
    assert bench.row("referral", id=key).status == "received"
    # It was a mistake there, and is undone: the record is taken as ever.
    assert bench.states(bench.request(minute=50, customer__last_name="Pugh")) == ["merged"]
    assert desk.attention(bench.plant) == []


def test_row_14_a_route_may_say_with_which_status_the_news_goes_on(bench_with: Any) -> None:
    bench = bench_with(("    to: casework\n", "    to: casework\n    when_deleted: cancelled\n"))
    in_casework(bench)
    assert bench.states(deleted(bench.request(minute=40))) == ["merged"]
    assert bench.row("referral").status == "cancelled"
    assert bench.deliveries("casework")[-1] == "waiting"
    assert bench.rows("version")[-1].remark == "deleted there"


def test_row_14_an_empty_page_is_no_deletion(bench: Any) -> None:
    key = in_casework(bench)
    before = bench.rows("delivery"), bench.rows("version"), bench.rows("referral")
    bench.take(to="contact")
    bench.take(to="casework")
    assert (bench.rows("delivery"), bench.rows("version"), bench.rows("referral")) == before
    assert bench.row("record", connection="contact").referral_id == key


def test_what_was_deleted_before_we_ever_saw_it_is_no_referral(bench: Any) -> None:
    assert bench.states(deleted(bench.request())) == ["no change"]
    assert bench.rows("referral") == []


# --- Endings that are none --------------------------------------------------------------------------------------------


def test_a_reopened_referral_goes_on_and_is_told_as_reopened(bench: Any) -> None:
    key = in_casework(bench)
    bench.take(bench.case(minute=40, our_key=key, Status="CLO"))
    assert bench.row("referral").status == "completed"
    assert bench.states(bench.case(minute=41, our_key=key, Status="INP")) == ["merged"]
    assert bench.row("referral").status == "in_progress"
    assert bench.rows("version")[-1].remark == "reopened: it was completed"
    assert bench.deliveries("contact")[-1] == "waiting"
    assert any("reopened" in line.words for line in story.tell(bench.plant, key).lines)


def test_only_the_owner_of_the_status_reopens(bench: Any) -> None:
    key = in_casework(bench)
    bench.take(bench.case(minute=40, our_key=key, Status="CLO"))
    bench.take(bench.request(minute=41, status="in-progress"))
    assert bench.row("referral").status == "completed"
    assert bench.row("conflict", field="status").loser == "contact"


def test_entered_in_error_by_another_than_the_owner_is_a_persons_to_decide(bench: Any) -> None:
    key = in_casework(bench)
    bench.take(bench.case(minute=40, our_key=key, Status="ACC"))
    sent = len(bench.rows("delivery", connection="contact"))
    bench.take(bench.request(minute=41, status="error"))
    assert bench.row("referral").status == "accepted"
    assert bench.row("conflict", field="status").open
    assert len(bench.rows("delivery", connection="contact")) == sent, "what its author says is not written over"
    [seen] = desk.open_conflicts(bench.plant)
    assert "entered in error" in seen.why


# --- Persons ----------------------------------------------------------------------------------------------------------


def held_for(bench: Any, person: str) -> set[str]:
    """The classes of payloads whose keys are the person's."""
    return {row.__getattr__("class") for row in bench.rows("payload", person_id=person, held_by_person=True)}


def test_a_number_that_comes_later_shows_that_two_persons_are_one(bench: Any) -> None:
    bench.take(bench.request("C-1", customer__nhs_number=FIRST), bench.request("C-2"))
    one, two = (row.person_id for row in sorted(bench.rows("referral"), key=lambda row: row.id))
    assert one != two
    bench.take(bench.request("C-2", minute=5, customer__nhs_number=FIRST))
    [person] = {row.person_id for row in bench.rows("referral")}
    assert person == bench.row("person_identifier").person_id
    left = ({one, two} - {person}).pop()
    assert bench.rows("payload", person_id=left) == [], "an erasure of the one person finds all of it"
    assert {"raw", "facts"} <= held_for(bench, person)
    # And both are read as ever, with the keys under the other person's.
    for row in bench.rows("referral"):
        assert bench.facts(row)["person.nhs_number"] == FIRST
    with bench.reading() as connection:
        for row in bench.rows("version"):
            assert bench.vault.get(connection, "torfaen", row.raw)


def test_a_number_that_was_wrong_parts_what_it_had_joined(bench: Any) -> None:
    bench.take(bench.request("C-1", customer__nhs_number=FIRST), bench.request("C-2", customer__nhs_number=FIRST))
    assert len({row.person_id for row in bench.rows("referral")}) == 1
    bench.take(bench.request("C-2", minute=5, customer__nhs_number=SECOND))
    assert len({row.person_id for row in bench.rows("referral")}) == 2
    assert len(bench.rows("person_identifier")) == 2
    bench.take(bench.request("C-3", minute=6, customer__nhs_number=FIRST))
    assert len({row.person_id for row in bench.rows("referral")}) == 2


def test_a_corrected_number_names_nobody_any_more(bench: Any) -> None:
    bench.take(bench.request("C-1", customer__nhs_number=FIRST))
    bench.take(bench.request("C-1", minute=5, customer__nhs_number=SECOND))
    bench.take(bench.request("C-2", minute=6, customer__nhs_number=FIRST))
    assert len({row.person_id for row in bench.rows("referral")}) == 2


def test_a_later_number_with_a_wrong_check_digit_moves_nobody(bench: Any) -> None:
    bench.take(bench.request("C-1", customer__nhs_number=FIRST), bench.request("C-2"))
    bench.take(bench.request("C-2", minute=5, customer__nhs_number="9990000019"))
    assert len({row.person_id for row in bench.rows("referral")}) == 2
    assert len(bench.rows("person_identifier")) == 1


def test_what_is_under_way_keeps_its_line_when_the_person_changes(bench: Any) -> None:
    bench.take(bench.request("C-1", customer__nhs_number=FIRST))
    bench.take(bench.request("C-2", minute=1))
    lane = bench.rows("delivery")[-1].lane
    bench.no_answer(lane)
    bench.take(bench.request("C-2", minute=5, customer__nhs_number=FIRST))
    assert bench.rows("delivery")[-1].lane == lane, "it would overtake the create that nobody is sure of"
    assert bench.lease(lane, "boot-2/1") is None
