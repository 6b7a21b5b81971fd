"""Code drift over the real wire: what a system's own lists hold, asked by hand and every night."""

from typing import Any

from mappings.codes import CodeRow
from pipelines import code_desk, code_drift, overview
from pipelines.code_drift import CodeWatch
from pipelines.runs import Runs


def drifts(town: Any, council: str = "torfaen") -> dict[str, tuple[Any, Any]]:
    found = code_drift.compare(town.plant, town.plant.councils[council].wired["casework"])
    assert not any(one.words for one in found)
    return {one.code_list: (one.new, one.gone) for one in found if one.drifted}


def test_a_code_that_the_system_has_and_the_list_has_not(town: Any) -> None:
    for council in town.plant.councils:
        assert drifts(town, council) == {}  # each council's own lists, where it has some
    town.ask()
    town.rest()
    (case,) = town.records("torfaen", "casework")
    town.change("torfaen", "casework", case["ReferralId"], Outcome="O77")
    assert drifts(town) == {"casework-outcome": ((("O77", "Code O77"),), ())}
    row = CodeRow(0, "O77", "nfa-information", "read")
    code_desk.map_code(town.plant, "casework-outcome", row, who="ann", why="as O03")
    assert drifts(town) == {}


def test_a_code_that_would_be_written_and_is_gone(town: Any) -> None:
    rows = "theirs,ours,from,to\nP1,emergency\nP2,urgent\nP7,routine,2020-01-02,\nP3,routine,,2020-01-01\n"
    (town.site / "codes/casework-priority.csv").write_text(rows, encoding="utf-8")
    assert drifts(town) == {"casework-priority": ((), (("P7", "routine"),))}


def test_a_system_that_does_not_answer_is_told_and_is_no_drift(town: Any) -> None:
    town.faults("torfaen", "casework", error_before={"status": 500})
    found = code_drift.compare(town.plant, town.plant.councils["torfaen"].wired["casework"])
    assert [(one.drifted, bool(one.words)) for one in found] == [(False, True)] * 5


def test_it_is_asked_every_night_and_shown(town: Any) -> None:
    (town.site / "codes/casework-priority.csv").write_text("theirs,ours\nP1,emergency\nP2,urgent\n", encoding="utf-8")
    watch, runs = CodeWatch(town.plant), Runs(town.plant, "boot-1")
    watch(runs)
    assert overview.look(town.plant).codes == []  # what was planned before is not made up for
    town.push(86_400)
    for _ in range(4):  # one connection a turn
        watch(runs)
        watch.close()
        town.push(10)
    seen = {(one.council, one.connection): one for one in overview.look(town.plant).codes}
    assert set(seen) == {(code, "casework") for code in ("torfaen", "blaenau-gwent")} | {
        key for key in seen if key[0] == "neath-port-talbot"
    }
    (drift,) = seen["torfaen", "casework"].drifts
    assert (drift.code_list, drift.new) == ("casework-priority", (("P3", "Routine"),))
    assert seen["blaenau-gwent", "casework"].drifts == ()
    before = seen["torfaen", "casework"].at
    watch(runs)
    watch.close()
    assert {one.connection: one.at for one in overview.look(town.plant).codes if one.council == "torfaen"} == {
        "casework": before
    }  # once a night
