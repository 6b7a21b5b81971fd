"""Gaps: the fields that records went on without, listed until they arrive (G6).

The list shows the newest of each record: what its source showed last and could not be read, and what its target was
sent last and could not be written. Ids, field names and code lists; never a value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipelines import causes
from pipelines.batch import Batch
from pipelines.causes import gap_cause
from pipelines.rows import Held

if TYPE_CHECKING:
    from mappings.mapping import Gap
    from pipelines.vault import Vault

READ, WRITE = "read", "write"


def note(
    batch: Batch, connection: str, kind: str, side: str, held: Held, found: Sequence[Gap], **at: Held
) -> list[list[Any]] | None:
    """List what was left out of a record; what was listed before must have been taken off before.

    `at`: the version or delivery that it was left out of. Returns what the version itself keeps of it: field, code
    list and cause of each, None if nothing was left out.
    """
    noted = []
    for gap in found:
        cause_id = causes.note(batch.connection, batch.council.code, gap_cause(connection, side, gap), batch.now)
        batch.gaps.add(
            council=batch.council.code,
            connection=connection,
            kind=kind,
            side=side,
            record_id=held,
            **{"version_id": None, "delivery_id": None, **at},
            field=gap.field,
            code_list=gap.code_list,
            code=mark_of(batch.vault, batch.council.code, [gap], gap.code_list),
            cause_id=cause_id,
            at=batch.now,
        )
        noted.append([gap.field, gap.code_list, cause_id])
    return noted or None


def mark_of(vault: Vault, council: str, found: Sequence[Gap], code_list: str) -> str:
    """The keyed hash of what was given where a code of this list was wanted, "" where none was.

    Records that wait for one code have one mark, so that the ledger can count them, and only one of them need be opened
    for the person who is to say what the code means.
    """
    if not code_list:
        return ""
    given = sorted([one.field, one.value] for one in found if one.code_list == code_list)
    return vault.hash_value(council, f"codes/{code_list}", given)
