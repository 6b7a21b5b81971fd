"""`dolen bench wales`, `dolen bench curves` and `dolen bench draw`: what is typed, and how the result looks."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from console.bench.command import bench, tell_results
from console.guard import WrongUse
from console.show import complain, say
from console.site import HERE


@bench.command()
def wales(
    seconds: Annotated[float, typer.Option(min=10, help="Into how many seconds the day is laid.")] = 600.0,
    councils: Annotated[int, typer.Option(min=1, max=200, help="How many councils, three connections each.")] = 22,
    mean: Annotated[float, typer.Option(min=0.1, max=200, help="Changes a second, in the mean of the day.")] = 2.0,
    burst: Annotated[int, typer.Option(min=0, max=1000, help="Changes at one council at once, every minute.")] = 30,
    poll: Annotated[int, typer.Option(min=1, max=3600, help="Seconds between two polls of a connection.")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="Draws the same day again.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """A day of all councils of a country at ten times their demand: how late, how busy, and how large the process."""
    from console.bench import wales as contest
    from console.bench.pipeline import Failed

    if sys.platform != "linux":
        raise WrongUse("The day watches processor time and memory as Linux tells them; run it there")
    day = contest.Day(councils=councils, seconds=seconds, mean=mean, burst=burst, poll=poll, seed=seed)
    try:
        result = contest.wales(day, tell=complain)
    except Failed as fault:
        complain(f"The bench cannot go on: {fault}")
        raise typer.Exit(1) from None
    _tell(result, as_json)
    raise typer.Exit(0 if all(one["ratio"] >= 1 for one in result["results"]) else 1)


@bench.command()
def curves(
    size: Annotated[list[int] | None, typer.Option(min=10, help="Records in one go; may be given again.")] = None,
    records: Annotated[int, typer.Option(min=20, help="Records in the middle of which the process is killed.")] = 2000,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Records a second and memory against size, and what a kill in the middle costs; `dolen bench draw` draws it."""
    from console.bench import curves as contest
    from console.bench.pipeline import Failed

    if sys.platform != "linux":
        raise WrongUse("The most memory that a process had is read as Linux tells it; run it there")
    try:
        result = contest.curves(size or contest.SIZES, records, tell=complain)
    except Failed as fault:
        complain(f"The bench cannot go on: {fault}")
        raise typer.Exit(1) from None
    if as_json:
        say(json.dumps(result))
    else:
        tell_results(result)
        for one in result["sizes"]:
            say(f"{one['records']} records: {one['rate']:g} a second, at most {one['mb']:g} MB.")
    raise typer.Exit(0 if all(one["ratio"] >= 1 for one in result["results"]) else 1)


@bench.command()
def draw(
    results: Annotated[list[Path], typer.Argument(help="Files that --json of wales or curves filled.")],
    to: Annotated[Path, typer.Option(help="The folder of the pictures.", metavar="DIR")] = HERE,
) -> None:
    """Draw what benches printed, as SVG; it needs matplotlib."""
    from console.bench import drawing

    for file in results:
        try:
            for picture in drawing.draw(file, to):
                say(str(picture))
        except drawing.NotDrawn as fault:
            raise WrongUse(str(fault)) from None


def _tell(result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        say(json.dumps(result))
        return
    tell_results(result)
    told = [f"{name} {value:g} s" for name, value in result["latency"].items()]
    say(
        f"{result['deeds']} changes were typed, {result['timed']} timed: {', '.join(told)}; "
        f"{result['overtaken']} were overtaken by a newer one before they were shown or sent.",
        f"With the wait for the poll: p95 {result['with_the_wait']['p95']:g} s. Before anybody typed the process took "
        f"{result['idle_cpu']} percent of a core.",
    )
