"""Where is it? For each way that a referral can stand, the coded parts and the sentence in both languages."""

from typing import Any

import pytest

from console import where_words
from pipelines import control, desk
from pipelines.clock import SECOND
from pipelines.decision import Decision, Do
from pipelines.sending import Result
from pipelines.where import Known, Place, Stands, Waits, where

pytest_plugins = ("tests.pipelines.pieces",)

WHO = {"who": "ann", "why": "agreed on the telephone"}


def lane(bench: Any) -> str:
    return next(str(row.lane) for row in reversed(bench.rows("delivery")) if row.connection == "casework")


def place(bench: Any, reference: str = "C-1", target: str = "casework") -> Place:
    [one] = where(bench.plant, reference)
    [found] = [at for at in one.places if at.connection == target]
    return found


def said(bench: Any, found: Place, language: Any = "en") -> str:
    return where_words.sentence(found, now=bench.clock.now(), zone="Europe/London", language=language)


def test_what_arrived_is_told_with_its_number_its_tray_and_whether_it_was_picked_up(bench: Any) -> None:
    bench.take(bench.request())
    bench.arrived(lane(bench), "881", minute=20)
    found = place(bench)
    assert (found.stands, found.number, found.picked_up) == (Stands.ARRIVED, "881", False)
    assert said(bench, found) == "It arrived in casework as 881, and nobody has picked it up yet (today 13:00)."
    bench.take(bench.case(minute=30, Status="ACC", Team="Falls and frailty"))
    found = place(bench, "881")
    assert (found.picked_up, found.tray) == (True, "Falls and frailty")
    assert "881, in the tray of Falls and frailty, and it has been picked up" in said(bench, found)
    assert said(bench, found, "cy").startswith("Mae wedi cyrraedd casework fel 881, yn hambwrdd Falls and frailty, ac")


def test_a_restricted_referral_shows_no_tray(bench: Any) -> None:
    bench.take(bench.request())
    bench.arrived(lane(bench), "881", minute=20)
    bench.take(bench.case(minute=30, Status="ACC", Team="Falls and frailty"))
    bench.take(bench.request(minute=40, flags__restricted=True))
    [one] = where(bench.plant, "881")
    assert one.restricted
    assert [at.tray for at in one.places] == [""] * len(one.places)


def test_what_waits_is_told_with_its_next_try_and_why(bench: Any) -> None:
    bench.take(bench.request())
    assert said(bench, place(bench)) == "It waits for casework; it is tried now."
    job = bench.job(lane(bench))
    bench.write(Result(job, error="Unreachable", words="no answer", decision=Decision(Do.AGAIN, 90)))
    found = place(bench)
    assert (found.stands, found.waits, found.late) == (Stands.WAITING, Waits.DUE, False)
    assert said(bench, found) == "It waits for casework; next try today 13:01."
    bench.clock.pass_by(16 * 60)  # its route's arrive_within is a quarter of an hour
    assert said(bench, place(bench)).endswith("IT IS LATE.")
    [wired] = control.connections(bench.plant, "torfaen/casework")
    control.pause(bench.plant, wired, **WHO)
    found = place(bench)
    assert found.waits is Waits.PAUSED
    assert "casework is paused (by a person); until somebody resumes it" in said(bench, found)
    assert "mae casework wedi'i oedi (gan berson)" in said(bench, found, "cy")


