"""Receiving: what a system pushes is made durable, and only then acknowledged.

A push becomes one row with its sealed bytes, in one transaction; `pipelines.pushes` takes it in afterwards, as often as
it takes. If we die between the commit and the answer the system pushes again: by its id that is known as the same push,
and without one its records are known by their content. When the ledger is away, the disk full, or more waits than may,
the answer is 503 and nothing was taken. What was pushed while nobody listened is found by reading (`changes`) alone.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from connectors.errors import ConnectorError
from connectors.push.port import Answer, IdUsed, Kept, Push, Pushed, PushRefused, Receiving, Sorting
from pipelines import crash, pressure
from pipelines.keystore import KeyFault
from pipelines.ledger import LedgerFault
from pipelines.logs import log, warn
from pipelines.places import LIVE
from pipelines.plant import Plant, Wired
from pipelines.pushes import Pushes
from pipelines.tables import pushed, record, referral

if TYPE_CHECKING:
    from pipelines.plant import Council

#: Seconds after which a system may push again what was not taken.
RETRY_AFTER = 30

#: Our reference is waited for so long; then the caller hears that it comes later.
_REFERENCE_SECONDS, _LOOK_SECONDS = 2.0, 0.05

_STORES = (SQLAlchemyError, LedgerFault, KeyFault, sqlite3.Error, OSError)


class Receiver:
    """Takes pushes for every council of a site. Safe to use from several threads at once."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._pushes = Pushes(plant)

    def known(self, council: str, connection: str, kind: str) -> bool:
        """Whether such a thing may be pushed at all. Nothing is opened, and nothing is asked."""
        return self._wired(council, connection, kind) is not None

    def receive(self, council: str, connection: str, kind: str, call: Pushed) -> Answer:
        """Take one push; the answer is a success only if its bytes are durable."""
        wired = self._wired(council, connection, kind)
        if wired is None:
            return Answer(404)
        try:
            connector = wired.connector
            push = connector.push(kind) if isinstance(connector, Receiving) else None
        except (ConnectorError, ValueError) as fault:  # a secret that is missing, a WSDL that cannot be read
            warn("push_not_ready", council=council, connection=connection, kind=kind, error=type(fault).__name__)
            return _busy()
        if push is None:
            return Answer(404)
        try:
            return self._receive(wired, push, kind, call)
        except PushRefused as refusal:
            log("push_refused", council=council, connection=connection, kind=kind, count=refusal.status)
            answer = push.refused(refusal, call if refusal.status != 401 else replace(call, body=b""))
            return answer if refusal.status != 503 else _busy(answer)
        except _STORES as fault:
            warn("push_not_kept", council=council, connection=connection, kind=kind, error=type(fault).__name__)
            away = PushRefused(503, "nothing can be taken at this moment; send it again later")
            return _busy(push.refused(away, call))

    def _receive(self, wired: Wired, push: Push, kind: str, call: Pushed) -> Answer:
        id = push.prove(call, self._plant.clock.instant())
        if isinstance(push, Sorting):
            is_of, connector = push.sort(call), wired.connector
            if is_of != kind and self.known(wired.council, wired.name, is_of) and isinstance(connector, Receiving):
                kind, push = is_of, connector.push(is_of)
        push.look(call)
        kept = self._keep(wired, push, kind, call.body, id)
        crash.here("push kept")
        if push.tells_reference:
            kept = self._referenced(wired, kind, id, kept)
        self._plant.pushed.set()
        return push.taken(kept, call)

    def _keep(self, wired: Wired, push: Push, kind: str, body: bytes, id: str) -> Kept:
        """Commit the push's bytes, unless it is one that is known. Raises PushRefused: 422 for a known id with other
        bytes where that is a mistake, 503 where there is no room."""
        plant, code = self._plant, wired.council
        content = plant.vault.hash(code, body)
        said = id.encode() if push.one_body_an_id else id.encode() + b"\x1f" + content.encode()
        message = plant.vault.hash(code, said) if id else None
        own = {"council": code, "connection": wired.name, "kind": kind}
        for last in (False, True):
            now = plant.clock.now()
            try:
                with plant.ledger.writing() as connection:
                    if message is not None:
                        asked = select(pushed.c.content).filter_by(**own, message=message)
                        known = connection.execute(asked).scalar()
                        if known is not None:
                            return _known(known == content)
                    if self._full(connection, wired):
                        raise PushRefused(503, "more is waiting here than may; send it again later")
                    raw = plant.vault.put(connection, code, "push", body, now)
                    row = {**own, "message": message, "content": content, "raw": raw, "at": now, "due": now}
                    connection.execute(insert(pushed).values(**row, key=id if push.one_body_an_id else ""))
            except IntegrityError:  # the same push came to another process at the same moment
                if last:
                    raise
            else:
                return Kept()
        raise AssertionError("unreachable")

    def _referenced(self, wired: Wired, kind: str, id: str, kept: Kept) -> Kept:
        """Take the push in at once and look our reference up. Whatever stands in the way does so after it was kept."""
        asked = (
            select(referral.c.citizen_reference)
            .join(record, record.c.referral_id == referral.c.id)
            .where(record.c.council == wired.council, record.c.connection == wired.name)
            .where(record.c.kind == kind, record.c.external_id == id)
        )
        until = time.monotonic() + _REFERENCE_SECONDS
        never = threading.Event()
        try:
            self._pushes.now(wired, kind, rounds=1)
            while True:  # another thread may have been quicker, and be at it
                with self._plant.ledger.reading() as connection:
                    reference = connection.execute(asked).scalar()
                if reference or time.monotonic() > until:
                    return Kept(kept.repeated, str(reference or ""))
                never.wait(_LOOK_SECONDS)
        except Exception as fault:
            warn("reference_waits", council=wired.council, connection=wired.name, error=type(fault).__name__)
            return kept

    def _full(self, connection: Connection, wired: Wired) -> bool:
        most = pressure.most_for(wired.settings, LIVE)
        council: Council = self._plant.councils[wired.council]
        some = (
            select(pushed.c.id)
            .where(pushed.c.council == wired.council, pushed.c.connection == wired.name, pushed.c.taken.is_(None))
            .limit(most)
        )
        if connection.execute(select(func.count()).select_from(some.subquery())).scalar_one() >= most:
            return True
        return pressure.waiting(connection, council, wired.name, most) > most

    def _wired(self, council: str, connection: str, kind: str) -> Wired | None:
        found = self._plant.councils.get(council)
        wired = found.wired.get(connection) if found else None
        if wired is None or wired.told_by(kind) is None or kind not in wired.settings.get("pushed", ()):
            return None
        return wired


def _known(same: bool) -> Kept:
    if not same:
        raise IdUsed
    return Kept(repeated=True)


def _busy(answer: Answer | None = None) -> Answer:
    told = answer or Answer(503)
    return Answer(503, told.content_type, told.body, {**told.headers, "Retry-After": str(RETRY_AFTER)})
