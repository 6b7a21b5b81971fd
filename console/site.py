"""Opening the site that a command works on, and the options that every command shares."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console import ask
from console.guard import WrongUse
from console.show import complain
from pipelines.rights import Right

if TYPE_CHECKING:
    from pipelines.plant import Plant

SiteFolder = Annotated[
    Path, typer.Option("--site", envvar="DOLEN_SITE", help="The site's folder.", metavar="DIR", show_default="here")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a script.")]
CouncilName = Annotated[str, typer.Option("--council", help="Of this council only, by its code.", metavar="CODE")]

HERE = Path()


def site_folder(folder: Path) -> Path:
    """Check that a folder holds a site. Raises WrongUse."""
    if not folder.is_dir():
        raise WrongUse(f"There is no folder {folder}; name the site's folder with --site or $DOLEN_SITE")
    if not (folder / "config" / "dolen.yaml").is_file():
        shown = "This folder" if folder == HERE else f"The folder {folder}"
        raise WrongUse(
            f"{shown} holds no site: config/dolen.yaml is not there. Name a site with --site DIR, or begin one with "
            "`dolen new DIR`"
        )
    return folder


@contextmanager
def opened(folder: Path, *, only_to_show: bool = False) -> Iterator[Plant]:
    """Open a site and let go of it again. What keeps one council out is told on standard error. `only_to_show`: its
    ledger is looked at, and nothing is read, sent, mapped or changed."""
    from pipelines import logs

    logs.configure("error")  # a command says itself what happened; `run` turns its log on
    if only_to_show:
        from pipelines.onlooking import onlooking

        plant = onlooking(site_folder(folder))
    else:
        from pipelines import composition

        plant = composition.build(composition.load(site_folder(folder)))
    try:
        for finding in plant.findings:
            complain(f"{finding.severity.value}: {finding}")
        yield plant
    finally:
        plant.close()


@contextmanager
def for_officer(
    folder: Path, right: Right = Right.SEE, *, restricted_too: bool = False, only_to_show: bool = False
) -> Iterator[Plant]:
    """Open a site as whoever is at this command line may see it: the councils for which they have a right, and of
    restricted referrals those that were granted to them. `restricted_too`: for a duty that holds for everybody alike.
    `only_to_show`: see `opened`. Raises NotAllowed."""
    from pipelines import roles
    from pipelines.seeing import through_or_refuse

    with opened(folder, only_to_show=only_to_show) as plant:
        if right is not Right.SEE and not plant.roles.are_told and plant.roles.owned_by_us() and sys.stderr.isatty():
            complain(NO_ROLES)
        officer = plant.roles.at_the_machine(
            roles.account(), ask.who(), plant.councils, owner=plant.roles.owned_by_us()
        )
        yield through_or_refuse(plant, officer, right, restricted_too=restricted_too)


@contextmanager
def for_whole_site(folder: Path, right: Right) -> Iterator[Plant]:
    """The same for what concerns every council at once: whoever asks has the right for all of them. Raises
    NotAllowed."""
    from pipelines.sight import WORDS, NotAllowed

    with for_officer(folder, right, restricted_too=True) as plant:
        if missing := sorted(set(plant.whole.councils) - set(plant.councils)):
            raise NotAllowed(f"this concerns the whole site: it takes {WORDS[right]} for {', '.join(missing)} too")
        yield plant


#: Said to whoever acts on a site that says nothing of roles.
NO_ROLES = (
    "This site has no `access.roles`: as the owner of its files you are operator and administrator, and nobody else is "
    "anything. See docs/console-access.md."
)


def officer_name(plant: Plant) -> str:
    """Who acts, as the audit tells it."""
    assert plant.sight.officer is not None, "a command acts in somebody's name"
    return plant.sight.officer.who


def zone_of(plant: Plant, council: str) -> str:
    """The time zone in which a council reads its times."""
    found = plant.councils.get(council)
    return found.zone if found else "UTC"


def known_council(plant: Plant, council: str) -> str:
    """Check a council's code. Raises WrongUse."""
    if council and council not in plant.councils:
        raise WrongUse(f"The site has no council of that code; it has {', '.join(sorted(plant.councils)) or 'none'}")
    return council
