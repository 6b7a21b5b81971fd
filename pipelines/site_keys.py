"""The keys of a site as it is built: the main key that opens their store, and that store and ledger belong together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from config.keys import SERVICE
from config.site import Site
from pipelines.keystore import KeyFault, KeyStore
from pipelines.ledger import Ledger, get_meta, set_meta
from pipelines.mainkey import next_to, parse_master, read_master

FILE, SQLITE = "file:", "sqlite:///"


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


def mains_of(site: Site, environment: Mapping[str, str] | None) -> list[bytes]:
    """Return the site's main keys: that of keys.main, and the one that a rotation puts in its place where there is one.

    Raises KeyFault, SecretMissing.
    """
    settings = site.settings.keys
    mains = [main_at(site, settings.main, "keys.main", environment)]
    file = main_file(site)
    if settings.next is not None:
        mains.append(main_at(site, settings.next, "keys.next", environment))
    elif file is not None and next_to(file).exists():
        mains.append(read_master(next_to(file)))
    return mains


def main_file(site: Site) -> Path | None:
    """The file of the main key; None where it is elsewhere."""
    reference = site.settings.keys.main
    return site.root / reference.removeprefix(FILE) if reference.startswith(FILE) else None


def main_at(site: Site, reference: str, setting: str, environment: Mapping[str, str] | None) -> bytes:
    """Return the main key that a reference leads to; the file of `keys.main` is made where nothing was ever sealed.

    Raises KeyFault too where that file is gone and a key store in a file is there: a new key in its place would open
    nothing, and whoever looks for the old one would take it for that.
    """
    if setting == "keys.main" and reference.startswith(FILE):
        file, store = site.root / reference.removeprefix(FILE), site.settings.keys.store
        if not file.exists() and store.startswith(SQLITE) and (site.data_folder / store.removeprefix(SQLITE)).exists():
            raise KeyFault(
                f"the main key is gone: keys.main leads to {reference.removeprefix(FILE)}, which is not there, and the "
                "key store is; put it back from where you keep its copy"
            )
        return read_master(file)
    if reference.startswith(SERVICE) and site.settings.keys.service is not None:
        from pipelines import remote_keys  # which loads what speaks to systems; a key file needs none of it

        name = reference.removeprefix(SERVICE)
        text = remote_keys.read(site.settings.keys.service, name, lambda found: site.secret(found, environment))
    else:
        text = site.secret(reference, environment)
    return parse_master(text, f"{setting} ({reference})")
