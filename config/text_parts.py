"""What a text costs: in how many parts it is sent and billed.

Rules: 3GPP TS 23.038 (the 7-bit alphabet and its extension, whose signs count twice) and TS 23.040 (a text of several
parts loses room in each: 160 signs become 153 a part; in 16-bit letters 70 become 67). One letter outside the alphabet
makes a whole text 16-bit. Of the Welsh letters with an accent those of `CHEAP` are in it; â ê î ô û ŵ ŷ, ë, ï and the
acute ones but é are not. They are shown with their cost and never taken away: a Welsh word without its accent is
another word.
"""

from __future__ import annotations

import string
from dataclasses import dataclass

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà" + string.digits + string.ascii_letters
)
_EXTENDED = frozenset("\f^{}\\[~]|€")  # each is sent as two signs

#: The letters that Welsh writes with an accent.
WELSH = "âêîôûŵŷáéíóúẃýàèìòùẁỳäëïöüẅÿ"
#: Those of them, small and capital, that cost no more than a plain letter.
CHEAP = "".join(sorted(letter for letter in WELSH + WELSH.upper() if letter in _BASIC))
#: A text of more parts than this is refused by some networks; Notify takes 918 signs, which are six parts.
MOST_PARTS = 6


@dataclass(frozen=True, slots=True)
class Cost:
    """How one text is sent. `signs` are 7-bit signs, or 16-bit letters where `unicode`; `because`: the letters why."""

    signs: int
    parts: int
    unicode: bool
    because: str = ""

    def __str__(self) -> str:
        alphabet = f"16-bit because of {' '.join(self.because)}" if self.unicode else "7-bit"
        return f"{self.signs} signs, {self.parts} part{'' if self.parts == 1 else 's'}, {alphabet}"


def cost(text: str) -> Cost:
    """Say in how many parts a text is sent. An empty text is none."""
    strange = "".join(dict.fromkeys(letter for letter in text if letter not in _BASIC and letter not in _EXTENDED))
    if strange:
        widths = [len(letter.encode("utf-16-le")) // 2 for letter in text]
        return Cost(sum(widths), _parts(widths, 70, 67), True, strange)
    widths = [2 if letter in _EXTENDED else 1 for letter in text]
    return Cost(sum(widths), _parts(widths, 160, 153), False)


def _parts(widths: list[int], alone: int, together: int) -> int:
    """A sign of two halves is never cut in two, so that a part may stay one short."""
    if sum(widths) <= alone:
        return 1 if widths else 0
    parts, room = 1, together
    for width in widths:
        if width > room:
            parts, room = parts + 1, together
        room -= width
    return parts
