"""What a FHIR server says of itself (its CapabilityStatement) held against what the profile needs of it.

For `dolen doctor` and `dolen interface drift`. A server that says nothing about a point is not taken to lack it: many
statements are shorter than the truth. What it denies, or leaves out of a list that it gives, is named.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connectors.errors import ConnectorError
from connectors.fhir.asking import Asking
from connectors.fhir.documents import TYPE
from connectors.fhir.profile import FhirProfile, FhirRecord
from connectors.logins import open_login, session_of
from connectors.pace import Agree
from connectors.port import Finding
from connectors.quiet import silence_libraries
from connectors.rest.addresses import Addresses
from connectors.settings import RestSettings

_VERSION = "4.0."
_REMEDY = "ask the supplier to switch it on, or take it out of the profile"


def statement(asking: Asking) -> dict[str, Any]:
    """Read the server's CapabilityStatement. Raises `connectors.errors`; {} if what it shows is none."""
    doing = "reading the CapabilityStatement"
    found = asking.listed(asking.get(asking.addresses.below("/metadata"), asking.session.deadline()), doing)
    return found if isinstance(found, dict) and found.get("resourceType") == "CapabilityStatement" else {}


def examined(asking: Asking, profile: FhirProfile) -> list[Finding]:
    """The findings of `doctor`: what the server lacks, or that it lacks nothing."""
    try:
        told = statement(asking)
    except ConnectorError as error:
        return [
            Finding("capabilities", False, error.reason, "ask the supplier for its CapabilityStatement (/metadata)")
        ]
    lacking = list(lacks(told, profile))
    if lacking:
        return [Finding("capabilities", False, words, _REMEDY) for words in lacking]
    return [Finding("capabilities", True, "the server says that it can do what the profile needs")]


def live_lacks(profile: FhirProfile, settings: RestSettings, *, agree: Agree | None = None) -> list[str]:
    """Ask the live server what it can do, and nothing else. Raises `connectors.errors`."""
    silence_libraries()
    session = session_of(settings, agree=agree)
    try:
        told = statement(Asking(session, open_login(settings, session), Addresses(settings.url), None))
    finally:
        session.close()
    return list(lacks(told, profile))


def lacks(told: dict[str, Any], profile: FhirProfile) -> Iterator[str]:
    """What the profile needs and the server's statement denies, one sentence each."""
    if not told:
        yield "what the server shows at /metadata is no CapabilityStatement"
        return
    version = told.get("fhirVersion")
    if not isinstance(version, str) or not version.startswith(_VERSION):
        yield "the server does not say that it speaks FHIR R4 (fhirVersion 4.0.x)"
    resources = {one.get("type"): one for rest in _dicts(told.get("rest")) for one in _dicts(rest.get("resource"))}
    for kind, record in profile.records.items():
        for type in record.types:
            if resources and type not in resources:
                yield f"{kind}: the server says nothing of {type}"
            elif type in resources:
                yield from (f"{kind}: {words}" for words in _of_type(resources[type], type, record))
        if record.documents is not None and resources:
            yield from (f"{kind}: {words}" for words in _of_documents(resources.get(TYPE)))


def _of_type(told: dict[str, Any], type: str, record: FhirRecord) -> Iterator[str]:
    lead, step = record.lead.resource, next(one for one in record.steps if one.resource == type)
    can = {one.get("code") for one in _dicts(told.get("interaction"))}
    needed = {"search-type"} if type == lead or "changes" in record.offers else set()
    needed |= {"create"} if "create" in record.offers and step.once == "create" else set()
    needed |= {"update"} if {"create", "update"} & record.offers else set()
    if type == lead and record.changes is not None and record.changes.deletions == "history":
        needed.add("history-type")
    if can:
        yield from (f"{type} cannot be used by {one}" for one in sorted(needed - can))
    if "create" in record.offers and step.once == "create" and told.get("conditionalCreate") is False:
        other = told.get("conditionalUpdate") is True
        way = "; it can be updated on one: write `once: update` at its step" if other else ""
        yield f"{type} cannot be created on a condition, so that a repeated create would make a second one{way}"
    if "create" in record.offers and step.once == "update" and told.get("conditionalUpdate") is False:
        yield f"{type} cannot be updated on a condition, so that nothing could be made by our key"
    if {"create", "update"} & record.offers and told.get("versioning") == "no-version":
        yield f"{type} has no versions, so that an update could undo a change that nobody saw"
    parameters = {one.get("name") for one in _dicts(told.get("searchParam"))}
    wanted = {"identifier"} if {"find", "create"} & record.offers else set()
    if type == lead:
        wanted |= {name.partition(":")[0] for name in record.query}
    if parameters:
        yield from (f"{type} cannot be searched by {one}" for one in sorted(wanted - parameters) if one[0] != "_")
    brought = told.get("searchInclude")
    if type == lead and isinstance(brought, list) and "*" not in brought:
        ways = [f"{lead}:{refers.search}" for refers in record.lead.refers.values() if refers.search]
        yield from (f"a search for {type} cannot bring along {way}" for way in ways if way not in brought)


def _of_documents(told: dict[str, Any] | None) -> Iterator[str]:
    if told is None:
        yield f"the server says nothing of {TYPE}, by which documents are handed over"
        return
    can = {one.get("code") for one in _dicts(told.get("interaction"))}
    if can:
        yield from (f"{TYPE} cannot be used by {one}" for one in sorted({"create", "search-type"} - can))
    if told.get("conditionalCreate") is False:
        yield f"{TYPE} cannot be created on a condition, so that a repeated create would make a second one"
    parameters = {one.get("name") for one in _dicts(told.get("searchParam"))}
    if parameters and "identifier" not in parameters:
        yield f"{TYPE} cannot be searched by identifier"


def _dicts(told: Any) -> list[dict[str, Any]]:
    return [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
