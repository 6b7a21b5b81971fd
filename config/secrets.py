"""Secrets stand in the environment or in files of their own; settings hold references: `env:NAME`, `file:PATH`.

No message here shows a secret. A file with a secret that others on the machine can read is used and warned about.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from config.findings import KeyPath, Problem, Severity, clean
from config.references import REFERENCE

LARGEST_SECRET = 64 * 1024  # bytes; a private key in PEM has some thousands

_REFERENCE = re.compile(REFERENCE)

# Keys whose value is a secret by its name. `key` is that of an API-key header; a url may be a reference but need not.
SECRET_KEYS = frozenset({"password", "client_secret", "api_key", "key", "secret", "token", "private_key", "passphrase"})


class SecretMissing(ValueError):
    """A reference leads to nothing that can be used. The message names the reference, never what it leads to."""


def is_reference(value: object) -> bool:
    """Say whether a value is a reference to a secret."""
    return isinstance(value, str) and _REFERENCE.fullmatch(value) is not None


def resolve(reference: str, *, beside: Path = Path(), environment: Mapping[str, str] | None = None) -> str:
    """Return what a reference leads to, without the line break at a file's end.

    `beside` is the folder that relative paths start from (the site's); `environment` defaults to the process's.
    Raises SecretMissing, and never shows a value.
    """
    if not is_reference(reference):
        raise SecretMissing("a secret must be written as env:NAME or file:PATH, not as itself")
    scheme, _, rest = reference.partition(":")
    if scheme == "env":
        value = (os.environ if environment is None else environment).get(rest, "")
        if not value:
            raise SecretMissing(f"the environment variable {clean(rest)} is not set: set it where Dolen is started")
        return value
    value = _from_file(beside / rest, reference)
    if not value:
        raise SecretMissing(f"the file of {clean(reference)} is empty: write the secret into it")
    return value


def _from_file(path: Path, reference: str) -> str:
    named = clean(reference)
    try:
        if not path.is_file():
            raise SecretMissing(f"there is no file at {named}: create it, readable only by the account Dolen runs as")
        with path.open("rb") as stream:
            raw = stream.read(LARGEST_SECRET + 1)
    except OSError:
        raise SecretMissing(f"the file of {named} cannot be read: give the account that Dolen runs as access") from None
    if len(raw) > LARGEST_SECRET:
        raise SecretMissing(f"the file of {named} is larger than 64 kB: does it hold a secret and nothing else?")
    try:
        return raw.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise SecretMissing(f"the file of {named} is not text in UTF-8: save it as such") from None


def readable_by_others(reference: str, *, beside: Path = Path()) -> bool:
    """Say whether a `file:` reference leads to a file that other accounts may read (POSIX only)."""
    if os.name != "posix" or not reference.startswith("file:"):
        return False
    try:
        mode = (beside / reference.removeprefix("file:")).stat().st_mode
    except (OSError, ValueError):
        return False
    return bool(mode & (stat.S_IRGRP | stat.S_IROTH | stat.S_IWGRP | stat.S_IWOTH))


def references(data: Any, at: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """List every reference in plain data, with its path."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield from references(value, (*at, str(key)))
    elif isinstance(data, list):
        for position, value in enumerate(data):
            yield from references(value, (*at, position))
    elif isinstance(data, str) and is_reference(data):
        yield at, data


def written_out(data: Any, at: KeyPath = ()) -> Iterator[Problem]:
    """Find secrets that stand in a file as themselves, and passwords inside URLs."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            path = (*at, str(key))
            if key in SECRET_KEYS and not isinstance(value, Mapping | list) and not is_reference(value):
                found = "nothing" if value is None else "something that is not a reference"
                remedy = "move the secret into the environment or a file, change it, and write env:NAME or file:PATH"
                yield Problem(path, found, "a reference: env:NAME or file:PATH", remedy)
            else:
                yield from written_out(value, path)
    elif isinstance(data, list):
        for position, value in enumerate(data):
            yield from written_out(value, (*at, position))
    elif isinstance(data, str) and re.search(r"://[^/@\s]*:[^/@\s]+@", data):
        yield Problem(at, "a URL with a password in it", "a URL without a login", "use `login`, with a reference")


def unusable(data: Any, *, beside: Path, environment: Mapping[str, str] | None = None) -> Iterator[Problem]:
    """Find references that lead nowhere now, and files that others can read (a warning)."""
    for path, reference in references(data):
        try:
            resolve(reference, beside=beside, environment=environment)
        except SecretMissing as missing:
            found, _, remedy = str(missing).partition(": ")
            yield Problem(path, found, "a secret behind the reference", remedy)
            continue
        if readable_by_others(reference, beside=beside):
            found = f"a file that other accounts can read ({clean(reference)})"
            yield Problem(path, found, "a file for one account", "run chmod 600 on it", Severity.WARNING)
