"""Texts to residents: each rule by which none is sent, and the language of those that are."""

from dataclasses import replace
from typing import Any

import pytest

from pipelines.routing import Hears
from pipelines.texts import Message, Preference, Silence, TextRules, judge, languages

pytest_plugins = ("tests.pipelines.pieces",)

MOBILE = "person.telecom[system=phone,use=mobile]"
THEIRS = "referrer.telecom[system=phone,use=mobile].value"
WORDS = {"cy": "Cais ((reference)). Ffoniwch ((phone)).", "en": "Request ((reference)). Ring ((phone))."}
RULES = TextRules(
    "track", "text", {"accepted": {"cy": "t-cy", "en": "t-en", "both": "t-both"}}, {"accepted": WORDS},
    rings="Duty desk", ring_when={"outcome": ("nfa-deceased",)},
)  # fmt: skip
EMAIL = replace(RULES, name="mail", channel="email")
EVENT = {"status": "accepted"}
VALUES: dict[str, str | None] = {"reference": "H7K-2MT-9FF", "phone": "01632 960100", "visit_en": None}
NOW: dict[str, Any] = {
    "status": "accepted",
    "restricted_record": False,
    "safeguarding_flag": False,
    "notify.opt_in[channel=text].opted_in": True,
    f"{MOBILE}.value": "+447700900123",
    f"{MOBILE}.safe_to_text": True,
    "language.correspondence": "cy",
    "citizen_reference": "H7K-2MT-9FF",
    "referrer.kind": "family-friend",
    "referrer.wants_updates": True,
    "referrer.person_agrees": True,
    THEIRS: "+447700900456",
}


def said(who: str = "person", rules: TextRules = RULES, event: Any = EVENT, **now: Any) -> Message | Silence:
    rows = [Hears(who, (rules.name,))]
    return judge(rows, {rules.name: rules}, event, {**NOW, **now}, values=VALUES)


def rule(said: Message | Silence) -> str:
    assert isinstance(said, Silence)
    return said.rule


def sent(said: Message | Silence) -> dict[str, Any]:
    assert isinstance(said, Message)
    return said.record(said.languages[0])


def test_a_text_carries_the_reference_the_number_to_ring_and_nothing_else() -> None:
    message = said()
    assert sent(message) == {
        "channel": "text", "to": "+447700900123", "template_id": "t-cy",
        "personalisation": {"reference": "H7K-2MT-9FF", "phone": "01632 960100"},
    }  # fmt: skip
    assert "7700" not in repr(message)


@pytest.mark.parametrize(
    ("language", "template"),
    [("cy", "t-cy"), ("en", "t-en"), ("both", "t-both"), ("not-asked", "t-both"), (None, "t-both"), ("pl", "t-both")],
)
def test_each_in_their_language_and_both_where_nobody_asked(language: str | None, template: str) -> None:
    assert sent(said(**{"language.correspondence": language}))["template_id"] == template


def test_both_languages_are_one_message_or_two_with_the_welsh_first() -> None:
    message = said(rules=replace(RULES, two=True), **{"language.correspondence": "both"})
    assert isinstance(message, Message)
    assert [message.record(one)["template_id"] for one in message.languages] == ["t-cy", "t-en"]


def test_where_there_are_no_templates_the_words_go_themselves() -> None:
    message = said(rules=EMAIL, **{"notify.opt_in[channel=email].opted_in": True, "language.correspondence": "both",
                                   "person.telecom[system=email].value": "sian@example.org"})  # fmt: skip
    assert isinstance(message, Message)
    record = message.record("both", words=True)
    assert record["body"] == (
        "Cais H7K-2MT-9FF. Ffoniwch 01632 960100.\n\nRequest H7K-2MT-9FF. Ring 01632 960100."
    )
    assert record["subject"] == "Eich cais H7K-2MT-9FF / Your request H7K-2MT-9FF"
    assert (record["channel"], record["to"]) == ("email", "sian@example.org")


def test_a_letter_goes_to_the_persons_address() -> None:
    letter = replace(RULES, name="post", channel="letter")
    address = {"person.address.lines": ["1 Heol y Môr"], "person.address.postcode": "NP44 1AA"}
    name = {"person.name.given": ["Siân"], "person.name.family": "Llŷr"}
    opted = {"notify.opt_in[channel=letter].opted_in": True}
    assert sent(said(rules=letter, **address, **name, **opted))["address"] == ["Siân Llŷr", "1 Heol y Môr", "NP44 1AA"]
    assert rule(said(rules=letter, **name, **opted)) == "no safe postal address"


