"""A rotation of a site's keys from its beginning to its end: where the new main key comes from, and the audit of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from config.site import Site
from pipelines import audit, crash, processes, rotation
from pipelines.clock import SECOND
from pipelines.looking import NotPossible
from pipelines.mainkey import next_to, put_in_place, read_master
from pipelines.plant import Plant
from pipelines.processes import BEAT_SECONDS
from pipelines.site_keys import main_at, main_file

#: A process looks for the new main key at each of its beats. The old one is taken away after so many.
BEATS = 3


def rotate(
    plant: Plant,
    site: Site,
    *,
    who: str,
    why: str,
    environment: Mapping[str, str] | None = None,
    tell: Callable[[str, int], None] = lambda _what, _left: None,
) -> rotation.Status:
    """Rotate, or go on with a rotation that was broken off; return how it stands. `tell(what, rows left)` as it goes.

    Raises NotPossible where the site names no new main key; KeyFault.
    """
    before = rotation.status(plant.keys)
    file, told = main_file(site.places), site.settings.keys.next
    if not before.under_way:
        if told is not None:
            fresh = main_at(site.places, told, "keys.next", environment, site.settings.keys.service)
        elif file is not None:
            fresh = read_master(next_to(file))
        else:
            raise NotPossible(
                "keys.main is no file of this machine, so the new main key cannot be made here: draw one (64 "
                "hexadecimal digits), put it where your keys are, and name that place in keys.next"
            )
        # Noted before it turns: a process that is killed right after has still said who asked, and why.
        _note(plant, who, "keys rotate", why, {"from": before.main})
        if not rotation.begin(plant.keys, fresh):
            raise NotPossible(
                f"keys.next leads to the main key in use, {before.main}: the rotation to it has ended. Let keys.main "
                "name its place, and take keys.next out or draw another key"
            )
    for left in rotation.go_on(plant.keys):
        tell("rows wrapped by an old key", left)
    if told is None and file is not None:
        put_in_place(file, rotation.status(plant.keys).under_way)
        crash.here("key file in place")
    _wait_for_the_others(plant, tell)
    while not rotation.finish(plant.keys):
        for left in rotation.go_on(plant.keys):  # somebody slow wrote one meanwhile
            tell("rows wrapped by an old key", left)
    after = rotation.status(plant.keys)
    _note(plant, who, "keys rotated", "", {"to": after.main, "rows left": after.rows_left})
    return after


def _wait_for_the_others(plant: Plant, tell: Callable[[str, int], None]) -> None:
    """Let every process that runs take the new main key into its memory, before the old one leads nowhere."""
    if not processes.is_running(plant):
        return
    seen = rotation.status(plant.keys)
    never = threading.Event()
    # By the machine's clock, as the key store is: it has no other.
    while (left := BEATS * BEAT_SECONDS - (time.time_ns() // 1000 - seen.since) / SECOND) > 0:
        tell("seconds until every process knows the new key", round(left) + 1)
        plant.clock.wait(never, min(left, 1.0))


def _note(plant: Plant, who: str, action: str, why: str, detail: dict[str, object]) -> None:
    with plant.ledger.writing(making_room=True) as connection:
        audit.write(
            connection, plant.vault, council="", who=who, action=action, subject="keys", why=why,
            now=plant.clock.now(), detail=detail,
        )  # fmt: skip
