"""Merging one version of one record into its referral: pure, no database, no clock.

These are the rules R2, R3 and R11 of docs/data-model.md. What comes in: the referral's facts with their provenance, the
record's base, the facts that the version shows. What goes out: which facts change, what lost against whom, the new
base, and the fields in which this system now holds something else than the referral and must be told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

#: One fact of a referral: its value, the connection that gave it, the revision in which it came.
Known = tuple[Any, str, int]
#: field -> [hash last seen there or None, hash written there and not seen since or None]
Base = dict[str, list[str | None]]

#: A conflict on one of these groups needs attention, whoever won: a person's safety hangs on it.
SAFEGUARDING = frozenset({"safeguarding_flag", "warning_flags", "restricted_record"})
#: What the ledger itself gives. A system may show it and never changes it; showing another value it is sent ours.
OURS = frozenset({"source_identifiers", "target_identifiers", "citizen_reference"})
#: Only its owner changes it once the owner has shown one: a referral has one status and not two opinions.
EXCLUSIVE = frozenset({"status", "status_reason", "status_changed_at"})
#: A status by which somebody says that the referral should never have been. Nobody's to overrule unseen.
IN_ERROR = "entered_in_error"

#: Why a person must look at a conflict, whoever won.
WHY_SAFEGUARDING = "safeguarding"
WHY_ENDLESS = "two systems rewrite each other"
WHY_IN_ERROR = "entered in error, says a system that does not own the status"
WHY_CANCELLED = "cancelled, says a system that does not own the status"
#: Who asked and takes it back is not overruled unseen either.
_NOT_UNSEEN = {IN_ERROR: WHY_IN_ERROR, "cancelled": WHY_CANCELLED}


@dataclass(frozen=True, slots=True)
class Lost:
    """One value that did not become the referral's."""

    field: str
    winner: str  # connection
    loser: str
    hash: str
    why: str = ""  # why a person must look at it, "" if nobody need


@dataclass(slots=True)
class Merged:
    """What one version does to its referral."""

    changes: dict[str, Any] = field(default_factory=dict)  # field -> new value
    lost: list[Lost] = field(default_factory=list)
    base: Base = field(default_factory=dict)
    corrections: list[str] = field(default_factory=list)  # fields that this system must be sent anew
    differs: bool = False  # something differed from the base, applied or not


def merge(
    facts: Mapping[str, Known],
    base: Base,
    shown: Mapping[str, Any],
    *,
    by: str,
    owners: Mapping[str, str],
    newer_than_write: bool,
    hash_of: Callable[[str, Any], str],
    spent: Callable[[str, str], bool] = lambda _name, _hash: False,
) -> Merged:
    """Merge what connection `by` shows.

    `owners`: field group -> connection. `newer_than_write`: the system's own stamp says that this version is newer than
    our last write there. `hash_of(field, value)`: the council's keyed hash. `spent(field, hash)`: the field has changed
    hands with this value as often as it may by itself.
    """
    result = Merged(base={name: list(pair) for name, pair in base.items()})
    first_sight = not base
    for name, value in shown.items():
        hash_ = hash_of(name, value)
        seen, written = base.get(name, (None, None))
        if written is not None and hash_ == written:
            result.base[name] = [hash_, None]  # our echo, confirmed
            continue
        if hash_ == seen and (written is None or not newer_than_write):
            continue  # nothing new, or an old view of what we have written over since
        result.base[name] = [hash_, None]
        result.differs = True
        _judge(
            result,
            facts.get(name),
            name,
            value,
            hash_,
            seen=written or seen,
            first_sight=first_sight,
            by=by,
            owner=owners.get(group_of(name)),
            hash_of=hash_of,
            spent=spent,
        )
    return result


def _judge(
    result: Merged,
    known: Known | None,
    name: str,
    value: Any,
    hash_: str,
    *,
    seen: str | None,
    first_sight: bool,
    by: str,
    owner: str | None,
    hash_of: Callable[[str, Any], str],
    spent: Callable[[str, str], bool],
) -> None:
    """Decide about one field in which the system shows something new."""
    group = group_of(name)
    if known is None:
        if value is not None and group not in OURS:
            result.changes[name] = value
        return
    present, present_by, _ = known
    present_hash = hash_of(name, present)
    if present_hash == hash_:
        return  # both came to the same
    if group in OURS or (value is None and seen is None):
        # Never shown before and empty: that is how it began there, and nobody cleared anything.
        result.corrections.append(name)
        return
    owned = owner == by
    if not owned and value is None:
        applies = owner is None and present_by == by  # who gave it may take it back; nobody else but the owner
    elif owned:
        applies = True
    elif group in EXCLUSIVE and owner is not None:
        applies = present_by != owner
    elif first_sight:
        applies = False  # may be the old echo of a create whose answer was lost
    else:
        # Made knowing the present value: an ordinary edit. Otherwise both changed it and the owner has spoken.
        applies = seen == present_hash or (owner is not None and present_by not in (owner, by))
    # The owner's first word on a status follows what others took it for; it contradicts nobody.
    crossed = present_by != by and seen != present_hash and not (first_sight and group in EXCLUSIVE)
    why = WHY_SAFEGUARDING if group in SAFEGUARDING else ""
    if applies and present_by != by and spent(name, hash_):
        # Neither applied nor sent ours: whatever we did would be answered once more.
        result.lost.append(Lost(name, present_by, by, hash_, WHY_ENDLESS))
        return
    if applies:
        result.changes[name] = value
        if crossed and present is not None:
            result.lost.append(Lost(name, by, present_by, present_hash, why))
        return
    if name == "status" and isinstance(value, str) and value in _NOT_UNSEEN:
        result.lost.append(Lost(name, present_by, by, hash_, _NOT_UNSEEN[value]))
        return  # what its author says is not written over while a person looks
    result.corrections.append(name)
    result.lost.append(Lost(name, present_by, by, hash_, why))


@lru_cache(maxsize=20_000)  # one entry a field that a mapping names
def group_of(name: str) -> str:
    """The unit of ownership: `person` of `person.telecom[use=mobile].value`."""
    return name.split(".", 1)[0].split("[", 1)[0]


def written_base(base: Base, expected: Mapping[str, str]) -> Base:
    """Return the base after a write. `expected`: the keyed hash of each field that the target will show for it."""
    after = {name: list(pair) for name, pair in base.items()}
    for name, hash_ in expected.items():
        seen = after.get(name, [None, None])[0]
        after[name] = [hash_, None] if seen == hash_ else [seen, hash_]
    return after


def last_known(base: Base, name: str) -> str | None:
    """The hash of what we believe the system holds for a field, None if we never knew."""
    seen, written = base.get(name, (None, None))
    return written or seen
