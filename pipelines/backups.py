"""Backups of a site's ledger, and of its keys apart, while it runs; and putting them back.

Two folders, because whoever holds both and the main key can read everything: one for the ledger, whose contents are
sealed, one for the key store, whose keys are wrapped by the main key, which is in neither. Each folder has a note that
names what is in it by its digest, so that a copy that was cut short or does not belong is refused before anything is
touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import func, select

from config.site import Site
from pipelines import composition, dumps, lock, processes, restored, upgrades
from pipelines.clock import SECOND, machine_time
from pipelines.dumps import CannotCopy
from pipelines.ledger import get_meta
from pipelines.plant import Plant
from pipelines.tables import referral

NOTE = "dolen-backup.json"
_LEDGER, _KEYS = "ledger", "keys"


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made."""

    folder: Path
    what: str  # ledger, keys
    file: str
    size: int  # bytes


@dataclass(frozen=True, slots=True)
class PutBack:
    """A ledger that was put back."""

    made: int  # when the copy was made
    referrals: int
    doubtful: int  # deliveries that are looked up, or wait for a person


def backup(
    plant: Plant, site: Site, out: Path, keys_out: Path | None, environment: Mapping[str, str] | None = None
) -> list[Made]:
    """Copy the ledger, and the keys where a folder for them is named. The site may run. Raises CannotCopy."""
    if keys_out is not None and _within(keys_out, out):
        raise CannotCopy("the keys go to another folder than the ledger, and not into it: who holds both can read all")
    with plant.ledger.reading() as connection:
        identity = get_meta(connection, "key store") or ""
    copied = [_copy(site.ledger_url(environment), out, _LEDGER, identity)]
    if keys_out is not None:
        # After the ledger: keys are committed before what they seal, so a later copy of them has all that is needed.
        copied.append(_copy(site.keys_url(environment), keys_out, _KEYS, identity))
    return copied


def _within(one: Path, other: Path) -> bool:
    one, other = one.resolve(), other.resolve()
    return one == other or other in one.parents or one in other.parents


def _copy(url: str, folder: Path, what: str, identity: str) -> Made:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    note = folder / NOTE
    if note.exists():
        raise CannotCopy(f"{folder} holds a backup already; name another folder")
    made = machine_time()
    file = folder / dumps.name_for(url, what)
    dumps.copy(url, file)
    body = {
        "dolen": processes.program(), "tables": upgrades.HEAD, "what": what, "file": file.name, "made": made,
        "sha256": dumps.digest_of(file), "key_store": identity,
    }  # fmt: skip
    partial = note.with_suffix(".part")
    partial.write_bytes(orjson.dumps(body, option=orjson.OPT_INDENT_2) + b"\n")
    partial.replace(note)  # last of all: a folder with a note is whole
    return Made(folder, what, file.name, file.stat().st_size)


def put_back(
    site: Site, folder: Path, keys: Path | None, *, who: str, why: str, environment: Mapping[str, str] | None = None
) -> PutBack:
    """Put a ledger back, and the keys where a folder of them is named. Nobody may run the site.

    Raises CannotCopy, before anything is touched, for a site that runs, for a ledger that is there already, and for a
    backup that is damaged, newer than this program, or not of these keys.
    """
    if lock.is_held(site.data_folder / "dolen.lock"):
        raise CannotCopy("the site runs; stop it first")
    note, file = _read(folder, _LEDGER)
    with_keys = None if keys is None else _read(keys, _KEYS)
    if with_keys is not None and with_keys[0]["key_store"] != note["key_store"]:
        raise CannotCopy("these keys are of another ledger; nothing was touched")
    ledger_url, keys_url = site.ledger_url(environment), site.keys_url(environment)
    if not dumps.is_empty(ledger_url):
        raise CannotCopy(
            "there is a ledger already, and nothing was touched. Move it away first, with the files beside it, or make "
            "an empty database: then nothing that is in it can be lost by mistake"
        )
    if with_keys is None and dumps.is_empty(keys_url):
        raise CannotCopy("the key store is not there either: name the folder of its backup with --keys")
    if with_keys is not None:
        dumps.put_back(with_keys[1], keys_url)
    dumps.put_back(file, ledger_url)
    plant = composition.build(composition.load(site.root), environment=environment)
    try:
        doubtful = restored.prepare(plant, int(note["made"]), who=who, why=why)
        with plant.ledger.reading() as connection:
            count = int(connection.execute(select(func.count()).select_from(referral)).scalar_one())
    finally:
        plant.close()
    return PutBack(int(note["made"]), count, doubtful)


def _read(folder: Path, what: str) -> tuple[dict[str, Any], Path]:
    try:
        note: dict[str, Any] = orjson.loads((folder / NOTE).read_bytes())
        file = folder / str(note["file"])
        said = (str(note["what"]), str(note["sha256"]), str(note["tables"]), int(note["made"]), str(note["key_store"]))
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        raise CannotCopy(f"{folder} holds no whole backup: {NOTE} is not there or cannot be read") from None
    if said[0] != what:
        raise CannotCopy(f"{folder} is a backup of the {said[0]}, and not of the {what}")
    if file.parent != folder or not file.is_file() or dumps.digest_of(file) != said[1]:
        raise CannotCopy(f"{file.name} is not what was written as the backup was made: it is damaged, or another file")
    if said[2] > upgrades.HEAD:
        raise CannotCopy("this backup was made by a newer Dolen; install that one, then put it back")
    return note, file


def age(made: int) -> float:
    """How old a backup is, in seconds."""
    return (machine_time() - made) / SECOND
