"""Secrets that somebody else holds - a cookie, a link, a token: made by chance, kept here as a hash alone.

Each has 256 bits of chance, so that a plain hash of it tells nothing and needs neither salt nor slowness. It is looked
up by that hash, and compared in constant time.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

#: Longest text that is looked at at all.
_LONGEST = 200


def new_secret(prefix: str = "") -> str:
    """A secret of 256 bits, as 43 letters and digits that are safe in a URL, after a prefix that says what it is."""
    return prefix + secrets.token_urlsafe(32)


def hash_of(secret: str, what: str) -> str:
    """What is kept of a secret. `what` it is for: a link's hash is no session's."""
    return hashlib.sha256(f"{what}|{secret[:_LONGEST]}".encode("utf-8", "replace")).hexdigest()


def derived(secret: str, what: str) -> str:
    """Something that only the holder of the secret, and we when shown it, can make of it; 64 hexadecimal digits."""
    return hmac.new(secret.encode("utf-8", "replace"), what.encode(), hashlib.sha256).hexdigest()


def same(one: str, other: str) -> bool:
    """Whether two texts are equal, without telling by the time it takes where they differ."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))
