"""Every mapping of a site, compiled with the zone it is used in, beside the interface of the system that it is for.

What a report on mappings works on. Nothing is called: interfaces are read from the pinned files.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field

from config.findings import Finding, SiteFaults
from config.site import Site
from connectors.errors import Misconfigured
from connectors.registry import interfaces_of
from mappings.interface import Interface, interface_of
from mappings.mapping import Mapping
from pipelines.library import Library
from pipelines.mapping_bench import ZONE, zones_of

_NO_PROFILE = "no profile of the site or among the shipped ones is of its system"
_SAYS_NOTHING = "its profile names no interface that says what a record looks like"


@dataclass(frozen=True, slots=True)
class Mapped:
    """One mapping of a site. `mapping` is None where it cannot be compiled, and `findings` say why.

    `interface` is None where nothing says what a record looks like, and `unknown` says why.
    """

    name: str
    file: str
    mapping: Mapping | None = field(default=None, repr=False)
    interface: Interface | None = field(default=None, repr=False)
    unknown: str = ""
    findings: tuple[Finding, ...] = ()


def mapped(site: Site, library: Library, name: str = "") -> Iterator[Mapped]:
    """The mapping of that name, or all of them, the site's own and the shipped ones, in the order of their names."""
    zones, interfaces = zones_of(site, library), _Interfaces(site, library)
    for one in site.layers.names("mappings"):
        if name in ("", one):
            yield _mapped(library, one, zones, interfaces)


def _mapped(library: Library, name: str, zones: Dictionary[str, str], interfaces: _Interfaces) -> Mapped:
    file = library.called("mappings", name)
    try:
        data = library.document("mappings", name).data
        system = data.get("system") or data.get("extends", "").partition("/")[0] if isinstance(data, dict) else ""
        mapping = library.mapping(name, zones.get(name) or zones.get(f"system {system}") or ZONE)
    except SiteFaults as faults:
        return Mapped(name, file, findings=faults.findings)
    interface, unknown = interfaces.of(name, mapping)
    return Mapped(name, file, mapping, interface, unknown)


class _Interfaces:
    """The interfaces of the profiles, each file read once."""

    def __init__(self, site: Site, library: Library) -> None:
        self._library = library
        self._used: dict[str, tuple[str, str]] = {}  # mapping -> the profile and the kind that a council uses it for
        self._read: dict[str, dict[str, Interface] | str] = {}
        for council in site.councils.values():
            for connection in council.settings.connections.values():
                for kind, use in connection.records.items():
                    self._used.setdefault(use.mapping, (connection.profile, kind))

    def of(self, name: str, mapping: Mapping) -> tuple[Interface | None, str]:
        """The interface of a mapping, or None and the reason."""
        profile, kind = self._used.get(name) or (self._profile_of(mapping.system), mapping.record)
        if not profile:
            return None, _NO_PROFILE
        if profile not in self._read:
            self._read[profile] = self._interfaces(profile)
        read = self._read[profile]
        if isinstance(read, str):
            return None, read
        found = read.get(kind)
        if found is None or not (found.read or found.create or found.update):
            return None, _SAYS_NOTHING
        return found, ""

    def _profile_of(self, system: str) -> str:
        for name in self._library.layers.names("profiles"):
            try:
                data = self._library.document("profiles", name).data
            except SiteFaults:
                continue  # told where the profile is checked
            if isinstance(data, dict) and data.get("system") == system:
                return name
        return ""

    def _interfaces(self, profile: str) -> dict[str, Interface] | str:
        """The interfaces of a profile by kind, or in one sentence why there are none."""
        try:
            data = self._library.document("profiles", profile).data
            read = interfaces_of(data, interfaces=lambda name: self._library.layers.read("interfaces", name))
        except Misconfigured as fault:
            return fault.reason
        except (SiteFaults, LookupError):
            return f"the profile {profile} cannot be used; `dolen check` says why"
        return {one.kind: one for one in map(interface_of, read)}
