"""How an officer types a request straight into the case system: the same facts in that system's fields and codes.

Used for the requests that begin there. The system's own screens check it like everything that staff type.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sandbox import expected
from sandbox.people import LONDON
from sandbox.store import Json


def as_referral(tenant: str, request: Json) -> Json:
    """Write an invented request (in the contact centre's shape) as a new referral of the council's case system."""
    priority = {**expected.PRIORITY, **expected.PRIORITY_OF.get(tenant, {})}
    referrer, updates, reason = request["referred_by"], request["updates"], request["reason"]
    opted_in = updates["opted_in"]
    typed: Json = _written(
        {
            "Received": _local(request["received_at"]),
            "Kind": expected.KIND[request["category"]],
            "Status": "NEW",
            "Priority": priority[request["priority"]],
            "Reason": reason["text"],
            "ReasonCode": reason["code"],
            "Team": request["team"],
            "Subject": _subject(request),
            "Updates": None if opted_in is None else {"OptedIn": opted_in, "AskedAt": _local(updates["asked_at"])},
            "Referrer": {
                "Kind": expected.REFERRER[referrer["kind"]],
                "Name": referrer["name"],
                "Relationship": referrer["relationship"],
                "Organisation": referrer["organisation"],
                "Mobile": referrer["mobile"],
                "WantsUpdates": referrer["wants_updates"],
                "PersonAgrees": referrer["customer_agrees"],
            },
            "Needs": {
                "Need": [{"@code": expected.NEED[need["code"]], ".": need["note"] or ""} for need in request["needs"]]
            },
            "Safeguarding": request["flags"]["safeguarding"],
            "Restricted": request["flags"]["restricted"],
            "TransportNeeds": request["transport_needs"],
        }
    )
    return typed


def _subject(request: Json) -> Json:
    customer, language = request["customer"], request["language"]
    contacts = {each["type"]: each for each in customer["contacts"]}
    address = customer.get("address")
    mobile = contacts.get("mobile") or {}
    return {
        "NHSNumber": customer.get("nhs_number"),
        "Title": customer.get("title"),
        "Forename": customer["first_names"],
        "Surname": customer["last_name"],
        "KnownAs": customer.get("known_as"),
        "DOB": customer.get("date_of_birth") or expected.UNKNOWN_DAY,
        "Gender": expected.GENDER[customer["gender"]],
        "Ethnicity": customer.get("ethnicity"),
        "Address": address
        and {
            "UPRN": address["uprn"],
            "Line": address["lines"],
            "Town": address["town"],
            "Postcode": address["postcode"],
        },
        "Phone": (contacts.get("phone") or {}).get("value"),
        "Mobile": mobile.get("value"),
        "SafeToText": mobile.get("ok_to_text"),
        "Email": (contacts.get("email") or {}).get("value"),
        "PreferredLanguage": expected.LETTERS[language["letters"]],
        "SpokenLanguage": language["speech"],
        "InterpreterNeeded": language["interpreter"],
    }


def _written(value: Any) -> Any:
    """Plain data as it stands in XML: true and false as words, and nothing at all for what is not known."""
    if isinstance(value, dict):
        return {name: _written(each) for name, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_written(each) for each in value]
    if isinstance(value, bool):
        return str(value).lower()
    return value


def _local(stamp: str | None) -> str | None:
    return datetime.fromisoformat(stamp).astimezone(LONDON).strftime("%Y-%m-%dT%H:%M:%S") if stamp else None
