"""How a comparison looks: what agrees, and each request that does not."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from console.show import complain, count, safe, say
from pipelines.report import KINDS, Line, Report

if TYPE_CHECKING:
    from pipelines.repair import Mended, Step

MOST = 20  # lines of each kind; --json lists more


def show(reports: Sequence[Report]) -> None:
    """Each council's result."""
    for report in reports:
        say(
            f"{report.council} {report.route}: {'agrees' if report.agrees else 'DOES NOT AGREE'}. "
            f"{report.source} shows {count(report.in_source, 'record')}, {report.target} {report.in_target}; "
            f"{report.compared} compared ({report.unchanged} of them by their stamps), "
            f"{report.not_meant} not meant for it"
            + (f", {report.not_read} there and not readable" if report.not_read else "")
            + (f", {report.taken_in} taken in that its feed never showed" if report.taken_in else "")
        )
        if report.doubt:
            say(f"  {safe(report.doubt)}")
        for kind in KINDS:
            lines: list[Line] = getattr(report, kind)
            number = report.totals[kind]
            if number:
                say(f"  {kind}: {number}")
            say(*(f"    {_line(report, one)}" for one in lines[:MOST]))
            if number > MOST:
                say(f"    and {number - MOST} more (--json lists {'all' if number == len(lines) else len(lines)})")


def _line(report: Report, one: Line) -> str:
    parts = [
        f"{report.source} {safe(one.source)}" if one.source else "",
        f"{report.target} {safe(one.target)}" if one.target else "",
        f"fields {', '.join(one.fields)}" if one.fields else "",
        safe(one.words),
    ]
    return "; ".join(part for part in parts if part) or "a record without a number"


def planned(report: Report, steps: Sequence[Step]) -> None:
    """What sending again would mend."""
    able = [step for step in steps if step.possible]
    say(f"  to mend by sending again: {len(able)} of {len(steps)}" if steps else "  nothing to mend by sending again")
    for step in steps[:MOST]:
        takes = f"read {' and '.join(step.take_in)} anew" if step.take_in else ""
        sends = f"{step.effect} in {report.target}" if step.effect in ("create", "update") else ""
        fields = f"fields {', '.join(step.fields)}" if step.fields else ""
        words = "; ".join(part for part in (takes, sends, fields, safe(step.words)) if part)
        say(f"    {step.found} {safe(step.source)}: {words or 'nothing'}")
    if len(steps) > MOST:
        say(f"    and {len(steps) - MOST} more (--json lists all)")


def mended(reports: Sequence[Report], all_done: Sequence[Mended]) -> None:
    """What a repair did."""
    for report, done in zip(reports, all_done, strict=True):
        say(
            f"{report.council} {report.route}: {count(done.taken_in, 'version')} taken in, "
            f"{count(len(done.deliveries), 'delivery', 'deliveries')} on the way"
            + (f" ({', '.join(done.deliveries[:MOST])})" if done.deliveries else "")
        )
        for number, why in done.not_done[:MOST]:
            complain(f"{safe(number)} not: {safe(why)}")


def plain(
    reports: Sequence[Report], plans: Sequence[Sequence[Step]] | None, done: Sequence[Mended] | None
) -> list[dict[str, Any]]:
    """The same as data: each council's result, how it would be mended if that was asked, and what was done."""
    shown = []
    for at, report in enumerate(reports):
        one = dataclasses.asdict(report) | {"agrees": report.agrees, "totals": dict(report.totals)}
        if plans is not None:
            one["repair"] = [dataclasses.asdict(step) | {"possible": step.possible} for step in plans[at]]
        if done is not None:
            not_done = [{"source": number, "why": why} for number, why in done[at].not_done]
            one["mended"] = dataclasses.asdict(done[at]) | {"not_done": not_done}
        shown.append(one)
    return shown
