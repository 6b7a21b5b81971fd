"""From the YAML parser's events to plain data: the part of YAML that we take, and a refusal for the rest.

Built from events with a stack of our own instead of the library's constructor, because only there can aliases,
duplicate keys and deep nesting be refused before they cost anything, and every value's place be kept for editing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from config.findings import Finding, KeyPath, clean, dotted, shown

DEEPEST = 24  # levels; our deepest file has about ten

# No leading zero and at most 18 digits: anything else made of digits is a code or a number to ring, and stays text.
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FRACTION = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})(\.[0-9]{1,17})")
_TRUTH = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a key (or list item) and its value stand. Lines and columns count from 1, offsets are characters."""

    line: int
    column: int
    start: int  # first character of the value
    end: int  # just behind the value; behind a section or list written in lines it may reach over blank lines
    style: str  # of a value: "plain", "'", '"', "|", ">"; of a section or list: "block" or "flow"


@dataclass(slots=True)
class _Open:
    """A section or list that is being read."""

    path: KeyPath
    items: dict[str, Any] | list[Any]
    line: int
    column: int
    start: int
    style: str
    key: str | None = None  # the key whose value comes next
    key_line: int = 0
    key_column: int = 0


class Tree:
    """Collects events into `data` and `places`; what is refused goes to `findings`, all of it at once."""

    def __init__(self, name: str) -> None:
        self.data: Any = None
        self.places: dict[KeyPath, Place] = {}
        self.findings: list[Finding] = []
        self.line = 1  # of the newest event, for when the parser falls over
        self._name = name
        self._open: list[_Open] = []
        self._documents = 0
        self._skipping = 0  # depth inside a refused key

    def take(self, event: Any) -> bool:
        """Take one event; False means that reading on would make no sense."""
        mark = event.start_mark
        self.line = mark.line + 1
        kind = type(event).__name__
        if kind == "DocumentStartEvent":
            return self._document(event)
        if getattr(event, "anchor", None) and kind != "AliasEvent":
            anchor = f"an anchor (&{clean(event.anchor)})"
            self._refuse(event, anchor, "each value written out", "write it out where it is used")
        if _tag(event):
            self._refuse(event, "a tag (!)", "plain values", "take it out; put the value in quotes if it begins with !")
        match kind:
            case "MappingStartEvent" | "SequenceStartEvent":
                return self._begin(event, {} if kind == "MappingStartEvent" else [])
            case "MappingEndEvent" | "SequenceEndEvent":
                self._end(event)
            case "ScalarEvent":
                value = plain(event.value) if event.style is None and event.implicit[0] else event.value
                self._scalar(event, value)
            case "AliasEvent":
                alias = f"an alias (*{clean(event.anchor)})"
                self._refuse(event, alias, "each value written out", "write the value out here")
                self._scalar(event, None)
        return True

    def _document(self, event: Any) -> bool:
        self._documents += 1
        if self._documents > 1:
            self._refuse(event, "a second document (---)", "one document a file", "move it into a file of its own")
            return False
        if event.version and tuple(event.version) != (1, 2):
            self._refuse(event, "a %YAML line", "YAML 1.2", "take the line out")
        return True

    def _begin(self, event: Any, items: dict[str, Any] | list[Any]) -> bool:
        mark = event.start_mark
        if self._skipping or self._wants_key():
            if not self._skipping:
                self._refuse(event, "a list or section as a key", "a text as a key", "write the key as one word")
            self._skipping += 1
            return self._skipping < DEEPEST
        if len(self._open) >= DEEPEST:
            deepest = f"{DEEPEST} levels at most"
            self._refuse(
                event, f"more than {DEEPEST} levels", deepest, "close the brackets; no file of ours nests so deep"
            )
            return False
        path = self._path()
        line, column = self._stands(mark)
        style = "flow" if event.flow_style else "block"
        self._open.append(_Open(path, items, line, column, mark.index, style))
        return True

    def _end(self, event: Any) -> None:
        if self._skipping:
            self._skipping -= 1
            if not self._skipping:
                self._open[-1].key = ""
            return
        done = self._open.pop()
        self.places[done.path] = Place(done.line, done.column, done.start, event.end_mark.index, done.style)
        self._keep(done.items)

    def _scalar(self, event: Any, value: Any) -> None:
        if self._skipping:
            return
        mark = event.start_mark
        if self._wants_key():
            top = self._open[-1]
            top.key = str(getattr(event, "value", ""))
            top.key_line, top.key_column = mark.line + 1, mark.column + 1
            if top.key in top.items:
                first = self.places.get((*top.path, top.key))
                before = f"; it stands already in line {first.line}" if first else ""
                self._refuse(event, f"the key {shown(top.key)} twice", "each key once", f"delete one of them{before}")
            return
        line, column = self._stands(mark)
        style = getattr(event, "style", None) or "plain"
        self.places.setdefault(self._path(), Place(line, column, mark.index, event.end_mark.index, style))
        self._keep(value)

    def _keep(self, value: Any) -> None:
        if not self._open:
            self.data = value
            return
        top = self._open[-1]
        if isinstance(top.items, list):
            top.items.append(value)
        else:
            top.items.setdefault(top.key or "", value)
            top.key = None

    def _wants_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1].items, dict) and self._open[-1].key is None

    def _path(self) -> KeyPath:
        if not self._open:
            return ()
        top = self._open[-1]
        return (*top.path, len(top.items) if isinstance(top.items, list) else top.key or "")

    def _stands(self, mark: Any) -> tuple[int, int]:
        """Return line and column of the key, or of the value itself in a list."""
        top = self._open[-1] if self._open else None
        if top is not None and isinstance(top.items, dict):
            return top.key_line, top.key_column
        return mark.line + 1, mark.column + 1

    def _refuse(self, event: Any, found: str, expected: str, remedy: str) -> None:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        self.findings.append(Finding(self._name, line, column, dotted(self._path()), found, expected, remedy))


def plain(text: str) -> Any:
    """Give an unquoted value its meaning: nothing, true or false, a number, else the text as it stands."""
    if text in _NOTHING:
        return None
    if text in _TRUTH:
        return _TRUTH[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    if _FRACTION.fullmatch(text):
        return float(text)
    return text


def _tag(event: Any) -> bool:
    # A lone "!" only says "this is a text", but a reader cannot know that.
    return bool(getattr(event, "tag", None) or getattr(event, "ctag", None))