@pytest.mark.parametrize(
    ("now", "found"),
    [
        ({"status": "completed"}, "overtaken by newer news"),
        ({"status": "entered_in_error"}, "entered in error"),
        ({"restricted_record": True}, "restricted record"),
        ({"person.date_of_death": "2026-07-01"}, "deceased"),
        ({"notify.opt_in[channel=text].opted_in": False}, "not opted in"),
        ({"notify.opt_in[channel=text].opted_in": None}, "not opted in"),
        ({"notify.opt_in[channel=text].opted_in": "yes"}, "not opted in"),
        ({"notify.opt_in[channel=text].withdrawn_at": "2026-07-02T09:00:00Z"}, "opt-in withdrawn"),
        ({"notify.recipient": "referrer"}, "the person asked that the one who referred them hears"),
        ({f"{MOBILE}.value": None}, "no safe number"),
        ({f"{MOBILE}.safe_to_text": False}, "no safe number"),
        ({f"{MOBILE}.safe_to_text": None}, "no safe number"),
    ],
)
def test_the_rules_by_which_a_resident_is_told_nothing(now: dict[str, Any], found: str) -> None:
    silence = said(**now)
    assert rule(silence) == found
    assert isinstance(silence, Silence)
    assert not silence.ring


@pytest.mark.parametrize(
    ("now", "found"),
    [
        ({"safeguarding_flag": True}, "safeguarding"),
        ({"outcome": "nfa-deceased"}, "sensitive news"),
        ({"language.interpreter_required": True}, "interpreter needed"),
        ({"language.spoken": "bfi"}, "interpreter needed"),
        ({"communication_needs": ["large-print"]}, "accessible format needed"),
        ({"communication_needs": ["braille", "more-time"]}, "accessible format needed"),
    ],
)
def test_the_rules_by_which_a_person_rings_instead(now: dict[str, Any], found: str) -> None:
    assert said(**now) == Silence(found, "Duty desk")
    # Who never asked for news is not rung in its place.
    assert rule(said(**now, **{"notify.opt_in[channel=text].opted_in": False})) == "not opted in"


def test_an_opt_in_that_was_given_again_after_it_was_withdrawn_stands() -> None:
    own = "notify.opt_in[channel=text]"
    again = {f"{own}.withdrawn_at": "2026-07-02T09:00:00Z", f"{own}.at": "2026-07-03T09:00:00Z"}
    assert isinstance(said(**again), Message)


@pytest.mark.parametrize("who", ["family", "referrer"])
@pytest.mark.parametrize(
    ("now", "found"),
    [
        ({"referrer.kind": "professional"}, "the referrer did not ask for updates"),
        ({"referrer.kind": None}, "the referrer did not ask for updates"),
        ({"referrer.wants_updates": None}, "the referrer did not ask for updates"),
        ({"referrer.person_agrees": False}, "the person did not agree"),
        ({"referrer.person_agrees": None}, "the person did not agree"),
        ({"referrer.person_agrees": None, "referrer.agreement_waiver.by": "A. Officer"}, "the person did not agree"),
        ({"notify.recipient": "person"}, "the person asked to be the only one who hears"),
        ({THEIRS: None}, "no safe number"),
        ({"referrer.telecom[system=phone,use=mobile].safe_to_text": False}, "no safe number"),
        ({"restricted_record": True}, "restricted record"),
        ({"safeguarding_flag": True}, "safeguarding"),
    ],
)
def test_the_rules_by_which_a_referrer_is_not_texted(who: str, now: dict[str, Any], found: str) -> None:
    if who == "referrer" and now.get("referrer.kind") == "professional":
        assert isinstance(said(who, **now), Message)
        return
    assert rule(said(who, **now)) == found


def test_a_named_officers_reason_stands_in_for_the_persons_agreement() -> None:
    waived = {"referrer.agreement_waiver.by": "A. Officer", "referrer.agreement_waiver.reason": "holds the power"}
    assert isinstance(said("family", **{"referrer.person_agrees": None}, **waived), Message)


@pytest.mark.parametrize(
    ("language", "template"),
    [("cy", "t-cy"), ("en", "t-en"), ("both", "t-both"), ("not-asked", "t-both"), (None, "t-both")],
)
def test_a_referrer_is_texted_in_their_own_language_whatever_the_persons(language: str | None, template: str) -> None:
    for persons in ("cy", "en", "not-asked"):
        told = said("family", **{"referrer.language": language, "language.correspondence": persons})
        assert sent(told)["template_id"] == template


def test_a_referrers_landline_is_not_texted() -> None:
    landline = {THEIRS: None, "referrer.telecom[system=phone,use=home].value": "+441632960001"}
    assert rule(said("family", **landline)) == "no safe number"


def test_a_referrer_is_not_texted_at_a_number_that_is_not_safe_for_the_person() -> None:
    shared = {f"{MOBILE}.value": "+44 7700 900456", f"{MOBILE}.safe_to_text": False}
    assert rule(said("family", **shared)) == "no safe number"
    assert isinstance(said("family", **{**shared, f"{MOBILE}.safe_to_text": True}), Message)


def test_a_referrer_is_texted_at_their_own_number_in_both_languages_whatever_the_person_asked_for() -> None:
    message = said("family", **{"notify.opt_in[channel=text].opted_in": False, f"{MOBILE}.value": None})
    assert sent(message)["to"] == "+447700900456"
    assert sent(message)["template_id"] == "t-both"
    person_is_signed_to = said("family", **{"language.spoken": "bfi"})
    assert isinstance(person_is_signed_to, Message)


