"""Alerts: one when a cause opens and one when it closes, to whom they belong, and never with a person in them."""

import hashlib
import hmac
import re
import threading
from typing import Any

import pytest

from console.web import pages
from pipelines import alert_post, alert_words, alerting, audit, causes, control, desk, watchman
from pipelines.alert_looks import Amiss
from pipelines.looking import NotPossible
from pipelines.rights import Officer, Role
from pipelines.seeing import through
from tests.rig.receivers import SECRET

pytest_plugins = ("tests.pipelines.pieces", "tests.pipelines.alerted")

ALL = "integration@example.org"
DUTY = "duty@example.org"
WHO: dict[str, Any] = {"who": "ann", "why": "agreed on the telephone"}
QUARTER = 15 * 60


def states(alerted: Any) -> list[tuple[str, str]]:
    return [(one["kind"], one["state"]) for one in alerted.ear.told()]


def test_a_cause_is_told_once_when_it_opens_and_once_when_it_closes(alerted: Any) -> None:
    alerted.look()
    assert alerted.mailbox.mails == alerted.ear.heard == []
    ids = alerted.fail("C-1", "C-2")
    assert alerted.look().opened == 1
    assert alerted.look(60).opened == 0
    assert states(alerted) == [("attention", "opened")]
    [words] = alerted.mailbox.texts(ALL)
    assert words.startswith("2 need attention in torfaen/casework: ")
    assert f"https://dolen.example.org/attention/{alerted.bench.row('cause').fingerprint}" in words
    assert alerted.mailbox.texts(DUTY) == []
    desk.replay(alerted.bench.plant, ids, **WHO)
    assert alerted.look(10).closed == 0  # what comes and goes within minutes is one alert
    assert alerted.look(180).closed == 1
    assert states(alerted) == [("attention", "opened"), ("attention", "closed")]
    assert alerted.mailbox.texts(ALL)[1].startswith("OVER: ")
    assert alerted.amiss() == []


def test_few_wait_for_their_age(alerted: Any) -> None:
    alerted.fail("C-1")
    alerted.look(kinds={Amiss.ATTENTION})
    assert alerted.amiss() == []
    alerted.look(4 * 3600, kinds={Amiss.ATTENTION})
    assert [row.kind for row in alerted.amiss()] == ["attention"]


def test_what_is_urgent_goes_to_the_duty_contact_at_once_and_again_until_somebody_answers(alerted_with: Any) -> None:
    alerted = alerted_with("quiet: [{{begins: '00:00', ends: '23:59'}}]")
    alerted.fail("C-1", priority="emergency")
    alerted.look(kinds={Amiss.ATTENTION})
    [words] = alerted.mailbox.texts(DUTY)
    assert words.startswith("URGENT. 1 need attention")
    assert "dolen alerts answer a1" in words
    assert "Duty team, 01632 960199" in words
    for _ in range(3):
        alerted.look(QUARTER, kinds={Amiss.ATTENTION})
    assert len(alerted.mailbox.texts(DUTY)) == 4
    assert alerted.mailbox.texts(DUTY)[-1].startswith("URGENT. NOT ANSWERED YET: ")
    assert len(alerted.mailbox.texts(ALL)) == 1  # the others are told once
    alerting.answer(alerted.bench.plant, "a1", who="ann", why="I ring the supplier")
    alerted.look(QUARTER, kinds={Amiss.ATTENTION})
    assert len(alerted.mailbox.texts(DUTY)) == 4
    with pytest.raises(NotPossible, match="answered already, by ann"):
        alerting.answer(alerted.bench.plant, "a1", who="bob")
    row = alerted.bench.rows("audit")[-1]
    assert (row.who, row.action, row.subject, row.at) == ("ann", "answer alert", "a1", alerted.amiss()[0].answered)
    assert audit.verify(alerted.bench.plant.ledger, alerted.bench.vault) is None
    # An answer covers what was there when it was given.
    alerted.fail("C-2", priority="emergency")
    alerted.look(30, kinds={Amiss.ATTENTION})
    assert alerted.mailbox.texts(DUTY)[-1].startswith("URGENT. NOT ANSWERED YET: 2 need attention")


def test_what_is_late_goes_to_the_duty_contact(alerted: Any) -> None:
    alerted.bench.take(alerted.bench.request())
    alerted.look(QUARTER - 60, kinds={Amiss.LATE})
    assert alerted.mailbox.mails == []
    alerted.look(120, kinds={Amiss.LATE})
    assert "1 are late for torfaen/casework (route contact-to-casework)" in alerted.mailbox.texts(DUTY)[0]


def test_an_unreadable_version_is_taken_for_urgent_once_its_routes_time_is_over(alerted: Any) -> None:
    alerted.bench.take(alerted.bench.request("C-9", priority="tomorrow"))
    alerted.look(60, kinds={Amiss.ATTENTION})
    assert alerted.mailbox.mails == []
    alerted.look(QUARTER, kinds={Amiss.ATTENTION})
    assert "the code list contact-priority has no row" in alerted.mailbox.texts(DUTY)[0]


