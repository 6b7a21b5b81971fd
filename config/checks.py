"""What must hold between the parts of a council's file, and between the councils of a site.

Each check takes what could be read and gives problems with their paths, so that one misspelt key does not hide the
other faults of the file. What depends on mappings or interfaces is checked by `dolen check` elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from config import secrets
from config.connection import Connection
from config.council import Identity
from config.findings import Problem, did_you_mean, one_of, shown
from config.layers import Layers
from config.routes import LIVE_NEEDS, Route
from config.texts import Text
from config.validation import validated


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a council's file is checked against."""

    stage: str = "test"
    layers: Layers | None = None  # None: whether profiles and mappings exist is not looked at
    texts: Mapping[str, Text] = field(default_factory=dict)
    text_names: Collection[str] = ()  # also of texts that could not be read: they have findings of their own
    groups: Collection[str] = ()  # the groups of fields there are; empty: not looked at


@dataclass(frozen=True, slots=True)
class Pieces:
    """The parts of a council's file that could be read, each by itself."""

    identity: Identity | None
    connections: Mapping[str, Connection]
    routes: Mapping[int, Route]
    names: Collection[str]  # of all connections, also those that could not be read


def pieces_of(data: Any) -> Pieces:
    """Read what can be read of a council's file, whatever its other parts look like."""
    sections = data if isinstance(data, dict) else {}
    raw_connections = sections.get("connections")
    raw_routes = sections.get("routes")
    connections = raw_connections if isinstance(raw_connections, dict) else {}
    routes = raw_routes if isinstance(raw_routes, list) else []
    read = {name: validated(Connection, one)[0] for name, one in connections.items()}
    routed = {position: validated(Route, one)[0] for position, one in enumerate(routes)}
    return Pieces(
        validated(Identity, sections.get("council"))[0],
        {name: one for name, one in read.items() if one is not None},
        {position: one for position, one in routed.items() if one is not None},
        tuple(connections),
    )


def council_problems(pieces: Pieces, stem: str, around: Surroundings) -> Iterator[Problem]:
    """Find everything that does not fit together in one council's file, called `stem`.yaml."""
    if pieces.identity and pieces.identity.code != stem:
        found = f"the code {shown(pieces.identity.code)} in a file called {shown(stem + '.yaml')}"
        yield Problem(("council", "code"), found, "the file to be called after the code", "rename one of the two")
    yield from _ownership(pieces, around.groups)
    for name, connection in pieces.connections.items():
        yield from _connection(name, connection, around)
    first: dict[str, int] = {}
    endings: dict[str, str] = {}
    for position, route in pieces.routes.items():
        yield from _route_ends(position, route, pieces)
        yield from _route_text(position, route, around)
        yield from _route_replies(position, route, pieces)
        if route.name in first:
            found = f"the name {shown(route.name)} twice"
            yield Problem(
                ("routes", position, "name"), found, "a name of its own", "give one of the routes another name"
            )
        first.setdefault(route.name, position)
        if route.when_deleted is not None and route.when_deleted != endings.setdefault(route.from_, route.when_deleted):
            yield Problem(
                ("routes", position, "when_deleted"),
                f"{route.when_deleted}, where another route from {shown(route.from_)} says {endings[route.from_]}",
                "one status for all routes from a connection",
                "write the same in each",
            )
        if around.stage == "live":
            yield from _live(position, route)


def _ownership(pieces: Pieces, groups: Collection[str]) -> Iterator[Problem]:
    """A group has one owner, and `status` has one where anything is kept in step."""
    owners: dict[str, str] = {}
    for name, connection in pieces.connections.items():
        for position, group in enumerate(connection.owns):
            path = ("connections", name, "owns", position)
            if group in owners:
                found = f"{shown(group)}, which {shown(owners[group])} owns too"
                remedy = "leave it with the system where it is kept right, and take it out of the other"
                yield Problem(path, found, "one owner for each group of fields", remedy)
            owners.setdefault(group, name)
            if groups and group not in groups:
                remedy = did_you_mean(group, groups) or "write one of these"
                yield Problem(path, f"the unknown group {shown(group)}", one_of(groups), remedy)
    all_read = len(pieces.connections) == len(pieces.names)  # else the owner may be in the part that could not be read
    if all_read and "status" not in owners and any(route.carries == "state" for route in pieces.routes.values()):
        remedy = "add `status` to `owns` of the system whose status residents are told"
        yield Problem(("connections",), "no owner of `status`", "exactly one connection that owns `status`", remedy)


