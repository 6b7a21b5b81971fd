"""Commands of people's rights: export, erase, restrict, unrestrict. And purge, which is retention's."""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from console import ask
from console.guard import WrongUse
from console.show import as_json, complain, count, progress, say, table
from console.site import HERE, CouncilName, Json, SiteFolder, for_officer, known_council, officer_name
from pipelines.rights import Right

if TYPE_CHECKING:
    from pipelines.persons import Person
    from pipelines.plant import Plant

person = typer.Typer(help="One person's rights: what is held about them, erasing, restriction.", no_args_is_help=True)

Reference = Annotated[
    str,
    typer.Argument(
        help="A reference of ours or a number in a system. Leave out to be asked for an identifier, such as an NHS "
        "number, which never stands in a command.",
        metavar="[REF]",
    ),
]


def _whom(plant: Plant, reference: str, council: str) -> Person:
    """The person meant: by reference, or by an identifier that is asked for or read as the first line of the input."""
    from pipelines import persons

    codes = [known_council(plant, council)] if council else []
    if reference:
        return persons.by_reference(plant, reference, codes)
    if sys.stdin.isatty():
        identifier = str(typer.prompt("Identifier (NHS number)", hide_input=True, err=True))
    else:
        identifier = sys.stdin.readline(200)
    if not identifier.strip():
        raise WrongUse("Name a reference, or hand in an identifier as the first line of standard input")
    return persons.by_identifier(plant, identifier, codes)


def _new_file(path: Path, content: str) -> None:
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            out.write(content)
    except FileExistsError:
        raise WrongUse(f"{path} is there already; name another file") from None
    except OSError as fault:
        raise WrongUse(f"{path} cannot be written ({fault.strerror})") from None


@person.command()
def export(
    out: Annotated[Path, typer.Option("--out", help="A folder for the two files, page and JSON.", metavar="DIR")],
    reference: Reference = "",
    council: CouncilName = "",
    site: SiteFolder = HERE,
) -> None:
    """Write everything that is held about one person: a page that prints, and JSON. The reason is asked."""
    from console.person_page import page
    from pipelines import exporting

    if not out.is_dir():
        raise WrongUse(f"There is no folder {out}; make one that nobody else may read")
    with for_officer(site, Right.PROTECT, restricted_too=True) as plant:
        whom = _whom(plant, reference, council)
        told = exporting.export(plant, whom, who=officer_name(plant), why=ask.why("export what is held about a person"))
    stem = out / f"person-{whom.id}"
    _new_file(stem.with_suffix(".html"), page(told))
    _new_file(stem.with_suffix(".json"), orjson.dumps(told, option=orjson.OPT_INDENT_2).decode() + "\n")
    say(f"Written, for your eyes alone: {stem}.html and {stem}.json. Delete them when they are handed over.")
    for one in told["referrals"]:
        if one["attachments"]:
            say(f"{one['reference']}: {count(len(one['attachments']), 'attachment')}, held by the system it came from.")


