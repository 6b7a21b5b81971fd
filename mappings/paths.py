"""Paths into a system's record, as a mapping file's `theirs` spells them.

`A/B/C` goes down, `@code` is an attribute, `.` is an element's own text, and `contacts[type=mobile]/value` picks
the one item of a list whose keys hold fixed values. Records read from XML and from JSON are walked alike: see the
port of the connectors for how XML becomes plain data.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_STEP = re.compile(r"(?P<key>@?[^\[\]/@=,\s.]+(?:[. -][^\[\]/@=,\s.]+)*|\.)(?:\[(?P<where>[^\[\]]*)\])?")


class PathError(ValueError):
    """A path cannot be read. `found` and `expected` are for the person who wrote it."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(f"found {found}; expected {expected}")
        self.found = found
        self.expected = expected


@dataclass(frozen=True, slots=True)
class Step:
    """One step down: a key, and for a list the fixed keys that pick an item of it."""

    key: str
    where: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        if not self.where:
            return self.key
        return f"{self.key}[{','.join(f'{key}={value}' for key, value in self.where)}]"


Path = tuple[Step, ...]


def parse(text: str) -> Path:
    """Read a path. Raises PathError."""
    steps = tuple(_step(part, text) for part in _split(text))
    for step in steps[:-1]:
        if step.key == "." or step.key.startswith("@"):
            raise PathError(
                f"{text!r}, which goes on below {step.key!r}", "an attribute or a text at the end of a path"
            )
    if steps[-1].where and steps[-1].key in (".",):
        raise PathError(repr(text), "no filter on a text")
    return steps


def spell(path: Path) -> str:
    """Write a path the one way that this project spells it."""
    return "/".join(str(step) for step in path)


def contains(outer: Path, inner: Path) -> bool:
    """Say whether writing `outer` would overwrite `inner`: they are the same, or `inner` lies inside.

    `contacts` contains `contacts[type=mobile]/value`; two different picks from one list do not meet.
    """
    at = len(outer) - 1
    if at >= len(inner) or outer[:at] != inner[:at]:
        return False
    last, meets = outer[at], inner[at]
    return last.key == meets.key and (last.where == meets.where or not last.where)


def _split(text: str) -> list[str]:
    """Split at slashes outside brackets."""
    return re.split(r"/(?![^\[\]]*\])", text)


def _step(part: str, whole: str) -> Step:
    match = _STEP.fullmatch(part)
    if match is None:
        what = "an empty step" if not part else f"the step {part!r}"
        raise PathError(
            f"{what} in {whole!r}", "steps such as Subject, @code, . or contacts[type=mobile], between slashes"
        )
    where = match["where"]
    if where is None:
        return Step(match["key"])
    pairs = []
    for pair in where.split(","):
        key, equals, value = pair.partition("=")
        if not equals or not key.strip() or not value.strip():
            raise PathError(f"the filter [{where}] in {whole!r}", "key=value, several with commas")
        pairs.append((key.strip(), value.strip()))
    return Step(match["key"], tuple(sorted(pairs)))
