"""Commands for a site's files as files: site upgrade."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from console import ask
from console.show import as_json, complain, count, safe, say
from console.site import HERE, Json, SiteFolder, site_folder

site = typer.Typer(help="The files of a site.", no_args_is_help=True)

_ASKED_LATER = "(the reason that you give)"


@site.callback()
def of_files() -> None:
    """The files of a site."""


@site.command("upgrade")
def upgrade(
    go: Annotated[bool, typer.Option("--go", help="Write it. The reason is asked.")] = False,
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Bring a site of an older format to today's: shows the difference; with --go writes it."""
    from config.settings import SCHEMA_VERSION
    from config.upgrades import upgrade as upgrading

    folder = site_folder(site)
    who, on = ask.who(), datetime.now().astimezone().date()
    planned = upgrading.plan(folder, author=who, reason=_ASKED_LATER, on=on)
    written = False
    if not json:
        for one in planned.files:
            say(*(safe(line) for line in one.difference()))
        say(*(f"by hand: {one}" for one in planned.by_hand))
    if go and planned.files and not planned.by_hand:
        why = ask.why(f"bring the site from format {planned.version} to {SCHEMA_VERSION}")
        upgrading.write(upgrading.plan(folder, author=who, reason=why, on=on))
        written = True
    if json:
        as_json(
            {
                "format": planned.version,
                "newest": SCHEMA_VERSION,
                "files": [{"file": one.name, "difference": one.difference()} for one in planned.files],
                "by_hand": [str(one) for one in planned.by_hand],
                "written": written,
            }
        )
    elif planned.by_hand:
        complain(f"{count(len(planned.by_hand), 'entry', 'entries')} to change by hand first. Nothing was written")
    elif not planned.files:
        say(f"The site is of format {planned.version}, the newest.")
    elif written:
        say(
            f"{count(len(planned.files), 'file')} written: the site is of format {SCHEMA_VERSION}.",
            f"Next: dolen schema --site-schemas {folder}, then: dolen check --site {folder}",
        )
    else:
        say(f"{count(len(planned.files), 'file')} would be written. Nothing was: say --go.")
    raise typer.Exit(1 if planned.by_hand or (planned.files and not written) else 0)
