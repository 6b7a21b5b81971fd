"""Nesting facts, the swift way: the plan of a set of paths as one function, for sets that come again and again.

It gives what the plan itself gives (`assembly.py`); making it takes as long as some hundred uses of the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from mappings.meta import Json
from mappings.source import Source

if TYPE_CHECKING:
    from mappings.assembly import Node

Place = Callable[[dict[str, Any], str, dict[str, str], dict[str, Any]], None]


def swift(root: Node, place: Place) -> Callable[[Mapping[str, Json]], dict[str, Any]]:
    """Make the function. `place`: lays what a filter picks into a list that other facts may have begun."""
    source = Source("facts")
    made = _inside(source, root, source.hold(place))
    source.line(1, "return {made}", made=made)
    return source.made()


def _inside(source: Source, node: Node, place: str) -> str:
    """Write what one object is made of. Returns its name."""
    made = source.local("m")
    source.line(1, "{made} = {{}}", made=made)
    for name, path in node.leaves:
        names = {"v": "v", "made": made, "name": source.hold(name)}
        source.line(1, "{v} = facts[{path}]", v="v", path=source.hold(path))
        source.line(1, 'if {v} or ({v} is not None and {v} != ""):', **names)
        source.line(2, "{made}[{name}] = {v}", **names)
    for step, child in sorted(node.children.items(), key=lambda found: bool(found[0].where)):
        inner = _inside(source, child, place)
        names = {"made": made, "name": source.hold(step.name), "inner": inner}
        source.line(1, "if {inner}:", **names)
        if not step.where:
            source.line(2, "{made}[{name}] = {inner}", **names)
            continue
        names |= {"where": source.hold(dict(step.where)), "place": place}
        if not node.apart(step):
            source.line(2, "{place}({made}, {name}, {where}, {inner})", **names)
            continue
        source.line(2, "if {name} in {made}:", **names)
        source.line(3, "{made}[{name}].append({where} | {inner})", **names)
        source.line(2, "else:", **names)
        source.line(3, "{made}[{name}] = [{where} | {inner}]", **names)
    return made
