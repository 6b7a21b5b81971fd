"""The code lists of each council's case system. A caller's code outside them is refused; staff may bring in new ones.

A code that a council's own staff use belongs to its list from then on, as when its administrator adds one: that is
how a code nobody has mapped yet comes to reach an integration.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping

from sandbox.store import Json, Store

SHIPPED: Mapping[str, frozenset[str]] = {
    "Kind": frozenset({"CON", "REF", "ASR", "CAR", "SGR", "ONW", "SGN"}),
    "Status": frozenset({"NEW", "TRI", "ACC", "INP", "HLD", "REJ", "RED", "CAN", "CLO", "EIE"}),
    "Priority": frozenset({"P1", "P2", "P3"}),
    "Outcome": frozenset({"O01", "O02", "O03", "O04", "O05", "O06"}),
    "Need": frozenset({"N01", "N02", "N03", "N04", "N05", "N06", "N07", "N08"}),
}
OF_TENANT: Mapping[str, Mapping[str, frozenset[str]]] = {
    "blaenau-gwent": {"Priority": frozenset({"RED", "AMBER", "GREEN"})},
}


#: How the system shows codes: English and Welsh.
WORDS: Mapping[str, tuple[str, str]] = {
    "P1": ("Emergency", "Argyfwng"),
    "P2": ("Urgent", "Brys"),
    "P3": ("Routine", "Arferol"),
    "RED": ("Emergency", "Argyfwng"),
    "AMBER": ("Urgent", "Brys"),
    "GREEN": ("Routine", "Arferol"),
}


class CodeLists:
    """Which codes each tenant knows. Safe to use from several threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._added: dict[str, set[tuple[str, str]]] = {}

    def unknown(self, tenant: str, record: Json) -> Iterator[tuple[str, str, str]]:
        """Yield (path, list, code) for each code of the record that the tenant's lists do not hold."""
        for path, name, code in _codes(record):
            known = OF_TENANT.get(tenant, {}).get(name) or SHIPPED[name]
            if code not in known and (name, code) not in self._of(tenant):
                yield path, name, code

    def entries(self, tenant: str, name: str) -> Iterator[tuple[str, str, str]]:
        """Yield (code, English, Welsh) of one list, "" where its administrator wrote no Welsh."""
        codes = OF_TENANT.get(tenant, {}).get(name) or SHIPPED.get(name, frozenset())
        for code in sorted({*codes, *(added for of, added in self._of(tenant) if of == name)}):
            yield (code, *WORDS.get(code, (f"Code {code}", "")))

    def add(self, tenant: str, name: str, code: str) -> None:
        """Bring a code into the tenant's list, for good."""
        added = self._of(tenant)
        self._store.collection(tenant, "casework", "codes").put(f"{name}/{code}", {}, version=1, changed="")
        with self._lock:
            added.add((name, code))

    def _of(self, tenant: str) -> set[tuple[str, str]]:
        added = self._added.get(tenant)
        if added is None:
            ids = [document.id for document in self._store.collection(tenant, "casework", "codes").each()]
            with self._lock:
                added = self._added.setdefault(tenant, {(id.split("/")[0], id.split("/")[1]) for id in ids})
        return added


def _codes(record: Json) -> Iterator[tuple[str, str, str]]:
    for name in ("Kind", "Status", "Priority", "Outcome"):
        if name in record:
            yield f"Referral/{name}", name, record[name]
    for place, need in enumerate(record.get("Needs", {}).get("Need", []), start=1):
        yield f"Referral/Needs/Need[{place}]/@code", "Need", need["@code"]
