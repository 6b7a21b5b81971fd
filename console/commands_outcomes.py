"""The command `dolen outcomes`: what a council cares about, counted without naming anybody."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.guard import WrongUse
from console.show import SECOND, as_json, say, table
from console.site import HERE, CouncilName, Json, SiteFolder, for_officer, known_council

if TYPE_CHECKING:
    from pipelines.figures import Figures


def outcomes(
    council: CouncilName = "",
    days: Annotated[int, typer.Option(help="Of so many days until now.", min=1, max=3660)] = 90,
    patience: Annotated[float, typer.Option(help="After so many days people would have rung: a guess of yours.")] = 3.0,
    ring_rate: Annotated[float, typer.Option(help="Which share of people used to ring: a guess of yours.")] = 0.4,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    prometheus: Annotated[bool, typer.Option("--prometheus", help="Print the text format of Prometheus.")] = False,
    plots: Annotated[Path | None, typer.Option(help="Write plots (SVG, both languages) here.", metavar="DIR")] = None,
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """How soon people hear, in which language, and what that spares them. Fewer than five are never shown."""
    from pipelines import figures, figures_as

    if sum((csv, prometheus, json)) > 1:
        raise WrongUse("Name one of --csv, --prometheus, --json")
    if not 0 < patience <= 365 or not 0 <= ring_rate <= 1:
        raise WrongUse("--patience is a number of days, --ring-rate a share from 0 to 1")
    assumed = figures.Assumed(timedelta(days=patience), ring_rate)
    with for_officer(site) as plant:
        codes = [known_council(plant, council)] if council else list(plant.councils)
        until = plant.clock.now() + 1
        since = until - days * 86_400 * SECOND
        found = [figures.figures(plant, code, since=since, until=until, assumed=assumed) for code in codes]
    if plots is not None:
        _write(found, plots)
    if csv:
        say(figures_as.as_csv(found).rstrip("\r\n"))
    elif prometheus:
        say(figures_as.as_prometheus(found).rstrip("\n"))
    elif json:
        as_json([_plain(one) for one in found])
    else:
        _tell(found)


def _plain(one: Figures) -> dict[str, object]:
    held = dataclasses.asdict(one)
    assumed = {"patience_days": one.assumed.patience.total_seconds() / 86_400, "ring_rate": one.assumed.ring_rate}
    span = {name: datetime.fromtimestamp(held[name] / SECOND, UTC).isoformat() for name in ("since", "until")}
    return {**held, **span, "assumed": assumed}


def _tell(found: Sequence[Figures]) -> None:
    from pipelines import figures_as

    for one in found:
        say(f"{one.name['cy']} / {one.name['en']}")
        rows: list[tuple[str, str, str]] = []
        for name, (cy, en) in figures_as.WORDS.items():
            value = getattr(one, name, ...)
            if isinstance(value, Mapping):
                rows += [(f"{cy} / {en}", of, _shown(number)) for of, number in value.items()]
            elif value is not ...:
                rows.append((f"{cy} / {en}", "", _shown(value)))
        table(["figure", "of", "value"], rows)
        say(figures_as.method(one, "cy"), figures_as.method(one, "en"), "")


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)


def _write(found: Sequence[Figures], folder: Path) -> None:
    from pipelines import figures_as

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for one in found:
            for name in figures_as.plots():
                for language in ("cy", "en"):
                    path = folder / f"{one.council}-{name.replace('_', '-')}-{language}.svg"
                    path.write_text(figures_as.as_svg(one, name, language), encoding="utf-8")
    except OSError as fault:
        raise WrongUse(f"{folder} cannot be written ({fault.strerror})") from None
