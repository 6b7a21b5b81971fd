"""One key wrapped by another: AES-256-GCM, bound to the row that it stands in, so that none can be put elsewhere."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pipelines.chance import draw


class KeyFault(RuntimeError):
    """A key is missing or is the wrong one. The message says where to look and never shows a key."""


def wrap(wrapping: AESGCM, key: bytes, bound: str) -> bytes:
    """Nonce and ciphertext of a key. `bound` names its row and its holder."""
    nonce = draw(12)
    return nonce + wrapping.encrypt(nonce, key, bound.encode())


def unwrap(wrapping: AESGCM, wrapped: bytes, bound: str, store: str) -> bytes:
    """The key again. Raises KeyFault, naming the store, where its row was changed or the key is another."""
    try:
        return wrapping.decrypt(wrapped[:12], wrapped[12:], bound.encode())
    except InvalidTag:
        raise KeyFault(
            f"a key in {store} cannot be unwrapped: the master key is not the one it was made with, or its row was "
            "changed; put back the key store's backup"
        ) from None


def data_bound(id: str, council: str, holder: str) -> str:
    """What a data key is bound to."""
    return f"{id}|{council}|{holder}"


def person_bound(person: str, council: str) -> str:
    """What a person's key is bound to."""
    return f"person|{person}|{council}"
