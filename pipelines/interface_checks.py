"""Mappings held against their systems' own interfaces: which profile each is used with, and what does not fit (G9).

A mapping that no council uses is held against every profile of its system. What an interface says is asked once and
kept (`pipelines.interface_cache`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Mapping as Dictionary
from typing import Any

from config.findings import Finding, Severity, SiteFaults
from config.site import Site
from connectors.errors import Misconfigured
from connectors.registry import check_fit, interfaces_of
from mappings import fitting
from mappings.interface import Interface, interface_of
from mappings.overlay import resolve
from pipelines import composition, mapping_bench
from pipelines.interface_cache import InterfaceCache
from pipelines.library import Library
from pipelines.looked_at import LookedAt

Read = Callable[[str], bytes]


class Interfaces:
    """What the profiles of a site say of their systems' records. Raises what the connectors raise."""

    def __init__(self, site: Site, cache: InterfaceCache) -> None:
        self._site = site
        self._cache = cache

    def reader(self, profile: Dictionary[str, Any]) -> Read:
        """Gives the bytes of a pinned file of a profile. Calling it raises Misconfigured."""
        return composition.interface_reader(self._site, profile)

    def of(self, profile: Dictionary[str, Any]) -> dict[str, Interface]:
        """The interface of each kind. Raises Misconfigured."""
        read = self.reader(profile)

        def ask(reading: Read) -> list[dict[str, Any]]:
            return interfaces_of(profile, interfaces=reading)

        plain = self._cache.answer("interfaces", profile, read, ask)
        return {one["kind"]: interface_of(one) for one in plain}

    def fit(self, profile: Dictionary[str, Any]) -> None:
        """Hold a profile against its interface. Raises ProfileFaults, Misconfigured."""

        def ask(reading: Read) -> bool:
            check_fit(profile, interfaces=reading)
            return True

        self._cache.answer("fit", profile, self.reader(profile), ask)


def check(site: Site, library: Library, interfaces: Interfaces, look: LookedAt) -> Iterator[Finding]:
    """Hold each mapping that compiles against the interfaces that it is used with."""
    told: dict[str, dict[str, Interface]] = {}
    for name, profile_name in sorted(_used(site, library, look)):
        profile = library.document("profiles", profile_name).data
        if profile_name not in told:
            told[profile_name] = {}
            try:
                told[profile_name] = interfaces.of(profile)
            except Misconfigured as fault:
                yield from _unread(library, interfaces, profile_name, fault)
        clock = profile.get("clock")
        try:
            library.mapping(name, str(clock or mapping_bench.ZONE))
        except SiteFaults:
            continue  # told where the mapping is compiled
        resolved = resolve(name, library.load)
        interface = told[profile_name].get(str(resolved.head.get("record")))
        meant = resolved.head.get("system") == profile.get("system") or profile.get("protocol") == "by-hand"
        if interface is not None and meant:  # else told where the connection names it
            found = fitting.check(resolved, interface, library.code_list, str(clock) if clock else None)
            yield from (_finding(library, one) for one in found)


def _used(site: Site, library: Library, look: LookedAt) -> set[tuple[str, str]]:
    """Each mapping with each profile that it is used with, or might be."""
    pairs: set[tuple[str, str]] = set()
    used: set[str] = set()
    for council in site.councils.values():
        for connection in council.settings.connections.values():
            for use in connection.records.values():
                used.add(use.mapping)
                pairs.add((use.mapping, connection.profile))
    systems = dict(_systems(site, library))
    for name in set(look.mappings) - used:
        try:
            system = resolve(name, library.load).head.get("system")
        except SiteFaults:
            continue  # told where the mapping is compiled
        pairs |= {(name, profile) for profile, speaks_to in systems.items() if speaks_to == system}
    return {(name, profile) for name, profile in pairs if profile in systems}


def _systems(site: Site, library: Library) -> Iterator[tuple[str, str]]:
    for name in site.layers.names("profiles"):
        try:
            data = library.document("profiles", name).data
        except SiteFaults:
            continue  # told where the profile is checked
        if isinstance(data, dict) and isinstance(data.get("system"), str) and isinstance(data.get("protocol"), str):
            yield name, data["system"]


def _unread(library: Library, interfaces: Interfaces, name: str, fault: Misconfigured) -> Iterator[Finding]:
    """An interface that its connector can work with, and that cannot be turned into the neutral form all the same."""
    document = library.document("profiles", name)
    try:
        interfaces.fit(document.data)
    except Misconfigured:
        return  # told where the connection is opened
    yield document.finding(
        ("interface",), found=f"an interface against which no mapping can be checked: {fault.reason}",
        expected="one that can be read whole", remedy="pin the part that is used, or the supplier's file anew",
        severity=Severity.WARNING,
    )  # fmt: skip


def _finding(library: Library, misfit: fitting.Misfit) -> Finding:
    severity = Severity.WARNING if misfit.warn else Severity.ERROR
    if misfit.code_list:
        file = library.called("codes", misfit.code_list)
        remedy = misfit.remedy[:1].lower() + misfit.remedy[1:].removesuffix(".")
        return Finding(file, misfit.line, 1, "theirs", misfit.found, misfit.expected, remedy, severity)
    return library.locate(misfit.file, misfit.path, misfit.found, misfit.expected, misfit.remedy, warn=misfit.warn)
