"""`dolen demo`: the whole journey on this machine alone, with faults, and proof read from the systems at its end."""

from __future__ import annotations

import json
import random
import signal
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from console.demo.ending import Ending, reconciled_table, sums, verdict_table
from console.demo.play import Play
from console.demo.sandbox_desk import SandboxRefused
from console.demo.screen import Screen
from console.demo.stage import Stage, StageFault
from pipelines.desk import NotPossible

#: Requests a second: what two cores carry through all their life without a growing queue.
PACE = 20.0


def demo(
    referrals: Annotated[int, typer.Option(min=1, help="How many requests for help the councils take.")] = 300,
    seed: Annotated[int | None, typer.Option(min=0, help="Draws the same story again; without it a new one.")] = None,
    kills: Annotated[int, typer.Option(min=0, help="How often `dolen run` is killed in mid-work.")] = 0,
    faults: Annotated[bool, typer.Option(help="Let systems fail during the run.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")] = False,
    keep: Annotated[Path | None, typer.Option(help="Keep site, ledger and systems in this new folder.")] = None,
    picture: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Move referrals of three pretend councils through their life, with faults, and prove that none was lost."""
    began = time.monotonic()
    signal.signal(signal.SIGTERM, _as_ctrl_c)
    console = Console(stderr=as_json)
    if seed is None:
        seed = random.randrange(1, 1_000_000)  # noqa: S311 - a story, not a secret
    try:
        with Stage(keep) as stage, Screen(console, picture) as screen:
            play = Play(stage, screen, referrals=referrals, seed=seed, kills=kills, faults=faults, pace=PACE)
            end = play.perform()
            screen.calm()
            end.seconds = round(time.monotonic() - began, 1)
            _tell(screen, end)
    except KeyboardInterrupt:
        console.print("Stopped. Nothing of the demo is left running.", style="yellow")
        raise typer.Exit(130) from None
    except (StageFault, SandboxRefused, NotPossible) as fault:
        console.print(f"The demo cannot go on: {fault}", style="red", markup=False)
        raise typer.Exit(1) from None
    if as_json:
        sys.stdout.write(json.dumps(end.as_json()) + "\n")
    raise typer.Exit(0 if end.well else 1)


def _tell(screen: Screen, end: Ending) -> None:
    screen.show(reconciled_table(end))
    screen.show(verdict_table(end))
    screen.show(sums(end))
    words = "Nothing was lost." if end.well else "Something is wrong: see above."
    again = f"dolen demo --referrals {end.referrals} --seed {end.seed}"
    screen.tell(f"{words} {end.seconds:.0f} seconds in all; the same again: {again}", bad=not end.well)


def _as_ctrl_c(*_: Any) -> None:
    raise KeyboardInterrupt
