"""The flows as a picture (SVG): systems as boxes, routes as arrows, each with what it carries at most.

It is made of text, boxes and lines alone: no script, no font and no address of anybody's, so that it can be pasted into
a council's own paper. Colour says nothing that the words beside it do not say as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from console.dpia import words
from console.dpia.words import Language
from mappings.meta import Sensitivity
from pipelines.dpia import SHADOW, Flow, Pack, flows_of

_WIDTH, _BOX, _ROW, _TOP = 960, 230, 84, 24
_COLOURS = {Sensitivity.SPECIAL: "#942514", Sensitivity.IDENTIFYING: "#6f4a00", Sensitivity.NONE: "#144e81"}


def svg_of(pack: Pack, language: Language) -> str:
    """The picture in one language: one row a flow, source on the left and target on the right."""
    flows = list(flows_of(pack))
    height = _TOP + max(len(flows), 1) * _ROW + 8
    title = escape(f"{getattr(words.TITLE, language)}: {pack.name[language]}")
    body = "".join(_flow(flow, _TOP + number * _ROW, language) for number, flow in enumerate(flows))
    markers = "".join(
        f'<marker id="tip-{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" '
        f'orient="auto"><path d="M0 0L10 5L0 10z" fill="{colour}"/></marker>'
        for name, colour in _COLOURS.items()
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'role="img" lang="{language}" font-family="Arial, Helvetica, sans-serif" font-size="14">'
        f"<title>{title}</title><desc>{escape('; '.join(_said(flow, language) for flow in flows))}</desc>"
        f'<defs>{markers}</defs><rect width="100%" height="100%" fill="#ffffff"/>{body}</svg>\n'
    )


def _flow(flow: Flow, top: int, language: Language) -> str:
    colour = _COLOURS[flow.strictest]
    left, right, middle = 16 + _BOX, _WIDTH - 16 - _BOX, top + 26
    dashes = ' stroke-dasharray="7 5"' if flow.mode == SHADOW else ""
    centre = _WIDTH // 2
    return (
        _box(16, top, flow.source)
        + _box(right, top, flow.target)
        + f'<line x1="{left}" y1="{middle}" x2="{right}" y2="{middle}" stroke="{colour}" stroke-width="2"{dashes} '
        f'marker-end="url(#tip-{flow.strictest})"/>'
        + _text(centre, middle - 8, flow.route, weight="bold")
        + _text(centre, middle + 18, _counts(flow, language))
        + (_text(centre, middle + 36, getattr(words.SHADOW, language)) if flow.mode == SHADOW else "")
    )


def _box(x: int, y: int, name: str) -> str:
    return (
        f'<rect x="{x}" y="{y}" width="{_BOX}" height="52" rx="4" fill="#f3f2f1" stroke="#0b0c0c"/>'
        + _text(x + _BOX // 2, y + 31, name, weight="bold")
    )


def _text(x: int, y: int, said: str, weight: str = "normal") -> str:
    how = f'text-anchor="middle" font-weight="{weight}" fill="#0b0c0c"'
    return f'<text x="{x}" y="{y}" {how}>{escape(_short(said))}</text>'


def _short(said: str, most: int = 56) -> str:
    return said if len(said) <= most else said[: most - 1] + "\u2026"


def _counts(flow: Flow, language: Language) -> str:
    order: Sequence[Sensitivity] = (Sensitivity.SPECIAL, Sensitivity.IDENTIFYING, Sensitivity.NONE)
    said = [
        f"{number} {getattr(words.SENSITIVITIES[one], language)}" for one in order if (number := flow.count(one))
    ]
    return " \u00b7 ".join(said)


def _said(flow: Flow, language: Language) -> str:
    return f"{flow.route}: {flow.source} \u2192 {flow.target}, {_counts(flow, language)}"
