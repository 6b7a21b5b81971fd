"""How the first day's pairs look: what belongs together, what differs in it, and what a person must decide."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from console.show import complain, count, safe, say

if TYPE_CHECKING:
    from pipelines.first_day import Written
    from pipelines.pairing import Alone, Matched, Pair

MOST = 20  # lines of each kind; --json lists more


def show(found: Matched) -> None:
    """What was found; nothing is written yet."""
    totals = found.totals
    how = f"by {', '.join(found.by)}" if found.by else "by the list"
    say(
        f"{found.council}: {found.one} shows {count(totals['in_one'], 'record')}, {found.other} {totals['in_other']}. "
        f"Paired {how}: {totals['pairs']}; paired before: {totals['known']}"
    )
    differing = [pair for pair in found.pairs if pair.to_one or pair.to_other]
    if differing:
        say(f"  of these differ, and will be sent what the owner's system shows: {len(differing)}")
        _lines(len(differing), [_pair(found, pair) for pair in differing])
    for side, name in (("one", found.one), ("other", found.other)):
        here = [line for line in found.alone if line.system == name]
        number = totals[f"alone_in_{side}"]
        if number:
            closed = sum(not line.open for line in here)
            say(f"  in {name} alone: {number}" + (f" ({closed} of them closed)" if closed else ""))
            _lines(number, [safe(line.number) for line in here])
    for what, words in (
        ("undecided", "for a person to decide"),
        ("unreadable", "cannot be read"),
        ("unknown", "in the list, and not to be found"),
    ):
        lines: list[Alone] = getattr(found, what)
        if lines:
            say(f"  {words}: {totals[what]}")
            _lines(totals[what], [f"{line.system} {safe(line.number)}: {safe(line.why)}" for line in lines])


def _lines(number: int, lines: list[str]) -> None:
    say(*(f"    {line}" for line in lines[:MOST]))
    if number > MOST:
        say(f"    and {number - MOST} more (--json lists {'all' if number == len(lines) else len(lines)})")


def _pair(found: Matched, pair: Pair) -> str:
    sends = [
        f"{name} is sent {', '.join(fields)}"
        for name, fields in ((found.one, pair.to_one), (found.other, pair.to_other))
        if fields
    ]
    look = f"; a person must look at {', '.join(pair.safeguarding)}" if pair.safeguarding else ""
    return f"{safe(pair.one)} = {safe(pair.other)}: {'; '.join(sends)}{look}"


def written(found: Matched, done: Written) -> None:
    """What was written."""
    sends = count(done.sends, "delivery", "deliveries")
    say(f"{count(done.paired, 'pair')} written, {sends} of what differs on the way.")
    for number, why in done.not_done[:MOST]:
        complain(f"{safe(number)} not: {safe(why)}")
    if done.complete:
        say(f"{found.one} and {found.other} are matched: going live no longer waits for them.")
    else:
        say(
            "Not matched yet: have what is left mended at its source, name the pairs with --csv, or say that the rest "
            "are cases of their own with --rest-is-apart."
        )


def plain(found: Matched, done: Written | None) -> dict[str, Any]:
    """The same as data."""
    shown = dataclasses.asdict(found) | {"totals": dict(found.totals), "clear": found.clear}
    if done is not None:
        not_done = [{"number": number, "why": why} for number, why in done.not_done]
        shown["written"] = dataclasses.asdict(done) | {"not_done": not_done}
    return shown
