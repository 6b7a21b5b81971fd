"""The site's main key: read from its file or from the environment, and made on first use.

What it wraps is the business of `pipelines.keyring`.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from pipelines.wrapping import KeyFault


def read_master(file: Path) -> bytes:
    """Read the site's master key from its file, or make one there that only its owner may read.

    Raises KeyFault if the file is there and does not hold 64 hexadecimal digits.
    """
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = secrets.token_bytes(32)
        part = file.with_suffix(f".{os.getpid()}.part")
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as out:
            out.write(fresh.hex() + "\n")
            out.flush()
            os.fsync(out.fileno())
        try:
            os.link(part, file)  # of two that start at once, one wins and both read the winner's
        except FileExistsError:
            pass
        finally:
            part.unlink()
    return parse_master(file.read_text(encoding="ascii", errors="replace"), file.name)


def next_to(file: Path) -> Path:
    """Where a rotation keeps the key that takes the place of this one, until it has."""
    return file.with_name(f"{file.name}.next")


def put_in_place(file: Path, id: str) -> Path | None:
    """Let the next key take the place of a file's, which is kept beside it under its fingerprint: backups of the key
    store from before need it. Returns where; None if there is no next key. Safe to repeat after a kill at any point."""
    fresh = next_to(file)
    if not fresh.exists():
        return None
    kept = file.with_name(f"{file.name}.{id}")
    if not kept.exists():
        os.link(file, kept)
    fresh.replace(file)
    return kept


def parse_master(text: str, where: str) -> bytes:
    """Read 64 hexadecimal digits. Raises KeyFault naming `where`."""
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != 32:
        raise KeyFault(f"{where} must hold the site's master key as 64 hexadecimal digits; put the right file back")
    return key
