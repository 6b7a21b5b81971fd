"""`dolen mapping diff`: what another mapping would change for real records, before it goes live."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console import ask
from console.guard import WrongUse, sentence
from console.show import as_json, complain, count, progress, safe, say
from console.site import HERE, CouncilName, Json, SiteFolder, for_officer, known_council, officer_name
from pipelines.rights import Right

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.mapping_diff import Compared

#: A larger look would take minutes and tell little more.
_MOST_AT_ALL = 20_000
_SIDE = "current, original, current~1, a digest that `dolen show` prints, a mapping file (.yaml) or a code list (.csv)."


def diff(
    before: Annotated[str, typer.Argument(help=f"One side: {_SIDE}", metavar="A")],
    after: Annotated[str, typer.Argument(help="The other side, in the same words.", metavar="B")],
    connection: Annotated[str, typer.Option(help="Of this connection only.")] = "",
    record: Annotated[str, typer.Option(help="Of this kind of record only.")] = "",
    most: Annotated[
        int, typer.Option(min=1, max=_MOST_AT_ALL, help="So many of the newest records of each kind.")
    ] = 500,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Show values; the reason is asked and audited. Where nobody else sees.")
    ] = False,
    council: CouncilName = "",
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Read the newest real records by two mappings, and write what is known by both: what comes out otherwise, field by
    field. Nothing is sent. Exit 0: no difference."""
    from config.findings import SiteFaults
    from pipelines import control, mapping_diff
    from pipelines.looking import NotPossible

    with for_officer(site, Right.UNMASK if reveal else Right.SEE) as plant:
        code = known_council(plant, council)
        if connection:
            wired = control.connections(plant, connection, code)
            councils, connection = [one.council for one in wired], wired[0].name
        else:
            councils = [code] if code else sorted(plant.councils)
        who, why = (officer_name(plant), ask.why("see what these records say")) if reveal else ("", "")
        scope = mapping_diff.Scope(councils, connection, record, most, reveal)
        try:
            with progress(json) as told:
                found = mapping_diff.compare(plant, before, after, scope, progress=told)
        except NotPossible as fault:  # 1 would say that something differs
            raise WrongUse(str(fault).rstrip(".")) from None
        except SiteFaults as faults:
            complain(sentence(faults) or "")
            raise typer.Exit(2) from None
        if reveal:
            mapping_diff.note_revealed(plant, found, who=who, why=why)
    as_json([_plain(one) for one in found]) if json else _show(found, reveal=reveal)
    raise typer.Exit(1 if any(one.differ for one in found) else 0)


def _show(found: Sequence[Compared], *, reveal: bool) -> None:
    for one in found:
        say(
            f"{one.council}/{one.connection} {one.kind}, {'read' if one.direction == 'read' else 'written as new'}: "
            f"{count(one.differ, 'record')} of {one.looked} would come out otherwise",
            f"  {safe(one.before)}  ->  {safe(one.after)}",
        )
        say(*(f"  {words}" for words in _not_looked(one)))
        for line in one.fields:
            say(f"  {line.count:>5}  {line.how}: {safe(line.path)}, such as {', '.join(line.examples)}")
            for id, before, after in zip(line.examples, line.before, line.after, strict=True):
                if reveal or line.how == "changed":
                    say(f"           {id}: {safe(before)} -> {safe(after)}")
    if not any(one.differ for one in found):
        say("No record would come out otherwise.")


def _not_looked(one: Compared) -> list[str]:
    parts = [
        (one.gone, "expired or erased, so nobody can say"),
        (one.unreadable, "cannot be read at all"),
        (one.cannot_run, "never mapped, or with what this Dolen cannot run any more"),
    ]
    return [f"{number} of them {words}" for number, words in parts if number]


def _plain(one: Compared) -> dict[str, Any]:
    return dataclasses.asdict(one)
