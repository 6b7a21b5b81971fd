"""Which code speaks which protocol. The one list of families; everything else is derived from it.

A family's code is imported when it is first asked for: zeep and the OpenAPI reader are heavy, and most commands open no
connection at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Any, cast

from pydantic import BaseModel

from connectors import family
from connectors.documents import DOCUMENT
from connectors.errors import Misconfigured
from connectors.family import Family
from connectors.known import Known
from connectors.pace import Agree
from connectors.port import Connector
from connectors.problems import Problem, ProfileFaults, checked
from connectors.spool import Spool

#: The families that are shipped. What packages bring is found by `family_of`.
FAMILIES: Mapping[str, Family] = {
    "soap": Family(
        "connectors.soap.profile:SoapProfile",
        "connectors.settings:SoapSettings",
        "connectors.soap.connector:SoapConnector",
        "connectors.soap.neutral:interfaces_of",
        fits="connectors.soap.push:fits",
        rereads=True,
        sound="connectors.sound:soap",
    ),
    "rest": Family(
        "connectors.rest.profile:RestProfile",
        "connectors.settings:RestSettings",
        "connectors.rest.connector:RestConnector",
        "connectors.rest.neutral:interfaces_of",
        fits="connectors.rest.neutral:fits",
        rereads=True,
        sound="connectors.sound:rest",
        spools=True,
    ),
    "fhir": Family(
        "connectors.fhir.profile:FhirProfile",
        "connectors.settings:RestSettings",
        "connectors.fhir.connector:FhirConnector",
        "connectors.fhir.neutral:interfaces_of",
        fits="connectors.fhir.neutral:fits",
        sound="connectors.sound:rest",
        lacks="connectors.fhir.capability:live_lacks",
    ),
    "bars": Family(
        "connectors.bars.profile:BarsProfile",
        "connectors.bars.profile:BarsSettings",
        "connectors.bars.connector:BarsConnector",
        "connectors.bars.neutral:interfaces_of",
        fits="connectors.bars.neutral:fits",
    ),
    "files": Family(
        "connectors.files.profile:FilesProfile",
        "connectors.files.settings:FilesSettings",
        "connectors.files.connector:FilesConnector",
        "connectors.files.neutral:interfaces_of",
    ),
    "sql": Family(
        "connectors.sql.profile:SqlProfile",
        "connectors.sql.settings:SqlSettings",
        "connectors.sql.connector:SqlConnector",
        "connectors.sql.neutral:interfaces_of",
    ),
    "open-referral": Family(
        "connectors.open_referral:DirectoryProfile",
        "connectors.open_referral:DirectorySettings",
        "connectors.open_referral:DirectoryConnector",
        "connectors.open_referral:interfaces_of",
    ),
    "notify": Family(
        "connectors.notify.profile:NotifyProfile",
        "connectors.notify.profile:NotifySettings",
        "connectors.notify.connector:NotifyConnector",
        "connectors.notify.neutral:interfaces_of",
    ),
    "mesh": Family(
        "connectors.mesh.profile:MeshProfile",
        "connectors.mesh.settings:MeshSettings",
        "connectors.mesh.connector:MeshConnector",
        "connectors.mesh.neutral:interfaces_of",
    ),
    "open311": Family(
        "connectors.open311.profile:Open311Profile",
        "connectors.open311.profile:Open311Settings",
        "connectors.open311.connector:Open311Connector",
        "connectors.open311.neutral:interfaces_of",
    ),
    "web-form": Family(
        "connectors.web_form:WebFormProfile",
        "connectors.web_form:WebFormSettings",
        "connectors.web_form:WebFormConnector",
        "connectors.web_form:interfaces_of",
    ),
    "by-hand": Family(
        "connectors.by_hand:ByHandProfile",
        "connectors.by_hand:ByHandSettings",
        "connectors.by_hand:ByHandConnector",
        "connectors.by_hand_form:interfaces_of",
    ),
    "smtp": Family(
        "connectors.plain_email:MailProfile",
        "connectors.plain_email:MailSettings",
        "connectors.plain_email:MailConnector",
        "connectors.plain_email:interfaces_of",
    ),
    "email": Family(
        "connectors.secure_email:EmailProfile",
        "connectors.secure_email:EmailSettings",
        "connectors.secure_email:EmailConnector",
        "connectors.by_hand_form:interfaces_of",
    ),
}


def profile_model(protocol: str) -> type[BaseModel]:
    """Return the closed schema of a family's profiles. Raises Misconfigured for a protocol that is not known."""
    return cast(type[BaseModel], _named(_family(protocol).profile))


