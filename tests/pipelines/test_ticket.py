"""The supplier's ticket: what finds our calls in their log, and no value of anybody's record."""

from typing import Any

import pytest

from console import desk_view, where_words
from console.show import safe, say
from pipelines import desk, showing
from pipelines.causes import Cause
from pipelines.decision import Decision, Do
from pipelines.looking import NotPossible
from pipelines.sending import Result
from pipelines.ticket import of_cause
from pipelines.where import where

pytest_plugins = ("tests.pipelines.pieces",)

HOSTILE = "no\x1b[2J \u202etxt.exe\r\nSubject: x"
CANARIES = ("Siân", "Llŷr", "1941-02-28", "07700", "Cwmbrân", "NP44", "C-1")


def refused(bench: Any, words: str) -> str:
    bench.take(bench.request(priority="urgent"))
    job = bench.job(bench.rows("delivery")[-1].lane)
    why = Cause("casework", "send", "Rejected", words)
    assert bench.write(Result(job, error="Rejected", words=words, decision=Decision(Do.ATTENTION), cause=why))
    return f"d{job.row.id}"


def test_a_ticket_names_our_calls_and_nobody(bench: Any, capsys: pytest.CaptureFixture[str]) -> None:
    refused(bench, "the date is missing")
    [group] = desk.attention(bench.plant)
    one = of_cause(bench.plant, group.fingerprint)
    assert (one.system, one.protocol, one.count, one.urgent) == ("casework", "soap", 1, 1)
    desk_view.ticket(one, "Europe/London")
    text = capsys.readouterr().out
    assert bench.row("delivery").key in text
    assert "Please answer to: Social care systems team, 01632 960102" in text
    assert not any(canary in text for canary in CANARIES)
    with pytest.raises(NotPossible, match="there is no cause"):
        of_cause(bench.plant, "123456789abc")


def test_what_a_system_says_is_inert_wherever_it_is_shown(bench: Any, capsys: pytest.CaptureFixture[str]) -> None:
    id = refused(bench, HOSTILE)
    groups = desk.attention(bench.plant)
    desk_view.attention(bench.plant, groups, [], [])
    desk_view.shown(bench.plant, showing.show(bench.plant, id), None)
    desk_view.ticket(of_cause(bench.plant, groups[0].fingerprint), "Europe/London")
    [one] = where(bench.plant, "C-1")
    for line in where_words.sentences(one, now=bench.clock.now(), zone="Europe/London"):
        say(safe(line))
    text = capsys.readouterr().out
    assert "no?[2J ?txt.exe??Subject: x" in text
    assert not any(sign in text for sign in ("\x1b", "\u202e", "\x00", "\r"))
    assert "URGENT" in text
    assert text.count("Social care systems team, 01632 960102, Mon-Fri 8.30-17.00") == 3
