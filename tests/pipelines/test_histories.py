"""The ten awkward histories of docs/data-model.md, each as far as it goes without a live target.

What a target would have said is written down as the worker writes it. The numbers are those of the page.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.port import Page
from pipelines import desk, lanes
from pipelines.clock import to_time
from pipelines.decision import Decision, Do
from pipelines.jobs import Job
from pipelines.merge import last_known
from pipelines.sending import Result
from pipelines.walks import Walker
from tests.pipelines.pieces import NOON

pytest_plugins = ("tests.pipelines.pieces",)

MOBILE = "person.telecom[system=phone,use=mobile].value"
FORM = """
  form:
    profile: contact
    owner: {name: Digital team, phone: "01632 960103"}
    supplier: ourselves
    connect:
      url: http://127.0.0.1:8765/torfaen/form/api
      login: {api_key: {header: X-Key, key: env:TORFAEN_CONTACT_SECRET}}
    records:
      Request:
        mapping: torfaen/form
        match: ["source_identifiers[system=contact].value"]
    owns: []
    schedule: {every: PT2S}
"""
FORM_MAPPING = """
extends: contact/request
fields:
  - {ours: "source_identifiers[system=contact].value", theirs: contact_number, max_length: 20}
"""
FORM_ROUTE = """
  - name: form-to-casework
    from: form
    to: casework
    record: Referral
    carries: state
    creates_persons: true
    arrive_within: PT15M
    purpose: To assess and arrange care and support for an adult who asks for it
    lawful_basis: UK GDPR 6(1)(e) and 9(2)(h)
    agreement: ISP-T-2026-4
    owner: Head of Adult Services
    retention: P90D
