"""The unit of work: everything that one write transaction reads and writes about one council's referrals.

Rows are fetched for a whole page or a whole group of results, decided about in memory one after the other, and written
with one statement a table. Payloads are sealed as they come, straight under the key of the person they are about; the
key store commits before the first ledger row that names a key, so that a crash can leave a key without a payload and
never a payload without a key. `flush` may be called as often as a rare path needs its rows in the ledger.

Who may change what is decided elsewhere: `pipelines.merge`, `pipelines.revisions`, `pipelines.deliveries`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, Table, select

from pipelines import crash, ready, rows, together, waking
from pipelines.facts import Facts
from pipelines.gap_list import GapList
from pipelines.ids import new_id
from pipelines.named import Named
from pipelines.plant import Council
from pipelines.ready import Ask
from pipelines.rows import Held
from pipelines.states import DeliveryState
from pipelines.tables import attempt, delivery, news, payload, proof, record, referral, version
from pipelines.vault import PayloadGone, Vault

#: States in which a delivery may still be overtaken, or is waited for.
_IN_HAND = (DeliveryState.WAITING, DeliveryState.SENDING, DeliveryState.NOT_SURE, DeliveryState.ATTENTION)



def _beside(table: Table, *names: str) -> rows.Where:
    """Of the council, or so much more, that is given beside the keys of a question."""
    return tuple(rows.beside(table.c[name]) == ready.given(name, table.c[name]) for name in names)


_PLACE = ("council", "connection", "kind")
_NUMBERED = tuple(record.c[name] == ready.given(name, record.c[name]) for name in _PLACE)
_IN_PLACE = _beside(record, *_PLACE)
_OURS = _beside(referral, "council")
_STILL_IN_HAND = (*_beside(delivery, "council"), rows.beside(delivery.c.state).in_(_IN_HAND))
_THERE = (payload.c.body.is_not(None),)
_STILL_THERE = Ask(
    lambda among: select(payload.c.id).where(among(payload.c.id), *_beside(payload, "council"), *_THERE)
)

#: (connection, kind, number there)
Place = tuple[str, str, str]


class Batch:
    """One transaction's worth of work for one council. Belongs to one thread and to one `Ledger.writing()`."""

    def __init__(
        self, connection: Connection, vault: Vault, council: Council, now: int, *, locking: bool = True
    ) -> None:
        """`locking=False`: only to read, within `Ledger.reading()`; nothing may be flushed."""
        self._read = rows.read if locking else rows.look
        self.connection = connection
        self.vault = vault
        self.council = council
        self.now = now
        self._records: dict[Place, Held] = {}
        self._numbers: dict[tuple[str, str, str], list[Held]] = defaultdict(list)  # by referral, connection, kind
        self._referrals: dict[str, Held] = {}
        self._facts: dict[str, Facts] = {}
        self._opened: dict[str, Facts] = {}  # by payload, from before this transaction
        self._unsealed: set[str] = set()  # referrals whose facts changed since they were last sealed
        self.named = Named(connection, council.code, now)
        self._deliveries: dict[str, list[Held]] = defaultdict(list)  # by referral, the oldest first
        self._held_deliveries: dict[int, Held] = {}
        self._in_hand: set[str] = set()  # referrals of which all that is in hand has been read
        self._wakes: dict[str, tuple[str, int, int]] = {}  # lane -> connection, due, rank
        self.gaps = GapList()
        self._sealing = vault.sealing()
        self._payloads: list[dict[str, Any]] = []
        self._new: dict[str, list[Held]] = defaultdict(list)
        self._versions: list[Held] = []  # of this transaction

    # --- Payloads -----------------------------------------------------------------------------------------------------

    def seal(self, kind: str, body: bytes, person_id: str | None) -> str:
        """Seal a payload of this council, under its person's key where the person is known; return its id."""
        id = new_id()
        key_id, sealed = self._sealing.seal(self.council.code, id, body, person_id, new=self.named.is_new(person_id))
        self._payloads.append(
            {
                "id": id,
                "council": self.council.code,
                "class": kind,
                "person_id": person_id,
                "key_id": key_id,
                "held_by_person": person_id is not None,
                "body": sealed,
                "at": self.now,
            }
        )
        return id

    # --- Records ------------------------------------------------------------------------------------------------------

    def fetch_records(self, connection: str, kind: str, numbers: Iterable[str]) -> None:
        """Read the records of one connection that have these numbers there, before `record` is asked for them."""
        wanted = {number for number in numbers if number and (connection, kind, number) not in self._records}
        place = {"council": self.council.code, "connection": connection, "kind": kind}
        for row in self._read(self.connection, record, "external_id", wanted, _NUMBERED, **place):
            self._keep_record(row)

    def fetch_numbers(self, connection: str, kind: str, referrals: Iterable[str]) -> None:
        """Read the records that one connection holds of these referrals, before `records_of` is asked for them."""
        wanted = {id for id in referrals if (id, connection, kind) not in self._numbers}
        place = {"council": self.council.code, "connection": connection, "kind": kind}
        for row in self._read(self.connection, record, "referral_id", wanted, _IN_PLACE, **place):
            self._keep_record(row)
        for id in wanted:
            self._numbers.setdefault((id, connection, kind), [])

    def record(self, connection: str, kind: str, number: str) -> Held | None:
        """The record of this number, None if the ledger has none. It must have been fetched."""
        return self._records.get((connection, kind, number))

    def records_of(self, referral_id: str, connection: str, kind: str) -> Sequence[Held]:
        """The records that a connection holds of a referral. They must have been fetched, or the referral be fresh."""
        return self._numbers.get((referral_id, connection, kind), ())

    def new_record(self, connection: str, kind: str, number: str, **values: Any) -> Held:
        """Enter a record that the ledger did not have."""
        row = rows.fresh(
            record,
            council=self.council.code,
            connection=connection,
            kind=kind,
            external_id=number,
            at=self.now,
            **{"base": {}, **values},
        )
        self._new["record"].append(row)
        self._keep_record(row)
        return row

    def link_record(self, row: Held, referral_id: str) -> None:
        """Say which referral a record belongs to."""
        if row.referral_id != referral_id:
            row.set(referral_id=referral_id)
            self._numbers[referral_id, row.connection, row.kind].append(row)

    def unlink_record(self, row: Held) -> None:
        """Say that a record belongs to no referral any more."""
        if row.referral_id is not None:
            self._numbers[row.referral_id, row.connection, row.kind].remove(row)
            row.set(referral_id=None)

    def _keep_record(self, row: Held) -> None:
        place = (row.connection, row.kind, row.external_id)
        if self._records.setdefault(place, row) is row and row.referral_id is not None:
            self._numbers[row.referral_id, row.connection, row.kind].append(row)

    # --- Referrals and their facts ------------------------------------------------------------------------------------

    def fetch_referrals(self, ids: Iterable[str]) -> None:
        """Read referrals, the ones that they were merged into, and their facts."""
        wanted = {id for id in ids if id and id not in self._referrals}
        while wanted:
            found = self._read(self.connection, referral, "id", wanted, _OURS, council=self.council.code)
            self._referrals |= {row.id: row for row in found}
            wanted = {row.merged_into for row in found if row.merged_into} - self._referrals.keys()
        for id, row in self._referrals.items():
            if id not in self._facts and row.facts in self._opened:
                self._facts[id] = self._opened[row.facts]
        unread = {row.facts: id for id, row in self._referrals.items() if id not in self._facts}
        for payload_id, facts in self.open_facts(unread).items():
            self._facts[unread[payload_id]] = facts

    def remember(self, payloads: Mapping[str, Facts]) -> None:
        """Facts of revisions that were opened a moment ago, by their payload, so that they are not opened again. A
        revision's payload never changes."""
        self._opened |= payloads

    def open_facts(self, payloads: Collection[str]) -> dict[str, Facts]:
        """Open the facts of revisions, by their payload; what has expired or was erased is not there."""
        kept = {id: body for id in payloads if (body := self.vault.at_hand(id)) is not None}
        bodies = {id: kept[id] for id in self._still_there(kept)}
        sealed = rows.look(self.connection, payload, "id", (id for id in payloads if id not in kept), _THERE)
        self.vault.prepare(row.key_id for row in sealed)
        bodies |= {row.id: self.vault.unseal(self.council.code, row.id, row.key_id, row.body) for row in sealed}
        read = {id: orjson.loads(body) for id, body in bodies.items()}
        return {id: dict(zip(body, map(tuple, body.values()), strict=True)) for id, body in read.items()}

    def _still_there(self, ids: Collection[str]) -> Iterator[str]:
        """Those of these payloads that are this council's and have neither expired nor been erased."""
        return (row["id"] for row in _STILL_THERE.rows(self.connection, ids, council=self.council.code))

    def referral(self, id: str) -> Held | None:
        """A referral of this council, or the one that it was merged into; None if there is none. It must have been
        fetched, or be fresh."""
        row = self._referrals.get(id)
        while row is not None and row.merged_into:
            row = self._referrals.get(row.merged_into)
        return row

    def referral_itself(self, id: str) -> Held:
        """A referral, also one that was merged into another. It must have been fetched."""
        return self._referrals[id]

    def facts(self, row: Held) -> Facts:
        """The merged facts of a referral as they are now. Raises PayloadGone if they have expired or were erased."""
        try:
            return self._facts[row.id]
        except KeyError:
            raise PayloadGone("the facts of this referral have expired or were erased") from None

    def forgotten(self, row: Held) -> bool:
        """Whether the facts of a referral have expired or were erased. It must have been fetched."""
        return row.id not in self._facts

    def begin_anew(self, row: Held, facts: Facts) -> None:
        """Begin the facts of a referral anew, after they had expired."""
        self._facts[row.id] = facts

    def new_referral(self, facts: Facts, **values: Any) -> Held:
        """Enter a referral that the ledger did not have, at revision 1."""
        row = rows.fresh(
            referral,
            council=self.council.code,
            revision=1,
            facts="",
            at=self.now,
            changed_at=self.now,
            **values,
        )
        self._referrals[row.id] = row
        self._facts[row.id] = facts
        self._unsealed.add(row.id)
        self._new["referral"].append(row)
        return row

    def revise(self, row: Held, facts: Facts, **values: Any) -> None:
        """Make the next revision of a referral, with these facts."""
        row.set(revision=row.revision + 1, changed_at=self.now, **values)
        self._facts[row.id] = facts
        self._unsealed.add(row.id)

    def sealed_facts(self, row: Held) -> str:
        """The payload of a referral's facts as they are now: what an event is bound to."""
        if row.id in self._unsealed:
            body = orjson.dumps(self._facts[row.id])
            row.set(facts=self.seal("facts", body, row.person_id))
            self.vault.keep(row.facts, body)
            self._unsealed.discard(row.id)
        return str(row.facts)

    # --- Versions -----------------------------------------------------------------------------------------------------

    def new_version(self, **values: Any) -> Held:
        """Enter a version. `record` may name the Held record instead of its number, which it may not have yet."""
        row = rows.fresh(version, council=self.council.code, at=self.now, **values)
        self._new["version"].append(row)
        self._versions.append(row)
        return row

    # --- Deliveries and lanes -----------------------------------------------------------------------------------------

    def fetch_deliveries(self, referrals: Iterable[str]) -> None:
        """Read what is in hand for these referrals, before a new delivery of theirs overtakes it."""
        wanted = {id for id in referrals if id not in self._in_hand}
        self._in_hand |= wanted
        for row in self._read(
            self.connection, delivery, "referral_id", wanted, _STILL_IN_HAND, council=self.council.code
        ):
            self.keep_delivery(row)
        for id in wanted:
            self._deliveries[id].sort(key=lambda row: (row.id is None, row.id))

    def keep_delivery(self, row: Held) -> Held:
        """Take a delivery that was read elsewhere under this transaction's care; the one already known goes before."""
        known = self._held_deliveries.get(row.id)
        if known is not None:
            return known
        self._held_deliveries[row.id] = row
        self._deliveries[row.referral_id].append(row)
        return row

    def delivery(self, id: int) -> Held | None:
        """One delivery that has been fetched."""
        return self._held_deliveries.get(id)

    def deliveries_of(self, referral_id: str) -> Sequence[Held]:
        """What is in hand for a referral, the oldest first, fresh ones at the end. They must have been fetched."""
        return self._deliveries.get(referral_id, ())

    def new_delivery(self, **values: Any) -> Held:
        """Enter a delivery. `version` and `replaced_by` may be Held rows that have no number yet."""
        row = rows.fresh(
            delivery,
            council=self.council.code,
            at=self.now,
            changed_at=self.now,
            **{"due": self.now, "key": new_id(), **values},
        )
        self._new["delivery"].append(row)
        self._deliveries[row.referral_id].append(row)
        return row

    def wake(self, lane_id: str, target: str, due: int, *, urgent: bool, live: bool) -> None:
        """Say that something in a lane can be done at `due`; the lane is made if it is not there."""
        known, rank = self._wakes.get(lane_id), rank_of(urgent=urgent, live=live)
        if known is not None:
            due, rank = min(due, known[1]), min(rank, known[2])
        self._wakes[lane_id] = (target, due, rank)

    @property
    def woken(self) -> frozenset[str]:
        """The lanes in which there is something to do that have not been written yet."""
        return frozenset(self._wakes)

    def note(self, table: str, **values: Any) -> None:
        """Enter an attempt, a proof or news that were told."""
        self._new[table].append(Held(values, fresh=True))

    # --- Writing ------------------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Write everything that changed. May be called again."""
        for unsealed in list(self._unsealed):
            self.sealed_facts(self._referrals[unsealed])
        # The key store's disk is waited for while our rows are written, and before they are committed.
        keys_written = self._sealing.begin()
        connection, new = self.connection, self._new
        if self._payloads:
            together.enter(connection, payload, self._payloads)
        self.named.write()
        rows.change(connection, referral, [row for row in self._referrals.values() if not row.fresh])
        rows.add(connection, referral, new["referral"])
        rows.change(connection, record, [row for row in self._records.values() if not row.fresh])
        rows.add(connection, record, new["record"], numbered="id")
        _number(new["version"], "record_id")
        rows.change(connection, version, [row for row in self._versions if not row.fresh])
        rows.add(connection, version, new["version"], numbered="id")
        # What is overtaken goes before what overtakes it: of one referral and target only one may wait.
        late = [row for row in self._held_deliveries.values() if isinstance(row.replaced_by, Held)]
        owed = {id(row): row.replaced_by for row in [*late, *new["delivery"]] if isinstance(row.replaced_by, Held)}
        for row in [*late, *new["delivery"]]:
            if id(row) in owed:
                row.set(replaced_by=None)
        rows.change(connection, delivery, self._held_deliveries.values())
        _number(new["delivery"], "version_id")
        fresh = new["delivery"]
        rows.add(connection, delivery, fresh, numbered="id")
        for row in fresh:
            self._held_deliveries[row.id] = row
        for row in [*late, *fresh]:
            if id(row) in owed:
                row.set(replaced_by=owed[id(row)].id)
        rows.change(connection, delivery, self._held_deliveries.values())
        rows.add(connection, attempt, new["attempt"])
        _number(new["proof"], "record_id")
        rows.add(connection, proof, new["proof"])
        rows.add(connection, news, new["news"])
        self.gaps.write(connection)
        if self._wakes:
            waking.write(connection, self.council.code, self._wakes)
            self._wakes.clear()
        self._payloads = []
        self._new.clear()
        keys_written()
        crash.here("keys written")


def rank_of(*, urgent: bool, live: bool) -> int:
    """The order in which lanes are taken: urgent ones, then live ones, then what a back-fill made."""
    return 0 if urgent else 1 if live else 2


def _number(fresh: Iterable[Held], column: str) -> None:
    """Put the number of a row that has one by now where the row itself was named."""
    for row in fresh:
        if isinstance(row.values.get(column), Held):
            row.set(**{column: row.values[column].id})


def one_referral(batch: Batch, id: str) -> Held | None:
    """Fetch one referral with all that a change of it may touch: for the rare paths that work on a single one."""
    batch.fetch_referrals([id])
    row = batch.referral(id)
    if row is not None:
        batch.fetch_deliveries([row.id])
    return row
