"""What waits for a person so long that the site lets it expire: told first, and never before it was told long enough.

Only where `retention.unattended` says so. The notice is a row, entered by the first purge that sees that the time comes
near; what is being sent or not sure never expires. A delivery ends as expired, a version as closed, each naming the
rule.
"""

from __future__ import annotations

from sqlalchemy import delete, select, update

from pipelines import audit, deliveries, lanes, rows
from pipelines.batch import Batch
from pipelines.closure import micros, standings, walk
from pipelines.ledger import insert_new
from pipelines.plant import Council, Plant
from pipelines.states import DeliveryState, VersionState
from pipelines.tables import delivery, forewarning, version

AT_ONCE = 100
REASON = "retention: unattended"
_WAITS = (DeliveryState.WAITING, DeliveryState.ATTENTION)
_WAITING = (delivery.c.state.in_(_WAITS),)


def look(plant: Plant, council: Council) -> tuple[int, int]:
    """Tell of what would expire, and let expire what was told long enough ago; how many referrals of either."""
    kept = council.retention
    if kept.unattended is None:
        return 0, 0
    now, after, told, over = plant.clock.now(), "", 0, 0
    warn, limit = micros(kept.warn), micros(kept.unattended)
    while True:
        with plant.ledger.reading() as connection:
            some = walk(connection, council.code, after, AT_ONCE)
            looked = standings(connection, kept, some, now)
            found = [one for one in looked if one.open and one.last + limit - warn <= now]
            known = select(forewarning.c.referral_id, forewarning.c.at).where(
                forewarning.c.referral_id.in_([one.row.id for one in found])
            )
            since: dict[str, int] = {row.referral_id: row.at for row in connection.execute(known)}
        if not some:
            return told, over
        after = some[-1].id
        fresh = [one.row.id for one in found if since.get(one.row.id, -1) < one.last]
        if fresh:
            with plant.ledger.writing(making_room=True) as connection:
                connection.execute(delete(forewarning).where(forewarning.c.referral_id.in_(fresh)))
                insert_new(
                    connection, forewarning, [{"referral_id": id, "council": council.code, "at": now} for id in fresh]
                )
            told += len(fresh)
        for one in found:
            if one.row.id not in fresh and one.last + limit <= now and since[one.row.id] + warn <= now:
                over += _expire(plant, council, one.row.id, now)


def _expire(plant: Plant, council: Council, id: str, now: int) -> int:
    with plant.ledger.writing(making_room=True) as connection:
        batch = Batch(connection, plant.vault, council, now)
        batch.fetch_referrals([id])
        batch.fetch_deliveries([id])
        ended = []
        for row in rows.read(connection, delivery, "referral_id", [id], _WAITING):
            held = batch.keep_delivery(row)
            deliveries.move(batch, held, DeliveryState.EXPIRED, reason=REASON)
            ended.append(held)
        closed = connection.execute(
            update(version)
            .where(version.c.referral_id == id, version.c.state.in_([VersionState.ATTENTION, VersionState.WAITING]))
            .values(state=VersionState.CLOSED, remark=REASON)
        ).rowcount
        batch.flush()
        lanes.refresh(connection, {row.lane for row in ended})
        connection.execute(delete(forewarning).where(forewarning.c.referral_id == id))
        if ended or closed:
            audit.write(
                connection, plant.vault, council=council.code, who="retention", action="expire",
                subject=f"referral {id}", why="", now=now, detail={"deliveries": len(ended), "versions": closed},
            )  # fmt: skip
    return int(bool(ended or closed))