def test_what_needs_attention_names_who_can_mend_it(bench: Any) -> None:
    bench.take(bench.request())
    job = bench.job(lane(bench))
    bench.write(Result(job, error="Rejected", words="the date is missing", decision=Decision(Do.ATTENTION)))
    [one] = where(bench.plant, bench.row("referral").citizen_reference.lower())
    found = one.places[0]
    assert found.stands is Stands.ATTENTION
    assert found.mender is not None
    assert (found.mender.phone, found.mender.hours) == ("01632 960102", "Mon-Fri 8.30-17.00")
    lines = where_words.sentences(one, now=bench.clock.now(), zone="Europe/London")
    assert lines[0].startswith("It needs attention on its way to casework")
    assert "Social care systems team, 01632 960102, Mon-Fri 8.30-17.00" in lines[2]
    assert "supplier: Service desk, 01632 960556" in lines[2]
    desk.settle(bench.plant, found.id, how="by-hand", number="940", **WHO)
    # The resident's reference, which nobody can type, still goes to the record that was typed.
    assert said(bench, place(bench, "940")).endswith("it is tried now; casework holds an earlier version as 940.")
    bench.arrived(lane(bench), "940", how="updated")
    assert "It arrived in casework as 940" in said(bench, place(bench, "940"))


def test_a_version_that_could_not_be_taken_in_is_no_stranger(bench: Any) -> None:
    bench.take(bench.request("C-9", priority="tomorrow"))
    for reference in ("C-9", f"v{bench.row('version').id}"):
        [one] = where(bench.plant, reference)
        assert (one.known, one.shown_by) == (Known.NOT_TAKEN_IN, "contact")
        assert one.places[0].stands is Stands.NOT_READ
        assert one.places[0].mender is not None
        assert one.places[0].mender.code_list == "contact-priority"
        assert one.places[0].mender.phone == "01632 960101"


def test_a_newer_version_that_cannot_be_taken_in_stands_first(bench: Any) -> None:
    bench.take(bench.request())
    bench.arrived(lane(bench), "881")
    bench.take(bench.request(minute=5, priority="tomorrow"))
    [one] = where(bench.plant, "881")
    assert one.places[0].stands is Stands.NOT_READ
    assert {at.stands for at in one.places} >= {Stands.ARRIVED}


def test_what_no_route_takes_names_the_rule(bench_with: Any) -> None:
    bench = bench_with(("    record: Referral\n", "    record: Referral\n    when: {priority: urgent}\n"))
    bench.take(bench.request())
    found = place(bench)
    assert (found.stands, found.rule, found.route) == (Stands.NOT_SENT, "priority", "contact-to-casework")
    assert said(bench, found) == "It is not sent to casework, by the rule priority of the route contact-to-casework."


def test_of_what_was_never_shown_the_sources_are_told(bench: Any) -> None:
    [one] = where(bench.plant, "C-404", ["torfaen"])
    assert one.known is Known.NEVER_SHOWN
    assert {(source.council, source.connection) for source in one.sources} == {
        ("torfaen", "contact"), ("torfaen", "casework"),
    }  # fmt: skip
    lines = where_words.sentences(one, now=bench.clock.now(), zone="Europe/London")
    assert lines[:2] == ["Never shown to us.", "Torfaen/contact was never read to its end."]


def test_another_council_learns_nothing(bench: Any) -> None:
    bench.take(bench.request())
    bench.take(bench.request("C-9", priority="tomorrow"))
    for reference in ("C-1", "C-9", f"v{bench.rows('version')[-1].id}", f"d{bench.row('delivery').id}"):
        [one] = where(bench.plant, reference, ["neath-port-talbot"])
        assert one.known is Known.NEVER_SHOWN
        assert {source.council for source in one.sources} == {"neath-port-talbot"}


def test_what_is_in_doubt_says_when_it_is_looked_up(bench: Any) -> None:
    bench.take(bench.request())
    bench.no_answer(lane(bench), after=300)
    found = place(bench)
    assert found.stands is Stands.NOT_SURE
    assert found.due is not None
    assert found.due >= bench.clock.now() + 300 * SECOND
    assert "did not answer: it is looked up today 13:05" in said(bench, found)


@pytest.mark.parametrize("name", sorted(where_words.PHRASES))
def test_every_phrase_is_there_in_both_languages_with_the_same_parts(name: str) -> None:
    phrase = where_words.PHRASES[name]
    parts = [{piece.partition("}")[0] for piece in phrase[language].split("{")[1:]} for language in ("en", "cy")]
    assert parts[0] == parts[1]
    assert phrase["en"] != phrase["cy"]
