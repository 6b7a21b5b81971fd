"""The command that holds a connection against the contract: conform."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console import ask
from console.guard import WrongUse
from console.show import as_json, complain, count, progress, safe, say, table
from console.site import HERE, CouncilName, Json, SiteFolder, for_officer, known_council, officer_name
from pipelines.rights import Right


def conform(
    connection: Annotated[str, typer.Argument(help="Which: torfaen/contact, or contact.", metavar="CONNECTION")],
    writes: Annotated[
        bool, typer.Option("--writes", help="Also make invented records there; asks first, and lists what it made.")
    ] = False,
    wrong_login: Annotated[
        bool, typer.Option("--wrong-login", help="Also log in once with a wrong secret; some systems lock an account.")
    ] = False,
    pages: Annotated[int, typer.Option(min=1, max=10_000, help="Read no more pages than these in one walk.")] = 20,
    report: Annotated[
        Path | None, typer.Option(help="Write the report for the supplier here: NAME.md and NAME.json.", metavar="NAME")
    ] = None,
    council: CouncilName = "",
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Hold a supplier's test system against what Dolen asks of it, and report what came. Reads only, unless told."""
    from pipelines import conforming, control

    files = [report.with_name(report.name + ending) for ending in (".md", ".json")] if report else []
    if there := [str(file) for file in files if file.exists()]:
        raise WrongUse(f"{there[0]} is there already: name a report that is new")
    with for_officer(site, Right.ADMINISTER) as plant, progress(json) as told:
        wired = control.one_connection(plant, connection, known_council(plant, council))
        who = why = ""
        if writes:
            complain(f"Invented records will be made in {wired.council}/{wired.name}, and stay there.")
            who, why = officer_name(plant), ask.why(f"make invented records in {wired.council}/{wired.name}")
        found = conforming.hold(
            plant, wired, writes=writes, wrong_login=wrong_login, pages=pages, who=who, why=why,
            told=lambda kind: told(kind, 0),
        )  # fmt: skip
    if report is not None:
        import orjson

        report.parent.mkdir(parents=True, exist_ok=True)
        files[0].write_text(found.as_markdown(), encoding="utf-8", newline="\n")
        files[1].write_bytes(orjson.dumps(found.as_data(), option=orjson.OPT_INDENT_2) + b"\n")
    if json:
        as_json(found.as_data())
    else:
        for kind in found.kinds:
            table(
                [kind.kind, "check", "what came"],
                [(one.verdict.value.upper(), one.check, one.came) for one in kind.told],
            )
        for one in found.made:
            say(f"made: {safe(one.kind)} {safe(one.id)}, our key {safe(one.key)}")
        counts = found.counts()
        say(f"{counts['held']} held, {counts['broken']} broken, {counts['not tried']} not tried.")
        if files:
            say(f"{count(len(files), 'file')} to send to the supplier: {', '.join(map(str, files))}")
    raise typer.Exit(0 if found.well else 1)
