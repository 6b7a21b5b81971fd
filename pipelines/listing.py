"""What a source no longer shows. It may have been deleted there, archived, or left out by a listing that is not whole.

Nobody deletes anything because of it: it is told. And where much is gone at once, or everything, the listing is what is
wrong, and the comparison says so instead of naming each record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.courtesy import Courtesy
from pipelines.crosswalk import Crosswalk
from pipelines.holdings import Holdings
from pipelines.plant import Kind, Wired
from pipelines.report import Line

#: More than this many gone, and more than one in so many, is no day's work of deleting.
_FEW, _ONE_IN = 20, 10
#: So many are named and asked for by their number; the others are counted.
_NAMED = 50


@dataclass(slots=True)
class Gone:
    """Records that the source showed at some time and does not list now, or why that is not believed."""

    named: Sequence[Line] = ()
    more: int = 0
    doubt: str = ""


def gone_from(wired: Wired, kind: Kind, crosswalk: Crosswalk, holdings: Holdings, courtesy: Courtesy) -> Gone:
    """Look for what a source's listing no longer has of what its feed has shown us before."""
    before, absent = 0, 0
    first: list[tuple[str, str]] = []
    for part in crosswalk.read_before(kind.name):
        before += len(part)
        owners = {row.external_id: row.referral_id for row in part}
        lacking = holdings.unseen(kind.name, owners)
        absent += len(lacking)
        first += [(number, owners[number]) for number in lacking[: _NAMED - len(first)]]
    shown = holdings.seen(kind.name)
    if before and (not shown or absent > max(_FEW, before // _ONE_IN)):
        listed = f"{shown} records" if shown else "nothing at all"
        return Gone(
            doubt=f"{wired.name} lists {listed}, and not {absent} of the {before} that it showed before: "
            "the listing is not whole, and nothing is taken for deleted"
        )
    named = [
        Line(number, "", referral, (), _where(wired, kind, number, courtesy), kind.name) for number, referral in first
    ]
    return Gone(named, absent - len(named))


def _where(wired: Wired, kind: Kind, number: str, courtesy: Courtesy) -> str:
    if "fetch" not in wired.offers(kind.name):
        return f"{wired.name} no longer lists it"
    there = courtesy.call(wired, lambda: wired.connector.fetch(kind.name, number))
    return f"{wired.name} no longer has it" if there is None else f"{wired.name} has it and does not list it"
