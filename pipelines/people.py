"""Persons: a referral's person is whoever its declared exact identifiers name now. Rule R13 of docs/data-model.md.

A number that comes later, or is corrected, can show that two persons of the ledger are one, or that one is two. The
referral then moves, and what is sealed about it is handed to the new person's key, so that an erasure finds all of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, or_, select, update

from pipelines.batch import Batch
from pipelines.matching import Several, marks_of
from pipelines.rows import Held
from pipelines.tables import attempt, delivery, payload, person_identifier, referral, version


def named(batch: Batch, facts: Mapping[str, Any], doubtful: Collection[str]) -> str | None:
    """The person whom these facts name; None if nobody yet. Raises Several."""
    marks = marks_of(batch, facts, doubtful)
    batch.named.fetch(marks)
    found = {batch.named.person_of(path, mark) for path, mark in marks} - {None}
    if len(found) > 1:
        raise Several("the person's identifiers belong to more than one person", marks[0][0])
    return found.pop() if found else None


def follow(
    batch: Batch, row: Held, before: Mapping[str, Any], after: Mapping[str, Any], doubtful: Collection[str]
) -> bool:
    """Let a referral's person follow its identifiers; say whether it moved.

    `before` and `after`: the values of the referral's facts. Raises Several before anything is changed. It must be
    called before the change is written, so that the new facts are sealed for the right person.
    """
    theirs = named(batch, after, doubtful)
    marks = marks_of(batch, after, doubtful)
    old = [mark for mark in marks_of(batch, before, ()) if mark not in marks]
    mine = row.person_id
    if theirs not in (None, mine):
        to = str(theirs)
    elif not old or theirs == mine or not _others(batch, row):
        to = mine
    else:
        to = batch.named.new_person()  # the others keep the number, and the person whom it names
    if old:
        _unname(batch, mine, old, row)
    for path, mark in marks:
        batch.named.identify(to, path, mark)
    if to == mine:
        return False
    move(batch, row, to)
    return True


def move(batch: Batch, row: Held, to: str) -> None:
    """Give a referral, and all that is sealed about it, to another person. `Vault.hand_over` wraps the keys anew."""
    alone, mine = not _others(batch, row), row.person_id
    row.set(person_id=to)
    batch.flush()
    connection, id = batch.connection, row.id
    about: list[Any] = [select(referral.c.facts).where(referral.c.id == id)]
    about.append(select(version.c.raw).where(version.c.referral_id == id))
    tries = select(delivery.c.id).where(delivery.c.referral_id == id)
    about.append(select(delivery.c.facts).where(delivery.c.referral_id == id, delivery.c.facts.is_not(None)))
    for column in (attempt.c.request, attempt.c.reply):
        about.append(select(column).where(attempt.c.delivery_id.in_(tries), column.is_not(None)))
    its = or_(*(payload.c.id.in_(one) for one in about))
    if alone:  # nobody else is this person: whatever is sealed for it goes along, older facts too
        its = or_(its, payload.c.person_id == mine)
        connection.execute(
            update(person_identifier)
            .where(person_identifier.c.council == row.council, person_identifier.c.person_id == mine)
            .values(person_id=to)
        )
        batch.named.rename(mine, to)
    connection.execute(
        update(payload).where(its, payload.c.council == row.council).values(person_id=to, held_by_person=False)
    )


def _others(batch: Batch, row: Held) -> bool:
    """Whether other referrals have the same person."""
    batch.flush()
    found = select(func.count()).select_from(referral)
    found = found.where(referral.c.person_id == row.person_id, referral.c.id != row.id)
    return bool(batch.connection.execute(found).scalar())


def _unname(batch: Batch, person: str, marks: Sequence[tuple[str, str]], row: Held) -> None:
    """An identifier that was corrected names nobody any more, unless another referral of the person has it still."""
    if _others(batch, row):
        return
    for path, mark in marks:
        batch.connection.execute(
            delete(person_identifier).where(
                person_identifier.c.council == row.council,
                person_identifier.c.path == path,
                person_identifier.c.hash == mark,
                person_identifier.c.person_id == person,
            )
        )
    batch.named.rename(person, None, marks)