def settings_model(protocol: str) -> type[BaseModel]:
    """Return the closed schema of a family's connection settings. Raises Misconfigured."""
    return cast(type[BaseModel], _named(_family(protocol).settings))


def check_profile(profile: Mapping[str, Any]) -> BaseModel:
    """Validate a profile. Raises ProfileFaults with every problem and its path."""
    return cast(BaseModel, checked(profile_model(_protocol(profile)), profile, _title(profile)))


def check_settings(protocol: str, connect: Mapping[str, Any], *, secret: Callable[[str], str]) -> BaseModel:
    """Validate the settings of a connection, references resolved. Raises ProfileFaults, or what `secret` raises."""
    return cast(BaseModel, checked(settings_model(protocol), connect, "the connection's settings", secret=secret))


def open_connector(
    profile: Mapping[str, Any],
    connect: Mapping[str, Any],
    *,
    interfaces: Callable[[str], bytes],
    clock: Callable[[], datetime],
    secret: Callable[[str], str],
    agree: Agree | None = None,
    spool: Spool | None = None,
    known: Known | None = None,
) -> Connector:
    """Build the connector of one connection. Nothing is sent.

    `interfaces` gives the bytes of a pinned file by its name in the profile, `clock` the time with its zone, `secret`
    what a reference such as env:NAME stands for, `agree` reserves turns where other processes call
    the same system, `known` tells which records are linked, for a feed that reads those again, and `spool` is the
    connection's own place on this machine's disk. Raises ProfileFaults (a Misconfigured) with every problem.
    """
    checked_profile = check_profile(profile)
    protocol = _protocol(profile)
    settings = check_settings(protocol, connect, secret=secret)
    family = _family(protocol)
    handed: dict[str, Any] = {"clock": clock, "agree": agree}
    handed |= {"spool": spool} if family.spools else {}
    handed |= {"known": known} if family.rereads else {}
    return cast(Connector, _named(family.connector)(checked_profile, settings, interfaces, **handed))


def interfaces_of(profile: Mapping[str, Any], *, interfaces: Callable[[str], bytes]) -> list[dict[str, Any]]:
    """What each kind of record looks like to its system, as plain data with the keys of `mappings.interface.Interface`.

    Read from the pinned files alone: no settings, no secret, no call. A use that the profile does not offer, or of
    which nothing can be said, is None. Raises ProfileFaults, and Misconfigured for an interface that cannot be read.
    """
    checked_profile = check_profile(profile)
    made = _named(_family(_protocol(profile)).neutral)(checked_profile, interfaces)
    return cast(list[dict[str, Any]], made)


def says_what_it_can(profile: Mapping[str, Any]) -> bool:
    """Whether systems of this family tell what they can do, instead of showing an interface that could be pinned."""
    return bool(_family(_protocol(profile)).lacks)


def lacking(
    profile: Mapping[str, Any],
    connect: Mapping[str, Any],
    *,
    secret: Callable[[str], str],
    agree: Agree | None = None,
) -> list[str]:
    """Ask a live system that `says_what_it_can`: what the profile needs and the system denies, one sentence each.

    Raises ProfileFaults, and whatever a call raises: Unreachable, Unauthorised, Unknown, Throttled, Misconfigured.
    """
    checked_profile, protocol = check_profile(profile), _protocol(profile)
    settings = check_settings(protocol, connect, secret=secret)
    return cast(list[str], _named(_family(protocol).lacks)(checked_profile, settings, agree=agree))


