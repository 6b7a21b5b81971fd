"""The plans behind facts: from a set of paths to a function that nests them, and from a path to one that reads it.

A plan is a tree of plain tuples, made once per set of paths and then only walked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple, cast

from mappings.declaration import declared
from mappings.fieldpaths import BadPath, Step, check, normalise, parse
from mappings.meta import Json, Part
from mappings.referral import Referral
from mappings.swift_nest import swift

Where = tuple[tuple[str, str], ...]
Nest = Callable[[Mapping[str, Json]], dict[str, Any]]
_OFTEN = 100  # records with the same fields, after which it pays to make a function of its own for them


class Node:
    """One object of the nested referral while a plan is being made."""

    __slots__ = ("children", "leaves")

    def __init__(self) -> None:
        self.leaves: list[tuple[str, str]] = []  # name, the fact's path
        self.children: dict[Step, Node] = {}

    def apart(self, step: Step) -> bool:
        """Whether no other fact can make the list member that a filter picks, so that nobody needs to look for it."""
        if any(name == step.name for name, _ in self.leaves):
            return False
        mine = dict(step.where or ())
        for other, child in self.children.items():
            if other.name != step.name or other == step:
                continue
            made = {name for name, _ in child.leaves} | {inner.name for inner in child.children}
            if not any(mine.get(key, value) != value and key not in made for key, value in other.where or ()):
                return False
        return True


class Plan:
    """How facts of one set of paths are nested. `nest` becomes swift when the set has come often enough."""

    __slots__ = ("_left", "_root", "_slowly", "nest")

    def __init__(self, root: Node) -> None:
        self._root = root
        self._slowly = nest_of(root)
        self._left = _OFTEN
        self.nest: Nest = self._counted

    def _counted(self, facts: Mapping[str, Json]) -> dict[str, Any]:
        self._left -= 1
        if self._left <= 0:
            self.nest = swift(self._root, place)
        return self._slowly(facts)


@lru_cache(maxsize=256)  # one entry a combination of fields that a mapping gives; paths are not personal
def plan_for(paths: tuple[str, ...]) -> Plan:
    """The plan for facts of exactly these paths. Raises BadPath for the first path that is none."""
    return Plan(root_of(paths))


def root_of(paths: tuple[str, ...]) -> Node:
    """The paths as a tree."""
    root = Node()
    for path in sorted(paths, key=normalise):  # the order of a dict must not decide the order of a list
        if problem := check(path):
            raise BadPath(problem)
        node = root
        *outer, leaf = parse(path)
        for step in outer:
            node = node.children.setdefault(step, Node())
        node.leaves.append((leaf.name, path))
    return root


def nest_of(node: Node) -> Nest:
    """The function that nests facts by walking the tree."""
    leaves = tuple(node.leaves)
    objects = tuple((step.name, nest_of(child)) for step, child in node.children.items() if step.where is None)
    members = tuple(
        (step.name, dict(step.where), nest_of(child), node.apart(step))
        for step, child in node.children.items()
        if step.where
    )

    def nest(facts: Mapping[str, Json]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name, path in leaves:
            value = facts[path]
            if value or (value is not None and value != ""):  # the first settles it for nearly every value
                made[name] = value
        for name, inner in objects:
            if found := inner(facts):
                made[name] = found
        for name, where, inner, apart in members:
            if not (found := inner(facts)):
                continue
            if not apart:
                place(made, name, where, found)
            elif name in made:
                made[name].append(where | found)
            else:
                made[name] = [where | found]
        return made

    return nest


def place(made: dict[str, Any], name: str, where: dict[str, str], found: dict[str, Any]) -> None:
    """Lays what was found into the list's member that the filter picks, or appends that member."""
    members = made[name] = list(made.get(name) or ())
    for place, member in enumerate(members):
        if isinstance(member, dict) and where.items() <= member.items():
            members[place] = member | found
            return
    members.append(where | found)


@lru_cache(maxsize=4096)
def reader_for(path: str) -> Callable[[Referral], Json]:
    """The function that reads the fact at the path from a referral. Raises BadPath."""
    if problem := check(path):
        raise BadPath(problem)
    steps = parse(path)
    if steps[0].name == "extensions":
        return _extension_reader(steps[1].name, steps[2].name)
    hops = hops_of(path)
    if all(hop.where is None for hop in hops):
        return _plain_reader(tuple(hop.attribute for hop in hops))
    return _picking_reader(tuple((hop.attribute, hop.where) for hop in hops))


