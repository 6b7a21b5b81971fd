"""Identifiers that we mint.

Rows that travel (referrals, persons, payloads, delivery keys) have UUIDs that sort by time, as RFC 9562 section 5.7
(version 7) lays out, so that an index stays warm at its end. People are shown short letters and numbers: d12, v7.
"""

from __future__ import annotations

import time

from pipelines.chance import draw

#: No vowels and no look-alikes, so that it can be read aloud on the telephone in either language.
_SPOKEN = "23456789CDFGHJKMNPRTVWX"
#: The digit with a UUID's variant: its upper two bits are the same in all, its lower two are chance.
_VARIANT = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}


def new_id() -> str:
    """Return a new version-7 UUID as text."""
    when = f"{time.time_ns() // 1_000_000:012x}"
    chance = draw(10).hex()
    return f"{when[:8]}-{when[8:]}-7{chance[:3]}-{_VARIANT[chance[3]]}{chance[4:7]}-{chance[7:19]}"


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
