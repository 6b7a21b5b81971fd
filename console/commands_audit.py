"""Commands of the audit: verify, export."""

from __future__ import annotations

import dataclasses
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from console.guard import WrongUse
from console.show import as_json, say
from console.site import HERE, Json, SiteFolder, for_officer, opened
from pipelines.rights import Right

audit = typer.Typer(help="The record of who did what.", no_args_is_help=True)


@audit.command()
def verify(
    anchors: Annotated[
        Path | None, typer.Option(help="A copy of the anchors from elsewhere; it counts beside the one here.")
    ] = None,
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Look whether the audit is whole: no row changed, missing, moved, made anew or cut off at the end. Writes an
    anchor where it is."""
    from pipelines import anchors as standing
    from pipelines import audit as chain

    if anchors is not None and not anchors.is_file():
        raise WrongUse(f"There is no file {anchors}")
    with opened(site) as plant:
        files = [standing.file_of(plant), *([anchors] if anchors else [])]
        stood = [one for file in files for one in standing.read(file, plant.keys.identity)]
        broken = chain.verify(plant.ledger, plant.vault, stood)
        if broken is None:
            standing.write(plant)
    if json:
        as_json({"whole": broken is None, "anchors": len(stood), "broken": broken and dataclasses.asdict(broken)})
    elif broken is None:
        say("The audit is whole.")
        if not stood:
            say("No anchor says where it stood before, so nothing could show that its end was cut; one is written now.")
    else:
        say(f"The audit is broken at row {broken.seq} ({broken.what}): {broken.words}. Keep the files, report it.")
    raise typer.Exit(0 if broken is None else 1)


class Shape(StrEnum):
    """How a row is written for a SIEM."""

    JSON = "json"
    CEF = "cef"


@audit.command()
def export(
    after: Annotated[int, typer.Option(help="Rows behind this one.", min=0)] = 0,
    format: Annotated[Shape, typer.Option(help="JSON lines, or CEF.")] = Shape.JSON,
    syslog: Annotated[str, typer.Option(help="Send them to this collector instead: host:port.", metavar="HOST")] = "",
    site: SiteFolder = HERE,
) -> None:
    """Write the audit's rows for a SIEM, one a line. Reasons are not in it, only that there is one."""
    from pipelines import audit_lines

    with for_officer(site, Right.PROTECT, restricted_too=True) as plant:
        lines = audit_lines.lines(plant, after, cef=format is Shape.CEF)
        if not syslog:
            for line in lines:
                sys.stdout.write(f"{line}\n")
            return
        host, _, port = syslog.rpartition(":")
        if not host or not port.isdecimal():
            raise WrongUse("Write the collector as host:port")
        try:
            sent = audit_lines.send(lines, host.strip("[]"), int(port))
        except OSError as fault:
            raise WrongUse(f"The collector at {syslog} cannot be reached ({type(fault).__name__})") from None
    say(f"{sent} rows sent.")
