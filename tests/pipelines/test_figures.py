"""The figures: counted right, suppressed where few, and shown as CSV, Prometheus text and plots in both languages."""

import csv
import io
from collections import Counter
from dataclasses import asdict
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from lxml import etree
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import update

from pipelines import figures_as
from pipelines.clock import SECOND
from pipelines.figures import FEWEST, Assumed, Figures, _counted, among, figures, small, suppressed
from pipelines.tables import payload

pytest_plugins = ("tests.pipelines.pieces",)

COUNCIL: Any = SimpleNamespace(code="torfaen", name={"cy": "Torfaen", "en": "Torfaen"})
HOUR = 3600


def told(referral: str, *, language: str = "cy", after: float = HOUR, lag: float = 2.0, channel: str = "text",
         report: str = "delivered") -> Any:  # fmt: skip
    asked = 1_000 * SECOND
    at = asked + int(after * SECOND)
    return SimpleNamespace(
        referral_id=referral, language=language, channel=channel, asked=asked, changed=at - int(lag * SECOND), at=at,
        report=report, parts=3,
    )  # fmt: skip


def counted(rows: list[Any], *, asked: int = 40, wanting: int = 30, **rules: int) -> Figures:
    people = Counter("accepted" if n % 2 else "completed" for n in range(asked))
    guess = Assumed(timedelta(hours=2), 0.5)
    return _counted(COUNCIL, people, rows, Counter(rules), wanting, 0, 90 * 86_400 * SECOND, guess)


def test_how_soon_and_in_which_language() -> None:
    rows = [told(f"cy-{n}", after=HOUR, lag=1.0) for n in range(10)]
    rows += [told(f"en-{n}", language="en", after=3 * HOUR, lag=4.0) for n in range(10)]
    rows += [told(f"cy-{n}", after=5 * HOUR, lag=1.0) for n in range(10)]  # later news of the same
    found = counted(rows)
    assert (found.referrals, found.told, found.asked_for_news, found.opt_in_rate) == (40, 20, 30, 0.75)
    assert (found.first_news, found.first_news_90th) == (2 * HOUR, 3 * HOUR)
    assert (found.told_before_ringing, found.avoided_contacts) == (0.5, 5)
    assert found.lag == {"cy": 1.0, "en": 4.0, "both": None}
    assert (found.not_later, found.lag_between) == (True, -3.0)
    assert found.messages == {"cy": 20, "en": 10}
    assert found.parts == 90
    late = [told(f"w-{n}", lag=60.0) for n in range(5)] + [told(f"e-{n}", language="en") for n in range(5)]
    assert (counted(late).not_later, counted(late).lag_between) == (False, 58.0)


def test_few_are_never_shown_and_cannot_be_told_from_a_sum() -> None:
    assert [small(n) for n in range(7)] == [0, None, None, None, None, 5, 6]
    assert suppressed({"a": 3, "b": 20, "c": 9}) == {"a": None, "b": 20, "c": None}
    assert suppressed({"a": 3, "b": 2, "c": 9}) == {"a": None, "b": None, "c": 9}
    assert suppressed({"a": 3}) == {"a": None}
    assert suppressed({"a": 0, "b": 9}) == {"b": 9}
    assert [among(38, 40), among(2, 40), among(35, 40), among(40, 40)] == [None, None, 35, 40]
    found = counted([told("a"), told("b"), told("c")], asked=3, wanting=2, overtaken=2)
    shown = asdict(found)
    for name in ("referrals", "told", "opt_in_rate", "first_news", "told_before_ringing", "avoided_contacts", "parts"):
        assert shown[name] is None, name
    assert set(found.not_sent.values()) == {None}
    assert set(found.lag.values()) == {None}


@pytest.fixture
def found() -> Figures:
    rows = [told(f"r{n}", language=("cy", "en", "both")[n % 3]) for n in range(30)] + [told("x", report="technical")]
    return counted(rows, **{"=not opted in": 12, "digest": 2, "safe, perhaps": 8})


def test_csv_says_each_figure_in_both_languages_and_starts_no_formula(found: Figures) -> None:
    rows = list(csv.DictReader(io.StringIO(figures_as.as_csv([found]))))
    by_name = {(row["figure"], row["of"]): row for row in rows}
    assert by_name["opt_in_rate", ""]["value"] == "0.75"
    assert by_name["messages", "en"]["value"] == "10"
    assert by_name["lag_between", ""]["value"] == "0"
    assert by_name["reports", "technical"]["value"] == "", "one is never shown"
    assert not any(row["of"].startswith("=") for row in rows)
    assert all(row["cy"] and row["en"] and row["cy"] != row["en"] for row in rows)


def test_prometheus_reads_it(found: Figures) -> None:
    families = {one.name: one for one in text_string_to_metric_families(figures_as.as_prometheus([found]))}
    samples = {sample.labels["of"]: sample.value for sample in families["dolen_outcome_messages"].samples}
    assert samples == {"cy": 11, "en": 10, "both": 10}
    assert "technical" not in figures_as.as_prometheus([found])
    assert families["dolen_outcome_opt_in_rate"].samples[0].labels == {"council": "torfaen"}


@pytest.mark.parametrize("language", ["cy", "en"])
@pytest.mark.parametrize("name", figures_as.plots())
def test_each_plot_is_drawn_and_told_in_words(found: Figures, name: str, language: str) -> None:
    drawing = etree.fromstring(figures_as.as_svg(found, name, language).encode())
    space = {"s": "http://www.w3.org/2000/svg"}
    assert drawing.get("lang") == language
    assert drawing.get("role") == "img"
    (title,) = drawing.xpath("s:title/text()", namespaces=space)
    assert title.startswith(figures_as.WORDS[name][0 if language == "cy" else 1])
    assert drawing.xpath("s:desc/text()", namespaces=space)
    assert not drawing.xpath("//s:script", namespaces=space)
    if name == "reports":
        few = figures_as.WORDS["few"][0 if language == "cy" else 1]
        assert few in drawing.xpath("string(s:desc)", namespaces=space)
        assert FEWEST == 5


def test_the_method_of_every_estimate_is_printed_in_both_languages(found: Figures) -> None:
    assert "0.5" in figures_as.method(found, "cy")
    assert "It is an estimate and no measurement" in figures_as.method(found, "en")


def test_who_asked_for_news_is_counted_without_opening_anything(bench: Any) -> None:
    """Enough of them that they are shown, and one that no longer wants any."""
    for number in range(12):
        bench.take(bench.request(f"C-{number}", updates__opted_in=number < 6))
    bench.take(bench.request("C-0", minute=1, updates__opted_in=False))
    with bench.writing() as connection:
        connection.execute(update(payload).values(body=None))
    now = bench.clock.now()
    found = figures(bench.plant, "torfaen", since=0, until=now + 1)
    assert (found.referrals, found.asked_for_news) == (12, 5)
    assert sum(number or 0 for number in found.by_state.values()) == 12
    assert figures(bench.plant, "torfaen", since=now + 1, until=now + 2).referrals == 0
