"""Commands for two referrals that turn out to be one request: join them, part them again."""

from __future__ import annotations

from typing import Annotated

import typer

from console import ask
from console.show import as_json, say
from console.site import HERE, Json, SiteFolder, for_officer, officer_name
from pipelines.rights import Right

Reference = Annotated[str, typer.Argument(help="Our id, the resident's reference, or its number in any system.")]


def join(stays: Reference, goes: Reference, site: SiteFolder = HERE, json: Json = False) -> None:
    """Make two referrals of one request one: the first stays, the second goes into it. The reason is asked."""
    from pipelines import joining

    with for_officer(site, Right.SEND) as plant:
        words = joining.join(plant, stays, goes, who=officer_name(plant), why=ask.why("join these two"))
    as_json({"done": words}) if json else say(words + ".")


def part(goes: Reference, site: SiteFolder = HERE, json: Json = False) -> None:
    """Undo `dolen join`: the one that went is a referral of its own again. The reason is asked."""
    from pipelines import joining

    with for_officer(site, Right.SEND) as plant:
        words = joining.part(plant, goes, who=officer_name(plant), why=ask.why("part these two"))
    as_json({"done": words}) if json else say(words + ".")
