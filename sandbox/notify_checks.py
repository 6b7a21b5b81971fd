"""What the pretend GOV.UK Notify checks in a call, and the templates that a service may send."""

from __future__ import annotations

import json
import re
import uuid
from functools import cache
from importlib.resources import files
from typing import Any, TypedDict

from sandbox.exchange import Request
from sandbox.store import Json

_PLACEHOLDER = re.compile(r"\(\(([^()]+)\)\)")
_TEMPLATES_SINCE = "2025-01-06T09:00:00.000000Z"
_POSTCODE = re.compile(r"[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}", re.IGNORECASE)


class Template(TypedDict):
    """One text that a service may send. `status` and `language` say when and to whom; Notify shows neither."""

    id: str
    name: str
    type: str
    status: str
    language: str
    body: str


class Refusal(Exception):
    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(error)
        self.status, self.error, self.message = status, error, message


@cache
def templates() -> dict[str, Template]:
    """All templates by id; every council's service has the same ones."""
    read = json.loads((files("sandbox") / "templates.json").read_text(encoding="utf-8"))
    return {each["id"]: each for each in read["templates"]}


def plain_number(number: str | None) -> str:
    """A telephone number as digits alone, beginning with 0, so that two ways of writing it are equal. "" for none."""
    digits = re.sub(r"[\s()-]", "", number or "")
    return re.sub(r"^(\+44|0044)", "0", digits)


def shown_template(known: Template) -> Json:
    return {
        "id": known["id"],
        "name": known["name"],
        "type": known["type"],
        "created_at": _TEMPLATES_SINCE,
        "updated_at": None,
        "version": 1,
        "created_by": "texts@example.org",
        "body": known["body"],
        "subject": None,
        "postage": None,
        "letter_contact_block": None,
        "personalisation": {name: {"required": True} for name in _PLACEHOLDER.findall(known["body"])},
    }


def filled(template: Template, personalisation: Any) -> str:
    if not isinstance(personalisation, dict):
        raise Refusal(400, "ValidationError", "personalisation is not of type object")
    wanted = dict.fromkeys(_PLACEHOLDER.findall(template["body"]))
    missing = [name for name in wanted if personalisation.get(name) is None]
    if missing:
        raise Refusal(400, "BadRequestError", f"Missing personalisation: {', '.join(missing)}")
    return _PLACEHOLDER.sub(lambda found: str(personalisation[found.group(1)]), template["body"])


def object_of(request: Request) -> Json:
    try:
        given = json.loads(request.body)
    except ValueError:
        raise Refusal(400, "BadRequestError", "Invalid JSON supplied in POST data") from None
    if not isinstance(given, dict):
        raise Refusal(400, "ValidationError", "the body is not of type object")
    return given


def uuid_of(text: Any, name: str) -> str:
    try:
        return str(uuid.UUID(text))
    except (ValueError, TypeError, AttributeError):
        raise Refusal(400, "ValidationError", f"{name} is not a valid UUID") from None


def mobile(number: Any) -> str:
    if not isinstance(number, str):
        raise Refusal(400, "ValidationError", "phone_number is not of type string")
    plain = plain_number(number)
    wrong = ""
    if not re.fullmatch(r"\d*", plain):
        wrong = "Must not contain letters or symbols"
    elif len(plain) != 11:
        wrong = "Not enough digits" if len(plain) < 11 else "Too many digits"
    elif not plain.startswith("07"):
        wrong = "Not a UK mobile number"
    if wrong:
        raise Refusal(400, "ValidationError", f"phone_number {wrong}")
    return number


def email(address: Any) -> str:
    if not isinstance(address, str) or not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", address):
        raise Refusal(400, "ValidationError", "email_address Not a valid email address")
    return address


def postcode(personalisation: Any) -> str:
    """The last of a letter's three to seven lines of address. Countries abroad are not pretended."""
    given = personalisation if isinstance(personalisation, dict) else {}
    lines = [str(line) for number in range(1, 8) if (line := given.get(f"address_line_{number}"))]
    if len(lines) < 3:
        raise Refusal(400, "ValidationError", "Address must be at least 3 lines")
    if not _POSTCODE.fullmatch(lines[-1].strip()):
        raise Refusal(400, "ValidationError", "Last line of address must be a real UK postcode or another country")
    return lines[-1]
