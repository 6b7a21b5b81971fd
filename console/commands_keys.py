"""Commands of the keys: status, rotate."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import typer

from console import ask
from console.show import as_json, progress, say
from console.site import HERE, Json, SiteFolder, for_whole_site, officer_name
from pipelines.rights import Right

keys = typer.Typer(help="The keys by which everything about people is encrypted.", no_args_is_help=True)


def _day(at: int) -> str:
    return datetime.fromtimestamp(at / 1_000_000, UTC).date().isoformat()


@keys.command()
def status(site: SiteFolder = HERE, json: Json = False) -> None:
    """Which main key is in use, since when, and whether a rotation is under way. Exit 1 while one is."""
    from pipelines import rotation

    with for_whole_site(site, Right.ADMINISTER) as plant:
        found = rotation.status(plant.keys)
    if json:
        as_json(dataclasses.asdict(found))
    else:
        say(f"Main key {found.main}, in use since {_day(found.since)}.")
        say(f"It opens {found.data_keys} data keys and {found.person_keys} persons' keys of {found.councils} councils.")
        for id, at in found.replaced:
            say(f"{id} was replaced on {_day(at)}: keep it, sealed, as long as backups of the key store from before.")
        if found.under_way:
            say(
                f"A rotation is under way: {found.under_way} is being replaced, rows left under old keys: "
                f"{found.rows_left}. Both keys open everything. Go on with: dolen keys rotate"
            )
    raise typer.Exit(1 if found.under_way else 0)


@keys.command()
def rotate(site: SiteFolder = HERE, json: Json = False) -> None:
    """Put a new main key and new councils' keys in place of the old ones, also while the site runs. May be stopped and
    begun again; the old key opens nothing once no row is left. The reason is asked."""
    from pipelines import composition, rotating

    with for_whole_site(site, Right.ADMINISTER) as plant, progress(json) as told:
        why = ask.why("rotate the keys")
        done = rotating.rotate(plant, composition.load(site), who=officer_name(plant), why=why, tell=told)
    if json:
        as_json(dataclasses.asdict(done))
        return
    say(f"The keys are rotated: main key {done.main}, rows left under old keys: {done.rows_left}.")
    say("Back up the key store and the new main key now, in two places. Older backups need the old key: keep it.")
