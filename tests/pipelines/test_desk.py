"""The desk: each action asks who and why, has one effect, and is written in the audit."""

from typing import Any

import pytest
from sqlalchemy import update

from pipelines import audit, desk, story
from pipelines.decision import Decision, Do
from pipelines.desk import NotPossible
from pipelines.sending import Result
from pipelines.tables import payload

pytest_plugins = ("tests.pipelines.pieces",)

WHO = {"who": "ann", "why": "agreed on the telephone"}


def lane(bench: Any) -> str:
    return str(bench.rows("delivery")[-1].lane)


def refused(bench: Any, minute: int = 0) -> str:
    """One delivery that casework refused. Returns its id as people are shown it."""
    bench.take(bench.request(minute=minute))
    job = bench.job(lane(bench))
    assert bench.write(Result(job, error="Rejected", words="the date is missing", decision=Decision(Do.ATTENTION)))
    return f"d{job.row.id}"


def actions(bench: Any) -> list[tuple[str, str]]:
    return [(row.action, row.subject) for row in bench.rows("audit")]


def audit_holds(bench: Any) -> bool:
    return audit.verify(bench.plant.ledger, bench.vault) is None


def test_attention_is_grouped_by_cause_with_a_remedy(bench: Any) -> None:
    bench.take(*(bench.request(f"C-{n}", priority="tomorrow") for n in range(3)))
    refused(bench)
    groups = {group.step: group for group in desk.attention(bench.plant)}
    assert set(groups) == {"read", "send"}
    assert groups["read"].count == 3 or groups["read"].count == 2  # C-0 to C-2; C-1 has been mended since
    assert "codes/contact-priority.csv" in groups["read"].remedy
    assert groups["send"].deliveries == (bench.row("delivery").id,)
    assert desk.attention(bench.plant, ["neath-port-talbot"]) == []


def test_the_most_urgent_comes_first(bench: Any) -> None:
    bench.take(bench.request("C-7", category="pigeon"))
    bench.clock.pass_by(60)
    bench.take(bench.request("C-1", priority="emergency"))
    job = bench.job(lane(bench))
    bench.write(Result(job, error="Rejected", words="no", decision=Decision(Do.ATTENTION)))
    assert [group.urgent for group in desk.attention(bench.plant)] == [1, 0]


def test_a_delivery_is_sent_again_once(bench: Any) -> None:
    id = refused(bench)
    done = desk.replay(bench.plant, [id], **WHO)
    assert (done.done, done.not_done) == ([id], [])
    assert bench.deliveries() == ["waiting"]
    assert bench.row("lane").due == bench.clock.now()
    again = desk.replay(bench.plant, [id], **WHO)  # a second officer, a moment later
    assert again.done == []
    assert again.not_done[0][0] == id
    assert actions(bench) == [("send again", id), ("send again: nothing to do", id)]
    assert audit_holds(bench)


def test_a_whole_cause_is_sent_again(bench: Any) -> None:
    id = refused(bench)
    [group] = desk.attention(bench.plant)
    assert desk.replay(bench.plant, [], fingerprint=group.fingerprint, **WHO).done == [id]
    assert desk.attention(bench.plant) == []
    with pytest.raises(NotPossible, match="nothing needs attention because of"):
        desk.replay(bench.plant, [], fingerprint=group.fingerprint, **WHO)


def test_a_whole_route_is_sent_again_and_no_other(bench: Any) -> None:
    id = refused(bench)
    with pytest.raises(NotPossible):
        desk.replay(bench.plant, [], route="casework-to-contact", **WHO)
    with pytest.raises(NotPossible):
        desk.replay(bench.plant, [], route="contact-to-casework", council="neath-port-talbot", **WHO)
    assert desk.replay(bench.plant, [], route="contact-to-casework", **WHO).done == [id]


def test_a_version_is_taken_again_and_stops_again_if_nothing_was_mended(bench: Any) -> None:
    bench.take(bench.request(priority="tomorrow"))
    id = f"v{bench.row('version').id}"
    assert desk.replay(bench.plant, [id], **WHO).done == [id]
    assert bench.row("version").state == "needs attention"
    assert actions(bench) == [("send again", id)]


@pytest.mark.parametrize("id", ["d99", "v99", "x", "", "d", "d-1", "v1.5", "d99999999999999999999"])
def test_an_id_that_is_not_there_is_one_sentence(bench: Any, id: str) -> None:
    done = desk.replay(bench.plant, [id], **WHO) if id else None
    assert done is None or (done.done == [] and "there is no" in done.not_done[0][1])
    with pytest.raises(NotPossible, match="there is no"):
        desk.close(bench.plant, id, **WHO)


def test_nothing_named_is_nothing_done(bench: Any) -> None:
    with pytest.raises(NotPossible, match="nothing was named"):
        desk.replay(bench.plant, [], **WHO)


@pytest.mark.parametrize("how", ["arrived", "by-hand"])
def test_settling_enters_the_number_and_passes_it_on(bench: Any, how: str) -> None:
    id = refused(bench)
    words = desk.settle(bench.plant, id, how=how, number=" 940 ", **WHO)
    assert "940" in words
    # Settled; and an update is to bring the target what nobody could type in, our key among it.
    assert bench.deliveries("casework") == ["settled", "waiting"]
    assert bench.row("record", connection="casework").external_id == "940"
    assert bench.facts()["target_identifiers[system=casework].value"] == "940"
    assert bench.deliveries("contact") == ["waiting"]
    with pytest.raises(NotPossible, match="there is nothing to settle"):
        desk.settle(bench.plant, id, how=how, number="941", **WHO)
    assert actions(bench) == [(f"settle: {how}", id)]
    assert audit_holds(bench)


