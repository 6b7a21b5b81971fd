"""What a converter is: a pair of plain functions with a law, and the errors it may raise.

A converter gets a string or another JSON value of the system's record and gives the JSON value of a fact; `write`
goes back. Neither ever puts the value into an error message.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from mappings.meta import Json, Kind

Convert = Callable[[Json], Json]


class WrongType(ValueError):
    """The value is not of the kind that the converter reads or writes. `expected` says what is, never what was."""

    def __init__(self, expected: str) -> None:
        super().__init__(f"expected {expected}")
        self.expected = expected


class TooLong(WrongType):
    """The value has more characters or members than the target takes; it is never cut."""


class BadOption(ValueError):
    """An option of a mapping row that the converter does not know or cannot use."""

    def __init__(self, option: str, expected: str) -> None:
        super().__init__(f"{option}: expected {expected}")
        self.option = option
        self.expected = expected


@dataclass(frozen=True, slots=True)
class Converter:
    """One named pair.

    read: their JSON value to ours; None and "" give None (known to be empty). write: ours to theirs; None gives the
    first of `absent`, else None. Both raise WrongType.
    The law of every converter: `read(write(v)) == v` for each v that `read` can give, save where `law` says otherwise.
    `exact`: also `write(read(x)) == x` for each x it reads. `kinds`: what our field may be; `many`: ours is a list.
    `theirs`: JSON type names that `write` gives. `note(raw)`: a remark code about a value that was read with a choice
    made (`ambiguous-time`, `no-such-time`), else None. `read_keeps`, `write_keeps`: str or bool where any value of that
    type that is not empty comes out as it went in, so that nobody needs to ask; list, for `write_keeps`, where any list
    of texts does, with no empty one in it; None where nothing can be said. `swift_read`, `swift_write`: what read and
    write give for the most common values, where nothing is remarked, and None for all others; they raise nothing.
    """

    name: str
    read: Convert
    write: Convert
    law: str
    kinds: tuple[Kind, ...]
    theirs: tuple[str, ...]
    many: bool = False
    exact: bool = False
    note: Callable[[Json], str | None] | None = None
    read_keeps: type | None = None
    write_keeps: type | None = None
    swift_read: Convert | None = None
    swift_write: Convert | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What a factory gets: the name it was asked for by, the row's options, and the zone of times without offset."""

    name: str
    options: Mapping[str, Json]
    zone: str

    def choice(self, option: str, among: Collection[str], default: str) -> str:
        """One of some words. Raises BadOption."""
        value = self.options.get(option, default)
        if not isinstance(value, str) or value not in among:
            raise BadOption(option, f"one of {', '.join(among)}")
        return value

    def texts(self, option: str) -> tuple[str, ...]:
        """A text or a list of texts, () where the option is not given. Raises BadOption."""
        value = self.options.get(option, [])
        values = value if isinstance(value, list) else [value]
        if (option in self.options and not values) or not all(isinstance(one, str) and one for one in values):
            raise BadOption(option, "a text or a list of texts, none of them empty")
        return tuple(values)


Factory = Callable[[Request], Converter]


def with_absent(converter: Converter, absent: object) -> Converter:
    """The converter with empty values taken care of: None, "" and the values of `absent` read as None.

    Raises BadOption where `absent` is not a list of texts, numbers or booleans.
    """
    if not isinstance(absent, list | tuple) or not all(isinstance(one, str | int | float | bool) for one in absent):
        raise BadOption("absent", "a list of texts, numbers or booleans")
    inner_read, inner_write = converter.read, converter.write
    if not absent:

        def read(raw: Json) -> Json:
            return None if raw is None or raw == "" else inner_read(raw)

        def write(value: Json) -> Json:
            return None if value is None else inner_write(value)

        return replace(converter, read=read, write=write)

    first = absent[0]
    # By type too: 0 is not False, and a record's true is not 1.
    empties = frozenset((type(one), one) for one in absent)
    scalars = (str, int, float, bool)

    def read_absent(raw: Json) -> Json:
        if raw is None or raw == "" or (type(raw) in scalars and (type(raw), raw) in empties):
            return None
        return inner_read(raw)

    def write_absent(value: Json) -> Json:
        if value is None:
            return first
        written = inner_write(value)
        if type(written) in scalars and (type(written), written) in empties:
            raise WrongType("a value that does not mean `absent` over there")
        return written

    return replace(
        converter,
        read=read_absent,
        write=write_absent,
        read_keeps=None,
        write_keeps=None,
        swift_read=None,
        swift_write=None,
    )
