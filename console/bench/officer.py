"""The officer of the bench: answers what waits for a person, from what the target really holds.

A create to a system of tier C that got no answer cannot be looked up by a machine. The officer looks, by the mark that
the request itself bears, once nothing can commit late any more; and answers through the desk as anybody would.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from console.bench.peers import Peers
from console.bench.site import COUNCILS, SETTLE, TIMEOUT
from pipelines import desk
from pipelines.composition import build, load
from pipelines.states import DeliveryState
from pipelines.worklist import open_deliveries

if TYPE_CHECKING:
    from pipelines.plant import Plant

WHO = "bench.officer"
LOOK_EVERY = 1.0  # seconds
#: From when a question is first seen until it may be answered: by then the last late commit has happened.
PATIENCE = TIMEOUT + SETTLE
_ASKING = (DeliveryState.NOT_SURE, DeliveryState.ATTENTION)


@dataclass(frozen=True, slots=True)
class Question:
    """One question that was answered: of which delivery and request, and whether it was there."""

    delivery: str
    token: str
    there: bool


class Officer:
    """Looks at what waits and answers it, on a thread of its own. Use it as a context."""

    def __init__(self, site: Path, peers: Peers) -> None:
        self._site, self._peers = site, peers
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="officer")
        self._seen: dict[str, float] = {}
        self.asked: list[Question] = []
        self.stumbles: dict[str, int] = {}  # why the desk could not be used for a moment -> how often

    def __enter__(self) -> Officer:
        self._plant = build(load(self._site))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._plant.close()

    @property
    def plant(self) -> Plant:
        """The site as the desk sees it."""
        return self._plant

    @property
    def held(self) -> set[str]:
        """The requests of which a person was asked whether they had arrived."""
        return {question.token for question in self.asked}

    def _work(self) -> None:
        while not self._stop.wait(LOOK_EVERY):
            try:
                self._look()
            except Exception as fault:  # the disk may be full or the database gone: so it is for officers too
                name = type(fault).__name__
                self.stumbles[name] = self.stumbles.get(name, 0) + 1

    def _look(self) -> None:
        councils = [code for code, tier in COUNCILS.items() if tier == "C"]
        questions = questions_of(desk.attention(self._plant, councils))
        now = time.monotonic()
        for council in councils:
            for one in open_deliveries(self._plant, council, "care", [DeliveryState.ATTENTION, DeliveryState.NOT_SURE]):
                if one.id not in questions or "desk" not in one.numbers:
                    continue
                if now - self._seen.setdefault(one.id, now) >= PATIENCE:
                    self._answer(council, one.id, one.numbers["desk"])

    def _answer(self, council: str, id: str, number: str) -> None:
        token = self._peers.token(f"{council}/desk", number)
        there = self._peers.seek(f"{council}/care", token)
        if there:
            desk.settle(
                self._plant, id, how="arrived", number=there[0], who=WHO, why="looked it up in care: it is there"
            )
        else:
            desk.settle(self._plant, id, how="not-arrived", number="", who=WHO, why="looked it up in care: not there")
        self.asked.append(Question(id, token, bool(there)))
        del self._seen[id]


def questions_of(groups: Sequence[desk.Group]) -> set[str]:
    """The deliveries of which nobody but a person can say whether they arrived."""
    return {f"d{id}" for group in groups if group.step == "look up" for id in group.deliveries}
