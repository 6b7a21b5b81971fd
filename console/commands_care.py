"""Commands of care: backup, restore, support-bundle."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from console import ask
from console.guard import WrongUse
from console.moments import moment
from console.show import as_json, count, iso, say
from console.site import HERE, Json, SiteFolder, for_officer, officer_name, opened, site_folder
from pipelines.rights import Right


def backup(
    out: Annotated[Path, typer.Option("--out", help="A new folder for the ledger's copy.", metavar="DIR")],
    keys_out: Annotated[
        Path | None,
        typer.Option("--keys-out", help="Another new folder for the keys' copy, kept elsewhere.", metavar="DIR"),
    ] = None,
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Copy the ledger, and its keys apart, while the site runs."""
    from pipelines import backups, composition

    with opened(site) as plant:
        made = backups.backup(plant, composition.load(site), out, keys_out)
    if json:
        as_json([dataclasses.asdict(one) for one in made])
        return
    for one in made:
        say(f"{one.folder / one.file}: the {one.what}, {one.size / 1e6:.1f} megabytes.")
    if keys_out is None:
        say("The keys are not in it. Copy them too, to another place: --keys-out DIR.")
    say("The main key is in neither: keep a copy of it apart from both. Without it nothing can be read again.")


def restore(
    folder: Annotated[Path, typer.Argument(help="The folder of a ledger's backup.", metavar="DIR")],
    keys: Annotated[
        Path | None, typer.Option("--keys", help="The folder of its keys' backup, if they are lost too.", metavar="DIR")
    ] = None,
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Put a backup back where there is no ledger. Nothing is sent twice: what may have gone since is looked up, or
    waits for a person. The reason is asked."""
    from pipelines import backups, composition

    loaded = composition.load(site_folder(site))
    done = backups.put_back(loaded, folder, keys, who=ask.who(), why=ask.why("put this backup back"))
    if json:
        as_json({"made": iso(done.made), "referrals": done.referrals, "doubtful": done.doubtful})
        return
    from pipelines.clock import machine_time

    say(
        f"The ledger is back as it was {moment(done.made, machine_time(), 'UTC')} UTC: "
        f"{count(done.referrals, 'referral')}.",
        f"{count(done.doubtful, 'delivery', 'deliveries')} may have gone since then, and are looked up or wait for a "
        "person.",
        "Start it: dolen run. Each council sends again once its sources have been read again; until then it waits.",
        "If a source cannot be read now: dolen go-on COUNCIL. Then compare: dolen reconcile ROUTE.",
    )


def go_on(
    council: Annotated[str, typer.Argument(help="The council that sends again.", metavar="COUNCIL")],
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """After a restore: let a council send again although not all of its sources could be read. The reason is asked."""
    from pipelines import restored

    with for_officer(site, Right.ADMINISTER) as plant:
        asked = restored.go_on(plant, council, who=officer_name(plant), why=ask.why(f"let {council} send again"))
    if json:
        as_json({"doubtful": asked})
    else:
        say(f"{council} sends again; {count(asked, 'delivery waits', 'deliveries wait')} for a person.")


def support_bundle(
    out: Annotated[Path, typer.Option("--out", help="The file to write; it must not be there yet.", metavar="FILE")],
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Write what a supporter of Dolen needs into a file: versions, shapes, states and counts, and nothing personal."""
    from pipelines import composition, support
    from pipelines.check import check

    if out.exists():
        raise WrongUse(f"{out} is there already; name another file")
    with for_officer(site, Right.ADMINISTER) as plant:
        names = support.bundle(plant.whole, composition.load(site), check(site_folder(site)), out)
    if json:
        as_json({"file": str(out), "parts": names})
    else:
        say(f"{out}: {', '.join(names)}. Nothing personal is in it; read it before you send it.")
