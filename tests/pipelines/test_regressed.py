"""A system that goes back in time, and two that rewrite each other for ever: R1, R11, R14 of the data model."""

from typing import Any

import pytest

from pipelines import deciding, desk, hops, versions
from pipelines.decision import Decision, Do
from pipelines.rows import Held
from pipelines.sending import Result
from pipelines.versions import Order
from tests.pipelines.test_histories import in_casework, lane_to
from tests.pipelines.test_two_way import Remembers

pytest_plugins = ("tests.pipelines.pieces",)

WHO = {"who": "ann", "why": "the supplier says that it was restored"}
SECOND = 1_000_000
PHONE = [{"type": "mobile", "value": "07700 900555", "ok_to_text": True}]
MOBILE = "person.telecom[system=phone,use=mobile].value"


# --- Which of two versions is the newer one ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "shown", "order"),
    [
        ((10, "5"), (11, "6"), Order.NEWER),
        ((10, "5"), (9, "4"), Order.OLDER),
        ((10, "5"), (10, "6"), Order.NEWER),
        ((10, "5"), (10, "4"), Order.OLDER),
        ((10, "5"), (9, "6"), Order.NEWER),  # the system's clock was put back; its counter was not
        ((10, "5"), (11, "4"), Order.PUT_BACK),  # the system itself was
        ((10, "5"), (9.4, "5"), Order.NEWER),  # the version that we know
        ((10.7, ""), (10, ""), Order.NEWER),  # a receipt told the fraction, a list does not
        ((10.7, ""), (9, ""), Order.OLDER),
        ((None, "5"), (None, "4"), Order.OLDER),
        ((None, "5"), (9, "6"), Order.NEWER),
        ((10, ""), (None, ""), Order.NEWER),  # nobody can say
        ((10, "b7"), (11, "a3"), Order.NEWER),  # hashes have no order
        ((10, "81234567"), (11, "11234567"), Order.NEWER),  # nor has one that happens to be all digits
        ((10, "81234567"), (9, "91234567"), Order.OLDER),
    ],
)
def test_the_order_of_two_versions(known: Any, shown: Any, order: Order) -> None:
    def stamp(at: float | None) -> int | None:
        return None if at is None else int(at * SECOND)

    held = Held({"modified": stamp(known[0]), "version": known[1]})
    assert versions.order(held, stamp(shown[0]), shown[1]) is order


def test_row_13_a_source_whose_clock_was_put_back_loses_no_edit(bench: Any) -> None:
    bench.take(bench.request(minute=60, version=6))
    assert bench.states(bench.request(minute=5, version=7, customer__last_name="Pugh")) == ["merged"]
    assert bench.states(bench.request(minute=6, version=8, customer__last_name="Rees")) == ["merged"]
    assert bench.facts()["person.name.family"] == "Rees"


def test_a_slow_page_from_before_the_clock_was_put_back_is_no_restored_system(bench: Any) -> None:
    bench.take(bench.request(minute=60, version=6))
    newest = bench.request(minute=5, version=7, customer__last_name="Pugh")
    bench.take(newest)
    Remembers(bench, "contact", newest)
    bench.take(bench.request(minute=61, version=5))
    assert desk.attention(bench.plant) == []
    assert bench.rows("version")[-1].state == "older"
    assert bench.facts()["person.name.family"] == "Pugh"


def test_row_12_a_late_commit_behind_our_own_write_is_no_old_version(bench: Any) -> None:
    """Staff typed before our write and saved after it: the stamp is older, the number is not."""
    in_casework(bench)
    bench.take(bench.case(minute=20, Status="ACC"))
    bench.arrived(lane_to(bench, "contact"), "C-1", minute=30, how="updated", version="8",
                  expected={"status": "accepted"})  # fmt: skip
    late = bench.request(minute=29, version=9, status="accepted", customer__contacts=PHONE)
    assert bench.states(late) == ["merged"]
    assert bench.facts()[MOBILE] == "+447700900555"


def test_an_old_version_that_is_shown_again_and_again_is_written_down_once(bench: Any) -> None:
    bench.take(bench.request(minute=9))
    old = bench.request(minute=1, customer__last_name="Pugh")
    assert bench.states(old) == ["older"]
    for _ in range(5):
        assert bench.states(old) == ["repeat"]
    assert len(bench.rows("version")) == 2


# --- A system that was restored from a backup -------------------------------------------------------------------------


def restored(bench: Any, number: str = "C-1", **changes: Any) -> Any:
    """What the contact centre shows of a request after it was restored to its second version."""
    return bench.request(number, minute=2, version=2, **changes)


def known_to_both(bench: Any, *numbers: str) -> None:
    for number in numbers:
        bench.take(bench.request(number, minute=2, version=2))
        bench.take(bench.request(number, minute=9, version=9, customer__contacts=PHONE))


