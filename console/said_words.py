"""What the movement says, in Welsh: lines of a story, reasons, what a try was told as, what could not be done.

The ledger keeps sentences in the English in which they were noted, and the movement raises its own in English. Each
stands once in `said.toml` beside its Welsh, which awaits a Welsh checker; what a system or a person said stays as it
was said, and is told apart so that a page can mark it as English.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

from console.cause_words import in_welsh as cause_in_welsh

#: Some words, and whether they are Welsh or may be read in either language.
Piece = tuple[str, bool]
_HERE = Path(__file__).parent
_WORDS = _HERE / "web" / "words"
#: Placeholders whose names the pages' own words translate, each by the file (and how its keys begin) that holds them.
_NAMED = {"state": ("state", "task.state_"), "action": ("action",), "try": ("try",), "outcome": ("outcome",)}
_BETWEEN = "; "


def pieces(words: str) -> list[Piece] | None:
    """A sentence, or several with semicolons between them, in Welsh as far as it is known; None where nothing is."""
    whole = _whole(words)
    if whole is not None:
        return whole
    parts = words.split(_BETWEEN)
    found: list[Piece] = []
    at, known = 0, False
    while at < len(parts):
        for end in range(len(parts), at, -1):
            said = _whole(_BETWEEN.join(parts[at:end]))
            if said is not None:
                known = True
                break
        else:
            end, said = at + 1, [(parts[at], False)]
        found += ([(_BETWEEN, True)] if found else []) + said
        at = end
    return found if known else None


def in_welsh(words: str) -> str | None:
    """A sentence that is known as a whole; None for any other."""
    found = pieces(words)
    return "".join(text for text, _ in found) if found and all(welsh for _, welsh in found) else None


def _whole(words: str) -> list[Piece] | None:
    cause = cause_in_welsh(words)
    if cause is not None:
        return [(cause, True)]
    for shape, welsh in _shapes():
        if match := shape.fullmatch(words):
            found: list[Piece] = []
            for text, name in welsh:
                found += [(text, True)] if text else []
                if name == "words":
                    found += pieces(match[name]) or [(match[name], False)]
                elif name:
                    found.append((_names(name).get(match[name], match[name]), True))
            return found
    return None


@cache
def _shapes() -> tuple[tuple[re.Pattern[str], tuple[tuple[str, str], ...]], ...]:
    """Each English sentence as a pattern, and its Welsh in parts; the sentences with most words of their own first."""
    said = tomllib.loads((_HERE / "said.toml").read_text(encoding="utf-8"))["said"]
    said.sort(key=lambda one: -len(re.sub(r"\{\w+\}", "", one["en"])))
    return tuple((_pattern(one["en"]), _parts(one["cy"])) for one in said)


def _parts(text: str) -> tuple[tuple[str, str], ...]:
    """(Words, the name of the placeholder behind them) of a sentence."""
    found = [*re.split(r"\{(\w+)\}", text), ""]
    return tuple(zip(found[::2], found[1::2], strict=True))


def _pattern(text: str) -> re.Pattern[str]:
    shape = ""
    for words, name in _parts(text):
        shape += re.escape(words)
        if name in _NAMED:
            shape += f"(?P<{name}>{'|'.join(sorted(map(re.escape, _names(name)), key=len, reverse=True))})"
        elif name:
            shape += f"(?P<{name}>.+)" if name == "words" else f"(?P<{name}>(?:(?!{_BETWEEN}).)+?)"
    return re.compile(shape, re.DOTALL)


@cache
def _names(name: str) -> dict[str, str]:
    """What may stand for a placeholder that is translated: as the movement says it -> its Welsh."""
    found = {}
    for place in _NAMED.get(name, ()):
        file, _, begins = place.partition(".")
        for key, both in tomllib.loads((_WORDS / f"{file}.toml").read_text(encoding="utf-8")).items():
            if key.startswith(begins):
                found[key.removeprefix(begins).replace("_", " ")] = str(both["cy"])
    return found
