"""What the placeholders of a text stand for: references, dates, and names of codes in both languages. Pure.

Nothing here is a supplier's free text. A value that is not known is None, and then a person rings.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date

from mappings.vocabulary import Status

LANGUAGES = ("cy", "en")
_VISIT = "appointments[kind=visit].start"


def values_of(
    facts: Mapping[str, Any], *, status: str, names: Mapping[str, str], phone: str, zone: str, now: datetime
) -> dict[str, str | None]:
    """Every placeholder and its value. `names`: the council's, by language; `status`: the one that is told."""
    values: dict[str, str | None] = {"reference": facts.get("citizen_reference") or None, "phone": phone or None}
    visit = _day(facts.get(_VISIT), zone)
    shown = {one.value: {"cy": one.cy, "en": one.en} for one in Status}.get(status)
    for language in LANGUAGES:
        values[f"council_{language}"] = names.get(language) or None
        values[f"status_{language}"] = shown[language] if shown else None
        values[f"visit_{language}"] = said(visit, language) if visit else None
        values[f"today_{language}"] = said(now.astimezone(ZoneInfo(zone)).date(), language)
    return values


def said(day: date, language: str) -> str:
    """A day as one says it: "Dydd Iau 2 Gorffennaf", "Thursday 2 July"."""
    return format_date(day, "EEEE d MMMM", locale="cy" if language == "cy" else "en_GB")


def _day(value: Any, zone: str) -> date | None:
    """A day, or the day of an instant in the council's zone; None where none is known."""
    if not isinstance(value, str):
        return None
    try:
        if len(value) == 10:
            return date.fromisoformat(value)
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (moment.astimezone(ZoneInfo(zone)) if moment.tzinfo else moment).date()
