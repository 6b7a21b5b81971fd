"""What is laid around a converter when a row says more than its name: code lists, lists of one, lengths."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mappings.converters import TooLong, WrongType
from mappings.meta import Json


class UnknownCode(WrongType):
    """The code list has no row for the value."""


def spelled(value: Json) -> str:
    """The text by which a filter compares a value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def through(convert: Callable[[Json], Json], table: Mapping[str, str]) -> Callable[[Json], Json]:
    """Read a code: what the converter gives is looked up. A number or boolean is looked up as it is spelled."""

    def read(raw: Json) -> Json:
        if type(raw) is str and raw in table:
            return table[raw]
        value = convert(raw if isinstance(raw, str | dict | list) or raw is None else spelled(raw))
        if value is None:
            return None
        found = table.get(spelled(value))
        if found is None:
            raise UnknownCode("a code of the list")
        return found

    return read


def through_back(convert: Callable[[Json], Json], table: Mapping[str, str]) -> Callable[[Json], Json]:
    """Write a code."""

    def write(value: Json) -> Json:
        found = table.get(spelled(value))
        if found is None:
            raise UnknownCode("a code of the list")
        return convert(found)

    return write


def itemwise(convert: Callable[[Json], Json], *, dropping_none: bool = False) -> Callable[[Json], Json]:
    """Convert each item; a single value counts as a list of one, nothing at all as an empty list."""

    def items(raw: Json) -> Json:
        if raw is None or raw == "":
            return None
        converted = [convert(item) for item in (raw if isinstance(raw, list) else [raw])]
        if dropping_none:
            return [item for item in converted if item is not None] or None
        return converted

    return items


def at_most(convert: Callable[[Json], Json], length: int) -> Callable[[Json], Json]:
    """Refuse a text (or a text of a list) that is longer than the system holds."""

    def write(value: Json) -> Json:
        written = convert(value)
        if isinstance(written, str):
            fits = len(written) <= length
        else:
            fits = not isinstance(written, list) or all(
                len(text) <= length for text in written if isinstance(text, str)
            )
        if not fits:
            raise TooLong(f"at most {length} characters")
        return written

    return write


def at_most_items(convert: Callable[[Json], Json], most: int) -> Callable[[Json], Json]:
    """Refuse a list that is longer than the system holds."""

    def write(value: Json) -> Json:
        written = convert(value)
        if isinstance(written, list) and len(written) > most:
            raise TooLong(f"at most {most} items")
        return written

    return write
