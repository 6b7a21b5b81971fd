"""Where is it? What became of whatever somebody names, as coded parts: the screens put the sentences, in two languages.

For each target one answer stands: it arrived as N (in which tray, picked up or not), it waits until, it needs attention
and who can mend it, it was not sent by a named rule; or nobody ever showed it to us, and when each source was last
read. Ids, numbers of records, teams and words about causes: never a value of a person.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from pipelines import facts, menders, pauses
from pipelines.attention import Group
from pipelines.clock import SECOND
from pipelines.ids import number_of
from pipelines.keystore import KeyFault
from pipelines.looking import find_referral, sees_version
from pipelines.menders import Mender
from pipelines.plant import Council, Plant
from pipelines.routing import Route
from pipelines.states import DeliveryState, VersionState
from pipelines.tables import cause, delivery, record, referral, version, walk
from pipelines.vault import PayloadGone

#: The status of a request that nobody has looked at yet.
_NOT_LOOKED_AT = "received"


class Known(StrEnum):
    """How much we know of what was named."""

    CARRIED = "carried"  # there is a referral, and its places say where it stands
    NOT_TAKEN_IN = "not taken in"  # a source showed it, but it is no referral yet: its places say why
    NEVER_SHOWN = "never shown"  # no source has shown it to us


class Stands(StrEnum):
    """How a referral stands at one target, or one version of it in the intake. The most pressing first."""

    ATTENTION = "needs attention"
    NOT_READ = "not read"  # a source showed a version that could not be taken in
    NOT_SURE = "not sure"  # sent, no answer: it is being looked up
    WAITING = "waiting"
    SENDING = "being sent"
    HELD = "held"  # a version that waits until a create in doubt is settled
    NOT_SENT = "not sent"
    EXPIRED = "expired"
    CLOSED = "closed"
    BY_HAND = "by hand"  # settled by a person under this number
    ARRIVED = "arrived"
    ERASED = "erased"


class Waits(StrEnum):
    """Why something waits."""

    DUE = "due"  # for its time; `due` says when it is tried next
    PAUSED = "paused"  # its connection is left alone; `pause` says why
    CLOSED_NOW = "closed now"  # the supplier's maintenance, or the site's files keep it closed; `due` says until when
    BEHIND = "behind"  # for what stands before it in its line
    SWITCHED_OFF = "switched off"  # the site no longer has that connection


@dataclass(frozen=True, slots=True)
class Place:
    """How it stands at one target (or, for a version, at the source that showed it)."""

    stands: Stands
    id: str  # d12 or v7
    connection: str
    route: str = ""
    number: str = ""  # its number there, also of an earlier version while a newer one waits
    tray: str = ""  # the team whose tray it is in, as the target says
    picked_up: bool | None = None  # None: the target does not tell us
    since: int = 0
    due: int | None = None
    waits: Waits | None = None
    pause: str = ""  # why the connection is paused
    late: bool = False  # past its route's `arrive_within`
    urgent: bool = False
    rule: str = ""  # by which it was not sent
    cause: str = ""  # fingerprint
    words: str = ""  # the cause in an officer's words
    remedy: str = ""
    mender: Mender | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """When a source was last read to its end."""

    council: str
    connection: str
    kind: str
    read: int | None
    pause: str = ""
    mender: Mender | None = None


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """One answer to "where is it?"."""

    known: Known
    council: str = ""
    referral: str = ""
    reference: str = ""  # the resident's
    status: str = ""
    restricted: bool = False
    shown_by: str = ""  # the connection that showed it first
    numbers: tuple[tuple[str, str], ...] = ()  # (connection, its number there)
    places: tuple[Place, ...] = ()
    sources: tuple[Source, ...] = ()  # of something never shown: every source it might come from


def where(plant: Plant, reference: str, councils: Collection[str] | None = None) -> list[Whereabouts]:
    """Say where it is: by our id, the resident's reference, d12, v7, or its number in any system; never an empty list.

    `councils`: for whom somebody may see it; None is every council of the site.
    """
    codes = [code for code in plant.councils if councils is None or code in councils]
    text = reference.strip()
    found = [row for row in find_referral(plant, text) if row.council in codes]
    with plant.ledger.reading() as connection:
        stray = _versions(connection, plant, codes, text)
        known = {row.id for row in found}
        wanted = {row.referral_id for row in stray if row.referral_id} - known
        if not found and wanted:
            seen = select(referral).where(referral.c.id.in_(wanted), plant.sight.of(referral.c.id))
            found = list(connection.execute(seen).all())
            known = wanted
        held = pauses.all_pauses(connection)
        look = _Look(plant, connection, held)
        answers = [look.referral(row) for row in found]
        answers += [look.not_taken_in(row) for row in stray if row.referral_id not in known]
        return answers or [Whereabouts(Known.NEVER_SHOWN, sources=tuple(look.sources(codes)))]


def sources(plant: Plant) -> list[Source]:
    """When each source of the plant's councils was last read."""
    with plant.ledger.reading() as connection:
        return list(_Look(plant, connection, pauses.all_pauses(connection)).sources(plant.councils))


