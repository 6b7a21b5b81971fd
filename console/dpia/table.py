"""The flows as a table for a spreadsheet: one line a field of a route, with headings in both languages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from console.cells import table
from console.dpia import words
from mappings.loss_words import Words
from mappings.meta import Sensitivity
from pipelines.dpia import Flow, Pack, called, flows_of

_HEADS = (
    words.COUNCIL, words.ROUTE, words.MODE, words.FIELD, words.PATH, words.COUNTS_AS, words.SOURCE, words.AT_SOURCE,
    words.TARGET, words.AT_TARGET, words.PURPOSE, words.BASIS, words.AGREEMENT, words.OWNER, words.RETENTION,
)  # fmt: skip


def csv_of(pack: Pack) -> str:
    """The table, as CSV. It begins with a mark by which spreadsheets know UTF-8."""
    heads = [f"{head.en} / {head.cy}" for head in _HEADS]
    return "\ufeff" + table([heads, *(row for flow in flows_of(pack) for row in _rows(pack, flow))])


def _rows(pack: Pack, flow: Flow) -> Iterator[Sequence[object]]:
    begin = (pack.council, flow.route, flow.mode)
    end = (flow.purpose, flow.lawful_basis, flow.agreement, flow.owner, flow.retention)
    for one in flow.fields:
        name = called(one.ours)
        yield (
            *begin, f"{name['en']} / {name['cy']}", one.ours, _both(one.sensitivity),
            flow.source, one.from_ or _pair(words.OTHERS), flow.target, one.to or _pair(words.BY_TEXT), *end,
        )  # fmt: skip
    if flow.documents:
        kind = f"{_pair(words.DOCUMENTS)}: {flow.documents}"
        yield (*begin, kind, "", _both(Sensitivity.SPECIAL), flow.source, "", flow.target, "", *end)


def _both(sensitivity: Sensitivity) -> str:
    return _pair(words.SENSITIVITIES[sensitivity])


def _pair(one: Words) -> str:
    return f"{one.en} / {one.cy}"
