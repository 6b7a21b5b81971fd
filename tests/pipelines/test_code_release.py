"""Codes over the real wire: a field is left out and never blanked, and arrives when its code is mapped - also in a
process that runs, whose files change under it."""

import re
from datetime import date
from pathlib import Path
from typing import Any

from mappings.codes import CodeRow
from pipelines import code_desk, code_drift, left_out, story, unmapped

WHO = {"who": "ann", "why": "agreed with the team"}
#: Casework's list of needs as a site may have it: one of theirs for one of ours, and no more.
NEEDS = "theirs,ours\nN01,washing-and-dressing\n"
BATHING, MEALS = {"code": "bathing", "note": None}, {"code": "meals", "note": None}


def needs(town: Any) -> list[str]:
    (record,) = town.records("torfaen", "casework")
    return [need["@code"] for need in record.get("Needs", {}).get("Need", [])]


def map_it(town: Any, name: str, theirs: str, ours: str, direction: str = "both", **more: Any) -> Any:
    code_desk.map_code(town.plant, name, CodeRow(0, theirs, ours, direction, **more), **WHO)
    return code_desk.release(town.plant, name, **WHO)


def test_a_target_without_a_code_keeps_what_it_has_until_the_code_is_mapped(town: Any) -> None:
    (town.site / "codes/casework-need.csv").write_text(NEEDS, encoding="utf-8")  # the plant was built before
    made = town.ask(needs=[BATHING])
    town.rest()
    assert needs(town) == ["N01"]
    town.change("torfaen", "contact", made["id"], needs=[BATHING, MEALS], team="west")
    town.rest()
    assert needs(town) == ["N01"]  # neither blanked nor half written
    assert town.records("torfaen", "casework")[0]["Team"] == "west"  # all else went on
    (one,) = unmapped.unmapped(town.plant)
    assert (one.side, one.code, one.stopped, one.left_out) == ("write", "meals", 0, 1)
    (lacking,) = left_out.left_out(town.plant)
    assert (lacking.field, lacking.left_out) == ("needs", 1)
    told = story.tell(town.plant, _only_referral(town))
    assert any("left out: needs (unknown code)" in line.words for line in told.lines)

    done = map_it(town, "casework-need", "N02", "meals")
    assert len(done.completed) == 1
    assert code_desk.release(town.plant, "casework-need", **WHO).completed == []  # a second officer, a moment later
    town.rest()
    assert needs(town) == ["N01", "N02"]
    assert unmapped.unmapped(town.plant) == left_out.left_out(town.plant) == []


def test_a_source_with_an_unknown_code_blanks_nothing_elsewhere(town: Any) -> None:
    town.ask()
    town.rest()
    (case,) = town.records("torfaen", "casework")
    town.change("torfaen", "casework", case["ReferralId"], Status="CLO", Outcome="O03")
    town.rest()
    assert town.records("torfaen", "contact")[0]["outcome"] == "information"
    town.change("torfaen", "casework", case["ReferralId"], Outcome="O77", OutcomeReason="A new kind of help")
    town.rest()
    assert town.records("torfaen", "contact")[0]["outcome"] == "information"
    code_drift.compare(town.plant, town.plant.councils["torfaen"].wired["casework"])
    (one,) = unmapped.unmapped(town.plant)
    assert (one.side, one.field, one.code, one.left_out) == ("read", "outcome", "O77", 1)
    assert one.words == "Code O77"  # as the system itself shows it
    assert map_it(town, "casework-outcome", "O77", _ours("O02"), "read").completed == one.ids
    town.rest()
    assert town.records("torfaen", "contact")[0]["outcome"] == "reablement"


def _ours(theirs: str) -> str:
    from mappings.codes import parse

    file = Path(__file__).parents[2] / "mappings/shipped/codes/casework-outcome.csv"
    return parse(file.read_bytes(), "x").reads()[theirs]


def test_a_file_that_changes_between_reading_and_sending_counts(town: Any) -> None:
    town.ask(needs=[BATHING, MEALS])
    town.read()
    (town.site / "codes/casework-need.csv").write_text(NEEDS, encoding="utf-8")
    town.deliver()
    assert needs(town) == []  # the list as a whole is left out: half of it would be another list
    assert map_it(town, "casework-need", "N02", "meals").completed
    town.deliver()
    assert needs(town) == ["N01", "N02"]


def test_files_with_faults_keep_the_last_good_version(town: Any) -> None:
    town.ask(needs=[BATHING])
    file = town.site / "codes/casework-need.csv"
    file.write_text("theirs;ours\nN01;memory\n", encoding="utf-8")
    town.rest()
    assert needs(town) == ["N01"]
    before = town.plant.councils["torfaen"].wired["casework"].kinds["Referral"].mapping.digest
    file.write_text("theirs,ours\nN01,washing-and-dressing\nN02,meals\n", encoding="utf-8")
    assert town.plant.freshness.take_in()
    assert town.plant.councils["torfaen"].wired["casework"].kinds["Referral"].mapping.digest != before
    assert not town.plant.freshness.take_in()  # nothing moved since


def test_a_row_holds_from_its_day_and_is_only_read_after_its_last(town: Any) -> None:
    today = town.clock.instant().date()
    tomorrow = date.fromordinal(today.toordinal() + 1)
    rows = (
        f"theirs,ours,direction,from,to\nN01,washing-and-dressing,,,{today}\nN09,washing-and-dressing,,{tomorrow},\n"
    )
    (town.site / "codes/casework-need.csv").write_text(rows, encoding="utf-8")
    town.plant.refresh()
    mapping = town.plant.councils["torfaen"].wired["casework"].kinds["Referral"]

    def written() -> list[str]:
        record = mapping.mapping.write({"needs": [{"code": "washing-and-dressing", "text": None}]}).record
        return re.findall(r"N\d\d", str(record.get("Needs")))

    def read(code: str) -> Any:
        return mapping.mapping.read({"Needs": {"Need": [{"@code": code, ".": ""}]}}).facts.get("needs")

    assert written() == ["N01"]
    assert read("N09") is None  # not yet valid
    first = mapping.mapping.digest
    town.push(86_400)  # midnight comes
    town.plant.refresh()
    assert written() == ["N09"]
    assert [need["code"] for need in read("N01")] == ["washing-and-dressing"]  # in old records
    assert mapping.mapping.digest != first


def _only_referral(town: Any) -> str:
    from sqlalchemy import select

    from pipelines.tables import referral

    with town.plant.ledger.reading() as connection:
        found: str = connection.execute(select(referral.c.id)).scalar_one()
    return found
