"""Commands of the mapping bench: begin a mapping, test it by its examples, preview a record."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from console.guard import WrongUse
from console.show import as_json, say
from console.site import HERE, CouncilName, Json, SiteFolder, for_officer, known_council, officer_name, site_folder
from pipelines.rights import Right

mapping = typer.Typer(
    help="The mapping bench: begin a mapping, test it by its examples, preview a record.", no_args_is_help=True
)


@mapping.command("scaffold")
def mapping_scaffold(
    system: Annotated[str, typer.Argument(help="A name for the system, such as care-notes.", metavar="SYSTEM")],
    source: Annotated[
        list[Path],
        typer.Option(
            "--from", help="A WSDL, OpenAPI file or JSON Schema; or samples (JSON, XML, CSV), again for each."
        ),
    ],
    record: Annotated[
        list[str] | None, typer.Option(help="A kind of record, by its name there; again for each. Else the likeliest.")
    ] = None,
    operations: Annotated[
        str, typer.Option(help="Look at these operations only, with commas between them.", metavar="A,B")
    ] = "",
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Begin a system: write its profile, mapping, code lists and a first golden pair, every guess marked as one."""
    from connectors.drafts import NoDraft
    from connectors.errors import Misconfigured
    from console import mapping_view
    from pipelines import scaffold as begin

    named = [name.strip() for name in operations.split(",") if name.strip()]
    try:
        begun = begin.scaffold(site_folder(site), system, source, records=record or (), operations=named)
    except (NoDraft, Misconfigured, begin.CannotScaffold) as fault:
        raise WrongUse(getattr(fault, "reason", "") or str(fault)) from None
    as_json(mapping_view.begun_plain(begun)) if json else mapping_view.begun(begun, site)


@mapping.command("invent")
def mapping_invent(
    id: Annotated[str, typer.Argument(help="A version, v12; or a record's number, beside --connection.", metavar="ID")],
    connection: Annotated[str, typer.Option(help="Whose record has that number: torfaen/contact.")] = "",
    seed: Annotated[str, typer.Option(help="The same word gives the same look-alike of the same record.")] = "",
    council: CouncilName = "",
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Make an invented look-alike of a live record for a golden pair: its shape and codes, and nobody in it.

    No value is shown. It is written down in the audit as a view of the record.
    """
    from mappings.look_alike import SomethingSurvived
    from pipelines import control, invented

    with for_officer(site, Right.MAPPINGS) as plant:
        if connection:
            wired = control.one_connection(plant, connection, known_council(plant, council))
            id = invented.newest(plant, wired.council, wired.name, id)
        try:
            file = invented.invent(plant, id, who=officer_name(plant), seed=seed)
        except SomethingSurvived as fault:
            raise WrongUse(str(fault)) from None
    if json:
        as_json({"version": id, "file": str(file)})
    else:
        say(f"written: {file}", "Next: read it through, say in `about` what it shows, and run: dolen mapping test")


@mapping.command("test")
def mapping_test(
    name: Annotated[str, typer.Argument(help="One mapping, such as SYSTEM/RECORD; all if left out.")] = "",
    reveal: Annotated[bool, typer.Option("--reveal", help="Show values. Only where nobody else can see them.")] = False,
    accept: Annotated[
        bool, typer.Option("--accept", help="Write what the mapping makes today into the site's own pairs of it.")
    ] = False,
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Try mappings against the golden pairs beside them, both directions.

    Look at the differences before you accept them: then they are what is expected from now on.
    """
    from console import mapping_view
    from pipelines import mapping_bench

    folder = site_folder(site)
    if accept:
        if not name:
            raise WrongUse("Name the mapping whose pairs you accept: SYSTEM/RECORD")
        try:
            changed = mapping_bench.accept(folder, name)
        except LookupError:
            raise WrongUse("No mapping has that name; `dolen mapping test` alone lists them") from None
        if not json:
            say(*(f"accepted: {one}" for one in changed))
    tried = [one for one in mapping_bench.run_golden(folder, reveal=reveal) if name in ("", one.mapping)]
    if not tried:
        raise WrongUse("No mapping has that name; `dolen mapping test` alone lists them")
    if json:
        as_json([mapping_view.tried_plain(one) for one in tried])
    else:
        mapping_view.tried(tried)
    raise typer.Exit(0 if all(one.well for one in tried) else 1)


@mapping.command("show")
def mapping_show(
    name: Annotated[str, typer.Argument(help="Its name, such as SYSTEM/RECORD.", metavar="NAME")],
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """List the rows of a mapping, each with the file and line that it is from, and which keys a file changed."""
    from console import mapping_view
    from pipelines import mapping_origin

    try:
        rows = mapping_origin.origins(site_folder(site), name)
    except LookupError as missing:
        raise WrongUse(str(missing)) from None
    as_json(mapping_view.origins_plain(rows)) if json else mapping_view.origins(rows)


@mapping.command("preview")
def mapping_preview(
    connection: Annotated[str, typer.Argument(help="Whose record it is: torfaen/contact.", metavar="CONNECTION")],
    file: Annotated[
        Path | None, typer.Option(help="The record, JSON or XML, or a golden pair; else standard input.")
    ] = None,
    version: Annotated[str, typer.Option(help="A version that the ledger holds, such as v7.")] = "",
    record: Annotated[str, typer.Option(help="The kind of record, where the connection has several.")] = "",
    reveal: Annotated[bool, typer.Option("--reveal", help="Show values. Only where nobody else can see them.")] = False,
    council: CouncilName = "",
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Show one record through its mapping and back: what each row gives, what is left out, what would be lost."""
    from console import ask, mapping_view
    from pipelines import control, ids, mapping_bench, unmasking

    number = ids.number_of(version, "v") if version else None
    if version and (number is None or file is not None):
        raise WrongUse("--version takes a number such as v7, and no --file beside it")
    of_ledger = reveal and number is not None  # what is in a file of their own, nobody need be shown by us
    with for_officer(site, Right.UNMASK if of_ledger else Right.SEE) as plant:
        wired = control.one_connection(plant, connection, known_council(plant, council))
        kinds = [kind for kind in wired.kinds if record in ("", kind)]
        if len(kinds) != 1:
            raise WrongUse(f"Name the kind of record with --record; there are {', '.join(wired.kinds) or 'none'}")
        if of_ledger:
            unmasking.note(plant, wired.council, f"v{number}", why=ask.why(f"see what v{number} says"))
        body = None if number is not None else file.read_bytes() if file else sys.stdin.buffer.read()
        seen = mapping_bench.preview(
            plant, wired.council, wired.name, kinds[0], record=body, version_id=number, reveal=reveal
        )
    as_json(mapping_view.preview_plain(seen)) if json else mapping_view.preview(seen)
    raise typer.Exit(1 if seen.unreadable or seen.stopped else 0)
