"""The single values of settings: texts that may be references, secrets that must be, addresses, and files.

A reference (`env:NAME`, `file:PATH`) is resolved by the function that the caller passes as
`context={"secret": resolve}`, so this room never reads the environment.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
)

REFERENCE_PREFIXES = ("env:", "file:")
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Closed(BaseModel):
    """A model that refuses keys it does not know and never shows what it was given."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, str_strip_whitespace=True)


def _resolver(info: ValidationInfo) -> Callable[[str], str]:
    resolve: Callable[[str], str] | None = (info.context or {}).get("secret")
    if resolve is None:
        raise ValueError("a reference cannot be resolved here: no secret resolver was given")
    return resolve


def _resolve_text(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, str) and value.startswith(REFERENCE_PREFIXES):
        return _resolver(info)(value)
    return value


def _resolve_secret(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str):
        raise ValueError("a secret is written as a reference: env:NAME or file:PATH")  # noqa: TRY004 - pydantic's way
    if not value.startswith(REFERENCE_PREFIXES):
        raise ValueError("a secret itself must not stand in a file: write env:NAME or file:PATH")
    return _resolver(info)(value)


def _one_line(value: str) -> str:
    if any(ord(sign) < 32 or ord(sign) == 127 for sign in value):
        raise ValueError("holds a control character such as a line break; is there one at the end of the file?")
    return value


def _one_line_secret(value: SecretStr) -> SecretStr:
    _one_line(value.get_secret_value())
    return value


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("write a whole address such as https://casework.example.org/soap")
    _ = parts.port  # raises ValueError for a port that is no number
    if parts.username is not None or parts.password is not None:
        raise ValueError("a user name or password must not stand in the address: use `login`")
    if parts.fragment:
        raise ValueError("leave out the part behind #")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ValueError("write https: people's records must not travel in clear (http is for this machine alone)")
    return value


def proxy_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("write the proxy as http://proxy.example.org:3128")
    return value


def _existing_file(value: Path) -> Path:
    if not value.is_file():
        raise ValueError("there is no such file: write the path of a PEM file of certificates")
    return value


Resolved = BeforeValidator(_resolve_text)  # a text that may be a reference
Text = Annotated[str, BeforeValidator(_resolve_text), Field(min_length=1), AfterValidator(_one_line)]
Secret = Annotated[SecretStr, BeforeValidator(_resolve_secret), Field(min_length=1), AfterValidator(_one_line_secret)]
SecretBlock = Annotated[SecretStr, BeforeValidator(_resolve_secret), Field(min_length=1)]  # of several lines: a key
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")]
Field_ = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")]  # the name of a field in a form
WebAddress = Annotated[str, BeforeValidator(_resolve_text), AfterValidator(_web_address)]
ExistingFile = Annotated[Path, BeforeValidator(_resolve_text), AfterValidator(_existing_file)]
