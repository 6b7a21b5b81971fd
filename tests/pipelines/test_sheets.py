"""A delivery as a page: what its target would be told, for people, with a reason in the audit."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines import sheets
from pipelines.looking import NotPossible

pytest_plugins = ("tests.pipelines.pieces",)


def page(bench: Any, id: str = "d1") -> str:
    return sheets.sheet(bench.plant, id, language="both", who="A. Swyddog", why="I'w deipio i mewn")


def test_a_page_shows_what_the_target_would_be_told_and_is_audited(bench: Any) -> None:
    bench.take(bench.request(reason__text="<i>Cwympodd</i>"))
    shown = page(bench)
    assert "Llŷr" in shown
    assert "&lt;i&gt;Cwympodd&lt;/i&gt;" in shown
    assert bench.row("delivery").key in shown
    line = bench.rows("audit")[-1]
    assert (line.action, line.subject, line.who) == ("page", "d1", "A. Swyddog")
    assert line.why
    assert bench.deliveries("casework") == ["waiting"], "nothing is sent and nothing is settled by it"


def test_it_names_the_number_that_the_target_has(bench: Any) -> None:
    bench.take(bench.request())
    bench.arrived(bench.row("delivery").lane, "881")
    bench.take(bench.request(minute=9, priority="urgent"))
    shown = page(bench, "d2")
    assert "881" in shown
    assert "Change the record that is in your system already" in shown


def test_what_would_not_be_sent_is_not_printed(bench: Any) -> None:
    bench.take(bench.request(priority="emergancy"))
    with pytest.raises(NotPossible):
        page(bench, "d1")
    assert not [line for line in bench.rows("audit") if line.action == "page"]
