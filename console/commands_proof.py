"""Commands that read two systems side by side: reconcile proves a route, match pairs the cases of the first day."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console import ask
from console.guard import WrongUse
from console.show import as_json, count, progress
from console.site import HERE, CouncilName, Json, SiteFolder, for_officer, known_council, officer_name
from pipelines.rights import Right

if TYPE_CHECKING:
    from pipelines.plant import Council, Plant
    from pipelines.reconcile import Report
    from pipelines.repair import Mended, Step


def reconcile(
    route: Annotated[str, typer.Argument(help="A route's name, as in the council's file.", metavar="ROUTE")],
    whole: Annotated[bool, typer.Option("--whole", help="Read every record whole, whatever its stamp says.")] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Say what sending again would mend, and send nothing.")
    ] = False,
    go: Annotated[bool, typer.Option("--go", help="With --repair: do it. The reason is asked.")] = False,
    council: CouncilName = "",
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Prove a route: read both systems, and list what is missing, extra, different or stale. Neither is written to."""
    from console import reconcile_view
    from pipelines import prover
    from pipelines import reconcile as proof
    from pipelines import repair as mending

    if go and not repair:
        raise WrongUse("--go belongs to --repair: dolen reconcile ROUTE --repair --go")
    with for_officer(site, Right.CONTROL) as plant, progress(json) as told:
        councils = proof.councils_with(plant, route, known_council(plant, council))
        who = officer_name(plant)
        reports = [prover.compare(plant, one, route, who=who, whole=whole, progress=told) for one in councils]
        plans = [mending.plan(plant, *both) if repair else [] for both in zip(councils, reports, strict=True)]
        if not json:
            for report, steps in zip(reports, plans, strict=True):
                reconcile_view.show([report])
                if repair:
                    reconcile_view.planned(report, steps)
        mended = _carry_out(plant, councils, reports, plans) if go else None
    if json:
        as_json(reconcile_view.plain(reports, plans if repair else None, mended))
    elif mended is not None:
        reconcile_view.mended(reports, mended)
    if mended is not None:
        raise typer.Exit(1 if any(done.not_done for done in mended) else 0)
    raise typer.Exit(0 if all(one.agrees for one in reports) else 1)


def _carry_out(plant: Plant, councils: list[Council], reports: list[Report], plans: list[list[Step]]) -> list[Mended]:
    from pipelines import repair

    possible = sum(step.possible for steps in plans for step in steps)
    if not possible:
        return [repair.Mended(not_done=[(step.source, step.words) for step in steps]) for steps in plans]
    who, why = officer_name(plant), ask.why(f"mend {count(possible, 'request')} by sending again")
    return [
        repair.carry_out(plant, council, report.route, steps, who=who, why=why)
        for council, report, steps in zip(councils, reports, plans, strict=True)
    ]


def match(
    one: Annotated[str, typer.Argument(help="A connection: contact, or torfaen/contact.", metavar="CONNECTION")],
    other: Annotated[str, typer.Argument(help="Another of the same council.", metavar="CONNECTION")],
    by: Annotated[
        list[str] | None,
        typer.Option(help="A field that identifies a case exactly; may be repeated. Else those that are declared."),
    ] = None,
    list_file: Annotated[
        Path | None, typer.Option("--csv", help="A list of number pairs instead: two columns.", metavar="FILE")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be paired. So it is without --go.")
    ] = False,
    go: Annotated[bool, typer.Option("--go", help="Write the pairs into the ledger. The reason is asked.")] = False,
    rest_is_apart: Annotated[
        bool, typer.Option("--rest-is-apart", help="With --go: what stays undecided is not the same case.")
    ] = False,
    council: CouncilName = "",
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """First day: pair the cases that two systems both hold already, by exact numbers. Neither system is written to."""
    from console import match_view
    from pipelines import control, first_day
    from pipelines.pairing import Pairing, read_list

    if go and dry_run:
        raise WrongUse("Choose one of --go and --dry-run")
    if rest_is_apart and not go:
        raise WrongUse("--rest-is-apart belongs to --go")
    if by and list_file is not None:
        raise WrongUse("Choose one of --by and --csv")
    with for_officer(site, Right.ADMINISTER) as plant, progress(json) as told:
        sides = [control.one_connection(plant, words, known_council(plant, council)) for words in (one, other)]
        if sides[0].council != sides[1].council:
            raise WrongUse("Both connections must be of one council: nothing is ever paired across councils")
        names = (sides[0].name, sides[1].name)
        listed = None if list_file is None else read_list(list_file.read_text(encoding="utf-8"), *names)
        with Pairing(plant, plant.councils[sides[0].council], sides[0], sides[1], progress=told) as pairing:
            found = pairing.match(by or (), listed)
            if not json:
                match_view.show(found)
            written = None
            if go:
                why = ask.why(f"pair {count(found.totals['pairs'], 'case')} of {' and '.join(names)}")
                who = officer_name(plant)
                written = first_day.write(pairing, found, who=who, why=why, rest_is_apart=rest_is_apart)
    if json:
        as_json(match_view.plain(found, written))
    elif written is not None:
        match_view.written(found, written)
    left = not found.clear if written is None else not written.complete
    raise typer.Exit(1 if left else 0)
