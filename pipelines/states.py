"""The states of a version and of a delivery, and which moves are legal.

Few states for the machine; the many reasons for people stand beside them as text. Every move of a delivery in the
ledger goes through `pipelines.deliveries`, which asks this table; the ledger's own constraints refuse a state that is
not listed here, and its triggers (`pipelines.guards`) a move that is not.
"""

from __future__ import annotations

from enum import StrEnum


class VersionState(StrEnum):
    """What came of one version of one record. Every version is in exactly one."""

    MERGED = "merged"  # it changed the referral
    NO_CHANGE = "no change"  # an echo of ours, or a repeat
    OLDER = "older"  # older than what we already knew of this record
    WAITING = "waiting"  # cannot be matched while a create to its connection is in doubt
    ATTENTION = "needs attention"  # unreadable, cannot be mapped, or cannot be matched
    REPLACED = "replaced"  # needed attention, and a newer version of the record has come since
    CLOSED = "closed"  # closed without use by a named person


class DeliveryState(StrEnum):
    """Where one delivery is. Every delivery is in exactly one."""

    WAITING = "waiting"
    SENDING = "being sent"
    NOT_SURE = "not sure"
    ATTENTION = "needs attention"
    ARRIVED = "arrived"
    REPLACED = "replaced"
    NOT_SENT = "not sent"
    SETTLED = "settled"
    CLOSED = "closed"
    EXPIRED = "expired"
    ERASED = "erased"

    @property
    def open(self) -> bool:
        """Something is still to happen, by itself or by a person."""
        return self in OPEN


OPEN = frozenset(
    {DeliveryState.WAITING, DeliveryState.SENDING, DeliveryState.NOT_SURE, DeliveryState.ATTENTION},
)

#: From each state, the states that a delivery may move to.
MOVES: dict[DeliveryState, frozenset[DeliveryState]] = {
    DeliveryState.WAITING: frozenset(
        {
            DeliveryState.SENDING,
            DeliveryState.REPLACED,
            DeliveryState.NOT_SENT,
            DeliveryState.SETTLED,
            DeliveryState.CLOSED,
            DeliveryState.EXPIRED,
        }
    ),
    DeliveryState.SENDING: frozenset(
        {
            DeliveryState.WAITING,
            DeliveryState.NOT_SURE,
            DeliveryState.ATTENTION,
            DeliveryState.ARRIVED,
            DeliveryState.NOT_SENT,
            DeliveryState.REPLACED,  # it would have waited again, but a newer revision waits already
        }
    ),
    DeliveryState.NOT_SURE: frozenset(
        {
            DeliveryState.SENDING,  # leased again, for a look-up
            DeliveryState.NOT_SURE,
            DeliveryState.WAITING,
            DeliveryState.REPLACED,
            DeliveryState.ARRIVED,
            DeliveryState.ATTENTION,
            DeliveryState.SETTLED,
            DeliveryState.CLOSED,
        }
    ),
    DeliveryState.ATTENTION: frozenset(
        {
            DeliveryState.WAITING,
            DeliveryState.REPLACED,
            DeliveryState.SETTLED,
            DeliveryState.CLOSED,
            DeliveryState.EXPIRED,
        }
    ),
    DeliveryState.ARRIVED: frozenset({DeliveryState.ERASED}),
    DeliveryState.REPLACED: frozenset({DeliveryState.ERASED}),
    DeliveryState.NOT_SENT: frozenset({DeliveryState.ERASED}),
    DeliveryState.SETTLED: frozenset({DeliveryState.ERASED}),
    DeliveryState.CLOSED: frozenset({DeliveryState.ERASED}),
    DeliveryState.EXPIRED: frozenset({DeliveryState.ERASED}),
    DeliveryState.ERASED: frozenset(),
}


#: From each state of a version, the states that it may move to. What has ended stays as it ended, save that a version
#: that was taken with fields left out is read again once their codes are known.
VERSION_MOVES: dict[VersionState, frozenset[VersionState]] = {
    VersionState.WAITING: frozenset(set(VersionState) - {VersionState.WAITING}),
    VersionState.ATTENTION: frozenset(set(VersionState) - {VersionState.ATTENTION}),
    VersionState.MERGED: frozenset(
        {VersionState.NO_CHANGE, VersionState.ATTENTION, VersionState.CLOSED}
    ),
    VersionState.NO_CHANGE: frozenset({VersionState.MERGED, VersionState.ATTENTION, VersionState.CLOSED}),
    VersionState.OLDER: frozenset(),
    VersionState.REPLACED: frozenset(),
    VersionState.CLOSED: frozenset(),
}


class IllegalMove(RuntimeError):
    """A delivery was asked to move between two states that have no arrow between them. This is a fault of ours."""


def check_move(old: DeliveryState, new: DeliveryState) -> None:
    """Raise IllegalMove unless `docs/data-model.md` draws an arrow from `old` to `new`."""
    if new not in MOVES[old]:
        raise IllegalMove(f"a delivery cannot go from {old.value!r} to {new.value!r}")