def test_a_lower_number_under_a_later_stamp_is_regressed_and_nothing_of_it_is_taken(bench: Any) -> None:
    known_to_both(bench, "C-1", "C-2")
    pages = [bench.request(number, minute=40, version=3, channel="web") for number in ("C-1", "C-2")]
    assert bench.states(*pages) == ["needs attention", "needs attention"]
    assert bench.states(*pages) == ["repeat", "repeat"]
    for row in bench.rows("referral"):
        assert bench.facts(row)[MOBILE] == "+447700900555"
    [group] = desk.attention(bench.plant)
    assert (group.error, group.count, group.connection) == ("regressed", 2, "contact")
    assert bench.row("record", external_id="C-1").version == "9", "what we know is not forgotten"


def test_an_old_version_is_regressed_only_when_the_system_still_shows_it(bench: Any) -> None:
    known_to_both(bench, "C-1")
    system = Remembers(bench, "contact", restored(bench, channel="web"))
    assert bench.states(restored(bench, channel="web")) == ["older"]  # a slow page, for all we know
    bench.clock.pass_by(30)
    assert bench.states(restored(bench, channel="web")) == ["repeat"]
    assert system.asked == []
    bench.clock.pass_by(31)
    assert bench.states(restored(bench, channel="web")) == ["needs attention", "repeat"]
    assert system.asked == ["C-1"]
    assert desk.attention(bench.plant)[0].error == "regressed"


def test_an_old_page_that_comes_again_after_long_is_no_restored_system(bench: Any) -> None:
    known_to_both(bench, "C-1")
    Remembers(bench, "contact", bench.request(minute=9, version=9, customer__contacts=PHONE))
    bench.take(restored(bench, channel="web"))
    bench.clock.pass_by(120)
    assert bench.states(restored(bench, channel="web")) == ["repeat", "repeat"]
    assert desk.attention(bench.plant) == []


def test_what_is_edited_there_meanwhile_waits_with_it(bench: Any) -> None:
    """Also when the numbers have caught up: it still holds what was there before the backup."""
    known_to_both(bench, "C-1")
    bench.take(bench.request(minute=40, version=3, channel="web"))
    for version in range(4, 12):
        assert bench.states(bench.request(minute=40 + version, version=version, channel="web"))[0] == "needs attention"
    assert bench.facts()[MOBILE] == "+447700900555"
    assert [row.state for row in bench.rows("version")].count("needs attention") == 1


def test_a_person_sends_the_newest_again_and_keeps_what_was_typed_since(bench: Any) -> None:
    key = in_casework(bench)
    bench.take(bench.request(minute=9, version=9, customer__contacts=PHONE))
    bench.arrived(lane_to(bench, "casework"), "881", minute=10, how="updated", version="9",
                  expected={MOBILE: "+447700900555"})  # fmt: skip
    bench.take(bench.request(minute=40, version=3, customer__last_name="Pugh"))  # the old telephone, a new name
    [group] = desk.attention(bench.plant)
    done = desk.replay(bench.plant, [], fingerprint=group.fingerprint, **WHO)
    assert done.not_done == []
    assert bench.facts()[MOBILE] == "+447700900555", "the owner's old number was not taken for news"
    assert bench.facts()["person.name.family"] == "Pugh"
    assert bench.deliveries("casework")[-1] == "waiting", "the new name goes on"
    assert bench.deliveries("contact")[-1] == "waiting", "and the newest goes back"
    assert bench.row("record", connection="contact").rewrite
    # Until it is there, what the system shows is old and no news; afterwards all is as ever.
    assert bench.states(bench.request(minute=40, version=3, channel="web")) == ["older"]
    bench.arrived(lane_to(bench, "contact"), "C-1", minute=50, how="updated", version="4",
                  expected={MOBILE: "+447700900555"})  # fmt: skip
    held = bench.row("record", connection="contact")
    assert (held.rewrite, held.version) == (False, "4")
    assert bench.states(bench.request(minute=51, version=5, customer__contacts=PHONE, customer__last_name="Rees")) == [
        "merged"
    ]
    assert bench.facts()["person.name.family"] == "Rees"
    assert bench.row("referral").id == key


def test_a_source_that_nothing_is_sent_to_is_taken_as_it_is_when_a_person_says_so(bench_with: Any) -> None:
    there = "    from: casework\n    to: contact\n    record: Request\n"
    bench = bench_with((there, "    from: contact\n    to: casework\n    record: Referral\n"))
    known_to_both(bench, "C-1")
    bench.take(bench.request(minute=40, version=3))
    deciding.send_newest(bench.plant, f"v{bench.rows('version')[-1].id}", **WHO)
    assert bench.facts()[MOBILE] == "+447700900123"
    assert bench.row("record", connection="contact").version == "3"


