"""How the health service writes a referral to the council down: the same facts in FHIR's resources and its own codes.

What a nurse does not ask stays unknown: whether the person wants texts, in which team a social worker sits, ethnicity.
The tables are written out by hand, as those of `expected.py` are.
"""

from __future__ import annotations

from typing import Any

from sandbox.store import Json

HERE = "https://iechyd.example.org/fhir"
NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
KIND = f"{HERE}/CodeSystem/referral-kind"
NEED = f"{HERE}/CodeSystem/need"
REASON = f"{HERE}/CodeSystem/reason"
LETTERS = f"{HERE}/StructureDefinition/letters"
SAFEGUARDING = f"{HERE}/StructureDefinition/safeguarding"
RESTRICTED = f"{HERE}/StructureDefinition/restricted"
INTERPRETER = "http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired"
GENDER = {"F": "female", "M": "male", "O": "other", "U": "unknown"}
PRIORITY = {"routine": "routine", "urgent": "urgent", "emergency": "stat"}
LANGUAGE = {"cy": "cy", "en": "en", "both": "cy-en"}
#: What the council's status should look like here.
STATUS = {
    "NEW": "requested",
    "TRI": "received",
    "ACC": "accepted",
    "INP": "in-progress",
    "HLD": "on-hold",
    "REJ": "rejected",
    "CLO": "completed",
}
OUTCOME = {
    "O01": "assessment", "O02": "reablement", "O03": "information", "O04": "self-funder", "O05": "declined",
    "O06": "nhs",
}  # fmt: skip


def as_health_knows(request: Json) -> Json:
    """An invented request cut down to what a nurse of the health service would write."""
    customer = {
        name: value for name, value in request["customer"].items() if name not in ("ethnicity", "known_as", "title")
    }
    address = customer.get("address")
    contacts = [{**each, "ok_to_text": None} for each in customer["contacts"]]
    return {
        **request,
        "channel": None,
        "customer": {**customer, "contacts": contacts, "address": address and {**address, "uprn": None}},
        "language": {**request["language"], "speech": None},
        "updates": {"opted_in": None, "asked_at": None},
        "referred_by": {
            "kind": "professional",
            "name": "A. Nyrs",
            "relationship": None,
            "organisation": "Meddygfa'r Bont",
            "mobile": None,
            "wants_updates": None,
            "customer_agrees": None,
        },
    }


def as_resources(request: Json) -> Json:
    """Write such a request as a Patient, a ServiceRequest and a Task."""
    return {
        "Patient": _filled(_patient(request)),
        "ServiceRequest": _filled(_asked_for(request)),
        "Task": _filled(_task(request)),
    }


def _patient(request: Json) -> Json:
    customer, language = request["customer"], request["language"]
    address = customer.get("address")
    telecom = {"phone": ("phone", "home"), "mobile": ("phone", "mobile"), "email": ("email", None)}
    return {
        "resourceType": "Patient",
        "identifier": [{"system": NHS_NUMBER, "value": customer["nhs_number"]}] if customer["nhs_number"] else [],
        "name": [
            {
                "use": "official",
                "family": customer["last_name"],
                "given": customer["first_names"],
            }
        ],
        "telecom": [
            {"system": telecom[each["type"]][0], "use": telecom[each["type"]][1], "value": each["value"]}
            for each in customer["contacts"]
        ],
        "gender": GENDER[customer["gender"]],
        "birthDate": customer.get("date_of_birth"),
        "address": [
            {"use": "home", "line": address["lines"], "city": address["town"], "postalCode": address["postcode"]}
        ]
        if address
        else [],
        "extension": [
            {"url": INTERPRETER, "valueBoolean": language["interpreter"]},
            *(
                [{"url": LETTERS, "valueCode": LANGUAGE[language["letters"]]}]
                if language["letters"] in LANGUAGE
                else []
            ),
        ],
    }


def _asked_for(request: Json) -> Json:
    flags, referrer = request["flags"], request["referred_by"]
    return {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "priority": PRIORITY[request["priority"]],
        "code": {"coding": [{"system": KIND, "code": request["category"]}]},
        "orderDetail": [
            {"coding": [{"system": NEED, "code": each["code"]}], "text": each["note"]} for each in request["needs"]
        ],
        "authoredOn": request["received_at"],
        "requester": {"type": "Practitioner", "display": referrer["name"]},
        "extension": [
            {"url": SAFEGUARDING, "valueBoolean": flags["safeguarding"]},
            {"url": RESTRICTED, "valueBoolean": flags["restricted"]},
        ],
    }


def _task(request: Json) -> Json:
    reason = request["reason"]
    return {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "requester": {"type": "Organization", "display": request["referred_by"]["organisation"]},
        "owner": {"display": request["team"]},
        "reasonCode": {
            "coding": [{"system": REASON, "code": reason["code"]}] if reason["code"] else [],
            "text": reason["text"],
        },
    }


def case_words(case: Json) -> Json:
    """What the health service should read of where a case stands, from what case staff wrote."""
    words = {
        "status": STATUS.get(case.get("Status") or ""),
        "reason": (case.get("StatusReason") or "").strip(),
        "outcome": OUTCOME.get(case.get("Outcome") or ""),
    }
    return {name: value for name, value in words.items() if value}


def case_words_in(task: Json) -> Json:
    """What a Task says about where the case stands."""
    codings = (task.get("businessStatus") or {}).get("coding") or [{}]
    words = {
        "status": task.get("status"),
        "reason": ((task.get("statusReason") or {}).get("text") or "").strip(),
        "outcome": codings[0].get("code"),
    }
    return {name: value for name, value in words.items() if value}


def _filled(value: Any) -> Any:
    """A resource as FHIR wants it: what is empty is left out."""
    if isinstance(value, dict):
        filled = {name: _filled(each) for name, each in value.items()}
        return {name: each for name, each in filled.items() if each not in (None, "", [], {})}
    if isinstance(value, list):
        return [_filled(each) for each in value]
    return value
