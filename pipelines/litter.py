"""How often the interpreter looks for garbage, in a process that holds many rows at once and lives for years.

A page of 200 records makes tens of thousands of small lists that reference counting frees by itself. Each time so many
are alive, CPython walks through all objects there are, also those of a hundred imported modules that never go away:
a third of all the time that intake took. What is there at the start is left out, and the rest is looked at less often:
in a rush by what was made, and by the clock where little is, so that what lies about in a quiet hour is not kept until
the next rush.
"""

from __future__ import annotations

import gc

#: New objects until the youngest are looked at, and how many such looks until the older ones are. CPython: 700, 10, 10.
_THRESHOLDS = (20_000, 20, 50)


def sweep_less() -> None:
    """Set this process up for work on many rows. May be called again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)


def sweep() -> None:
    """Free what lies about since the last time, and leave what has been there for long to the interpreter's own rules.
    Takes milliseconds."""
    gc.collect(1)
