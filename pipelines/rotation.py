"""Rotation: a new main key and new keys of the councils take the place of the old ones, while everything runs.

Nothing but keys is wrapped anew, and no payload is read. One short transaction turns: from then on everything new is
wrapped by the new keys, and each of the two main keys leads to the other. Then what the councils' old keys hold is
wrapped anew, some hundred rows at a time. At no rows left, and not before, the old keys are taken away. It may be
killed at any point, and goes on from there when it is asked for again.
What belongs to a person alone (the data keys that the person's key wraps) stays as it is: only that one key is touched.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from pipelines import crash
from pipelines.databases import insert_new
from pipelines.keyring import WRAP, bound, id_of, link_bound, mark_of
from pipelines.keystore import KeyFault, KeyStore
from pipelines.keytables import (
    CURRENT,
    EMPTY,
    OLD,
    RETIRED,
    council_key,
    data_key,
    main_key,
    main_link,
    person_key,
)
from pipelines.wrapping import data_bound, person_bound, unwrap, wrap

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Status:
    """How it stands with the main keys."""

    main: str  # fingerprint of the one that wraps what is new
    since: int
    replaced: tuple[tuple[str, int], ...]  # those that open nothing any more, and since when
    under_way: str  # the one that is being replaced, "" if none is
    rows_left: int  # wrapped by a council's old key
    data_keys: int
    person_keys: int
    councils: int


def status(keys: KeyStore) -> Status:
    """Look how it stands."""
    with keys.reading() as connection:
        mains = connection.execute(select(main_key).order_by(main_key.c.at, main_key.c.id)).all()
        current = next(row for row in mains if row.state == CURRENT)
        old = next((row.id for row in mains if row.state == OLD), "")
        counts = [
            connection.execute(select(func.count()).select_from(table)).scalar_one() for table in (data_key, person_key)
        ]
        councils = connection.execute(
            select(func.count(council_key.c.council.distinct())).where(council_key.c.council != "")
        ).scalar_one()
        replaced = tuple((row.id, row.at) for row in mains if row.state == RETIRED)
        return Status(current.id, current.at, replaced, old, _left(connection), counts[0], counts[1], councils)


def begin(keys: KeyStore, fresh: bytes) -> bool:
    """Turn: what is new is wrapped by this main key and by new keys of the councils from now on. False if it has.

    Raises KeyFault where another rotation is under way, or the key was used before.
    """
    new, now = id_of(fresh), time.time_ns() // 1000
    with keys.writing() as connection:
        mains = {row.id: row for row in connection.execute(select(main_key).with_for_update())}
        current = next(row for row in mains.values() if row.state == CURRENT)
        under_way = next((row.id for row in mains.values() if row.state == OLD), "")
        if current.id == new:
            return False
        if under_way:
            raise KeyFault(
                f"the rotation from {under_way} to {current.id} is not finished: let it end first; keys.next leads to "
                f"a third key, {new}"
            )
        if new in mains:
            raise KeyFault(f"the key {new} was this site's main key before: draw a fresh one")
        old_main = keys.ring.main(connection, current.id)
        connection.execute(update(main_key).where(main_key.c.id == current.id).values(state=OLD, at=now))
        connection.execute(insert(main_key), {"id": new, "mark": mark_of(fresh), "state": CURRENT, "at": now})
        links = [
            {"holder": holder, "of": of, "wrapped": wrap(AESGCM(by), key, link_bound(holder, of))}
            for holder, by, of, key in ((current.id, old_main, new, fresh), (new, fresh, current.id, old_main))
        ]
        connection.execute(insert(main_link), links)
        _turn(connection, keys, fresh, new)
    crash.here("keys turned")
    keys.keep_up()  # while the link is there: where nothing has to be wrapped anew, nobody would look for it again
    return True


def _turn(connection: Connection, keys: KeyStore, fresh: bytes, new: str) -> None:
    """Councils' keys are wrapped by the new main key; those that wrap get a successor."""
    by = AESGCM(fresh)
    rows = connection.execute(select(council_key).with_for_update()).all()
    for row in rows:
        key = keys.ring.opened(connection, row)
        again = wrap(by, key, bound(row.id, row.council, row.purpose))
        state = OLD if row.purpose == WRAP else row.state
        changed = update(council_key).where(council_key.c.id == row.id)
        connection.execute(changed.values(main=new, wrapped=again, state=state))
    for council in {row.council for row in rows if row.purpose == WRAP}:
        insert_new(connection, council_key, [keys.ring.made(connection, council, WRAP, secrets.token_bytes(32), new)])


def go_on(keys: KeyStore) -> Iterator[int]:
    """Wrap anew what the councils' old keys hold, some at a time, until nothing is left; gives the rows left."""
    left = rows_left(keys)
    while left:
        with keys.writing() as connection:
            _some(connection, keys)
        crash.here("keys wrapped anew")
        left = rows_left(keys)
        yield left


def rows_left(keys: KeyStore) -> int:
    """How many rows a council's old key still holds."""
    with keys.reading() as connection:
        return _left(connection)


def finish(keys: KeyStore) -> bool:
    """Take the old keys away. False, with nothing changed, while anything is left that they hold."""
    now = time.time_ns() // 1000
    with keys.writing() as connection:
        if connection.execute(select(main_key.c.id).where(main_key.c.state == OLD).with_for_update()).first() is None:
            return True
        if _left(connection):
            return False
        connection.execute(delete(council_key).where(council_key.c.state == OLD))
        connection.execute(delete(main_link))
        connection.execute(update(main_key).where(main_key.c.state == OLD).values(state=RETIRED, at=now))
    keys.forget_freed()
    return True


def _left(connection: Connection) -> int:
    old = select(council_key.c.id).where(council_key.c.state == OLD)
    counts = (
        select(func.count()).select_from(table).where(table.c.by.in_(old), table.c.by != EMPTY)
        for table in (data_key, person_key)
    )
    return sum(connection.execute(count).scalar_one() for count in counts)


def _some(connection: Connection, keys: KeyStore) -> None:
    olds = list(connection.execute(select(council_key.c.id).where(council_key.c.state == OLD)).scalars())
    done = 0
    for table, name in ((data_key, "id"), (person_key, "person")):
        for old in olds:
            wanted = select(table).where(table.c.by == old, table.c.by != EMPTY).limit(AT_ONCE - done)
            rows = connection.execute(wanted.with_for_update(skip_locked=True)).all() if done < AT_ONCE else []
            if not rows:
                continue
            again = [_again(connection, keys, row, name) for row in rows]
            connection.execute(
                update(table)
                .where(table.c[name] == bindparam("of"))
                .values(by=bindparam("new_by"), wrapped=bindparam("anew")),
                again,
            )
            done += len(rows)


def _again(connection: Connection, keys: KeyStore, row: Row[tuple[object, ...]], name: str) -> dict[str, object]:
    is_data = name == "id"
    bound_to = data_bound(row.id, row.council, row.holder) if is_data else person_bound(row.person, row.council)
    old = keys.ring.wrapping(connection, row.by)
    assert old is not None, "it is taken away when nothing is left that it holds, and this is"
    id, new = keys.ring.current(connection, row.council, WRAP)
    assert isinstance(new, AESGCM)
    key = unwrap(old, row.wrapped, bound_to, keys.name)
    return {"of": getattr(row, name), "new_by": id, "anew": wrap(new, key, bound_to)}
