"""Commands of the support desk: attention, show, trace, replay, settle, page, close."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from console import ask, desk_view
from console.guard import WrongUse
from console.show import as_json, complain, say
from console.site import HERE, CouncilName, Json, SiteFolder, for_officer, known_council, officer_name, zone_of
from pipelines.rights import Right

if TYPE_CHECKING:
    from pipelines.choosing import Chooser
    from pipelines.plant import Plant

Id = Annotated[str, typer.Argument(help="A delivery (d12) or a version (v7), as `dolen attention` lists them.")]


def attention(
    council: CouncilName = "",
    ticket: Annotated[
        str, typer.Option(help="Write a text for the supplier about this cause; nobody is in it.", metavar="CAUSE")
    ] = "",
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """What needs a person, grouped by cause, the most urgent first: why, since when, how many, and what to do."""
    from pipelines import desk, left_out

    with for_officer(site) as plant:
        if ticket:
            _ticket(plant, ticket, json)
            return
        wanted = [known_council(plant, council)] if council else []
        groups, conflicts = desk.attention(plant, wanted), desk.open_conflicts(plant, wanted)
        lacking = left_out.left_out(plant, wanted)
        if json:
            as_json(desk_view.attention_plain(plant, groups, conflicts, lacking))
        else:
            desk_view.attention(plant, groups, conflicts, lacking)
    raise typer.Exit(1 if groups or conflicts else 0)


def _ticket(plant: Plant, fingerprint: str, json: bool) -> None:
    from pipelines.ticket import of_cause

    one = of_cause(plant, fingerprint)
    if json:
        as_json(dataclasses.asdict(one))
    else:
        desk_view.ticket(one, zone_of(plant, one.council))


def show(
    id: Id,
    ticket: Annotated[bool, typer.Option("--ticket", help="Write a text for the supplier; nobody is in it.")] = False,
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """One delivery or version: its state, why, what was tried, and what sending it now would do. Values are masked."""
    from pipelines import showing

    with for_officer(site) as plant:
        shown = showing.show(plant, id)
        if ticket:
            if not shown.cause:
                raise WrongUse(f"Nothing is wrong with {shown.id} now, so there is nothing to tell a supplier")
            _ticket(plant, shown.cause, json)
            return
        preview = _preview(plant, shown.id) if shown.id.startswith("d") and shown.state in desk_view.OPEN else None
        if json:
            fields = None if preview is None else desk_view.preview_plain(preview)
            as_json(dataclasses.asdict(shown) | {"preview": fields})
        else:
            desk_view.shown(plant, shown, preview)


def trace(
    reference: Annotated[str, typer.Argument(help="Our id, the resident's reference, or its number in any system.")],
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """The whole story of one referral: every version, delivery, try, proof and person."""
    from pipelines import looking, story

    with for_officer(site) as plant:
        found = looking.find_referral(plant, reference)
        stories = [story.tell(plant, row.id) for row in found]
        if json:
            unknown = desk_view.last_read_plain(plant, story.last_read(plant))
            as_json([desk_view.story_plain(plant, one) for one in stories] if stories else {"never_shown": unknown})
        elif stories:
            for one in stories:
                desk_view.story(plant, one)
        else:
            desk_view.never_shown(plant, story.last_read(plant))
    raise typer.Exit(0 if stories else 1)


def replay(
    ids: Annotated[
        list[str] | None, typer.Argument(help="Deliveries (d12) and versions (v7).", metavar="[ID]...")
    ] = None,
    cause: Annotated[str, typer.Option(help="All that wait because of this cause.")] = "",
    route: Annotated[str, typer.Option(help="All of this route that need attention.")] = "",
    council: CouncilName = "",
    mapping: Annotated[
        str,
        typer.Option(
            help="With which mapping: current; original, which it was mapped with; or a mapping file (.yaml) or code "
            "list (.csv) that is not live yet.",
            metavar="current|original|FILE",
        ),
    ] = "current",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent, and send nothing.")] = False,
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Send again, with the mapping as it is now or with another one. The reason is asked."""
    from pipelines import control, desk, would_text
    from pipelines.choosing import Chooser

    if sum(map(bool, (ids, cause, route))) != 1:
        raise WrongUse("Name what to send again: ids such as d12 or v7, or --cause, or --route, one of the three")
    with for_officer(site, Right.SEE if dry_run else Right.SEND) as plant:
        chosen = control.to_replay(
            plant, ids or [], fingerprint=cause, route=route, council=known_council(plant, council)
        )
        chooser = Chooser(plant, mapping)
        if dry_run:
            previews = {id: _preview(plant, id, chooser) for id in chosen}
            desk_view.dry_run(previews, would_text.would_be_texted(plant, chosen), json)
            return
        reason = ask.why(f"send {len(chosen)} again" + ("" if chooser.is_todays else f" with {mapping}"))
        done = desk.replay(plant, chosen, who=officer_name(plant), why=reason, chooser=chooser)
    if json:
        not_done = [{"id": id, "why": why} for id, why in done.not_done]
        as_json({"done": done.done, "not_done": not_done, "asked": [{"id": id, "why": why} for id, why in done.asked]})
    else:
        say(f"Sent again: {', '.join(done.done) or 'none'}")
        for id, why in done.not_done:
            complain(f"{id} not: {why}")
        say(*(f"{why}." for _, why in done.asked))
    raise typer.Exit(1 if done.not_done else 0)


