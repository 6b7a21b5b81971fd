"""The pack as a page: Markdown to paste, and HTML to read, one language each, of one and the same content."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from console.dpia import words
from console.dpia.picture import svg_of
from console.dpia.words import Language
from mappings.loss_words import Words
from mappings.meta import WELSH_CHECKED, Sensitivity
from pipelines.dpia import SHADOW, Flow, Pack, called, flows_of

#: A paragraph, a heading (its level, its words) or a table (its heads, its rows).
Block = str | tuple[int, str] | tuple[Sequence[str], Sequence[Sequence[str]]]

_STYLE = (
    "body{font-family:Arial,Helvetica,sans-serif;line-height:1.5;max-width:70rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;margin:1rem 0;width:100%}th,td{border:1px solid #505a5f;padding:.35rem .6rem;"
    "text-align:left;vertical-align:top;overflow-wrap:anywhere}th{background:#f3f2f1}svg{max-width:100%;height:auto}"
)
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~!])")


def markdown_of(pack: Pack, language: Language, picture: str) -> str:
    """The page in Markdown. `picture` is the name of the file with the picture."""
    lines: list[str] = []
    for block in _blocks(pack, language):
        if isinstance(block, str):
            lines += [_plain(block), ""]
        elif isinstance(block[0], int):
            lines += [f"{'#' * block[0]} {_plain(str(block[1]))}", ""]
            if block[1] == getattr(words.PICTURE, language):
                lines += [f"![{_plain(str(block[1]))}]({picture})", ""]
        else:
            heads, rows = block[0], block[1]
            lines += [_row(heads), "|" + "---|" * len(heads), *(_row(row) for row in rows), ""]
    return "\n".join(lines)


def html_of(pack: Pack, language: Language) -> str:
    """The page in HTML, whole in itself: the picture is in it, and nothing is fetched."""
    body: list[str] = []
    for block in _blocks(pack, language):
        if isinstance(block, str):
            body.append(f"<p>{escape(block)}</p>")
        elif isinstance(block[0], int):
            body.append(f"<h{block[0]}>{escape(str(block[1]))}</h{block[0]}>")
            if block[1] == getattr(words.PICTURE, language):
                body.append(f"<div>{svg_of(pack, language)}</div>")
        else:
            body.append(_table(block[0], block[1]))
    title = f"{_in(words.TITLE, language)}: {pack.name[language]}"
    return (
        f'<!DOCTYPE html>\n<html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body><main>\n" + "\n".join(body)
    ) + "\n</main></body></html>\n"


def _blocks(pack: Pack, language: Language) -> Iterable[Block]:
    def say(pair: Words) -> str:
        return _in(pair, language)

    yield (1, f"{say(words.TITLE)}: {pack.name[language]}")
    yield say(words.MADE)
    if language == "cy" and not WELSH_CHECKED:
        yield say(words.UNCHECKED)
    yield f"{say(words.STATE)}: {pack.digest[:16]}. {say(words.STAGE)}: {pack.stage}."
    yield (2, say(words.PICTURE))
    yield (2, say(words.SYSTEMS))
    heads = [say(one) for one in (words.SYSTEM, words.PROFILE, words.SUPPLIER, words.ANSWERS)]
    yield heads, [(one.name, one.profile, one.supplier, one.owner) for one in pack.systems]
    yield (2, say(words.SUMMARY))
    heads = [say(one) for one in (words.ROUTE, words.MODE, words.SOURCE, words.TARGET, words.PURPOSE, words.COUNTS_AS)]
    yield heads, [_glance(flow, language) for flow in flows_of(pack)]
    yield (2, say(words.FLOWS))
    for flow in flows_of(pack):
        yield from _flow(flow, language)
    yield (2, say(words.MISSING))
    missing = [
        (flow.route, ", ".join(say(words.NEEDS[name]) for name in flow.unsaid)) for flow in pack.flows if flow.unsaid
    ]
    if missing:
        yield [say(words.ROUTE), say(words.NOT_SAID)], missing
    else:
        yield say(words.NOTHING_MISSING)
    yield (2, say(words.KEPT))
    yield [say(words.CLASS), say(words.TIME)], [
        (say(words.CLASSES[name]) if name in words.CLASSES else name, time) for name, time in pack.kept.items()
    ]


def _flow(flow: Flow, language: Language) -> Iterable[Block]:
    def say(pair: Words) -> str:
        return _in(pair, language)

    unsaid = say(words.NOT_SAID)
    yield (3, f"{say(words.FLOW)}: {flow.route}")
    yield [say(words.FLOW), flow.route], [
        (say(words.SOURCE), flow.source),
        (say(words.TARGET), flow.target),
        (say(words.MODE), _mode(flow, language)),
        (say(words.PURPOSE), flow.purpose or unsaid),
        (say(words.BASIS), flow.lawful_basis or unsaid),
        (say(words.AGREEMENT), flow.agreement or unsaid),
        (say(words.OWNER), flow.owner or unsaid),
        (say(words.RETENTION), flow.retention or unsaid),
        (say(words.CONDITION), flow.condition or say(words.ALL)),
        (say(words.DOCUMENTS), flow.documents or say(words.NONE)),
    ]
    if flow.untold:
        yield flow.untold
    heads = [say(one) for one in (words.FIELD, words.PATH, words.COUNTS_AS, words.AT_SOURCE, words.AT_TARGET)]
    yield heads, [
        (
            called(one.ours)[language], one.ours, say(words.SENSITIVITIES[one.sensitivity]),
            one.from_ or say(words.OTHERS), one.to or (say(words.BY_TEXT) if flow.by_text else ""),
        )
        for one in flow.fields
    ]  # fmt: skip


def _glance(flow: Flow, language: Language) -> Sequence[str]:
    counts = ", ".join(
        f"{number} {_in(words.SENSITIVITIES[one], language)}"
        for one in (Sensitivity.SPECIAL, Sensitivity.IDENTIFYING, Sensitivity.NONE)
        if (number := flow.count(one))
    )
    purpose = flow.purpose or _in(words.NOT_SAID, language)
    return (flow.route, _mode(flow, language), flow.source, flow.target, purpose, counts)


def _mode(flow: Flow, language: Language) -> str:
    return _in(words.SHADOW if flow.mode == SHADOW else words.LIVE, language)


def _in(pair: Words, language: Language) -> str:
    return pair.cy if language == "cy" else pair.en


def _plain(text: str) -> str:
    """Text that Markdown takes for nothing else, on one line."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_plain(one) for one in cells) + " |"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(one)}</td>" for one in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
