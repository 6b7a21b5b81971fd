"""Dolen with nothing sealed and nothing kept out of its log: what `dolen bench privacy` compares with, never a site.

`python -m console.bench.in_clear run --site DIR` is `dolen run` with the same rows and transactions, in which payloads
rest as they are, no key is made, and a log line takes whatever it is given.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any

from console.main import main
from pipelines import logs, vault
from pipelines.ids import new_id
from pipelines.keystore import KeyStore


class _Open:
    """Takes payloads as they are."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys

    def seal(self, _council: str, _id: str, body: bytes, _person: str | None, **_: object) -> tuple[str, bytes]:
        return "", body

    def begin(self) -> Callable[[], None]:
        """Nothing has to be there before."""
        return lambda: None


def _unseal(_vault: vault.Vault, _council: str, _id: str, _key_id: str, body: bytes) -> bytes:
    return body


def _take(_keys: KeyStore, _council: str) -> tuple[str, bytes]:
    return new_id(), bytes(32)


def _everything(_logger: Any, _name: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return fields


if __name__ == "__main__":
    for owner, name, instead in (
        (vault, "Sealing", _Open),
        (vault.Vault, "unseal", _unseal),
        (vault.Vault, "prepare", lambda _vault, _key_ids: None),
        (vault.Vault, "hand_over", lambda _vault, _ledger, _limit=500: 0),
        (KeyStore, "take", _take),
        (logs, "_listed_only", _everything),
    ):
        setattr(owner, name, instead)
    main()
