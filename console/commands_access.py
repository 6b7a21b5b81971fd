"""Commands about who may see and do what: whoami, unmask, confirm, sight, token."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console import ask
from console.guard import WrongUse
from console.show import as_json, complain, iso, safe, say, table, when
from console.site import HERE, CouncilName, Json, SiteFolder, for_officer, known_council, officer_name, zone_of
from pipelines.rights import BRINGS, Right, Role

if TYPE_CHECKING:
    from pipelines.grants import Grant
    from pipelines.plant import Plant

sight = typer.Typer(help="Restricted referrals: who may see one, and who opened one unasked.", no_args_is_help=True)
token = typer.Typer(help="Tokens by which programs call the interface.", no_args_is_help=True)

Reference = Annotated[str, typer.Argument(help="Our id, the resident's reference, or its number in any system.")]
Days = Annotated[int, typer.Option(min=1, help="For so many days.")]
GrantId = Annotated[str, typer.Argument(help="A grant, such as g3, as `dolen sight list` shows it.", metavar="GRANT")]


def whoami(site: SiteFolder = HERE, json: Json = False) -> None:
    """Who you are to this site, and what you may do for which council."""
    with for_officer(site) as plant:
        officer = plant.sight.officer
        assert officer is not None
        held = {code: sorted(role.value for role in roles) for code, roles in sorted(officer.roles.items())}
        told = plant.roles.are_told
    if json:
        as_json({"who": officer.who, "identity": officer.key, "roles": held, "by_owning_the_files": not told})
        return
    say(f"You are {safe(officer.who)}, known as `{safe(officer.key)}`.")
    for code, roles in held.items():
        brought = sorted({right.value for role in roles for right in BRINGS[Role(role)]})
        say(f"  {code}: {', '.join(roles)} ({', '.join(brought)})")
    if not told:
        say("The site has no `access.roles`: you are this because you own its files. See docs/console-access.md.")


def unmask(reference: Reference, site: SiteFolder = HERE, json: Json = False) -> None:
    """Show the values of one referral, to a case-reader. The reason is asked and audited. Where nobody else sees."""
    from pipelines import unmasking

    with for_officer(site, Right.UNMASK) as plant:
        shown = unmasking.unmask(plant, reference, why=ask.why("see what this referral says"))
    if json:
        as_json({"council": shown.council, "referral": shown.referral, "facts": dict(shown.facts)})
    else:
        say(f"{shown.council}, referral {shown.referral}, revision {shown.revision}")
        table(["field", "value"], shown.facts)


def confirm(
    id: Annotated[str, typer.Argument(help="What another officer asked for, such as q3.", metavar="[ID]")] = "",
    refuse: Annotated[bool, typer.Option("--refuse", help="Say no.")] = False,
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Send a restricted referral again that another officer asked for; without an id, list what waits."""
    from pipelines import four_eyes, replaying

    if not id:
        with for_officer(site) as plant:
            rows = four_eyes.waiting(plant)
            if json:
                as_json([dataclasses.asdict(one) for one in rows])
            else:
                heads = ["id", "what", "council", "asked by", "since"]
                table(heads, [(one.id, one.subject, one.council, one.asked_by + (" (you)" if one.mine else ""),
                               when(one.at, zone_of(plant, one.council))) for one in rows])  # fmt: skip
        return
    with for_officer(site, Right.SEND) as plant:
        complain(f"asked because: {safe(four_eyes.reason(plant, id))}")
        why = ask.why(f"{'refuse' if refuse else 'confirm'} {id}")
        done = replaying.confirm(plant, id, yes=not refuse, why=why)
    if json:
        as_json({"done": done.done, "not_done": [{"id": one, "why": words} for one, words in done.not_done]})
    else:
        say("Refused." if refuse else f"Sent again: {', '.join(done.done) or 'none'}")
        for one, words in done.not_done:
            complain(f"{one} not: {words}")
    raise typer.Exit(1 if done.not_done else 0)


@sight.command("give")
def sight_give(
    reference: Reference,
    to: Annotated[
        str, typer.Option("--to", help="The name that they sign in with, or `account NAME` for the command line.")
    ],
    days: Days = 7,
    site: SiteFolder = HERE,
) -> None:
    """Let one officer see one restricted referral for a while. The reason is asked."""
    from pipelines import grants

    with for_officer(site, Right.PROTECT) as plant:
        made = grants.give(plant, reference, to, lasts=timedelta(days=days), why=ask.why("give sight of it"))
    say(f"{made}: they see it for {days} days. End it with: dolen sight end {made}")


