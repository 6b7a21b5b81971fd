"""Converters of what people are reached and known by: phone numbers, postcodes, NHS numbers.

They tidy what they understand and keep the rest as given, spaces around it aside; whether a value is a right one is
remarked in the referral and never decided here.
"""

from __future__ import annotations

import re

import phonenumbers

from mappings.converters.port import BadOption, Convert, Converter, Request, WrongType
from mappings.meta import Json, Kind

_TEXT = (Kind.TEXT,)
_PUNCTUATION = str.maketrans("", "", " \t\u00a0().-/")
_NUMBER = re.compile(r"\+?[0-9]{3,20}", re.ASCII)
_GB_NATIONAL = re.compile(r"0[1237][0-9]{9}", re.ASCII)  # eleven digits: nearly every number there is
_GB_SPELLED = re.compile(r"0([1237][0-9]{3}) ?([0-9]{6})", re.ASCII)
_GB_E164 = re.compile(r"\+44[1-9][0-9]{9}", re.ASCII)
_POSTCODE = re.compile(r"[A-Z]{1,2}[0-9][0-9A-Z]?[0-9][A-Z]{2}", re.ASCII)
_NHS_SPELLED = re.compile(r"([0-9]{3}) ?([0-9]{3}) ?([0-9]{4})", re.ASCII)
_NHS_NUMBER = re.compile(r"[0-9]{10}", re.ASCII)


def phone(request: Request) -> Converter:
    """A phone number in E.164; what is more than a number, or cannot be one, stays as given.

    `country`: whose numbers have no country code (default GB). `written`: e164, or national for `country`'s numbers.
    """
    country = request.options.get("country", "GB")
    if country not in phonenumbers.SUPPORTED_REGIONS:
        raise BadOption("country", "a country's two capital letters, like GB")
    national = request.choice("written", ("e164", "national"), "e164") == "national"
    return Converter(
        request.name,
        _phone_reader(country),
        _phone_national_writer(country) if national else _text,
        "the spelling of the number is lost",
        _TEXT,
        ("string",),
        write_keeps=None if national else str,
        swift_read=_gb_phone if country == "GB" else None,
    )


def _phone_reader(country: str) -> Convert:
    in_gb = country == "GB"

    def read(value: Json) -> Json:
        if not isinstance(value, str):
            raise WrongType("a phone number as text")
        digits = value.translate(_PUNCTUATION)
        if in_gb and _GB_NATIONAL.fullmatch(digits):
            return "+44" + digits[1:]
        if _GB_E164.fullmatch(digits):
            return digits
        # A slash parts two numbers; taking it out would make one of them.
        if "/" in value or not _NUMBER.fullmatch(digits):
            return value.strip() or None
        return _e164(digits, country) or value.strip()

    return read


def _gb_phone(value: Json) -> Json:
    """A number as nearly everybody writes it, with one space or none."""
    if type(value) is not str:
        return None
    parts = _GB_SPELLED.fullmatch(value)
    return f"+44{parts[1]}{parts[2]}" if parts else None


def _e164(digits: str, country: str) -> str | None:
    found = _formatted(digits, country)
    # Odd digits can be read differently once the country stands before them; then they stay as given.
    return found if found is not None and _formatted(found, country) == found else None


def _formatted(digits: str, country: str) -> str | None:
    try:
        number = phonenumbers.parse(digits, country)
    except phonenumbers.NumberParseException:
        return None
    # A number without its area code is possible too, but only for somebody who stands there.
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _phone_national_writer(country: str) -> Convert:
    read = _phone_reader(country)

    def write(value: Json) -> Json:
        text = _text(value)
        if not isinstance(text, str) or not text.startswith("+"):
            return text
        spelled = "0" + text[3:] if country == "GB" and _GB_E164.fullmatch(text) else _national(text)
        # Only if it comes back as the same number: a system elsewhere must be told the country.
        return spelled if read(spelled) == text else text

    return write


def _national(text: str) -> str:
    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        return text
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL).translate(_PUNCTUATION)


def _text(value: Json) -> Json:
    if isinstance(value, str):
        return value
    raise WrongType("text")


def _postcode(value: Json) -> Json:
    if not isinstance(value, str):
        raise WrongType("a postcode as text")
    compact = "".join(value.split()).upper()
    if _POSTCODE.fullmatch(compact):
        return f"{compact[:-3]} {compact[-3:]}"
    return value.strip() or None


def postcode(request: Request) -> Converter:
    """A postcode in capitals with one space; what does not look like one stays as given."""
    law = "capitals and spaces it came with are lost"
    return Converter(request.name, _postcode, _text, law, _TEXT, ("string",), write_keeps=str)


def _nhs_number(value: Json) -> Json:
    if not isinstance(value, str):
        raise WrongType("an NHS number as text")
    compact = "".join(value.replace("-", " ").split())
    return compact if _NHS_NUMBER.fullmatch(compact) else value.strip() or None


def _spelled_nhs_number(value: Json) -> Json:
    """A number as it is printed, in one piece or in three."""
    parts = _NHS_SPELLED.fullmatch(value) if type(value) is str else None
    return "".join(parts.groups()) if parts else None


def nhs_number(request: Request) -> Converter:
    """An NHS number without spaces; what is not ten digits stays as given."""
    law = "spaces and dashes in it are lost"
    return Converter(
        request.name, _nhs_number, _text, law, _TEXT, ("string",), write_keeps=str, swift_read=_spelled_nhs_number
    )
