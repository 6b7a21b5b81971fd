"""Trying again inside one call's deadline: only for what is safe to repeat, which is reads, tokens and connecting.

Everything else is tried again by the worker, at a stored time. Nothing is logged here: the last error says it all.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random_exponential

from connectors.deadline import Deadline
from connectors.errors import Unknown, Unreachable
from connectors.http import ReplyTooLarge

ATTEMPTS = 3  # a supplier that is down for longer is the worker's business: it waits without holding a thread
LONGEST_PAUSE = 2.0  # seconds

Answer = TypeVar("Answer")


def safely_again(
    read: Callable[[], Answer], deadline: Deadline, *, sleep: Callable[[float], None] = time.sleep
) -> Answer:
    """Return what `read` returns, trying it up to three times while the call's time lasts.

    `read` must be safe to repeat. Only Unreachable and Unknown are tried again; the last error is raised as it is.
    """
    trying = Retrying(
        retry=retry_if_exception(_may_pass),
        wait=wait_random_exponential(multiplier=0.2, max=LONGEST_PAUSE),
        stop=lambda state: state.attempt_number >= ATTEMPTS or _out_of_time(state, deadline),
        sleep=sleep,
        reraise=True,
    )
    return trying(read)


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, Unreachable | Unknown) and not isinstance(error, ReplyTooLarge)


def _out_of_time(state: RetryCallState, deadline: Deadline) -> bool:
    return state.upcoming_sleep >= deadline.left()
