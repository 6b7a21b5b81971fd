"""The command `dolen status`. Asked for often, by people and by scripts, so it loads nothing that it does not show."""

from __future__ import annotations

import typer

from console import overview_view, process_view, protection_view
from console.show import as_json
from console.site import HERE, Json, SiteFolder, for_officer


def status(site: SiteFolder = HERE, json: Json = False) -> None:
    """Queues, lag, pauses and what needs attention, at a glance."""
    from pipelines import overview, processes

    with for_officer(site, only_to_show=True) as plant:
        seen = overview.look(plant)
        alive, beat = processes.is_running(plant), processes.last_beat(plant)
        present = processes.shown(plant)
        if json:
            told = {"processes": process_view.plain(present), "data_protection": protection_view.plain(plant)}
            as_json(overview_view.plain(plant, seen, alive, beat) | told)
        else:
            overview_view.show(plant, seen, alive, beat)
            process_view.show(present)
            protection_view.show(plant)
    raise typer.Exit(0 if seen.sums_agree else 1)
