"""Texts to residents: both languages, the same placeholders, and only those that are filled in."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from config.site import Site
from config.texts import placeholders

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
        ("ef4d82a0-a0c0-513c-a476-b8b9ee97963a", "12", "statuses.accepted.template.cy", "the id of a Notify template"),
        ("  accepted:", "  acepted:", "statuses.acepted", "did you mean 'accepted'?"),
        ("channel: text", "channel: sms", "channel", "one of email, text"),
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