"""


def lane_to(bench: Any, target: str) -> str:
    return str(bench.rows("delivery", connection=target)[-1].lane)


def in_casework(bench: Any, number: str = "881", minute: int = 5) -> str:
    """A request that casework holds, all echoes confirmed. Returns its key."""
    bench.take(bench.request())
    bench.arrived(lane_to(bench, "casework"), number, minute=minute)
    bench.take(bench.case(number, minute=minute, our_key=bench.row("referral").id))
    return str(bench.row("referral").id)


@pytest.fixture
def two_sources(bench_with: Any, site_folder: Path) -> Any:
    """Torfaen with a web form of its own beside the contact centre."""
    mine = site_folder / "mappings" / "torfaen"
    mine.mkdir()
    (mine / "form.yaml").write_text(FORM_MAPPING, encoding="utf-8")
    return bench_with(("connections:\n", "connections:" + FORM), ("routes:\n", "routes:" + FORM_ROUTE))


OTHER = [{"type": "mobile", "value": "07700 900111", "ok_to_text": True}]


@pytest.mark.parametrize("first", ["form", "contact"])
def test_1_two_sources_feed_one_target(two_sources: Any, first: str) -> None:
    bench = two_sources
    form = bench.request("F-1", contact_number="C-1", customer__contacts=OTHER)
    if first == "form":
        assert bench.states(form, to="form") == ["merged"]
        [waiting] = bench.rows("delivery", connection="casework")
        assert bench.states(bench.request("C-1", minute=1)) == ["merged"]
        assert bench.row("conflict", field=MOBILE).loser == "form"
    else:
        bench.take(bench.request("C-1", minute=1))
        [waiting] = bench.rows("delivery", connection="casework")
        bench.take(form, to="form")
        assert bench.row("conflict", field=MOBILE).winner == "contact"
    assert len(bench.rows("referral")) == 1
    assert bench.facts()[MOBILE] == "+447700900123"  # contact owns `person`
    assert bench.row("delivery", id=waiting.id).state == "replaced"
    job = bench.arrived(lane_to(bench, "casework"), "881", minute=2)
    assert job.row.revision == bench.row("proof").revision == 2
    assert bench.deliveries("casework") == ["replaced", "arrived"]
    assert [row.external_id for row in bench.rows("record", connection="casework")] == ["881"]


def test_2_a_create_in_doubt_shows_up_in_the_next_change_feed(bench: Any) -> None:
    bench.take(bench.request())
    key, lane = bench.row("referral").id, lane_to(bench, "casework")
    bench.no_answer(lane)
    assert bench.deliveries("casework") == ["not sure"]
    # The old echo of our create, with a status of theirs: their name for the person overrides nothing.
    assert bench.states(bench.case("881", our_key=key, Status="TRI", Subject__Surname="Llyr")) == ["merged"]
    assert bench.row("record", connection="casework").referral_id == key
    assert (bench.facts()["status"], bench.facts()["person.name.family"]) == ("in_triage", "Llŷr")
    bench.clock.pass_by(60)
    job = bench.job(lane)
    assert job.look_up
    assert bench.write(Result(job, how="found", external_id="881", version="1", revision=1))
    assert bench.row("proof").how == "found"
    assert len(bench.rows("record", connection="casework")) == 1
    assert bench.deliveries("casework")[0] == "arrived"


def test_2_and_a_person_who_was_faster_makes_no_second_record(bench: Any) -> None:
    bench.take(bench.request())
    key, lane = bench.row("referral").id, lane_to(bench, "casework")
    id = bench.no_answer(lane).row.id
    desk.settle(bench.plant, f"d{id}", how="arrived", number="881", who="ann", why="seen on the screen")
    assert bench.states(bench.case("881", our_key=key)) in (["merged"], ["no change"])
    assert [row.referral_id for row in bench.rows("record", connection="casework")] == [key]
    assert len(bench.rows("referral")) == 1


def test_3_a_correction_arrives_while_its_predecessor_needs_attention(bench: Any) -> None:
    assert bench.states(bench.request(priority="tomorrow")) == ["needs attention"]
    assert bench.states(bench.request(minute=1)) == ["merged"]
    assert [row.state for row in bench.rows("version")] == ["replaced", "merged"]
    # The other case: it is the delivery that needs attention.
    job = bench.job(lane_to(bench, "casework"))
    assert bench.write(Result(job, error="Rejected", words="no", decision=Decision(Do.ATTENTION)))
    bench.take(bench.request(minute=2, customer__last_name="Pugh"))
    assert bench.deliveries("casework") == ["replaced", "waiting"]
    # And the third: one that is not sure is left alone, the newer one waits behind it.
    bench.no_answer(lane_to(bench, "casework"))
    bench.take(bench.request(minute=3, customer__last_name="Rees"))
    assert bench.deliveries("casework") == ["replaced", "not sure", "waiting"]
    assert bench.lease(lane_to(bench, "casework"), "boot-2/1") is None


class NewestFirst:
    """A source that pages its changes newest first, seven pages of one record, and notes what it was asked."""

    def __init__(self, bench: Any) -> None:
        self.real = bench.council.wired["contact"].connector
        self.items = [bench.request(f"C-{n}", minute=n) for n in range(7)]
        self.asked: list[tuple[str, str]] = []
        self.dies_at = ""

    def changes(self, kind: str, *, watermark: str, cursor: str = "", limit: int | None = None) -> Any:
        self.asked.append((watermark, cursor))
        if cursor and cursor == self.dies_at:
            raise KeyboardInterrupt
        _, _, at = cursor.partition("|")
        newest = cursor.partition("|")[0] or f"{self.items[-1].modified:%H:%M}"
        fresh = [item for item in reversed(self.items) if f"{item.modified:%H:%M}" > (watermark or "")]
        place = int(at or 0)
        more = place + 1 < len(fresh)
        return Page(fresh[place : place + 1], f"{newest}|{place + 1}" if more else "", newest)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)  # what it offers and which tier it has


def walked(bench: Any, source: Any) -> Any:
    wired = bench.council.wired["contact"]
    wired._open, wired._connector = (lambda *_: source), None
    return Walker(bench.plant, bench.council).walk(wired, wired.kinds["Request"])


def test_4_newest_first_paging_with_a_crash_in_the_middle(bench: Any) -> None:
    source = NewestFirst(bench)
    source.dies_at = "11:06|3"
    with pytest.raises(KeyboardInterrupt):
        walked(bench, source)
    held = bench.row("walk")
    assert (held.cursor, held.watermark) == ("11:06|3", "")
    assert len(bench.rows("referral")) == 3
    bench.restart()
    source.dies_at, source.asked = "", []
    source.items.append(bench.request("C-9", minute=9))  # changed meanwhile: it belongs to the next walk
    source.items.sort(key=lambda item: item.modified)
    done = walked(bench, source)
    assert source.asked[0] == ("", "11:06|3")  # the same walk goes on
    assert done.complete
    assert bench.row("walk").watermark == "11:06"
    assert done.taken.repeats == 1  # moved down by the newer one, seen twice, the same version
    again = walked(bench, source)
    assert source.asked[-1] == ("11:06", "")
    assert again.complete
    assert {row.external_id for row in bench.rows("record")} == {f"C-{n}" for n in (*range(7), 9)}
    assert bench.row("walk").watermark == "11:09"


def test_5_two_referrals_of_one_new_person_at_once(bench: Any) -> None:
    bench.take(
        bench.request("C-1", customer__nhs_number="9990000018"), bench.request("C-2", customer__nhs_number="9990000018")
    )
    assert len(bench.rows("person")) == 1
    lane = bench.row("lane").id
    assert lane == f"torfaen/casework/{bench.row('person').id}"
    first = bench.job(lane)
    assert bench.lease(lane, "w2") is None  # the second waits for the first
    assert bench.write(Result(first, how="created", external_id="881", revision=1))
    second = bench.job(lane)
    assert (first.row.referral_id, second.row.referral_id) == tuple(
        row.referral_id for row in bench.rows("delivery", connection="casework")
    )


def test_6_an_edit_in_the_target_between_our_reading_and_our_writing(bench: Any) -> None:
    key = in_casework(bench)
    bench.take(bench.case(minute=10, our_key=key, Status="ACC"))
    lane = lane_to(bench, "contact")
    job = bench.job(lane)
    # The check against the version fails: not done, and written again from what is there then.
    assert bench.write(Result(job, error="Outdated", words="changed", decision=Decision(Do.AGAIN)))
    assert bench.rows("delivery", connection="contact")[-1].state == "waiting"
    # Version 8 there: our status, and the telephone that contact staff typed after version 6.
    bench.arrived(lane, "C-1", minute=12, how="updated", version="8", expected={"status": "accepted"})
    before = bench.row("referral").revision
    edited = bench.request(
        minute=12, version=8, status="accepted", customer__contacts=[{"type": "mobile", "value": "07700 900999"}]
    )
    assert bench.states(edited) == ["merged"]
    assert bench.facts()[MOBILE] == "+447700900999"
    assert bench.facts()["status"] == "accepted"
    assert bench.row("referral").revision == before + 1
    assert bench.deliveries("casework")[-1] == "waiting"
    assert "status" not in {row.field for row in bench.rows("conflict")}


@pytest.mark.parametrize("stamp", [40, 41], ids=["within one second", "later"])
def test_6_an_edit_on_top_of_our_writing_that_its_feed_shows_before_our_answer_is_noted(bench: Any, stamp: int) -> None:
    """Seen in a long run: the correction took the edit for one that was still to come, and held back for ever.

    Casework's owner of the telephone is the contact centre; both type another one at the same time.
    """
    key = in_casework(bench)
    lane = lane_to(bench, "casework")
    bench.take(bench.request(minute=30, customer__contacts=[{"type": "mobile", "value": "07700 900456"}]))
    job = bench.job(lane)
    typed = bench.case(minute=stamp, our_key=key, Version="42", Subject__Mobile="07700 900789")
    assert bench.states(typed) == ["merged"]
    answer = Result(job, how="updated", external_id="881", version="41", revision=bench.row("referral").revision)
    answer.modified, answer.expected = to_time(NOON + timedelta(minutes=40)), {MOBILE: "+447700900456"}
    assert bench.write(answer)
    held = bench.row("record", connection="casework")
    there = bench.plant.vault.hash_value("torfaen", MOBILE, "+447700900789")
    assert (last_known(held.base, MOBILE), held.version) == (there, "42")
    (again,) = bench.rows("delivery", connection="casework", state="waiting")
    assert again.id > job.row.id, "which writes the owner's there"


def test_7_an_old_page_overtakes_our_write(bench: Any) -> None:
    key = in_casework(bench)
    slow_page = bench.request(minute=6, version=6, internal_notes="the page that was slow")
    bench.take(bench.case(minute=10, our_key=key, Status="ACC"))
    bench.arrived(lane_to(bench, "contact"), "C-1", minute=12, how="updated", version="8",
                  expected={"status": "accepted"})  # fmt: skip
    before = bench.row("referral").revision
    assert bench.states(slow_page) == ["older"]
    assert (bench.row("referral").revision, bench.facts()["status"]) == (before, "accepted")
    assert bench.row("record", connection="contact").version == "8"


def test_7_without_stamps_it_is_an_old_view(bench: Any) -> None:
    key = in_casework(bench)
    bench.take(bench.case(minute=10, our_key=key, Status="ACC"))
    bench.arrived(lane_to(bench, "contact"), "C-1", how="updated", expected={"status": "accepted"})
    old = bench.request(internal_notes="the page that was slow")
    assert bench.states(old) == ["no change"]
    assert bench.facts()["status"] == "accepted"


def test_8_typed_in_by_hand_during_an_outage(bench: Any) -> None:
    bench.take(bench.request())
    id = bench.row("delivery").id
    desk.settle(bench.plant, f"d{id}", how="by-hand", number="940", who="ann", why="typed during the outage")
    record = bench.row("record", connection="casework")
    assert (record.external_id, record.referral_id, record.base) == ("940", bench.row("referral").id, {})
    assert bench.deliveries("casework") == ["settled", "waiting"], "what nobody could type is written by the next"
    assert bench.states(bench.case("940", Status="ACC", Subject__Surname="Llyr")) == ["merged"]
    assert len(bench.rows("referral")) == 1
    assert (bench.facts()["status"], bench.facts()["person.name.family"]) == ("accepted", "Llŷr")
    # Contact is told the number, and the next revision is an update of 940, never a create.
    assert bench.facts()["target_identifiers[system=casework].value"] == "940"
    assert bench.deliveries("contact")[-1] == "waiting"
    bench.take(bench.request(minute=40, customer__last_name="Pugh"))
    assert bench.deliveries("casework")[-1] == "waiting"
    assert [row.external_id for row in bench.rows("record", connection="casework")] == ["940"]


def test_8_and_the_feed_came_first(bench: Any) -> None:
    bench.take(bench.request())
    assert bench.states(bench.case("940", SourceReference="C-1")) in (["merged"], ["no change"])
    assert len(bench.rows("referral")) == 1
    assert bench.row("record", connection="casework").referral_id == bench.row("referral").id


def test_9_the_process_is_killed_at_each_step_of_a_page(bench: Any) -> None:
    items = [bench.request(f"C-{n}", customer__nhs_number="9990000018") for n in range(3)]

    def killed(connection: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench.take(*items, place=killed)  # during: everything of the page is rolled back
    bench.restart()
    assert all(bench.rows(name) == [] for name in ("version", "record", "referral", "person", "delivery", "payload"))
    assert bench.take(*items).news == 3  # it is read again
    bench.restart()  # after: the wake-ups died with the process
    with bench.reading() as connection:
        assert lanes.due_now(connection, [("torfaen", "casework")], bench.clock.now())
    # A worker that dies in mid-call: a create becomes not sure and is looked up before anything is sent.
    job = bench.job(bench.row("lane").id, "doomed")
    bench.restart()
    assert bench.lease(job.lease.lane, "w2") is None
    bench.clock.pass_by(3600)
    again = bench.job(job.lease.lane, "w2")
    assert again.row.id == job.row.id
    assert again.look_up
    assert bench.rows("attempt")[0].outcome == "died"


def test_9_an_update_that_is_checked_waits_again(bench: Any) -> None:
    in_casework(bench)
    bench.take(bench.request(minute=20, customer__last_name="Pugh"))
    lane = lane_to(bench, "casework")
    job = bench.job(lane, "doomed")
    bench.clock.pass_by(3600)
    again = bench.job(lane, "w2")
    assert isinstance(again, Job)
    assert (again.row.id, again.look_up) == (job.row.id, False)


def test_10_clear_unknown_empty(bench: Any) -> None:
    key = in_casework(bench)
    # Without a telephone element: unknown, nothing happens.
    assert bench.states(bench.case(minute=10, our_key=key, Subject__Mobile=..., Subject__SafeToText=...)) == [
        "no change"
    ]
    # An empty one, by somebody who does not own `person`: not applied, kept, and the present value is sent once.
    before = len(bench.rows("delivery", connection="casework"))
    bench.take(bench.case(minute=11, our_key=key, Subject__Mobile="", Subject__SafeToText=...))
    assert bench.facts()[MOBILE] == "+447700900123"
    assert bench.row("conflict", field=MOBILE).loser == "casework"
    assert len(bench.rows("delivery", connection="casework")) == before + 1
    # A language code that nobody mapped: left out and listed, the rest goes on.
    bench.take(bench.case(minute=12, our_key=key, Subject__PreferredLanguage="Q", Subject__Mobile="", Status="ACC"))
    version = bench.rows("version")[-1]
    assert [gap[:2] for gap in version.gaps] == [["language.correspondence", "casework-language"]]
    assert (bench.facts()["language.correspondence"], bench.facts()["status"]) == ("cy", "accepted")
    # The owner clears.
    assert bench.states(bench.request(minute=20, customer__contacts=[])) == ["merged"]
    assert bench.facts()[MOBILE] is None
    assert bench.deliveries("casework")[-1] == "waiting"


def test_the_page_has_ten_histories_and_so_has_this_file() -> None:
    told = {int(name.split("_")[1]) for name in globals() if name.startswith("test_") and name[5].isdigit()}
    assert told == set(range(1, 11))
