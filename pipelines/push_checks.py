"""What `dolen check` finds about calls that systems make to us: whether anybody listens, whether any call is taken, and
whether what was called about while nobody listened can be read afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from config.connection import Connection
from config.findings import Finding, Severity
from config.site import Council, Site
from connectors.push.declared import pushed_kinds
from connectors.registry import could_be_read


def pushes(
    site: Site, council: Council, name: str, connection: Connection, profile: Mapping[str, Any]
) -> Iterator[Finding]:
    """Find what is wrong with the pushes of one connection, whose profile is sound."""
    if not connection.connect.get("push"):
        return
    at, taken = ("connections", name), pushed_kinds(profile, connection.connect).intersection(connection.records)
    if not taken:
        yield council.document.finding(
            (*at, "connect", "push"),
            found="how calls to us are proven, for a system whose calls would all be refused",
            expected="one of `records` for which the profile has `push`",
            remedy="take `push` out, or add `push` to the profile",
        )
    elif site.settings.listener is None:
        yield council.document.finding(
            (*at, "connect", "push"),
            found="how calls to us are proven, and no `listener` in config/dolen.yaml: nobody hears them",
            expected="a `listener`, at which the system's calls arrive",
            remedy="write `listener: {}` into config/dolen.yaml and see docs/pushes.md, or take `push` out here",
        )
    for kind in sorted(taken & could_be_read(profile)):
        yield council.document.finding(
            (*at, "records", kind),
            found="a kind that the system only calls about: the profile has `push` for it and no `changes`",
            expected="`changes` too, by which what it called about while nobody listened is found later",
            remedy="add `changes` to the profile if the system can be read, and a `schedule` here, however seldom",
            severity=Severity.WARNING,
        )
