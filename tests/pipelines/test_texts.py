"""Texts to residents: each rule by which none is sent, and the language of those that are."""

from typing import Any

import pytest

from pipelines.texts import Message, TextRules, judge, languages

pytest_plugins = ("tests.pipelines.pieces",)

MOBILE = "person.telecom[system=phone,use=mobile]"
THEIRS = "referrer.telecom[system=phone,use=mobile].value"
RULES = TextRules("track", "text", {"accepted": {"cy": "t-cy", "en": "t-en", "both": "t-both"}})
EVENT = {"status": "accepted"}
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


def said(recipient: str = "person", rules: TextRules = RULES, event: Any = EVENT, **now: Any) -> Message | str:
    return judge(rules, recipient, event, {**NOW, **now})


def test_a_text_carries_the_reference_and_nothing_else() -> None:
    message = said()
    assert isinstance(message, Message)
    assert message.record == {
        "channel": "text", "to": "+447700900123", "template_id": "t-cy",
        "personalisation": {"reference": "H7K-2MT-9FF"},
    }  # fmt: skip
    assert "07700" not in repr(message)
    assert "7700" not in repr(message)


@pytest.mark.parametrize(
    ("language", "template"),
    [("cy", "t-cy"), ("en", "t-en"), ("both", "t-both"), ("not-asked", "t-both"), (None, "t-both"), ("pl", "t-both")],
)
def test_each_in_their_language_and_both_where_nobody_asked(language: str | None, template: str) -> None:
    message = said(**{"language.correspondence": language})
    assert isinstance(message, Message)
    assert message.record["template_id"] == template


def test_a_language_that_is_not_known_is_both() -> None:
    now = {name: value for name, value in NOW.items() if name != "language.correspondence"}
    message = judge(RULES, "person", EVENT, now)
    assert isinstance(message, Message)
    assert message.record["template_id"] == "t-both"


@pytest.mark.parametrize(
    ("now", "rule"),
    [
        ({"status": "completed"}, "overtaken by newer news"),
        ({"restricted_record": True}, "restricted record"),
        ({"safeguarding_flag": True}, "safeguarding"),
        ({"person.date_of_death": "2026-07-01"}, "deceased"),
        ({"notify.opt_in[channel=text].opted_in": False}, "not opted in"),
        ({"notify.opt_in[channel=text].opted_in": None}, "not opted in"),
        ({"notify.opt_in[channel=text].opted_in": "yes"}, "not opted in"),
        ({f"{MOBILE}.value": None}, "no safe number"),
        ({f"{MOBILE}.safe_to_text": False}, "no safe number"),
        ({f"{MOBILE}.safe_to_text": None}, "no safe number"),
    ],
)
def test_the_rules_by_which_a_resident_is_not_texted(now: dict[str, Any], rule: str) -> None:
    assert said(**now) == rule


@pytest.mark.parametrize(
    ("now", "rule"),
    [
        ({"referrer.kind": "professional"}, "the referrer did not ask for updates"),
        ({"referrer.kind": None}, "the referrer did not ask for updates"),
        ({"referrer.wants_updates": None}, "the referrer did not ask for updates"),
        ({"referrer.person_agrees": False}, "the person did not agree"),
        ({"referrer.person_agrees": None}, "the person did not agree"),
        ({THEIRS: None}, "no safe number"),
        ({"restricted_record": True}, "restricted record"),
        ({"safeguarding_flag": True}, "safeguarding"),
    ],
)
def test_the_rules_by_which_a_referrer_is_not_texted(now: dict[str, Any], rule: str) -> None:
    assert said("referrer", **now) == rule


def test_a_referrer_is_texted_at_their_own_number_whatever_the_person_opted_for() -> None:
    message = said("referrer", **{"notify.opt_in[channel=text].opted_in": False, f"{MOBILE}.value": None})
    assert isinstance(message, Message)
    assert message.record["to"] == "+447700900456"


def test_nothing_known_is_no_text() -> None:
    assert judge(RULES, "person", EVENT, EVENT) == "not opted in"
    assert judge(RULES, "person", {}, NOW) == "no text for this status"
    assert said(event={"status": "received"}) == "no text for this status"


def test_a_council_may_decide_to_text_about_safeguarding() -> None:
    rules = TextRules("track", "text", RULES.templates, allow_safeguarding=True)
    assert isinstance(said(rules=rules, safeguarding_flag=True), Message)


def test_an_email_is_called_one() -> None:
    message = said(rules=TextRules("track", "email", RULES.templates))
    assert isinstance(message, Message)
    assert message.record["channel"] == "email"


def test_every_language_has_a_template_in_every_example(bench: Any) -> None:
    for council in bench.plant.councils.values():
        for rules in council.texts.values():
            assert all(set(templates) == set(languages()) for templates in rules.templates.values())