def test_what_can_wait_is_gathered_until_the_quiet_hours_are_over(alerted_with: Any) -> None:
    alerted = alerted_with("quiet: [{{begins: '12:30', ends: '15:00'}}]")  # it is 13:00 there
    alerted.fail("C-1", "C-2")
    [wired] = control.connections(alerted.bench.plant, "torfaen/texts")
    control.pause(alerted.bench.plant, wired, **WHO)
    alerted.look(11 * 60, kinds={Amiss.ATTENTION, Amiss.PAUSED})
    assert len(alerted.amiss()) == 2
    assert alerted.mailbox.mails == []
    alerted.look(2 * 3600, kinds={Amiss.ATTENTION, Amiss.PAUSED})
    [(_, message)] = alerted.mailbox.mails
    assert message["Subject"] == "Dolen: 2 alerts"
    assert "torfaen/texts is paused since 02/07/2026 13:00: by a person" in message.get_content()


def test_a_digest_is_told_at_its_time(alerted_with: Any) -> None:
    alerted = alerted_with("digest: '0 16 * * *'")
    alerted.fail("C-1", "C-2")
    alerted.look(60 * 60, kinds={Amiss.ATTENTION})
    assert alerted.mailbox.mails == []
    alerted.look(2 * 60 * 60, kinds={Amiss.ATTENTION})
    assert len(alerted.mailbox.mails) == 1


def test_a_calls_signature_can_be_checked_and_a_forged_one_not(alerted: Any) -> None:
    alerted.fail("C-1", "C-2")
    alerted.look()
    [(_, headers, _)], [body] = alerted.ear.heard, alerted.ear.bodies
    given = dict(part.split("=", 1) for part in headers["Dolen-Signature"].split(","))
    expected = hmac.new(SECRET.encode(), f"{given['t']}.".encode() + body, hashlib.sha256).hexdigest()
    assert given["v1"] == expected
    assert int(given["t"]) == alerted.bench.clock.now() // 1_000_000


def test_a_mail_server_that_is_down_delays_nobody_else_and_is_told_when_it_is_back(alerted: Any) -> None:
    alerted.mailbox.close()
    alerted.fail("C-1", "C-2", priority="emergency")
    alerted.look(kinds={Amiss.ATTENTION})
    assert states(alerted) == [("attention", "opened")]
    assert alerted.untold() == ["site/mail", "site/duty-mail"]
    for _ in range(4):
        alerted.look(QUARTER, kinds={Amiss.ATTENTION})
    tries = [row.tries for row in alerting.untold(alerted.bench.plant)]
    assert tries == [5, 5]  # and nothing was piled up meanwhile
    alerted.mailbox.serve()
    alerted.look(QUARTER, kinds={Amiss.ATTENTION})
    assert len(alerted.mailbox.texts(ALL)) == 1
    assert len(alerted.mailbox.texts(DUTY)) == 1
    assert alerted.untold() == []


def test_nobody_hears_of_an_end_before_its_beginning(alerted: Any) -> None:
    alerted.ear.status = 503
    ids = alerted.fail("C-1", "C-2")
    alerted.look()
    desk.replay(alerted.bench.plant, ids, **WHO)
    alerted.look(180)
    alerted.look(300)
    assert alerted.amiss() == []
    alerted.ear.status = 200
    alerted.look(3600, kinds={Amiss.ATTENTION})
    assert states(alerted) == [("attention", "opened"), ("attention", "closed")]


def test_who_dies_after_sending_has_it_sent_again_under_the_same_id(alerted: Any) -> None:
    alerted.fail("C-1", "C-2")
    plant, rules = alerted.bench.plant, alerted.rules
    way = rules.way("site/webhook-1")
    found, looked = watchman.look(plant, rules, {Amiss.ATTENTION})
    alerting.settle(plant, rules, found, looked, plant.clock.now())
    [(batch, rows)] = alert_post._claim(plant, way.name, "dies").items()
    told = alert_words.message(
        [alert_post.entry(alerted.amiss()[0], rows[0].what, rows[0].key)], rules.of("torfaen"), id=batch
    )
    alert_post.hand_over(plant, rules, way, told)  # and here it dies
    alerted.tell("another")
    assert len(alerted.ear.heard) == 1  # as long as the first may still be at it, nobody else is
    alerted.bench.clock.pass_by(121)
    alerted.tell("another")
    [first, second] = alerted.ear.told()
    assert first["id"] == second["id"]
    assert alerted.ear.heard[0][2]["id"] == alerted.ear.heard[1][2]["id"]
    alerted.tell("third")
    assert len(alerted.ear.heard) == 2


