"""Somebody else's text stays text: in logs, in texts to residents, on pages, on the terminal, and in what is signed.

Seen red: a sealed payload that was cut to a few bytes ended in a ValueError of the library and not as a key's fault.
"""

from __future__ import annotations

import ast
import json
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest
import structlog

from connectors import paper
from connectors.settings import HttpSettings
from pipelines import logs
from pipelines.keystore import KeyFault
from pipelines.texts import Hears, Message, TextRules, filled, judge

pytest_plugins = ["tests.pipelines.pieces"]
ROOT = Path(__file__).parents[2]
BREAKS = [
    "a\nlevel=error event=forged",
    "a\r\nb",
    "\x1b[2J\x1b]0;x\x07",
    "a\u2028b\u2029c",
    "\x85",
    "\u202egnp.exe",
    "\0",
]


@pytest.mark.parametrize("format", ["json", "text"])
@pytest.mark.parametrize("sign", BREAKS)
def test_a_log_line_stays_one_line(sign: str, format: str, capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("debug", format)
    try:
        logs.log("paused", council=sign, connection=sign, error=sign, place=sign)
        told = capfd.readouterr().err
    finally:
        structlog.reset_defaults()
    assert told.count("\n") == 1
    assert told.rstrip("\n").isprintable()
    assert format == "text" or set(json.loads(told)) == {
        "event", "level", "timestamp", "council", "connection", "error", "place",
    }  # fmt: skip


TEMPLATES = ["((reference))", "{{7*7}}", "${7*7}", "{0.__class__}", "%s%n", "<%= 7*7 %>", "=1+1", "((name)) ((phone))"]


@pytest.mark.parametrize("text", TEMPLATES)
def test_a_text_to_a_resident_is_filled_with_our_reference_alone(text: str) -> None:
    """Whatever a record says of a person: no word of it is part of a text, and no template is made of it."""
    mobile = "person.telecom[system=phone,use=mobile]"
    now = {
        "status": "accepted", "citizen_reference": "TOR-7KX-2MP", "language.correspondence": "en", "reason.text": text,
        "notify.opt_in[channel=text].opted_in": True, f"{mobile}.value": "07700 900123", f"{mobile}.safe_to_text": True,
        "person.name.given": [text], "person.name.family": text,
    }  # fmt: skip
    words = {"accepted": {"cy": "Cyf. ((reference))", "en": "Ref. ((reference))"}}
    rules = TextRules("track", "text", {"accepted": {"cy": "1", "en": "2", "both": "3"}}, words)
    values = {"reference": "TOR-7KX-2MP", "phone": "01632 960100"}
    rows = [Hears("person", ("track",))]
    told = judge(rows, {"track": rules}, {"status": "accepted"}, now, values=values)
    assert isinstance(told, Message)
    assert told.record(told.languages[0])["personalisation"] == {"reference": "TOR-7KX-2MP"}
    # What is filled in is not looked through for more to fill in.
    assert filled("Ref. ((reference))", {"reference": text, "name": "Llwyd", "phone": "1"}) == f"Ref. {text}"


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "&lt;b&gt;", *TEMPLATES]
)
def test_a_page_shows_what_a_record_says_and_runs_none_of_it(text: str) -> None:
    page = paper.page(
        {"reason": text, text: "x"}, {"reason": {"en": text, "cy": text}}, key="k", number="", language="en"
    )
    assert "<script" not in page
    assert "<img" not in page
    assert "{{7*7}}" not in text or "{{7*7}}" in page  # shown as it stands, and not counted out


@pytest.mark.parametrize("name", ["X-Evil\r\nX-More", "X Evil", "", "X:Y", "\u010capi"])
def test_a_setting_names_one_header(name: str) -> None:
    with pytest.raises(ValueError, match="validation error"):
        HttpSettings.model_validate(
            {"url": "https://a.example.org", "login": {"api_key": {"header": name, "key": "env:K"}}},
            context={"secret": lambda _: "k"},
        )


def test_a_secret_with_a_line_break_is_no_secret() -> None:
    with pytest.raises(ValueError, match="control character"):
        HttpSettings.model_validate(
            {"url": "https://a.example.org", "login": {"api_key": {"header": "X-Key", "key": "env:K"}}},
            context={"secret": lambda _: "k\r\nX-Evil: 1"},
        )


@pytest.mark.parametrize("field", ["Subject", "From", "To"])
def test_the_mail_library_refuses_a_header_of_two_lines(field: str) -> None:
    """What `connectors.secure_email` writes its headers with; a message that came through has them one by one."""
    made = message_from_bytes(b"", policy=SMTP)
    with pytest.raises(ValueError, match="linefeed or carriage return"):
        made[field] = "a@example.org\r\nBcc: evil@example.org"


def test_what_is_secret_is_compared_in_constant_time() -> None:
    """In the modules that judge a caller's proof, nothing given is compared by `==` with anything expected."""
    loose = []
    for file in (*(ROOT / "connectors/push").glob("*.py"), *(ROOT / "console/listener").glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare) and any(isinstance(op, ast.Eq | ast.NotEq | ast.In) for op in node.ops):
                names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
                if names & {"given", "wanted", "expected", "token", "secret", "signature", "key", "keys", "written"}:
                    loose.append(f"{file.name}: {ast.unparse(node)}")
    assert loose == ["port.py: key.lower() == name.lower()"]  # a header's name


@pytest.mark.parametrize("left", [0, 1, 7, 11, 12, 13, 27])
def test_a_sealed_payload_that_was_cut_is_a_fault_of_its_own_words(bench: Any, left: int) -> None:
    bench.take(bench.request())
    row = bench.rows("payload")[0]
    with pytest.raises(KeyFault, match="its row or its key was changed"):
        bench.vault.unseal(row.council, row.id, row.key_id, row.body[:left])