def of_referral(plant: Plant, id: str) -> Whereabouts:
    """Where one referral is that is known to exist."""
    return of_referrals(plant, [id])[0]


def of_referrals(plant: Plant, ids: Sequence[str]) -> list[Whereabouts]:
    """Where these referrals are that are known to exist and may be seen, in this order."""
    with plant.ledger.reading() as connection:
        look = _Look(plant, connection, pauses.all_pauses(connection))
        rows = {row.id: row for row in connection.execute(select(referral).where(referral.c.id.in_(ids)))}
        return [look.referral(rows[id]) for id in ids]


def _versions(connection: Connection, plant: Plant, codes: Collection[str], text: str) -> list[Any]:
    """Versions that are named and were not taken in: by v7, or by the record's number."""
    number = number_of(text, "v") if text.lower().startswith("v") else None
    if number is not None:
        one = connection.execute(select(version).where(version.c.id == number, sees_version(plant))).first()
        return [one] if one is not None and one.council in codes else []
    named: list[ColumnElement[bool]] = [
        and_(
            version.c.council == code,
            version.c.connection == name,
            version.c.kind == kind,
            version.c.external_id == text,
        )
        for code in codes
        for name, wired in plant.councils[code].wired.items()
        for kind in wired.kinds
    ]
    if not named or not text:
        return []
    rows = connection.execute(select(version).where(or_(*named), sees_version(plant)).order_by(version.c.id)).all()
    newest = {(row.council, row.connection, row.kind): row for row in rows}
    return [row for row in newest.values() if row.state in (VersionState.ATTENTION, VersionState.WAITING)]


