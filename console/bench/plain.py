"""What the pipeline bench compares with: a plain loop that pages, maps by hand and posts with `requests.Session`.

No ledger, no broker, no encryption, no proof, nothing after a crash: the least that anybody would write, and the limit
that nothing written in Python with the same library will pass by much. Started as a process of its own.
"""

from __future__ import annotations

import json
import sys
import time
import uuid
from typing import Any

import requests


def main(source: str, sink: str) -> None:
    """Move everything once and print as JSON the seconds and the processor time that it took."""
    session = requests.Session()
    began, spent, moved, cursor = time.perf_counter(), time.process_time(), 0, ""
    while True:
        page = session.get(source, params={"cursor": cursor, "limit": "100"}, timeout=30).json()
        for record in page["requests"]:
            answer = session.post(f"{sink}/{uuid.uuid4()}", json=mapped(record), timeout=30)
            answer.raise_for_status()
            moved += bool(answer.json()["id"])
        cursor = page["next"]
        if not cursor:
            break
    told = {"moved": moved, "seconds": time.perf_counter() - began, "cpu": time.process_time() - spent}
    sys.stdout.write(json.dumps(told) + "\n")


def mapped(record: dict[str, Any]) -> dict[str, Any]:
    """The record as the sink wants it, field by field, as one writes it in an afternoon."""
    customer, language = record["customer"], record["language"]
    address = customer.get("address") or {}
    contacts = {one["type"]: one for one in customer.get("contacts") or []}
    referrer = record.get("referred_by") or {}
    updates = record.get("updates") or {}
    return {
        "category": record["category"],
        "status": record["status"],
        "status_reason": record["status_reason"],
        "status_changed_at": record["status_changed_at"],
        "priority": record["priority"],
        "received_at": record["received_at"],
        "channel": record["channel"],
        "reason": {"code": record["reason"]["code"], "text": record["reason"]["text"]},
        "team": record["team"],
        "worker": record["worker"],
        "visit_on": record["visit_on"],
        "outcome": record["outcome"],
        "flags": {
            "safeguarding": record["flags"]["safeguarding"],
            "restricted": record["flags"]["restricted"],
        },
        "customer": {
            "first_names": list(customer["first_names"] or []),
            "last_name": customer["last_name"],
            "title": customer["title"],
            "known_as": customer["known_as"],
            "date_of_birth": customer["date_of_birth"],
            "gender": customer["gender"],
            "nhs_number": customer["nhs_number"],
            "ethnicity": customer["ethnicity"],
            "address": {
                "uprn": address.get("uprn"),
                "lines": list(address.get("lines") or []),
                "town": address.get("town"),
                "postcode": address.get("postcode"),
            },
            "contacts": [
                {"type": kind, "value": one["value"].replace(" ", ""), "ok_to_text": one.get("ok_to_text")}
                for kind, one in contacts.items()
            ],
        },
        "language": {
            "letters": language["letters"],
            "speech": language["speech"],
            "interpreter": language["interpreter"],
        },
        "updates": {"opted_in": updates.get("opted_in"), "asked_at": updates.get("asked_at")},
        "referred_by": {
            "kind": referrer.get("kind"),
            "name": referrer.get("name"),
            "relationship": referrer.get("relationship"),
            "organisation": referrer.get("organisation"),
            "mobile": referrer.get("mobile"),
            "wants_updates": referrer.get("wants_updates"),
            "customer_agrees": referrer.get("customer_agrees"),
        },
        "needs": [{"code": need["code"], "note": need["note"]} for need in record["needs"]],
    }


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
