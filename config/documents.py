"""Reading one YAML file into plain data, remembering where every key stood.

YAML 1.2, and less of it: no anchors, aliases, tags, merge keys, second documents or duplicate keys, because each of
them lets a file say something else than its reader sees. `NO` stays the text "NO", `12:30` the text "12:30" and
`0123` the text "0123": a telephone number or a code must not turn into a number unseen. A plain file is read quickly
(`config.quick`); one in which anything is odd is read by the parser that knows YAML 1.2 and says what is wrong with it.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from config.findings import Finding, KeyPath, Problem, Severity, SiteFaults, dotted, errors
from config.nodes import Place, Tree
from config.quick import quick_tree

LARGEST_FILE = 2 * 1024 * 1024  # bytes; a real mapping has some tens of kilobytes, and 2 MB take ten seconds to read


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML file as plain data. Every key of a section is a text, as it was written."""

    data: Any = field(repr=False)
    file: Path
    name: str  # how the file is called in findings: relative to the site where possible
    text: str = field(repr=False)
    places: dict[KeyPath, Place] = field(repr=False)

    def where(self, path: Iterable[str | int]) -> tuple[int, int]:
        """Return line and column (from 1) of a key or list item, or of its nearest ancestor that is there."""
        steps = tuple(path)
        while steps and steps not in self.places:
            steps = steps[:-1]
        place = self.places.get(steps)
        return (place.line, place.column) if place else (1, 1)

    def finding(
        self,
        path: Iterable[str | int],
        *,
        found: str,
        expected: str,
        remedy: str,
        severity: Severity = Severity.ERROR,
    ) -> Finding:
        """Make a finding at a path of this document."""
        steps = tuple(path)
        line, column = self.where(steps)
        return Finding(self.name, line, column, dotted(steps), found, expected, remedy, severity)

    def locate(self, problems: Iterable[Problem]) -> tuple[Finding, ...]:
        """Give each problem its line."""
        return tuple(
            self.finding(p.path, found=p.found, expected=p.expected, remedy=p.remedy, severity=p.severity)
            for p in problems
        )


def read_yaml(path: Path, *, name: str = "") -> Document:
    """Read a YAML file. `name` is what findings call it (default: the path as given).

    Raises SiteFaults with everything that is wrong with the file as YAML; never anything else.
    """
    shown_as = name or path.as_posix()
    return parse_yaml(_bytes_of(path, shown_as), path, name=shown_as)


def parse_yaml(raw: bytes, path: Path, *, name: str = "") -> Document:
    """Read YAML from bytes as `read_yaml` does; `path` and `name` say where they came from."""
    shown_as = name or path.as_posix()
    if len(raw) > LARGEST_FILE:
        raise SiteFaults([_too_large(shown_as, len(raw))])
    text = _text_of(raw, shown_as)
    problems = [*_indented_with_tabs(text, shown_as), *_unseen_letters(text, shown_as)]
    if problems:
        raise SiteFaults(problems)
    tree = quick_tree(text, shown_as)
    if tree is not None:
        return Document(tree.data, path, shown_as, text, tree.places)
    tree = Tree(shown_as)
    try:
        for event in YAML(typ="safe", pure=True).parse(io.StringIO(text)):
            if not tree.take(event):
                break
    except MarkedYAMLError as error:
        raise SiteFaults([*tree.findings, _syntax(error, shown_as)]) from None
    except Exception as error:
        # The parser is known to fall over malformed input with bare IndexErrors and the like. Whatever it raises,
        # the file is what must be mended, and a traceback would show the file's values.
        raise SiteFaults([*tree.findings, _unparsed(shown_as, tree.line, type(error).__name__)]) from None
    if errors(tree.findings):
        raise SiteFaults(tree.findings)
    return Document(tree.data, path, shown_as, text, tree.places)


def _bytes_of(path: Path, name: str) -> bytes:
    try:
        if not path.exists():
            raise SiteFaults([_whole(name, "no such file", "a YAML file", "create it, or correct its name")])
        if not path.is_file():
            raise SiteFaults([_whole(name, "something that is not a file", "a YAML file", "put a file in its place")])
        with path.open("rb") as stream:
            raw = stream.read(LARGEST_FILE + 1)
        if len(raw) > LARGEST_FILE:
            raise SiteFaults([_too_large(name, path.stat().st_size)])
    except OSError as error:
        reason = error.strerror or type(error).__name__
        finding = _whole(name, f"a file that cannot be read ({reason})", "a readable file", "correct its permissions")
        raise SiteFaults([finding]) from None
    return raw


