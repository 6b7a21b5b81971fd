"""Hops: how often a field has gone to and fro between two systems by itself. Pure, rule R11 of docs/data-model.md.

Two systems that spell one postcode each in its own way would rewrite each other for ever, each with an edit that looks
like any other. So a referral counts, for each field, how often it changed hands and which values came by; after a
bounded number the values that came by before are not applied any more, and a person decides. What is kept are counts
and keyed hashes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pipelines.clock import SECOND
from pipelines.merge import Known

#: So often a field may change hands by itself with values that were there before.
MOST = 6
#: ... and so often with values that are new each time: officers on both sides type, systems append.
MOST_NEW = 24
#: Hops further apart than this are no fight.
WITHIN = 24 * 3600 * SECOND

#: field -> [hops, when the last was, the newest values' hashes]
Hops = Mapping[str, list[Any]]


def spent(hops: Hops | None, field: str, hash_: str, now: int) -> bool:
    """Say whether this value of a field may not be applied by itself any more."""
    times, at, hashes = (hops or {}).get(field, [0, 0, []])
    if now - at > WITHIN:
        return False
    return bool(times >= MOST_NEW or (times >= MOST and hash_ in hashes))


def after(
    hops: Hops | None,
    facts: Mapping[str, Known],
    changed: Collection[str],
    hashes: Mapping[str, str],
    *,
    by: str,
    passing: Collection[str],
    now: int,
) -> dict[str, list[Any]] | None:
    """Return the count after connection `by` changed these fields; None for nothing to count.

    `facts`: as they were before. `hashes`: of the values that it shows. `passing`: who may hand a field on; a field
    that the ledger itself gave was not taken from anybody.
    """
    standing = {name: one for name, one in (hops or {}).items() if now - one[1] <= WITHIN}
    for name in changed:
        before = facts.get(name)
        if before is None or before[1] == by or before[1] not in passing or name not in hashes:
            continue
        times, _, seen = standing.get(name, [0, 0, []])
        standing[name] = [times + 1, now, [*[mark for mark in seen if mark != hashes[name]], hashes[name]][-MOST:]]
    return standing or None


def forget(hops: Hops | None, field: str) -> dict[str, list[Any]] | None:
    """Return the count after a person has looked at a field: it starts anew."""
    return {name: one for name, one in (hops or {}).items() if name != field} or None
