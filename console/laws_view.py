"""How the laws of mappings look. Whatever is shown was invented for the purpose, so that values may stand here."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from console.show import count, safe, say
from pipelines.mapping_laws import Broken, Held

_COMPARE = ("keeps theirs", "keeps ours", "leaves the rest")  # the laws about a value that was another one before
_LONG, _BEGINNING = 60, 10  # characters of a text


def held(one: Held) -> None:
    """What became of one mapping."""
    if one.findings:
        say(f"{one.mapping}: NOT WELL, it cannot be used", *(f"  {finding}" for finding in one.findings))
        return
    tried = [count(one.records, "record")] if one.records else []
    tried += [count(one.referrals, "referral")] if one.referrals else []
    without = f"; no record was invented: {one.unknown}" if one.unknown else ""
    mark = "well" if one.well else f"NOT WELL, {count(len(one.broken), 'law broken', 'laws broken')}"
    say(f"{one.mapping}: {mark}, tried with {' and '.join(tried) or 'nothing'}{safe(without)}")
    for broken in one.broken:
        _broken(broken)


def held_plain(one: Held, seed: int) -> dict[str, Any]:
    """The same as data."""
    return {
        "mapping": one.mapping, "file": one.file, "well": one.well, "records": one.records,
        "referrals": one.referrals, "no_records_because": one.unknown, "seed": seed,
        "broken": [dataclasses.asdict(broken) for broken in one.broken],
        "findings": [dataclasses.asdict(finding) for finding in one.findings],
    }  # fmt: skip


def _broken(broken: Broken) -> None:
    place = f"{broken.where}: {broken.row}" if broken.row else "no row maps it"
    compared = f"expected {_value(broken.expected)}, got {_value(broken.got)}: " if broken.law in _COMPARE else ""
    say(
        f"  {broken.law}: {safe(place)}",
        f"    {safe(broken.path)}: {compared}{safe(broken.why)}",
        f"    the smallest {broken.side} that shows it: {_value(broken.smallest)}",
    )


def _value(value: Any) -> str:
    return safe(json.dumps(_shortened(value), ensure_ascii=False, default=str))


def _shortened(value: Any) -> Any:
    """The value with every long text as its beginning and its length: only that is of interest in one."""
    if isinstance(value, dict):
        return {key: _shortened(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_shortened(inner) for inner in value]
    if isinstance(value, str) and len(value) > _LONG:
        return f"{value[:_BEGINNING]}... ({len(value)} characters)"
    return value
