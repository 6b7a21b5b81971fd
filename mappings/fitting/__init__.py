"""Whether a mapping can work against its system's own interface: its rows held against the neutral form.

Pure: resolved rows, an interface and the code lists go in, and what does not fit comes out, each with the place that
wrote the key. `check` is the one door; the subjects have a file each.
"""

from __future__ import annotations

from collections.abc import Callable

from mappings.codes import CodeList
from mappings.fitting import emptiness, places, presence, values, words
from mappings.fitting.lines import Misfit, lines_of
from mappings.interface import Interface
from mappings.overlay import Resolved

__all__ = ["Misfit", "check"]


def check(
    resolved: Resolved, interface: Interface, codes: Callable[[str], CodeList], clock: str | None
) -> list[Misfit]:
    """Everything in which the mapping and the interface do not fit, in the order of the rows.

    `resolved` has no faults of its own (`mappings.compile` has been asked); `codes` raises LookupError for an unknown
    list. `clock`: what the profile says of times without offset, None if it says nothing.
    """
    lines = lines_of(resolved, interface, codes, clock)
    found = [
        misfit for line in lines.every() for look in (places, values, words, emptiness) for misfit in look.of(line)
    ]
    found += presence.of(lines)
    return list(dict.fromkeys(found))
