"""`dolen check`: everything about a site that can be known without asking any system, as findings with file and line.

The rooms find what is wrong in their own terms; here their answers are put together and given their lines. Nothing is
sent, no ledger is made, and a secret that is missing is a warning unless the site is asked to be ready for work.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from collections.abc import Mapping as Dictionary
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.connection import Connection as ConnectionSettings
from config.documents import Document
from config.findings import Finding, Severity, SiteFaults, did_you_mean, in_order, one_of, shown
from config.secrets import references
from config.site import Council, Site
from config.upgrades.upgrade import with_upgrades
from connectors.errors import Misconfigured
from connectors.problems import ProfileFaults
from connectors.push.declared import pushed_kinds
from connectors.registry import Declared, apart, check_profile, check_sound
from mappings.drafting import lacking
from pipelines import (
    alert_checks,
    code_checks,
    composition,
    first_day,
    interface_checks,
    mapping_bench,
    push_checks,
    wire_checks,
)
from pipelines.clock import SystemClock
from pipelines.emptied import about_ours
from pipelines.interface_cache import InterfaceCache, folder_of
from pipelines.library import Library, findings_of
from pipelines.looked_at import LookedAt, everything, of_site
from pipelines.route_checks import routes
from pipelines.text_checks import fields_read, text_routes

if TYPE_CHECKING:
    from connectors.port import Connector

#: Stands for a secret that is not here, so that the rest can be looked at. Every login takes a text of this form.
_STAND_IN = "stand-in-11111111-2222-3333-4444-555555555555-11111111-2222-3333-4444-555555555555"
_ADDRESSES = ("url", "token_url")


def check(
    root: Path, *, live: bool = False, environment: Dictionary[str, str] | None = None, shipped: bool = False
) -> list[Finding]:
    """Check a site; findings in the order of files and lines. `live`: missing secrets are errors, not warnings.

    `shipped`: look at all that is shipped, also what the site does not use.
    """
    try:
        site = composition.load(root)
    except SiteFaults as faults:
        return list(in_order(with_upgrades(root, faults.findings)))
    library = Library(site.layers)
    interfaces = interface_checks.Interfaces(site, InterfaceCache(folder_of(os.environ)))
    found = [*site.findings, *_secrets(site, environment, live=live), *alert_checks.check(site)]
    look = everything(site, library) if shipped else of_site(site, library)
    found += _profiles(look, library)
    found += code_checks.code_lists(site, library, look)
    found += library.own_converters().findings
    found += _mappings(site, library, look)
    found += interface_checks.check(site, library, interfaces, look)
    for council in site.councils.values():
        found += _council(site, council, library, interfaces, environment)
    found += first_day.check(site, environment)
    found += wire_checks.check(site, environment)
    return list(in_order(with_upgrades(root, found)))


def _secrets(site: Site, environment: Dictionary[str, str] | None, *, live: bool) -> Iterator[Finding]:
    for one in site.missing_secrets(environment):
        severity = one.severity if live else Severity.WARNING
        yield Finding(one.file, one.line, one.column, one.key, one.found, one.expected, one.remedy, severity)


def _profiles(look: LookedAt, library: Library) -> Iterator[Finding]:
    """Validate each profile: a site's own may be waiting for its first connection."""
    for name in look.profiles:
        try:
            document = library.document("profiles", name)
            check_profile(document.data if isinstance(document.data, dict) else {})
        except SiteFaults as faults:
            yield from faults.findings
        except ProfileFaults as faults:
            yield from findings_of(document, faults.problems)


def _mappings(site: Site, library: Library, look: LookedAt) -> Iterator[Finding]:
    """Compile each mapping and try it against its golden pairs."""
    for tried in mapping_bench.try_all(site, library, look.mappings):
        yield from tried.findings
        yield from mapping_bench.real_people(library, tried.mapping)
        for one in tried.differences:
            yield Finding(
                mapping_bench.pair_file(library, tried.mapping, one.pair), 0, 0, f"{one.direction} {one.path}",
                *_words(one), f"correct {tried.file}, or the pair if the mapping is right",
            )  # fmt: skip


def _words(one: Any) -> tuple[str, str]:
    """What a mapping gave and what its golden pair says, masked as the pair says it."""
    expected, _, got = str(one).rpartition(": expected ")[2].rpartition(", got ")
    return got, expected


def _council(
    site: Site,
    council: Council,
    library: Library,
    interfaces: interface_checks.Interfaces,
    environment: Dictionary[str, str] | None,
) -> Iterator[Finding]:
    read: dict[str, set[str]] | None = None
    try:
        wired = composition.wire(site, council, library, clock=SystemClock(), environment=environment).wired
    except SiteFaults as faults:
        yield from faults.findings
    else:
        read = {name: fields_read(one) for name, one in wired.items()}
    opened: dict[str, Connector | Declared] = {}
    try:
        for name, connection in council.settings.connections.items():
            try:
                profile = composition.profile_of(library, connection)
            except SiteFaults:
                continue  # told where the profile is checked
            found, connector = _opened(
                site, council.document, name, connection, profile, library, interfaces, environment
            )
            yield from found
            if connector is not None:
                opened[name] = connector
                yield from _kinds(council, name, connection, profile, connector, library)
                yield from push_checks.pushes(site, council, name, connection, profile)
        yield from routes(council, opened, scanner=site.settings.scanner is not None)
        if read is not None:
            yield from text_routes(site, council, library, read)
    finally:
        for connector in opened.values():
            if not isinstance(connector, Declared):
                connector.close()


