"""The code desk: what waits for a code is shown, mapped, and released, all of it, once."""

import threading
from typing import Any

import pytest

from config.findings import SiteFaults
from mappings.codes import CodeFaults, CodeRow
from pipelines import audit, code_desk, desk, left_out, unmapped
from pipelines.causes import Cause
from pipelines.decision import Decision, Do
from pipelines.intake import Intake
from pipelines.looking import NotPossible
from pipelines.sending import Result

pytest_plugins = ("tests.pipelines.pieces",)

WHO = {"who": "ann", "why": "agreed with the team"}
PRIORITY, CHANNEL, GENDER = "contact-priority", "contact-channel", "contact-gender"


def waiting(bench: Any, **where: str) -> list[tuple[str, str, int, int]]:
    found = unmapped.unmapped(bench.plant, [where["council"]] if "council" in where else ())
    return [(one.code_list, one.code or one.words, one.stopped, one.left_out) for one in found]


def map_it(bench: Any, name: str, theirs: str, ours: str, direction: str = "read", **more: Any) -> Any:
    row = CodeRow(0, theirs, ours, direction, **more)
    code_desk.map_code(bench.plant, name, row, **WHO)
    return code_desk.release(bench.plant, name, **WHO)


def test_what_waits_is_grouped_by_code_and_shown_with_what_it_may_mean(bench: Any) -> None:
    bench.take(*(bench.request(f"C-{n}", priority="urgentt") for n in range(3)))
    bench.take(bench.request("C-8", channel="webchat"))
    (needed, left) = unmapped.unmapped(bench.plant)
    assert (needed.code_list, needed.code, needed.stopped, needed.left_out) == (PRIORITY, "urgentt", 3, 0)
    assert needed.near[0] == "urgent"
    assert (needed.council, needed.field, needed.connection) == ("torfaen", "priority", "contact")
    assert needed.ids == ["v1", "v2", "v3"]
    assert (left.code_list, left.code, left.stopped, left.left_out) == (CHANNEL, "webchat", 0, 1)
    assert unmapped.unmapped(bench.plant, ["neath-port-talbot"]) == []


@pytest.mark.parametrize(
    "value", ["Siân Llŷr", "07700 900123", "9990000018", "999-000-0018", "1941-02-28", "x" * 40, "a@example.org"]
)
def test_what_does_not_look_like_a_code_is_not_shown(bench: Any, value: str) -> None:
    bench.take(bench.request(priority=value))
    (one,) = unmapped.unmapped(bench.plant)
    assert (one.code, one.near) == ("", ())
    assert value not in repr(one)
    assert "does not look like a code" in one.words


def test_mapping_a_code_releases_what_was_stopped_in_order(bench: Any) -> None:
    bench.take(*(bench.request(f"C-{n}", priority="tomorrow") for n in range(3)))
    done = map_it(bench, PRIORITY, "tomorrow", "urgent", en="Tomorrow", cy="Yfory")
    assert (done.stopped, done.waits) == (["v1", "v2", "v3"], [])
    assert [row.state for row in bench.rows("version")] == ["merged"] * 3
    assert bench.deliveries("casework") == ["waiting"] * 3
    assert {row.priority for row in bench.rows("referral")} == {"urgent"}
    assert waiting(bench) == []
    file = (bench.folder / "codes/contact-priority.rows.csv").read_text(encoding="utf-8")
    assert "tomorrow,urgent,read,Yfory,Tomorrow,,,,\"ann, 2026-07-02: agreed with the team\"" in file
    done_by = [row.action for row in bench.rows("audit")]
    assert done_by == [*["code mapped"] * 2, *["send again"] * 3]  # two councils use the list
    assert audit.verify(bench.plant.ledger, bench.vault) is None


def test_a_second_officer_changes_nothing(bench: Any) -> None:
    bench.take(bench.request(priority="tomorrow"))
    map_it(bench, PRIORITY, "tomorrow", "urgent")
    before = (bench.folder / "codes/contact-priority.rows.csv").read_bytes()
    done = map_it(bench, PRIORITY, "tomorrow", "urgent")
    assert (done.stopped, done.completed, done.waits) == ([], [], [])
    assert (bench.folder / "codes/contact-priority.rows.csv").read_bytes() == before
    assert bench.deliveries() == ["waiting"]


