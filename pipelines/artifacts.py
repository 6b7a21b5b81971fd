"""Artifacts: the mappings, code lists, profiles, interfaces and texts that things were done with, as they were then.

A version names the mapping and the profile that it was read with, a try those that it was written with, by the hash of
their content; a mapping names its code lists, a profile its interfaces. All of it is kept in the same transaction as
what names it. What nothing names any more is dropped here and nowhere else, once a day.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, event, func, select

from mappings.codes import SINCE
from mappings.kept import Bodies, CannotRun, compile_kept
from pipelines.clock import SECOND
from pipelines.ledger import Ledger, get_meta, insert_or_change, set_meta
from pipelines.logs import log
from pipelines.ready import in_parts
from pipelines.tables import artifact, attempt, audit, delivery, version

if TYPE_CHECKING:
    from mappings.converters.port import OwnConverter
    from mappings.mapping import Mapping as FieldMapping
    from pipelines.plant import Plant
    from pipelines.runs import Runs

#: digest -> (kind, bytes). Kinds: mapping, codes, profile, interface, text.
Artifacts = Mapping[str, tuple[str, bytes]]

#: What a process keeps, it keeps anew after so long, so that whoever drops things sees that it is still in use.
AGAIN_AFTER = 3600 * SECOND
#: Nothing is dropped that was kept within so long: what is about to name it may not be committed yet.
SPARED = 86_400 * SECOND
SWEPT = "artifacts_swept"
#: How the audit names a mapping that a person chose; see `pipelines.choosing`.
CHOSEN = "mapping"


@dataclass(slots=True)
class Keeper:
    """Keeps what this process maps with. Safe to share between threads."""

    own: Callable[[], Mapping[str, OwnConverter]] = dict  # the converters that the site has today
    _kept: dict[str, int] = field(default_factory=dict)
    _compiled: dict[str, FieldMapping] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def keep(self, connection: Connection, artifacts: Artifacts, now: int) -> None:
        """Keep these with the caller's transaction. What is known to be kept costs nothing."""
        with self._lock:
            wanted = sorted(d for d in artifacts if d and not 0 <= now - self._kept.get(d, -AGAIN_AFTER) < AGAIN_AFTER)
        if not wanted:
            return
        keep(connection, {digest: artifacts[digest] for digest in wanted}, now)

        def committed(_connection: Connection) -> None:
            with self._lock:
                self._kept.update(dict.fromkeys(wanted, now))

        event.listen(connection, "commit", committed)  # a transaction that is rolled back has kept nothing

    def mapping(self, ledger: Ledger, digest: str) -> FieldMapping:
        """The mapping of that digest, compiled from what is kept and from nothing else. Raises CannotRun."""
        known = self._compiled.get(digest)
        if known is None:
            with ledger.reading() as connection:
                known = self._compiled[digest] = compile_kept(digest, bodies(connection), self.own())
        return known


def keep(connection: Connection, artifacts: Artifacts, now: int) -> None:
    """Keep these; of those that are kept already, note that they are in use."""
    rows = [
        {"digest": digest, "kind": kind, "body": _text(body), "at": now}
        for digest, (kind, body) in sorted(artifacts.items())  # in one order, so that two never wait for one another
    ]
    insert_or_change(connection, artifact, rows, lambda new: {"at": new.at})


def digest_of(body: bytes) -> str:
    """The hash that an artifact is kept under."""
    return hashlib.sha256(body).hexdigest()


def bodies(connection: Connection) -> Bodies:
    """What gives an artifact's bytes by its digest; raises LookupError for one that is not kept."""

    def body(digest: str) -> bytes:
        found = connection.execute(select(artifact.c.body).where(artifact.c.digest == digest)).scalar()
        if found is None:
            raise LookupError(digest)
        return _bytes(found)

    return body


def digest_like(ledger: Ledger, beginning: str) -> str:
    """The kept mapping whose digest begins so. Raises CannotRun for none and for several."""
    if len(beginning) < 6 or not set(beginning) <= set("0123456789abcdef"):
        raise CannotRun("a digest is at least its first six signs, 0 to 9 and a to f, as `dolen show` prints them")
    with ledger.reading() as connection:
        found = connection.execute(
            select(artifact.c.digest).where(artifact.c.digest.startswith(beginning), artifact.c.kind == "mapping")
        ).scalars().all()  # fmt: skip
    if len(found) != 1:
        raise CannotRun(f"{len(found) or 'no'} kept mappings have a digest that begins with {beginning}")
    return str(found[0])


