"""Soft validation: what looks wrong in a referral is recorded and carried, never refused and never changed.

A check looks at one value and answers with a remark code or None. Which field has which check is part of the field's
declaration; nothing here knows a field by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import phonenumbers
from stdnum.gb import nhs

from mappings.meta import Coded, Meta, Part

if TYPE_CHECKING:
    from mappings.referral import Referral


class RemarkCode(Coded):
    """What looks wrong."""

    MISSING = "missing", "Ar goll", "Should be there and is not"
    UNKNOWN_CODE = "unknown-code", "Cod anhysbys", "Not in our code list"
    TOO_LONG = "too-long", "Rhy hir", "Longer than the standard allows"
    NHS_NUMBER_SHAPE = "nhs-number-shape", "Nid deg digid", "Not ten digits"
    NHS_NUMBER_CHECK = "nhs-number-check-digit", "Digid gwirio anghywir", "The check digit is wrong"
    POSTCODE_SHAPE = "postcode-shape", "Nid yw'n god post", "Not like a postcode"
    UPRN_SHAPE = "uprn-shape", "Nid yw'n UPRN", "Not up to 12 digits"
    GSS_SHAPE = "gss-shape", "Nid yw'n god GSS", "Not like a council's GSS code"
    ODS_SHAPE = "ods-shape", "Nid yw'n god ODS", "Not like an ODS code"
    PHONE_SHAPE = "phone-shape", "Nid yw'n rhif ffôn", "Not a possible phone number"
    EMAIL_SHAPE = "email-shape", "Nid yw'n gyfeiriad e-bost", "Not like an email address"
    DATE_SHAPE = "date-shape", "Nid yw'n ddyddiad", "Not a date"
    INSTANT_SHAPE = "instant-shape", "Nid yw'n amser", "Not a time in UTC"
    LANGUAGE_SHAPE = "language-shape", "Nid yw'n dag iaith", "Not a BCP 47 language tag"
    UUID_SHAPE = "uuid-shape", "Nid yw'n UUID", "Not a UUID"
    AMBIGUOUS_TIME = "ambiguous-time", "Amser amwys", "Local time that came twice when the clocks went back"
    NO_SUCH_TIME = "no-such-time", "Amser nad yw'n bod", "Local time that was skipped when the clocks went forward"


@dataclass(frozen=True, slots=True)
class Remark:
    """Where (a field path, `[]` for any member of a list) and what (a RemarkCode). Never the value."""

    path: str
    code: str


# The shapes are those of the standards: GB postcodes with GIR 0AA, council codes of the four nations, ODS codes.
_POSTCODE = re.compile(r"(?:[A-PR-UWYZ][A-HK-Y]?[0-9][0-9A-HJKMNPR-Y]?|GIR) ?[0-9][ABD-HJLNP-UW-Z]{2}", re.ASCII)
_UPRN = re.compile(r"[0-9]{1,12}", re.ASCII)
_GSS = re.compile(r"(?:W06|E06|E07|E08|E09|E10|S12|N09)[0-9]{6}", re.ASCII)
_ODS = re.compile(r"[A-Z0-9]{3,10}", re.ASCII)
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+")
_PARTIAL = re.compile(r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?", re.ASCII)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)

Check = Callable[[Any, Part], str | None]


def _shape(pattern: re.Pattern[str], code: RemarkCode) -> Check:
    def look(value: Any, _: Part) -> str | None:
        return None if pattern.fullmatch(value) else code.value

    return look


def _nhs_number(value: Any, _: Part) -> str | None:
    if not re.fullmatch(r"[0-9]{10}", value, re.ASCII):
        return RemarkCode.NHS_NUMBER_SHAPE.value
    return None if nhs.is_valid(value) else RemarkCode.NHS_NUMBER_CHECK.value


def is_partial_date(value: str) -> bool:
    """Whether the text is YYYY, YYYY-MM or YYYY-MM-DD and such a day exists."""
    if not _PARTIAL.fullmatch(value):
        return False
    try:
        date.fromisoformat(
            value + "-01-01"[: 10 - len(value)] if len(value) == 10 else value + "-01-01"[len(value) - 4 :]
        )
    except ValueError:
        return False
    return True


def is_instant(value: str) -> bool:
    """Whether the text is an instant in UTC as we write it, with a Z."""
    if not value.endswith("Z") or "T" not in value:
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def is_phone(value: str, country: str = "GB") -> bool:
    """Whether the text can be a phone number. Possible is enough: number ranges change more often than our library."""
    try:
        number = phonenumbers.parse(value, country)
    except phonenumbers.NumberParseException:
        return False
    return bool(phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE)


def _date(value: Any, _: Part) -> str | None:
    return None if is_partial_date(value) else RemarkCode.DATE_SHAPE.value


def _instant(value: Any, _: Part) -> str | None:
    return None if is_instant(value) else RemarkCode.INSTANT_SHAPE.value


def _when(value: Any, _: Part) -> str | None:
    return None if is_instant(value) or is_partial_date(value) else RemarkCode.DATE_SHAPE.value


def _telecom(value: Any, point: Part) -> str | None:
    system = getattr(point, "system", None)
    if system == "phone":
        return None if is_phone(value) else RemarkCode.PHONE_SHAPE.value
    if system == "email":
        return None if _EMAIL.fullmatch(value) else RemarkCode.EMAIL_SHAPE.value
    return None


_MOST_EXTENSIONS = 20_000  # characters of all extensions together: they carry a few extra fields, not a second record


def _extensions(value: Any, _: Part) -> str | None:
    return RemarkCode.TOO_LONG.value if len(str(value)) > _MOST_EXTENSIONS else None


CHECKS: dict[str, Check] = {
    "nhs-number": _nhs_number,
    "postcode": _shape(_POSTCODE, RemarkCode.POSTCODE_SHAPE),
    "uprn": _shape(_UPRN, RemarkCode.UPRN_SHAPE),
    "gss": _shape(_GSS, RemarkCode.GSS_SHAPE),
    "ods": _shape(_ODS, RemarkCode.ODS_SHAPE),
    "language": _shape(_LANGUAGE, RemarkCode.LANGUAGE_SHAPE),
    "uuid": _shape(_UUID, RemarkCode.UUID_SHAPE),
    "telecom": _telecom,
    "date": _date,
    "instant": _instant,
    "when": _when,
    "extensions": _extensions,
}


def remarks_of(referral: Referral) -> tuple[Remark, ...]:
    """All that looks wrong in the referral, in the order of its fields."""
    return tuple(_walk(referral, ""))


@lru_cache(maxsize=64)  # one entry a class of Part
def _metas(part: type[Part]) -> tuple[tuple[str, str, Meta], ...]:
    return tuple(
        (attribute, field.alias or attribute, meta)
        for attribute, field in part.model_fields.items()
        for meta in field.metadata
        if isinstance(meta, Meta)
    )


@lru_cache(maxsize=64)  # one entry a code list of our own
def codes_in(coded: type[Coded]) -> frozenset[str]:
    """The codes of one of our own lists, as a set to look in."""
    return frozenset(member.value for member in coded)


def _walk(part: Part, prefix: str) -> Iterator[Remark]:
    for attribute, name, meta in _metas(type(part)):
        value = getattr(part, attribute)
        path = prefix + name
        if value is None:
            if meta.card == "1":
                yield Remark(path, RemarkCode.MISSING.value)
        elif isinstance(value, tuple):
            for member in value:
                if isinstance(member, Part):
                    yield from _walk(member, f"{path}[].")
                else:
                    yield from _look(member, part, path, meta)
        elif isinstance(value, Part):
            yield from _walk(value, f"{path}.")
        else:
            yield from _look(value, part, path, meta)


def _look(value: Any, part: Part, path: str, meta: Meta) -> Iterator[Remark]:
    if meta.codes is not None and value not in codes_in(meta.codes):
        yield Remark(path, RemarkCode.UNKNOWN_CODE.value)
    if meta.most and len(value) > meta.most:
        yield Remark(path, RemarkCode.TOO_LONG.value)
    if meta.check and (found := CHECKS[meta.check](value, part)):
        yield Remark(path, found)