def test_two_officers_at_one_moment(bench: Any) -> None:
    bench.take(*(bench.request(f"C-{n}", priority="tomorrow") for n in range(3)))
    faults: list[BaseException] = []

    def officer() -> None:
        try:
            map_it(bench, PRIORITY, "tomorrow", "urgent")
        except BaseException as fault:
            faults.append(fault)

    both = [threading.Thread(target=officer) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert faults == []
    assert [(row.state, row.revision) for row in bench.rows("version")] == [("merged", 1)] * 3
    assert bench.deliveries() == ["waiting"] * 3
    file = (bench.folder / "codes/contact-priority.rows.csv").read_text(encoding="utf-8")
    assert file.count("tomorrow") == 1
    assert audit.verify(bench.plant.ledger, bench.vault) is None


def test_other_codes_of_the_list_go_on_waiting(bench: Any) -> None:
    bench.take(bench.request("C-1", priority="tomorrow"), bench.request("C-2", priority="whenever"))
    done = map_it(bench, PRIORITY, "tomorrow", "urgent")
    assert (done.stopped, done.waits) == (["v1"], ["v2"])
    assert waiting(bench) == [(PRIORITY, "whenever", 1, 0)]


def test_a_field_that_was_left_out_arrives_now(bench: Any) -> None:
    bench.take(bench.request(channel="webchat"))
    bench.arrived(bench.row("delivery").lane, "940")
    assert "channel" not in bench.facts()
    done = map_it(bench, CHANNEL, "webchat", "web")
    assert (done.stopped, done.completed) == ([], ["v1"])
    assert bench.facts()["channel"] == "web"
    assert bench.row("version", connection="contact").gaps is None
    assert bench.deliveries("casework")[-1] == "waiting"
    assert code_desk.release(bench.plant, CHANNEL, **WHO).completed == []


def test_what_is_read_again_sets_nothing_back_that_was_written_there_since(bench: Any) -> None:
    bench.take(bench.request(channel="webchat"))
    bench.arrived(bench.row("delivery").lane, "940")
    bench.arrived(bench.row("delivery", connection="contact").lane, "C-1", minute=10, how="updated", version="5")
    assert map_it(bench, CHANNEL, "webchat", "web").completed == ["v1"]
    assert bench.facts()["channel"] == "web"
    assert bench.row("record", connection="contact").version == "5"


def test_what_was_no_news_with_a_field_left_out_is_read_again_too(bench: Any) -> None:
    bench.take(bench.request())
    bench.take(bench.request(minute=1, channel="webchat", internal_notes="Rang back"))
    assert [row.state for row in bench.rows("version")] == ["merged", "no change"]
    assert bench.facts()["channel"] == "phone"  # nobody knows the new one, so the old one stands
    assert map_it(bench, CHANNEL, "webchat", "web").completed == ["v2"]
    assert bench.facts()["channel"] == "web"
    assert bench.rows("version")[-1].state == "merged"


def test_a_newer_version_with_a_known_code_takes_the_older_off_the_list(bench: Any) -> None:
    bench.take(bench.request(channel="webchat"))
    bench.take(bench.request(minute=1, channel="email"))
    assert waiting(bench) == []
    assert map_it(bench, CHANNEL, "webchat", "web").completed == []
    assert bench.facts()["channel"] == "email"


def test_reading_again_what_changes_nothing_leaves_it_as_it_was(bench: Any) -> None:
    bench.take(bench.request())
    Intake(bench.plant, bench.council).again([1])
    assert [(row.state, row.revision) for row in bench.rows("version")] == [("merged", 1)]


def test_a_list_of_ours_is_refused_whole_if_a_mapping_could_not_use_it(bench: Any) -> None:
    with pytest.raises(SiteFaults, match="no-such-priority"):
        map_it(bench, PRIORITY, "tomorrow", "no-such-priority")
    with pytest.raises(CodeFaults, match="one row to write each code"):
        map_it(bench, PRIORITY, "tomorrow", "urgent", direction="both")
    with pytest.raises(NotPossible, match=r"(?i)did you mean"):
        map_it(bench, "contact-priorty", "tomorrow", "urgent")
    with pytest.raises(NotPossible):
        map_it(bench, "../x", "tomorrow", "urgent")
    assert not list((bench.folder / "codes").glob("contact-*"))


def test_a_sites_own_copy_is_changed_itself(bench: Any, site_folder: Any) -> None:
    folder = site_folder / "codes"
    row = CodeRow(0, "same-day", "urgent", "read")
    file = code_desk.map_code(bench.plant, "blaenau-gwent-priority-contact", row, **WHO)
    assert file == "codes/blaenau-gwent-priority-contact.csv"
    text = (folder / "blaenau-gwent-priority-contact.csv").read_text(encoding="utf-8")
    assert 'same-day,urgent,read,,,,,"ann, 2026-07-02: agreed with the team"\n' in text


def test_a_row_that_waits_is_filled_in(bench: Any) -> None:
    file = bench.folder / "codes/contact-priority.rows.csv"
    file.write_text("theirs,ours,en\ntomorrow,,Tomorrow\n", encoding="utf-8")
    bench.take(bench.request(priority="tomorrow"))
    (one,) = unmapped.unmapped(bench.plant)
    assert (one.code, one.words) == ("tomorrow", "Tomorrow")
    assert map_it(bench, PRIORITY, "tomorrow", "urgent").stopped == ["v1"]
    (_, row) = file.read_text(encoding="utf-8").splitlines()
    assert row == 'tomorrow,urgent,Tomorrow,read,"ann, 2026-07-02: agreed with the team"'


def test_a_delivery_stopped_for_a_code_is_written_again(bench: Any) -> None:
    """Casework cannot say one of our priorities: the owner adds the code of theirs that is written for it."""
    (bench.folder / "codes/casework-priority.csv").write_text("theirs,ours\nP1,emergency\nP2,urgent\n", "utf-8")
    bench.take(bench.request(priority="routine"))
    job = bench.job(bench.row("delivery").lane)
    why = Cause("casework", "write", "unknown code", "priority: no row", "priority", "casework-priority")
    bench.write(Result(job, words="no row", decision=Decision(Do.ATTENTION), cause=why))
    (one,) = unmapped.unmapped(bench.plant)
    assert (one.side, one.code, one.field, one.stopped) == ("write", "routine", "priority", 1)
    assert map_it(bench, "casework-priority", "P3", "routine", "both").stopped == ["d1"]
    assert bench.deliveries("casework") == ["waiting"]


def test_attention_lists_what_was_left_out(bench: Any) -> None:
    bench.take(bench.request(channel="webchat"))
    (group,) = left_out.left_out(bench.plant)
    assert (group.field, group.code_list, group.left_out, group.count) == ("channel", CHANNEL, 1, 0)
    assert desk.attention(bench.plant) == []


def test_many_are_counted_and_released_though_not_all_are_opened_to_look(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.take(*(bench.request(f"C-{n}", priority="tomorrow", channel="webchat") for n in range(7)))
    bench.take(*(bench.request(f"D-{n}", priority="whenever") for n in range(2)))
    monkeypatch.setattr(unmapped, "MOST", 1)
    monkeypatch.setattr(unmapped, "MOST_NAMED", 3)
    monkeypatch.setattr(unmapped, "_A_PAGE", 3)
    read, get = [], bench.plant.vault.get
    monkeypatch.setattr(bench.plant.vault, "get", lambda *of: (read.append(of), get(*of))[1])
    found = [(one.code or one.words, one.stopped, len(one.ids)) for one in unmapped.unmapped(bench.plant)]
    assert found == [("tomorrow", 7, 3), ("the kept record was not opened", 2, 0)]
    assert len(read) == 1
    monkeypatch.undo()
    assert len(map_it(bench, PRIORITY, "tomorrow", "urgent").stopped) == 7
    assert len(map_it(bench, CHANNEL, "webchat", "web").completed) == 7
