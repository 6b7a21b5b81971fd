"""Commands for those who own code lists: what waits for a code, say what it means, take in a supplier's code book."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console import ask, code_view
from console.guard import WrongUse
from console.show import as_json, count
from console.site import HERE, CouncilName, Json, SiteFolder, for_officer, known_council, officer_name
from pipelines.rights import Right

if TYPE_CHECKING:
    from mappings.code_book import Book

codes = typer.Typer(help="Code lists: what waits, map and release, import.", no_args_is_help=True)

ListName = Annotated[str, typer.Argument(help="A code list, as its file under codes/ is called.", metavar="LIST")]


@codes.command("unmapped")
def unmapped(council: CouncilName = "", site: SiteFolder = HERE, json: Json = False) -> None:
    """What waits for a code that nobody has mapped: how many referrals, since when, and what it may mean."""
    from pipelines import unmapped as waiting

    with for_officer(site) as plant:
        found = waiting.unmapped(plant, [known_council(plant, council)] if council else ())
        as_json(code_view.unmapped_plain(plant, found)) if json else code_view.unmapped(plant, found)
    raise typer.Exit(1 if found else 0)


@codes.command("map")
def map_code(
    name: ListName,
    theirs: Annotated[str, typer.Argument(help="The code as the system gives it.", metavar="THEIRS")],
    ours: Annotated[str, typer.Argument(help="What it means, in our words.", metavar="OURS")],
    direction: Annotated[
        str, typer.Option(help="both; read where several of theirs mean one of ours; write.", metavar="DIRECTION")
    ] = "both",
    cy: Annotated[str, typer.Option(help="How it is shown in Welsh.")] = "",
    en: Annotated[str, typer.Option(help="How it is shown in English.")] = "",
    begins: Annotated[str, typer.Option("--from", help="The first day on which it holds.", metavar="DAY")] = "",
    ends: Annotated[str, typer.Option("--to", help="The last day on which it is written.", metavar="DAY")] = "",
    owner: Annotated[str, typer.Option(help="Who decides about this row.")] = "",
    council: CouncilName = "",
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Say what a code means, and release all that waited for it. The reason is asked; it stands in the site's file."""
    from mappings.codes import DIRECTIONS, CodeRow
    from pipelines import code_desk

    if direction not in DIRECTIONS:
        raise WrongUse(f"--direction is one of {', '.join(DIRECTIONS)}")
    theirs, ours = " ".join(theirs.split()), " ".join(ours.split())
    if not theirs or not ours:
        raise WrongUse("Name both codes: the system's, then ours")
    row = CodeRow(0, theirs, ours, direction, cy, en, _day("--from", begins), _day("--to", ends), owner)
    with for_officer(site, Right.CODES) as plant:
        wanted = [known_council(plant, council)] if council else ()
        who, why = officer_name(plant), ask.why(f"map {theirs} to {ours}")
        file = code_desk.map_code(plant, name, row, who=who, why=why)
        done = code_desk.release(plant, name, wanted, who=who, why=why)
    as_json(code_view.released_plain(done) | {"file": file}) if json else code_view.released(done, file)


@codes.command("release")
def release(name: ListName, council: CouncilName = "", site: SiteFolder = HERE, json: Json = False) -> None:
    """Release what waited for codes of a list that have their rows by now. The reason is asked."""
    from pipelines import code_desk

    with for_officer(site, Right.CODES) as plant:
        wanted = [known_council(plant, council)] if council else ()
        why = ask.why(f"release what waited for {name}")
        done = code_desk.release(plant, name, wanted, who=officer_name(plant), why=why)
    as_json(code_view.released_plain(done)) if json else code_view.released(done)


@codes.command("import")
def import_book(
    name: ListName,
    file: Annotated[Path, typer.Argument(help="The supplier's export: CSV, or with tabs.", metavar="FILE")],
    code: Annotated[str, typer.Option(help="Head of the column with the codes; guessed if left out.")] = "",
    en: Annotated[str, typer.Option(help="Head of the column with English words.")] = "",
    cy: Annotated[str, typer.Option(help="Head of the column with Welsh words.")] = "",
    go: Annotated[bool, typer.Option("--go", help="Write it into the site's file. The reason is asked.")] = False,
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Hold a list against a supplier's code book: what is new, changed and gone. Nothing is written without --go."""
    from mappings.code_book import read_book
    from pipelines import code_desk

    named = {column: head for column, head in (("code", code), ("en", en), ("cy", cy)) if head}
    book: Book = read_book(file.read_bytes(), file.name, columns=named)
    with for_officer(site, Right.CODES) as plant:
        if not go:
            plan = code_desk.plan_import(plant, name, book, who=officer_name(plant), why="code book")
            written = ""
        else:
            why = ask.why(f"import {count(len(book.codes), 'code')} into {name}")
            written, plan = code_desk.carry_out_import(plant, name, book, who=officer_name(plant), why=why)
    if json:
        as_json(code_view.import_plain(book, plan) | {"file": written})
    else:
        code_view.imported(name, book, plan, written)


@codes.command("drift")
def drift(
    connection: Annotated[str, typer.Argument(help="Which: contact, torfaen/contact; all if left out.")] = "",
    council: CouncilName = "",
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Ask the systems which codes they know, and hold them against the lists: what is new, what is gone."""
    from pipelines import code_drift, control

    with for_officer(site) as plant:
        chosen = control.connections(plant, connection, known_council(plant, council))
        found = [(one, code_drift.compare(plant, one)) for one in chosen if one.settings["lookups"]]
    rows = [(wired.council, wired.name, one) for wired, drifts in found for one in drifts]
    as_json(code_view.drift_plain(rows)) if json else code_view.drift(rows)
    raise typer.Exit(1 if any(one.drifted or one.words for *_, one in rows) else 0)


def _day(option: str, text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise WrongUse(f"{option} is a day such as 2026-04-01") from None