def test_a_delivery_that_met_a_restored_target_is_sent_with_its_record(bench: Any) -> None:
    key = in_casework(bench)
    bench.take(bench.request(minute=20, customer__last_name="Pugh"))
    job = bench.job(lane_to(bench, "casework"))
    old = bench.case(minute=3, our_key=key)
    Remembers(bench, "casework", old)
    bench.take(old)
    from pipelines import regressed
    from pipelines.intake import Intake

    wired = bench.council.wired["casework"]
    Intake(bench.plant, bench.council).take(wired, wired.kinds["Referral"], [old], confirmed=True)
    why = regressed.why("casework")
    assert bench.write(Result(job, error="", words=why.words, cause=why, decision=Decision(Do.ATTENTION)))
    [group] = desk.attention(bench.plant)
    assert (len(group.versions), len(group.deliveries)) == (1, 1)
    done = desk.replay(bench.plant, [], fingerprint=group.fingerprint, **WHO)
    assert done.not_done == []
    assert desk.attention(bench.plant) == []
    assert bench.deliveries("casework")[-2:] == ["replaced", "waiting"]


# --- Two systems that rewrite each other ------------------------------------------------------------------------------

TOWN = "person.address.town"


def one_spells(bench: Any, turn: int, value: str) -> list[str]:
    return bench.states(bench.request(minute=100 + turn, customer__address__town=value))


def other_spells(bench: Any, turn: int, key: str, value: str) -> list[str]:
    return bench.states(bench.case(minute=100 + turn, our_key=key, Subject__Address={"Town": value}))


def rewritten(bench: Any, key: str, *, ours: Any, theirs: Any, most: int = 60) -> int:
    """Each system spells the town in its own way whenever it is sent one. Returns how often a spelling was taken."""
    taken = 0
    other_spells(bench, 1, key, theirs(1))
    for turn in range(2, most):
        waiting = [(to, row) for to in ("casework", "contact") for row in bench.rows("delivery", connection=to)
                   if row.state == "waiting"]  # fmt: skip
        if not waiting:
            return taken
        to, row = waiting[-1]
        before, present = bench.row("referral").revision, bench.facts()[TOWN]
        bench.arrived(row.lane, "881" if to == "casework" else "C-1", minute=100 + turn, how="updated",
                      version=str(100 + turn), expected={TOWN: present})  # fmt: skip
        if to == "casework":
            other_spells(bench, turn + 1, key, theirs(turn))
        else:
            one_spells(bench, turn + 1, ours(turn))
        taken += bench.row("referral").revision > before
    raise AssertionError("it goes on for ever")


def test_two_systems_that_rewrite_each_other_are_stopped_and_a_person_sees_it(bench: Any) -> None:
    key = in_casework(bench)
    one_spells(bench, 0, "Cwmbrân")
    taken = rewritten(bench, key, ours=lambda _: "Cwmbrân", theirs=lambda _: "CWMBRAN")
    assert taken >= 1
    assert bench.row("referral").hops[TOWN][0] == hops.MOST
    [seen] = desk.open_conflicts(bench.plant)
    assert (seen.field, "rewrite each other" in seen.why) == (TOWN, True)
    assert not bench.rows("delivery", state="waiting"), "and nothing more is sent to and fro"


def test_values_that_are_new_each_time_are_stopped_later(bench: Any) -> None:
    key = in_casework(bench)
    taken = rewritten(bench, key, ours=lambda n: f"Cwmbrân {n}", theirs=lambda n: f"Cwmbran {n}")
    assert taken > hops.MOST
    assert bench.row("referral").hops[TOWN][0] == hops.MOST_NEW
    assert len(desk.open_conflicts(bench.plant)) == 1


def test_an_edit_of_another_field_or_by_one_side_alone_is_never_counted(bench: Any) -> None:
    key = in_casework(bench)
    for turn in range(1, 40):
        one_spells(bench, turn, f"Town {turn % 2}")
    assert bench.facts()[TOWN] == "Town 1"
    assert bench.row("referral", id=key).hops is None
    assert desk.open_conflicts(bench.plant) == []


def test_after_a_person_has_looked_it_begins_anew(bench: Any) -> None:
    key = in_casework(bench)
    rewritten(bench, key, ours=lambda _: "Cwmbrân", theirs=lambda _: "CWMBRAN")
    [seen] = desk.open_conflicts(bench.plant)
    assert TOWN in bench.row("referral").hops
    desk.close(bench.plant, f"c{seen.id}", **WHO)
    assert not (bench.row("referral").hops or {}).get(TOWN)


def test_a_day_later_it_is_an_edit_again() -> None:
    day = hops.WITHIN
    facts = {TOWN: ("A", "contact", 1)}
    count = None
    for _ in range(hops.MOST):
        count = hops.after(count, facts, [TOWN], {TOWN: "b"}, by="casework", passing=("contact",), now=5)
    assert hops.spent(count, TOWN, "b", 5 + day)
    assert not hops.spent(count, TOWN, "b", 6 + day)
    assert not hops.spent(count, TOWN, "c", 6), "what was never there is somebody's edit"
    assert not hops.spent(count, "person.address.postcode", "b", 6)
    again = hops.after(count, facts, [TOWN], {TOWN: "b"}, by="casework", passing=("contact",), now=6 + day)
    assert again == {TOWN: [1, 6 + day, ["b"]]}
    assert hops.after(count, facts, [TOWN], {TOWN: "b"}, by="contact", passing=("contact",), now=6 + day) is None
