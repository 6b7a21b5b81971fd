"""The letter of questions for a connection's supplier: what the site's files say, put to `connectors.questions`.

Nothing is called and no secret is resolved; a letter may be written from a profile alone, before there is a connection.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from config.connection import Connection
from config.site import Council, Site
from connectors.questions import Known, Question, Topic, questions, taken_for_true
from pipelines import composition
from pipelines.library import Library


class Unasked(Exception):
    """There is nobody to ask, or nothing of that name; the words say what to write instead."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What is asked of one supplier."""

    system: str
    council: str  # its English name, "" where the letter is from a profile alone
    asked_by: str  # the team that owns the connection, with its telephone number
    supplier: str  # how the supplier is reached
    taken: list[tuple[str, str]]  # key of the profile, and what it takes for true
    asked: list[Question]

    def as_data(self) -> dict[str, object]:
        """For a script."""
        return {
            "system": self.system,
            "council": self.council,
            "taken_for_true": [{"place": place, "says": words} for place, words in self.taken],
            "questions": [
                {
                    "topic": one.topic.value, "kind": one.kind, "ask": one.ask, "why": one.why,
                    "without": one.without, "place": one.place,
                }
                for one in self.asked
            ],
        }  # fmt: skip

    def as_markdown(self) -> str:
        """For an email or a print."""
        sender = self.council or "Our council"
        lines = [
            f"# Questions about the interface of {self.system}",
            "",
            f"{sender} connects {self.system} with other systems through Dolen, which carries referrals between them. "
            "Below is what we could not learn from the interface's description. Each question says why it matters to "
            "the people whose referrals are carried, and what Dolen does as long as it has no answer. \"Not known\" is "
            "an answer that helps, too.",
            "",
        ]  # fmt: skip
        if self.asked_by:
            lines += [f"Please answer to: {self.asked_by}.", ""]
        if self.taken:
            lines += ["## Please confirm", "", "We take this for true. Please correct what is not.", ""]
            lines += [f"- {words}" for _, words in self.taken] + [""]
        number = 0
        for topic in Topic:
            under = [one for one in self.asked if one.topic is topic]
            if not under:
                continue
            lines += [f"## {topic.value}", ""]
            for one in under:
                number += 1
                lines += [
                    f"{number}. **{one.ask}**",
                    f"   - Why it matters: {one.why}",
                    f"   - Without an answer: {one.without}",
                    "   - Your answer:",
                    "",
                ]
        return "\n".join(lines).rstrip() + "\n"


def letter(folder: Path, name: str, council: str = "") -> Letter:
    """The letter for a connection, COUNCIL/NAME or NAME, or else for a profile of that name.

    Raises Unasked, and SiteFaults for files that cannot be read.
    """
    site = composition.load(folder)
    library = Library(site.layers)
    wanted, _, inner = name.rpartition("/")
    code = wanted or council
    of = [one for one in site.councils.values() if code in ("", one.settings.council.code)]
    found = [(one, one.settings.connections[inner]) for one in of if inner in one.settings.connections]
    if len(found) > 1:
        codes = ", ".join(f"{one.settings.council.code}/{inner}" for one, _ in found)
        raise Unasked(f"several connections have that name: write one of {codes}")
    profile = found[0][1].profile if found else name
    if profile not in library.layers.names("profiles"):
        raise Unasked(_none(site, library))
    data = library.document("profiles", profile).data
    known = _known(data, found[0][1] if found else None)
    asked = questions(known)
    if not asked:
        raise Unasked(f"the profile {profile} has no supplier whom one could ask")
    return _letter(known, asked, *(found[0] if found else (None, None)))


def _known(profile: dict[str, object], connection: Connection | None) -> Known:
    if connection is None:
        return Known(profile)
    set_here = "settle_seconds" in connection.model_fields_set
    return Known(
        profile,
        connection.connect,
        maintenance=bool(connection.maintenance),
        settle_seconds=connection.settle_seconds if set_here else None,
    )


def _letter(known: Known, asked: list[Question], council: Council | None, connection: Connection | None) -> Letter:
    owner = connection.owner if connection is not None else None
    reached = [owner.name, owner.phone, owner.email] if owner is not None else []
    return Letter(
        system=str(known.profile.get("system", "")),
        council=council.settings.council.name.en if council is not None else "",
        asked_by=", ".join(part for part in reached if part),
        supplier=connection.supplier if connection is not None else "",
        taken=taken_for_true(known),
        asked=asked,
    )


def _none(site: Site, library: Library) -> str:
    there = sorted(
        f"{one.settings.council.code}/{name}" for one in site.councils.values() for name in one.settings.connections
    )
    profiles = ", ".join(sorted(library.layers.names("profiles")))
    return f"no connection and no profile has that name: write one of {', '.join(there) or 'none'}; {profiles}"
