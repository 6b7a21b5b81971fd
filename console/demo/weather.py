"""What goes wrong during a demo and when: faults of the systems, and `dolen run` killed in mid-work.

Everything is drawn from the seed. Moments are seconds after the story began; `length` is how long requests keep coming.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

#: How long one supplier is down, in seconds.
OUTAGE_SECONDS = 6.0
#: Where: the council whose case system goes down.
OUTAGE_AT = "torfaen"

Faults = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happens. `faults` are switched on in that system; an event without a system kills `dolen run`."""

    at: float
    words: str
    tenant: str = ""
    system: str = ""
    faults: Faults = field(default_factory=dict)

    @property
    def is_kill(self) -> bool:
        """Whether this is the death of `dolen run`."""
        return not self.system

    @property
    def is_outage(self) -> bool:
        """Whether from here on a supplier is down."""
        return "dead" in self.faults


def forecast(*, seed: int, length: float, referrals: int, kills: int, faults: bool) -> list[Event]:
    """List all that will happen, in order."""
    chance = Random(f"{seed}/weather")  # noqa: S311 - a story, not a secret
    events = _faults(length, max(2, referrals // 60)) if faults else []
    for number in range(kills):
        # One in each part of the run, so that no stretch of it is spared; the last ones fall where staff have ended.
        part = (length + 8) / kills
        at = 1.5 + part * number + chance.uniform(0, part)
        events.append(Event(at, f"dolen run is killed (SIGKILL, {number + 1} of {kills}) and started again"))
    return sorted(events, key=lambda event: event.at)


def _faults(length: float, some: int) -> list[Event]:
    """`some`: how often a frequent fault may strike, so that the systems can still finish within the run."""
    creates = ["CreateReferral"]
    return [
        Event(
            length * 0.05,
            "Blaenau Gwent's case system commits and does not answer; or commits after it has hung up",
            "blaenau-gwent",
            "casework",
            {
                "hang_after": {"rate": 0.1, "times": some, "seconds": 8, "operations": creates},
                "late_commit": {"rate": 0.1, "times": some, "seconds": 2, "silent_seconds": 1, "operations": creates},
            },
        ),
        Event(
            length * 0.1,
            "Neath Port Talbot's case system fails now and then, before and after it has saved",
            "neath-port-talbot",
            "casework",
            {
                "error_before": {"rate": 0.1, "times": some, "status": 503},
                "error_after": {
                    "rate": 0.1,
                    "times": some,
                    "status": 500,
                    "operations": ["CreateReferral", "UpdateReferral"],
                },
            },
        ),
        Event(
            length * 0.2,
            "Torfaen's contact centre asks for patience (429) and drops a connection after saving",
            "torfaen",
            "contact",
            {"throttle": {"rate": 0.05, "times": some, "seconds": 1}, "reset_after": {"rate": 0.05, "times": 2}},
        ),
        Event(
            length * 0.25,
            "Neath Port Talbot's contact centre no longer knows our token",
            "neath-port-talbot",
            "contact",
            {"expired_token": {"times": 1}},
        ),
        Event(
            length * 0.3,
            "GOV.UK Notify takes texts of Blaenau Gwent and does not answer",
            "blaenau-gwent",
            "notify",
            {"hang_after": {"rate": 0.2, "times": 2, "seconds": 8, "operations": ["send_sms"]}},
        ),
        Event(
            length * 0.35,
            f"Torfaen's case system is down for {OUTAGE_SECONDS:.0f} seconds",
            OUTAGE_AT,
            "casework",
            {"dead": {"seconds": OUTAGE_SECONDS}},
        ),
    ]
