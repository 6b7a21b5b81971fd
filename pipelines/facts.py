"""A referral's merged facts as the ledger keeps them: value, who gave it, and in which revision.

They rest as one encrypted payload a revision. `plain` is what routes, mappings and texts look at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from pipelines.merge import Known
from pipelines.vault import Vault

Facts = dict[str, Known]


def load(connection: Connection, vault: Vault, council: str, payload: str) -> Facts:
    """Open the facts of one revision."""
    return {
        name: (value, by, revision)
        for name, (value, by, revision) in vault.get_json(connection, council, payload).items()
    }


def save(connection: Connection, vault: Vault, council: str, facts: Facts, person: str, now: int) -> str:
    """Seal the facts of one revision; return the payload's id."""
    return vault.put_json(connection, council, "facts", facts, now, person)


def plain(facts: Facts) -> dict[str, Any]:
    """The values alone."""
    return {name: known[0] for name, known in facts.items()}


def source_field(connection: str) -> str:
    """Where the number that the first system gave the request stands."""
    return f"source_identifiers[system={connection}].value"


def target_field(connection: str) -> str:
    """Where the number that any system holds the referral under stands."""
    return f"target_identifiers[system={connection}].value"


def number_in(facts: Mapping[str, Any], connection: str) -> str:
    """The referral's number in a connection, "" while it has none."""
    return str(facts.get(target_field(connection)) or "")
