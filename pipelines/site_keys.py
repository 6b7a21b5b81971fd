"""The keys of a site as it is built: the main key that opens their store, and that store and ledger belong together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from config.places import SERVICE, Places
from pipelines.keystore import KeyFault, KeyStore
from pipelines.ledger import Ledger, get_meta, set_meta
from pipelines.mainkey import next_to, parse_master, read_master

if TYPE_CHECKING:
    from config.keys import RemoteKeys
    from config.site import Site

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
    """Return a site's main keys, see `mains_at`. Raises KeyFault, SecretMissing."""
    return mains_at(site.places, environment, site.settings.keys.service)


def mains_at(
    places: Places, environment: Mapping[str, str] | None, service: RemoteKeys | None = None
) -> list[bytes]:
    """Return the main keys: that of keys.main, and the one that a rotation puts in its place where there is one.

    Raises KeyFault, SecretMissing.
    """
    mains = [main_at(places, places.main, "keys.main", environment, service)]
    file = main_file(places)
    if places.next is not None:
        mains.append(main_at(places, places.next, "keys.next", environment, service))
    elif file is not None and next_to(file).exists():
        mains.append(read_master(next_to(file)))
    return mains


def main_file(places: Places) -> Path | None:
    """The file of the main key; None where it is elsewhere."""
    return places.root / places.main.removeprefix(FILE) if places.main.startswith(FILE) else None


def main_at(
    places: Places,
    reference: str,
    setting: str,
    environment: Mapping[str, str] | None,
    service: RemoteKeys | None = None,
) -> bytes:
    """Return the main key that a reference leads to; the file of `keys.main` is made where nothing was ever sealed.

    Raises KeyFault too where that file is gone and a key store in a file is there: a new key in its place would open
    nothing, and whoever looks for the old one would take it for that.
    """
    if setting == "keys.main" and reference.startswith(FILE):
        file = places.root / reference.removeprefix(FILE)
        store = places.data_folder / places.keys.removeprefix(SQLITE)
        if not file.exists() and places.keys.startswith(SQLITE) and store.exists():
            raise KeyFault(
                f"the main key is gone: keys.main leads to {reference.removeprefix(FILE)}, which is not there, and the "
                "key store is; put it back from where you keep its copy"
            )
        return read_master(file)
    if reference.startswith(SERVICE) and service is not None:
        from pipelines import remote_keys  # which loads what speaks to systems; a key file needs none of it

        name = reference.removeprefix(SERVICE)
        text = remote_keys.read(service, name, lambda found: places.secret(found, environment))
    else:
        text = places.secret(reference, environment)
    return parse_master(text, f"{setting} ({reference})")
