"""What two-way traffic does to systems that were restored, that deleted a record, or that have no word for an error.

Over real HTTP, with the systems of the rig: rules R12, R14 and R15 of docs/data-model.md at the moment of sending.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import select

from pipelines import desk, overview
from pipelines.tables import delivery, referral, version
from tests.rig.hands import Rig, system_of

WHO = {"who": "ann", "why": "agreed on the telephone"}
TIERS = {"alder": "A", "cedar": "B"}


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    made = Rig(tmp_path, TIERS)
    yield made
    made.close()
    structlog.reset_defaults()


def rows(rig: Rig, table: Any, **where: Any) -> list[Any]:
    with rig.plant.ledger.reading() as connection:
        return list(connection.execute(select(table).filter_by(**where).order_by(*table.primary_key.columns)))


def turn(rig: Rig, turns: int = 14) -> None:
    """Read, send and let time pass, and no officer does anything."""
    for _ in range(turns):
        for code in rig.tiers:
            for side in ("desk", "care"):
                rig.read(code, side)
                while rig.lease(9, code, side, 8):
                    while rig.send(9):
                        pass
                    rig.write(9)
        rig.push(20)


def in_both(rig: Rig, code: str) -> tuple[Any, Any]:
    """A case that the desk and care both hold. Returns both."""
    case = system_of(rig, code, "desk").type_in("Prys")
    turn(rig, 3)
    (held,) = system_of(rig, code, "care").of("Prys")
    return case, held


@pytest.mark.parametrize("code", TIERS)
def test_a_target_that_was_restored_is_told_of_and_mended_by_a_persons_word(rig: Rig, code: str) -> None:
    desk_, care = system_of(rig, code, "desk"), system_of(rig, code, "care")
    case, held = in_both(rig, code)
    backup = copy.deepcopy(held)
    for text in ("second", "third"):
        rig.push(60)
        desk_.change(case.id, reason=text)
        turn(rig, 3)
    assert care.cases[held.id].body["reason"] == "third"
    rig.push(3600)
    care.cases[held.id] = backup  # the night's backup is put back: no stamp is new, so no walk shows it
    desk_.change(case.id, priority="urgent")
    turn(rig)
    (group,) = desk.attention(rig.plant)
    assert (group.error, group.connection, len(group.versions), len(group.deliveries)) == ("regressed", "care", 1, 1)
    assert desk_.cases[case.id].body["reason"] == "third", "what care lost is not lost at the desk"
    done = desk.replay(rig.plant, [], fingerprint=group.fingerprint, **WHO)
    assert done.not_done == []
    turn(rig, 4)
    assert desk.attention(rig.plant) == []
    assert (care.cases[held.id].body["reason"], care.cases[held.id].body["priority"]) == ("third", "urgent")
    assert len(care.of("Prys")) == 1
    assert overview.look(rig.plant).sums_agree
    desk_.change(case.id, reason="fourth")
    turn(rig, 4)
    assert care.cases[held.id].body["reason"] == "fourth", "and all goes on as before"


def test_what_staff_typed_into_a_restored_system_is_kept(rig: Rig) -> None:
    desk_, care = system_of(rig, "alder", "desk"), system_of(rig, "alder", "care")
    case, held = in_both(rig, "alder")
    backup = copy.deepcopy(desk_.cases[case.id])
    rig.push(60)
    desk_.change(case.id, reason="second", person={"last_name": "Prys", "mobile": "07700 900111"})
    rig.push(60)
    desk_.change(case.id, reason="third")
    turn(rig, 3)
    rig.push(3600)
    desk_.cases[case.id] = backup
    desk_.change(case.id, notes="rang back", priority="urgent")  # the numbers begin again where the backup was
    turn(rig, 3)
    assert care.cases[held.id].body["reason"] == "third"
    (group,) = desk.attention(rig.plant)
    assert group.error == "regressed"
    desk.replay(rig.plant, [], fingerprint=group.fingerprint, **WHO)
    turn(rig, 4)
    mended, told = desk_.cases[case.id].body, care.cases[held.id].body
    assert (mended["reason"], mended["priority"], mended["notes"]) == ("third", "urgent", "rang back")
    assert mended["person"]["mobile"] in ("07700 900111", "+447700900111")
    assert (told["reason"], told["priority"]) == ("third", "urgent")
    assert desk.attention(rig.plant) == []


def test_what_is_typed_between_a_persons_word_and_the_sending_is_not_written_over(rig: Rig) -> None:
    desk_, care = system_of(rig, "alder", "desk"), system_of(rig, "alder", "care")
    case, held = in_both(rig, "alder")
    backup = copy.deepcopy(desk_.cases[case.id])
    rig.push(60)
    desk_.change(case.id, reason="second", priority="urgent")
    turn(rig, 3)
    rig.push(3600)
    desk_.cases[case.id] = backup
    rig.clock.at += 1_000_000
    desk_.change(case.id, notes="rang back")
    desk_.cases[case.id].version = 1  # a number lower than the one that we know
    turn(rig, 2)
    (group,) = desk.attention(rig.plant)
    desk.replay(rig.plant, [], fingerprint=group.fingerprint, **WHO)
    rig.push(2)
    desk_.change(case.id, reason="typed this minute")
    turn(rig, 5)
    assert (desk_.cases[case.id].body["reason"], desk_.cases[case.id].body["priority"]) == (
        "typed this minute",
        "urgent",
    )
    assert care.cases[held.id].body["reason"] == "typed this minute"
    assert desk.attention(rig.plant) == []


@pytest.mark.parametrize("code", TIERS)
def test_row_14_a_record_that_the_target_deleted_is_not_made_anew_unasked(rig: Rig, code: str) -> None:
    desk_, care = system_of(rig, code, "desk"), system_of(rig, code, "care")
    case, held = in_both(rig, code)
    del care.cases[held.id]
    desk_.change(case.id, reason="second")
    turn(rig, 30)
    assert care.of("Prys") == []
    (group,) = desk.attention(rig.plant)
    assert group.error == "NotThere"
    (id,) = group.deliveries
    desk.settle(rig.plant, f"d{id}", how="not-arrived", number="", **WHO)
    turn(rig, 4)
    assert [made.body["reason"] for made in care.of("Prys")] == ["second"]
    assert desk.attention(rig.plant) == []


def test_two_records_of_one_key_renumbered_there(rig: Rig) -> None:
    """The supplier moves its cases to new numbers: each is known again by our key, once the old number is gone."""
    care = system_of(rig, "cedar", "care")
    case, held = in_both(rig, "cedar")
    moved = copy.deepcopy(held)
    moved.id, moved.stamp, moved.version = "moved-1", int(rig.clock.seconds()), held.version + 1
    moved.body = {**held.body, "status": "accepted"}
    del care.cases[held.id]
    care.cases[moved.id] = moved
    turn(rig, 4)
    assert desk.attention(rig.plant) == []
    assert len(rows(rig, referral)) == 1
    assert system_of(rig, "cedar", "desk").cases[case.id].body["status"] == "accepted"
    system_of(rig, "cedar", "desk").change(case.id, reason="second")
    turn(rig, 4)
    assert [one.id for one in care.of("Prys")] == ["moved-1"]
    assert moved.body["reason"] == "second"


# --- Entered in error -------------------------------------------------------------------------------------------------


@pytest.fixture
def with_error(rig: Rig) -> Callable[[str], Rig]:
    """Give the code list a word for it: in both directions, or for reading alone."""

    def give(direction: str, *, told: bool = True) -> Rig:
        codes, mapping = rig.site / "codes/rig-status.csv", rig.site / "mappings/peer/desk.yaml"
        row = f"error,entered_in_error,{direction},Gwall,Entered in error,,,\n"
        codes.write_text(codes.read_text(encoding="utf-8") + row, encoding="utf-8")
        if not told:  # the desk's own status is read, and never written
            text = mapping.read_text(encoding="utf-8")
            assert "codes: rig-status, needed: true" in text
            changed = text.replace("codes: rig-status, needed: true", "codes: rig-status, direction: read")
            mapping.write_text(changed, encoding="utf-8")
        rig.plant.close()
        rig.begin()
        return rig

    return give


def test_entered_in_error_is_carried_where_there_is_a_code(with_error: Any) -> None:
    rig = with_error("both")
    case, held = in_both(rig, "alder")
    system_of(rig, "alder", "care").change(held.id, status="error")
    turn(rig, 4)
    assert system_of(rig, "alder", "desk").cases[case.id].body["status"] == "error"
    assert desk.attention(rig.plant) == []


def test_entered_in_error_needs_attention_where_there_is_no_code(with_error: Any) -> None:
    rig = with_error("read")
    case, held = in_both(rig, "alder")
    system_of(rig, "alder", "care").change(held.id, status="error")
    turn(rig, 4)
    assert system_of(rig, "alder", "desk").cases[case.id].body["status"] == "new"
    (group,) = desk.attention(rig.plant)
    assert (group.field, group.connection, group.error) == ("status", "desk", "unknown code")


def test_entered_in_error_needs_attention_where_no_status_is_told_at_all(with_error: Any) -> None:
    rig = with_error("both", told=False)
    _, held = in_both(rig, "alder")
    system_of(rig, "alder", "care").change(held.id, status="accepted", status_reason="seen")
    turn(rig, 4)
    assert desk.attention(rig.plant) == []
    system_of(rig, "alder", "care").change(held.id, status="error")
    turn(rig, 4)
    (group,) = desk.attention(rig.plant)
    assert (group.field, group.connection, group.error) == ("status", "desk", "entered in error")


def test_what_was_entered_in_error_before_it_was_sent_is_never_made(with_error: Any) -> None:
    rig = with_error("both")
    desk_, care = system_of(rig, "alder", "desk"), system_of(rig, "alder", "care")
    case = desk_.type_in("Prys")
    rig.read("alder", "desk")
    rig.push(2)
    desk_.change(case.id, status="error")
    rig.read("alder", "desk")
    turn(rig, 3)
    assert care.of("Prys") == []
    (row,) = rows(rig, delivery, state="not sent")
    assert row.reason.startswith("entered in error")
    assert [one.state for one in rows(rig, version)] == ["merged", "merged"]


def test_g3_a_status_that_died_after_it_was_carried_out_hides_no_later_one(rig: Rig) -> None:
    """Found by a thousand kills: the call was carried out and its worker died; the desk's record could not be taken in,
    as it bore a code that nobody has mapped; and each later status was taken for an edit at the desk, for ever."""
    desk_, care = system_of(rig, "alder", "desk"), system_of(rig, "alder", "care")
    case, held = in_both(rig, "alder")
    rig.push(60)
    care.change(held.id, status="accepted")
    desk_.change(case.id, status="accepted", priority="nobody-mapped-this")  # as the dead call left it, and an edit
    turn(rig, 3)
    assert [group.code_list for group in desk.attention(rig.plant)] == ["rig-priority"]
    rig.push(60)
    care.change(held.id, status="in-progress")
    turn(rig, 3)
    assert desk_.cases[case.id].body["status"] == "in-progress"
    assert desk_.cases[case.id].body["priority"] == "nobody-mapped-this"
