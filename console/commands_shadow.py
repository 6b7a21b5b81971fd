"""Commands for a route that is tried out beside people who still type: shadow report, routes live, routes shadow."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console import ask
from console.commands_links import routes
from console.show import as_json, complain, count, progress, safe, say, table, when
from console.site import HERE, CouncilName, Json, SiteFolder, for_officer, known_council, officer_name, zone_of
from pipelines.rights import Right

if TYPE_CHECKING:
    from pipelines.going_live import Step
    from pipelines.plant import Council, Plant
    from pipelines.routing import Route
    from pipelines.shadow_report import Shadowed

shadow = typer.Typer(help="Routes in shadow: all is done but the sending.", no_args_is_help=True)

RouteName = Annotated[str, typer.Argument(help="A route's name, as in the council's file.", metavar="ROUTE")]
NoRead = Annotated[bool, typer.Option("--no-read", help="Look into the ledger alone, and ask neither system.")]
_MOST = 20  # fields and lines of each kind; --json lists more
_WORDS = {
    "create": "would have been made there",
    "update": "would have been changed there",
    "nothing": "needed nothing: all of it stands there",
    "text": "would have been told",
}


@shadow.command("report")
def shadow_report(
    route: Annotated[
        str, typer.Argument(help="A route's name; without it all that are in shadow.", metavar="[ROUTE]")
    ] = "",
    no_read: NoRead = False,
    council: CouncilName = "",
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """What would have been sent, against what staff typed by hand. Nothing is sent; both systems are read."""
    from pipelines import shadow_report as telling

    with for_officer(site, Right.CONTROL) as plant, progress(json) as told:
        meant = telling.routes_meant(plant, route, known_council(plant, council))
        found = [telling.report(plant, *one, read=not no_read, progress=told) for one in meant]
        if json:
            as_json([_plain(one) for one in found])
        else:
            for one in found:
                _show(plant, one)
    raise typer.Exit(1 if any(one.stopped or one.fields for one in found) else 0)


@routes.command("live")
def live(
    route: RouteName,
    go: Annotated[bool, typer.Option("--go", help="Take it out of shadow. The reason is asked.")] = False,
    no_read: NoRead = False,
    council: CouncilName = "",
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Go through the list before a route goes live; with --go take it out of shadow. Back leads `routes shadow`."""
    from pipelines import composition, going_live

    turned = False
    with for_officer(site, Right.ADMINISTER) as plant, progress(json) as told:
        one, known = _the_one(plant, route, council)
        files = composition.load(plant.root)
        steps = going_live.steps(plant, files, one, known, read=not no_read, progress=told)
        stopped = [step for step in steps if step.stops and not step.well]
        if not json:
            _list(steps)
        if go and not stopped:
            who, why = officer_name(plant), ask.why(f"let {known.name} send from now on")
            turned = _turn(plant, one, known, "live", who, why)
    if json:
        as_json({"steps": [dataclasses.asdict(step) for step in steps], "live": turned})
    elif turned:
        say(
            f"{known.name} sends from the next start on: start `dolen run` again.",
            f"What nobody typed is not sent by itself: see `dolen reconcile {known.name} --repair`.",
        )
    elif go and stopped:
        complain(f"{known.name} stays in shadow: {', '.join(step.what for step in stopped)} must be well first")
    raise typer.Exit(1 if stopped else 0)


@routes.command("shadow")
def into_shadow(
    route: RouteName,
    council: CouncilName = "",
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Stop a route from sending, at once: all else goes on, and what it would send is kept. The reason is asked."""
    with for_officer(site, Right.ADMINISTER) as plant:
        one, known = _the_one(plant, route, council)
        turned = _turn(plant, one, known, "shadow", officer_name(plant), ask.why(f"stop {known.name} from sending"))
    if json:
        as_json({"shadow": turned})
    else:
        say(f"{known.name} {'sends nothing from its next batch on' if turned else 'was in shadow already'}.")


def _the_one(plant: Plant, name: str, council: str) -> tuple[Council, Route]:
    from pipelines.looking import NotPossible
    from pipelines.shadow_report import routes_meant

    found = routes_meant(plant, name, known_council(plant, council))
    if len(found) > 1:
        raise NotPossible(f"{', '.join(one.code for one, _ in found)} have a route of that name: say --council CODE")
    return found[0]


def _turn(plant: Plant, council: Council, route: Route, mode: str, who: str, why: str) -> bool:
    from config.editing import CannotChange
    from pipelines import composition, going_live
    from pipelines.looking import NotPossible

    try:
        return going_live.turn(plant, composition.load(plant.root), council, route, mode, who=who, why=why)
    except CannotChange as fault:
        raise NotPossible(str(fault)) from None


def _list(steps: list[Step]) -> None:
    for step in steps:
        mark = "well" if step.well else "NOT YET" if step.stops else "look"
        say(f"  {mark:8}{step.what}: {safe(step.words)}{f' - {safe(step.remedy)}' if step.remedy else ''}")


def _show(plant: Plant, told: Shadowed) -> None:
    since = f"since {when(told.since, zone_of(plant, told.council))}" if told.since else "nothing yet"
    state = "in shadow" if told.in_shadow else "live"
    say(f"{told.council} {told.route} ({told.source} to {told.target}), {state}, {since}: {_number(told.referrals)}")
    say(*(f"  {number} {_WORDS[effect]}" for effect, number in told.effects.items()))
    say(*(f"  {number} not, by rule: {safe(rule)}" for rule, number in told.rules.items()))
    if told.waiting:
        say(f"  {told.waiting} not looked at yet")
    if told.stopped:
        say(f"  {told.stopped} could not have been sent: see dolen attention")
    if told.text:
        return
    if told.beside is None:
        say("  what staff typed was not read")
        return
    if told.beside.doubt:
        say(f"  {safe(told.beside.doubt)}")
    say(f"  typed by hand and known again: {told.typed}; not found in {told.target}: {told.not_typed}")
    if told.fields:
        say("  typed otherwise than it would have been sent:")
        table(["field", "referrals"], [[name, str(number)] for name, number in list(told.fields.items())[:_MOST]])
        for line in [*told.beside.different, *told.beside.stale][:_MOST]:
            say(f"    {told.source} {safe(line.source)}, {told.target} {safe(line.target)}: {', '.join(line.fields)}")


def _number(referrals: int) -> str:
    return count(referrals, "referral")


def _plain(told: Shadowed) -> dict[str, Any]:
    return dataclasses.asdict(told) | {"typed": told.typed, "not_typed": told.not_typed}
