"""Counts of everything less what is kept from these eyes are those of asking each row whether it may be seen."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from pipelines import grants, overview, seen_counts
from pipelines.looking import sees_version
from pipelines.plant import Plant
from pipelines.rights import Officer, Role
from pipelines.seeing import through
from pipelines.tables import delivery, referral, version

pytest_plugins = ("tests.pipelines.pieces",)

CODES = ["torfaen"]


def one_by_one(plant: Plant) -> tuple[int, dict[str, int], dict[str, int]]:
    """The same, as a rule of each row."""

    def states(table: Any, seen: Any) -> dict[str, int]:
        wanted = select(table.c.state, func.count()).where(table.c.council.in_(CODES), seen).group_by(table.c.state)
        return {row[0]: row[1] for row in connection.execute(wanted)}

    with plant.ledger.reading() as connection:
        number = select(func.count()).select_from(referral)
        number = number.where(referral.c.council.in_(CODES), plant.sight.of(referral.c.id))
        return (
            connection.execute(number).scalar_one(), states(version, sees_version(plant)),
            states(delivery, plant.sight.of(delivery.c.referral_id)),
        )  # fmt: skip


def counted(plant: Plant) -> tuple[int, dict[str, int], dict[str, int]]:
    with plant.ledger.reading() as connection:
        every = seen_counts.by_state(connection, delivery)
        return (
            seen_counts.referrals(connection, plant, CODES), seen_counts.versions(connection, plant, CODES),
            seen_counts.deliveries(connection, plant, CODES, every),
        )  # fmt: skip


def test_they_are_the_same_for_whoever_looks(bench: Any) -> None:
    bench.take(*(bench.request(f"C-{n}", flags__restricted=n % 3 == 0) for n in range(1, 8)))
    bench.take(bench.request("C-3", minute=5, priority="whenever"))  # of a restricted one, and not to be read
    bench.take(bench.request("C-9", priority="whenever"))  # of nobody's yet
    hidden = bench.row("record", external_id="C-6")
    with bench.writing() as connection:  # what names its record by its number alone
        unread = select(version.c.id).where(version.c.record_id == hidden.id)
        connection.execute(version.update().where(version.c.id.in_(unread)).values(record_id=None, referral_id=None))
    ann = Officer("ann", {"torfaen": frozenset({Role.OPERATOR})}, "name ann@example.org")
    protector = Officer("bob", {"torfaen": frozenset({Role.DATA_PROTECTION})}, "name bob@example.org")
    plants = [bench.plant, through(bench.plant, ann)]
    grants.give(through(bench.plant, protector), "C-3", "ann@example.org", lasts=timedelta(days=1), why="a try")
    plants.append(through(bench.plant, ann))
    found = [counted(plant) for plant in plants]
    assert found == [one_by_one(plant) for plant in plants]
    assert [one[0] for one in found] == [7, 5, 6]
    assert sum(found[0][1].values()) - sum(found[1][1].values()) == 3  # both of C-3, and that of C-6
    for plant, (referrals, versions, deliveries) in zip(plants, found, strict=True):
        seen = overview.look(plant)
        assert (seen.referrals, seen.versions, seen.deliveries, seen.sums_agree) == (
            referrals, versions, deliveries, True,
        )  # fmt: skip
        assert overview.links(plant) == seen.links
