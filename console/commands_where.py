"""The command of the first question: where is it?"""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

import typer

from console.guard import WrongUse
from console.show import as_json, iso, safe, say
from console.site import HERE, Json, SiteFolder, for_officer, zone_of


def where(
    reference: Annotated[
        str, typer.Argument(help="Our id, the resident's reference, d12, v7, or its number in any system.")
    ],
    language: Annotated[str, typer.Option(help="cy or en.")] = "en",
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Where is it? One sentence for each system: arrived as what number, waiting until when, or who can mend it."""
    from console import where_words
    from pipelines import where as looking

    if language not in ("cy", "en"):
        raise WrongUse("The language is one of cy, en")
    with for_officer(site) as plant:
        answers, now = looking.where(plant, reference), plant.clock.now()
        known = any(one.known is not looking.Known.NEVER_SHOWN for one in answers)
        if json:
            as_json([_plain(dataclasses.asdict(one), zone_of(plant, one.council)) for one in answers])
        else:
            for one in answers:
                zone = zone_of(plant, one.council or next(iter(plant.councils), ""))
                if one.known is looking.Known.CARRIED:
                    numbers = "".join(f", {name} {number}" for name, number in one.numbers)
                    say(f"{one.reference}  {one.council}{safe(numbers)}")
                elif one.known is looking.Known.NOT_TAKEN_IN:
                    say(f"{one.places[0].id}  {one.council}/{one.shown_by}")
                lines = where_words.sentences(one, now=now, zone=zone, language="cy" if language == "cy" else "en")
                say(*(f"  {safe(line)}" for line in lines))
    raise typer.Exit(0 if known else 1)


def _plain(value: Any, zone: str) -> Any:
    """The parts as data, with times as ISO 8601 in the council's zone."""
    if isinstance(value, dict):
        return {
            name: iso(inner, zone) if name in ("since", "due", "read") and inner is not None else _plain(inner, zone)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_plain(inner, zone) for inner in value]
    return value