def _opened(
    site: Site,
    document: Document,
    name: str,
    connection: ConnectionSettings,
    profile: Dictionary[str, Any],
    library: Library,
    interfaces: interface_checks.Interfaces,
    environment: Dictionary[str, str] | None,
) -> tuple[list[Finding], Connector | Declared | None]:
    """Build a connection's connector, or try its parts, as the interface of a profile is looked at once."""
    at = ("connections", name, "connect")
    secret = _secret(site, connection, environment)
    try:
        if apart(profile):
            interfaces.fit(profile)
            return [], check_sound(profile, connection.connect, secret=secret)
        return [], composition.opener(site, connection, profile, clock=SystemClock(), secret=secret)()
    except ProfileFaults as faults:
        if faults.what != "the connection's settings":
            return [], None  # told where the profile is checked
        return findings_of(document, faults.problems, at), None
    except Misconfigured as fault:
        return [_misconfigured(fault, library.document("profiles", connection.profile), document, at)], None


def _misconfigured(fault: Misconfigured, profile: Document, council: Document, at: tuple[str, ...]) -> Finding:
    """Find the line that a connector's sentence is about: a key of the profile, a setting, else the interface."""
    words, _, remedy = fault.reason.rpartition(": ")
    first = fault.reason.partition(": ")[0]
    path = tuple(first.split("."))
    expected = "what the pinned interface and the connector can work with"
    if path in profile.places:
        words = words.removeprefix(first).lstrip(": ") or fault.reason
        return profile.finding(path, found=words, expected=expected, remedy=remedy)
    if first.split(" ")[0] in ("url", "login"):
        place = (*at, first.split(" ")[0])
        return council.finding(place, found=words or fault.reason, expected="a setting that can work", remedy=remedy)
    key = ("interface",) if ("interface",) in profile.places else ("protocol",)
    return profile.finding(key, found=words or fault.reason, expected=expected, remedy=remedy)


def _secret(
    site: Site, connection: ConnectionSettings, environment: Dictionary[str, str] | None
) -> Callable[[str], str]:
    """Resolve references as the running site does, with a stand-in for what is missing (told elsewhere)."""
    keys = {reference: path[-1] for path, reference in references(connection.connect)}

    def secret(reference: str) -> str:
        try:
            return site.secret(reference, environment)
        except ValueError:
            key = keys.get(reference)
            if key == "ca_bundle":
                return __file__  # any file: what is in it is not looked at before the first call
            return "https://stand-in.invalid/" if key in (*_ADDRESSES, "proxy") else _STAND_IN

    return secret


def _kinds(
    council: Council,
    name: str,
    connection: ConnectionSettings,
    profile: Dictionary[str, Any],
    connector: Connector | Declared,
    library: Library,
) -> Iterator[Finding]:
    """A connection's kinds of record against its profile and their mappings."""
    at = ("connections", name)
    pushed = pushed_kinds(profile, connection.connect)
    for kind, use in connection.records.items():
        if kind not in connector.kinds():
            yield council.document.finding(
                (*at, "records", kind),
                found=f"{shown(kind)}, a kind of record that the profile {connection.profile} does not have",
                expected=one_of(connector.kinds()),
                remedy=did_you_mean(kind, connector.kinds()) or "write it as the profile does",
            )
            continue
        zone = str(profile.get("clock") or council.settings.council.time_zone)
        try:
            mapping = library.mapping(use.mapping, zone)
        except SiteFaults:
            continue  # told where the mapping is compiled
        if mapping.record != kind:
            yield council.document.finding(
                (*at, "records", kind, "mapping"),
                found=f"a mapping of {mapping.record} for the records {kind}",
                expected=f"a mapping with `record: {kind}`",
                remedy="name another mapping, or correct its `record`",
            )
        elif mapping.system != profile.get("system") and profile.get("protocol") != "by-hand":
            yield council.document.finding(
                (*at, "records", kind, "mapping"),
                found=f"a mapping for the system {mapping.system}",
                expected=f"a mapping for {profile.get('system')}, which the profile speaks to",
                remedy="name another mapping, or correct its `system`",
            )
        comes = "changes" in connector.offers(kind) or kind in pushed
        if comes and kind not in about_ours(profile):
            there = {ours for row in mapping.terms if row.reads for ours in row.ours}
            for ours in lacking(there):
                yield council.document.finding(
                    (*at, "records", kind, "mapping"),
                    found=f"the mapping {use.mapping}, which has no row in force that reads `{ours}`",
                    expected=f"a value for `{ours}` in every record: without it none can be taken in",
                    remedy=f"add a row with `ours: {ours}` to the mapping, or put its guess in force",
                )
    if connection.schedule is not None and not any(
        "changes" in connector.offers(kind) for kind in connection.records if kind in connector.kinds()
    ):
        yield council.document.finding(
            (*at, "schedule"),
            found="a schedule for a system whose changes cannot be read",
            expected="a profile with `changes` for one of its records",
            remedy="take the schedule out, or add `changes` to the profile",
        )
