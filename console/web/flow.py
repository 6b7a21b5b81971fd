"""Today's flow as a picture: sources on the left, targets on the right, a band between them for each route. Pure.

The picture repeats a table that stands beside it, and is hidden from screen readers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.glance import Flow

_WIDTH, _BOX, _HIGH, _GAP, _TOP = 900, 220, 40, 26, 10
_THIN, _THICK = 2.0, 18.0


@dataclass(frozen=True, slots=True)
class Box:
    """One connection in the picture."""

    x: int
    y: int
    name: str


@dataclass(frozen=True, slots=True)
class Band:
    """One route in the picture."""

    path: str
    width: float
    x: int
    y: float
    count: int


@dataclass(frozen=True, slots=True)
class Picture:
    """One council's flow."""

    council: str
    width: int
    height: int
    box_width: int
    box_height: int
    boxes: tuple[Box, ...]
    bands: tuple[Band, ...]


def picture(council: str, flows: Sequence[Flow]) -> Picture:
    """Draw the routes of one council."""
    ours = [flow for flow in flows if flow.council == council]
    left = list(dict.fromkeys(flow.source for flow in ours))
    right = list(dict.fromkeys(flow.target for flow in ours))
    step = _HIGH + _GAP
    height = _TOP * 2 + max(len(left), len(right), 1) * step - _GAP
    boxes = [Box(0, _TOP + n * step, name) for n, name in enumerate(left)]
    boxes += [Box(_WIDTH - _BOX, _TOP + n * step, name) for n, name in enumerate(right)]
    most = max((flow.total for flow in ours), default=0) or 1
    out: dict[str, int] = {}
    bands = []
    for flow in ours:
        nth = out[flow.source] = out.get(flow.source, -1) + 1
        among = sum(one.source == flow.source for one in ours)
        begin = _TOP + left.index(flow.source) * step + _HIGH * (nth + 1) / (among + 1)
        end = _TOP + right.index(flow.target) * step + _HIGH / 2
        x1, x2 = _BOX, _WIDTH - _BOX
        middle = (x1 + x2) / 2
        path = f"M{x1} {begin:.0f} C{middle:.0f} {begin:.0f} {middle:.0f} {end:.0f} {x2} {end:.0f}"
        width = _THIN + (_THICK - _THIN) * flow.total / most
        at = x1 + (x2 - x1) * (0.25 + 0.5 * (nth + 1) / (among + 1))
        share = (at - x1) / (x2 - x1)
        lift = begin + (end - begin) * (3 * share**2 - 2 * share**3)
        bands.append(Band(path, round(width, 1), round(at), round(lift - width / 2 - 4, 1), flow.total))
    return Picture(council, _WIDTH, height, _BOX, _HIGH, tuple(boxes), tuple(bands))
