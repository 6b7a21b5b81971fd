"""Guessing address lines in places of their own: AddressLine1, AddressLine2, AddressLine3 are one list of ours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from mappings.guessing import LIKELY, Guess, is_about_the_person
from mappings.spots import squeezed

_NUMBERED = re.compile(r"(?P<stem>(?:home|current|main)?(?:address|addr|addressline|line))(?P<number>[1-9])")


def with_lines(found: Sequence[Guess]) -> list[Guess]:
    """The guesses, numbered address lines of one group put together into one row; alone they mean nothing."""
    runs: dict[tuple[str, str], list[Guess]] = {}
    for one in found:
        above, _, last = one.spot.theirs.rpartition("/")
        match = _NUMBERED.fullmatch(squeezed(last))
        if match is not None and not one.ours and not one.spot.many and is_about_the_person(one.spot.theirs):
            runs.setdefault((above, match["stem"]), []).append(one)
    run = next((run for run in runs.values() if len(run) > 1), None)
    if run is None or any(one.ours == "person.address.lines" for one in found):
        return list(found)
    shortest = min((one.spot.schema["maxLength"] for one in run if "maxLength" in one.spot.schema), default=0)
    keys = {
        "as": "numbered",
        "lossy": "which place was left empty before a later one",
        **({"max_length": shortest} if shortest else {}),
    }
    row = replace(
        run[0], ours="person.address.lines", sure=LIKELY, keys=keys, beside=tuple(one.spot.theirs for one in run[1:]),
        why="several values of theirs are one list of ours; see whether the last of them is the town",
    )  # fmt: skip
    return [row if one is run[0] else one for one in found if one is run[0] or one not in run]
