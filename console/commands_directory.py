"""Commands for services to refer on to: read the directories anew, and look for a service in their copies."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.guard import WrongUse
from console.show import as_json, complain, count, progress, safe, say, when
from console.site import HERE, CouncilName, Json, SiteFolder, for_officer, known_council, zone_of
from pipelines.rights import Right

if TYPE_CHECKING:
    from pipelines.directory import Copy, Found
    from pipelines.plant import Plant

services = typer.Typer(help="Services to refer on to: read directories, find a service.", no_args_is_help=True)
_MOST = 20


@services.command("refresh")
def refresh(council: CouncilName = "", site: SiteFolder = HERE, json: Json = False) -> None:
    """Read every directory of services anew and keep a copy."""
    from pipelines import composition, directory

    with for_officer(site, Right.CONTROL) as plant, progress(json) as told:
        files = composition.load(plant.root).councils
        copies = []
        for wired in directory.directories(plant, known_council(plant, council)):
            connect = files[wired.council].settings.connections[wired.name].connect
            copies.append(directory.refresh(plant, wired, str(connect.get("url", "")), told))
        if json:
            as_json([_plain(plant, copy) for copy in copies])
        else:
            for copy in copies:
                say(f"{copy.council}/{copy.connection}: {count(len(copy.services), 'service')} read.")
                for why, number in sorted(copy.left_out.items()):
                    complain(f"  left out: {number}, {why}")
    raise typer.Exit(1 if any(copy.left_out for copy in copies) else 0)


@services.command("find")
def find(
    words: Annotated[list[str], typer.Argument(help="What the service is about.", metavar="WORDS...")],
    age: Annotated[int | None, typer.Option(help="Only what takes a person of this age.", metavar="YEARS")] = None,
    all_statuses: Annotated[bool, typer.Option("--all", help="Also those that are closed or inactive.")] = False,
    council: CouncilName = "",
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Look for a service in the copies of directories. Nothing is sent anywhere; no person's name belongs here."""
    from pipelines import directory

    if age is not None and not 0 <= age <= 130:
        raise WrongUse("An age is a number of years from 0 to 130")
    with for_officer(site) as plant:
        found = directory.find(
            plant, " ".join(words), council=known_council(plant, council), age=age, all_statuses=all_statuses
        )
        if json:
            as_json([{**one.service, "directory": _plain(plant, one.copy)} for one in found])
        else:
            _show(plant, found)
    raise typer.Exit(0 if found else 1)


def _show(plant: Plant, found: list[Found]) -> None:
    from pipelines.directory import STALE

    for one in found[:_MOST]:
        service = one.service
        by = f", {safe(str(service['organisation']))}" if service.get("organisation") else ""
        state = "" if service["status"] == "active" else f" [{service['status'].upper()}]"
        say(f"{safe(str(service['name']))}{by}{state}", f"  id       {service['id']}")
        for key, words in (("description", "what"), ("alert", "ALERT"), ("fees", "fees"), ("url", "page"),
                           ("email", "email"), ("assured_date", "assured")):  # fmt: skip
            if service.get(key):
                say(f"  {words:<8} {safe(str(service[key]))[:300]}")
        say("")
    if len(found) > _MOST:
        say(f"and {len(found) - _MOST} more (--json lists all)")
    if not found:
        say("No service was found with all these words.")
    for copy in {id(one.copy): one.copy for one in found}.values():
        read = when(_micro(copy), zone_of(plant, copy.council))
        say(f"From {copy.council}/{copy.connection} ({safe(copy.source)}), read {read}.")
        if copy.age(plant.clock.instant()) > STALE:
            complain(f"{copy.connection} was read more than {STALE.days} days ago: run `dolen services refresh`")


def _plain(plant: Plant, copy: Copy) -> dict[str, Any]:
    told = dataclasses.asdict(copy)
    told.pop("services")
    age = copy.age(plant.clock.instant())
    return {
        **told,
        "read_at": copy.read_at.isoformat(),
        "services": len(copy.services),
        "age_seconds": int(age.total_seconds()),
    }


def _micro(copy: Copy) -> int:
    from pipelines.clock import to_time

    return to_time(copy.read_at)