def test_the_first_who_may_hear_is_told_and_nobody_twice() -> None:
    rows, texts = [Hears("family", ("track",)), Hears("person", ("track",))], {"track": RULES}

    def told(**now: Any) -> Message | Silence:
        return judge(rows, texts, EVENT, {**NOW, **now}, values=VALUES)

    assert sent(told())["to"] == "+447700900456"
    assert sent(told(**{"referrer.person_agrees": False}))["to"] == "+447700900123"
    neither = told(**{"referrer.person_agrees": False, "notify.opt_in[channel=text].opted_in": None})
    assert rule(neither) == "family: the person did not agree; person: not opted in"
    # A person rings about safeguarding: nobody further down the table is told instead.
    assert told(safeguarding_flag=True) == Silence("safeguarding", "Duty desk")
    assert isinstance(judge(rows, texts, EVENT, NOW, values=VALUES, recipient="person"), Message)


def test_the_next_channel_is_tried_where_the_first_has_no_way() -> None:
    rows, texts = [Hears("person", ("track", "mail"))], {"track": RULES, "mail": EMAIL}
    mail = {"notify.opt_in[channel=email].opted_in": True, "person.telecom[system=email].value": "sian@example.org"}

    def told(beginning: str = "", **now: Any) -> Message | Silence:
        return judge(rows, texts, EVENT, {**NOW, **mail, **now}, values=VALUES, beginning=beginning)

    assert sent(told())["channel"] == "text"
    assert sent(told(**{f"{MOBILE}.safe_to_text": False}))["to"] == "sian@example.org"
    assert sent(told("mail"))["channel"] == "email"
    assert rule(told(**{f"{MOBILE}.value": None, "notify.opt_in[channel=email].opted_in": None})) == "no safe number"


def test_a_row_stands_for_its_own_kind_of_request_alone() -> None:
    rows = [Hears("person", ("track",), {"type": ("referral",)})]
    assert isinstance(judge(rows, {"track": RULES}, EVENT, {**NOW, "type": "referral"}, values=VALUES), Message)
    other = judge(rows, {"track": RULES}, EVENT, {**NOW, "type": "carer"}, values=VALUES)
    assert rule(other) == "condition of the row: type"


@pytest.mark.parametrize(
    ("known", "found"),
    [
        (Preference(opted_out=True), Silence("opted out by reply")),
        (Preference(opted_out=True, opted_out_at="2026-07-02T10:00:00Z"), Silence("opted out by reply")),
        (Preference(wrong=True), Silence("wrong number", "Duty desk")),
        (Preference(language="en"), "t-en"),
    ],
)
def test_what_our_own_register_knows_of_a_number_counts_at_once(known: Preference, found: Any) -> None:
    told = judge([Hears("person", ("track",))], {"track": RULES}, EVENT, NOW, values=VALUES, known=lambda _to: known)
    assert (sent(told)["template_id"] if isinstance(told, Message) else told) == found


def test_who_opts_in_anew_after_a_reply_of_stop_is_told_again() -> None:
    left = Preference(opted_out=True, opted_out_at="2026-07-02T10:00:00Z")

    def told(at: str | None, who: str = "person") -> Message | Silence:
        now = {**NOW, "notify.opt_in[channel=text].at": at}
        return judge([Hears(who, ("track",))], {"track": RULES}, EVENT, now, values=VALUES, known=lambda _to: left)

    assert isinstance(told("2026-07-03T09:00:00Z"), Message)
    for at, who in (("2026-07-01T09:00:00Z", "person"), (None, "person"), ("2026-07-03T09:00:00Z", "family")):
        assert rule(told(at, who)) == "opted out by reply"


def test_a_day_that_nobody_knows_is_told_by_a_person() -> None:
    words = {"accepted": {"cy": "((visit_cy)) ((phone))", "en": "((visit_en)) ((phone))"}}
    said_ = said(rules=replace(RULES, wordings=words), **{"language.correspondence": "en"})
    assert said_ == Silence("nothing known for ((visit_en))", "Duty desk")


def test_nothing_known_is_no_text() -> None:
    rows, texts = [Hears("person", ("track",))], {"track": RULES}
    assert rule(judge(rows, texts, EVENT, EVENT, values=VALUES)) == "not opted in"
    assert rule(judge(rows, texts, {}, NOW, values=VALUES)) == "no text for this status"
    assert rule(said(event={"status": "received"})) == "no text for this status"


def test_a_council_may_decide_to_text_about_safeguarding() -> None:
    assert isinstance(said(rules=replace(RULES, allow_safeguarding=True), safeguarding_flag=True), Message)


def test_every_language_has_a_template_in_every_example(bench: Any) -> None:
    for council in bench.plant.councils.values():
        for rules in council.texts.values():
            assert all(set(templates) == set(languages()) for templates in rules.templates.values())
