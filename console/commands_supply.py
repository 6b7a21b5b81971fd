"""`dolen audit dependencies`: is anything publicly known against the packages that Dolen stands on?"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from console.guard import WrongUse
from console.show import as_json, count, safe, say
from console.site import Json

NOT_AUDITED = 3


def dependencies(
    lock: Annotated[
        Path | None,
        typer.Option(help="Look at what this lock file pins, not at what is installed.", metavar="FILE"),
    ] = None,
    advisories: Annotated[
        Path | None,
        typer.Option(help="A stored feed: records of OSV as JSON, a folder of them, or OSV's zip.", metavar="FILE"),
    ] = None,
    service: Annotated[
        str, typer.Option(help="The address of an OSV service of your own, for pip-audit.", metavar="URL")
    ] = "",
    json: Json = False,
) -> None:
    """Is anything publicly known against the packages used? Exits 1 if so, 3 where nobody could be asked."""
    from console.supply import audit, packages

    for file in (lock, advisories):
        if file is not None and not file.exists():
            raise WrongUse(f"There is no file {file}")
    if advisories is not None and service:
        raise WrongUse("Write either --advisories or --service, not both")
    try:
        held = packages.locked(lock) if lock is not None else packages.installed()
    except ValueError as bad:
        raise WrongUse(safe(bad)) from None
    if advisories is not None:
        done = audit.by_feed(held, advisories, datetime.now(UTC))
    else:
        done = audit.by_pip_audit(held, lock, service)
    if json:
        as_json({
            "packages": done.packages, "audited": not done.unaudited, "why_not": done.unaudited or None,
            "source": done.source or None,
            "known": [
                {"package": one.package.name, "version": one.package.version, "id": one.id, "mended_in": one.mended_in}
                for one in done.known
            ],
        })  # fmt: skip
    else:
        _tell(done)
    raise typer.Exit(1 if done.known else NOT_AUDITED if done.unaudited else 0)


def _tell(done: object) -> None:
    from console.supply.audit import Audited

    assert isinstance(done, Audited)
    for one in done.known:
        mended = f", mended in {safe(', '.join(one.mended_in))}" if one.mended_in else ", not mended yet"
        say(f"{safe(one.package)}: {safe(one.id)}{mended}")
    if done.unaudited:
        say(
            f"NOT AUDITED: {safe(done.unaudited)}.",
            "That says nothing against the packages and nothing for them. Run this where a feed can be reached, or "
            "hand in a stored one: dolen audit dependencies --advisories FILE (docs/security.md).",
        )
    elif not done.known:
        say(f"{count(done.packages, 'package')} audited by {safe(done.source)}: nothing is known against them.")
    else:
        say(f"{count(done.packages, 'package')} audited by {safe(done.source)}: {len(done.known)} known.")
