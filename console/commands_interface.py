"""Commands about the interfaces of systems: has the supplier changed one, and what of ours does that break."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.show import as_json, complain, count, safe, say
from console.site import HERE, CouncilName, Json, SiteFolder, for_officer, known_council
from pipelines.rights import Right

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.drifting import Finding, Looked

interface = typer.Typer(help="The interfaces of systems: has a supplier changed one?", no_args_is_help=True)

#: Harmless changes that are listed; --json lists all.
_MOST = 20


@interface.command("drift")
def drift(
    connection: Annotated[
        str, typer.Argument(help="One connection: torfaen/contact; all if left out.", metavar="[CONNECTION]")
    ] = "",
    save: Annotated[
        Path | None, typer.Option(help="Write what was fetched into this folder, for review.", metavar="DIR")
    ] = None,
    council: CouncilName = "",
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Fetch the interface that a system shows today, compare its meaning with the pinned one, and list the rows and
    keys that a change touches. The pinned file is never replaced. Exit 1: something breaks, or a system did not
    answer."""
    from pipelines import composition, control, drift_watch, drifting, interfaces_seen

    with for_officer(site, Right.CONTROL) as plant:
        chosen = control.connections(plant, connection, known_council(plant, council))
        files = composition.load(plant.root)
        found = []
        for wired in chosen:
            looked = drifting.look(plant, wired, site=files)
            drift_watch.keep(plant, looked)
            found.append(looked)
            if save is not None:
                written = drifting.save(looked, save / wired.council / wired.name)
                complain(f"{wired.council}/{wired.name}: {count(len(written), 'file')} written to {save}")
    as_json([_plain(one) for one in found]) if json else _show(found)
    raise typer.Exit(1 if any(one.breaks or one.state == interfaces_seen.NOT_SEEN for one in found) else 0)


def _show(found: Sequence[Looked]) -> None:
    for one in found:
        name = f"{one.council}/{one.connection}"
        if one.words:
            say(f"{name}: {one.state}: {safe(one.words)}")
            continue
        by_harm: dict[str, list[Finding]] = {}
        for finding in one.findings:
            by_harm.setdefault(finding.harm, []).append(finding)
        told = ", ".join(f"{len(some)} {harm}" for harm, some in by_harm.items())
        say(f"{name}: {one.state}" + (f": {told}" if told else ""))
        for harm, some in by_harm.items():
            for finding in some if harm != "harmless" else some[:_MOST]:
                kind = f"{finding.kind} " if finding.kind else ""
                say(f"  {harm}: {kind}{safe(finding.words)}")
                say(*(f"      {safe(place)}" for place in (*finding.rows, *finding.keys)))
            if harm == "harmless" and len(some) > _MOST:
                say(f"    and {len(some) - _MOST} more (--json lists all)")


def _plain(one: Looked) -> dict[str, Any]:
    return {
        "council": one.council, "connection": one.connection, "state": one.state, "words": one.words,
        "breaks": one.breaks, "findings": [dataclasses.asdict(finding) for finding in one.findings],
    }  # fmt: skip
