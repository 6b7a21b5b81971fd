"""`dolen shadow report`: what a route in shadow would have sent, held against what staff typed by hand meanwhile.

What would have been done is counted in the ledger, by each referral's newest delivery. What staff typed is read in both
systems, as `dolen reconcile` does it: a record that was typed belongs to a referral once its feed has shown it and it
was matched by a number. Counts, numbers and field names; never a value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select

from pipelines import shadow
from pipelines.feeds import Progress
from pipelines.looking import NotPossible
from pipelines.plant import Council, Plant
from pipelines.proofs import comparable
from pipelines.reconcile import reconcile
from pipelines.report import Report
from pipelines.routing import Route
from pipelines.states import OPEN, DeliveryState
from pipelines.tables import delivery


@dataclass(slots=True)
class Shadowed:
    """One route: what it would have done, and how that stands beside what people did."""

    council: str
    route: str
    source: str
    target: str
    text: bool  # it would have told people, so that nothing stands in a system to be compared with
    in_shadow: bool  # it is so now
    since: int | None = None  # when the first delivery was not sent because of it
    referrals: int = 0
    effects: dict[str, int] = field(default_factory=dict)  # create, update, nothing, text -> referrals
    rules: dict[str, int] = field(default_factory=dict)  # other rules by which nothing would have been sent
    stopped: int = 0  # need attention: they could not have been sent
    waiting: int = 0  # not looked at yet
    fields: dict[str, int] = field(default_factory=dict)  # field -> referrals in which staff typed something else
    beside: Report | None = None  # both systems, read and compared; None: not comparable, or not asked

    @property
    def typed(self) -> int:
        """How many of them stand in the target, typed by hand."""
        return self.beside.compared if self.beside is not None else 0

    @property
    def not_typed(self) -> int:
        """How many nobody has typed, or under no number by which they can be known."""
        return self.beside.totals["missing"] if self.beside is not None else 0


def routes_meant(plant: Plant, name: str = "", council: str = "") -> list[tuple[Council, Route]]:
    """The routes of this name, or all that are in shadow. Raises NotPossible if there is none."""
    among = [
        (one, route) for one in plant.councils.values() if council in ("", one.code) for route in one.routes
    ]
    found = [(one, route) for one, route in among if (route.name == name if name else one.in_shadow(route))]
    if found:
        return found
    if name:
        names = ", ".join(sorted({route.name for _, route in among})) or "none"
        raise NotPossible(f"no route has that name; there are {names}")
    raise NotPossible("no route is in shadow; write `mode: shadow` at one in the council's file, and start again")


def report(plant: Plant, council: Council, route: Route, *, read: bool, progress: Progress | None = None) -> Shadowed:
    """Tell of one route. `read`: read both systems too. Raises PutOff, and what connectors raise when one is down."""
    told = Shadowed(
        council.code, route.name, route.source, route.target, bool(route.text), council.in_shadow(route)
    )
    _count(plant, told)
    if read and any(one.name == route.name for one in comparable(council)):
        told.beside = reconcile(plant, council, route.name, progress)
        told.fields = _fields([*told.beside.different, *told.beside.stale])
    return told


def _count(plant: Plant, told: Shadowed) -> None:
    mine = (delivery.c.council == told.council) & (delivery.c.route == told.route)
    by_shadow = delivery.c.reason.in_([shadow.rule(effect) for effect in shadow.EFFECTS])
    newest = select(func.max(delivery.c.id)).where(mine).group_by(delivery.c.referral_id)
    counted = (
        select(delivery.c.state, delivery.c.reason, func.count().label("number"))
        .where(delivery.c.id.in_(newest))
        .group_by(delivery.c.state, delivery.c.reason)
    )
    with plant.ledger.reading() as connection:
        told.since = connection.execute(select(func.min(delivery.c.changed_at)).where(mine, by_shadow)).scalar()
        rows = connection.execute(counted).all()
    effects, rules = Counter[str](), Counter[str]()
    for row in rows:
        told.referrals += row.number
        if row.state == DeliveryState.ATTENTION:
            told.stopped += row.number
        elif row.state in OPEN:
            told.waiting += row.number
        elif effect := shadow.effect_of(row.reason):
            effects[effect] += row.number
        else:
            rules[row.reason or row.state] += row.number
    told.effects = {effect: effects[effect] for effect in shadow.EFFECTS if effects[effect]}
    told.rules = dict(rules.most_common())


def _fields(lines: Sequence[object]) -> dict[str, int]:
    return dict(Counter(name for line in lines for name in getattr(line, "fields", ())).most_common())
