"""What a converter is: a pair of plain functions with a law, and the errors it may raise.

A converter gets a string or another JSON value of the system's record and gives the JSON value of a fact; `write`
goes back. Neither ever puts the value into an error message.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mappings.meta import Json, Kind


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
    first of `absent`, else None. Both raise WrongType (TooLong from write where `at_most` is passed).
    The law of every converter: `read(write(v)) == v` for each v that `read` can give, save where `law` says otherwise.
    `exact`: also `write(read(x)) == x` for each x it reads. `kinds`: what our field may be; `many`: ours is a list.
    `theirs`: JSON type names that `write` gives. `note(raw)`: a remark code about a value that was read with a choice
    made (`ambiguous-time`, `no-such-time`), else None.
    """

    name: str
    read: Callable[[Json], Json]
    write: Callable[[Json], Json]
    law: str
    kinds: tuple[Kind, ...]
    theirs: tuple[str, ...]
    many: bool = False
    exact: bool = False
    note: Callable[[Json], str | None] | None = None
