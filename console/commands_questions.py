"""The command that writes the letter of questions for a supplier: questions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.guard import WrongUse
from console.show import as_json, say
from console.site import HERE, CouncilName, Json, SiteFolder, site_folder


def questions(
    connection: Annotated[
        str, typer.Argument(help="Which: COUNCIL/NAME, NAME, or a profile's name.", metavar="CONNECTION")
    ],
    out: Annotated[Path | None, typer.Option(help="Write the letter here instead (Markdown).", metavar="FILE")] = None,
    council: CouncilName = "",
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Write the letter of questions for a system's supplier: what its profile does not know, and why it matters."""
    from pipelines import asking

    if out is not None and out.exists():
        raise WrongUse(f"{out} is there already: name a file that is new")
    try:
        found = asking.letter(site_folder(site), connection, council)
    except asking.Unasked as none:
        raise WrongUse(str(none)) from None
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(found.as_markdown(), encoding="utf-8", newline="\n")
    if json:
        as_json(found.as_data())
    elif out is not None:
        say(f"{len(found.asked)} questions for the supplier ({found.supplier or 'not named'}): {out}")
    else:
        say(found.as_markdown().rstrip("\n"))
