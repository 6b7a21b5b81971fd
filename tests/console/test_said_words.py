"""Sentences of the movement that a page can show have their Welsh: a new one without it fails here."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from console import said_words
from console.said_words import in_welsh, pieces
from console.web.words import Speech, catalogue
from pipelines.states import DeliveryState

ROOT = Path(__file__).parents[2]
#: What the pages call, and what of it is raised there with a sentence for whoever is refused.
CALLED = ("alerting", "choosing", "code_desk", "comparing_asked", "conflict_values", "control", "deciding", "desk",
          "four_eyes", "grants", "joining", "looking", "previewing", "prover", "replaying", "sheets", "sight", "tasks",
          "unmasking")  # fmt: skip
RAISED = ("NotPossible", "NotAllowed")
#: Refused at the command line alone, which speaks English; each begins so.
AT_THE_COMMAND_LINE = (
    "there is no file", "x uses no code list", "x is about x", "the site has no council of that name",
    "no connection has that name", "x connections have that name", "no route has that name",
    "nothing of that route needs attention", "nothing was named; give ids",
    # The pages answer these with "there is no such page".
    "there is no task", "there is no open conflict",
    "x of that reference; name each",
)  # fmt: skip


def sentence(node: ast.expr) -> str | None:
    """A sentence as it is written, with something for each name in it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else something(ast.unparse(part))
            for part in node.values
        )
    return None


def something(name: str) -> str:
    if ".state" in name:
        return DeliveryState.ARRIVED.value
    return "erased" if any(word in name for word in ("gone", "reason", "stopped", "remedy", "taken", "WORDS")) else "x"


def raised() -> Iterator[tuple[str, str]]:
    for module in CALLED:
        tree = ast.parse((ROOT / "pipelines" / f"{module}.py").read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            call = node.exc if isinstance(node, ast.Raise) else None
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") in RAISED and call.args:
                said = sentence(call.args[0])
                if said is not None:
                    yield module, said


def test_what_is_raised_where_pages_call_has_its_welsh() -> None:
    found = list(raised())
    assert len(found) > 60
    lacking = [one for one in found if in_welsh(one[1]) is None and not one[1].startswith(AT_THE_COMMAND_LINE)]
    assert lacking == []


def test_what_people_do_has_its_welsh() -> None:
    """Every action that the audit is told in so many words, which pages show by `t.of("action", ...)`."""
    told = {
        str(key.value.value)
        for file in (ROOT / "pipelines").glob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        for key in node.keywords
        if key.arg == "action" and isinstance(key.value, ast.Constant)
    }
    assert len(told) > 30
    assert {one for one in told if f"action.{one.replace(' ', '_')}" not in catalogue()} == set()


@pytest.mark.parametrize(
    ("words", "welsh"),
    [
        ("contact C-3: needs attention; made revision 2; left out: needs (unknown code)",
         "contact C-3: angen sylw; gwnaeth ddiwygiad 2; gadawyd allan: needs (unknown code)"),
        ("revision 1 to casework by contact-to-casework: waiting (sent again by a person)",
         "diwygiad 1 i casework trwy contact-to-casework: yn aros (anfonwyd eto gan berson)"),
        ("send: arrived - created; mapping 0123abcd", "anfonwyd: wedi cyrraedd - crëwyd; mapio 0123abcd"),
        ("casework holds revision 1 as 881: created", "mae gan casework ddiwygiad 1 fel 881: crëwyd"),
        ("Ann Officer: settle: by-hand", "Ann Officer: setlo: â llaw"),
        ("d12 is needs attention: there is nothing to settle", "angen sylw yw d12: nid oes dim i'w setlo"),
    ],
)  # fmt: skip
def test_a_line_of_a_story_is_welsh(words: str, welsh: str) -> None:
    assert in_welsh(words) == welsh
    assert str(Speech("cy").said(words)).replace("&#39;", "'") == welsh
    assert str(Speech("en").said(words)).replace("&#39;", "'") == words


def test_what_a_system_said_within_a_line_stays_english_and_is_marked() -> None:
    said = Speech("cy").said("send: refused - <b>the date</b> is missing; mapping 0123abcd")
    assert said == (
        'anfonwyd: gwrthodwyd - <span lang="en">&lt;b&gt;the date&lt;/b&gt; is missing</span>; mapio 0123abcd'
    )
    assert pieces("the date is missing") is None


def test_each_sentence_stands_once_and_both_say_the_same_names() -> None:
    text = (ROOT / "console" / "said.toml").read_text(encoding="utf-8")
    assert "Welsh: awaits a Welsh checker" in text.splitlines()[0]
    both = tomllib.loads(text)["said"]
    assert len({one["en"] for one in both}) == len(both)
    for one in both:
        names = [sorted(name for _, name in said_words._parts(one[language]) if name) for language in ("en", "cy")]
        assert names[0] == names[1], one["en"]