def _connection(name: str, connection: Connection, around: Surroundings) -> Iterator[Problem]:
    path = ("connections", name)
    yield from secrets.written_out(connection.connect, (*path, "connect"))
    if around.layers is None:
        return
    if around.layers.find("profiles", connection.profile) is None:
        yield around.layers.missing("profiles", connection.profile, (*path, "profile"))
    for kind, use in connection.records.items():
        if around.layers.find("mappings", use.mapping) is None:
            yield around.layers.missing("mappings", use.mapping, (*path, "records", kind, "mapping"))


def _route_ends(position: int, route: Route, pieces: Pieces) -> Iterator[Problem]:
    for key, name in (("from", route.from_), ("to", route.to)):
        if name not in pieces.names:
            remedy = did_you_mean(name, pieces.names) or "write one of this council's connections"
            yield Problem(
                ("routes", position, key), f"the unknown connection {shown(name)}", one_of(pieces.names), remedy
            )
    source, target = pieces.connections.get(route.from_), pieces.connections.get(route.to)
    if source is not None and not source.records:
        found = f"{shown(route.from_)}, a connection without `records`"
        yield Problem(
            ("routes", position, "from"), found, "a connection that records are read from", "give it `records`"
        )
    if target is not None and route.record is not None and route.record not in target.records:
        remedy = did_you_mean(route.record, target.records) or f"add it to `records` of {shown(route.to)}"
        found = f"{shown(route.record)}, a kind of record that {shown(route.to)} does not have"
        yield Problem(("routes", position, "record"), found, one_of(target.records), remedy)


def _route_text(position: int, route: Route, around: Surroundings) -> Iterator[Problem]:
    path: tuple[str | int, ...] = ("routes", position)
    named = [((*path, "text"), route.text)] if route.text is not None else []
    for row, hears in enumerate(route.recipients):
        named += [((*path, "recipients", row, "texts", at), name) for at, name in enumerate(hears.texts)]
    for at, name in named:
        if name not in around.text_names:
            remedy = did_you_mean(name, around.text_names) or f"create texts/{name}.yaml"
            yield Problem(at, f"the unknown text {shown(name)}", one_of(around.text_names), remedy)
            continue
        text = around.texts.get(name)
        wanted = [status for status in route.when.get("status", []) if isinstance(status, str)]
        for status in wanted if text else ():
            if text and status not in text.statuses:
                remedy = did_you_mean(status, text.statuses) or f"add it to texts/{name}.yaml, or take it out here"
                found = f"the status {shown(status)}, for which the text has no words"
                yield Problem((*path, "when", "status"), found, one_of(text.statuses), remedy)


def _route_replies(position: int, route: Route, pieces: Pieces) -> Iterator[Problem]:
    """A route that tells what became of others names routes that lead from its target to its source."""
    known = {one.name: one for one in pieces.routes.values() if one.carries == "state"}
    for at, name in enumerate(route.replies_to):
        told = known.get(name)
        path = ("routes", position, "replies_to", at)
        if told is None:
            remedy = did_you_mean(name, known) or "write the name of a route with `carries: state`"
            yield Problem(path, f"the unknown route {shown(name)}", one_of(known), remedy)
        elif (told.from_, told.to) != (route.to, route.from_):
            found = f"{shown(name)}, which goes from {told.from_} to {told.to}"
            expected = f"a route from {route.to} to {route.from_}"
            yield Problem(path, found, expected, "whoever sent a record is told what became of it")


def _live(position: int, route: Route) -> Iterator[Problem]:
    for key in LIVE_NEEDS:
        if getattr(route, key) is None:
            declared = Route.model_fields[key]
            example = (declared.examples or ["..."])[0]
            remedy = f"add for instance `{key}: {example}`, or set `stage: test` in dolen.yaml"
            yield Problem(("routes", position, key), "nothing", f"`{key}`, because the stage is live", remedy)
