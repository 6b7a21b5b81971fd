"""Matching: which referral an unknown record belongs to, and which person a new referral is about.

Rule R5 of docs/data-model.md: our key found in the record, then a declared exact identifier, otherwise new. Never by
likeness, never across councils. Several candidates are a person's to decide.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from connectors.port import PROVISIONAL, About
from pipelines import facts as fact_store
from pipelines import identifiers
from pipelines.batch import Batch
from pipelines.plant import Kind, Wired
from pipelines.rows import Held
from pipelines.states import DeliveryState
from pipelines.tables import delivery, record


class Several(Exception):
    """More than one candidate, or none that may be taken. `words` says of what, without a value."""

    def __init__(self, words: str, field: str, *, error: str = "several candidates", other: str = "") -> None:
        """`other`: the number of the record that stands in the way, where it may be the same one renumbered."""
        super().__init__(words)
        self.words = words
        self.field = field
        self.error = error
        self.other = other


def fetch(
    batch: Batch,
    wired: Wired,
    kind: Kind,
    page: Sequence[tuple[Held | None, str, Mapping[str, Any]]],
    answers: Collection[About] = (),
) -> None:
    """Read all that matching a page's records may ask for.

    Of each record: its row if the ledger has it, our key in it, and what it shows. `answers`: what of ours they answer.
    """
    council = batch.council
    for one in answers:
        batch.fetch_records(wired.name, one.kind, one.numbers)
    told = {id for one in answers for id in _answered(batch, wired, one)}
    for path in kind.match:
        numbers = {str(shown[path]) for _, _, shown in page if shown.get(path)}
        for name, other in council.wired.items():
            if numbers and path in (fact_store.source_field(name), fact_store.target_field(name)):
                for there in other.kinds:
                    batch.fetch_records(name, there, numbers)
    linked = {held.referral_id for held, _, _ in page if held is not None and held.referral_id}
    keys = {our_key for held, our_key, _ in page if our_key and (held is None or not held.referral_id)}
    declared = {
        row.referral_id
        for path in kind.match
        for _, _, shown in page
        if shown.get(path)
        for row in _by_number(batch, path, str(shown[path]))
    }
    batch.named.fetch(mark for _, _, shown in page for mark in marks_of(batch, shown, ()))
    named = identifiers.fetch(batch, kind, [shown for held, _, shown in page if _new(held)])
    about = told | linked | keys | declared | named
    batch.fetch_referrals(about)
    about |= {row.id for id in about if (row := batch.referral(id)) is not None}
    batch.fetch_deliveries(about)
    batch.fetch_numbers(wired.name, kind.name, about)
    for name, other in council.wired.items():
        if any(path in (fact_store.source_field(name), fact_store.target_field(name)) for path in kind.match):
            for there in other.kinds:
                batch.fetch_numbers(name, there, about)


def referral_for(
    batch: Batch,
    wired: Wired,
    kind: Kind,
    *,
    record: Held,
    our_key: str,
    shown: Mapping[str, Any],
    gone: Collection[str] | None = (),
    chosen: str = "",
) -> Held | None:
    """Return the referral that this record belongs to, None for a new one. Raises Several.

    `gone`: numbers that the system holds no more, so that a record in their place is the same one renumbered; None for
    whichever it had. `chosen`: the one of several candidates that a person chose.
    """
    found = named(batch, wired, kind, our_key=our_key, shown=shown)
    if chosen in found:
        found = {chosen: found[chosen]}
    if len(found) > 1:
        raise Several("the record's identifiers belong to more than one referral", kind.match[0] if kind.match else "")
    if not found:
        return None
    ((id, row),) = found.items()
    others = [one for one in batch.records_of(id, wired.name, kind.name) if one is not record]
    if gone is not None and any(one.external_id not in gone for one in others):
        words = "this system holds another record of the same referral already"
        raise Several(words, "target_identifiers", other=others[0].external_id if len(others) == 1 else "")
    return row


def named(batch: Batch, wired: Wired, kind: Kind, *, our_key: str, shown: Mapping[str, Any]) -> dict[str, Held]:
    """The referrals that a record names, by the first of its exact identifiers that names any, by their ids."""
    found: dict[str, Held] = {}
    if our_key and (row := batch.referral(our_key)) is not None:
        return {row.id: row}
    for path in kind.match:
        if shown.get(path):
            for other in _by_number(batch, path, str(shown[path])):
                row = batch.referral(other.referral_id)
                if row is not None:
                    found[row.id] = row
        found |= {row.id: row for row in identifiers.referrals_for(batch, wired, kind, path, shown)}
        if found:
            break
    return found


def answers(batch: Batch, wired: Wired, about: About) -> dict[str, Held]:
    """The referrals of which we sent what an answer is about, by their ids."""
    return {row.id: row for id in _answered(batch, wired, about) if (row := batch.referral(id)) is not None}


def answered(batch: Batch, wired: Wired, about: About, *, waits: bool, chosen: str = "") -> Held | None:
    """Return the referral of which we sent what this answers. Raises Several where there is none, or more than one.

    `waits`: a send has no answer of its own yet, so None may be said for what is not known. `chosen`: the one of
    several that a person chose.
    """
    found = answers(batch, wired, about)
    if chosen in found:
        return found[chosen]
    if len(found) > 1:
        raise Several("it answers more than one of the referrals that we sent", "target_identifiers")
    if not found and not waits:
        words = "it answers a referral that we do not know to have sent there"
        raise Several(words, "target_identifiers", error="answers nothing of ours")
    return next(iter(found.values()), None)


def _answered(batch: Batch, wired: Wired, about: About) -> set[str]:
    rows = (batch.record(wired.name, about.kind, number) for number in about.numbers)
    return {row.referral_id for row in rows if row is not None and row.referral_id}


def _new(held: Held | None) -> bool:
    return held is None or not held.referral_id


def renumber(batch: Batch, record: Held, referral: Held) -> dict[str, Any]:
    """Take the referral's other records of this system out of the crosswalk, in whose place this one has come; return
    the facts about its numbers that change because the record belongs to it."""
    facts, name, number = batch.facts(referral), record.connection, record.external_id
    source, target = fact_store.source_field(name), fact_store.target_field(name)
    changes: dict[str, Any] = {}
    for old in list(batch.records_of(referral.id, name, record.kind)):
        if old is not record:
            if source in facts and facts[source][0] == old.external_id:
                changes[source] = number
            changes[target] = number
            batch.unlink_record(old)
    if facts.get(target) is None:
        changes[target] = number
    return changes


def expect(batch: Batch, wired: Wired, kind: Kind, shown: Mapping[str, Any], id: str) -> None:
    """Enter the numbers that a record declares for other systems, so that theirs finds this referral when it comes.

    Whichever of two sources is read first, the crosswalk is the same. A number that is known already stays as it is.
    """
    for name, other in batch.council.wired.items():
        if name == wired.name or len(other.kinds) != 1:
            continue
        [there] = other.kinds
        for path in kind.match:
            if path not in (fact_store.source_field(name), fact_store.target_field(name)) or not shown.get(path):
                continue
            number = str(shown[path])
            if not batch.records_of(id, name, there) and batch.record(name, there, number) is None:
                batch.link_record(batch.new_record(name, there, number), id)


def create_in_doubt(connection: Connection, council: str, target: str) -> bool:
    """Say whether a send to this target has no answer yet: it is on its way, looked up, or a person is to look; or its
    answer was a token, and the target has not told the number."""
    if _without_number(connection, council, target):
        return True
    return (
        connection.execute(
            select(delivery.c.id)
            .where(
                delivery.c.council == council,
                delivery.c.connection == target,
                delivery.c.state.in_([DeliveryState.SENDING, DeliveryState.NOT_SURE]),
            )
            .limit(1)
        ).first()
        is not None
    )


def _without_number(connection: Connection, council: str, target: str) -> bool:
    asked = select(record.c.id).where(
        record.c.council == council,
        record.c.connection == target,
        record.c.external_id.startswith(PROVISIONAL, autoescape=True),
        record.c.referral_id.is_not(None),
    )
    return connection.execute(asked.limit(1)).first() is not None


def person_for(batch: Batch, facts: Mapping[str, Any], doubtful: Collection[str]) -> str:
    """Return the person whom these facts name by a declared exact identifier, or a new one. Raises Several.

    `doubtful`: fields that their own rules refute, such as a number with a wrong check digit; they identify nobody.
    """
    marks = marks_of(batch, facts, doubtful)
    found = {batch.named.person_of(path, mark) for path, mark in marks} - {None}
    if len(found) > 1:
        raise Several("the person's identifiers belong to more than one person", marks[0][0])
    id = found.pop() if found else batch.named.new_person()
    assert id is not None
    for path, mark in marks:
        batch.named.identify(id, path, mark)
    return id


def marks_of(batch: Batch, facts: Mapping[str, Any], doubtful: Collection[str]) -> list[tuple[str, str]]:
    """The keyed hashes of the identifiers that name a person."""
    return [
        (path, batch.vault.hash_value(batch.council.code, path, facts[path]))
        for path in batch.council.person_identifiers
        if facts.get(path) and path not in doubtful
    ]


def _by_number(batch: Batch, path: str, number: str) -> list[Held]:
    """Records that have been linked to a referral, by a number that another system gave them."""
    for name, other in batch.council.wired.items():
        if path in (fact_store.source_field(name), fact_store.target_field(name)):
            found = (batch.record(name, there, number) for there in other.kinds)
            return [row for row in found if row is not None and row.referral_id is not None]
    return []
