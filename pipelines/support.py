"""What a supporter of Dolen needs to see of a site, and nothing personal: made of a list of what may be in it.

No payload, log, reference, secret or record's number is in it, no words that a person or a system wrote, and no name or
telephone of anybody's staff. Causes are told by step, error class, field and code list; their sentences are left out.
"""

from __future__ import annotations

import platform
import sys
import zipfile
from collections.abc import Iterable, Mapping
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Table, func, select

from config.findings import Finding
from config.site import Site
from pipelines import alerting, measures, processes, readiness, upgrades
from pipelines.clock import to_instant
from pipelines.plant import Plant
from pipelines.states import DeliveryState, VersionState
from pipelines.tables import (
    attempt,
    cause,
    delivery,
    interface_look,
    metadata,
    pause,
    process,
    reconciliation,
    slot,
    version,
    walk,
)

#: Of each table, the columns that may be told. None holds a person, a reference, or words that somebody wrote.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "walk": ("council", "connection", "kind", "purpose", "began", "completed", "pages", "fence"),
    "pause": ("council", "connection", "why", "at", "until", "failures"),
    "process": ("boot", "roles", "program", "began", "beat", "ended", "words"),
    "reconciliation": ("council", "route", "at", "whole", "begun", "done", "agrees", "counts"),
    "interface_look": ("council", "connection", "planned", "at", "state", "since", "counts"),
    "slot": ("council", "connection", "kind", "purpose", "at", "begun", "done", "records", "asked"),
}
_TABLES: tuple[Table, ...] = (walk, pause, process, reconciliation, interface_look, slot)
#: Of a connection's settings, those that may be told.
_SETTINGS = (
    "every", "cron", "jitter", "zone", "polls_a_day", "most_waiting", "windows", "paused", "pause", "system",
    "protocol", "profile", "drift",
)  # fmt: skip
_NEWEST = 200
_README = """What is in here: versions, findings of `dolen check`, the shape of connections and routes, states and
counts, what needs attention by step, error and field, and the figures. What is not: payloads, logs, references, record
numbers, words that people or systems wrote, names and telephones of staff, secrets. Read it before you send it.
"""


def bundle(plant: Plant, site: Site, findings: Iterable[Finding], to: Path) -> list[str]:
    """Write the bundle; return the names of what is in it. Raises FileExistsError."""
    parts: dict[str, Any] = {
        "program.json": _program(plant, site),
        "findings.json": [_finding(one) for one in findings],
        "site.json": _shape(plant),
        "states.json": _states(plant),
        "attention.json": _attention(plant),
        "ready.json": readiness.ready(plant),
        "alerts.json": [
            {"kind": row.kind, "council": row.council, "connection": row.connection, "route": row.route,
             "urgent": row.urgent, "count": row.count, "opened": _when(row.opened), "told": row.told,
             "answered": row.answered is not None}
            for row in alerting.open_alerts(plant)
        ],
        "figures.json": [
            {"name": one.figure.name, "labels": dict(zip(one.figure.labels, one.labels, strict=True)),
             "value": one.value}
            for one in measures.Measures(plant, site.data_folder).take()
        ],
        **{f"{table.name}.json": _rows(plant, table) for table in _TABLES},
    }  # fmt: skip
    with zipfile.ZipFile(to, "x", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("README.txt", _README)
        for name, body in parts.items():
            options = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS
            packed.writestr(name, orjson.dumps(body, option=options, default=str))
    return ["README.txt", *parts]


def _program(plant: Plant, site: Site) -> dict[str, Any]:
    return {
        "dolen": processes.program(), "tables": upgrades.HEAD, "python": sys.version.split()[0],
        "system": platform.system(), "release": platform.release(), "machine": platform.machine(),
        "stage": plant.stage, "ledger": plant.ledger.engine.dialect.name,
        "broker": plant.broker_url.partition(":")[0], "councils": len(site.councils),
        "packages": {one.metadata["Name"]: one.version for one in distributions()},
    }  # fmt: skip


def _finding(one: Finding) -> dict[str, Any]:
    """Where and which key, and not what was found there: a slip may have put anything in a file."""
    return {"file": one.file, "line": one.line, "key": one.key, "severity": one.severity.value}


def _shape(plant: Plant) -> list[dict[str, Any]]:
    return [
        {
            "council": council.code,
            "owners": dict(council.owners),
            "connections": {
                name: {
                    **{key: wired.settings.get(key) for key in _SETTINGS},
                    "kinds": {kind.name: kind.mapping_name for kind in wired.kinds.values()},
                    "timeout_seconds": wired.timeout_seconds, "settle_seconds": wired.settle_seconds,
                    "at_once": wired.at_once,
                }
                for name, wired in council.wired.items()
            },
            "routes": [
                {"name": route.name, "from": route.source, "to": route.target, "kind": route.kind,
                 "carries": route.carries, "when": sorted(route.when), "arrive_within": route.arrive_within}
                for route in council.routes
            ],
        }
        for council in plant.councils.values()
    ]  # fmt: skip


def _states(plant: Plant) -> dict[str, Any]:
    with plant.ledger.reading() as connection:
        counts = {
            table.name: int(connection.execute(select(func.count()).select_from(table)).scalar_one())
            for table in metadata.sorted_tables
        }
        by_state = {
            table.name: [
                list(row)
                for row in connection.execute(
                    select(table.c.council, table.c.connection, table.c.state, func.count())
                    .group_by(table.c.council, table.c.connection, table.c.state)
                    .order_by(table.c.council, table.c.connection, table.c.state)
                )
            ]
            for table in (delivery, version)
        }
        tries = [
            list(row)
            for row in connection.execute(
                select(delivery.c.council, delivery.c.connection, attempt.c.what, attempt.c.outcome, attempt.c.error,
                       func.count())
                .join(delivery, delivery.c.id == attempt.c.delivery_id)
                .group_by(delivery.c.council, delivery.c.connection, attempt.c.what, attempt.c.outcome, attempt.c.error)
            )
        ]  # fmt: skip
    return {"rows": counts, **by_state, "tries": tries}


def _attention(plant: Plant) -> list[dict[str, Any]]:
    with plant.ledger.reading() as connection:
        stopped: dict[int, int] = {}
        for table, states in (
            (delivery, (DeliveryState.ATTENTION, DeliveryState.NOT_SURE)), (version, (VersionState.ATTENTION,)),
        ):  # fmt: skip
            for id, count in connection.execute(
                select(table.c.cause_id, func.count()).where(table.c.state.in_(states)).group_by(table.c.cause_id)
            ):
                stopped[id] = stopped.get(id, 0) + count
        causes = connection.execute(select(cause).where(cause.c.id.in_([id for id in stopped if id is not None]))).all()
    return [
        {"cause": row.fingerprint, "council": row.council, "connection": row.connection, "step": row.step,
         "error": row.error, "field": row.field, "code_list": row.code_list, "count": stopped[row.id],
         "first": _when(row.first_seen), "last": _when(row.last_seen)}
        for row in causes
    ]  # fmt: skip


def _rows(plant: Plant, table: Table) -> list[dict[str, Any]]:
    columns = [table.c[name] for name in COLUMNS[table.name]]
    order = [column.desc() for column in table.primary_key.columns]
    with plant.ledger.reading() as connection:
        rows = connection.execute(select(*columns).order_by(*order).limit(_NEWEST)).all()
    return [dict(row._mapping) for row in rows]


def _when(at: int) -> str:
    return to_instant(at).isoformat()
