"""What is held about a person, as one page that prints: what `pipelines.exporting` gives, escaped and nothing else."""

from __future__ import annotations

from html import escape
from typing import Any

#: Headings, in Welsh and English. The Welsh awaits a Welsh checker.
_WORDS = {
    "title": "Yr hyn a gedwir amdanoch / What is held about you",
    "council": "Cyngor / Council",
    "person": "Rhif yma / Number here",
    "made": "Gwnaed / Made",
    "identified_by": "Adnabyddir trwy / Identified by",
    "referrals": "Atgyfeiriadau / Referrals",
    "wishes": "Dymuniadau / Wishes",
    "not_matched": "Heb eu paru eto / Not matched yet",
    "earlier_revisions": "Fersiynau cynharach / Earlier revisions",
    "audit": "Pwy wnaeth beth / Who did what",
}
_STYLE = (
    "body{font:16px/1.4 sans-serif;margin:2em;max-width:60em}table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;vertical-align:top;border-top:1px solid #b1b4b6;padding:.3em .6em .3em 0}"
    "th{width:14em;font-weight:600}pre{white-space:pre-wrap;margin:0}"
)


def page(told: dict[str, Any]) -> str:
    """The page, in HTML, without a script or anything from elsewhere."""
    parts = [
        "<!doctype html><html lang='cy'><head><meta charset='utf-8'><meta name='robots' content='noindex'>",
        f"<title>{escape(_WORDS['title'])}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{escape(_WORDS['title'])}</h1>",
    ]
    for name, value in told.items():
        parts.append(f"<h2>{escape(_WORDS.get(name, name))}</h2>{_shown(value)}")
    return "".join([*parts, "</body></html>\n"])


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        rows = "".join(
            f"<tr><th scope='row'>{escape(str(name).replace('_', ' '))}</th><td>{_shown(one)}</td></tr>"
            for name, one in value.items()
            if one not in (None, "", [], {})
        )
        return f"<table>{rows}</table>" if rows else "<p>&ndash;</p>"
    if isinstance(value, list):
        return "".join(_shown(one) for one in value) if value else "<p>&ndash;</p>"
    if isinstance(value, bool):
        return "ie / yes" if value else "na / no"
    return f"<pre>{escape(str(value))}</pre>"
