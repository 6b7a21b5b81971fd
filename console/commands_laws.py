"""Commands that prove and account for mappings: the laws, and the loss report."""

from __future__ import annotations

from typing import Annotated

import typer

from console.guard import WrongUse
from console.show import as_json, say
from console.site import HERE, Json, SiteFolder, site_folder

_NO_SUCH = "No mapping has that name; `dolen mapping test` alone lists them"
MappingName = Annotated[str, typer.Argument(help="One mapping, such as SYSTEM/RECORD; all if left out.")]


def laws(
    name: MappingName = "",
    examples: Annotated[
        int, typer.Option(min=1, max=100_000, help="Records and referrals that are invented for each mapping.")
    ] = 200,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Try the same again: the number that an earlier run named.")
    ] = None,
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Try mappings with invented records and referrals: what goes there and back must come back the same."""
    import random

    from console import laws_view
    from pipelines import mapping_laws

    start = random.SystemRandom().randrange(1_000_000) if seed is None else seed
    tried = []
    for one in mapping_laws.hold(site_folder(site), name, examples=examples, seed=start):
        tried.append(one)
        if not json:
            laws_view.held(one)
    if not tried:
        raise WrongUse(_NO_SUCH)
    if json:
        as_json([laws_view.held_plain(one, start) for one in tried])
    else:
        say(f"To try the same again: --seed {start}")
    raise typer.Exit(0 if all(one.well for one in tried) else 1)


def coverage(
    name: MappingName = "",
    markdown: Annotated[
        bool, typer.Option("--markdown", help="A paper to print and sign, with headings in English and Welsh.")
    ] = False,
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Say what mappings lose in each direction, and what personal data each route carries."""
    from console import loss_view
    from pipelines import loss_report

    if json and markdown:
        raise WrongUse("--json and --markdown are two forms of one report; choose one")
    found = loss_report.report(site_folder(site), name)
    if not found.mappings:
        raise WrongUse(_NO_SUCH)
    if json:
        as_json(loss_view.plain(found))
    elif markdown:
        say(*loss_view.paper(found))
    else:
        loss_view.shown(found)
    raise typer.Exit(1 if loss_view.unusable(found.mappings) else 0)
