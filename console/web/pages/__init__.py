"""The pages. Each is one file here with its `Doors`, one template and one file of words (`words/PAGE.toml`;
its place in the menu is said in `words/menu.toml`).

Whoever adds a page lists it below and gives each of its doors a visit in `tests/web/visits.py`; the walks then look at
it in both languages, as every role, with axe and on a narrow screen.
"""

from __future__ import annotations

from console.web.doors import Doors
from console.web.pages import (
    alerts,
    attention,
    audit,
    case,
    confirm,
    conflict,
    connection,
    front,
    glass,
    group,
    handover,
    mapping,
    outcomes,
    overview,
    reconcile,
    referral,
    schedule,
    sessions,
    settings,
    sight,
    task,
    whose,
)

ALL: tuple[Doors, ...] = (
    front.doors,
    overview.doors,
    attention.doors,
    alerts.doors,
    group.doors,
    handover.doors,
    case.doors,
    referral.doors,
    task.doors,
    confirm.doors,
    glass.doors,
    sight.doors,
    connection.doors,
    whose.doors,
    conflict.doors,
    mapping.doors,
    schedule.doors,
    reconcile.doors,
    outcomes.doors,
    audit.doors,
    settings.doors,
    sessions.doors,
)  # fmt: skip
