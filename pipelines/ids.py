"""Identifiers that we mint.

Rows that travel (referrals, persons, payloads, delivery keys) have UUIDs that sort by time, as RFC 9562 section 5.7
(version 7) lays out, so that an index stays warm at its end. People are shown short letters and numbers: d12, v7.
"""

from __future__ import annotations

import secrets
import time
import uuid

#: No vowels and no look-alikes, so that it can be read aloud on the telephone in either language.
_SPOKEN = "23456789CDFGHJKMNPRTVWX"


def new_id() -> str:
    """Return a new version-7 UUID as text."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | secrets.randbits(12) << 64
    value |= 0b10 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=value))


def citizen_reference() -> str:
    """Return a reference for the resident, such as "H7K-2MT-9": not guessable, safe to read aloud."""
    letters = "".join(secrets.choice(_SPOKEN) for _ in range(9))
    return f"{letters[:3]}-{letters[3:6]}-{letters[6:]}"


def number_of(shown: str, letter: str) -> int | None:
    """Read "d12" or "12" as 12; None if it is not such an id."""
    text = shown.strip().lower().removeprefix(letter)
    return int(text) if text.isdecimal() and len(text) < 19 else None
