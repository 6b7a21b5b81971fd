"""How hard English words are to read, by a measure that is plainly stated: the Flesch-Kincaid grade.

grade = 0.39 x words a sentence + 11.8 x syllables a word - 15.59 (Kincaid and others, 1975, for the US Navy). A grade
and five is about the age of a pupil who reads it with ease. Syllables are counted by groups of vowels, which is right
for about nine words of ten; it is a hint for whoever writes, and no verdict. There is no such measure for Welsh that we
know of, so Welsh is read by its named checker.
"""

from __future__ import annotations

import re

_SENTENCE = re.compile(r"[.!?]+(?:\s|$)")
_WORD = re.compile(r"[A-Za-z][A-Za-z'’]*")
_VOWELS = re.compile(r"[aeiouy]+")
_PLACEHOLDER = re.compile(r"\(\([^()]*\)\)")


def grade(text: str) -> float:
    """The grade of an English text, one decimal; 0.0 for one without words. A placeholder counts as one short word."""
    plain = _PLACEHOLDER.sub("one", text)
    words = _WORD.findall(plain)
    if not words:
        return 0.0
    sentences = max(1, len([part for part in _SENTENCE.split(plain) if _WORD.search(part)]))
    syllables = sum(_syllables(word.lower()) for word in words)
    return round(0.39 * len(words) / sentences + 11.8 * syllables / len(words) - 15.59, 1)


def _syllables(word: str) -> int:
    found = len(_VOWELS.findall(word))
    silent = word.endswith("e") and not word.endswith(("le", "ee", "ie"))
    spoken = word.endswith("ed") and not word.endswith(("ted", "ded"))
    return max(1, found - (1 if silent or spoken else 0))
