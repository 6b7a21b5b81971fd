"""What a request looks like in both pretend systems, written out by hand: the yardstick of the verdict.

Both systems' records are read into one flat form, field name to plain value, so that any two can be compared. Nothing
here comes from the mappings under test; a code list that is wrong there must not be wrong here by descent.
A field that is absent, null, empty or the system's own sign for "not known" is left out of the flat form.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sandbox.notify_checks import plain_number
from sandbox.people import LONDON
from sandbox.store import Json

Flat = dict[str, Any]

KIND = {
    "contact": "CON",
    "referral": "REF",
    "assessment": "ASR",
    "carer": "CAR",
    "safeguarding": "SGR",
    "onward": "ONW",
    "signpost": "SGN",
}
STATUS = {
    "NEW": "new",
    "TRI": "triage",
    "ACC": "accepted",
    "INP": "in-progress",
    "HLD": "on-hold",
    "REJ": "rejected",
    "RED": "passed-on",
    "CAN": "cancelled",
    "CLO": "closed",
    "EIE": "error",
}
PRIORITY = {"routine": "P3", "urgent": "P2", "emergency": "P1"}
PRIORITY_OF = {"blaenau-gwent": {"routine": "GREEN", "urgent": "AMBER", "emergency": "RED", "same-day": "AMBER"}}
GENDER = {"M": "1", "F": "2", "O": "9", "U": "X"}
LETTERS = {"cy": "W", "en": "E", "both": "B", "unknown": "N"}
REFERRER = {"self": "S", "family": "F", "professional": "P", "other": "O"}
NEED = {
    "bathing": "N01",
    "meals": "N02",
    "mobility": "N03",
    "memory": "N04",
    "carer-break": "N05",
    "home-safety": "N06",
    "loneliness": "N07",
    "medication": "N08",
}
OUTCOME = {
    "O01": "assessment",
    "O02": "reablement",
    "O03": "information",
    "O04": "self-funder",
    "O05": "declined",
    "O06": "nhs",
}
# Councils whose case system has a use for transport needs.
CARRIES_TRANSPORT = frozenset({"blaenau-gwent"})
UNKNOWN_DAY = "0001-01-01"


def of_request(tenant: str, request: Json) -> Flat:
    """Read a contact-centre request into the flat form, its codes in the words of the council's case system."""
    customer: Json = request.get("customer") or {}
    address: Json = customer.get("address") or {}
    reason: Json = request.get("reason") or {}
    language: Json = request.get("language") or {}
    updates: Json = request.get("updates") or {}
    referrer: Json = request.get("referred_by") or {}
    flags: Json = request.get("flags") or {}
    contacts = {each["type"]: each for each in reversed(customer.get("contacts") or [])}
    mobile: Json = contacts.get("mobile") or {}
    priority = {**PRIORITY, **PRIORITY_OF.get(tenant, {})}
    flat = {
        "kind": KIND.get(request.get("category") or ""),
        "priority": priority.get(request.get("priority") or "", request.get("priority")),
        "reason": _words(reason.get("text")),
        "reason_code": reason.get("code"),
        "team": request.get("team"),
        "received": _wall(request.get("received_at")),
        "visit_on": request.get("visit_on"),
        "title": _words(customer.get("title")),
        "first_names": tuple(map(_words, customer.get("first_names") or ())),
        "last_name": _words(customer.get("last_name")),
        "known_as": _words(customer.get("known_as")),
        "born": customer.get("date_of_birth"),
        "gender": GENDER.get(customer.get("gender") or ""),
        "nhs_number": customer.get("nhs_number"),
        "ethnicity": customer.get("ethnicity"),
        "uprn": address.get("uprn"),
        "lines": tuple(map(_words, address.get("lines") or ())),
        "town": _words(address.get("town")),
        "postcode": _postcode(address.get("postcode")),
        "phone": plain_number((contacts.get("phone") or {}).get("value")),
        "mobile": plain_number(mobile.get("value")),
        "ok_to_text": mobile.get("ok_to_text"),
        "email": (contacts.get("email") or {}).get("value"),
        "letters": LETTERS.get(language.get("letters") or ""),
        "speech": {"bsl": "bfi"}.get(language.get("speech") or "", language.get("speech")),
        "interpreter": language.get("interpreter"),
        "opted_in": updates.get("opted_in"),
        "asked_at": _wall(updates.get("asked_at")),
        "referrer_kind": REFERRER.get(referrer.get("kind") or ""),
        "referrer_name": _words(referrer.get("name")),
        "referrer_relationship": _words(referrer.get("relationship")),
        "referrer_organisation": _words(referrer.get("organisation")),
        "referrer_mobile": plain_number(referrer.get("mobile")),
        "referrer_wants_updates": referrer.get("wants_updates"),
        "referrer_person_agrees": referrer.get("customer_agrees"),
        "needs": _needs((NEED[each["code"]], each.get("note")) for each in request.get("needs") or []),
        "safeguarding": flags.get("safeguarding"),
        "restricted": flags.get("restricted"),
        "transport_needs": _words(request.get("transport_needs")) if tenant in CARRIES_TRANSPORT else None,
    }
    return _without_blanks(flat)