@sight.command("take")
def sight_take(reference: Reference, site: SiteFolder = HERE) -> None:
    """In an emergency: open a restricted referral now. It is told to data protection, who reviews it afterwards."""
    from pipelines import grants

    with for_officer(site, Right.SEND) as plant:
        made = grants.take(plant, reference, why=ask.why("open it without being given it"))
        minutes = int(plant.roles.break_glass.total_seconds() // 60)
    say(f"{made}: you see it for {minutes} minutes. Data protection is going to review why.")


@sight.command("list")
def sight_list(
    unreviewed: Annotated[bool, typer.Option("--unreviewed", help="Only what was taken and nobody reviewed.")] = False,
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Who may see restricted referrals, and who opened one. Exit 1: something waits to be reviewed."""
    from pipelines import grants

    with for_officer(site, Right.PROTECT) as plant:
        rows = grants.listed(plant, unreviewed=unreviewed)
        waits = any(one.how == grants.TAKEN and one.reviewed is None for one in rows)
        if json:
            as_json([_grant_plain(plant, one) for one in rows])
        else:
            heads = ["id", "referral", "who", "how", "by", "from", "until", "review"]
            table(heads, [_grant_row(plant, one) for one in rows])
    raise typer.Exit(1 if waits else 0)


@sight.command("review")
def sight_review(id: GrantId, site: SiteFolder = HERE) -> None:
    """Review why somebody opened a restricted referral: their reason is shown, what you found is asked."""
    from pipelines import grants

    with for_officer(site, Right.PROTECT) as plant:
        complain(f"taken because: {safe(grants.reason(plant, id))}")
        words = grants.review(plant, id, finding=ask.why(f"close the review of {id}"))
    say(f"{words}.")


@sight.command("end")
def sight_end(id: GrantId, site: SiteFolder = HERE) -> None:
    """End a grant now. The reason is asked."""
    from pipelines import grants

    with for_officer(site, Right.PROTECT) as plant:
        words = grants.end(plant, id, why=ask.why(f"end {id}"))
    say(f"{words}.")


def _grant_row(plant: Plant, one: Grant) -> tuple[Any, ...]:
    zone = zone_of(plant, one.council)
    review = "" if one.how == "given" else f"by {one.reviewed_by}" if one.reviewed else "WAITS"
    until = one.ended if one.ended is not None and one.ended < one.until else one.until
    return one.id, one.referral, one.whom, one.how, one.by, when(one.at, zone), when(until, zone), review


def _grant_plain(plant: Plant, one: Grant) -> dict[str, Any]:
    zone = zone_of(plant, one.council)
    times = {name: iso(getattr(one, name), zone) for name in ("at", "until", "ended", "reviewed")}
    return dataclasses.asdict(one) | times


@token.command("add")
def token_add(
    name: Annotated[str, typer.Argument(help="What it is for: it stands in the audit.", metavar="NAME")],
    role: Annotated[list[Role], typer.Option("--role", help="viewer, operator or code-list-owner; may be repeated.")],
    council: Annotated[list[str], typer.Option("--council", help="For this council; may be repeated.", metavar="CODE")],
    days: Days = 90,
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Make a token for a program. It is printed once, on standard output, and kept nowhere. The reason is asked."""
    from pipelines import tokens

    with for_officer(site, Right.ADMINISTER) as plant:
        roles = {known_council(plant, code): tuple(dict.fromkeys(role)) for code in council}
        why = ask.why(f"make the token {name}")
        made = tokens.add(plant, name, roles, lasts=timedelta(days=days), why=why)
        who = officer_name(plant)
    if json:
        as_json({"name": name, "token": made, "made_by": who, "days": days})
    else:
        complain(f"The token {safe(name)}, for {days} days. It is shown this once:")
        say(made)


@token.command("list")
def token_list(council: CouncilName = "", site: SiteFolder = HERE, json: Json = False) -> None:
    """Which tokens there are, what they may do, and when they were last used."""
    from pipelines import tokens

    with for_officer(site, Right.ADMINISTER) as plant:
        code = known_council(plant, council)
        rows = [one for one in tokens.listed(plant) if not code or code in one.roles]
        if json:
            as_json([dataclasses.asdict(one) for one in rows])
        else:
            table(
                ["id", "name", "may", "made by", "until", "last used"],
                [(one.id, one.name, "; ".join(f"{code}: {', '.join(held)}" for code, held in one.roles.items()),
                  one.made_by, "revoked" if one.revoked else when(one.until), when(one.last_used)) for one in rows],
            )  # fmt: skip


@token.command("revoke")
def token_revoke(
    id: Annotated[str, typer.Argument(help="Its id (t3) or name.", metavar="TOKEN")], site: SiteFolder = HERE
) -> None:
    """End a token now. The reason is asked."""
    from pipelines import tokens

    if not id.strip():
        raise WrongUse("Name the token: dolen token revoke t3")
    with for_officer(site, Right.ADMINISTER) as plant:
        words = tokens.revoke(plant, id, why=ask.why(f"revoke {id}"))
    say(f"{words[:1].upper()}{words[1:]}.")
