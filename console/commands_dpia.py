"""`dolen dpia`: the data flows of each council, for its data protection impact assessment."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from console.guard import WrongUse
from console.show import as_json, count, say
from console.site import HERE, CouncilName, Json, SiteFolder, site_folder


def dpia(
    folder: Annotated[
        Path | None, typer.Argument(help="Where the pack is written; it is made.", metavar="DIR", show_default=False)
    ] = None,
    council: CouncilName = "",
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Write the data flows of each council from its configuration: page, table and picture, in Welsh and English."""
    from console.dpia import page, picture, table
    from console.dpia.words import LANGUAGES
    from pipelines import dpia as flows

    if (folder is None) is not json:
        raise WrongUse("Name a folder for the pack, or write --json to have it as data")
    packs = flows.packs(site_folder(site), council)
    if not packs:
        raise WrongUse("No council of the site has that code, or its file cannot be used: dolen check says which")
    if folder is None:
        as_json([dataclasses.asdict(pack) for pack in packs])
    else:
        folder.mkdir(parents=True, exist_ok=True)
        written = 0
        for pack in packs:
            files = {f"{pack.council}-flows.csv": table.csv_of(pack)}
            for language in LANGUAGES:
                drawn = f"{pack.council}-flows.{language}.svg"
                files[drawn] = picture.svg_of(pack, language)
                files[f"{pack.council}-dpia.{language}.md"] = page.markdown_of(pack, language, drawn)
                files[f"{pack.council}-dpia.{language}.html"] = page.html_of(pack, language)
            for name, content in files.items():
                (folder / name).write_bytes(content.encode())
            written += len(files)
        say(f"{count(written, 'file')} written to {folder}.")
    unsaid = sum(len(flow.unsaid) for pack in packs for flow in pack.flows)
    if unsaid and folder is not None:
        say(f"{unsaid} things that a live route must say are not said yet; the page lists them.")
    raise typer.Exit(1 if unsaid else 0)
