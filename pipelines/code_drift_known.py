"""What is known of code drift: the newest comparison of each connection's code lists with its system's own.

Who asks the systems is `pipelines.code_drift`. Screens that only show what was found load this alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import orjson
from sqlalchemy import select

from pipelines.ledger import get_meta
from pipelines.plant import Plant
from pipelines.tables import meta

#: What a slot is for by which a connection is asked for its codes.
PURPOSE = "codes"


@dataclass(frozen=True, slots=True)
class Drift:
    """One list of one connection, held against what the system says."""

    kind: str
    path: str  # in the system's record
    code_list: str
    new: tuple[tuple[str, str], ...] = ()  # (code, how the system shows it): no row reads it
    gone: tuple[tuple[str, str], ...] = ()  # (code, ours): we would write it, and the system does not know it
    words: str = ""  # why the system could not be asked

    @property
    def drifted(self) -> bool:
        """The list is to be looked at."""
        return bool(self.new or self.gone)


@dataclass(frozen=True, slots=True)
class Known:
    """What the newest comparison of one connection found."""

    council: str
    connection: str
    at: int
    drifts: tuple[Drift, ...]  # of those that differ or could not be asked
    compared: int


def known(plant: Plant) -> list[Known]:
    """What the newest comparison of each connection found; those that were never asked are not in it."""
    found = []
    with plant.ledger.reading() as connection:
        asked = set(connection.execute(select(meta.c.name).where(meta.c.name.like("code drift %"))).scalars())
        for council in plant.councils.values():
            for name in council.wired:
                if name_of(council.code, name) not in asked:
                    continue
                kept = orjson.loads(get_meta(connection, name_of(council.code, name)) or "{}")
                drifts = tuple(
                    Drift(**{**one, **{at: tuple(map(tuple, one[at])) for at in ("new", "gone")}})
                    for one in kept["drifts"]
                )
                found.append(Known(council.code, name, kept["at"], drifts, kept["compared"]))
    return found


def name_of(council: str, connection: str) -> str:
    """Under what the ledger keeps it."""
    return f"code drift {council}/{connection}"