@person.command()
def erase(
    ground: Annotated[str, typer.Option(help="The legal ground, by its word; see docs/data-protection.md.")],
    reference: Reference = "",
    council: CouncilName = "",
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Erase one person, for good, on a legal ground. Refused while something of theirs is open. The reason is asked."""
    from pipelines import erasing

    with for_officer(site, Right.PROTECT, restricted_too=True) as plant:
        if ground not in erasing.GROUNDS:
            words = "; ".join(f"{word} ({meaning})" for word, meaning in erasing.GROUNDS.items())
            raise WrongUse(f"--ground is one of: {words}")
        whom = _whom(plant, reference, council)
        why = ask.why("erase this person for good")
        id = erasing.erase(plant, whom, ground=ground, who=officer_name(plant), why=why)
    if json:
        as_json({"certificate": id, "person": whom.id, "referrals": len(whom.referrals)})
    else:
        say(f"Erased: {count(len(whom.referrals), 'referral')}. Certificate: dolen certificates show {id}")


@person.command()
def restrict(reference: Reference = "", council: CouncilName = "", site: SiteFolder = HERE, json: Json = False) -> None:
    """Send nothing about a person any more, from now on, until it is lifted. The reason is asked."""
    from pipelines import restricting

    with for_officer(site, Right.PROTECT, restricted_too=True) as plant:
        whom = _whom(plant, reference, council)
        why = ask.why("restrict what is sent about this person")
        done = restricting.restrict(plant, whom, who=officer_name(plant), why=why)
    if json:
        as_json(dataclasses.asdict(done))
        return
    say(f"Restricted: {count(done.referrals, 'referral')}; waiting and not sent: {', '.join(done.waiting) or 'none'}.")
    if done.under_way:
        complain(f"Being sent at this moment, and cannot be taken back: {', '.join(done.under_way)}. Look at each.")
    for name, owner in done.held_by:
        say(f"{name} holds something already; tell who answers for it: {owner or 'nobody is named'}.")


@person.command()
def unrestrict(reference: Reference = "", council: CouncilName = "", site: SiteFolder = HERE) -> None:
    """Lift a restriction; what waited is sent. The reason is asked."""
    from pipelines import restricting

    with for_officer(site, Right.PROTECT, restricted_too=True) as plant:
        whom = _whom(plant, reference, council)
        why = ask.why("lift the restriction of this person")
        freed = restricting.unrestrict(plant, whom, who=officer_name(plant), why=why)
    say(f"Lifted; {count(freed, 'delivery', 'deliveries')} will be sent.")


def purge(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what is due, and let go of nothing.")] = False,
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Let go of what has been kept long enough, by council and class, with a certificate. Done by itself each night."""
    from pipelines import purging

    with for_officer(site, Right.PROTECT, restricted_too=True) as plant, progress(json) as told:
        done = purging.purge(plant, who=officer_name(plant), dry_run=dry_run, tell=told)
    if json:
        as_json([dataclasses.asdict(one) for one in done])
        return
    rows = [
        (one.council, *(one.referrals.get(name, 0) for name in ("raw", "payloads", "hashes", "metadata")),
         one.warned, one.expired, one.certificate or "-")
        for one in done
    ]  # fmt: skip
    table(["council", "raw", "payloads", "hashes", "metadata", "warned", "expired", "certificate"], rows)
    say("Referrals that are due; nothing was let go of." if dry_run else "Referrals of which something went.")


certificates = typer.Typer(help="Certificates of what was purged or erased.", no_args_is_help=True)


@certificates.command("list")
def certificates_list(site: SiteFolder = HERE, json: Json = False) -> None:
    """List them, the newest first. Exit 1 if the signature of one does not fit."""
    from console.show import when
    from pipelines import certificates as kept

    with for_officer(site, Right.PROTECT, restricted_too=True) as plant:
        found = kept.listed(plant)
    if json:
        as_json([dataclasses.asdict(one) for one in found])
    else:
        rows = [(one.id, one.council, one.kind, when(one.at), "fits" if one.holds else "DOES NOT FIT") for one in found]
        table(["certificate", "council", "kind", "at", "signature"], rows)
    raise typer.Exit(0 if all(one.holds for one in found) else 1)


@certificates.command("show")
def certificates_show(
    id: Annotated[str, typer.Argument(help="As `dolen certificates list` shows it.")], site: SiteFolder = HERE
) -> None:
    """Print one certificate: rule, cut-offs, counts, chain position, hash of the ids, and if its signature fits."""
    from pipelines import certificates as kept

    with for_officer(site, Right.PROTECT, restricted_too=True) as plant:
        found = next((one for one in kept.listed(plant) if one.id == id), None)
    if found is None:
        raise WrongUse(f"There is no certificate {id}; see `dolen certificates list`")
    as_json(dataclasses.asdict(found))
    raise typer.Exit(0 if found.holds else 1)
