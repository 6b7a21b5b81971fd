"""How a comparison looks: what agrees, and each request that does not."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from console.show import count, safe, say
from pipelines.report import KINDS, Line, Report

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


def plain(report: Report) -> dict[str, Any]:
    """The same as data."""
    return dataclasses.asdict(report) | {"agrees": report.agrees, "totals": dict(report.totals)}
