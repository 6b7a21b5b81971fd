"""Whether a create has everything that it must, no choice is written twice, and the groups of the head are there.

A group that may be missing must be whole where a row writes into it. An update is laid over what the target holds, so
what is required is there already.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from mappings import paths
from mappings.fitting.lines import WRITES, Line, Lines, Misfit
from mappings.interface import Found, Missing, Schema, Use, item_of, kinds, look, nullable
from mappings.overlay import Place

_MISSING, _HEAD = "missing required element", "group"


@dataclass(slots=True)
class _Node:
    """One key of the record as the rows write it: the rows that end here, and what hangs below, for each filter."""

    lines: list[Line] = field(default_factory=list)
    below: dict[str, dict[tuple[tuple[str, str], ...], _Node]] = field(default_factory=dict)

    def into(self, path: paths.Path, line: Line) -> None:
        """Hang a row in."""
        if not path:
            self.lines.append(line)
            return
        first, *rest = path
        picked = self.below.setdefault(first.key, {}).setdefault(first.where, _Node())
        picked.into(tuple(rest), line)

    def rows(self) -> list[Line]:
        """Every row in and below."""
        inner = [line for picks in self.below.values() for node in picks.values() for line in node.rows()]
        return [*self.lines, *inner]


def of(lines: Lines) -> Iterator[Misfit]:
    """Everything that is missing, or there twice."""
    yield from _groups(lines)
    root = _Node()
    for line in lines.top:
        if line.writes:
            root.into(line.theirs, line)
    seen: set[tuple[str, str]] = set()
    for use in WRITES:
        if (schema := lines.interface.of(use)) is not None:
            for misfit in _whole(lines, root, schema, use, "", lead=False):
                if (mark := (misfit.kind, misfit.found)) not in seen:
                    seen.add(mark)
                    yield misfit


def _whole(
    lines: Lines, node: _Node, schema: Schema, use: Use, at: str, *, lead: bool, fixed: Any = ()
) -> Iterator[Misfit]:
    """What an object lacks. `lead`: the group goes as a whole unless a row that leads it has a value."""
    yield from _choices(lines, node, schema, use, at)
    if use == "create":
        filled = {key for key, _ in fixed}
        for name in schema.get("required", ()):
            if name not in filled:
                yield from _required(lines, node, name, at, lead=lead)
    for name, picks in node.below.items():
        inner = schema.get("properties", {}).get(name)
        if inner is None:
            continue
        for where, below in picks.items():
            if below.below:
                leads = any(line.keys.get("lead") for line in below.lines + _direct(below))
                yield from _whole(lines, below, item_of(inner), use, _join(at, name), lead=leads, fixed=where)
            for line in below.lines:
                if line.each:
                    yield from _items(lines, line, item_of(inner), use, where)


def _direct(node: _Node) -> list[Line]:
    return [line for picks in node.below.values() for one in picks.values() for line in one.lines]


def _items(lines: Lines, line: Line, item: Schema, use: Use, where: Any) -> Iterator[Misfit]:
    """The items of an `each` row."""
    node = _Node()
    for one in lines.items:
        if one.prefix == line.shown and one.writes:
            node.into(one.theirs, one)
    leads = any(one.keys.get("lead") for one in lines.items if one.prefix == line.shown)
    yield from _whole(lines, node, item, use, line.shown, lead=leads, fixed=where)


def _required(lines: Lines, node: _Node, name: str, at: str, *, lead: bool) -> Iterator[Misfit]:
    path = _join(at, name)
    if path in lines.interface.ours or any(one.startswith(f"{path}/") for one in lines.interface.ours):
        return
    rows = [line for below in node.below.get(name, {}).values() for line in below.rows()]
    if not rows and not (name == "." and node.lines):
        blame = node.rows()
        place = blame[0].placed.whole if at and blame else _top(lines)
        yield lines.misfit(
            place, _MISSING, f"no row that writes `{path}`", f"a value in every new record: {lines.interface.file} "
            "requires it", f"Add a row with `theirs: {path}`, or a `constant`.",
        )  # fmt: skip
        return
    if any(_assured(line) for line in rows) or (lead and any(line.keys.get("lead") for line in rows)):
        return
    line = rows[0]
    if len(rows) > 1 and any(len(one.theirs) > 1 for one in rows):
        return  # a group: what is required in it is looked at there
    remedy = "Write `needed: true`, or `default: {write: ...}`; in a group that may be missing, `lead: true`."
    if line.prefix:
        remedy = "Write `needed: true`, to have such a record stopped before it is sent: the system would refuse it."
    yield line.misfit(
        _MISSING, "theirs", f"`{line.shown}`, which is left out where the referral does not say it",
        f"a value in every new record: {lines.interface.file} requires it", remedy, warn=True,
    )  # fmt: skip


def _assured(line: Line) -> bool:
    """Whether a new record always has it, or is stopped."""
    keys = line.keys
    if "constant" in keys or keys.get("needed"):
        return True
    default = keys.get("default")
    if not isinstance(default, dict) or "write" not in default:
        return False
    if default["write"] is not None:
        return True
    return "absent" in keys or keys.get("empty", line.owner.empty) not in ("omit",)


def _choices(lines: Lines, node: _Node, schema: Schema, use: Use, at: str) -> Iterator[Misfit]:
    for choice in schema.get("x-choices", ()):
        written = [group for group in choice["of"] if any(name in node.below for name in group)]
        if len(written) > 1 and not _declared(lines, at, written):
            first, second = (next(name for name in group if name in node.below) for group in written[:2])
            line = next(iter(node.below[second].values())).rows()[0]
            yield line.misfit(
                "two of a choice", "theirs", f"`{_join(at, second)}` beside `{_join(at, first)}`, of which the "
                "interface takes one", "one member of the choice that is written",
                "Give one of the two `direction: read`, or name the choice in the file's `choices`.",
            )  # fmt: skip
        elif not written and choice.get("min") == 1 and use == "create" and (node.below or not at):
            owned = any(_join(at, name) in lines.interface.ours for group in choice["of"] for name in group)
            if not owned:
                members = " or ".join(f"`{_join(at, group[0])}`" for group in choice["of"][:6])
                place = node.rows()[0].placed.whole if at else _top(lines)
                yield lines.misfit(
                    place, _MISSING, f"no row that writes {members}", "one of them in every new record: "
                    f"{lines.interface.file} requires it", "Add a row for one of them.",
                )  # fmt: skip


def _declared(lines: Lines, at: str, groups: list[list[str]]) -> bool:
    """Whether the file's head names the choice: each group has a path in one of its choices."""
    for told in lines.resolved.head.get("choices") or ():
        flat = {path for one in told for path in (one if isinstance(one, list) else [one])}
        if all(any(_join(at, name) in flat or any(p.startswith(_join(at, name) + "/") for p in flat) for name in group)
               for group in groups):  # fmt: skip
            return True
    return False


