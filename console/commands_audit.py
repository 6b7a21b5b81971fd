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


#: What stands before a collector that is spoken to over TLS.
_TLS = "tls://"


class Shape(StrEnum):
    """How a row is written for a SIEM."""

    JSON = "json"
    CEF = "cef"


@audit.command()
def export(
    after: Annotated[
        int | None,
        typer.Option(help="Rows behind this one. Left out: all, or over TLS those that the collector has not.", min=0),
    ] = None,
    format: Annotated[Shape, typer.Option(help="JSON lines, or CEF.")] = Shape.JSON,
    syslog: Annotated[
        str, typer.Option(help="Send them to this collector instead: tls://host:port, or host:port in clear.")
    ] = "",
    ca_bundle: Annotated[
        Path | None, typer.Option(help="With tls://: PEM file of the only authorities to trust.", metavar="FILE")
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="With tls://: PEM file of our own certificate, if it asks.", metavar="FILE")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="PEM file of its private key.", metavar="FILE")] = None,
    site: SiteFolder = HERE,
) -> None:
    """Write the audit's rows for a SIEM, one a line. Reasons are not in it, only that there is one."""
    from pipelines import audit_lines

    secure = syslog.startswith(_TLS)
    if not secure and (ca_bundle or certificate or key):
        raise WrongUse("Files of certificates go with a collector that is written as tls://host:port")
    place = _place(syslog.removeprefix(_TLS)) if syslog else None
    with for_officer(site, Right.PROTECT, restricted_too=True) as plant:
        cef = format is Shape.CEF
        if place is None:
            for line in audit_lines.lines(plant, after or 0, cef=cef):
                sys.stdout.write(f"{line}\n")
            return
        if secure:
            from connectors.syslog import SecureCollector
            from pipelines import audit_sent

            collector = SecureCollector(*place, ca_bundle=ca_bundle, certificate=certificate, key=key)
            done = audit_sent.hand_over(plant, collector, cef=cef, after=after)
            if done.anew and after is None:
                say("The ledger is not the one that was sent before, so all of it was sent again.")
            say(f"{done.rows} rows sent; {syslog} has all up to row {done.place}.")
            return
        from connectors.syslog import send_in_clear

        try:
            sent = send_in_clear(audit_lines.lines(plant, after or 0, cef=cef), *place)
        except OSError as fault:
            raise WrongUse(f"The collector at {syslog} cannot be reached ({type(fault).__name__})") from None
    say(f"{sent} rows sent.")


def _place(told: str) -> tuple[str, int]:
    host, _, port = told.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise WrongUse("Write the collector as tls://host:port, or as host:port for one on this machine or network")
    return host.strip("[]"), int(port)
