"""`dolen bench start`: what is typed, and how the result looks."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from console.bench.command import bench, tell_results, told_as_json
from console.guard import WrongUse
from console.show import complain


@bench.command()
def start(
    runs: Annotated[int, typer.Option(min=1, help="How many turns each side has; the median counts.")] = 15,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """What `dolen status` costs in processor time, against the bare import of what it is built with."""
    from console.bench import start as contest

    if not hasattr(os, "wait4"):
        raise WrongUse("The bench of starting asks the system for the time of a process that ended; run it on Linux")
    try:
        result = contest.start(runs)
    except contest.Failed as fault:
        complain(f"The bench cannot go on: {fault}")
        raise typer.Exit(1) from None
    if not told_as_json(result, as_json):
        tell_results(result)
    raise typer.Exit(0 if result["results"][0]["ratio"] >= 1 else 1)
