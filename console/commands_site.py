"""Commands for those who build a site: new, check, schema, mapping, audit."""

from __future__ import annotations

import dataclasses
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from console.guard import WrongUse
from console.show import as_json, count, say
from console.site import HERE, CouncilName, Json, SiteFolder, known_council, opened, site_folder

mapping = typer.Typer(help="The mapping bench: test a mapping by its examples, preview a record.", no_args_is_help=True)
audit = typer.Typer(help="The record of who did what.", no_args_is_help=True)


def new(folder: Annotated[Path, typer.Argument(help="An empty folder, or one to be made.", metavar="DIR")]) -> None:
    """Begin a site: a folder with commented files, and schemas for the editor."""
    from config.scaffold import new_site
    from pipelines.editors import schemas

    written = new_site(folder, schemas())
    say(f"{count(len(written), 'file')} written to {folder}.")
    say(f"Next: edit {folder / 'config' / 'councils' / 'my-council.yaml'}, then run: dolen check --site {folder}")


class Format(StrEnum):
    """How findings are printed: for people, or as the annotations of a pipeline."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    AZURE = "azure"


def check(
    site: SiteFolder = HERE,
    json: Json = False,
    format: Annotated[Format, typer.Option(help="For a pipeline: json, or github or azure annotations.")] = Format.TEXT,
) -> None:
    """Verify a site without calling anybody: settings, secrets, profiles, mappings, codes, routes, texts."""
    from config.findings import errors
    from console import annotations
    from pipelines import check as checking

    if json and format not in (Format.TEXT, Format.JSON):
        raise WrongUse("Write either --json or --format, not both")
    folder = site_folder(site)
    found = list(checking.check(folder))
    if json or format is Format.JSON:
        as_json([dataclasses.asdict(one) for one in found])
    elif format is not Format.TEXT:
        line = annotations.github if format is Format.GITHUB else annotations.azure
        say(*(line(one, site) for one in found))
    else:
        say(*(f"{one.severity.value}: {one}" for one in found))
        wrong = len(errors(found))
        say(f"{count(wrong, 'error')}, {count(len(found) - wrong, 'warning')}." if found else "Nothing to mend.")
    raise typer.Exit(1 if errors(found) else 0)


def schema(
    site_schemas: Annotated[
        Path | None, typer.Option(help="Write the schemas of a site's files for editors here.", metavar="DIR")
    ] = None,
) -> None:
    """Print the JSON Schema of a referral; or write those of a site's files: settings, mappings, profiles."""
    if site_schemas is not None:
        from config.schemas import write_schemas
        from pipelines.editors import schemas

        say(*(str(path) for path in write_schemas(site_schemas, schemas())))
        return
    from mappings.schema import referral_schema

    as_json(referral_schema())


@audit.command("verify")
def audit_verify(site: SiteFolder = HERE, json: Json = False) -> None:
    """Look whether the audit is whole: no row changed, missing or moved."""
    from pipelines import audit as chain

    with opened(site) as plant:
        broken = chain.verify(plant.ledger, plant.vault)
    if json:
        as_json({"whole": broken is None, "first_broken": broken})
    else:
        say(
            "The audit is whole."
            if broken is None
            else f"The audit is broken from row {broken} on: keep the file, report it."
        )
    raise typer.Exit(0 if broken is None else 1)


@mapping.command("test")
def mapping_test(
    name: Annotated[str, typer.Argument(help="One mapping, such as SYSTEM/RECORD; all if left out.")] = "",
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Try mappings against the golden pairs beside them, both directions."""
    from console import mapping_view
    from pipelines import mapping_bench

    tried = [one for one in mapping_bench.run_golden(site_folder(site)) if name in ("", one.mapping)]
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
    as_json([dataclasses.asdict(row) for row in rows]) if json else mapping_view.origins(rows)


@mapping.command("preview")
def mapping_preview(
    connection: Annotated[str, typer.Argument(help="Whose record it is: torfaen/contact.", metavar="CONNECTION")],
    file: Annotated[Path | None, typer.Option(help="The record, JSON or XML; standard input if left out.")] = None,
    version: Annotated[str, typer.Option(help="A version that the ledger holds, such as v7.")] = "",
    record: Annotated[str, typer.Option(help="The kind of record, where the connection has several.")] = "",
    reveal: Annotated[bool, typer.Option("--reveal", help="Show values. Only where nobody else can see them.")] = False,
    council: CouncilName = "",
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Show one record through its mapping and back: what each row gives, what is left out, what would be lost."""
    from console import mapping_view
    from pipelines import control, ids, mapping_bench

    number = ids.number_of(version, "v") if version else None
    if version and (number is None or file is not None):
        raise WrongUse("--version takes a number such as v7, and no --file beside it")
    with opened(site) as plant:
        wired = control.one_connection(plant, connection, known_council(plant, council))
        kinds = [kind for kind in wired.kinds if record in ("", kind)]
        if len(kinds) != 1:
            raise WrongUse(f"Name the kind of record with --record; there are {', '.join(wired.kinds) or 'none'}")
        body = None if number is not None else file.read_bytes() if file else sys.stdin.buffer.read()
        seen = mapping_bench.preview(
            plant, wired.council, wired.name, kinds[0], record=body, version_id=number, reveal=reveal
        )
    as_json(mapping_view.preview_plain(seen)) if json else mapping_view.preview(seen)
    raise typer.Exit(1 if seen.unreadable or seen.stopped else 0)