def of_referral(tenant: str, referral: Json) -> Flat:
    """Read a case-system referral into the flat form."""
    subject: Json = referral.get("Subject") or {}
    address: Json = subject.get("Address") or {}
    updates: Json = referral.get("Updates") or {}
    referrer: Json = referral.get("Referrer") or {}
    needs = (referral.get("Needs") or {}).get("Need") or []
    flat = {
        "kind": referral.get("Kind"),
        "priority": referral.get("Priority"),
        "reason": _words(referral.get("Reason")),
        "reason_code": referral.get("ReasonCode"),
        "team": referral.get("Team"),
        "received": _second(referral.get("Received")),
        "visit_on": referral.get("VisitOn"),
        "title": _words(subject.get("Title")),
        "first_names": tuple(map(_words, subject.get("Forename") or ())),
        "last_name": _words(subject.get("Surname")),
        "known_as": _words(subject.get("KnownAs")),
        "born": None if subject.get("DOB") == UNKNOWN_DAY else subject.get("DOB"),
        "gender": subject.get("Gender"),
        "nhs_number": subject.get("NHSNumber"),
        "ethnicity": subject.get("Ethnicity"),
        "uprn": address.get("UPRN"),
        "lines": tuple(map(_words, address.get("Line") or ())),
        "town": _words(address.get("Town")),
        "postcode": _postcode(address.get("Postcode")),
        "phone": plain_number(subject.get("Phone")),
        "mobile": plain_number(subject.get("Mobile")),
        "ok_to_text": _truth(subject.get("SafeToText")),
        "email": subject.get("Email"),
        "letters": subject.get("PreferredLanguage"),
        "speech": subject.get("SpokenLanguage"),
        "interpreter": _truth(subject.get("InterpreterNeeded")),
        "opted_in": _truth(updates.get("OptedIn")),
        "asked_at": _second(updates.get("AskedAt")),
        "referrer_kind": referrer.get("Kind"),
        "referrer_name": _words(referrer.get("Name")),
        "referrer_relationship": _words(referrer.get("Relationship")),
        "referrer_organisation": _words(referrer.get("Organisation")),
        "referrer_mobile": plain_number(referrer.get("Mobile")),
        "referrer_wants_updates": _truth(referrer.get("WantsUpdates")),
        "referrer_person_agrees": _truth(referrer.get("PersonAgrees")),
        "needs": _needs((each["@code"], each.get(".")) for each in needs),
        "safeguarding": _truth(referral.get("Safeguarding")),
        "restricted": _truth(referral.get("Restricted")),
        "transport_needs": _words(referral.get("TransportNeeds")) if tenant in CARRIES_TRANSPORT else None,
    }
    return _without_blanks(flat)


def case_words(case: Json) -> Flat:
    """What contact staff should read of where a case stands, from what case staff wrote."""
    outcome = case.get("Outcome")
    return _without_blanks(
        {
            "status": STATUS.get(case.get("Status") or ""),
            "status_reason": _words(case.get("StatusReason")),
            "worker": _words(case.get("Worker")),
            "outcome": OUTCOME.get(outcome or "", outcome),
        }
    )


def case_words_in(request: Json) -> Flat:
    """What a contact-centre request says about where the case stands."""
    return _without_blanks(
        {name: _words(request.get(name)) for name in ("status", "status_reason", "worker", "outcome")}
    )


def differences(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Names of the fields that are blank in `found` though wanted, and of those that say something else."""
    blank = sorted(name for name in wanted if name not in found)
    other = sorted(name for name in found if found[name] != wanted.get(name))
    return blank, other


def _without_blanks(flat: Flat) -> Flat:
    return {name: value for name, value in flat.items() if value is not None and value not in ("", ())}


def _words(text: Any) -> Any:
    # A letter with its circumflex may be one character or two; a reader sees no difference. Line ends may be CR LF.
    return unicodedata.normalize("NFC", text).replace("\r\n", "\n").strip() if isinstance(text, str) else text


def _postcode(text: Any) -> Any:
    return text.replace(" ", "").upper() if isinstance(text, str) else text


def _truth(text: Any) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(str(text).strip().lower())


def _wall(stamp: Any) -> str | None:
    """The hands of the clock on the council's wall: all that the case system keeps of a moment."""
    return datetime.fromisoformat(stamp).astimezone(LONDON).strftime("%Y-%m-%dT%H:%M:%S") if stamp else None


def _second(local: Any) -> str | None:
    return local.split(".")[0] if local else None


def _needs(needs: Iterable[tuple[str, str | None]]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((code, _words(note) or "") for code, note in needs))