def test_a_number_that_belongs_to_another_referral_is_refused_and_nothing_moves(bench: Any) -> None:
    bench.take(bench.case("940"))
    id = refused(bench)
    with pytest.raises(NotPossible, match="belongs to another referral"):
        desk.settle(bench.plant, id, how="arrived", number="940", **WHO)
    assert bench.row("delivery", id=int(id[1:])).state == "needs attention"
    assert actions(bench) == []


@pytest.mark.parametrize("number", ["", "   ", "9" * 101])
def test_settling_needs_a_number(bench: Any, number: str) -> None:
    id = refused(bench)
    with pytest.raises(NotPossible, match="give the number"):
        desk.settle(bench.plant, id, how="arrived", number=number, **WHO)


def test_what_is_not_there_after_all_is_sent(bench: Any) -> None:
    bench.take(bench.request())
    id = f"d{bench.no_answer(lane(bench)).row.id}"
    with pytest.raises(NotPossible, match=r"may still do what .* look again in 7 seconds"):
        desk.settle(bench.plant, id, how="not-arrived", number="", **WHO)
    bench.clock.pass_by(7)
    desk.settle(bench.plant, id, how="not-arrived", number="", **WHO)
    assert bench.deliveries() == ["waiting"]
    with pytest.raises(NotPossible, match="sent by itself"):
        desk.settle(bench.plant, id, how="not-arrived", number="", **WHO)


def test_what_is_being_sent_cannot_be_settled_or_closed(bench: Any) -> None:
    bench.take(bench.request())
    id = f"d{bench.job(lane(bench)).row.id}"
    with pytest.raises(NotPossible):
        desk.settle(bench.plant, id, how="arrived", number="940", **WHO)
    with pytest.raises(NotPossible):
        desk.close(bench.plant, id, **WHO)
    assert bench.deliveries() == ["being sent"]


def test_closing_frees_the_lane_and_the_next_change_is_sent(bench: Any) -> None:
    bench.take(bench.request())
    id = f"d{bench.no_answer(lane(bench)).row.id}"
    bench.take(bench.request(minute=1, customer__last_name="Pugh"))
    bench.clock.pass_by(1)
    desk.close(bench.plant, id, **WHO)
    assert bench.deliveries() == ["closed", "waiting"]
    assert bench.job(lane(bench)).look_up is False


def test_a_version_is_closed_once(bench: Any) -> None:
    bench.take(bench.request(priority="tomorrow"))
    id = f"v{bench.row('version').id}"
    assert "closed" in desk.close(bench.plant, id, **WHO)
    with pytest.raises(NotPossible, match="nothing to close"):
        desk.close(bench.plant, id, **WHO)
    assert desk.attention(bench.plant) == []
    assert bench.states(bench.request(minute=1)) == ["merged"]


def test_a_safeguarding_conflict_waits_until_somebody_has_looked(bench: Any) -> None:
    bench.take(bench.request(flags__safeguarding=True))
    bench.take(bench.case(our_key=bench.row("referral").id))
    [row] = desk.open_conflicts(bench.plant)
    assert row.field == "safeguarding_flag"
    assert desk.open_conflicts(bench.plant, ["neath-port-talbot"]) == []
    desk.settle_conflict(bench.plant, row.id, **WHO)
    assert desk.open_conflicts(bench.plant) == []
    with pytest.raises(NotPossible):
        desk.settle_conflict(bench.plant, row.id, **WHO)


def test_a_referral_is_found_by_any_of_its_references(bench: Any) -> None:
    bench.take(bench.request())
    bench.arrived(lane(bench), "881", minute=1)
    row = bench.row("referral")
    for reference in (row.id, row.citizen_reference, row.citizen_reference.lower(), "C-1", " 881 ", "d1"):
        assert [found.id for found in desk.find_referral(bench.plant, reference)] == [row.id], reference
    for reference in ("C-2", "d99", "", "%", "Llŷr"):
        assert desk.find_referral(bench.plant, reference) == []


def test_a_preview_of_a_create_sends_nothing(bench: Any) -> None:
    bench.take(bench.request())
    seen = desk.preview(bench.plant, f"d{bench.row('delivery').id}")
    assert seen.effect == "create"
    assert dict(seen.fields)["Subject/Surname"] == "Llŷr"
    assert "Llŷr" not in repr(seen)
    assert bench.deliveries() == ["waiting"]
    assert bench.rows("attempt") == []


def test_a_preview_of_what_has_expired_says_so(bench: Any) -> None:
    id = refused(bench)
    with bench.writing() as connection:
        connection.execute(update(payload).where(payload.c.id == bench.row("referral").facts).values(body=None))
    with pytest.raises(desk.NotPossible, match="has expired or was erased"):
        desk.preview(bench.plant, id)


def test_the_story_tells_everything_and_no_value(bench: Any) -> None:
    id = refused(bench)
    desk.replay(bench.plant, [id], **WHO)
    bench.arrived(lane(bench), "881", minute=1)
    told = story.tell(bench.plant, bench.row("referral").id)
    assert [line.what for line in told.lines if line.what != "delivery"].count("try") == 2
    assert {line.what for line in told.lines} == {"version", "delivery", "try", "proof", "person"}
    assert set(told.numbers) == {("contact", "C-1"), ("casework", "881")}
    text = " ".join(line.words for line in told.lines)
    assert "ann: send again" in text
    assert all(value not in text for value in ("Llŷr", "1941", "07700", "7700900"))
    assert [line.at for line in told.lines] == sorted(line.at for line in told.lines)