def test_several_schedulers_make_one_alert_and_tell_it_once(alerted: Any) -> None:
    alerted.fail("C-1", "C-2", priority="emergency")
    begin = threading.Barrier(4)

    def one(name: str) -> None:
        begin.wait()
        for _ in range(3):
            alerted.look(kinds={Amiss.ATTENTION}, owner=name)

    threads = [threading.Thread(target=one, args=(f"p{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(alerted.bench.rows("alert")) == 1
    assert len(alerted.mailbox.texts(DUTY)) == len(alerted.mailbox.texts(ALL)) == len(alerted.ear.heard) == 1


def test_a_council_with_people_of_its_own_is_told_in_its_own_language(alerted_with: Any) -> None:
    own = """
alerts:
  to: [systemau@example.org]
  language: cy
"""
    alerted = alerted_with(council=own)
    alerted.fail("C-1", "C-2", priority="emergency")
    alerted.look(kinds={Amiss.ATTENTION})
    [words] = alerted.mailbox.texts("systemau@example.org")
    assert words.startswith("BRYS. Mae angen sylw ar 2 yn torfaen/casework")
    assert len(alerted.mailbox.texts(DUTY)) == 1  # the site's, as the council names none
    assert alerted.mailbox.texts(ALL) == alerted.ear.heard == []


def test_both_languages_stand_in_one_mail(alerted_with: Any) -> None:
    alerted = alerted_with(language="both")
    alerted.fail("C-1", "C-2")
    alerted.look()
    [(_, message)] = alerted.mailbox.mails
    assert "Mae angen sylw ar 2" in message["Subject"]
    assert "2 need attention" in message["Subject"]


def test_no_person_and_no_hostile_sign_is_in_any_alert(alerted: Any) -> None:
    hostile = "no\x1b[31m \u202eevil\r\nBcc: x@example.org <script>"
    alerted.fail("C-1", "C-2", priority="emergency")
    row = alerted.bench.row("cause")
    with alerted.bench.writing() as connection:
        why = causes.Cause(row.connection, row.step, row.error, hostile, row.field, row.code_list)
        causes.note(connection, "torfaen", why, alerted.bench.clock.now())
    alerted.look(QUARTER + 60)
    texts = [str(message) + message.get_content() for _, message in alerted.mailbox.mails]
    bodies = [str(body) for _, _, body in alerted.ear.heard]
    assert texts
    assert bodies
    for text in texts + bodies:
        for canary in ("Siân", "Llŷr", "1941-02-28", "07700", "Cwmbrân", "NP44", "Gwyn", "C-1", "\x1b", "\u202e"):
            assert canary not in text
    assert all("Bcc" not in message for _, message in alerted.mailbox.mails)
    teams = alert_post.shaped("teams", alert_words.Message("1", "s", "a <b> *c*", {}))
    assert teams["attachments"][0]["content"]["body"][1]["inlines"] == [{"type": "TextRun", "text": "a <b> *c*"}]
    slack = alert_post.shaped("slack", alert_words.Message("1", "a <!channel>", "b", {}))
    assert slack["text"] == "a &lt;!channel&gt;"


@pytest.mark.parametrize("kind", sorted(alert_words.SAYS))
def test_every_kind_has_its_words_in_both_languages_and_its_link_leads_to_a_page(kind: str) -> None:
    for table in (alert_words.SAYS, alert_words.REMEDY):
        phrase = table[kind]
        parts = [{piece.partition("}")[0] for piece in phrase[one].split("{")[1:]} for one in ("en", "cy")]
        assert parts[0] == parts[1]
    one = alert_words.Entry("x", "opened", kind, 7, "torfaen", "casework", "contact-to-casework", "0a1b2c3d4e5f")
    path = alert_words.link(one, "https://dolen.example.org/").removeprefix("https://dolen.example.org")
    doors = [door.path for some in pages.ALL for door in some if door.method == "GET"]
    assert any(re.fullmatch(re.sub(r"{[^}]+}", "[a-z0-9-]+", door), path) for door in doors), path


def test_the_test_button_says_who_could_not_be_reached(alerted: Any) -> None:
    outcome = alert_post.test(alerted.bench.plant, alerted.rules, alerted.rules.of("torfaen"), who="ann")
    assert outcome == {"site/mail": "", "site/webhook-1": "", "site/duty-mail": ""}
    assert alerted.ear.told()[0]["state"] == "test"
    assert [(row.who, row.action) for row in alerted.bench.rows("audit")] == [("ann", "test alerts")]
    alerted.mailbox.close()
    outcome = alert_post.test(alerted.bench.plant, alerted.rules, alerted.rules.of(""), who="ann")
    assert "the mail server does not answer" in outcome["site/mail"]
    assert outcome["site/webhook-1"] == ""


def test_an_officer_of_another_council_answers_nothing(alerted: Any) -> None:
    alerted.fail("C-1", "C-2", priority="emergency")
    alerted.look()
    with pytest.raises(NotPossible, match="there is no alert a1"):
        alerting.answer(through(alerted.bench.plant, Officer("eve")), "a1", who="eve")
    viewer = Officer("val", {"torfaen": frozenset({Role.VIEWER})})
    with pytest.raises(NotPossible, match="you may not do this for torfaen"):
        alerting.answer(through(alerted.bench.plant, viewer), "a1", who="val")
    operator = Officer("ola", {"torfaen": frozenset({Role.OPERATOR})})
    assert alerting.answer(through(alerted.bench.plant, operator), "a1", who="ola") == "a1 is answered by ola"
