"""Converters of lists of text: one or many, address lines, and a list that a system keeps in one text."""

from __future__ import annotations

from mappings.converters.port import BadOption, Converter, Request, WrongType
from mappings.meta import Json, Kind

_TEXTS = (Kind.TEXT, Kind.CODE)


def _members(value: Json) -> list[str]:
    """The members of one or many; a list that holds one member is often sent without the list around it."""
    members = value if isinstance(value, list) else [value]
    for member in members:
        if member is not None and not isinstance(member, str):
            raise WrongType("text, or a list of texts")
    return [member for member in members if member]


def _plain(value: Json) -> Json:
    """A list of texts with something in each."""
    if type(value) is not list:
        return None
    for member in value:
        if type(member) is not str or not member:
            return None
    return value.copy() or None


def _list(value: Json) -> Json:
    return _members(value) or None


def _written(value: Json) -> Json:
    if not isinstance(value, list):
        raise WrongType("a list of texts")
    return _members(value)


def list_(request: Request) -> Converter:
    """A list of texts, also where it comes as one text; empty members are left out."""
    law = "empty members are lost, and whether one member came as a list"
    return Converter(
        request.name, _list, _written, law, _TEXTS, ("array",), many=True, write_keeps=list, swift_read=_plain
    )


def _lines(value: Json) -> Json:
    lines = [line.strip() for member in _members(value) for line in member.splitlines()]
    return [line for line in lines if line] or None


def lines(request: Request) -> Converter:
    """Address lines: as a list of texts, each trimmed, line breaks in a member parting it."""
    law = "empty lines and spaces around a line are lost"
    return Converter(request.name, _lines, _written, law, (Kind.TEXT,), ("array",), many=True, write_keeps=list)


def joined(request: Request) -> Converter:
    """A list that they keep in one text. `separator`: what parts the members, a line break if not given."""
    separator = request.options.get("separator", "\n")
    if not isinstance(separator, str) or not separator:
        raise BadOption("separator", "a text that is not empty")
    parts = separator.strip() or separator  # ", " also reads "a,b"

    def read(value: Json) -> Json:
        if not isinstance(value, str):
            raise WrongType("text")
        return [member for part in value.split(parts) if (member := part.strip())] or None

    def write(value: Json) -> Json:
        if not isinstance(value, list):
            raise WrongType("a list of texts")
        members = _members(value)
        if any(parts in member for member in members):
            raise WrongType("members without the separator in them")
        return separator.join(members)

    law = "empty members and spaces around a member are lost"
    return Converter(request.name, read, write, law, _TEXTS, ("string",), many=True)
