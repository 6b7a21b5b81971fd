"""What is wrong in a site, said so that a person can mend it: file, line, column, key, found, expected, remedy.

A finding never shows a value that could be personal or secret. Keys and members of a closed list are shown,
because a misspelt word cannot be mended unseen; of everything else only its kind is named.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

KeyPath = tuple[str | int, ...]

SHOWN_CHARACTERS = 60  # longer than any key or code of ours; a pasted letter or token is cut short of use


class Severity(StrEnum):
    """Whether a site with this finding may be used."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing to mend. `line` and `column` count from 1; `line` 0 means the file as a whole."""

    file: str
    line: int
    column: int
    key: str
    found: str
    expected: str
    remedy: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        subject = f"{place} {self.key}" if self.key else place
        return f"{subject}: found {self.found}, expected {self.expected}; {self.remedy}"


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding that does not yet know its line: `path` leads into the data of one document."""

    path: KeyPath
    found: str
    expected: str
    remedy: str
    severity: Severity = Severity.ERROR


class SiteFaults(Exception):
    """The site, or one of its files, cannot be used. `findings` holds everything that was found, in file order."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings: tuple[Finding, ...] = in_order(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort findings by file, line and column, each once."""
    return tuple(sorted(set(findings)))


def errors(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Keep those that stand in the way of using the file."""
    return tuple(finding for finding in findings if finding.severity is Severity.ERROR)


def dotted(path: Sequence[str | int]) -> str:
    """Write a key path as a person would: `routes[0].arrive_within`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{clean(step)}" if text else clean(step)
    return text


def clean(text: str) -> str:
    """Take out what could break a line or colour a terminal, and cut what is too long to be a key."""
    printable = "".join(letter if letter.isprintable() else "?" for letter in text)
    return printable if len(printable) <= SHOWN_CHARACTERS else printable[: SHOWN_CHARACTERS - 1] + "…"


def shown(word: str) -> str:
    """Quote a key or a member of a closed list."""
    return f"'{clean(word)}'"


def kind_of(value: object) -> str:
    """Name the kind of a value without showing it."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int():
            return "a whole number"
        case float():
            return "a number with a fraction"
        case str():
            return "a text" if value.strip() else "an empty text"
        case list():
            return "a list" if value else "an empty list"
        case dict():
            return "a section with keys" if value else "an empty section"
        case _:
            return "something else"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return "did you mean 'x'?" for the nearest known word, or "" when none is near."""
    names = sorted(set(known))
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if not near:
        folded = word.casefold().replace("_", "-")
        near = [name for name in names if name.casefold().replace("_", "-") == folded][:1]
    return f"did you mean {shown(near[0])}?" if near else ""


def one_of(words: Iterable[str], most: int = 20) -> str:
    """List what may be written: "one of a, b, c"."""
    names = sorted(set(words))
    if not names:
        return "nothing here"
    tail = f" and {len(names) - most} more" if len(names) > most else ""
    return "one of " + ", ".join(clean(name) for name in names[:most]) + tail
