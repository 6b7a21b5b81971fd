"""What to do after a try did not arrive: a pure decision that returns a value.

No clock, no random numbers, no database: the caller gives the number of tries and a throw between 0 and 1. The table
is section 5.5 of the design: "not done" tries again, "refused" needs a person, "nobody knows" on a call that is not
safe to repeat is not sure.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from connectors.errors import (
    ConnectorError,
    Duplicate,
    ForAPerson,
    Misconfigured,
    NotThere,
    Outdated,
    PageUnreadable,
    Rejected,
    Throttled,
    Unauthorised,
    Unknown,
    Unreachable,
)

#: Seconds before the second try, doubled with each one, and the longest wait. A supplier that is down for the night is
#: asked every quarter of an hour, which its breaker makes cheap.
FIRST_WAIT = 2.0
LONGEST_WAIT = 900.0
#: A `Retry-After` beyond this is obeyed as far as this, so that one wrong header cannot stop a connection for a year.
LONGEST_RETRY_AFTER = 6 * 3600.0
#: A system whose own limit is reached for at least so many seconds is left alone altogether; for less its calls wait.
PAUSED_FROM = 10.0
#: A record that changes in the target each time between our reading and writing is tried so often at once.
OUTDATED_AT_ONCE = 5
#: Tries after which a record that the target does not find is taken to be deleted there.
GONE_AFTER = 6


class Do(StrEnum):
    """What becomes of the delivery."""

    ARRIVED = "arrived"
    AGAIN = "try again"
    NOT_SURE = "not sure"
    ASK = "ask a person"  # not sure, and the target cannot be searched: it blocks its lane until somebody has looked
    ATTENTION = "needs attention"
    PAUSE = "pause the connection"  # the delivery waits and burns no try


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision: what to do and after how many seconds."""

    do: Do
    after: float = 0.0


def decide(
    error: ConnectorError | None,
    *,
    repeatable: bool,
    tries: int,
    throw: float,
    settle: float,
    can_look: bool,
) -> Decision:
    """Decide after one try.

    `error`: what the connector raised, None for an error of our own while nothing was sent. `repeatable`: this call may
    be made again without harm (a read, an upsert by our key, an update checked against a version). `tries`: how many
    were made, this one included. `throw`: random, 0 to 1, for jitter. `settle`: seconds in which the target may still
    do what it did not answer. `can_look`: the target can be searched by our key.
    """
    match error:
        case Duplicate():
            return Decision(Do.ARRIVED)
        case Rejected() | ForAPerson() | PageUnreadable() | Misconfigured():
            return Decision(Do.ATTENTION)
        case Unauthorised():
            return Decision(Do.PAUSE)
        case Throttled() if seconds := limit_of(error):
            return Decision(Do.PAUSE, seconds)
        case Throttled():
            return Decision(Do.AGAIN, min(error.after, LONGEST_RETRY_AFTER) if error.after else back_off(tries, throw))
        case NotThere():
            # Not done. A system that copies itself may show late what it holds; after that it was deleted there.
            return Decision(Do.AGAIN, back_off(tries, throw)) if tries < GONE_AFTER else Decision(Do.ATTENTION)
        case Outdated():
            # Not done. Read again and write again; someone who edits without pause is waited for.
            return Decision(Do.AGAIN, 0.0 if tries < OUTDATED_AT_ONCE else back_off(tries, throw))
        case Unreachable() | None:
            return Decision(Do.AGAIN, back_off(tries, throw))
        case Unknown() if repeatable:
            return Decision(Do.AGAIN, max(settle, back_off(tries, throw)))
        case _:
            return Decision(Do.NOT_SURE if can_look else Do.ASK, settle)


def limit_of(error: Throttled) -> float:
    """Seconds for which the whole connection is to be left alone because the system's own limit is reached; else 0."""
    asked = min(error.after or 0.0, LONGEST_RETRY_AFTER)
    return asked if error.whole and asked >= PAUSED_FROM else 0.0


def back_off(tries: int, throw: float) -> float:
    """Seconds until the next try: doubled each time, with jitter of a half either way, never above the longest."""
    wait = min(FIRST_WAIT * 2.0 ** min(max(tries, 1) - 1, 20), LONGEST_WAIT)
    return min(wait * (0.5 + throw), LONGEST_WAIT)