def settle(
    id: Annotated[str, typer.Argument(help="A delivery, such as d12; with --same, --new, --of a version: v7.")],
    arrived: Annotated[str, typer.Option(help="It is there, under this number.", metavar="NUMBER")] = "",
    by_hand: Annotated[
        str, typer.Option("--by-hand", help="I entered it by hand, under this number.", metavar="NUMBER")
    ] = "",
    not_arrived: Annotated[bool, typer.Option("--not-arrived", help="It is not there: send it.")] = False,
    same: Annotated[bool, typer.Option("--same", help="It is the same request and person as before: take it.")] = False,
    new: Annotated[bool, typer.Option("--new", help="The number was used again: take it as a new request.")] = False,
    of: Annotated[
        str, typer.Option("--of", help="Of several that it may belong to, it is this referral.", metavar="REFERRAL")
    ] = "",
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Say what you found in the target, or whose a version is. A number makes later changes update that record. The
    reason is asked."""
    from pipelines import deciding, desk

    if sum(map(bool, (arrived, by_hand, not_arrived, same, new, of))) != 1:
        raise WrongUse(
            "Say what you found, one of: --arrived NUMBER, --by-hand NUMBER, --not-arrived; of a version: "
            "--same, --new, --of REFERRAL"
        )
    if of:
        with for_officer(site, Right.SEND) as plant:
            _told(deciding.choose(plant, id, of, who=officer_name(plant), why=ask.why(f"settle {id}")), json)
        return
    if same or new:
        decide = deciding.same if same else deciding.new
        with for_officer(site, Right.SEND) as plant:
            _told(decide(plant, id, who=officer_name(plant), why=ask.why(f"settle {id}")), json)
        return
    how = "arrived" if arrived else "by-hand" if by_hand else "not-arrived"
    with for_officer(site, Right.SEND) as plant:
        who, why = officer_name(plant), ask.why(f"settle {id}")
        words = desk.settle(plant, id, how=how, number=arrived or by_hand, who=who, why=why)
    _told(words, json)


def page(
    id: Id,
    out: Annotated[Path, typer.Option("--out", help="The file to write; it must not be there yet.", metavar="FILE")],
    language: Annotated[str, typer.Option(help="both, cy or en.")] = "both",
    site: SiteFolder = HERE,
) -> None:
    """Write a delivery as a page that prints well, for whoever types it in. It shows a person; the reason is asked."""
    from pipelines import sheets

    if language not in ("both", "cy", "en"):
        raise WrongUse("The language is one of both, cy, en")
    if out.exists():
        raise WrongUse(f"{out} is there already; name another file")
    with for_officer(site, Right.UNMASK) as plant:
        why = ask.why(f"print {id}")
        html = sheets.sheet(plant, id, language=cast(Any, language), who=officer_name(plant), why=why)
    try:
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
            stream.write(html)
    except OSError as fault:
        raise WrongUse(f"{out} cannot be written ({fault.strerror})") from None
    say(f"{out} is written, for your eyes alone: print it, then delete it.")


def close(id: Id, site: SiteFolder = HERE, json: Json = False) -> None:
    """Close without sending. The reason is asked."""
    from pipelines import desk

    with for_officer(site, Right.SEND) as plant:
        words = desk.close(plant, id, who=officer_name(plant), why=ask.why(f"close {id} without sending"))
    _told(words, json)


def _told(words: str, json: bool) -> None:
    as_json({"done": words}) if json else say(words + ".")


def _preview(plant: Plant, id: str, chooser: Chooser | None = None) -> Any:
    """The preview, or why there is none: the target may be down, and the desk must work all the same."""
    from pipelines.choosing import Chooser
    from pipelines.looking import NotPossible
    from pipelines.previewing import Preview, preview, preview_version

    try:
        if not id.startswith("d"):
            return preview_version(plant, id, chooser or Chooser(plant))
        return preview(plant, id, chooser)
    except NotPossible as fault:
        return Preview("unknown", str(fault))
