"""The end of a demo: the ledger's sums beside the sandbox's verdict, as a table and as one JSON object.

Lost, doubled, stale, wiped and misdirected come from the sandbox alone, which compares the systems with what its staff
really did. The ledger says what it says of itself: versions, deliveries, and that they add up.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from rich.table import Table
from rich.text import Text

from pipelines import overview
from pipelines.plant import Plant
from pipelines.reconcile import Report
from pipelines.states import DeliveryState, VersionState

FAULTS = ("lost", "doubled", "stale", "wiped", "misdirected")
_WHAT = {
    "lost": "should be there and is not",
    "doubled": "there more often than once",
    "stale": "shows an older value",
    "wiped": "somebody's value is gone or changed",
    "misdirected": "at the wrong council, number or language",
}


@dataclass(slots=True)
class Ending:
    """What a demo ends with; its fields are those of the JSON object."""

    referrals: int
    versions: int
    delivered: int
    superseded: int
    not_sent: int
    attention: int
    replayed: int
    settled: int
    lost: int
    doubled: int
    stale: int
    wiped: int
    misdirected: int
    texts: dict[str, int]
    kills: int
    reconciled: dict[str, str]
    sums_agree: bool
    seconds: float
    seed: int
    examples: dict[str, list[str]] = field(default_factory=dict)

    @property
    def well(self) -> bool:
        """Nothing is wrong in the systems and every sum adds up."""
        return self.sums_agree and not any(getattr(self, name) for name in FAULTS)

    def as_json(self) -> dict[str, Any]:
        """The object that `--json` ends with."""
        return asdict(self)


def ending(
    plant: Plant, verdict: dict[str, Any], *, replayed: int, settled: int, kills: int, seconds: float, seed: int,
    reconciled: dict[str, str],
) -> Ending:  # fmt: skip
    """Put both accounts side by side."""
    seen = overview.look(plant)
    versions, deliveries = seen.versions, seen.deliveries

    def count(*states: DeliveryState) -> int:
        return sum(deliveries.get(state.value, 0) for state in states)

    overtaken = versions.get(VersionState.OLDER.value, 0) + versions.get(VersionState.REPLACED.value, 0)
    agree = seen.sums_agree and seen.open == seen.deliveries.get(DeliveryState.ATTENTION.value, 0)
    return Ending(
        referrals=verdict["referrals"],
        versions=sum(versions.values()),
        delivered=count(DeliveryState.ARRIVED, DeliveryState.SETTLED),
        superseded=count(DeliveryState.REPLACED) + overtaken,
        not_sent=count(DeliveryState.NOT_SENT),
        attention=seen.attention,
        replayed=replayed,
        settled=settled,
        **{name: verdict[name] for name in FAULTS},
        texts=verdict["texts"],
        kills=kills,
        reconciled=reconciled,
        sums_agree=agree,
        seconds=round(seconds, 1),
        seed=seed,
        examples=verdict.get("examples", {}),
    )


def in_words(report: Report) -> str:
    """What a comparison of both ends of a route found, in a few words."""
    if not report.in_source and not report.compared:
        return "nothing to compare"
    wrong = {
        "missing": report.missing,
        "extra": report.extra,
        "different": report.different,
        "stale": report.stale,
        "unreadable": report.unreadable,
    }
    found = ", ".join(f"{len(lines)} {name}" for name, lines in wrong.items() if lines)
    seen = f"{report.compared} compared"
    if report.not_read:
        seen += f", {report.not_read} where no machine may look"
    return f"{seen}: {found or 'agrees'}"


def reconciled_table(end: Ending) -> Table:
    """What Dolen itself found when it compared both ends of each route."""
    table = Table(title="Both ends of each route, as `dolen reconcile` compares them", title_justify="left")
    table.add_column("route")
    table.add_column("found")
    for route, found in end.reconciled.items():
        table.add_row(route, found)
    return table


def verdict_table(end: Ending) -> Table:
    """The verdict, as people see it."""
    table = Table(title="Read from the systems, compared with what their staff really did", title_justify="left")
    table.add_column("")
    table.add_column("count", justify="right")
    table.add_column("")
    for name in FAULTS:
        number: int = getattr(end, name)
        style = "bold red" if number else "bold green"
        first = "; ".join(end.examples.get(name, [])[:3])
        table.add_row(name, Text(str(number), style=style), first or _WHAT[name])
    return table


def sums(end: Ending) -> Text:
    """The sums in two sentences."""
    texts = ", ".join(f"{number} {language}" for language, number in end.texts.items())
    told = Text(
        f"{end.referrals} referrals in {end.versions} versions; {end.delivered} deliveries arrived or were settled, "
        f"{end.superseded} were overtaken by newer ones, {end.not_sent} were not sent by rule, "
        f"{end.attention} need attention. Texts: {texts}. Sent again: {end.replayed}; settled by hand: {end.settled}; "
        f"dolen run killed {end.kills} times. "
    )
    told.append(
        "All sums agree." if end.sums_agree else "The sums of the ledger do not agree.",
        "green" if end.sums_agree else "bold red",
    )
    return told
