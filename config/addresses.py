"""The address of a server in settings: a URL without a password, or a reference to one."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from config.declared import REFERENCE, refusal
from config.findings import kind_of

_REFERENCE = re.compile(REFERENCE)
_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s]*")
_PASSWORD_IN_URL = re.compile(r"://[^/@\s]*:[^/@\s]+@")


def _address(value: Any) -> str:
    """Accept a URL without a password, or a reference to one."""
    if not isinstance(value, str):
        raise refusal(kind_of(value), "a URL", "write it as text")
    if _REFERENCE.fullmatch(value):
        return value
    if _PASSWORD_IN_URL.search(value):
        expected = "a URL without a password, or a reference"
        raise refusal("a URL with a password in it", expected, "put the whole URL in the environment: env:DOLEN_...")
    if not _URL.fullmatch(value):
        raise refusal("a text that is no URL", "a URL such as sqlite:///ledger.db", "begin with the scheme and ://")
    return value


Address = Annotated[
    str, BeforeValidator(_address), WithJsonSchema({"type": "string", "pattern": rf"^(?:{REFERENCE}|{_URL.pattern})$"})
]
