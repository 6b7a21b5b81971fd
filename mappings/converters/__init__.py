"""The named converters: pairs of read and write with a stated law, made once per row and then only called.

`make` builds one from its name and options; `NAMES` lists them; `Converter` and the errors live in `port`.
To add one: write its factory in the file of its subject, add its line to `FACTORIES`, state its law, and give the
law test its examples.
"""

from __future__ import annotations

from collections.abc import Mapping

from mappings.converters.port import BadOption, Converter, TooLong, WrongType
from mappings.meta import Json, Kind

__all__ = ["NAMES", "BadOption", "Converter", "TooLong", "WrongType", "default_for", "make"]

NAMES: tuple[str, ...] = (
    "text", "trimmed", "date", "partial-date", "time", "local-time", "offset-time", "boolean", "opposite", "integer",
    "number-as-text", "phone", "postcode", "nhs-number", "list", "lines", "joined", "as-is",
)  # fmt: skip


def make(name: str, options: Mapping[str, Json] | None = None, *, zone: str = "UTC") -> Converter:
    """The converter of that name.

    Options for all: `absent` (list of their values that mean "known to be empty"; the first is written for None).
    Some also: `at_most`, `separator`, `format`, `wire`, `true`, `false`, `country`, `written` (see each factory).
    `zone`: IANA name of the clock of times without offset. Raises BadOption, which says what was expected.
    """
    raise NotImplementedError


def default_for(kind: Kind, many: bool) -> str:
    """The converter of a row that names none, by what our field is."""
    raise NotImplementedError
