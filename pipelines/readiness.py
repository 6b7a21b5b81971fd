"""Whether this process lives, and whether it can work: ledger, tables, keys, broker, clock. For whoever restarts it.

To live is little: its threads go on, and its disk has not lost what it was given. To be ready is to be able to take
work. Neither says how well the site does; that is in the figures and the alerts.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from pipelines import wakeups
from pipelines.alert_looks import micro
from pipelines.clock import SECOND, machine_time
from pipelines.ledger import LedgerFault
from pipelines.plant import Plant

_CLOCK = 30 * SECOND


def lives(plant: Plant) -> bool:
    """Whether it may go on: False where it must end, because its disk did not keep what it was given."""
    return not plant.ledger.lost.is_set()


def ready(plant: Plant) -> dict[str, str]:
    """What was looked at, and what is wrong with it: "" where nothing is. Fixed words, and never an address."""
    looks: dict[str, Callable[[Plant], str]] = {
        "ledger": _ledger, "tables": _tables, "keys": _keys, "broker": _broker, "clock": _clock,
    }  # fmt: skip
    return {name: look(plant) for name, look in looks.items()}


def _ledger(plant: Plant) -> str:
    try:
        with plant.ledger.reading() as connection:
            connection.exec_driver_sql("SELECT 1")
    except (SQLAlchemyError, LedgerFault):
        return "the database does not answer"
    return "the disk is full" if plant.ledger.reserve.is_full else ""


def _tables(plant: Plant) -> str:
    try:
        plant.ledger.still_fits()
    except LedgerFault:
        return "a newer program has changed the tables"
    except SQLAlchemyError:
        return "cannot be looked at"
    return ""


def _keys(plant: Plant) -> str:
    try:
        return "" if plant.keys.identity else "the key store is empty"
    except SQLAlchemyError:
        return "the key store does not answer"


def _broker(plant: Plant) -> str:
    return "" if wakeups.answers(plant.broker_url) else "it does not answer; workers look into the ledger themselves"


def _clock(plant: Plant) -> str:
    most = micro(plant.alerts.limits.clock) if plant.alerts is not None else _CLOCK
    return "the ledger's clock and this machine's differ" if abs(plant.clock.now() - machine_time()) > most else ""
