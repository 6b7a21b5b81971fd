"""Commands for those who build a site: new, check, schema."""

from __future__ import annotations

import dataclasses
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from console.guard import WrongUse
from console.show import as_json, count, say
from console.site import HERE, Json, SiteFolder, site_folder


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
    shipped: Annotated[
        bool, typer.Option("--shipped", help="Also all that is shipped and that the site does not use.")
    ] = False,
) -> None:
    """Verify a site without calling anybody: settings, secrets, profiles, mappings, codes, routes, texts."""
    from config.findings import errors
    from console import annotations
    from pipelines import check as checking

    if json and format not in (Format.TEXT, Format.JSON):
        raise WrongUse("Write either --json or --format, not both")
    folder = site_folder(site)
    found = list(checking.check(folder, shipped=shipped))
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
    form: Annotated[bool, typer.Option("--form", help="Print what a web form may send.")] = False,
) -> None:
    """Print the JSON Schema of a referral, or of what a web form may send; or write those of a site's files."""
    if site_schemas is not None:
        from config.schemas import write_schemas
        from pipelines.editors import schemas

        say(*(str(path) for path in write_schemas(site_schemas, schemas())))
        return
    from mappings.form import form_schema
    from mappings.schema import referral_schema

    as_json(form_schema() if form else referral_schema())
