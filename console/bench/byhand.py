"""What the mapping bench compares with first: the same record read and written by hand, as one writes it once.

Every value is checked as the mapping checks it: its type, its length, its code. A wrong one raises `Refused`, and there
it ends: no list of all that is wrong, nothing of one field left out alone. Nothing here uses Dolen's converters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from mappings.referral import Referral, Telecom

ZONE = ZoneInfo("Europe/London")

_PUNCTUATION = str.maketrans("", "", " \t\u00a0().-/")
_NATIONAL = re.compile(r"0[1237][0-9]{9}", re.ASCII)
_E164 = re.compile(r"\+44[1-9][0-9]{9}", re.ASCII)
_POSTCODE = re.compile(r"[A-Z]{1,2}[0-9][0-9A-Z]?[0-9][A-Z]{2}", re.ASCII)
_TEN_DIGITS = re.compile(r"[0-9]{10}", re.ASCII)


class Refused(ValueError):
    """A value is not what it has to be."""


def text(value: Any) -> str | None:
    """Text as it is."""
    if isinstance(value, str):
        return value or None
    if value is None:
        return None
    raise Refused("text")


def flag(value: Any) -> bool | None:
    """True or false."""
    if value is None or value is True or value is False:
        return value
    raise Refused("true or false")


def texts(value: Any) -> list[str]:
    """A list of texts."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise Refused("a list")
    for one in value:
        if not isinstance(one, str):
            raise Refused("a list of texts")
    return value


def code(value: Any, table: Mapping[str, str]) -> str | None:
    """A code, looked up."""
    if value is None or value == "":
        return None
    try:
        return table[value]
    except (KeyError, TypeError):
        raise Refused("a code of the list") from None


def day(value: Any) -> str | None:
    """A day that exists."""
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) != 10:
        raise Refused("a day")
    return date.fromisoformat(value).isoformat()


def instant(value: Any) -> str | None:
    """An instant in UTC; without an offset it is local time."""
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) < 16:
        raise Refused("a date and time")
    at = datetime.fromisoformat(value)
    if at.tzinfo is None:
        at = at.replace(tzinfo=ZONE)
    return at.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def phone(value: Any) -> str | None:
    """A telephone number of Great Britain in E.164; anything else as it is."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise Refused("text")
    digits = value.translate(_PUNCTUATION)
    if _NATIONAL.fullmatch(digits):
        return "+44" + digits[1:]
    return digits if _E164.fullmatch(digits) else value.strip()


def postcode(value: Any) -> str | None:
    """A postcode in capitals with one space."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise Refused("text")
    compact = "".join(value.split()).upper()
    return f"{compact[:-3]} {compact[-3:]}" if _POSTCODE.fullmatch(compact) else value.strip()


