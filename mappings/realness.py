"""Whether a text may be of somebody real: by its shape, outside the ranges that are kept free for invention.

Used where only invented people may stand. It looks at shapes and says kinds; a value is never shown to anybody. Names
and addresses have no shape, so they are not found here: whoever writes a golden pair by hand must invent them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_NHS = re.compile(r"(?<![\w+.-])(\d{10}|\d{3}[ -]\d{3}[ -]\d{4})(?![\w-]|\.\d)", re.ASCII)
_PHONE = re.compile(
    r"(?<![\w.+/-])(?:(?:\+|00)44[ -]?(?:\(0\))?[ -]?|\(?0)[1-35789](?:[ ()-]{0,2}\d){8,9}(?![\w-]|\.\d)",
    re.ASCII,
)
_EMAIL = re.compile(r"[\w.+%-]+@((?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,})(?![\w-])")
_INSURANCE = re.compile(r"(?<!\w)([A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z])(?: ?\d\d){3} ?[A-D](?!\w)", re.ASCII)
#: Two letters with which no National Insurance number begins.
_NEVER_ISSUED = frozenset({"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"})
#: Numbers that Ofcom keeps free for stories, written nationally and without spaces.
_STORIES = re.compile(
    r"07700900\d{3}|01632960\d{3}|0(?:11[3-8]|121|131|141|151|161)4960\d{3}|02079460\d{3}|01914980\d{3}|02896496\d{3}"
    r"|02920180\d{3}|08081570\d{3}|09098790\d{3}|03069990\d{3}",
    re.ASCII,
)
_NOBODYS = re.compile(r"(?:^|\.)(?:example\.(?:org|com|net)|example|invalid|test|localhost)$")


def real_looking(text: str) -> tuple[str, ...]:
    """The kinds of number and address in a text that may be somebody's, each once."""
    return tuple(kind for kind, found in _KINDS if found(text))


def is_nhs_number(digits: str) -> bool:
    """Whether ten digits pass the check digit of an NHS number."""
    check = 11 - sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False)) % 11
    return check != 10 and check % 11 == int(digits[9])


def _nhs(text: str) -> bool:
    found = (re.sub(r"\D", "", hit.group()) for hit in _NHS.finditer(text))
    return any(not digits.startswith("999") and is_nhs_number(digits) for digits in found)


def _phone(text: str) -> bool:
    return any(_STORIES.fullmatch(national(hit.group())) is None for hit in _PHONE.finditer(text))


def national(number: str) -> str:
    """A telephone number the national way, digits alone."""
    digits = re.sub(r"\D", "", number.replace("(0)", "")).removeprefix("00" if not number.startswith("+") else "")
    return "0" + digits[2:] if digits.startswith("44") else digits


def _email(text: str) -> bool:
    return any(_NOBODYS.search(hit.group(1).lower()) is None for hit in _EMAIL.finditer(text))


def _insurance(text: str) -> bool:
    return any(hit.group(1) not in _NEVER_ISSUED for hit in _INSURANCE.finditer(text))


_KINDS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("an NHS number", _nhs),
    ("a telephone number", _phone),
    ("an email address", _email),
    ("a National Insurance number", _insurance),
)
