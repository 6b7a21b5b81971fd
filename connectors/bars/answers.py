"""What a `servicerequest-response` says became of a referral that was sent, and which referral it means.

Receivers do it in two ways. Some put the ServiceRequest itself into focus, with its new status. Others send it back as
it was and put their own Encounter into focus, whose status and reason are the answer (BaRS, application 6). The message
that is answered is named by the id of its Bundle, which for a first message of ours is the id of the ServiceRequest
too. Nothing here decides what a status means: that is the mapping's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connectors.fhir.bundles import Resource, Together
from connectors.port import About, Record
from connectors.rest.replies import at, id_text

#: FHIR's own extension for why a request has its status (R4, request-statusReason).
STATUS_REASON = "http://hl7.org/fhir/StructureDefinition/request-statusReason"
#: What either may stand at: ServiceRequest (R4, request-status) and Encounter (R4, encounter-status).
STATUSES = (
    "draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown",
    "planned", "arrived", "triaged", "in-progress", "onleave", "finished", "cancelled",
)  # fmt: skip


def told(header: Resource, together: Together, focus: Resource) -> Record:
    """Say where the referral stands now and why, in the receiver's own words; "" for what it does not say.

    `focus` is the message's ServiceRequest.
    """
    led = (together.led_to(one, "Encounter") for one in _list(header.get("focus")))
    encounter = next((one for one in led if one is not None), None)
    if encounter is not None:
        return {"status": id_text(encounter.get("status")), **_why(_first(encounter.get("reasonCode")))}
    why: Any = next((one for one in _list(focus.get("extension")) if at(one, "url") == STATUS_REASON), {})
    return {"status": id_text(focus.get("status")), **_why(at(why, "valueCodeableConcept"))}


def about(kind: str, header: Resource, focus: Resource) -> About:
    """Say which message of ours is answered: by its id, by what the answer is based on, by the id of the referral."""
    numbers = [id_text(at(header, "response/identifier")), *_based_on(focus), id_text(focus.get("id"))]
    return About(kind, tuple(dict.fromkeys(number for number in numbers if number)))


def _based_on(focus: Resource) -> Iterator[str]:
    for one in _list(focus.get("basedOn")):
        if isinstance(one, dict):
            yield id_text(at(one, "identifier/value"))
            yield id_text(one.get("reference")).removeprefix("urn:uuid:").rpartition("/")[2]


def _why(concept: Any) -> Record:
    coding = _first(at(concept, "coding"))
    words = id_text(at(concept, "text")) or id_text(at(coding, "display"))
    return {"reason": words, "reason_code": id_text(at(coding, "code"))}


def _first(told: Any) -> Any:
    return next(iter(_list(told)), {})


def _list(told: Any) -> list[Any]:
    return told if isinstance(told, list) else []
