"""The figures as CSV, as Prometheus text, and as plots in SVG that need no script. Labels are Welsh and English.

The Welsh awaits a Welsh checker. A figure that is suppressed is an empty cell, no sample, and a hatched bar with words.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape

from mappings.vocabulary import Status
from pipelines.clock import SECOND
from pipelines.figures import FEWEST, Figures

#: What each figure is called, in Welsh and in English.
WORDS: Mapping[str, tuple[str, str]] = {
    "referrals": ("Atgyfeiriadau", "Referrals"),
    "by_state": ("Atgyfeiriadau yn ôl statws", "Referrals by state"),
    "asked_for_news": ("Wedi gofyn am newyddion", "Asked for news"),
    "opt_in_rate": ("Cyfran a ofynnodd am newyddion", "Share who asked for news"),
    "told": ("Wedi cael gwybod", "Told something"),
    "first_news": ("O'r cais i'r newyddion cyntaf, canolrif (eiliadau)", "Request to first news, median (seconds)"),
    "first_news_90th": (
        "O'r cais i'r newyddion cyntaf, 9 o bob 10 (eiliadau)", "Request to first news, 9 of 10 (seconds)",
    ),
    "told_before_ringing": (
        "Cyfran a gafodd wybod cyn ffonio (amcangyfrif)", "Share told before they would have rung (estimate)",
    ),
    "avoided_contacts": ("Galwadau a arbedwyd (amcangyfrif)", "Avoided contacts (estimate)"),
    "messages": ("Newyddion yn ôl iaith", "News by language"),
    "lag": ("O'r newid i'r newyddion yn ôl iaith, canolrif (eiliadau)", "Change to news by language, median (seconds)"),
    "lag_between": (
        "Faint yn hwyrach oedd y newyddion Cymraeg na'r rhai Saesneg (eiliadau)",
        "By how much Welsh news was later than English (seconds)",
    ),
    "not_sent": ("Heb eu hanfon, yn ôl rheol", "Not sent, by rule"),
    "reports": ("Sut yr aeth y negeseuon", "How messages went"),
    "parts": ("Rhannau a filiwyd", "Billed parts"),
    "cy": ("Cymraeg", "Welsh"),
    "en": ("Saesneg", "English"),
    "both": ("Y ddwy iaith", "Both languages"),
    "telephone": ("Dros y ffôn", "By telephone"),
    "few": (f"llai na {FEWEST}", f"fewer than {FEWEST}"),
}  # fmt: skip
METHOD = (
    "Galwadau a arbedwyd: atgyfeiriadau y daeth eu newyddion cyntaf o fewn {days:g} diwrnod i'r cais, wedi'u lluosi â "
    "{rate:g}, y gyfran a arferai ffonio. Amcangyfrif yw hwn, nid mesuriad.",
    "Avoided contacts: referrals whose first news came within {days:g} days of the request, times {rate:g}, the share "
    "that used to ring. It is an estimate and no measurement.",
)
_PLAIN = ("referrals", "asked_for_news", "opt_in_rate", "told", "first_news", "first_news_90th", "told_before_ringing",
          "avoided_contacts", "lag_between", "parts")  # fmt: skip
_GROUPS = ("by_state", "messages", "lag", "not_sent", "reports")


def method(figures: Figures, language: str) -> str:
    """How the estimates were made, in one language."""
    words = METHOD[0 if language == "cy" else 1]
    return words.format(days=figures.assumed.patience.total_seconds() / 86_400, rate=figures.assumed.ring_rate)


def as_csv(all_figures: Sequence[Figures]) -> str:
    """One row a figure: council, from, until, figure, of what, value, and the figure's name in both languages."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(["council", "from", "until", "figure", "of", "value", "cy", "en"])
    for one in all_figures:
        span = [one.council, _day(one.since), _day(one.until)]
        for name in _PLAIN:
            rows.writerow([*span, name, "", _cell(getattr(one, name)), *WORDS[name]])
        for name in _GROUPS:
            for of, value in getattr(one, name).items():
                rows.writerow([*span, name, _safe(of), _cell(value), *WORDS[name]])
    return out.getvalue()


def as_prometheus(all_figures: Sequence[Figures]) -> str:
    """The text format of Prometheus 0.0.4: gauges, by council. What is suppressed has no sample."""
    lines = []
    for name in (*_PLAIN, *_GROUPS):
        metric = f"dolen_outcome_{name}"
        samples = []
        for one in all_figures:
            value = getattr(one, name)
            parts = value.items() if isinstance(value, Mapping) else [("", value)]
            for of, number in parts:
                label = f',of="{_label(of)}"' if of else ""
                samples += [] if number is None else [f'{metric}{{council="{_label(one.council)}"{label}}} {number:g}']
        if samples:
            lines += [f"# HELP {metric} {WORDS[name][1]}", f"# TYPE {metric} gauge", *samples]
    return "\n".join(lines) + "\n"


def as_svg(figures: Figures, name: str, language: str = "en") -> str:
    """One group of figures as horizontal beams, with a title and a description for whoever cannot see them."""
    at = 0 if language == "cy" else 1
    shown = list(getattr(figures, name).items())
    title = f"{WORDS[name][at]} - {figures.name['cy' if at == 0 else 'en']}"
    mark = f"{figures.council}-{name}"
    most = max([value for _, value in shown if value], default=1) or 1
    height, spoken, drawn = 30 * len(shown) + 46, [], []
    for row, (of, value) in enumerate(shown):
        y, label = 40 + 30 * row, named(of, at)
        told = WORDS["few"][at] if value is None else f"{value:g}"
        width = 0 if value is None else round(360 * value / most)
        beam = (
            f'<rect x="230" y="{y}" width="60" height="20" fill="none" stroke="#505a5f" stroke-dasharray="4 3"/>'
            if value is None
            else f'<rect x="230" y="{y}" width="{width}" height="20" fill="#1d70b8"/>'
        )
        after = 230 + (60 if value is None else width) + 8
        drawn.append(
            f'<text x="222" y="{y + 15}" text-anchor="end">{escape(label)}</text>{beam}'
            f'<text x="{after}" y="{y + 15}">{escape(told)}</text>'
        )
        spoken.append(f"{label}: {told}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 680 {height}" role="img" lang="{language}" '
        f'aria-labelledby="t-{mark} d-{mark}" font-family="sans-serif" font-size="14" fill="#0b0c0c">'
        f'<title id="t-{mark}">{escape(title)}</title><desc id="d-{mark}">{escape("; ".join(spoken))}</desc>'
        f'<text x="0" y="20" font-weight="bold">{escape(title)}</text>{"".join(drawn)}</svg>\n'
    )


def plots() -> tuple[str, ...]:
    """The groups of figures that are drawn."""
    return _GROUPS


def named(of: str, at: int) -> str:
    """What a part of a group is called, in Welsh (0) or in English (1); a rule has its own words."""
    if of in WORDS:
        return WORDS[of][at]
    status = next((one for one in Status if one.value == of), None)
    return of if status is None else (status.cy if at == 0 else status.en)


def _day(at: int) -> str:
    return datetime.fromtimestamp(at / SECOND, UTC).date().isoformat()


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _safe(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") else text


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
