"""Texts to residents: both languages, the same placeholders, and only those that are filled in."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from config.reading import grade
from config.site import Site
from config.text_parts import CHEAP, WELSH, Cost, cost
from config.text_words import LONGEST, PLACEHOLDERS, placeholders

Spoil = Callable[[str, str, str], None]
FILE = "texts/track-my-request.yaml"


def test_placeholders_in_order_each_once() -> None:
    assert placeholders("((a)) b (((c))) (( a )) (d) ((") == ("a", "c")


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ("(cyfeirnod ((reference)))", "", "statuses.accepted.wording.cy", "add ((reference)) here"),
        ("(reference ((reference)))", "(((refrence)))", "statuses.accepted.wording.en", "did you mean 'reference'?"),
        ("      cy: ef4d82a0-a0c0-513c-a476-b8b9ee97963a\n", "", "statuses.accepted.template.cy", "add `cy:"),
        ("ffoniwch ((phone)).", "diolch.", "statuses.accepted.wording.cy", "how to reach a person, in every text"),
        ("(reference ((reference)))", "((council_cy))", "statuses.accepted.wording.en", "write ((council_en))"),
        ("(reference ((reference)))", "((need))", "statuses.accepted.wording.en", "the placeholder 'need'"),
        ("both: one\n", "most_parts: 4\n", "statuses.accepted.wording.cy", "5 billed parts for both languages"),
        ("ef4d82a0-a0c0-513c-a476-b8b9ee97963a", "12", "statuses.accepted.template.cy", "the id of a Notify template"),
        ("  accepted:", "  acepted:", "statuses.acepted", "did you mean 'accepted'?"),
        ("channel: text", "channel: sms", "channel", "one of email, letter, text"),
    ],
)
def test_one_fault(load: Callable[[], Site], spoil: Spoil, old: str, new: str, key: str, words: str) -> None:
    spoil(FILE, old, new)
    loaded = load()
    found = [finding for finding in loaded.findings if finding.key == key]
    assert found, [str(finding) for finding in loaded.findings]
    assert any(words in str(finding) for finding in found)
    assert loaded.texts == {}
    assert len(loaded.councils) == 3  # referrals go on; only the texts wait


def test_the_examples_words_and_ids_are_those_of_the_pretend_notify(root: Path, load: Callable[[], Site]) -> None:
    templates = json.loads((root / "sandbox" / "templates.json").read_text(encoding="utf-8"))["templates"]
    ours = load().texts["track-my-request"].statuses
    for template in (each for each in templates if each["type"] == "sms"):
        said = ours[template["status"]]
        assert getattr(said.template, template["language"]) == template["id"]
        if template["language"] != "both":
            assert getattr(said.wording, template["language"]) == template["body"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("To speak to someone, ring", "Utilise the telephone, ring", "write 'use'"),
        ("I siarad â rhywun", "Am ymholiad", "write 'cais'"),
        ("We will be in touch to agree the next step.", "Subsequently appropriate communication concerning "
         "individualised interdisciplinary considerations will necessarily materialise.", "grade 8 or lower"),
    ],
)  # fmt: skip
def test_what_the_content_guide_avoids_is_told_and_stops_nothing(
    load: Callable[[], Site], spoil: Spoil, old: str, new: str, words: str
) -> None:
    spoil(FILE, old, new)
    loaded = load()
    assert any(words in str(one) and one.severity.value == "warning" for one in loaded.findings)
    assert set(loaded.texts) == {"track-my-request"}


def test_a_live_site_names_who_read_the_welsh(load: Callable[[], Site], spoil: Spoil) -> None:
    spoil("config/dolen.yaml", "stage: test", "stage: live")
    spoil("config/dolen.yaml", 'residents_only_to: ["+447700900*"]', "")
    assert any(one.key == "welsh_checked" and "who read the Welsh" in one.expected for one in load().findings)


@pytest.mark.parametrize(
    ("text", "signs", "parts", "unicode"),
    [
        ("", 0, 0, False),
        ("a" * 160, 160, 1, False), ("a" * 161, 161, 2, False), ("a" * 306, 306, 2, False), ("a" * 307, 307, 3, False),
        ("€" * 80, 160, 1, False), ("€" * 81, 162, 2, False), ("a" * 152 + "€" + "a" * 152, 306, 3, False),
        ("ŵ" * 70, 70, 1, True), ("ŵ" * 71, 71, 2, True), ("ŷ" + "a" * 133, 134, 2, True),
        ("ŷ" + "a" * 134, 135, 3, True),
        ("😀" * 35, 70, 1, True), ("😀" * 36, 72, 2, True), ("a" * 66 + "😀" * 34, 134, 3, True),
    ],
)  # fmt: skip
def test_billed_parts_by_the_alphabets_own_rule(text: str, signs: int, parts: int, unicode: bool) -> None:
    needs = cost(text)
    assert (needs.signs, needs.parts, needs.unicode) == (signs, parts, unicode)


def test_which_welsh_letters_cost_no_more() -> None:
    assert set(CHEAP) == set("àèéìòùäöüÉÄÖÜ")
    assert cost("".join(sorted(CHEAP))).unicode is False
    for letter in set(WELSH) - set(CHEAP.lower()):
        assert cost(f"T{letter}") == Cost(2, 1, True, letter), "shown with its cost, and never taken away"


def test_easy_and_hard_english() -> None:
    assert grade("We will ring you. It is free.") < 3
    assert grade("Organisational considerations notwithstanding, eligibility determination necessitates care.") > 18
    assert grade("((reference))") < 3
    assert grade("") == 0.0


def test_every_placeholder_has_a_longest_form() -> None:
    assert set(LONGEST) == set(PLACEHOLDERS)
