"""Whether what a path names is there: unknown names, filters, lists that a path goes through, rows that do nothing."""

from __future__ import annotations

from collections.abc import Iterator

from mappings import paths
from mappings.fitting.lines import WRITES, Line, Misfit
from mappings.interface import Found, Missing, Use, is_list, item_of, kinds, named

_DOES = {"read": "what is read", "create": "what a create sends", "update": "what an update sends"}


def of(line: Line) -> Iterator[Misfit]:
    """Everything wrong with where a line's path leads."""
    missing = {use: spot for use, spot in line.spots.items() if isinstance(spot, Missing)}
    there = {use: spot for use, spot in line.spots.items() if isinstance(spot, Found)}
    if missing and not there:
        yield _unknown(line, next(iter(missing.values())))
    elif missing:
        yield _one_sided(line, tuple(missing), tuple(there))
    if not line.spots:
        yield from _dead(line)
    if line.writes and not line.prefix and paths.spell(line.theirs) in line.owner.interface.ours:
        yield line.misfit(
            "dead row", "theirs", f"{_quoted(line.shown)}, which the connector itself fills or leaves out",
            "a path that a mapping writes", "Give the row `direction: read`, or take it out.",
        )  # fmt: skip
    for spot in list(there.values())[:1]:
        yield from _lists(line, spot)


def _unknown(line: Line, spot: Missing) -> Misfit:
    whole = f"{line.prefix}/" if line.prefix else ""
    step = line.theirs[spot.place]
    filtered = spot.key != step.key
    key = "where" if filtered and spot.key in (line.keys.get("where") or {}) else "theirs"
    what = f"{_quoted(spot.key)} in the filter of {_quoted(line.shown)}" if filtered else _quoted(line.shown)
    at = whole + paths.spell(line.theirs[: spot.place]) if spot.place else whole.rstrip("/")
    where = f"at {at}" if at else "at the top"
    names = ", ".join(spot.known[:12]) + (" and more" if len(spot.known) > 12 else "")
    expected = f"a path of {line.owner.interface.file or 'the interface'}, which has {where}: {names or 'nothing'}"
    near = spot.near if filtered or not spot.near else whole + spot.near
    remedy = f"Did you mean {_quoted(near)}?" if near else "Correct the path, or take the row out."
    return line.misfit("unknown path", key, f"{what}, which is not in the interface", expected, remedy)


def _one_sided(line: Line, missing: tuple[Use, ...], there: tuple[Use, ...]) -> Misfit:
    """A path that one direction has and the other has not."""
    has, lacks = (" and ".join(_DOES[use] for use in uses) for uses in (there, missing))
    found = f"{_quoted(line.shown)}, which is in {has} and not in {lacks}"
    if "read" in missing:
        remedy, warn = "Give the row `direction: write`: it can never be read.", False
    elif "read" in there:
        remedy, warn = "Give the row `direction: read`: the system would refuse it.", False
        if "create" in there or "update" in there:
            remedy, warn = "Know that the field is carried only where the interface has it.", missing == ("update",)
    else:
        remedy, warn = "Know that the field is carried only where the interface has it.", missing == ("update",)
    return line.misfit("dead row", "theirs", found, "a path that every direction of the row has", remedy, warn=warn)


def _dead(line: Line) -> Iterator[Misfit]:
    """A row of one direction that the profile does not offer at all."""
    interface, direction = line.owner.interface, line.keys.get("direction", "both")
    offered = {use for use in ("read", *WRITES) if interface.of(use) is not None}
    if line.prefix or not offered:
        return
    if direction == "read" or "constant" in line.keys or direction == "write":
        does = "nothing is read from it" if direction == "read" else "nothing is written to it"
        yield line.misfit(
            "dead row", "direction", f"a row that is never used: by the profile of {interface.system} {does}",
            "a row of a direction that the profile offers", "Take the row out, or let the profile offer it.", warn=True,
        )  # fmt: skip


def _lists(line: Line, spot: Found) -> Iterator[Misfit]:
    for through in spot.unpicked:
        yield line.misfit(
            "wrong cardinality", "theirs", f"{_quoted(line.shown)}, which goes through the list {_quoted(through)}",
            "one item that is meant", "Pick it with a filter, as contacts[type=mobile], or map the list with `each`.",
        )  # fmt: skip
    for step, schema in spot.way:
        if not step.where:
            continue
        if kinds(schema) and not is_list(schema):
            yield line.misfit(
                "wrong cardinality", "theirs", f"a filter on {_quoted(step.key)}, of which there is only one",
                "a filter on a list", "Take the filter out.",
            )  # fmt: skip
        yield from _filter_words(line, step, spot)


def _filter_words(line: Line, step: paths.Step, spot: Found) -> Iterator[Misfit]:
    item = item_of(next(schema for one, schema in spot.way if one is step))
    for key, value in step.where:
        told = named(item, key)
        words = None if told is None else told.get("enum")
        if words is not None and value not in [str(word) for word in words]:
            at = "where" if key in (line.keys.get("where") or {}) else "theirs"
            yield line.misfit(
                "code not in the enumeration", at, f"the filter {key}={value} in {_quoted(line.shown)}",
                f"one of {', '.join(map(str, words))}", "Correct the filter: no item is ever picked by it.",
            )  # fmt: skip


def _quoted(text: str) -> str:
    return f"`{text}`"
