"""The keys of a site as it is built: the main key that opens their store, and that store and ledger belong together."""

from __future__ import annotations

from collections.abc import Mapping

from config.site import Site
from pipelines.keystore import KeyFault, KeyStore
from pipelines.ledger import Ledger, get_meta, set_meta
from pipelines.mainkey import parse_master, read_master


def belong_together(ledger: Ledger, keys: KeyStore) -> None:
    """Refuse a key store that is not this ledger's: its payloads could not be read, and new ones not elsewhere."""
    identity = keys.identity
    with ledger.reading() as connection:
        known = get_meta(connection, "key store")
    if known is None:
        with ledger.writing() as connection:
            known = get_meta(connection, "key store")
            if known is None:
                set_meta(connection, "key store", identity)
    if known not in (None, identity):
        keys.close()
        raise KeyFault(
            f"the key store {keys.name} does not belong to this ledger; name the one that does in keys.store, on every "
            "machine the same"
        )


def master_of(site: Site, environment: Mapping[str, str] | None) -> bytes:
    """Return the site's main key, from the place that keys.main names. Raises KeyFault, SecretMissing."""
    reference = site.settings.keys.main
    if reference.startswith("file:"):
        return read_master(site.root / reference.removeprefix("file:"))
    return parse_master(site.secret(reference, environment), f"keys.main ({reference})")
