"""What must hold for a route that tells people: conditions of its rows, words for its service, a place for each wish.

Whether somebody wants news, in which language, and which number is theirs must come from somewhere: from a mapping of
one of the council's connections, or from the place that the council's file names.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as Dictionary

from config.findings import Finding, did_you_mean, one_of, shown
from config.routes import Route
from config.site import Council, Site
from pipelines.composition import profile_of
from pipelines.library import Library
from pipelines.plant import Wired
from pipelines.register import PLACES, REGISTER

#: By whom is told: what must have a place, and the fields of which one at least must be read somewhere.
#: In which language a referrer reads need not be known: they get both.
_WANTED = {
    "person": (
        ("opt_in", "whether they want news", PLACES["opt_in"]),
        ("language", "in which language", PLACES["language"]),
        ("safe_number", "which number is safe to text", PLACES["safe_number"]),
    ),
    "referrer": (
        ("referrer", "whether the referrer wants news", ("referrer.wants_updates",)),
        (
            "referrer",
            "whether the person agreed that the referrer hears",
            ("referrer.person_agrees", "referrer.agreement_waiver.by"),
        ),
    ),
}


def text_routes(site: Site, council: Council, library: Library, read: Dictionary[str, set[str]]) -> Iterator[Finding]:
    """Check the routes of a council that tell people. `read`: connection -> the fields that its mappings read."""
    telling = [(at, route) for at, route in enumerate(council.settings.routes) if route.text]
    for at, route in telling:
        yield from _words(site, council, library, at, route)
    places = council.settings.preferences.model_dump()
    for what, place in places.items():
        if place is not None and place != REGISTER and place not in council.settings.connections:
            known = [*council.settings.connections, REGISTER]
            yield council.document.finding(
                ("preferences", what),
                found=f"the unknown connection {shown(place)}",
                expected=one_of(known),
                remedy=did_you_mean(place, known) or "write one of these",
            )
        elif place is not None and place != REGISTER and not read.get(place, set()) & set(PLACES[what]):
            yield council.document.finding(
                ("preferences", what),
                found=f"{shown(place)}, whose mapping reads no such field",
                expected=f"a connection whose mapping reads {one_of(PLACES[what])}, or `register`",
                remedy=f"map the field there, or write `{what}: register`",
            )
    everywhere = set().union(*read.values()) if read else set()
    for at, route in telling:
        among = {"person" if row.who == "person" else "referrer" for row in route.recipients}
        for what, about, fields in (one for who in sorted(among) for one in _WANTED[who]):
            if places[what] is None and not everywhere & set(fields):
                yield council.document.finding(
                    ("routes", at, "recipients"),
                    found=f"no connection that says {about}",
                    expected="a place where it is kept",
                    remedy=f"map {fields[0]} where a system has it, or add `preferences: {{{what}: register}}`",
                )


def _words(site: Site, council: Council, library: Library, at: int, route: Route) -> Iterator[Finding]:
    """A service that sends by templates needs their ids, and texts that it can send."""
    target = council.settings.connections.get(route.to)
    if target is None:
        return
    profile = profile_of(library, target)
    by_template = profile.get("protocol") != "smtp"
    for name in route.all_texts:
        text = site.texts.get(name)
        if text is None:
            continue
        lacking = [status for status, said in text.statuses.items() if said.template is None]
        document = site.text_documents[name]
        if by_template and lacking:
            yield document.finding(
                ("statuses", lacking[0]),
                found="no `template`",
                expected=f"the templates' ids, because {shown(route.to)} of {council.code} sends by them",
                remedy="make the templates in the service and copy their ids",
            )
        if not by_template and text.channel != "email":
            yield council.document.finding(
                ("routes", at, "to"),
                found=f"{shown(route.to)}, which sends emails alone, for the text {shown(name)}",
                expected="texts with `channel: email`",
                remedy="name such a text, or another connection",
            )


def fields_read(wired: Wired) -> set[str]:
    """The fields of a referral that a connection's mappings read."""
    return {row.ours for kind in wired.kinds.values() for row in kind.mapping.rows if row.direction != "write"}


def paths_of_rows(route: Route) -> Iterator[tuple[tuple[str | int, ...], str, list[str | bool | None]]]:
    """Each condition of a route's rows: where it stands, its field, its codes."""
    for row, hears in enumerate(route.recipients):
        for path, codes in hears.when.items():
            yield ("recipients", row, "when", path), path, codes
