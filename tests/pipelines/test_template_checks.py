"""The service's templates held against the council's words: what differs is told with file, line and key."""

from collections.abc import Callable
from typing import Any

import pytest

from connectors.errors import PageUnreadable
from connectors.notify import templates
from connectors.templates import Template
from pipelines import doctor
from pipelines.template_checks import difference
from tests.pipelines.test_telling import TEXTS, edit

ID = "ef4d82a0-a0c0-513c-a476-b8b9ee97963a"


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        ("Mae eich cais\n((reference))  yma.", "Mae eich cais ((reference)) yma.\r\n", ""),
        ("Ffoniwch y tŷ.", "Ffoniwch y ty.", "the service says `... Ffoniwch y ty.` where this file says"),
        ("Ring ((phone)) now", "Ring now", "the placeholder ((phone)) is in this file alone"),
        ("Ring now", "Ring ((mobile)) now", "the placeholder ((mobile)) is in the service's template alone"),
        ("one two", "one two three", "the service says `one two three` where this file says `one two`"),
        ("words", "", "the service says `nothing` where this file says `words`"),
    ],
)
def test_white_space_alone_is_forgiven(ours: str, theirs: str, said: str) -> None:
    found = difference(ours, theirs)
    assert (found == "") is (said == "")
    assert said.removeprefix("the service says `... ") in found


def test_the_list_of_templates_is_read_strictly() -> None:
    row = {"id": ID.upper(), "type": "sms", "version": 3, "body": "Mae ((phone))", "subject": None}
    assert templates.read({"templates": [row, {"id": "?"}, None]}) == {ID: Template("text", "Mae ((phone))", "", "3")}
    for answer in ({}, [], {"templates": {}}, None):
        with pytest.raises(PageUnreadable):
            templates.read(answer)


def looked_at(town: Any) -> list[Any]:
    return [one for _, _, one in doctor.examine(town.plant, "torfaen", "texts") if one.subject == "templates"]


def test_the_doctor_holds_each_template_against_the_file_in_both_languages(
    town: Any, rebuild: Callable[[], None]
) -> None:
    (well,) = looked_at(town)
    assert well.well
    assert well.words.startswith("15 templates say, word for word, what texts/track-my-request.yaml says")
    # The designer changed the file alone: the Welsh of one status, and so what who was never asked would get.
    edit(
        town, TEXTS, ("wedi'i dderbyn. Byddwn", "wedi ei dderbyn. Byddwn"),
        ("25748392-c97a-5de2-bcf9-9aff1dbf4150", "25748392-c97a-5de2-bcf9-9aff1dbf4151"),
    )  # fmt: skip
    rebuild()
    found = {one.words.split(": ")[1]: one for one in looked_at(town)}
    assert set(found) == {
        "statuses.accepted.wording.cy", "statuses.accepted.template.both", "statuses.rejected.template.en"
    }  # fmt: skip
    assert not any(one.well for one in found.values())
    lines = (town.site / TEXTS).read_text(encoding="utf-8").splitlines()
    welsh = found["statuses.accepted.wording.cy"]
    file, line, _ = welsh.words.split(":", 2)
    assert file == TEXTS
    assert "cy:" in lines[int(line) - 1]
    assert "the service says `... gymorth (cyfeirnod ((reference))) wedi'i dderbyn. Byddwn yn ...`" in welsh.words
    assert "wedi ei dderbyn" in welsh.words
    assert "Welsh first" in found["statuses.accepted.template.both"].words
    gone = found["statuses.rejected.template.en"]
    assert "no template of that id" in gone.words
    assert "archive" in gone.remedy
    wired = town.plant.councils["torfaen"].wired["texts"]
    assert doctor.who_mends(wired, welsh) == "whoever writes the texts"
    # A template of another channel cannot be sent: Notify would refuse each text.
    edit(town, TEXTS, ("channel: text\n", "channel: email\n"))
    rebuild()
    assert any("is a text, and this file is sent as an email" in one.words for one in looked_at(town))
