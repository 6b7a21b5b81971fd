"""What a converter is: a pair of plain functions with a law, and the errors it may raise.

A converter gets a string or another JSON value of the system's record and gives the JSON value of a fact; `write`
goes back. Neither ever puts the value into an error message. A site declares its own through this port too: one
module under `converters/` with a table `CONVERTERS` from names to `Declared`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

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


@dataclass(frozen=True, slots=True)
class Several:
    """One named pair between one value (the whole) and several (its parts), whichever side has the several.

    apart: the whole as its parts, as many as were asked for, None where a part is not there. together: the parts as the
    whole. Both raise WrongType; neither is called for nothing at all.
    The law: `together(apart(w)) == w` for each w that `together` can give and `apart(together(p)) == p` for each p that
    `apart` can give, save where `loses` says otherwise: then a row that goes both ways must be declared lossy.
    `note(parts)`: as a converter's, where the parts are theirs.
    """

    name: str
    apart: Callable[[Json], Sequence[Json]]
    together: Callable[[Sequence[Json]], Json]
    law: str
    loses: str = ""
    note: Callable[[Sequence[Json]], str | None] | None = None


@dataclass(frozen=True, slots=True)
class SeveralRequest:
    """What a factory of `Several` gets. `fields`: what our fields are, each with whether it is a list."""

    name: str
    options: Mapping[str, Json]
    zone: str
    fields: tuple[tuple[Kind, bool], ...]
    theirs: int  # how many paths there are on their side

    @property
    def ours_are_parts(self) -> bool:
        """Whether one value of theirs is several fields of ours."""
        return len(self.fields) > 1

    @property
    def parts(self) -> int:
        """How many values the whole is taken apart into."""
        return max(len(self.fields), self.theirs)

    def choice(self, option: str, among: Collection[str], default: str) -> str:
        """One of some words. Raises BadOption."""
        return Request(self.name, self.options, self.zone).choice(option, among, default)

    def must(self, fits: bool, side: str, expected: str) -> None:
        """Refuse a row whose fields or paths the converter cannot work with. `side`: ours or theirs."""
        if not fits:
            raise BadOption(side, expected)


SeveralFactory = Callable[[SeveralRequest], Several]


@dataclass(frozen=True, slots=True)
class Example:
    """Their value and ours, as a declaration shows them; the law is tried on them. Invented, never a person's."""

    theirs: Json
    ours: Json
    options: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Declared:
    """A converter as it is declared: what makes it, the options it takes (name: meaning), and examples."""

    factory: Factory
    options: Mapping[str, str] = field(default_factory=dict)
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class OwnConverter:
    """A converter that a site adds, with the text of its module: a version can be mapped again as it was then."""

    declared: Declared
    digest: str
    source: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DeclaredSeveral:
    """A converter between one and several as it is declared. `example`: the row, and what the two sides hold."""

    factory: SeveralFactory
    options: Mapping[str, str]
    example: Mapping[str, Json]


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