class _Look:
    """One look at the ledger, within one transaction."""

    def __init__(self, plant: Plant, connection: Connection, held: Any) -> None:
        self.plant = plant
        self.connection = connection
        self.held = held
        self.now = plant.clock.now()

    def referral(self, row: Any) -> Whereabouts:
        """How one referral stands everywhere."""
        council = self.plant.councils[row.council]
        records = self.connection.execute(select(record).where(record.c.referral_id == row.id)).all()
        numbers = {one.connection: one.external_id for one in records if not one.aside}
        newest: dict[tuple[str, str], Any] = {}
        for one in self.connection.execute(
            select(delivery).where(delivery.c.referral_id == row.id).order_by(delivery.c.id)
        ):
            if one.state != DeliveryState.REPLACED:  # a newer one stands in its place
                newest[one.connection, one.route] = one
        team = self._team(row)
        places = [self._delivery(council, one, row, numbers, team) for one in newest.values()]
        shown = self._newest_versions([one.id for one in records])
        places += [self._version(council, one) for one in shown if one.state == VersionState.ATTENTION]
        places += self._by_rule(council, shown, {target for target, _ in newest})
        return Whereabouts(
            Known.CARRIED, row.council, row.id, row.citizen_reference, row.status or "", bool(row.restricted),
            row.born_in, tuple(sorted(numbers.items())), tuple(sorted(places, key=_pressing)),
        )  # fmt: skip

    def not_taken_in(self, row: Any) -> Whereabouts:
        """A version that made no referral."""
        council = self.plant.councils[row.council]
        return Whereabouts(
            Known.NOT_TAKEN_IN, row.council, shown_by=row.connection, places=(self._version(council, row),),
            numbers=((row.connection, row.external_id),) if row.external_id else (),
        )  # fmt: skip

    def sources(self, codes: Iterable[str]) -> Iterable[Source]:
        """Every source that is read, and when that was."""
        walks = {
            (row.council, row.connection, row.kind): row.completed
            for row in self.connection.execute(select(walk).where(walk.c.purpose == "live"))
        }
        for code in codes:
            council = self.plant.councils[code]
            for name, wired in council.wired.items():
                for kind in wired.kinds if wired.polls else ():
                    yield Source(
                        code, name, kind, walks.get((code, name, kind)), self._paused(code, name),
                        menders.of_connection(council, name),
                    )  # fmt: skip

    def _paused(self, code: str, name: str) -> str:
        held = self.held.get((code, name))
        return str(held.why) if held is not None else ""

    def _team(self, row: Any) -> tuple[str, str]:
        """(Team, the connection that says so); nothing where it may not or cannot be looked at."""
        if row.restricted:
            return "", ""
        try:
            known = facts.load(self.connection, self.plant.vault, row.council, row.facts)
        except (PayloadGone, KeyFault):
            return "", ""
        value, by, _ = known.get("assigned_to.team", ("", "", 0))
        return str(value or ""), str(by)

    def _delivery(
        self, council: Council, row: Any, of: Any, numbers: dict[str, str], team: tuple[str, str]
    ) -> Place:
        stands, state = _STANDS[row.state], DeliveryState(row.state)
        if state is DeliveryState.NOT_SURE and row.due is None:
            stands = Stands.ATTENTION  # nobody but a person can find out
        route = council.route(row.route)
        within = route.arrive_within if route is not None else None
        late = state.open and within is not None and row.at < self.now - int(within.total_seconds() * SECOND)
        fingerprint, words, remedy, mender = self._why(council, row)
        waits, due, pause = self._waits(council, row) if stands is Stands.WAITING else (None, row.due, "")
        tells = council.owners.get("status") == row.connection and row.carries == "state"
        return Place(
            stands, f"d{row.id}", row.connection, row.route,
            number=numbers.get(row.connection, ""), tray=team[0] if team[1] == row.connection else "",
            picked_up=of.status not in (None, _NOT_LOOKED_AT) if tells and row.connection in numbers else None,
            since=row.changed_at if not state.open else row.at, due=due, waits=waits, pause=pause, late=late,
            urgent=bool(row.urgent), rule=row.reason if state is DeliveryState.NOT_SENT else "",
            cause=fingerprint, words=words, remedy=remedy, mender=mender,
        )  # fmt: skip

    def _version(self, council: Council, row: Any) -> Place:
        stands = Stands.HELD if row.state == VersionState.WAITING else Stands.NOT_READ
        fingerprint, words, remedy, mender = self._why(council, row)
        return Place(
            stands, f"v{row.id}", row.connection, number=row.external_id, since=row.at,
            cause=fingerprint, words=words, remedy=remedy, mender=mender,
        )  # fmt: skip

    def _newest_versions(self, records: list[int]) -> list[Any]:
        newest: dict[int, Any] = {}
        for row in self.connection.execute(
            select(version).where(version.c.record_id.in_(records)).order_by(version.c.id)
        ):
            newest[row.record_id] = row
        return list(newest.values())

    def _by_rule(self, council: Council, shown: list[Any], sent: set[str]) -> Iterable[Place]:
        """Targets that no delivery was ever made for, because a route's condition does not hold."""
        for row in shown:
            for name in row.not_taken or ():
                route: Route | None = council.route(name)
                if route is None or route.target in sent:
                    continue
                yield Place(
                    Stands.NOT_SENT, f"v{row.id}", route.target, name, since=row.at, rule=", ".join(route.when) or name
                )

    def _waits(self, council: Council, row: Any) -> tuple[Waits, int | None, str]:
        wired = council.wired.get(row.connection)
        if wired is None:
            return Waits.SWITCHED_OFF, None, ""
        pause = self.held.get((council.code, row.connection))
        if pause is not None:
            return Waits.PAUSED, pause.until, str(pause.why)
        until = wired.closed_until(self.now)
        if until is not None:
            return Waits.CLOSED_NOW, until, ""
        return (Waits.BEHIND if row.due is None else Waits.DUE), row.due, ""

    def _why(self, council: Council, row: Any) -> tuple[str, str, str, Mender | None]:
        if row.cause_id is None or row.state not in _WITH_CAUSE:
            return "", "", "", None
        why = self.connection.execute(select(cause).where(cause.c.id == row.cause_id)).one()
        mender = menders.of_cause(council, why.connection, step=why.step, field=why.field, code_list=why.code_list)
        group = Group(
            why.fingerprint, council.code, why.connection, why.step, why.error, why.field, why.code_list, why.words,
            row.at, (), (), 1, 0,
        )  # fmt: skip
        return why.fingerprint, why.words, group.remedy, mender


_WITH_CAUSE = (DeliveryState.ATTENTION.value, DeliveryState.NOT_SURE.value, VersionState.ATTENTION.value)
_STANDS = {
    DeliveryState.WAITING.value: Stands.WAITING, DeliveryState.SENDING.value: Stands.SENDING,
    DeliveryState.NOT_SURE.value: Stands.NOT_SURE, DeliveryState.ATTENTION.value: Stands.ATTENTION,
    DeliveryState.ARRIVED.value: Stands.ARRIVED, DeliveryState.NOT_SENT.value: Stands.NOT_SENT,
    DeliveryState.SETTLED.value: Stands.BY_HAND, DeliveryState.CLOSED.value: Stands.CLOSED,
    DeliveryState.EXPIRED.value: Stands.EXPIRED, DeliveryState.ERASED.value: Stands.ERASED,
}  # fmt: skip
_ORDER = list(Stands)


def _pressing(place: Place) -> tuple[int, int, str]:
    return _ORDER.index(place.stands), place.since, place.id