class Hop(NamedTuple):
    """One step from a piece of the referral to a value in it. `part`: what that is, None for a plain value."""

    attribute: str
    where: Where | None  # by attribute, for a list from which one member is picked
    part: type[Part] | None
    many: bool
    coded: bool  # a member of an enumeration


@lru_cache(maxsize=4096)
def hops_of(path: str) -> tuple[Hop, ...]:
    """The steps to the value of a path that `check` has found to be one; () for an extension, which is no field."""
    hops: list[Hop] = []
    generic, within = "", cast("type[Part]", Referral)
    steps = parse(path)
    if steps[0].name == "extensions":
        return ()
    for step in steps:
        field = declared()[generic + step.name]
        annotation = within.model_fields[field.attribute].annotation
        coded = isinstance(annotation, type) and issubclass(annotation, Enum)
        where = _by_attribute(field.path, step.where) if step.where else None
        hops.append(Hop(field.attribute, where, field.part, field.many, coded))
        generic = field.path + ("[]." if field.many else ".")
        within = field.part or within
    return tuple(hops)


def member_of(members: Iterable[Part] | None, where: Where, nothing: dict[str, Any]) -> dict[str, Any]:
    """The values of the first member that the filter picks, `nothing` if there is none."""
    for member in members or ():
        values = member.__dict__
        for attribute, value in where:
            if values[attribute] != value:
                break
        else:
            return values
    return nothing


@lru_cache(maxsize=64)  # one entry a class of Part
def nothing_of(part: type[Part] | None) -> dict[str, Any]:
    """The values of a piece that says nothing."""
    return dict.fromkeys(part.model_fields if part is not None else ())


def only(path: str, value: Any) -> dict[str, Json]:
    """Facts of this one value, none if it says nothing."""
    said = _json(value)
    return {} if said is None else {path: said}


def _by_attribute(listed: str, where: Where) -> Where:
    return tuple((declared()[f"{listed}[].{key}"].attribute, value) for key, value in where)


def _extension_reader(system: str, name: str) -> Callable[[Referral], Json]:
    def read(referral: Referral) -> Json:
        return tidy(referral.extensions.get(system, {}).get(name))

    return read


def _plain_reader(names: tuple[str, ...]) -> Callable[[Referral], Json]:
    if len(names) == 1:
        get = attrgetter(names[0])
        return lambda referral: _json(get(referral))
    *outer, last = names

    def read(referral: Referral) -> Json:
        at: Any = referral
        for name in outer:
            at = getattr(at, name)
            if at is None:
                return None
        return _json(getattr(at, last))

    return read


def _picking_reader(hops: tuple[tuple[str, Where | None], ...]) -> Callable[[Referral], Json]:
    def read(referral: Referral) -> Json:
        at: Any = referral
        for name, where in hops:
            at = getattr(at, name)
            if where is not None:
                for member in at:
                    if all(getattr(member, key) == value for key, value in where):
                        at = member
                        break
                else:
                    return None
            if at is None:
                return None
        return _json(at)

    return read


def _json(value: Any) -> Json:
    if value is None or value == "":
        return None
    if type(value) is str or type(value) is bool:
        return value
    if type(value) is tuple:
        return [said for member in value if (said := _json(member)) is not None] or None
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Part):
        return _object(value)
    return value


def _object(part: Part) -> dict[str, Json] | None:
    """A member of a list as JSON, without what it does not say; None if it says nothing."""
    values, said = part.__dict__, {}
    for attribute, name in _names(type(part)):
        value = values[attribute]
        if value is not None and (found := _json(value)) is not None:
            said[name] = found
    return said or None


@lru_cache(maxsize=64)  # one entry a class of Part
def _names(part: type[Part]) -> tuple[tuple[str, str], ...]:
    return tuple((attribute, info.alias or attribute) for attribute, info in part.model_fields.items())


def tidy(value: Json) -> Json:
    """The one spelling of a value: whatever is empty, at any depth, is left out, and nothing at all is None."""
    if isinstance(value, dict):
        return {key: kept for key, inner in value.items() if (kept := tidy(inner)) is not None} or None
    if isinstance(value, list | tuple):
        return [kept for inner in value if (kept := tidy(inner)) is not None] or None
    return None if value == "" else value
