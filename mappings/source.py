"""One Python function made at compile time out of fixed templates, so that a row costs no call while it is plain.

What a file says (paths, codes, values) is never part of the text: it is held as a value and the text knows it as c0,
c1 ... `line` refuses every name but those, so the text of a function says only how many rows of which kind there are.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from types import CodeType
from typing import Any

_NAME = re.compile(r"[a-z]+[0-9]*", re.ASCII)
DEEPEST = 12  # groups inside groups that are written out; Python itself ends at a hundred indents


class Source:
    """The text of one function while it grows, and the values that it holds."""

    def __init__(self, *arguments: str) -> None:
        self._lines = [f"def run({', '.join(map(_plain, arguments))}):"]
        self._held: dict[str, Any] = {}
        self._names: dict[int, str] = {}
        self._locals = 0

    @property
    def text(self) -> str:
        """What has been written so far."""
        return "\n".join(self._lines)

    def hold(self, value: Any) -> str:
        """Hold a value; returns the name by which the text knows it."""
        name = self._names.get(id(value))
        if name is None:
            name = self._names[id(value)] = f"c{len(self._held)}"
            self._held[name] = value
        return name

    def local(self, letter: str) -> str:
        """Return a new name for a variable."""
        self._locals += 1
        return f"{letter}{self._locals}"

    def line(self, depth: int, template: str, **names: str) -> None:
        """Write one line. `template`: our own text; `names`: what stands in its braces, from `hold` and `local`."""
        self._lines.append("    " * depth + template.format(**{key: _plain(name) for key, name in names.items()}))

    def made(self) -> Callable[..., Any]:
        """Make the function."""
        space = dict(self._held)
        exec(_compiled(self.text), space)  # noqa: S102 - only templates of ours, see above
        run: Callable[..., Any] = space["run"]
        return run


@lru_cache(maxsize=256)  # what councils share is the same text in each of their mappings
def _compiled(text: str) -> CodeType:
    return compile(text, "<a mapping's rows>", "exec")


@lru_cache(maxsize=4096)  # c12, v3: the same few in every text
def _plain(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError("a name in generated text is letters and a number, and nothing that a file says")
    return name
