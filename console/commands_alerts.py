"""Commands of alerts: what is amiss, answer it, try whom it reaches, and look from a process of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from console import ask
from console.moments import moment
from console.show import as_json, complain, count, iso, safe, say
from console.site import HERE, CouncilName, Json, SiteFolder, for_officer, known_council, officer_name, opened, zone_of
from pipelines.rights import Right

if TYPE_CHECKING:
    from pipelines.alert_rules import AlertRules
    from pipelines.plant import Plant

alerts = typer.Typer(help="What is amiss, who was told, and who has taken it on.", no_args_is_help=False)


@alerts.callback(invoke_without_command=True)
def listed(
    context: typer.Context, council: CouncilName = "", site: SiteFolder = HERE, json: Json = False
) -> None:
    """List what is amiss now, the most urgent first."""
    if context.invoked_subcommand is not None:
        return
    from pipelines import alerting

    with for_officer(site) as plant:
        rows, untold = alerting.open_alerts(plant, known_council(plant, council)), alerting.untold(plant)
        if json:
            as_json({"alerts": [_plain(plant, row) for row in rows], "not_told": [_untold(row) for row in untold]})
        else:
            _show(plant, rows, untold)
    raise typer.Exit(1 if rows else 0)


@alerts.command()
def answer(
    id: Annotated[str, typer.Argument(help="An alert, such as a12, as `dolen alerts` lists them.")],
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Say that you have taken it on: the duty contact is not told again. What you will do is asked."""
    from pipelines import alerting

    with for_officer(site, Right.CONTROL) as plant:
        words = alerting.answer(plant, id, who=officer_name(plant), why=ask.why(f"answer {id}"))
    as_json({"done": words}) if json else say(words + ".")


@alerts.command()
def test(council: CouncilName = "", site: SiteFolder = HERE, json: Json = False) -> None:
    """Tell everybody that this is a test, and say who could not be reached."""
    from pipelines import alert_post

    with for_officer(site, Right.CONTROL) as plant:
        rules = _rules(plant)
        told = rules.of(known_council(plant, council))
        outcome = alert_post.test(plant, rules, told, who=officer_name(plant))
    if json:
        as_json([{"way": way, "told": not words, "words": words} for way, words in outcome.items()])
    else:
        for way, words in outcome.items():
            say(f"{way}: {'told' if not words else 'NOT told: ' + safe(words)}")
        if not outcome:
            complain("Nobody is named whom an alert could reach: see `alerts` in config/dolen.yaml, or docs/alerts.md.")
    raise typer.Exit(0 if outcome and not any(outcome.values()) else 1)


@alerts.command()
def look(site: SiteFolder = HERE, json: Json = False) -> None:
    """Look once and tell what is news: from a timer of another process, so that somebody hears when Dolen is down."""
    from pipelines import alerting, watchman
    from pipelines.ids import new_id

    with opened(site) as plant:
        news = watchman.watch(plant, _rules(plant), owner=new_id())
        rows = alerting.open_alerts(plant)
        if json:
            as_json({"opened": news.opened, "closed": news.closed, "alerts": [_plain(plant, row) for row in rows]})
        else:
            say(f"{count(len(rows), 'alert')} open, {news.opened} of them new; {news.closed} over.")
    raise typer.Exit(1 if rows else 0)


def _rules(plant: Plant) -> AlertRules:
    assert plant.alerts is not None  # the composition root gives every plant its rules
    return plant.alerts


def _show(plant: Plant, rows: list[Any], untold: list[Any]) -> None:
    from pipelines import alert_post, alert_words

    now = plant.clock.now()
    if not rows:
        say("Nothing is amiss.")
    for row in rows:
        told = _rules(plant).of(row.council)
        zone = zone_of(plant, row.council) if row.council else told.zone
        words = alert_words.sentence(alert_post.entry(row, "opened", row.name), told, "en")
        answered = (
            f"answered by {safe(row.answered_by)}, {moment(row.answered, now, zone)}"
            if row.answered is not None
            else f"NOT ANSWERED: dolen alerts answer a{row.id}" if row.urgent else "nobody need answer it"
        )  # fmt: skip
        say(
            f"a{row.id}  {safe(words)}.",
            f"  since       {moment(row.since, now, zone)}; told of {moment(row.opened, now, zone)}",
            f"  what to do  {alert_words.REMEDY[row.kind]['en']}",
            f"  {answered}",
            "",
        )
    for row in untold:
        complain(f"{row.way} could not be told of a{row.alert_id} ({count(row.tries, 'try', 'tries')}): {row.words}")


def _plain(plant: Plant, row: Any) -> dict[str, Any]:
    zone = zone_of(plant, row.council)
    return {
        "id": f"a{row.id}", "kind": row.kind, "council": row.council, "connection": row.connection,
        "route": row.route, "cause": row.cause, "words": row.words, "urgent": row.urgent, "count": row.count,
        "since": iso(row.since, zone), "opened": iso(row.opened, zone), "answered": iso(row.answered, zone),
        "answered_by": row.answered_by, "told": row.told,
    }  # fmt: skip


def _untold(row: Any) -> dict[str, Any]:
    return {"alert": f"a{row.alert_id}", "way": row.way, "tries": row.tries, "words": row.words}
