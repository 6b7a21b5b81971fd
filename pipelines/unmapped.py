"""What waits for a code that nobody has mapped: by council, code list, field and code.

Causes and the list of gaps name fields and code lists and never a value. The code itself is read from the kept, sealed
records for the person who must decide what it means, and only where it looks like a code: in a coded field of a badly
kept system anything may stand, and a name is shown to nobody here.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as member  # `Waiting.field` is a name of its own
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import ColumnElement, Row, Select, Table, select

from config.findings import SiteFaults
from connectors.errors import ConnectorError
from connectors.port import Item
from mappings import fieldpaths
from pipelines import facts as fact_store
from pipelines import revisions
from pipelines.code_drift import known
from pipelines.gaps import READ, WRITE
from pipelines.library import Library
from pipelines.looking import sees_version
from pipelines.plant import Council, Kind, Plant
from pipelines.states import DeliveryState, VersionState
from pipelines.tables import cause, delivery, gap, version
from pipelines.vault import PayloadGone

if TYPE_CHECKING:
    from mappings.codes import CodeList
    from mappings.mapping import Gap

#: Records of each kind that are opened for one look. Beyond it the rest is counted.
MOST = 5_000
_A_PAGE = 500
#: What looks like a code: short, no spaces, and fewer digits than a telephone's, a person's or a birthday's number.
_CODE = re.compile(r"(?!(?:.*[0-9]){7})[A-Za-z0-9][A-Za-z0-9_.:/+-]{0,23}", re.ASCII)


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
    about: str  # referral or record, for counting people
    since: int
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
    stopped: int = 0  # referrals that do not go on
    left_out: int = 0  # referrals that went on without the field
    since: int = 0
    near: tuple[str, ...] = ()  # what it may mean, nearest first: a hint and never a mapping
    ids: list[str] = member(default_factory=list)


def unmapped(plant: Plant, councils: Sequence[str] = ()) -> list[Waiting]:
    """Everything that waits for a code, those that stop most referrals first."""
    plant.refresh()
    found: dict[tuple[str, ...], Waiting] = {}
    about: dict[tuple[str, ...], set[str]] = defaultdict(set)
    lists = _Lists(plant)
    for held in waiting_for(plant, councils, open_at_most=MOST):
        told = [(one.field, one.theirs, one.value) for one in held.gaps or ()]
        if held.gaps is None:
            told = [("", "", "")]
        elif not told:
            told = [("", "", READY)]
        for named, theirs, value in told:
            code, words = _shown(value, held.gaps is not None)
            key = (held.council, held.code_list, held.side, held.connection, named, code or words)
            one = found.get(key)
            if one is None:
                one = Waiting(held.council, held.code_list, held.side, held.connection, named, theirs, code, words)
                one.since = held.since
                if code:
                    one.words, one.near = lists.hints(held, named, code)
                found[key] = one
            one.since = min(one.since, held.since)
            if held.about not in about[key]:
                about[key].add(held.about)
                one.stopped += held.needed
                one.left_out += not held.needed
            one.ids.append(held.id)
    return sorted(found.values(), key=lambda one: (-one.stopped, one.since, one.council, one.code_list, one.code))


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


def waiting_for(
    plant: Plant, councils: Sequence[str] = (), code_list: str = "", *, open_at_most: int | None = None
) -> Iterator[Held]:
    """Everything that waits: versions first, then deliveries, what is stopped before what went on, the oldest first.

    Each is opened with the mapping of now, or only the first so many of each kind.
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
            for number, row in enumerate(_in_pages(plant, statement, table)):
                yield _held(plant, side, row, needed=needed, opened=open_at_most is None or number < open_at_most)


def _of(table: Table, code_list: str) -> ColumnElement[bool]:
    return table.c.code_list == code_list if code_list else table.c.code_list != ""


def _in_pages(plant: Plant, statement: Select[Any], table: Table) -> Iterator[Row[Any]]:
    """The rows of a statement in the order of their ids, a page at a time: what is done meanwhile holds nothing up."""
    last = 0
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


def _held(plant: Plant, side: str, row: Row[Any], *, needed: bool, opened: bool) -> Held:
    council = plant.councils[row.council]
    wired = council.wired.get(row.connection)
    kind = wired.kinds.get(row.kind) if wired else None
    found: tuple[Gap, ...] | None = None
    if kind is not None and opened:
        try:
            gaps = _read(plant, council, kind, row) if side == READ else _written(plant, council, kind, row)
            found = tuple(one for one in gaps if one.code_list == row.of_list)
        except (ConnectorError, PayloadGone):
            found = None
    letter = "v" if side == READ else "d"
    about = row.referral_id or f"{row.connection}/{row.kind}/{row.external_id}"
    return Held(
        f"{letter}{row.id}", row.council, row.connection, row.kind, side, row.of_list, needed, about, row.at, found
    )


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
