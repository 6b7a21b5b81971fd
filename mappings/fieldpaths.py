"""The grammar of `ours`: the paths by which mapping files, facts and field ownership name a referral's fields.

Dotted names; a filter in brackets picks one member of a list, `person.telecom[system=phone,use=mobile].value`;
empty brackets mean every member and serve look-ups in the declaration only, `needs[].code`. Under `extensions` names
are free: `extensions.contact.transport_needs`. Look-ups here are by declaration, never by value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import NamedTuple

from mappings.declaration import Field, declared
from mappings.meta import Kind, Sensitivity

_SEGMENT = re.compile(r"([a-z][a-z0-9_]*)(?:\[([^\]]*)\])?", re.ASCII)
_FREE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)  # names under `extensions` belong to the supplier
_TERM = re.compile(r"\s*([a-z][a-z0-9_]*)\s*=\s*([A-Za-z0-9_.:/+-]+)\s*", re.ASCII)

# G6: a field in which an unknown code or a wrong type stops the record, each with all that is below it.
NEEDED = (
    "council",
    "person.date_of_birth",
    "person.name.family",
    "person.name.given",
    "person.nhs_number",
    "priority",
    "restricted_record",
    "safeguarding_flag",
    "service_requested",
    "status",
    "type",
)


class BadPath(ValueError):
    """The text is not a field path; the message says what was expected. Paths hold no personal data."""


class Step(NamedTuple):
    """One segment: a name, and for a list `where` - the filter, () for every member, None for no brackets."""

    name: str
    where: tuple[tuple[str, str], ...] | None = None


@dataclass(frozen=True, slots=True)
class FieldType:
    """What the value of a path is. `many`: a list of it. `codes`: our closed list, () if open or not coded.

    `members`: the names inside, where the kind is object.
    """

    kind: Kind
    many: bool = False
    codes: tuple[str, ...] = ()
    members: tuple[str, ...] = ()


@lru_cache(maxsize=4096)
def parse(path: str) -> tuple[Step, ...]:
    """The path as steps, filters sorted by key. Raises BadPath."""
    raise NotImplementedError


def normalise(path: str) -> str:
    """The one spelling of a path: no spaces, filters sorted by key. Raises BadPath."""
    raise NotImplementedError


def check(path: str, within: str = "") -> str | None:
    """What is wrong with a path that names the value of a row, as a sentence with a did-you-mean; None if nothing.

    `within`: the list of an `each` row (`needs`), against whose members the path is then read.
    """
    raise NotImplementedError


def field_of(path: str) -> Field | None:
    """The declaration behind a path (also of an object), None where there is none."""
    raise NotImplementedError


def type_of(path: str, within: str = "") -> FieldType:
    """What the value of the path is. Raises BadPath for a path that `check` refuses."""
    raise NotImplementedError


def sensitivity(path: str) -> Sensitivity:
    """The strictest sensitivity of the field and of all below it; special for what is not declared."""
    raise NotImplementedError


def group(path: str) -> str:
    """The first segment: the unit of field ownership."""
    return re.split(r"[.\[]", path, maxsplit=1)[0].strip()


def needed(path: str) -> bool:
    """Whether an unknown code or wrong type there stops the record (design: nothing guessed)."""
    raise NotImplementedError
