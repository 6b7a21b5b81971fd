"""How the loss report looks: as plain text, as data, and as a paper to be printed and signed, in English and Welsh."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

from console.show import safe, say
from mappings import fieldpaths
from mappings import loss_words as words
from mappings.coverage import SORTS, WAYS, Loss, counts
from mappings.crossing import Carried, strictest
from mappings.loss_words import Words
from mappings.meta import WELSH_CHECKED
from pipelines.loss_report import LossReport, MappingLoss, RouteLoss

_BLANK = "\u00a0"  # an empty cell of Markdown that has to be wide enough to sign in


def shown(report: LossReport) -> None:
    """The report as plain text, in English."""
    for one in report.mappings:
        _mapping(one)
    for route in report.routes:
        _route(route)


def plain(report: LossReport) -> dict[str, Any]:
    """The report as data."""
    return {
        "mappings": [
            {
                "mapping": one.mapping, "file": one.file, "digest": one.digest, "system": one.system,
                "record": one.record, "interface": one.interface, "not_counted_because": one.unknown,
                "counts": counts(one.losses), "losses": [_loss_plain(loss) for loss in one.losses],
                "findings": [dataclasses.asdict(finding) for finding in one.findings],
            }
            for one in report.mappings
        ],
        "routes": [
            {
                "council": one.council, "route": one.route, "from": one.from_, "to": one.to, "by_text": one.by_text,
                "purpose": one.purpose, "lawful_basis": one.lawful_basis, "agreement": one.agreement,
                "owner": one.owner, "strictest": one.crossing.strictest.value,
                **{
                    name: [_carried_plain(field) for field in getattr(one.crossing, name)]
                    for name in ("arrives", "stops", "elsewhere", "numbers")
                },
                "codes_lost": [{"field": field, "code": code} for field, code in one.crossing.codes_lost],
                "lost_before": [_loss_plain(loss) for loss in one.lost_before],
                "lost_after": [_loss_plain(loss) for loss in one.lost_after],
            }
            for one in report.routes
        ],
    }  # fmt: skip


def paper(report: LossReport) -> list[str]:
    """The report in Markdown, with a place for name, date and signature."""
    lines = [f"# {_both(words.TITLE)}", ""]
    if not WELSH_CHECKED:
        lines += [f"*{words.UNCHECKED.en} {words.UNCHECKED.cy}*", ""]
    for one in report.mappings:
        lines += _mapping_paper(one)
    for route in report.routes:
        lines += _route_paper(route)
    return [*lines, *_signature()]


def _mapping(one: MappingLoss) -> None:
    say(f"{one.mapping} ({one.file}){f', against {one.interface}' if one.interface else ''}")
    say(*(f"  {finding}" for finding in one.findings))
    if one.unknown:
        say(f"  {words.NOT_COUNTED.en}: {safe(one.unknown)}")
    if not one.losses and not one.findings:
        say(f"  {words.NOTHING_LOST.en}")
    for way in WAYS:
        for sort in SORTS:
            group = [loss for loss in one.losses if (loss.way, loss.sort) == (way, sort)]
            if group:
                say(f"  {words.WAYS[way].en}. {words.SORTS[sort].en} ({len(group)}):")
                say(*(f"    {safe(_line(loss))}" for loss in group))


def _route(one: RouteLoss) -> None:
    say(f"{one.council}: {one.route}, from {one.from_} to {one.to}")
    for title, fields in _fields(one):
        if fields:
            say(f"  {title.en} ({len(fields)}, {words.SENSITIVITIES[strictest(fields)].en}):")
            say(*(f"    {safe(field.ours)}: {words.SENSITIVITIES[field.sensitivity].en}" for field in fields))
    say(*(f"  {words.NO_CODE.en}: {field}: {safe(code)}" for field, code in one.crossing.codes_lost))
    for title, group in ((words.LOST_BEFORE, one.lost_before), (words.LOST_AFTER, one.lost_after)):
        if group:
            by_sort = {sort: sum(loss.sort == sort for loss in group) for sort in SORTS}
            say(f"  {title.en}: {', '.join(f'{sort} {number}' for sort, number in by_sort.items() if number)}")


def _fields(one: RouteLoss) -> list[tuple[Words, Sequence[Carried]]]:
    found = one.crossing
    return [
        (words.ARRIVES, found.arrives), (words.STOPS, found.stops), (words.ELSEWHERE, found.elsewhere),
        (words.NUMBERS, found.numbers),
    ]  # fmt: skip


def _mapping_paper(one: MappingLoss) -> list[str]:
    version = " · ".join(part for part in (f"`{one.file}`", one.digest[:12], one.interface) if part)
    lines = [f"## {one.mapping}", "", version, ""]
    lines += [ *(f"- {finding}" for finding in one.findings)]
    if one.unknown:
        lines += [f"{_both(words.NOT_COUNTED)}: {one.unknown}", ""]
    if not one.losses and not one.findings:
        lines += [_both(words.NOTHING_LOST), ""]
    groups = [
        (way, sort, group)
        for way in WAYS
        for sort in SORTS
        if (group := [loss for loss in one.losses if (loss.way, loss.sort) == (way, sort)])
    ]
    if groups:
        lines += [*_row(_both(words.LOSSES), _both(words.HOW_MANY)), "|---|---|"]
        for way, sort, group in groups:
            lines += _row(f"{_both(words.WAYS[way])}: {_both(words.SORTS[sort])}", str(len(group)))
    for way, sort, group in groups:
        lines += ["", f"### {_both(words.WAYS[way])}: {_both(words.SORTS[sort])}", ""]
        lines += [f"- {_named(loss.ours)}{_line(loss)}" for loss in group]
    return [*lines, ""]


def _route_paper(one: RouteLoss) -> list[str]:
    lines = [f"## {_both(words.ROUTE)}: {one.council} / {one.route}", "", f"{one.from_} → {one.to}", ""]
    for title, text in (
        (words.PURPOSE, one.purpose), (words.BASIS, one.lawful_basis), (words.AGREEMENT, one.agreement),
        (words.OWNER, one.owner),
    ):  # fmt: skip
        lines.append(f"- {_both(title)}: {text or '-'}")
    for title, fields in _fields(one):
        if not fields:
            continue
        lines += ["", f"### {_both(title)} ({len(fields)})", ""]
        lines += _row(*(_both(head) for head in (words.FIELD, words.FROM, words.TO, words.COUNTS_AS)))
        lines.append("|---|---|---|---|")
        for field in fields:
            counted = words.SENSITIVITIES[field.sensitivity]
            lines += _row(f"{_named(field.ours)}`{field.ours}`", field.from_ or "-", field.to or "-", _both(counted))
    if one.crossing.codes_lost:
        lines += ["", f"### {_both(words.NO_CODE)}", ""]
        lines += [f"- {_named(field)}`{field}`: {code}" for field, code in one.crossing.codes_lost]
    for title, group in ((words.LOST_BEFORE, one.lost_before), (words.LOST_AFTER, one.lost_after)):
        if group:
            lines += ["", f"### {_both(title)} ({len(group)})", ""]
            lines += [f"- {_both(words.SORTS[loss.sort])}: {_named(loss.ours)}{_line(loss)}" for loss in group]
    return [*lines, ""]


def _signature() -> list[str]:
    heads = (words.NAME, words.ROLE, words.DATE, words.SIGNATURE)
    return [
        f"## {_both(words.SIGNED)}", "", *_row(*(_both(head) for head in heads)), "|---|---|---|---|",
        *_row(*(_BLANK * 20 for _ in heads)), *_row(*(_BLANK * 20 for _ in heads)),
    ]  # fmt: skip


def _row(*cells: str) -> list[str]:
    return [f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"]


def _both(pair: Words) -> str:
    return f"{pair.en} / {pair.cy}"


def _named(ours: str) -> str:
    """What people call a field of ours, in both languages, before its path."""
    field = fieldpaths.field_of(ours) if ours and not ours.startswith("extensions") else None
    return f"{field.meta.en} / {field.meta.cy}: " if field is not None else ""


def _line(loss: Loss) -> str:
    between = " <-> ".join(side for side in (loss.ours, loss.theirs) if side)
    said = f": {loss.what}" if loss.what else ""
    return f"{between}{said} ({words.SENSITIVITIES[loss.sensitivity].en})"


def _loss_plain(loss: Loss) -> dict[str, Any]:
    return {
        "way": loss.way, "sort": loss.sort, "ours": loss.ours, "theirs": loss.theirs, "what": loss.what,
        "sensitivity": loss.sensitivity.value, "key": loss.key,
    }  # fmt: skip


def _carried_plain(field: Carried) -> dict[str, Any]:
    return {"ours": field.ours, "from": field.from_, "to": field.to, "sensitivity": field.sensitivity.value}


def unusable(mappings: Iterable[MappingLoss]) -> bool:
    """Whether a mapping could not be reported on."""
    return any(one.findings for one in mappings)
