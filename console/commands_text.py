"""Commands for whoever writes the texts and whoever rings: text preview, check, rang, prefer, inbox, read.

The first two need no ledger and send nothing: a content designer changes words in `texts/` and looks at them here.
"""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console import ask
from console.guard import WrongUse
from console.show import as_json, complain, safe, say, table, when
from console.site import (
    HERE,
    CouncilName,
    Json,
    SiteFolder,
    for_officer,
    known_council,
    officer_name,
    site_folder,
    zone_of,
)
from pipelines.rights import Right

if TYPE_CHECKING:
    from config.findings import Finding
    from config.site import Site

text = typer.Typer(help="What residents are told: preview and check the words, ring instead, read what they reply.")

TextName = Annotated[str, typer.Argument(help="A file under texts/, without its ending; all of them without this.")]


@text.command()
def preview(
    name: TextName = "",
    status: Annotated[str, typer.Option(help="Of this business status only, such as accepted.")] = "",
    council: CouncilName = "",
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Each message as its reader gets it, with real placeholders, and what it costs. Nothing is sent."""
    from pipelines import composition, text_bench

    loaded = composition.load(site_folder(site))
    found = _found(loaded, name)
    if name and name not in loaded.texts and found:
        complain("\n".join([f"texts/{name}.yaml cannot be shown before this is put right:", *map(str, found)]))
        raise typer.Exit(1)
    if council and council not in loaded.councils:
        raise WrongUse(f"The site has no council of that code; it has {', '.join(loaded.councils) or 'none'}")
    shown = text_bench.show(loaded, council=council, text=name, status=status, now=datetime.now(UTC))
    if json:
        as_json([dataclasses.asdict(one) for one in shown])
        return
    for one in shown:
        reads = f"; grade {one.grade}" if one.grade is not None else ""
        say(f"{one.text}  {one.status}  {one.language}  ({_cost(one.signs, one.parts, one.because)}{reads})")
        say(*(f"    subject: {safe(one.subject)}" for _ in [0] if one.subject))
        say(*(f"    {safe(line)}" for line in one.words.splitlines()), "")
    say(*(f"{one.severity.value}: {one}" for one in found))


@text.command()
def check(name: TextName = "", site: SiteFolder = HERE, json: Json = False) -> None:
    """The words of the texts: both languages, placeholders, a way to a person, length, ease, tone, a Welsh checker."""
    from config.findings import Severity
    from pipelines import composition, text_bench

    loaded = composition.load(site_folder(site))
    found = _found(loaded, name)
    broken = bool(found) and name not in loaded.texts if name else not loaded.texts
    shown = [] if broken else text_bench.show(loaded, text=name, now=datetime.now(UTC))
    unchecked = [one for one, said in loaded.texts.items() if name in ("", one) and said.welsh_checked is None]
    if json:
        as_json({
            "findings": [dataclasses.asdict(one) for one in found],
            "messages": [dataclasses.asdict(one) for one in shown],
            "welsh_not_checked": unchecked,
        })  # fmt: skip
    else:
        rows = [(one.text, one.status, one.language, one.signs, one.parts or "-", one.because or "-",
                 "-" if one.grade is None else one.grade) for one in shown]  # fmt: skip
        table(["text", "status", "language", "signs", "parts", "16-bit because of", "grade"], rows)
        say(*(f"{one.severity.value}: {one}" for one in found))
        say(*(f"texts/{one}.yaml: no Welsh checker is named; a live site needs one" for one in unchecked))
    raise typer.Exit(1 if any(one.severity is Severity.ERROR for one in found) else 0)


@text.command()
def rang(
    id: Annotated[str, typer.Argument(help="A delivery (d12), as `dolen attention` lists it.")],
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Say that somebody was rung in place of a message. What you write of it is asked."""
    from pipelines import rung

    with for_officer(site, Right.SEND) as plant:
        words = rung.rang(plant, id, who=officer_name(plant), why=ask.why(f"note that {id} was told by telephone"))
    as_json({"done": words}) if json else say(words + ".")


@text.command()
def prefer(
    reference: Annotated[str, typer.Argument(help="Our id, the resident's reference, or its number in any system.")],
    opt_in: Annotated[str, typer.Option(help="They want news by: text, email or letter.")] = "",
    withdraw: Annotated[str, typer.Option(help="They want none any more by: text, email or letter.")] = "",
    language: Annotated[str, typer.Option(help="cy, en or both.")] = "",
    safe_to_text: Annotated[bool | None, typer.Option("--safe/--not-safe", help="Is their mobile safe?")] = None,
    referrer: Annotated[bool, typer.Option("--referrer", help="All this is about whoever referred them.")] = False,
    wants: Annotated[bool | None, typer.Option("--wants/--wants-none", help="Does the referrer want news?")] = None,
    agreed: Annotated[
        bool | None, typer.Option("--agreed/--not-agreed", help="Does the person agree that the referrer hears?")
    ] = None,
    need_not_agree: Annotated[
        bool,
        typer.Option("--need-not-agree", help="The person need not agree; your name and reason are written down."),
    ] = False,
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Write down what somebody wants, where no system of the council's has a field for it. The reason is asked."""
    from pipelines import wishes

    own, theirs = bool(opt_in or withdraw), wants is not None or agreed is not None or need_not_agree
    if referrer and own:
        raise WrongUse("--opt-in and --withdraw are the person's; of the referrer say --wants or --wants-none")
    if theirs and not referrer:
        raise WrongUse("--wants, --agreed and --need-not-agree go with --referrer")
    if referrer:
        wanted = wishes.of_referrer(wants=wants, agrees=agreed, language=language, safe=safe_to_text)
    else:
        wanted = wishes.wanted(opt_in=opt_in, withdraw=withdraw, language=language, safe=safe_to_text)
    if not wanted and not need_not_agree:
        raise WrongUse("Name a wish: --opt-in, --withdraw, --language, --safe or --not-safe; see --help for --referrer")
    with for_officer(site, Right.SEND) as plant:
        why = ask.why(f"write down wishes of {reference}")
        words = wishes.record(plant, reference, wanted, who=officer_name(plant), why=why, waived=need_not_agree)
    as_json({"done": words}) if json else say(words + ".")


@text.command()
def again(
    reference: Annotated[str, typer.Argument(help="Our id, the resident's reference, or its number in any system.")],
    site: SiteFolder = HERE,
    json: Json = False,
) -> None:
    """Use the numbers of a referral again that texted STOP or reached nobody. The reason is asked."""
    from pipelines import wishes

    with for_officer(site, Right.SEND) as plant:
        why = ask.why(f"use the numbers of {reference} again")
        words = wishes.again(plant, reference, who=officer_name(plant), why=why)
    as_json({"done": words}) if json else say(words + ".")


@text.command()
def inbox(council: CouncilName = "", site: SiteFolder = HERE, json: Json = False) -> None:
    """What residents texted back that a person must read: ids, not words. Read one with `dolen text read ID`."""
    from pipelines import wishes

    with for_officer(site) as plant:
        rows = wishes.unread(plant, known_council(plant, council))
        if json:
            as_json([dataclasses.asdict(one) for one in rows])
        else:
            table(
                ["id", "council", "came", "referral"],
                [(one.id, one.council, when(one.at, zone_of(plant, one.council)), one.referral or "-") for one in rows],
            )
    raise typer.Exit(1 if rows else 0)


@text.command()
def read(
    id: Annotated[str, typer.Argument(help="A text that came in, such as v7.")], site: SiteFolder = HERE
) -> None:
    """Show what somebody texted back. It shows a person; the reason is asked, and the audit tells of it."""
    from pipelines import wishes

    with for_officer(site, Right.UNMASK) as plant:
        words = wishes.read(plant, id, who=officer_name(plant), why=ask.why(f"read {id}"))
    say(safe(words), f"When it is dealt with: dolen close {id}")


def _found(site: Site, name: str) -> list[Finding]:
    """What is amiss with the words of one text, or of all."""
    return [one for one in site.findings if one.file.startswith("texts/") and name in ("", Path(one.file).stem)]


def _cost(signs: int, parts: int, because: str) -> str:
    if not parts:
        return f"{signs} letters"
    why = f", 16-bit because of {because}" if because else ""
    return f"{signs} signs, {parts} part{'' if parts == 1 else 's'}{why}"
