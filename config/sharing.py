"""Two councils on one installation of a system: each must say what tells its records from the other's.

Without that a sync of one council would read the other's people. Installations are recognised by profile and address.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from config.connection import Connection
from config.findings import Problem, Severity, shown

At = tuple[str, str]  # council, connection


def shared_installations(councils: Mapping[str, Mapping[str, Connection]]) -> Iterator[tuple[str, Problem]]:
    """Find connections of different councils that cannot be told apart. Gives (council, problem) for each side."""
    places: dict[tuple[str, str], list[At]] = {}
    for council, connections in councils.items():
        for name, connection in connections.items():
            url = connection.connect.get("url")
            # A connection without records, such as one that sends texts, reads nobody's people.
            if isinstance(url, str) and connection.records:
                places.setdefault((connection.profile, url.rstrip("/").casefold()), []).append((council, name))
    for users in places.values():
        for mine in users:
            for other in users:
                if mine[0] != other[0] and not _different_tenants(
                    councils[mine[0]][mine[1]], councils[other[0]][other[1]]
                ):
                    yield from _between(councils, mine, other)


def _between(councils: Mapping[str, Mapping[str, Connection]], mine: At, other: At) -> Iterator[tuple[str, Problem]]:
    here, there = councils[mine[0]][mine[1]], councils[other[0]][other[1]]
    path = ("connections", mine[1])
    if here.council_field is None:
        same = _identity(here.connect) == _identity(there.connect)
        problem = Problem(
            (*path, "connect", "url"),
            f"the installation that {other[0]} uses too (its connection {shown(other[1])})",
            "`council_field` and `council_values`, where councils share an installation",
            "add both, or correct the address"
            + ("" if same else "; leave it so if each login sees its own records only"),
            Severity.ERROR if same else Severity.WARNING,
        )
        yield mine[0], problem
        return
    if there.council_field is not None:
        if here.council_field != there.council_field:
            found = f"another field than {other[0]} names for the same installation"
            yield (
                mine[0],
                Problem((*path, "council_field"), found, "the same field in both councils", "correct one of them"),
            )
        if set(here.council_values) & set(there.council_values):
            found = f"a value that {other[0]} claims too"
            expected = "values that belong to one council only"
            yield mine[0], Problem((*path, "council_values"), found, expected, "take it out of one of them")


def _identity(connect: Mapping[str, Any]) -> tuple[Any, Any]:
    """What decides which records a call may see, besides the address."""
    return connect.get("login"), connect.get("tenant")


def _different_tenants(here: Connection, there: Connection) -> bool:
    tenants = here.connect.get("tenant"), there.connect.get("tenant")
    return None not in tenants and tenants[0] != tenants[1]