def _text_of(raw: bytes, name: str) -> str:
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise SiteFaults([_whole(name, "text saved as UTF-16", "UTF-8", "save the file with the encoding UTF-8")])
    if raw.startswith(codecs.BOM_UTF8):
        raw = raw[len(codecs.BOM_UTF8) :]  # Windows editors put it there; it means nothing
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line, column = _line_and_column(raw[: error.start].decode("utf-8", "replace"))
        found = f"the byte 0x{raw[error.start]:02X}, which is not UTF-8 (the file looks like Windows-1252)"
        remedy = "save the file with the encoding UTF-8, then check the accented letters (â ê î ô û ŵ ŷ £ ’)"
        raise SiteFaults([Finding(name, line, column, "", found, "text in UTF-8", remedy)]) from None


_TAB = ("a tab", "spaces", "indent with two spaces a level, never with tabs")


def _indented_with_tabs(text: str, name: str) -> Iterator[Finding]:
    for number, line in enumerate(text.splitlines(), start=1):
        indent = line[: len(line) - len(line.lstrip(" \t"))]
        if "\t" in indent and line.strip():
            column = indent.index("\t") + 1
            yield Finding(name, number, column, "", *_TAB)
            return  # one is enough: whoever mends it replaces them all


_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")


def _unseen_letters(text: str, name: str) -> Iterator[Finding]:
    """Refuse letters that a reader cannot see: control letters, and marks that turn the direction of the text."""
    for match in _UNSEEN.finditer(text):
        line, column = _line_and_column(text[: match.start()])
        found = f"the invisible letter U+{ord(match[0]):04X}"
        yield Finding(name, line, column, "", found, "letters that can be seen", "delete it and type the line again")
        return


def _line_and_column(before: str) -> tuple[int, int]:
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def _whole(name: str, found: str, expected: str, remedy: str) -> Finding:
    return Finding(name, 0, 0, "", found, expected, remedy)


def _too_large(name: str, size: int) -> Finding:
    limit = LARGEST_FILE // (1024 * 1024)
    return _whole(name, f"a file of {size} bytes", f"{limit} MB at most", "split it, or move lists into CSV code lists")


def _unparsed(name: str, line: int, error: str) -> Finding:
    remedy = "look at the lines just below this one for a bracket, quote or colon too many"
    return Finding(name, line, 1, "", f"text that cannot be read as YAML ({error})", "YAML", remedy)


# What the parser says, and what a person needs to hear. The first that fits counts.
_WORDS: tuple[tuple[str, str, str, str], ...] = (
    ("'\\t'", *_TAB),
    (
        "mapping values are not allowed",
        "a second colon on the line, or a line indented too far",
        "one `key: value` a line",
        "put the value in quotes if it holds `: `, or correct the indentation",
    ),
    ("could not find expected ':'", "a line without a colon", "`key: value`", "add the colon and a space after it"),
    ("escape", "a backslash in double quotes", "a known escape", "write the value in single quotes"),
    ("quoted scalar", "a quote that is never closed", "a closing quote", "close the quote on the same line"),
    ("',' or ']'", "a list that is never closed", "`]`", "close the bracket, or put a comma between the items"),
    ("',' or '}'", "a section that is never closed", "`}`", "close the brace, or put a comma between the keys"),
    (
        "<block end>",
        "a line indented differently from its neighbours",
        "the same indentation for the keys of one section",
        "line the key up with those above it",
    ),
    ("that cannot start any token", "a letter that cannot begin a value", "a value", "put the value in quotes"),
    ("directive", "a line that begins with `%`", "settings only", "take the line out"),
    ("alias", "a `*` at the start of a value", "a value", "put the value in quotes"),
    ("anchor", "an `&` at the start of a value", "a value", "put the value in quotes"),
)


def _syntax(error: MarkedYAMLError, name: str) -> Finding:
    """Turn the parser's complaint into a finding. Its snippet of the file is left out: it may hold a secret."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    said = f"{error.context or ''} {error.problem or ''}"
    for phrase, found, expected, remedy in _WORDS:
        if phrase in said:
            return Finding(name, line, column, "", found, expected, remedy)
    return _unparsed(name, line, "syntax")