def nhs_number(value: Any) -> str | None:
    """An NHS number without spaces."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise Refused("text")
    compact = "".join(value.replace("-", " ").split())
    return compact if _TEN_DIGITS.fullmatch(compact) else value.strip()


def read(record: Mapping[str, Any], given: Mapping[str, Any], codes: Mapping[str, Mapping[str, str]]) -> Referral:
    """The record as a referral. `codes`: for each code list what their codes are in ours."""
    customer, language, flags = record["customer"], record["language"], record["flags"]
    address = customer.get("address")
    reason, updates, referrer = record.get("reason"), record.get("updates"), record.get("referred_by")
    visit, case_number, team, worker = (record.get(key) for key in ("visit_on", "case_number", "team", "worker"))
    return Referral.model_validate(
        {
            **given,
            "correlation_id": given["referral_id"],
            "citizen_reference": text(record.get("public_reference")),
            "target_identifiers": [{"system": "care", "value": text(case_number)}] if case_number else [],
            "type": code(record["category"], codes["contact-category"]),
            "status": code(record["status"], codes["contact-status"]),
            "status_reason": {"text": text(record["status_reason"])} if record.get("status_reason") else None,
            "status_changed_at": instant(record.get("status_changed_at")),
            "priority": code(record["priority"], codes["contact-priority"]),
            "received_at": instant(record["received_at"]),
            "authored_at": instant(record.get("authored_at")),
            "due_at": instant(record.get("due_at")),
            "channel": code(record.get("channel"), codes["contact-channel"]),
            "reason": {"code": text(reason.get("code")), "text": text(reason.get("text"))} if reason else None,
            "primary_support_reason": text(record.get("support_reason")),
            "route_of_access": text(record.get("route_of_access")),
            "assigned_to": {"team": text(team), "worker_ref": text(worker)} if team or worker else None,
            "appointments": [{"kind": "visit", "start": day(visit)}] if visit else [],
            "outcome": code(record.get("outcome"), codes["contact-outcome"]),
            "outcome_reason": text(record.get("outcome_reason")),
            "safeguarding_flag": flag(flags["safeguarding"]),
            "restricted_record": flag(flags["restricted"]),
            "person": {
                "name": {
                    "given": texts(customer.get("first_names")),
                    "family": text(customer["last_name"]),
                    "title": text(customer.get("title")),
                    "preferred": text(customer.get("known_as")),
                },
                "date_of_birth": day(customer.get("date_of_birth")),
                "gender": code(customer.get("gender"), codes["contact-gender"]),
                "nhs_number": nhs_number(customer.get("nhs_number")),
                "ethnicity": text(customer.get("ethnicity")),
                "gp_practice": text(customer.get("gp_practice")),
                "address": {
                    "uprn": text(address.get("uprn")),
                    "lines": texts(address.get("lines")),
                    "town": text(address.get("town")),
                    "postcode": postcode(address.get("postcode")),
                }
                if address
                else None,
                "telecom": _telecom(customer.get("contacts")),
            },
            "communication_needs": texts(record.get("communication_needs")),
            "language": {
                "correspondence": code(language.get("letters"), codes["contact-language"]) or "not-asked",
                "spoken": code(language.get("speech"), codes["contact-speech"]),
                "interpreter_required": flag(language.get("interpreter")),
                "asked_at": instant(language.get("asked_at")),
                "asked_by": text(language.get("asked_by")),
            },
            "notify": {
                "opt_in": [
                    {
                        "channel": "text",
                        "opted_in": flag(updates.get("opted_in")),
                        "at": instant(updates.get("asked_at")),
                    }
                ]
            }
            if updates
            else None,
            "referrer": {
                "kind": code(referrer.get("kind"), codes["contact-referrer"]),
                "name": text(referrer.get("name")),
                "relationship": text(referrer.get("relationship")),
                "role": text(referrer.get("role")),
                "organisation": text(referrer.get("organisation")),
                "ods": text(referrer.get("ods")),
                "telecom": [{"system": "phone", "use": "mobile", "value": phone(referrer.get("mobile"))}]
                if referrer.get("mobile")
                else [],
                "wants_updates": flag(referrer.get("wants_updates")),
                "person_agrees": flag(referrer.get("customer_agrees")),
            }
            if referrer
            else None,
            "needs": [
                {"code": code(need["code"], codes["contact-need"]), "text": text(need.get("note"))}
                for need in record.get("needs") or ()
            ],
        }
    )


def _telecom(contacts: Any) -> list[dict[str, Any]]:
    """The email, the telephone at home and the mobile, in that order."""
    by_type = {one["type"]: one for one in contacts or ()}
    made: list[dict[str, Any]] = []
    if email := by_type.get("email"):
        made.append({"system": "email", "value": text(email.get("value"))})
    if home := by_type.get("phone"):
        made.append({"system": "phone", "use": "home", "value": phone(home.get("value"))})
    if mobile := by_type.get("mobile"):
        made.append(
            {
                "system": "phone",
                "use": "mobile",
                "value": phone(mobile.get("value")),
                "safe_to_text": flag(mobile.get("ok_to_text")),
            }
        )
    return made


def short(value: str | None, most: int) -> str | None:
    """Text that is not too long. What a referral holds has been checked to be text."""
    if value is not None and len(value) > most:
        raise Refused(f"at most {most} characters")
    return value


def short_list(value: Sequence[str], most: int, items: int) -> list[str]:
    """A list of so many texts at most, none of them too long."""
    if len(value) > items:
        raise Refused(f"at most {items} items")
    for one in value:
        if len(one) > most:
            raise Refused(f"at most {most} characters")
    return list(value)


def stamp(value: str | None) -> str | None:
    """An instant that exists, in UTC with a Z."""
    if value is None:
        return None
    if value[-1:] != "Z" or len(value) < 16:
        raise Refused("an instant in UTC")
    datetime.fromisoformat(value)
    return value


def write(referral: Referral, codes: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """The referral as a new record. `codes`: for each code list what our codes are in theirs."""
    person, language = referral.person, referral.language
    name, address = person.name, person.address
    reason, assigned, referrer = referral.reason, referral.assigned_to, referral.referrer
    case_number = next((one.value for one in referral.target_identifiers if one.system == "care"), None)
    visit = next((one.start for one in referral.appointments if one.kind == "visit"), None)
    by_text = next((one for one in (referral.notify.opt_in if referral.notify else ()) if one.channel == "text"), None)
    assert name is not None  # a referral without one is refused
    return {
        "public_reference": short(referral.citizen_reference, 20),
        "case_number": short(case_number, 50),
        "category": code(referral.type, codes["contact-category"]),
        "status": code(referral.status, codes["contact-status"]),
        "status_reason": short(referral.status_reason.text, 500) if referral.status_reason else None,
        "status_changed_at": stamp(referral.status_changed_at),
        "priority": code(referral.priority, codes["contact-priority"]),
        "received_at": stamp(referral.received_at),
        "authored_at": stamp(referral.authored_at),
        "due_at": stamp(referral.due_at),
        "channel": code(referral.channel, codes["contact-channel"]),
        "reason": {"code": short(reason.code, 20), "text": short(reason.text, 2000)} if reason else None,
        "support_reason": short(referral.primary_support_reason, 40),
        "route_of_access": short(referral.route_of_access, 40),
        "team": short(assigned.team, 40) if assigned else None,
        "worker": short(assigned.worker_ref, 80) if assigned else None,
        "visit_on": day(visit),
        "outcome": code(referral.outcome, codes["contact-outcome"]),
        "outcome_reason": short(referral.outcome_reason, 500),
        "flags": {"safeguarding": referral.safeguarding_flag, "restricted": referral.restricted_record},
        "customer": {
            "first_names": short_list(name.given, 35, 5),
            "last_name": short(name.family, 35),
            "title": short(name.title, 35),
            "known_as": short(name.preferred, 35),
            "date_of_birth": day(person.date_of_birth),
            "gender": code(person.gender or "unknown", codes["contact-gender"]),
            "nhs_number": short(person.nhs_number, 12),
            "ethnicity": short(person.ethnicity, 10),
            "gp_practice": short(person.gp_practice, 10),
            "address": {
                "uprn": short(address.uprn, 12),
                "lines": short_list(address.lines, 100, 5),
                "town": short(address.town, 60),
                "postcode": short(address.postcode, 10),
            }
            if address
            else None,
            "contacts": _contacts(person.telecom),
        },
        "communication_needs": short_list(referral.communication_needs, 30, 8),
        "language": {
            "letters": code(language.correspondence, codes["contact-language"]),
            "speech": code(language.spoken, codes["contact-speech"]),
            "interpreter": language.interpreter_required,
            "asked_at": stamp(language.asked_at),
            "asked_by": short(language.asked_by, 80),
        },
        "updates": {"opted_in": by_text.opted_in, "asked_at": stamp(by_text.at)} if by_text else None,
        "referred_by": {
            "kind": code(referrer.kind, codes["contact-referrer"]),
            "name": short(referrer.name, 80),
            "relationship": short(referrer.relationship, 40),
            "role": short(referrer.role, 80),
            "organisation": short(referrer.organisation, 80),
            "ods": short(referrer.ods, 10),
            "mobile": next(
                (short(one.value, 20) for one in referrer.telecom if one.system == "phone" and one.use == "mobile"),
                None,
            ),
            "wants_updates": referrer.wants_updates,
            "customer_agrees": referrer.person_agrees,
        }
        if referrer
        else None,
        "needs": [
            {"code": code(need.code, codes["contact-need"]), "note": short(need.text, 200)} for need in referral.needs
        ],
    }


def _contacts(telecom: Sequence[Telecom]) -> list[dict[str, Any]]:
    """The telephone at home, the mobile and the email, in that order."""
    home = mobile = email = None
    for one in telecom:
        if one.system == "email":
            email = email or one
        elif one.system == "phone" and one.use == "home":
            home = home or one
        elif one.system == "phone" and one.use == "mobile":
            mobile = mobile or one
    made: list[dict[str, Any]] = []
    if home is not None:
        made.append({"type": "phone", "value": short(home.value, 100)})
    if mobile is not None:
        made.append({"type": "mobile", "value": short(mobile.value, 100), "ok_to_text": mobile.safe_to_text})
    if email is not None:
        made.append({"type": "email", "value": short(email.value, 100)})
    return made
