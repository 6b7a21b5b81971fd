"""A record as a page for people: one file of HTML that prints well, in Welsh and English, and loads nothing.

The words of the page itself are here; what a field is called comes from the profile, in Welsh beside the record's own
name. Everything of the record is escaped: a page is read by a browser, and a reason may hold any sign.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any, Literal

Language = Literal["both", "cy", "en"]

_WORDS = {
    "title": ("Atgyfeiriad", "Referral"),
    "key": ("Ein cyfeirnod", "Our reference"),
    "number": ("Rhif yn eich system", "Number in your system"),
    "new": (
        "Rhowch yr atgyfeiriad hwn yn eich system a dywedwch wrthym ei rif yno.",
        "Enter this referral in your system, and tell us its number there.",
    ),
    "change": (
        "Newidiwch y cofnod sydd eisoes yn eich system. Mae popeth sydd ar y dudalen hon yn gyfredol.",
        "Change the record that is in your system already. Everything on this page is as it is now.",
    ),
    "private": (
        "Gwybodaeth bersonol: cadwch yn ddiogel a dinistriwch ar ôl ei defnyddio.",
        "Personal information: keep it safe, and destroy it after use.",
    ),
    "yes": ("Ie", "Yes"),
    "no": ("Na", "No"),
}
_STYLE = (
    "@page{size:A4;margin:18mm}body{font:12pt/1.4 Arial,sans-serif;color:#000;background:#fff;max-width:180mm;"
    "margin:8mm auto}table{border-collapse:collapse;width:100%}th,td{border:1px solid #777;padding:2mm;"
    "text-align:left;vertical-align:top}th{width:38%;font-weight:bold}tr{break-inside:avoid}h1{font-size:18pt}"
    "td{white-space:pre-wrap;overflow-wrap:anywhere}[lang=en].second{color:#333;font-weight:normal}"
)


def page(
    record: Mapping[str, Any], labels: Mapping[str, str], *, key: str, number: str = "", language: Language = "both"
) -> str:
    """The record as HTML. `labels`: what a field is called in Welsh; `number`: the target's, if it holds the record."""
    rows = [("key", None, key)] + ([("number", None, number)] if number else [])
    told = [_row(_both(name, language), escape(value)) for name, _, value in rows]
    told += [_row(_named(name, labels, language), _value(value, labels, language)) for name, value in record.items()]
    lang = "en" if language == "en" else "cy"
    return (
        f'<!DOCTYPE html>\n<html lang="{lang}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n<meta name="robots" content="noindex">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(_plain('title', language))}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{_both('title', language)}</h1>\n<p>{_both('change' if number else 'new', language)}</p>\n"
        f"<table>\n{''.join(told)}</table>\n<p>{_both('private', language)}</p>\n</body>\n</html>\n"
    )


def _row(name: str, value: str) -> str:
    return f'<tr><th scope="row">{name}</th><td>{value}</td></tr>\n'


def _value(value: Any, labels: Mapping[str, str], language: Language) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _both("yes" if value else "no", language)
    if isinstance(value, Mapping):
        inner = [_row(_named(name, labels, language), _value(one, labels, language)) for name, one in value.items()]
        return f"<table>\n{''.join(inner)}</table>"
    if isinstance(value, list | tuple):
        whole = all(not isinstance(one, Mapping | list | tuple) for one in value)
        parts = [_value(one, labels, language) for one in value]
        return "\n".join(part for part in parts if part) if whole else "".join(parts)
    return escape(str(value))


def _named(name: str, labels: Mapping[str, str], language: Language) -> str:
    welsh = labels.get(name)
    if welsh is None or language == "en":
        return f'<span lang="en">{escape(name)}</span>'
    if language == "cy":
        return escape(welsh)
    return f'<span lang="cy">{escape(welsh)}</span><br><span lang="en" class="second">{escape(name)}</span>'


def _both(name: str, language: Language) -> str:
    cy, en = _WORDS[name]
    if language != "both":
        return escape(cy if language == "cy" else en)
    return f'<span lang="cy">{escape(cy)}</span> / <span lang="en">{escape(en)}</span>'


def _plain(name: str, language: Language) -> str:
    cy, en = _WORDS[name]
    return {"cy": cy, "en": en}.get(language, f"{cy} / {en}")
