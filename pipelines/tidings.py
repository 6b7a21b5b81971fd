"""Tidings: what a service tells of messages is taken in - how each went, and what somebody sent back.

A number that cannot be reached becomes a task for staff, and a note for the system where the number is kept; what could
not be delivered for a while goes by the next channel, if it is still true. Whoever texts STOP or names a language is
heeded at once, in our register, and the systems that own the wish are sent it. Anything else is read by a person. What
is told twice changes nothing the second time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select, update

from connectors.port import Item, UnreadableItem
from pipelines import causes, deliveries, heeding, register, versions
from pipelines import facts as fact_store
from pipelines.batch import Batch, one_referral
from pipelines.causes import Cause
from pipelines.clock import to_time
from pipelines.intake import Taken
from pipelines.jobs import REPORT_KIND, TEXT_KIND
from pipelines.logs import log
from pipelines.plant import Council, Kind, Plant, Wired
from pipelines.rows import Held
from pipelines.states import DeliveryState, VersionState
from pipelines.tables import delivery, news, version
from pipelines.telling import STEP

#: How a message may end, as services call it: it will never arrive there; it may, another way or another day.
NEVER = frozenset({"permanent-failure", "validation-failed", "cancelled"})
NOT_NOW = frozenset({"temporary-failure", "technical-failure", "virus-scan-failed"})
#: The step of a cause: a person reads what somebody sent.
READ_STEP = "reply"


class Tidings:
    """Takes in what the services of one council tell."""

    def __init__(self, plant: Plant, council: Council) -> None:
        self._plant, self._council = plant, council

    def take(
        self,
        wired: Wired,
        kind: Kind,
        items: Sequence[Item | UnreadableItem],
        *,
        purpose: str = "live",  # noqa: ARG002 - asked for as an intake is
        place: Callable[[Connection], None] | None = None,
    ) -> Taken:
        """Take some in, in one transaction. `place` moves the walk, or marks the pushes, within it."""
        taken = Taken()
        with self._plant.ledger.writing() as connection:
            batch = Batch(connection, self._plant.vault, self._council, self._plant.clock.now())
            readable = [item for item in items if isinstance(item, Item)]
            if len(readable) < len(items):
                count = len(items) - len(readable)
                log("tidings_unreadable", council=wired.council, connection=wired.name, count=count)
            one = self._report if kind.name == REPORT_KIND else self._reply
            known = self._known(connection, wired, kind, readable)
            for item in readable:
                taken.add(one(batch, wired, kind, item, known))
            batch.flush()
            if place is not None:
                place(connection)
        if taken.news:
            self._plant.nudge.set()
        return taken

    def _known(self, connection: Connection, wired: Wired, kind: Kind, items: Sequence[Item]) -> dict[str, Any]:
        """What the ledger has of these: by our reference the news, or by its id the text that came in."""
        found: dict[str, Any] = {}
        if kind.name == REPORT_KIND:
            keys = {_key(item) for item in items if item.our_key}
            for some in _parts(sorted(keys)):
                asked = (
                    select(news, delivery.c.key)
                    .join(delivery, delivery.c.id == news.c.delivery_id)
                    .where(delivery.c.key.in_(some), delivery.c.council == wired.council)
                    .where(delivery.c.connection == wired.name)
                )
                found |= {row.key: row for row in connection.execute(asked)}
            return found
        for some in _parts(sorted({item.id for item in items})):
            asked_ids = select(version.c.external_id).where(
                version.c.council == wired.council, version.c.connection == wired.name,
                version.c.kind == kind.name, version.c.external_id.in_(some),
            )  # fmt: skip
            found |= dict.fromkeys(connection.execute(asked_ids).scalars(), True)
        return found

    # --- How a message went -------------------------------------------------------------------------------------------

    def _report(
        self, batch: Batch, wired: Wired, _kind: Kind, item: Item, known: dict[str, Any]
    ) -> VersionState | None:
        row, said = known.get(_key(item)), str(item.record.get("status") or "")
        if row is None or not said or said == row.report or row.report in NEVER | NOT_NOW:
            return None  # not ours, or no news
        ended = said in NEVER | NOT_NOW or bool(item.record.get("completed_at"))
        if not ended:
            return None
        at = to_time(item.modified) if item.modified is not None else batch.now
        if said in NEVER | NOT_NOW:
            del known[_key(item)]  # of two messages that did not arrive one task is made
        batch.connection.execute(
            update(news).where(news.c.delivery_id == row.delivery_id).values(report=said, reported=at)
        )
        if said in NEVER:
            self._never(batch, wired, row)
        elif said in NOT_NOW:
            self._another_way(batch, wired, row)
        return VersionState.MERGED

    def _never(self, batch: Batch, wired: Wired, row: Row[Any]) -> None:
        """The number or address is wrong: nothing goes there any more, a person rings, and its system is told."""
        code, mark = batch.council.code, row.whom
        register.write(batch.connection, batch.vault, code, mark, register.WRONG, True, by="report", now=batch.now)
        referral = one_referral(batch, row.referral_id)
        if referral is None:
            return
        heeding.note_wrong_number(batch, referral, row)
        if referral.status == row.status:
            self._task(batch, wired, referral, row, "wrong number")

    def _another_way(self, batch: Batch, wired: Wired, row: Row[Any]) -> None:
        """What could not be delivered goes by the next of the row's texts, if the news is still true."""
        referral, route = one_referral(batch, row.referral_id), batch.council.route(row.route)
        if referral is None or route is None or referral.status != row.status:
            return
        behind = next(
            (one.texts[one.texts.index(row.words) + 1 :] for one in route.recipients
             if one.who == row.recipient and row.words in one.texts), (),
        )  # fmt: skip
        if not behind:
            self._task(batch, wired, referral, row, "could not be delivered")
            return
        plain = fact_store.plain(batch.facts(referral))
        deliveries.make(
            batch, route, referral, plain=plain, version=None, recipient=row.recipient, words=behind[0]
        )

    def _task(self, batch: Batch, wired: Wired, referral: Held, row: Row[Any], rule: str) -> None:
        rules = batch.council.texts.get(row.words)
        who = rules.rings if rules is not None else ""
        why = Cause(wired.name, STEP, rule, f"the message did not arrive ({rule}): {who or 'staff'} rings instead")
        route = batch.council.route(row.route)
        batch.new_delivery(
            referral_id=referral.id,
            route=row.route,
            connection=wired.name,
            kind=TEXT_KIND,
            carries="event",
            revision=referral.revision,
            facts=batch.sealed_facts(referral),
            lane=route.lane(batch.council.code, referral.person_id, referral.id) if route else f"{wired.name}/",
            recipient=row.recipient,
            state=DeliveryState.ATTENTION,
            reason=why.words,
            due=None,
            cause_id=causes.note(batch.connection, batch.council.code, why, batch.now),
        )

    # --- What somebody sent back --------------------------------------------------------------------------------------

    def _reply(self, batch: Batch, wired: Wired, kind: Kind, item: Item, known: dict[str, Any]) -> VersionState | None:
        if item.id in known:
            return None
        known[item.id] = True
        number, content = str(item.record.get("user_number") or ""), str(item.record.get("content") or "")
        mark = register.whom(batch.vault, batch.council.code, number)
        told = heeding.told_at(batch.connection, batch.council.code, mark)
        referral = one_referral(batch, told[0].referral_id) if told else None
        heard = heeding.heed(batch, wired, heeding.heard(content), mark, told)
        person = referral.person_id if referral is not None else None
        row = batch.new_version(
            connection=wired.name,
            kind=kind.name,
            external_id=item.id,
            referral_id=referral.id if referral is not None else None,
            raw=batch.seal("raw", item.raw, person),
            content=batch.vault.hash(batch.council.code, item.raw),
            modified=to_time(item.modified) if item.modified is not None else None,
            state=VersionState.WAITING,
            remark="a text from a resident" + (f": {', '.join(heard.words)}" if heard.words else ""),
        )
        if not heard.for_a_person:
            return versions.end(row, VersionState.MERGED)
        words = f"somebody wrote back: {batch.council.replies} reads it"
        why = Cause(wired.name, READ_STEP, "words for a person", words)
        return versions.end(
            row, VersionState.ATTENTION, cause_id=causes.note(batch.connection, batch.council.code, why, batch.now)
        )


def _key(item: Item) -> str:
    """Our reference of a message: of one of two, that of both."""
    return item.our_key.removesuffix("-cy").removesuffix("-en")


def _parts(values: Sequence[str], most: int = 500) -> list[Sequence[str]]:
    return [values[at : at + most] for at in range(0, len(values), most)]
