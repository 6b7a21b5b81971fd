"""Identifiers that we mint.

Rows that travel (referrals, persons, payloads, delivery keys) have UUIDs that sort by time, as RFC 9562 section 5.7
(version 7) lays out, so that an index stays warm at its end. People are shown short letters and numbers: d12, v7.
"""

from __future__ import annotations

import time

from pipelines.chance import draw

#: No vowels and no look-alikes, so that it can be read aloud on the telephone in either language.
_SPOKEN = "23456789CDFGHJKMNPRTVWX"
#: The bits of a version-7 UUID that are the same in all: its version and its variant.
_FIXED = 0xF << 76 | 0b11 << 62


def new_id() -> str:
    """Return a new version-7 UUID as text."""
    milliseconds = time.time_ns() // 1_000_000
    chance = int.from_bytes(draw(10), "big")
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | (chance & ~_FIXED) | 0x7 << 76 | 0b10 << 62
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def citizen_reference() -> str:
    """Return a reference for the resident, such as "H7K-2MT-9": not guessable, safe to read aloud."""
    # Twice as many bits as are needed, so that no letter is likelier than another by more than one in 2 to the 40.
    drawn, letters = int.from_bytes(draw(10), "big"), ""
    for _ in range(9):
        drawn, place = divmod(drawn, len(_SPOKEN))
        letters += _SPOKEN[place]
    return f"{letters[:3]}-{letters[3:6]}-{letters[6:]}"


def number_of(shown: str, letter: str) -> int | None:
    """Read "d12" or "12" as 12; None if it is not such an id."""
    text = shown.strip().lower().removeprefix(letter)
    return int(text) if text.isdecimal() and len(text) < 19 else None
