"""What the pretend BaRS receiver tells those who referred to it: servicerequest-response messages, when staff decide.

As application 6 of the standard has it: the ServiceRequest goes back as it came, the receiver's own Encounter is in
focus and says where the case stands, its reason why, and MessageHeader.response names the Bundle of the first message.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import requests

from sandbox.store import Json, Store

_TIMEOUT_SECONDS = 20
_SYSTEM = "https://fhir.nhs.uk/Id/dos-service-id"
_EVENTS = "https://fhir.nhs.uk/CodeSystem/message-events-bars"


class NotHere(LookupError):
    """There is no such referral."""


class BarsAnswers:
    """Sends answers for every council's partner."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store, self._clock = store, clock

    def send(self, tenant: str, id: str, *, url: str, bearer: str, service: str, status: str, reason: str) -> int:
        """Send what became of referral `id` to `url`, for `service`; return the HTTP status of the reply, 0 for none.

        `status` is that of an Encounter of FHIR R4, `reason` a text or "". Raises NotHere.
        """
        held = self._store.collection(tenant, "bars").get(id)
        if held is None:
            raise NotHere(id)
        bundle = self._bundle(tenant, id, held.body, status, reason)
        try:
            answer = requests.post(
                f"{url}/$process-message",
                data=json.dumps(bundle).encode(),
                headers=_headers(bundle["id"], bearer, service),
                timeout=_TIMEOUT_SECONDS,
            )
        except requests.RequestException:
            return 0
        return answer.status_code

    def _bundle(self, tenant: str, id: str, held: Json, status: str, reason: str) -> Json:
        messages = self._store.collection(tenant, "bars", "messages").by_key(id, 100)
        first = min(messages, key=lambda each: each.changed)
        encounter, patient = str(uuid.uuid4()), held["Patient"]
        header = {
            "resourceType": "MessageHeader",
            "id": str(uuid.uuid4()),
            "eventCoding": {"system": _EVENTS, "code": "servicerequest-response"},
            "reason": {"coding": [{"code": "new"}]},
            "source": {"endpoint": f"{_SYSTEM}|receiver"},
            "response": {"identifier": first.id, "code": "ok"},
            "focus": [{"reference": f"urn:uuid:{encounter}"}],
        }
        why = {"reasonCode": [{"coding": [{"code": "other"}], "text": reason}]} if reason else {}
        focus = {"resourceType": "Encounter", "id": encounter, "status": status, "class": {"code": "AMB"}, **why}
        return {
            "resourceType": "Bundle",
            "id": str(uuid.uuid4()),
            "type": "message",
            "timestamp": self._clock().astimezone(UTC).isoformat(),
            "entry": [
                {"fullUrl": f"urn:uuid:{each['id']}", "resource": each}
                for each in (header, focus, held["ServiceRequest"], patient)
            ],
        }


def _headers(id: str, bearer: str, service: str) -> dict[str, str]:
    who = {"resourceType": "Organization", "identifier": [{"value": "A1002"}], "name": "Receiver"}
    return {
        "Authorization": f"Bearer {bearer}",
        "Content-Type": "application/fhir+json; version=1.3.0",
        "X-Request-Id": id,
        "X-Correlation-Id": str(uuid.uuid4()),
        "NHSD-Target-Identifier": _encoded({"system": _SYSTEM, "value": service}),
        "NHSD-End-User-Organisation": _encoded(who),
        "use-context": "a1t1|referral|servicerequest-response|new",
    }


def _encoded(value: Json) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()