@dataclass(frozen=True, slots=True)
class Declared:
    """What a profile declares of its kinds of record. Nothing can be called through it."""

    declared: Mapping[str, frozenset[str]]

    def kinds(self) -> tuple[str, ...]:
        """See `connectors.port.Connector`."""
        return tuple(kind for kind in self.declared if kind != DOCUMENT)

    def offers(self, kind: str) -> frozenset[str]:
        """See `connectors.port.Connector`."""
        return self.declared.get(kind, frozenset()) if kind == DOCUMENT else self.declared[kind]


def declared(profile: Mapping[str, Any]) -> Declared:
    """What a profile declares of its kinds; its connector is not loaded. Raises ProfileFaults.

    Each kind's section says by itself what it `offers`, or the profile does where that is in the kind's name: what a
    family calls its sections is its own business. Raises Misconfigured for a package's family that says neither: then
    its connector is to be asked.
    """
    checked_profile: Any = check_profile(profile)
    by_name = getattr(checked_profile, "offers_of", None)
    found: dict[str, frozenset[str]] = {}
    for kind, record in getattr(checked_profile, "records", {}).items():
        told = by_name(kind) if by_name is not None else getattr(record, "offers", None)
        if told is None:
            raise Misconfigured(f"{_title(profile)} does not say by itself what it offers for {kind}")
        found[str(kind)] = told
    return Declared(found)


def could_be_read(profile: Mapping[str, Any]) -> frozenset[str]:
    """The kinds for which the profile could have `changes` and has none. Raises ProfileFaults."""
    checked_profile: Any = check_profile(profile)
    return frozenset(
        kind
        for kind, record in getattr(checked_profile, "records", {}).items()
        if getattr(record, "changes", "unknown") is None
    )


def apart(profile: Mapping[str, Any]) -> bool:
    """Whether a profile and a connection's settings can be tried apart: its family reads a pinned interface."""
    return bool(_family(_protocol(profile)).sound)


def check_fit(profile: Mapping[str, Any], *, interfaces: Callable[[str], bytes]) -> None:
    """Hold a profile against its pinned interface. Raises ProfileFaults, and Misconfigured naming what is not there."""
    checked_profile = check_profile(profile)
    if place := _family(_protocol(profile)).fits:
        _named(place)(checked_profile, interfaces)


def check_sound(
    profile: Mapping[str, Any],
    connect: Mapping[str, Any],
    *,
    secret: Callable[[str], str],
) -> Declared:
    """Try the settings of a connection without its interface, for a profile whose parts are `apart`. Nothing is sent.

    Raises ProfileFaults (a Misconfigured) with every problem, and Misconfigured.
    """
    checked_profile: Any = check_profile(profile)
    protocol = _protocol(profile)
    _named(_family(protocol).sound)(checked_profile, check_settings(protocol, connect, secret=secret))
    declared = {kind: record.offers for kind, record in checked_profile.records.items()}
    documents = [
        told.offers for record in checked_profile.records.values() if (told := getattr(record, "documents", None))
    ]
    return Declared({**declared, **({DOCUMENT: frozenset[str]().union(*documents)} if documents else {})})


def protocols() -> tuple[str, ...]:
    """Every protocol that a profile may write: those that are shipped, and those that installed packages bring."""
    return (*FAMILIES, *(name for name in sorted(family.installed()) if name not in FAMILIES))


def family_of(protocol: str) -> Family | None:
    """The family of a protocol, None if there is none. Raises Misconfigured for a package that cannot be loaded."""
    return FAMILIES.get(protocol) or family.load(protocol)


def _protocol(profile: Mapping[str, Any]) -> str:
    protocol = profile.get("protocol")
    if not isinstance(protocol, str) or family_of(protocol) is None:
        known = f"write one of {', '.join(protocols())}"
        raise ProfileFaults(_title(profile), [Problem(("protocol",), "is missing or not known", known)])
    return protocol


def _family(protocol: str) -> Family:
    found = family_of(protocol)
    if found is None:
        raise Misconfigured(f"there is no protocol {protocol}: write one of {', '.join(protocols())}")
    return found


def _title(profile: Mapping[str, Any]) -> str:
    system = profile.get("system")
    return f"the profile of {system}" if isinstance(system, str) else "the profile"


def _named(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
