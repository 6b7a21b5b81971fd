"""Commands of what a site takes: capacity."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.show import as_json, count, say, table
from console.site import HERE, Json, SiteFolder, opened, site_folder

if TYPE_CHECKING:
    from pipelines.capacity import Capacity

_GIGA, _MEGA, _YEAR = 1e9, 1e6, 365.25
_TIGHT = 0.8  # of a limit, above which a supplier should be asked for more


def capacity(
    a_day: Annotated[
        float | None, typer.Option(min=0.1, help="Project for so many referrals a day, not for those that came.")
    ] = None,
    disk: Annotated[
        float | None, typer.Option(min=0.001, help="Gigabytes that the ledger may grow by; else what its disk has.")
    ] = None,
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """How large the ledger is and will be, when the disk is full, and how often systems are called."""
    from pipelines.capacity import capacity as measured

    limits = _limits(site)
    with opened(site) as plant:
        found = measured(plant, limits, a_day=a_day, room=None if disk is None else int(disk * _GIGA))
    if json:
        as_json(dataclasses.asdict(found))
    else:
        _show(found)
    tight = [one for one in found.calls if (one.busiest_share or 0) > _TIGHT]
    full = found.projection is not None and (found.projection.full_in_days or _YEAR) < _YEAR
    raise typer.Exit(1 if tight or full else 0)


def _limits(site: Path) -> dict[tuple[str, str], float]:
    from pipelines import composition

    found = {}
    for code, council in composition.load(site_folder(site)).councils.items():
        for name, connection in council.settings.connections.items():
            told = connection.connect.get("limits")
            rate = told.get("calls_a_second") if isinstance(told, dict) else None
            if isinstance(rate, int | float) and rate > 0:
                found[code, name] = float(rate)
    return found


def _show(found: Capacity) -> None:
    say(f"The ledger: {_size(found.bytes)}, {count(found.referrals, 'referral')}, {found.age_days:.0f} days old.")
    rows = [[one.table, str(one.rows), "not told" if one.bytes is None else _size(one.bytes)] for one in found.sizes]
    table(["table", "rows", "with indexes"], rows)
    if found.kept:
        table(["payloads", "held", "size"], [[one.kind, str(one.count), _size(one.bytes)] for one in found.kept])
    if found.calls:
        heads = ["connection", "calls a day to write", "busiest hour", "limit a second", "of it in that hour"]
        table(heads, [
            [f"{one.council}/{one.connection}", f"{one.a_day:.1f}", str(one.busiest_hour),
             "none" if one.limit is None else f"{one.limit:g}",
             "" if one.busiest_share is None else f"{one.busiest_share:.1%}"]
            for one in found.calls
        ])  # fmt: skip
    told = found.projection
    if told is None:
        say(f"Nothing can be projected: {found.too_little}.")
        return
    say(f"One referral takes, and for how long ({found.open_days:.1f} days from first to last news, then its time):")
    table(["share", "bytes", "days"], [
        [one.name, f"{one.bytes_a_referral:.0f}", f"{one.days:.0f}"] for one in found.shares
    ])  # fmt: skip
    say(f"At {found.a_day:.1f} referrals a day the ledger grows by {_size(told.bytes_a_day)} a day now.")
    rests = "it is level already" if not told.rests_in_days else f"level in {told.rests_in_days / _YEAR:.1f} years"
    say(f"With what retention lets go of it comes to rest at {_size(told.at_rest)}; {rests}.")
    if found.room is None:
        say("How much room its disk has is not known from here: say --disk GIGABYTES.")
    elif told.full_in_days is None:
        say(f"It fits for good: {_size(found.room)} are free.")
    else:
        days = told.full_in_days
        say(f"{_size(found.room)} are free: full in {days:.0f} days, {days / _YEAR:.1f} years.")


def _size(number: float) -> str:
    if number >= _GIGA:
        return f"{number / _GIGA:.2f} GB"
    return f"{number / _MEGA:.2f} MB" if number >= _MEGA / 10 else f"{number / 1000:.1f} kB"