def used_before(connection: Connection, council: str, name: str, kind: str) -> list[str]:
    """The mappings that were used for one kind of record of one connection, the newest use first."""
    read = connection.execute(
        select(version.c.mapping, func.max(version.c.at))
        .filter_by(council=council, connection=name, kind=kind)
        .where(version.c.mapping != "")
        .group_by(version.c.mapping)
    ).all()
    written = connection.execute(
        select(attempt.c.mapping, func.max(attempt.c.begun))
        .join(delivery, delivery.c.id == attempt.c.delivery_id)
        .where(delivery.c.council == council, delivery.c.connection == name, delivery.c.kind == kind)
        .where(attempt.c.mapping != "")
        .group_by(attempt.c.mapping)
    ).all()
    newest: dict[str, int] = {}
    for digest, at in (*read, *written):
        newest[digest] = max(at, newest.get(digest, 0))
    return sorted(newest, key=lambda digest: (-newest[digest], digest))


def named(connection: Connection) -> set[str]:
    """Every digest that anything names, and what those name in turn."""
    found: set[str] = set()
    for column in (
        version.c.mapping, version.c.profile, attempt.c.mapping, attempt.c.profile, delivery.c.mapping,
    ):  # fmt: skip
        found |= set(connection.execute(select(column).distinct().where(column != "")).scalars())
    chosen = select(audit.c.detail).where(audit.c.action.startswith("send again ("))
    found |= {str(detail[CHOSEN]) for detail in connection.execute(chosen).scalars() if CHOSEN in (detail or {})}
    for some in in_parts(sorted(found)):
        holds = select(artifact.c.body).where(artifact.c.digest.in_(some), artifact.c.kind.in_(("mapping", "profile")))
        for body in connection.execute(holds).scalars():
            found |= set(_parts_of(body))
    return found


def drop_unnamed(connection: Connection, now: int) -> int:
    """Drop what nothing names and nobody has kept for a day; return how many. The only place that drops artifacts."""
    before = now - SPARED
    old = set(connection.execute(select(artifact.c.digest).where(artifact.c.at < before)).scalars())
    if not old:
        return 0
    dropped = 0
    for some in in_parts(sorted(old - named(connection))):
        dropped += connection.execute(
            delete(artifact).where(artifact.c.digest.in_(some), artifact.c.at < before)
        ).rowcount
    return dropped


class Sweeper:
    """Drops, once a day and in one process, what nothing names. The scheduler calls it once a turn."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._looked = 0

    def __call__(self, _runs: Runs) -> None:
        """Sweep if nobody has within a day."""
        now = self._plant.clock.now()
        if 0 <= now - self._looked < AGAIN_AFTER:
            return
        self._looked = now
        with self._plant.ledger.reading() as connection:
            if 0 <= now - int(get_meta(connection, SWEPT) or 0) < SPARED:
                return
        with self._plant.ledger.writing(making_room=True) as connection:
            set_meta(connection, SWEPT, str(now))
            dropped = drop_unnamed(connection, now)
        if dropped:
            log("artifacts_dropped", count=dropped)


def profile_of(name: str, profile: Mapping[str, Any], files: Iterable[tuple[str, bytes]]) -> tuple[str, Artifacts]:
    """A profile and its pinned interface files as artifacts: the profile's digest, and all of them."""
    kept: dict[str, tuple[str, bytes]] = {}
    interfaces = {}
    for file, content in files:
        digest = digest_of(content)
        kept[digest] = ("interface", content)
        interfaces[file] = digest
    body = json.dumps(
        {"format": 1, "name": name, "profile": profile, "interfaces": interfaces},
        ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str,
    ).encode()  # fmt: skip
    kept[digest_of(body)] = ("profile", body)
    return digest_of(body), kept


def _parts_of(body: str) -> Iterable[str]:
    data = json.loads(body)
    return [stamp.partition(SINCE)[0] for part in _PARTS for stamp in data.get(part, {}).values()]


#: Where a mapping and a profile name what belongs to them, each by its digest.
_PARTS = ("codes", "converters", "interfaces")
#: Marks a body that is not UTF-8, such as a supplier's file in UTF-16; none of ours begins so.
_BASE64 = "base64:"


def _text(body: bytes) -> str:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return _BASE64 + base64.b64encode(body).decode()
    # PostgreSQL takes no NUL in a text.
    plain = "\0" not in text and not text.startswith(_BASE64)
    return text if plain else _BASE64 + base64.b64encode(body).decode()


def _bytes(body: str) -> bytes:
    return base64.b64decode(body.removeprefix(_BASE64)) if body.startswith(_BASE64) else body.encode()
