"""Guessing which of our codes a system's code is: by its spelling, by the text beside it, by its first letter."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mappings import fieldpaths
from mappings.guesses import CODES
from mappings.meta import Coded

_WORD = re.compile(r"[a-zâêîôûŵŷ]+|\d+")
_EMPTY = frozenset({"progress", "nfa", "to", "the", "a", "and", "or", "of", "for", "support"})


@dataclass(frozen=True, slots=True)
class CodeGuess:
    """One row of a code list, as it may be."""

    theirs: str
    ours: str
    cy: str
    en: str
    sure: str
    direction: str = "both"


def codes_for(
    field: str, theirs: Iterable[str], displays: Mapping[str, str], description: str = ""
) -> tuple[list[CodeGuess], list[str]]:
    """Pair the codes of a system with those of one field; and list the codes that look like none."""
    declared = fieldpaths.field_of(field)
    ours = list(declared.meta.codes) if declared is not None and declared.meta.codes else []
    told = list(theirs)
    shown = _from_description(told, description) | {code: text for code, text in displays.items() if text}
    found, unmatched, written = [], [], set()
    for code in told:
        match = _match(field, code, shown.get(code, ""), ours)
        if match is None:
            unmatched.append(code)
            continue
        member, sure = match
        direction = "read" if member in written else "both"
        written.add(member)
        found.append(CodeGuess(code, member.value, member.cy, member.en, sure, direction))
    return found, unmatched


def _from_description(codes: list[str], description: str) -> dict[str, str]:
    """The texts of codes that a description lists in their order: `male, female, other, unknown`."""
    parts = [part.strip() for part in re.split(r"[,;]", description) if part.strip()]
    named = {part.partition("=")[0].strip(): part.partition("=")[2].strip() for part in parts if "=" in part}
    if named:
        return named
    return dict(zip(codes, parts, strict=True)) if len(parts) == len(codes) else {}


def _match(field: str, code: str, display: str, ours: list[Coded]) -> tuple[Coded, str] | None:
    by_value = {member.value: member for member in ours}
    for text, sure in ((code, "sure"), (display, "sure")):
        plain = _plain(text)
        if not plain:
            continue
        for member in ours:
            if plain in (_plain(member.value), _plain(member.en), _plain(member.cy)):
                return member, sure
        if (known := CODES.get(field, {}).get(plain)) in by_value:
            return by_value[known or ""], "likely"
    for text in (display, code):
        said = _words(text)
        hits = [member for member in ours if said and said <= (_words(member.value) | _words(member.en))]
        if len(hits) == 1:
            return hits[0], "likely"
    if len(code) == 1 and code.isalpha():
        hits = [member for member in ours if code.lower() in (member.value[0], member.en[0].lower())]
        exact = [member for member in hits if member.value[0] == code.lower()]
        if len(hits) == 1 or len(exact) == 1:
            return (hits if len(hits) == 1 else exact)[0], "unsure"
    return None


def _plain(text: str) -> str:
    return "".join(_WORD.findall(text.lower()))


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.lower())) - _EMPTY
