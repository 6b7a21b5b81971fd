"""The overview: how many versions and deliveries are in which state, what is paused, what is late; and that the sums
agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, and_, case, func, or_, select, text

from pipelines import called, pauses, seen_counts
from pipelines.clock import SECOND
from pipelines.code_drift_known import PURPOSE, Known, known
from pipelines.interfaces_seen import Seen, of_connections
from pipelines.plant import Plant
from pipelines.proofs import Proved, of_routes
from pipelines.states import OPEN, DeliveryState, VersionState
from pipelines.tables import OPEN_DELIVERY, delivery, proof, slot, version, walk
from pipelines.worklist import waits_for_a_person


@dataclass(frozen=True, slots=True)
class Link:
    """One connection, as an officer asks about it."""

    council: str
    connection: str
    paused: str  # why, "" if it runs
    paused_until: int | None
    last_read: int | None
    last_words: str  # why its last walk stopped early
    waiting: int
    not_sure: int
    attention: int
    oldest: int | None  # since when the oldest open delivery waits
    told: str = ""  # what its feed had to tell, or why its walk waits


@dataclass(slots=True)
class Overview:
    """The state of a site, or of some of its councils."""

    referrals: int = 0
    versions: dict[str, int] = field(default_factory=dict)
    deliveries: dict[str, int] = field(default_factory=dict)
    late: int = 0  # open deliveries past their route's `arrive_within`
    links: list[Link] = field(default_factory=list)
    proofs: list[Proved] = field(default_factory=list)
    codes: list[Known] = field(default_factory=list)  # code lists held against the systems' own
    interfaces: list[Seen] = field(default_factory=list)
    calls: list[called.Calls] = field(default_factory=list)  # of systems that call us
    sums_agree: bool = True

    @property
    def open(self) -> int:
        """Deliveries for which something is still to happen."""
        return sum(self.deliveries.get(state.value, 0) for state in OPEN)

    @property
    def attention(self) -> int:
        """Versions and deliveries that wait for a person."""
        return self.versions.get(VersionState.ATTENTION.value, 0) + sum(link.attention for link in self.links)


def look(plant: Plant) -> Overview:
    """Count."""
    codes = list(plant.councils)
    result = Overview()
    with plant.ledger.reading() as connection:
        result.referrals = seen_counts.referrals(connection, plant, codes)
        result.versions = seen_counts.versions(connection, plant, codes)
        by_council = seen_counts.by_state(connection, delivery)  # the one count serves both: there are millions
        result.deliveries = seen_counts.deliveries(connection, plant, codes, by_council)
        result.sums_agree = (
            _proofs_agree(connection, by_council)
            and set(result.versions) <= set(VersionState)
            and set(result.deliveries) <= set(DeliveryState)
        )
        result.proofs = of_routes(connection, plant)
        result.codes = known(plant)
        result.interfaces = of_connections(connection, plant)
        result.calls = list(called.of_connections(connection, plant))
        result.links = _links(connection, plant)
        result.late = sum(_late(connection, plant, council.code) for council in plant.councils.values())
    return result


def links(plant: Plant) -> list[Link]:
    """Each connection alone, without counting anything else."""
    with plant.ledger.reading() as connection:
        return _links(connection, plant)


def is_quiet(plant: Plant) -> bool:
    """Nothing is on its way: no delivery waits, is being sent or is not sure, and no version waits."""
    with plant.ledger.reading() as connection:
        moving = connection.execute(
            select(delivery.c.id)
            .where(delivery.c.state.in_([DeliveryState.WAITING, DeliveryState.SENDING, DeliveryState.NOT_SURE]))
            .limit(1)
        ).first()
        held = connection.execute(select(version.c.id).where(version.c.state == VersionState.WAITING).limit(1)).first()
        asked = connection.execute(
            select(slot.c.at).where(slot.c.done.is_(None), slot.c.claimed_by.is_(None)).limit(1)
        ).first()
    return moving is None and held is None and asked is None


def _proofs_agree(connection: Connection, by_council: Mapping[tuple[str, str], int]) -> bool:
    """Whatever arrived has a proof, and nothing else has, in the whole ledger and whoever looks.

    No proof of something that arrived is looked up: there are millions. What may have none is gone through by its
    state and must have none; of what was erased the proof stays, without a person in it. Then all other proofs are of
    what arrived, a delivery has one at most, and it is enough that they are as many.
    """
    arrived, erased = 0, 0
    for (council, state), number in by_council.items():
        if state == DeliveryState.ARRIVED:
            arrived += number
            continue
        proved = (
            select(proof.c.delivery_id)
            .join(delivery, delivery.c.id == proof.c.delivery_id)
            .where(delivery.c.council == council, delivery.c.state == state)
        )
        if state == DeliveryState.ERASED:
            erased += connection.execute(select(func.count()).select_from(proved.subquery())).scalar_one()
        elif connection.execute(proved.limit(1)).first() is not None:
            return False
    proofs: int = connection.execute(select(func.count()).select_from(proof)).scalar_one()
    return proofs == arrived + erased


def _links(connection: Connection, plant: Plant) -> list[Link]:
    held = pauses.all_pauses(connection)
    return [
        _link(connection, plant, council.code, name, held.get((council.code, name)))
        for council in plant.councils.values()
        for name in council.wired
    ]


def _link(connection: Any, plant: Plant, council: str, name: str, held: Any) -> Link:
    # What nobody but a person can find out needs attention, whatever the machine calls it.
    shown = case((waits_for_a_person(), DeliveryState.ATTENTION.value), else_=delivery.c.state)
    counts = {
        state: (count, oldest)
        for state, count, oldest in connection.execute(
            select(shown, func.count(), func.min(delivery.c.at))
            .where(
                delivery.c.council == council,
                delivery.c.connection == name,
                text(OPEN_DELIVERY),  # in the words of the index of what is open
                plant.sight.of(delivery.c.referral_id),
            )
            .group_by(shown)
        )
    }
    read = connection.execute(
        select(walk.c.completed, walk.c.words)
        .filter_by(council=council, connection=name, purpose="live")
        .order_by(walk.c.completed.desc())
    ).first()
    last = connection.execute(
        select(slot.c.words)
        .filter_by(council=council, connection=name)
        .where(slot.c.done.is_not(None), slot.c.purpose != PURPOSE)
        .order_by(slot.c.at.desc())
    ).first()

    def count(state: DeliveryState) -> int:
        return int(counts.get(state.value, (0, None))[0])

    return Link(
        council,
        name,
        held.why if held else "",
        held.until if held else None,
        read.completed if read else None,
        last.words if last else "",
        count(DeliveryState.WAITING) + count(DeliveryState.SENDING),
        count(DeliveryState.NOT_SURE),
        count(DeliveryState.ATTENTION),
        min((oldest for _, oldest in counts.values()), default=None),
        read.words if read and read.completed and not (last and last.words) else "",
    )


def _late(connection: Any, plant: Plant, code: str) -> int:
    now = plant.clock.now()
    before = {
        route.name: now - int(route.arrive_within.total_seconds() * SECOND)
        for route in plant.councils[code].routes
        if route.arrive_within is not None
    }
    if not before:
        return 0
    # All routes in one pass through what is open, of which there may be many.
    late: int = connection.execute(
        select(func.count())
        .select_from(delivery)
        .where(
            delivery.c.council == code,
            text(OPEN_DELIVERY),
            delivery.c.at < max(before.values()),
            or_(*(and_(delivery.c.route == name, delivery.c.at < at) for name, at in before.items())),
            plant.sight.of(delivery.c.referral_id),
        )
    ).scalar_one()
    return late
