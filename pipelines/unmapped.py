"""What waits for a code that nobody has mapped: by council, code list, field and code.

Causes and the list of gaps name fields and code lists and never a value. What waits for one code bears one keyed hash
(`pipelines.gaps.mark_of`), so that the ledger counts it however much there is. The code itself is read from one of the
kept, sealed records for the person who must decide what it means, and only where it looks like a code: in a coded field
of a badly kept system anything may stand, and a name is shown to nobody here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as member  # `Waiting.field` is a name of its own
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import ColumnElement, Connection, Row, Select, Table, func, not_, select, text

from config.findings import SiteFaults
from connectors.errors import ConnectorError
from connectors.port import Item
from mappings import fieldpaths
from pipelines import facts as fact_store
from pipelines import revisions
from pipelines.code_drift_known import known
from pipelines.gaps import READ, WRITE
from pipelines.library import Library
from pipelines.looking import seen_of, sees_one_of_many, sees_version
from pipelines.plant import Council, Kind, Plant
from pipelines.states import DeliveryState, VersionState
from pipelines.tables import DESK_DELIVERY, DESK_VERSION, cause, delivery, gap, record, referral, version
from pipelines.vault import PayloadGone

if TYPE_CHECKING:
    from mappings.codes import CodeList
    from mappings.mapping import Gap

#: Piles of which one record is opened for one look at all of them. Beyond it the rest is counted.
MOST = 500
#: Of each pile so many are named.
MOST_NAMED = 25
_A_PAGE = 500
#: What looks like a code: short, no spaces, and fewer digits than a telephone's, a person's or a birthday's number.
_CODE = re.compile(r"(?!(?:.*[0-9]){7})[A-Za-z0-9][A-Za-z0-9_.:/+-]{0,23}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Pile:
    """What waits for one code on one side of one connection: stopped by it, or gone on without the field."""

    council: str
    connection: str
    side: str  # read, write
    code_list: str
    field: str
    needed: bool  # it was stopped
    mark: str  # keyed hash of what was given
    number: int
    since: int
    first: int  # ids of a version (read) or a delivery (write)
    last: int
    cause_id: int = 0  # of what was stopped


@dataclass(frozen=True, slots=True)
class Held:
    """One version or delivery that waits for a code list, or went on with a field left out because of it."""

    id: str  # v7, d12
    council: str
    connection: str
    kind: str
    side: str  # read, write
    code_list: str
    needed: bool  # it was stopped
    gaps: tuple[Gap, ...] | None  # in this list, by the mapping of now; empty: can go on; None: cannot be opened


@dataclass(slots=True)
class Waiting:
    """One code that waits in one council."""

    council: str
    code_list: str
    side: str
    connection: str
    field: str
    theirs: str  # the path in the system's record
    code: str  # "" where it does not look like a code, or could not be read
    words: str  # how the supplier's code book or the system itself shows it, or why no code is shown
    stopped: int = 0  # records and deliveries that do not go on
    left_out: int = 0  # records that went on without the field
    since: int = 0
    near: tuple[str, ...] = ()  # what it may mean, nearest first: a hint and never a mapping
    ids: list[str] = member(default_factory=list)  # the first of them


def unmapped(plant: Plant, councils: Sequence[str] = ()) -> list[Waiting]:
    """Everything that waits for a code, those that stop most first."""
    found = piles(plant, councils)
    return opened(plant, found, most=MOST)


def piles(plant: Plant, councils: Sequence[str] = ()) -> list[Pile]:
    """Everything that waits for a code, counted from indexes alone, the largest that is stopped first."""
    wanted = [code for code in plant.councils if not councils or code in councils]
    with plant.ledger.reading() as connection:
        found = [*_stopped(connection, plant, wanted), *_left_out(connection, plant, wanted)]
    return sorted(found, key=lambda one: (not one.needed, -one.number, one.since, one.council, one.code_list, one.mark))


def _stopped(connection: Connection, plant: Plant, councils: Sequence[str]) -> Iterator[Pile]:
    of_codes = {
        row.id: row
        for row in connection.execute(select(cause).where(cause.c.council.in_(councils), cause.c.code_list != ""))
    }
    seen = plant.sight.of(delivery.c.referral_id)
    for side, table, at, open_work, may_see in (
        (READ, version, version.c.at, text(DESK_VERSION), sees_one_of_many(plant, text(DESK_VERSION))),
        (WRITE, delivery, delivery.c.changed_at, text(DESK_DELIVERY), seen),
    ):
        statement = (
            select(
                table.c.cause_id, table.c.code, func.count().label("number"), func.min(at).label("since"),
                func.min(table.c.id).label("first"), func.max(table.c.id).label("last"),
            )
            # Each cause apart would be a look of its own; this is one, through what is open alone.
            .where(table.c.council.in_(councils), open_work, table.c.cause_id.is_not(None), may_see)
            .group_by(table.c.cause_id, table.c.code)
        )  # fmt: skip
        if side == WRITE:
            statement = statement.where(not_(delivery.c.state == DeliveryState.NOT_SURE))
        for row in connection.execute(statement):
            why = of_codes.get(row.cause_id)
            if why is None:
                continue
            yield Pile(why.council, why.connection, side, why.code_list, why.field, True, row.code, row.number,
                       row.since, row.first, row.last, row.cause_id)  # fmt: skip


def _left_out(connection: Connection, plant: Plant, councils: Sequence[str]) -> Iterator[Pile]:
    key = (gap.c.council, gap.c.side, gap.c.connection, gap.c.code_list, gap.c.field, gap.c.code)
    about = func.coalesce(gap.c.version_id, gap.c.delivery_id)
    rows = connection.execute(
        select(*key, func.count().label("number"), func.min(gap.c.at).label("since"), func.min(about).label("first"),
               func.max(about).label("last"))
        .where(gap.c.council.in_(councils), gap.c.code_list != "", _sees_gap(plant))
        .group_by(*key)
    )  # fmt: skip
    for row in rows:
        yield Pile(row.council, row.connection, row.side, row.code_list, row.field, False, row.code, row.number,
                   row.since, row.first, row.last)  # fmt: skip


def _sees_gap(plant: Plant) -> ColumnElement[bool]:
    kept = select(referral.c.id).where(plant.sight.hides())
    return gap.c.record_id.not_in(select(record.c.id).where(record.c.referral_id.in_(kept)))


def opened(plant: Plant, some: Sequence[Pile], *, most: int) -> list[Waiting]:
    """The codes of these, each read from one record of its pile; of those beyond the first so many none is opened."""
    plant.refresh()
    found: dict[tuple[str, ...], Waiting] = {}
    lists = _Lists(plant)
    first = [_named(plant, pile) for pile in some[:most]]
    seen = seen_of(plant, [id for ids in first for id in ids])
    for number, pile in enumerate(some):
        held = _one_of(plant, pile) if number < most and pile.mark else None
        told = [(one.field, one.theirs, one.value) for one in held.gaps or ()] if held is not None else []
        if held is None or held.gaps is None:
            told = [("", "", "")]
        elif not told:
            told = [("", "", READY)]
        for named, theirs, value in told:
            code, words = _shown(value, held is not None and held.gaps is not None)
            key = (pile.council, pile.code_list, pile.side, pile.connection, named, code or words)
            one = found.get(key)
            if one is None:
                one = Waiting(pile.council, pile.code_list, pile.side, pile.connection, named, theirs, code, words)
                one.since = pile.since
                if code and held is not None:
                    one.words, one.near = lists.hints(held, named, code)
                found[key] = one
            one.since = min(one.since, pile.since)
            one.stopped += pile.number if pile.needed else 0
            one.left_out += 0 if pile.needed else pile.number
            ids = [id for id in first[number] if id in seen] if number < most else []
            one.ids += ids[: max(MOST_NAMED - len(one.ids), 0)]
    return sorted(found.values(), key=lambda one: (-one.stopped, one.since, one.council, one.code_list, one.code))


def _one_of(plant: Plant, pile: Pile) -> Held | None:
    """One of a pile, opened: the oldest, or the newest where nothing of that is kept any more."""
    table = version if pile.side == READ else delivery
    for id in dict.fromkeys((pile.first, pile.last)):
        with plant.ledger.reading() as connection:
            row = connection.execute(select(table).where(table.c.id == id)).first()
        if row is None:
            continue
        held = _held(plant, pile.side, row, pile.code_list, needed=pile.needed)
        if held.gaps is not None:
            mine = tuple(one for one in held.gaps if pile.needed or one.field == pile.field)
            return replace(held, gaps=mine)
    return None


def _named(plant: Plant, pile: Pile) -> list[str]:
    """The first of a pile, as people are shown them, seen or not."""
    if pile.needed:
        table = version if pile.side == READ else delivery
        open_work = text(DESK_VERSION if pile.side == READ else DESK_DELIVERY)
        id = table.c.id
        wanted = select(id).where(table.c.council == pile.council, table.c.cause_id == pile.cause_id, open_work)
        wanted = wanted.where(table.c.code == pile.mark)
        if pile.side == WRITE:
            wanted = wanted.where(delivery.c.state == DeliveryState.ATTENTION)
    else:
        id = gap.c.version_id if pile.side == READ else gap.c.delivery_id
        wanted = select(id).where(*(
            gap.c[name] == getattr(pile, name) for name in ("council", "side", "connection", "code_list", "field")
        ), gap.c.code == pile.mark)  # fmt: skip
    with plant.ledger.reading() as connection:
        ids = connection.execute(wanted.order_by(id).limit(MOST_NAMED)).scalars()
        return [f"{'v' if pile.side == READ else 'd'}{one}" for one in ids]


#: Stands where a code would: it has its row by now and was not released yet.
READY = "\0ready"


def _shown(value: str, opened: bool) -> tuple[str, str]:
    """The code, or why it is not shown."""
    if not opened:
        return "", "the kept record was not opened"
    if value == READY:
        return "", "has its row now: dolen codes release"
    if _CODE.fullmatch(value):
        return value, ""
    return "", "does not look like a code: look at the record in its system"


#: In which order what waits is gone through: (side, stopped by it). What is read again may send more.
TURNS = ((READ, True), (READ, False), (WRITE, True), (WRITE, False))


def waiting_for(
    plant: Plant, councils: Sequence[str] = (), code_list: str = "", begins: tuple[int, int] = (0, 0)
) -> Iterator[Held]:
    """Everything that waits: versions first, then deliveries, what is stopped before what went on, the oldest first.

    Each is opened with the mapping of now. `begins`: at which of `TURNS`, and there from which number on.
    """
    wanted = [code for code in plant.councils if not councils or code in councils]
    for side, table, state in ((READ, version, VersionState.ATTENTION), (WRITE, delivery, DeliveryState.ATTENTION)):
        seen = sees_version(plant) if side == READ else plant.sight.of(delivery.c.referral_id)
        stopped = (
            select(table, cause.c.code_list.label("of_list"))
            .join(cause, cause.c.id == table.c.cause_id)
            .where(table.c.council.in_(wanted), table.c.state == state, _of(cause, code_list), seen)
        )
        # Several fields of one record may wait for one list; PostgreSQL tells no two rows with JSON in them apart.
        key = gap.c[f"{'version' if side == READ else 'delivery'}_id"]
        once = (
            select(key.label("id"), gap.c.code_list.label("of_list"))
            .where(gap.c.council.in_(wanted), gap.c.side == side, _of(gap, code_list))
            .distinct()
            .subquery()
        )
        left = select(table, once.c.of_list).join(once, once.c.id == table.c.id).where(seen)
        for statement, needed in ((stopped, True), (left, False)):
            turn = TURNS.index((side, needed))
            if turn < begins[0]:
                continue
            for row in _in_pages(plant, statement, table, begins[1] - 1 if turn == begins[0] else 0):
                yield _held(plant, side, row, row.of_list, needed=needed)


def _of(table: Table, code_list: str) -> ColumnElement[bool]:
    return table.c.code_list == code_list if code_list else table.c.code_list != ""


def _in_pages(plant: Plant, statement: Select[Any], table: Table, last: int) -> Iterator[Row[Any]]:
    """The rows of a statement behind one, in the order of their ids, a page at a time: what is done meanwhile holds
    nothing up."""
    while True:
        page = statement.where(table.c.id > last).order_by(table.c.id, "of_list").limit(_A_PAGE)
        with plant.ledger.reading() as connection:
            rows = connection.execute(page).all()
        full = len(rows) == _A_PAGE
        if full:  # the last record may go on behind the page's end, with another list
            rows = [row for row in rows if row.id != rows[-1].id] or rows
        yield from rows
        if not full:
            return
        last = rows[-1].id


def _held(plant: Plant, side: str, row: Row[Any], code_list: str, *, needed: bool) -> Held:
    council = plant.councils[row.council]
    wired = council.wired.get(row.connection)
    kind = wired.kinds.get(row.kind) if wired else None
    found: tuple[Gap, ...] | None = None
    if kind is not None:
        try:
            gaps = _read(plant, council, kind, row) if side == READ else _written(plant, council, kind, row)
            found = tuple(one for one in gaps if one.code_list == code_list)
        except (ConnectorError, PayloadGone):
            found = None
    letter = "v" if side == READ else "d"
    return Held(f"{letter}{row.id}", row.council, row.connection, row.kind, side, code_list, needed, found)


def _read(plant: Plant, council: Council, kind: Kind, row: Row[Any]) -> list[Gap]:
    with plant.ledger.reading() as connection:
        raw = plant.vault.get(connection, council.code, row.raw)
    item = council.wired[row.connection].connector.parse(kind.name, raw, id=row.external_id)
    if not isinstance(item, Item):
        return []  # not for a code list to mend
    reading = kind.mapping.read(item.record)
    return [*reading.stopped, *reading.left_out]


def _written(plant: Plant, council: Council, kind: Kind, row: Row[Any]) -> list[Gap]:
    with plant.ledger.reading() as connection:
        referral = revisions.get(connection, council.code, row.referral_id)
        assert referral is not None  # a delivery is always of one
        payload = row.facts if row.carries == "event" and row.facts else referral.facts
        facts = fact_store.plain(fact_store.load(connection, plant.vault, council.code, payload))
    writing = kind.mapping.write({name: value for name, value in facts.items() if value is not None}, None)
    return [*writing.stopped, *writing.left_out]


def lists_of(kind: Kind) -> frozenset[str]:
    """The code lists that a kind of record is read and written with."""
    _, body = kind.mapping.artifacts[kind.mapping.digest]
    return frozenset(orjson.loads(body)["codes"])


class _Lists:
    """Hints from the code lists as they stand."""

    def __init__(self, plant: Plant) -> None:
        self._library = Library(plant.freshness.layers)
        self._known: dict[str, CodeList | None] = {}
        self._shown = {  # how the systems themselves showed codes when they were last asked for them
            (one.council, one.connection, drift.code_list, code): words
            for one in known(plant)
            for drift in one.drifts
            for code, words in drift.new
        }

    def hints(self, held: Held, named: str, code: str) -> tuple[str, tuple[str, ...]]:
        """How the list or the system shows the code, and what it may mean."""
        codes = self._list(held.code_list)
        if codes is None:
            return "", ()
        row = next((row for row in codes.rows if row.theirs == code), None) if held.side == READ else None
        words = (row.en or row.cy) if row is not None else ""
        words = words or self._shown.get((held.council, held.connection, held.code_list, code), "")
        if held.side == WRITE:
            return words, _near([code], {row.theirs: row.theirs for row in codes.rows if not row.waits})
        candidates = {name.casefold(): name for name in _allowed(named)}
        for one in codes.rows:
            if one.ours:
                candidates |= {text.casefold(): one.ours for text in (one.theirs, one.ours, one.en, one.cy) if text}
        return words, _near([code, words], candidates)

    def _list(self, name: str) -> CodeList | None:
        if name not in self._known:
            try:
                self._known[name] = self._library.code_list(name)
            except (SiteFaults, LookupError, OSError):
                self._known[name] = None
        return self._known[name]


def _allowed(named: str) -> tuple[str, ...]:
    return () if not named or fieldpaths.check(named) else fieldpaths.type_of(named).codes


def _near(words: Sequence[str], candidates: Mapping[str, str]) -> tuple[str, ...]:
    found: list[str] = []
    for word in words:
        if word:
            close = get_close_matches(word.casefold(), list(candidates)[:2_000], n=3, cutoff=0.5)
            found += [candidates[one] for one in close]
    return tuple(dict.fromkeys(found))[:3]
