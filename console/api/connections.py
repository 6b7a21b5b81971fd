"""One connection as its page shows it, today's flow between them, and the doctor, who looks at a living system."""

from __future__ import annotations

import dataclasses
from typing import Any

from fastapi import APIRouter

from console import where_words
from console.api import forms, site_shapes
from console.api.caller import Seen, needs
from console.api.control import wired_of
from console.show import iso
from console.site import zone_of
from pipelines import alerting, doctor, glance, lists, menders
from pipelines.rights import Right

router = APIRouter(tags=["looking"])


@router.get("/flow", **needs(Right.SEE))
def flow(plant: Seen) -> site_shapes.Flows:
    """What has gone by each route today."""
    seen = glance.glance(plant, sorted(plant.councils))
    return site_shapes.Flows(
        flows=[site_shapes.FlowShape(**dataclasses.asdict(one)) for one in seen.flows], since=iso(seen.flows_since)
    )


@router.get("/connections/{council}/{connection}", **needs(Right.SEE))
def one(plant: Seen, council: forms.CouncilCode, connection: forms.ConnectionName) -> site_shapes.ConnectionShape:
    """One connection: how it is, its limits and calendar, and who looks after it."""
    wired = wired_of(plant, council, connection)
    link, zone, settings = lists.standing(plant, wired), zone_of(plant, council), wired.settings
    mend = menders.of_connection(plant.councils[council], connection)
    times: dict[str, Any] = {
        name: iso(getattr(link, name), zone)
        for name in ("paused_until", "window_until", "last_read", "next_run", "oldest")
    }
    told = {name: value for name, value in dataclasses.asdict(link).items() if name != "unread"}
    return site_shapes.ConnectionShape(
        **told | times,
        windows=[dict(window) for window in settings.get("windows") or ()],
        most=glance.MOST_COUNTED,
        alerts=sum(row.connection == connection for row in alerting.open_alerts(plant, council)),
        at_once=wired.at_once,
        timeout_seconds=wired.timeout_seconds,
        settle_seconds=wired.settle_seconds,
        polls_a_day=settings.get("polls_a_day"),
        most_waiting=settings.get("most_waiting"),
        pause_after_failures=(settings.get("pause") or {}).get("after_failures"),
        who=where_words.whom(mend) if mend is not None else "",
    )


@router.post("/connections/{council}/{connection}/doctor", **needs(Right.CONTROL))
def look(plant: Seen, council: forms.CouncilCode, connection: forms.ConnectionName) -> site_shapes.Looked:
    """Look at the living system, without changing anything: TLS, clock, login, permission, one page."""
    wired = wired_of(plant, council, connection)
    found = [
        site_shapes.FindingShape(**dataclasses.asdict(one), who=doctor.who_mends(wired, one))
        for *_, one in doctor.examine(plant, council, connection)
    ]
    return site_shapes.Looked(findings=found)
