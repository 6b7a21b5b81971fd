"""Commands about many at once: `dolen task` asks for a whole cause, watches, pauses and cancels; `dolen handover`."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from console import ask
from console.guard import WrongUse
from console.show import as_json, iso, safe, say, table, when
from console.site import HERE, CouncilName, Json, SiteFolder, for_officer, known_council, officer_name, zone_of
from pipelines.rights import Right

task = typer.Typer(help="What was asked to be done to many: watch it, pause it, take it up again, cancel it.")

Id = Annotated[str, typer.Argument(help="A task, such as t3.")]


@task.command("send")
def send(
    cause: Annotated[str, typer.Argument(help="All that wait because of this cause; `dolen attention` lists them.")],
    council: CouncilName = "",
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Ask for all of a cause to be sent again, in order, by whoever runs the site. The reason is asked."""
    from pipelines import counted, tasks

    with for_officer(site, Right.SEND) as plant:
        codes = [known_council(plant, council)] if council else list(plant.councils)
        found = counted.causes(plant, codes, fingerprint=cause)
        if not found:
            raise WrongUse(f"nothing needs attention because of {cause}; see `dolen attention`")
        why = ask.why(f"send all {found[0].count} of {cause} again")
        id = tasks.for_cause(plant, cause, codes, action=tasks.SEND_AGAIN, who=officer_name(plant), why=why)
    as_json({"task": f"t{id}"}) if json else say(f"t{id} is under way as soon as `dolen run` is: dolen task list")


@task.command("list")
def newest(site: SiteFolder = HERE, json: Json = False) -> None:
    """The newest tasks, and how far each is."""
    from pipelines import tasks

    with for_officer(site) as plant:
        found = tasks.newest(plant, list(plant.councils))
        if json:
            as_json([dataclasses.asdict(one) | {"at": iso(one.at, zone_of(plant, one.council))} for one in found])
            return
        rows = [(one.shown_id, one.council, one.action, one.state.value, f"{one.done} of {one.total}", one.not_done,
                 when(one.at, zone_of(plant, one.council)), one.who) for one in found]  # fmt: skip
    table(["task", "council", "what", "state", "done", "not possible", "asked", "by"], rows)


@task.command("pause")
def pause(id: Id, site: SiteFolder = HERE) -> None:
    """Leave a task where it is."""
    _move(site, id, "pause")


@task.command("go-on")
def go_on(id: Id, site: SiteFolder = HERE) -> None:
    """Take a paused task up again."""
    _move(site, id, "go on")


@task.command("cancel")
def cancel(id: Id, site: SiteFolder = HERE) -> None:
    """End a task; what it has done stays done."""
    _move(site, id, "cancel")


def _move(site: SiteFolder, id: str, step: str) -> None:
    from pipelines import tasks
    from pipelines.ids import number_of

    with for_officer(site, Right.SEND) as plant:
        one = tasks.shown(plant, number_of(id, "t") or 0, list(plant.councils))
        steps = {"pause": tasks.pause, "go on": tasks.go_on, "cancel": tasks.cancel}
        steps[step](plant, one.id, who=officer_name(plant))
        say(f"{one.shown_id} is {tasks.shown(plant, one.id, list(plant.councils)).state.value}.")


def handover(site: SiteFolder = HERE, json: Json = False) -> None:
    """Urgent referrals that have not arrived, with where to read each and whom to ring: for the duty team."""
    from console import where_words
    from pipelines import handover as sheet

    with for_officer(site) as plant:
        found = sheet.urgent(plant)
        if json:
            as_json([dataclasses.asdict(one) | {"since": iso(one.since, zone_of(plant, one.council))} for one in found])
        else:
            for one in found:
                numbers = ", ".join(f"{name} {safe(number)}" for name, number in one.numbers)
                say(
                    f"{one.id}  {one.reference}  {one.council}/{one.target}: {one.state}, since "
                    f"{when(one.since, zone_of(plant, one.council))}",
                    f"  known as   {numbers}",
                    f"  why        {safe(one.words)}",
                    f"  ring       {safe(where_words.whom(one.mender)) if one.mender else ''}",
                )
            if not found:
                say("Nothing urgent waits.")
    raise typer.Exit(1 if found else 0)
