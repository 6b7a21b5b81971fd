"""Converters of plain values: text, numbers, booleans, and a value as it is."""

from __future__ import annotations

import re

from mappings.converters.port import BadOption, Converter, Request, WrongType
from mappings.meta import Json, Kind

_TEXTS = (Kind.TEXT, Kind.CODE)
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_CANONICAL = re.compile(r"0|-?[1-9][0-9]{0,18}", re.ASCII)
_YES = ("true", "1", "yes", "y", "t", "oes", "ydy", "ie")  # what systems in Wales have been seen to say
_NO = ("false", "0", "no", "n", "f", "nac oes", "nac ydy", "na")


def _text(value: Json) -> Json:
    if isinstance(value, str):
        return value
    raise WrongType("text")


def text(request: Request) -> Converter:
    """Text as it is, spaces and all."""
    return Converter(
        request.name, _text, _text, "nothing changes", _TEXTS, ("string",), exact=True, read_keeps=str, write_keeps=str
    )


def _trimmed(value: Json) -> Json:
    if isinstance(value, str):
        return value.strip() or None
    raise WrongType("text")


def trimmed(request: Request) -> Converter:
    """Text without the spaces around it."""
    law = "spaces around the text are lost"
    return Converter(request.name, _trimmed, _text, law, _TEXTS, ("string",), write_keeps=str)


def as_is(request: Request) -> Converter:
    """Any JSON value, unchanged."""
    types = ("string", "number", "integer", "boolean", "array", "object")
    return Converter(request.name, _same, _same, "nothing changes", tuple(Kind), types, exact=True)


def _same(value: Json) -> Json:
    return value


def _integer(value: Json) -> Json:
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(value)
    if isinstance(value, str) and _WHOLE.fullmatch(trimmed_text := value.strip()):
        return int(trimmed_text)
    raise WrongType("a whole number")


def integer(request: Request) -> Converter:
    """A whole number, also where it is spelled as text. `wire`: json writes a number, text its digits."""
    as_text = request.choice("wire", ("json", "text"), "json") == "text"

    def write(value: Json) -> Json:
        if type(value) is not int:
            raise WrongType("a whole number")
        return str(value) if as_text else value

    theirs = ("string",) if as_text else ("integer",)
    return Converter(request.name, _integer, write, "the spelling of the number is lost", (Kind.INTEGER,), theirs)


def number_as_text(request: Request) -> Converter:
    """Their number, our text: for ids that a system keeps as numbers."""

    def read(value: Json) -> Json:
        if type(value) is int:
            return str(value)
        if isinstance(value, str) and _CANONICAL.fullmatch(value):
            return value
        raise WrongType("a whole number")

    def write(value: Json) -> Json:
        # A leading zero would be lost over there, and then it is another id.
        if isinstance(value, str) and _CANONICAL.fullmatch(value):
            return int(value)
        raise WrongType("digits without a leading zero")

    return Converter(request.name, read, write, "whether it came as a number or as text is lost", _TEXTS, ("integer",))


def boolean(request: Request) -> Converter:
    """True and false in several spellings, capitals or not.

    `yes`, `no`: their own spellings instead, of which the first is written. `wire`: json writes true, text "true".
    """
    return _boolean(request, turned=False)


def opposite(request: Request) -> Converter:
    """As boolean, turned round: their "do not text" is our "safe to text"."""
    return _boolean(request, turned=True)


def _boolean(request: Request, *, turned: bool) -> Converter:
    as_text = request.choice("wire", ("json", "text"), "json") == "text"
    yes, no = request.texts("yes"), request.texts("no")
    if bool(yes) != bool(no):
        raise BadOption("no" if yes else "yes", "both `yes` and `no`, or neither")
    table: dict[str, bool] = {spelling.casefold(): not turned for spelling in yes or _YES}
    for spelling in no or _NO:
        if spelling.casefold() in table:
            raise BadOption("no", "spellings that are not among `yes` too")
        table[spelling.casefold()] = turned
    wire: dict[bool, Json] = {True: not turned, False: turned}
    if yes:
        wire = {not turned: yes[0], turned: no[0]}
    elif as_text:
        wire = {ours: "true" if theirs else "false" for ours, theirs in wire.items()}

    def read(value: Json) -> Json:
        if type(value) is bool:
            return value is not turned
        if type(value) is int:
            value = str(value)
        found = table.get(value.strip().casefold()) if isinstance(value, str) else None
        if found is None:
            raise WrongType("true or false, in a known spelling")
        return found

    def write(value: Json) -> Json:
        if type(value) is not bool:
            raise WrongType("true or false")
        return wire[value]

    theirs = ("string",) if yes or as_text else ("boolean",)
    return Converter(
        request.name,
        read,
        write,
        "the spelling is lost",
        (Kind.BOOLEAN,),
        theirs,
        read_keeps=None if turned else bool,
        write_keeps=None if turned or yes or as_text else bool,
    )
