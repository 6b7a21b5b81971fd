"""What a content designer does: change a text, look at it as its reader gets it, be told what is wrong and where."""

from pathlib import Path
from typing import Any

import pytest

FILE = "texts/track-my-request.yaml"
OLD = "wedi'i dderbyn. Byddwn yn cysylltu â chi i gytuno ar y cam nesaf."


def rewrite(site: Any, old: str, new: str) -> int:
    """Change some words of the texts file; the line on which they stand."""
    path: Path = site.folder / FILE
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def test_a_changed_text_is_shown_with_real_placeholders_its_cost_and_its_ease(bare: Any) -> None:
    """Without a secret, a ledger or a system; and nothing but the words was touched."""
    rewrite(bare, OLD, "wedi'i dderbyn ar ((today_cy)): galwn cyn bo hir.")
    rewrite(bare, "has been accepted. We will be in touch to agree the next step.",
            "was accepted on ((today_en)). We utilise the enquiry.")  # fmt: skip
    before = sorted(path for path in bare.folder.rglob("*") if path.is_file())
    done = bare.dolen("text", "preview", "track-my-request", "--status", "accepted", "--council", "torfaen")
    assert done.returncode == 0, done.stderr
    assert "((" not in done.stdout
    assert "cyfeirnod H7K-2MT-9FF" in done.stdout
    assert "ring 01632 960100" in done.stdout, "the council's own number"
    welsh, english, both = (part for part in done.stdout.split("track-my-request  accepted  ") if part.strip())
    assert "16-bit because of â" in welsh
    assert english.startswith("en  (") and "1 part; grade " in english
    assert both.index("Mae eich cais") < both.index("Your request"), "Welsh is never later"
    assert f"warning: {FILE}:" in done.stdout
    assert "statuses.accepted.wording.en: found the word 'utilise'" in done.stdout
    (row,) = [one for one in bare.json("text", "preview", "--status", "accepted") if one["language"] == "cy"]
    assert (row["parts"], row["unicode"], row["because"]) == (3, True, "â")
    assert sorted(path for path in bare.folder.rglob("*") if path.is_file()) == before


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ("ffoniwch ((phone)).", "ffoniwch ((fone)).", "statuses.accepted.wording.cy", "did you mean 'phone'?"),
        ("      en: >-\n        We are", "      eng: >-\n        We are", "statuses.in_progress.wording.eng", "'en'"),
    ],
)
def test_a_fault_is_told_with_file_line_and_key_and_what_to_write(
    bare: Any, old: str, new: str, key: str, words: str
) -> None:
    rewrite(bare, old, new)
    done = bare.dolen("text", "preview", "track-my-request")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{FILE} cannot be shown before this is put right:" in done.stderr
    (told,) = [line for line in done.stderr.splitlines() if f" {key}: " in line and words in line]
    lines = (bare.folder / FILE).read_text(encoding="utf-8").splitlines()
    assert lines[int(told.split(":")[1]) - 1].strip().startswith(f"{key.rpartition('.')[2]}:")
    assert "((fone)) here" not in done.stderr, "what nobody fills in is not asked for in the other language"
    checked = bare.dolen("text", "check", "track-my-request")
    assert checked.returncode == 1
    assert f"error: {told}" in checked.stdout


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (("track-my-requst",), "did you mean 'track-my-request'?"),
        (("track-my-request", "--status", "acepted"), "did you mean 'accepted'?"),
        (("track-my-request", "--status", "received"), "it is one of accepted, completed, in_progress, "),
    ],
)
def test_a_slip_in_a_name_is_told_with_what_there_is(bare: Any, asked: tuple[str, ...], words: str) -> None:
    done = bare.dolen("text", "preview", *asked)
    assert done.returncode == 1
    assert words in done.stderr
