"""How a field of the referral is declared: once, beside its type, with everything that follows from it.

Labels, masking, the published JSON Schema, the checks of a mapping file and the data-quality remarks are all read
from these declarations. Nothing about a single field is written down anywhere else.
The Welsh texts of this room still await a Welsh checker (see `WELSH_CHECKED`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, StrictBool

WELSH_CHECKED = False  # becomes True when a Welsh checker has signed off every `cy` text in mappings/

Json = Any  # None, bool, int, float, str, list and dict of the same: what JSON can say
Text = str | None
Flag = StrictBool | None  # strict: pydantic's own reading of "on" or "y" would be a guess


class Sensitivity(StrEnum):
    """How a value has to be treated wherever it is shown, logged or exported. Ordered: later is stricter."""

    NONE = "none"
    IDENTIFYING = "identifying"  # tells who the person is
    SPECIAL = "special"  # special category: health, care, language, safeguarding


NONE, IDENTIFYING, SPECIAL = Sensitivity

STRICTNESS = {NONE: 0, IDENTIFYING: 1, SPECIAL: 2}


class Kind(StrEnum):
    """What a JSON value of a field is."""

    TEXT = "text"
    CODE = "code"  # text from a code list
    BOOLEAN = "boolean"
    INTEGER = "integer"
    DATE = "date"  # YYYY-MM-DD
    PARTIAL_DATE = "partial date"  # YYYY, YYYY-MM or YYYY-MM-DD
    INSTANT = "instant"  # YYYY-MM-DDTHH:MM:SS[.ffffff]Z, always UTC
    WHEN = "date or instant"
    OBJECT = "object"
    ANY = "any JSON"


class Coded(StrEnum):
    """One of our own closed code lists. A member is written `NAME = "code", "Welsh display", "English display"`."""

    cy: str
    en: str

    def __new__(cls, code: str, cy: str, en: str) -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.cy = cy
        member.en = en
        return member


@dataclass(frozen=True, slots=True)
class Meta:
    """What is known of a field beside its Python type. `card`: "1" must, "?" may, "*" many."""

    en: str
    cy: str
    about: str
    sensitivity: Sensitivity = NONE
    kind: Kind = Kind.TEXT
    standard: str = "own"
    card: str = "?"
    codes: type[Coded] | None = None  # the closed list, None where the list is a council's or a standard's own
    check: str = ""  # the soft check in mappings.remarks that looks at the value
    most: int = 0  # longest text in characters, 0 without limit; longer is remarked and never cut


class Part(BaseModel):
    """A piece of a referral: frozen, deaf to what it does not know, and silent about its content."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, populate_by_name=True)

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        return ()  # a repr ends up in logs and tracebacks; rich and devtools ask here too

    def __str__(self) -> str:
        return repr(self)
