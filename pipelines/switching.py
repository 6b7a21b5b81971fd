"""Replacing a system: the routes of one connection are led to another in one step, and back in the same way.

The files stay the truth: what is switched is `to`, `from`, `record` and `owns` in the council's file, all in one
rewrite. Around it nothing may be on its way to the old system, and what waits for it is closed there and made anew for
the new one, so that nothing is sent twice and nothing is left behind. The site stands still meanwhile. A switch that
was broken off is taken up again by asking for it once more: until then the old system is paused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from config.editing import set_values
from config.findings import KeyPath
from config.site import COUNCIL_FOLDER, Site
from pipelines import audit, council_file, deliveries, lanes, pauses, processes, rows
from pipelines import facts as fact_store
from pipelines.batch import Batch
from pipelines.clock import to_instant
from pipelines.first_day import enter_pair
from pipelines.lock import AlreadyRunning, only_one
from pipelines.looking import NotPossible
from pipelines.plant import Council, Plant, Wired
from pipelines.relinking import unlinked
from pipelines.routing import Route
from pipelines.rows import Held
from pipelines.states import DeliveryState
from pipelines.tables import delivery
from pipelines.vault import PayloadGone

#: What a pause says that this module made; another one is a person's and stays.
PAUSED = "its routes are being switched"
_ON_ITS_WAY = (DeliveryState.SENDING, DeliveryState.NOT_SURE)
_WAITS = (DeliveryState.WAITING, DeliveryState.ATTENTION)
_AT_ONCE = 100
_NAMED = 20


@dataclass(frozen=True, slots=True)
class Turned:
    """One route that changes an end."""

    name: str
    end: str  # "from" or "to"
    record: str = ""  # the kind of record in the new target, where that is another one


@dataclass(slots=True)
class Plan:
    """What a switch would do, and what stands in its way."""

    council: str
    old: str
    new: str
    routes: list[Turned] = field(default_factory=list)
    owns: list[str] = field(default_factory=list)  # groups of fields that the new connection owns from now on
    waiting: int = 0  # deliveries that go to the new system instead
    on_its_way: list[str] = field(default_factory=list)  # deliveries that must be settled before
    unlinked: list[tuple[str, str]] = field(default_factory=list)  # (reference, old number): open, and no new number
    unlinked_in_all: int = 0
    broken_off: bool = False  # an earlier switch did not come to its end, and the old system is paused
    done: bool = False
    lost: int = 0  # closed, because what was kept of their request has expired

    @property
    def nothing(self) -> bool:
        """Whether nothing is left to be done."""
        return not (self.routes or self.owns or self.waiting or self.broken_off)


class Switching:
    """One switch, planned and carried out. `site`: the files that the plant was built from."""

    def __init__(self, plant: Plant, site: Site, old: Wired, new: Wired) -> None:
        """Raises NotPossible for connections between which nothing can be switched."""
        if old.council != new.council or old.name == new.name:
            raise NotPossible("name two different connections of one council")
        self._plant, self._site, self._old, self._new = plant, site, old, new
        self._council: Council = plant.councils[old.council]
        self._files = site.councils[old.council]

    def plan(self) -> Plan:
        """Look at files and ledger and change nothing. Raises NotPossible where the new connection cannot do it."""
        plan = Plan(self._council.code, self._old.name, self._new.name)
        for route in self._council.routes:
            if route.source == self._old.name and route.target == self._new.name:
                raise NotPossible(f"the route {route.name} leads from one to the other: take it out first")
            if route.source == self._old.name:
                plan.routes.append(Turned(route.name, "from"))
            if route.target == self._old.name:
                kind = self._kind(route)
                plan.routes.append(Turned(route.name, "to", kind if kind != route.kind else ""))
        settings = self._files.settings.connections
        plan.owns = list(settings[self._old.name].owns)
        with self._plant.ledger.reading() as connection:
            states = self._states(connection)
            plan.waiting = sum(states[state] for state in _WAITS)
            plan.on_its_way = self._on_its_way(connection)
            paused = pauses.of(connection, plan.council, plan.old)
            plan.broken_off = paused is not None and paused.words == PAUSED
            for reference, _, number in unlinked(connection, plan.council, plan.old, plan.new):
                plan.unlinked_in_all += 1
                if len(plan.unlinked) < _NAMED:
                    plan.unlinked.append((reference, number))
        return plan

    def carry_out(self, *, who: str, why: str, rest_is_new: bool = False) -> Plan:
        """Switch. `rest_is_new`: what has no number in the new system is not there, says a person.

        Raises NotPossible, with nothing changed, while the site runs or something is on its way; SiteFaults where the
        council's file would not be sound afterwards; CannotChange where it cannot be written.
        """
        with self._standing_still():
            plan = self.plan()
            if plan.nothing:
                raise NotPossible(f"no route leads to or from {plan.old}, and nothing waits for it")
            if plan.on_its_way:
                named = ", ".join(plan.on_its_way[:_NAMED])
                raise NotPossible(
                    f"{named} may have reached {plan.old} and nobody knows yet: let `dolen run` look them up, or "
                    "settle them with `dolen settle`, then stop it and switch"
                )
            if plan.unlinked_in_all and not rest_is_new:
                raise NotPossible(
                    f"{plan.unlinked_in_all} open requests have a number in {plan.old} and none in {plan.new}: enter "
                    "them with `dolen links import`, or say with --rest-is-new that they are not there"
                )
            self._pause(who)
            self._rewrite(plan, who, why)
            self._move(plan)
            self._end(plan, who=who, why=why)
        plan.done = True
        return plan

    # --- Looking ------------------------------------------------------------------------------------------------------

    def _kind(self, route: Route) -> str:
        """The kind of record that a route writes in the new connection. Raises NotPossible."""
        if route.text:
            return route.kind
        kinds = list(self._new.kinds)
        kind = route.kind if route.kind in kinds else kinds[0] if len(kinds) == 1 else ""
        if not kind:
            raise NotPossible(
                f"the route {route.name} writes a {route.kind}, and {self._new.name} has {', '.join(kinds) or 'none'}: "
                "give it one of that name, or lead this route by hand"
            )
        if not {"create", "update"} & self._new.offers(kind):
            raise NotPossible(f"{self._new.name} cannot be written to: its profile offers neither create nor update")
        return kind

    def _states(self, connection: Connection) -> Counter[str]:
        return Counter(connection.execute(self._to_old(delivery.c.state)).scalars())

    def _to_old(self, *columns: Any) -> Any:
        return select(*columns).where(
            delivery.c.council == self._council.code,
            delivery.c.connection == self._old.name,
            delivery.c.state.in_([*_WAITS, *_ON_ITS_WAY]),
        )

    def _on_its_way(self, connection: Connection) -> list[str]:
        wanted = self._to_old(delivery.c.id).where(delivery.c.state.in_(_ON_ITS_WAY))
        return [f"d{id}" for id in connection.execute(wanted.order_by(delivery.c.id)).scalars()]

    @contextmanager
    def _standing_still(self) -> Iterator[None]:
        """Keep every process of ours away meanwhile: each knows the routes by which it was started."""
        words = "stop every `dolen run`, `dolen work` and `dolen schedule` of this site first: they know the old routes"
        if self._plant.ledger.embedded:
            try:
                with only_one(self._plant.lock_file):
                    yield
            except AlreadyRunning:
                raise NotPossible(words) from None
            return
        if processes.is_running(self._plant):
            raise NotPossible(words)
        yield
        if processes.is_running(self._plant):
            raise NotPossible("it is switched, but a process was started meanwhile: stop it and start it again")

    # --- Doing --------------------------------------------------------------------------------------------------------

    def _pause(self, who: str) -> None:
        """From here on nothing is sent to the old system, whatever becomes of this process."""
        now, code = self._plant.clock.now(), self._council.code
        with self._plant.ledger.writing() as connection:
            if pauses.of(connection, code, self._old.name) is None:
                pauses.set_pause(
                    connection,
                    code,
                    self._old.name,
                    why=pauses.BY_PERSON,
                    words=PAUSED,
                    who=who,
                    now=now,
                    until=None,
                )

    def _rewrite(self, plan: Plan, who: str, why: str) -> None:
        """All in one step: the council's file says the new connection everywhere, or is as it was."""
        settings = self._files.settings
        values: dict[KeyPath, str | int | float | bool | list[str] | None] = {}
        turned: dict[str, list[Turned]] = {}
        for one in plan.routes:
            turned.setdefault(one.name, []).append(one)
        for position, route in enumerate(settings.routes):
            for one in turned.get(route.name, ()):
                values["routes", position, one.end] = plan.new
                if one.record:
                    values["routes", position, "record"] = one.record
        if plan.owns:
            known = settings.connections[plan.new].owns
            values["connections", plan.new, "owns"] = [*known, *(group for group in plan.owns if group not in known)]
            values["connections", plan.old, "owns"] = []
        if values:
            zone = ZoneInfo(self._council.zone)
            on = to_instant(self._plant.clock.now()).astimezone(zone).date()
            path = self._site.root / COUNCIL_FOLDER / f"{plan.council}.yaml"
            check = partial(council_file.faults, self._site, plan.council)
            set_values(path, values, author=who, reason=why, on=on, check=check)

    def _move(self, plan: Plan) -> None:
        """What waits for the old system, or needs attention there, is closed and made for the new one."""
        routes = self._routes()
        while True:
            with self._plant.ledger.writing() as connection:
                wanted = self._to_old(delivery.c.id, delivery.c.referral_id)
                some = connection.execute(
                    wanted.where(delivery.c.state.in_(_WAITS)).order_by(delivery.c.id).limit(_AT_ONCE)
                ).all()
                if not some:
                    return
                batch = Batch(connection, self._plant.vault, self._council, self._plant.clock.now())
                batch.fetch_referrals({row.referral_id for row in some})
                batch.fetch_deliveries({row.referral_id for row in some})
                for row in rows.read(connection, delivery, "id", {row.id for row in some}):
                    batch.keep_delivery(row)
                touched = {self._move_one(batch, batch.delivery(row.id), routes, plan) for row in some}
                batch.flush()
                lanes.refresh(connection, touched)
            self._plant.vault.hand_over(self._plant.ledger)

    def _move_one(self, batch: Batch, row: Held | None, routes: Mapping[str, Route], plan: Plan) -> str:
        assert row is not None, "it was read in this transaction"
        lane = str(row.lane)
        if row.state not in _WAITS:
            return lane  # a newer one of the same request has taken its place
        deliveries.move(batch, row, DeliveryState.CLOSED, reason=f"goes to {plan.new} instead")
        route, whole = routes.get(row.route), batch.referral(row.referral_id)
        try:
            facts = batch.facts(whole) if whole is not None else None
        except PayloadGone:
            facts = None
        if route is None or whole is None or facts is None:
            plan.lost += 1
            return lane
        batch.fetch_deliveries([whole.id])
        made = deliveries.make(batch, route, whole, plain=fact_store.plain(facts), version=None)
        if route.carries == "event":  # it is bound to the revision that it tells of
            made.set(revision=row.revision, facts=row.facts)
        made.set(live=row.live)
        return lane

    def _routes(self) -> dict[str, Route]:
        """The council's routes as they lead now: those of old that led to the old connection lead to the new one."""
        led = {}
        for route in self._council.routes:
            to_old = route.target == self._old.name
            led[route.name] = replace(route, target=self._new.name, kind=self._kind(route)) if to_old else route
        return {name: route for name, route in led.items() if route.target == self._new.name}

    def _end(self, plan: Plan, *, who: str, why: str) -> None:
        now, code = self._plant.clock.now(), plan.council
        with self._plant.ledger.writing() as connection:
            paused = pauses.of(connection, code, plan.old)
            if paused is not None and paused.words == PAUSED:
                pauses.end(connection, code, plan.old, by_person=True)
            for partner in self._partners():
                enter_pair(connection, code, partner, plan.new, now=now, who=who)
            audit.write(
                connection,
                self._plant.vault,
                council=code,
                who=who,
                action="routes switch",
                subject=f"{plan.old} {plan.new}",
                why=why,
                now=now,
                detail={
                    "routes": [f"{one.name}: {one.end}" for one in plan.routes],
                    "owns": plan.owns,
                    "moved": plan.waiting,
                    "without a number": plan.unlinked_in_all,
                },
            )
        self._plant.nudge.set()

    def _partners(self) -> Sequence[str]:
        """The connections whose cases the new one shares, as the old one did: what it lacks was said to be new."""
        both = {self._old.name, self._new.name}
        ends = [{route.source, route.target} for route in self._council.routes if not route.text]
        return sorted({name for pair in ends if pair & both for name in pair - both})