def _groups(lines: Lines) -> Iterator[Misfit]:
    """The groups that the head names in `optional` and `choices`."""
    for key in ("optional", "choices"):
        named = lines.resolved.head.get(key) or {}
        place = lines.resolved.places.get(key)
        if place is None:
            continue
        for text, steps in _named(named):
            yield from _group(
                lines, text, Place(place.origin, (*place.path, *steps)), named if key == "optional" else {}
            )


def _named(told: Any) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    if isinstance(told, dict):
        yield from ((text, (text,)) for text in told)
        return
    for number, choice in enumerate(told):
        for place, member in enumerate(choice):
            if isinstance(member, list):
                yield from ((text, (number, place, inner)) for inner, text in enumerate(member))
            else:
                yield member, (number, place)


def _group(lines: Lines, text: str, place: Place, optional: dict[str, Any]) -> Iterator[Misfit]:
    path = paths.parse(text)
    for use in WRITES:
        schema = lines.interface.of(use)
        spot = None if schema is None else look(schema, path)
        if isinstance(spot, Missing):
            remedy = f"Did you mean `{spot.near}`?" if spot.near else "Correct the path, or take it out."
            yield lines.misfit(place, "unknown path", f"`{text}`, which is not in the interface",
                               f"a group of {lines.interface.file}", remedy)  # fmt: skip
            return
        if not isinstance(spot, Found) or spot.open or text not in optional:
            continue
        if wrong := _may_be_missing(spot, schema or {}, path, optional[text]):
            yield lines.misfit(place, _HEAD, *wrong)
            return


def _may_be_missing(spot: Found, schema: Schema, path: paths.Path, style: str | None) -> tuple[str, str, str] | None:
    text = paths.spell(path)
    if kinds(spot.schema) and not kinds(spot.schema) & {"object", "array"}:
        return f"`{text}`, which is a value and no group", "a group", "Write `empty` in its row instead."
    parent = item_of(spot.way[-2][1]) if len(spot.way) > 1 else schema
    if style == "omit" and path[-1].key in parent.get("required", ()):
        return (
            f"`{text}: omit`, and the interface requires it",
            "a group that may be missing",
            "Take it out of `optional`.",
        )
    if style in (None, "null") and not nullable(spot.schema) and "x-where" not in spot.schema:
        return f"`{text}: null`, and the interface takes no null there", "a group that may be null", "Write `omit`."
    return None


def _top(lines: Lines) -> Place:
    """The file's own list of rows."""
    return Place(lines.resolved.top.origin, ("fields",))


def _join(at: str, name: str) -> str:
    return f"{at}/{name}" if at else name
