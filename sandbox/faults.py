"""Faults on demand: what can go wrong between a caller and a pretend system, per tenant and system, drawn from a seed.

A fault is a name from `KINDS` with `rate` (0 to 1, default 1), `times` (how often it may happen, default without end),
`operations` (only these, default all) and its own numbers. Names ending in `_before` strike before anything is done,
those ending in `_after` once a change is committed. The server and `Exchange` apply all of them but those of
`BY_SYSTEM`, which a system asks for itself with `exchange.take(name)`: only it knows its pages and logins.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Numbers = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Kind:
    """One thing that can go wrong: what it does, in words, and its own numbers with their defaults."""

    words: str
    numbers: Numbers = field(default_factory=dict)


KINDS: Mapping[str, Kind] = {
    "latency": Kind("Waits before it acts: `ms`, or at random from `ms` to `upto_ms`.", {"ms": 200, "upto_ms": 0}),
    "dead": Kind("Drops every connection at once for `seconds` (0 = until cleared).", {"seconds": 0}),
    "error_before": Kind("Answers `status` and does nothing.", {"status": 503}),
    "error_after": Kind("Commits, then answers `status`.", {"status": 500}),
    "reset_before": Kind("Resets the connection and does nothing."),
    "reset_after": Kind("Commits, then resets the connection."),
    "hang_before": Kind("Does nothing, stays silent for `seconds`, then drops the connection.", {"seconds": 30}),
    "hang_after": Kind("Commits, stays silent for `seconds`, then drops the connection.", {"seconds": 30}),
    "late_commit": Kind(
        "Stays silent for `silent_seconds`, then drops; commits only `seconds` after the call.",
        {"seconds": 5, "silent_seconds": 30},
    ),
    "throttle": Kind("Answers 429 with Retry-After: `seconds`.", {"seconds": 1}),
    "html_before": Kind("Does nothing and answers a page of HTML with status 200."),
    "html_after": Kind("Commits, then answers a page of HTML with status 200."),
    "slow_drip": Kind("Sends the body at `bytes_a_second`.", {"bytes_a_second": 200}),
    "truncated": Kind("Sends half the body, then drops the connection."),
    "expired_token": Kind("Refuses the login as expired (`times` = for so many calls)."),
    "repeated_page": Kind("Serves the page before once more; the walk goes on behind it."),
    "changed_while_paging": Kind("Somebody changes a record of the page just served, so that later pages shift."),
    "endless_page": Kind("Pages never end: the same page and cursor again and again."),
    "forgotten_place": Kind("Has forgotten the place from which changes are asked for (`times` = so often)."),
    "link_elsewhere": Kind("Names a next page, or a place for the next time, on another host."),
    "small_pages": Kind("Lists no more than so many `ids` in a page.", {"ids": 2}),
    "locked_row": Kind("Refuses a change because another one holds the record, and does nothing."),
    "limit_exceeded": Kind("Refuses every call because the day's calls are used up, and does nothing."),
    "huge_record": Kind("Blows one record of the answer up to `bytes`.", {"bytes": 40_000_000}),
    "broken_record": Kind("Makes one record of the answer invalid in a way of the system's own."),
}

BY_SYSTEM = frozenset(
    {"expired_token", "repeated_page", "changed_while_paging", "endless_page", "huge_record", "broken_record",
     "forgotten_place", "link_elsewhere", "small_pages", "locked_row", "limit_exceeded"}
)  # fmt: skip


class WrongFault(ValueError):
    """A fault was asked for by an unknown name or with a number it does not take."""


@dataclass(slots=True)
class _Active:
    rate: float
    times: int | None
    operations: frozenset[str]
    numbers: dict[str, float]
    chance: random.Random
    until: float | None = None

    def shown(self) -> dict[str, Any]:
        return {"rate": self.rate, "times": self.times, "operations": sorted(self.operations), **self.numbers}


class Faults:
    """Which faults are switched on where. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._active: dict[tuple[str, str], dict[str, _Active]] = {}

    def set(self, tenant: str, system: str, faults: Mapping[str, Mapping[str, Any]], *, seed: int = 0) -> None:
        """Switch these on, in place of those of the same name. Raises WrongFault, and then sets none."""
        read = {name: _read(name, settings, f"{seed}/{tenant}/{system}/{name}") for name, settings in faults.items()}
        with self._lock:
            self._active[tenant, system] = {**self._active.get((tenant, system), {}), **read}

    def clear(self, tenant: str = "", system: str = "", name: str = "") -> None:
        """Switch off what matches; an empty word matches everything."""
        with self._lock:
            for place in list(self._active):
                if place[0] != (tenant or place[0]) or place[1] != (system or place[1]):
                    continue
                kept = {each: fault for each, fault in self._active[place].items() if name and each != name}
                self._active[place] = kept
                if not kept:
                    del self._active[place]

    def shown(self) -> list[dict[str, Any]]:
        """What is switched on, with the times that are left."""
        with self._lock:
            return [
                {"tenant": tenant, "system": system, "faults": {name: fault.shown() for name, fault in faults.items()}}
                for (tenant, system), faults in sorted(self._active.items())
            ]

    def any(self, tenant: str, system: str) -> bool:
        """Say quickly whether anything at all is switched on here."""
        return (tenant, system) in self._active

    def draw(self, tenant: str, system: str, name: str, operation: str = "") -> Numbers | None:
        """Decide whether this fault strikes now: its numbers, and one of its `times` used up, or None."""
        if (tenant, system) not in self._active:
            return None
        with self._lock:
            fault = self._active.get((tenant, system), {}).get(name)
            if fault is None or (fault.operations and operation not in fault.operations):
                return None
            over = fault.until is not None and time.monotonic() >= fault.until
            if over or fault.times == 0:
                return None
            if fault.rate < 1 and fault.chance.random() >= fault.rate:
                return None
            if fault.times is not None:
                fault.times -= 1
            numbers = dict(fault.numbers)
            if numbers.get("upto_ms"):
                numbers["ms"] = fault.chance.uniform(numbers["ms"], numbers["upto_ms"])
            return numbers


def _read(name: str, settings: Mapping[str, Any], seed: str) -> _Active:
    kind = KINDS.get(name)
    if kind is None:
        raise WrongFault(f"There is no fault {name!r}; choose one of {', '.join(KINDS)}.")
    unknown = set(settings) - {"rate", "times", "operations", *kind.numbers}
    if unknown:
        allowed = ", ".join(["rate", "times", "operations", *kind.numbers])
        raise WrongFault(f"Fault {name!r} has no setting {sorted(unknown)[0]!r}; it takes {allowed}.")
    rate, times, operations = settings.get("rate", 1), settings.get("times"), settings.get("operations", [])
    numbers = {key: settings.get(key, default) for key, default in kind.numbers.items()}
    if not _is_number(rate) or not 0 <= rate <= 1:
        raise WrongFault(f"`rate` of fault {name!r} must be a number from 0 to 1.")
    if times is not None and (not isinstance(times, int) or isinstance(times, bool) or times < 0):
        raise WrongFault(f"`times` of fault {name!r} must be a whole number, or left out for without end.")
    if not isinstance(operations, list) or not all(isinstance(each, str) for each in operations):
        raise WrongFault(f"`operations` of fault {name!r} must be a list of names.")
    for key, number in numbers.items():
        if not _is_number(number) or number < 0:
            raise WrongFault(f"`{key}` of fault {name!r} must be a number that is not negative.")
    until = time.monotonic() + numbers["seconds"] if name == "dead" and numbers["seconds"] else None
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose; nothing secret hangs on it
    return _Active(rate, times, frozenset(operations), numbers, chance, until)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
