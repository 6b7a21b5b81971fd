"""Commands for the day on which a system is replaced: enter the new case numbers, lead the routes to the new system."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console import ask
from console.guard import WrongUse
from console.show import as_json, complain, count, progress, safe, say
from console.site import HERE, CouncilName, Json, SiteFolder, for_officer, known_council, officer_name
from pipelines.rights import Right

if TYPE_CHECKING:
    from pipelines.relinking import Relinked, Told
    from pipelines.switching import Plan

links = typer.Typer(help="The numbers under which systems hold a request: import new ones.", no_args_is_help=True)
routes = typer.Typer(help="Where requests are carried: switch from one system to another.", no_args_is_help=True)

Old = Annotated[str, typer.Argument(help="The connection that is replaced.", metavar="OLD")]
New = Annotated[str, typer.Argument(help="The one that takes its place, of the same council.", metavar="NEW")]
_MOST = 20  # lines of each kind; --json lists more


@links.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV with the columns old and new.", metavar="FILE")],
    old: Old,
    new: New,
    look: Annotated[
        bool, typer.Option("--look", help="Read each new record too: it must be there, and name the same person.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done. So it is without --go.")] = False,
    go: Annotated[bool, typer.Option("--go", help="Enter the new numbers. The reason is asked.")] = False,
    council: CouncilName = "",
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Enter the case numbers that a new system has for an old one's, beside them. Neither system is written to."""
    from pipelines import control
    from pipelines.relinking import Relinking

    if go and dry_run:
        raise WrongUse("Choose one of --go and --dry-run")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise WrongUse(f"{file} cannot be read: name a CSV file saved as UTF-8") from None
    with for_officer(site, Right.ADMINISTER) as plant, progress(json) as told:
        sides = [control.one_connection(plant, words, known_council(plant, council)) for words in (old, new)]
        relinking = Relinking(plant, sides[0], sides[1], text)
        found = relinking.run(look=look, progress=told)
        if not json:
            _show(found)
        if go:
            why = ask.why(f"link {count(found.totals['linked'], 'request')} to {sides[1].name}")
            who = officer_name(plant)
            found = relinking.run(write=True, who=who, why=why, look=look, progress=told)
    if json:
        as_json(dataclasses.asdict(found) | {"totals": dict(found.totals), "complete": found.complete})
    elif go:
        say(f"{count(found.totals['linked'], 'request')} linked.")
    raise typer.Exit(0 if found.complete else 1)


def _show(found: Relinked) -> None:
    totals = found.totals
    say(
        f"{found.council}: {count(totals['lines'], 'line')} from {found.old} to {found.new}. To be linked: "
        f"{totals['linked']}; linked before: {totals['known']}"
    )
    told: tuple[tuple[str, str, list[Told]], ...] = (
        ("refused", "refused, for a person to decide", found.refused),
        ("unknown", "not carried by Dolen, and passed over", found.unknown),
    )
    for name, words, lines in told:
        if totals[name]:
            say(f"  {words}: {totals[name]}")
            shown = [f"    line {one.line}: {safe(one.old)} = {safe(one.new)}: {one.why}" for one in lines[:_MOST]]
            say(*shown, *_rest(totals[name]))
    if totals["left"]:
        say(f"  open in {found.old}, and not in the list: {totals['left']}")
        shown = [f"    {reference} ({safe(number)})" for reference, number in found.left[:_MOST]]
        say(*shown, *_rest(totals["left"]))


def _rest(number: int) -> list[str]:
    return [f"    and {number - _MOST} more (--json lists them)"] if number > _MOST else []


@routes.command("switch")
def switch(
    old: Old,
    new: New,
    rest_is_new: Annotated[
        bool, typer.Option("--rest-is-new", help="What has no number in the new system is not there: so you say.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done. So it is without --go.")] = False,
    go: Annotated[bool, typer.Option("--go", help="Switch. The site must stand still; the reason is asked.")] = False,
    council: CouncilName = "",
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Lead all routes of one connection to another in one step. The way back is the same command with both turned."""
    from config.editing import CannotChange
    from pipelines import composition, control
    from pipelines.looking import NotPossible
    from pipelines.switching import Switching

    if go and dry_run:
        raise WrongUse("Choose one of --go and --dry-run")
    with for_officer(site, Right.ADMINISTER) as plant:
        sides = [control.one_connection(plant, words, known_council(plant, council)) for words in (old, new)]
        switching = Switching(plant, composition.load(plant.root), sides[0], sides[1])
        plan = switching.plan()
        if not json:
            _plan(plan)
        if go:
            who, why = officer_name(plant), ask.why(f"switch from {sides[0].name} to {sides[1].name}")
            try:
                plan = switching.carry_out(who=who, why=why, rest_is_new=rest_is_new)
            except CannotChange as fault:
                raise NotPossible(str(fault)) from None
    if json:
        as_json(dataclasses.asdict(plan))
    elif plan.done:
        say(f"Switched: the routes lead to {plan.new}. Start `dolen run` again.")
    blocked = bool(plan.on_its_way or (plan.unlinked_in_all and not rest_is_new) or plan.nothing)
    raise typer.Exit(0 if plan.done or not blocked else 1)


def _plan(plan: Plan) -> None:
    say(f"{plan.council}: from {plan.old} to {plan.new}")
    kinds = {one.name: f" (as {one.record})" for one in plan.routes if one.record}
    say(*(f"  route {one.name}: `{one.end}` changes{kinds.get(one.name, '')}" for one in plan.routes))
    if plan.owns:
        say(f"  {plan.new} owns from then on: {', '.join(plan.owns)}")
    if plan.waiting:
        say(f"  {count(plan.waiting, 'delivery', 'deliveries')} waiting for {plan.old} will go to {plan.new} instead")
    if plan.broken_off:
        say("  an earlier switch was broken off; it would be finished")
    if plan.on_its_way:
        complain(f"to be settled first, because {plan.old} may have them: {', '.join(plan.on_its_way[:_MOST])}")
    if plan.unlinked_in_all:
        complain(f"open in {plan.old} and without a number in {plan.new}: {plan.unlinked_in_all}")
        for reference, number in plan.unlinked:
            complain(f"  {reference} ({safe(number)})")
    if plan.nothing:
        complain(f"no route leads to or from {plan.old}, and nothing waits for it")
