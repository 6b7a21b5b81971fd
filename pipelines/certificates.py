"""Certificates: what was let go of, under which rule, signed with the audit's key and kept in the ledger and in a file.

A certificate holds times, counts, numbers of ours and hashes of ids, never a value of anybody's record. The file lies
under the site's data, outside the database: a ledger that is restored from before is told by it what must go again.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, insert, select, update

from pipelines.ids import new_id
from pipelines.ledger import insert_new
from pipelines.plant import Plant
from pipelines.tables import audit, certificate
from pipelines.vault import Vault

PURGE, ERASURE = "purge", "erasure"
FOLDER = "certificates"


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate. `holds` says whether its signature fits."""

    id: str
    council: str
    kind: str
    at: int
    body: Mapping[str, Any]
    holds: bool


def folder_of(plant: Plant) -> Path:
    """Where the files lie."""
    return plant.lock_file.parent / FOLDER


def opened(connection: Connection, council: str, now: int, body: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The certificate of a purge that goes on: begun by `body`, or as it stands if a process was killed within one."""
    fresh = {"id": new_id(), "council": council, "kind": PURGE, "at": now, "body": as_text(body), "signature": ""}
    insert_new(connection, certificate, [fresh])
    row = connection.execute(
        select(certificate).filter_by(council=council, kind=PURGE, signature="").with_for_update()
    ).one()
    return row.id, orjson.loads(row.body)


def fill(connection: Connection, id: str, body: Mapping[str, Any]) -> None:
    """Write down more of what went."""
    connection.execute(update(certificate).where(certificate.c.id == id).values(body=as_text(body)))


def drop(connection: Connection, id: str) -> None:
    """Forget a certificate of a purge in which nothing went."""
    connection.execute(certificate.delete().where(certificate.c.id == id, certificate.c.signature == ""))


def sign(connection: Connection, vault: Vault, id: str, body: Mapping[str, Any]) -> None:
    """Close a certificate: its body is as it is, and signed."""
    text = as_text({**body, **chain_position(connection)})
    row = connection.execute(select(certificate.c.council, certificate.c.kind).where(certificate.c.id == id)).one()
    signed = _signature(vault, id, row.council, row.kind, text)
    connection.execute(update(certificate).where(certificate.c.id == id).values(body=text, signature=signed))


def issue(connection: Connection, vault: Vault, council: str, kind: str, now: int, body: Mapping[str, Any]) -> str:
    """Write a certificate at once; return its id."""
    id, text = new_id(), as_text({**body, **chain_position(connection)})
    signed = _signature(vault, id, council, kind, text)
    connection.execute(
        insert(certificate),
        {"id": id, "council": council, "kind": kind, "at": now, "body": text, "signature": signed},
    )
    return id


def chain_position(connection: Connection) -> dict[str, Any]:
    """Where the audit stood: the number and hash of its last row."""
    last = connection.execute(select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)).first()
    return {"audit": {"seq": last.seq if last else 0, "hash": last.hash if last else ""}}


def listed(plant: Plant, kind: str = "") -> list[Certificate]:
    """Every signed certificate of the site's councils, the newest first."""
    wanted = select(certificate).where(certificate.c.signature != "", certificate.c.council.in_(list(plant.councils)))
    if kind:
        wanted = wanted.where(certificate.c.kind == kind)
    with plant.ledger.reading() as connection:
        return [_read(plant.vault, row) for row in connection.execute(wanted.order_by(certificate.c.id.desc()))]


def keep_files(plant: Plant) -> int:
    """Write the certificates that have no file yet; return how many. Files of a ledger that was restored stay."""
    folder, written = folder_of(plant), 0
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with plant.ledger.reading() as connection:
        rows = connection.execute(select(certificate).where(certificate.c.signature != "")).all()
    for row in rows:
        file = folder / f"{row.kind}-{row.id}.json"
        if file.exists():
            continue
        part = file.with_suffix(f".{os.getpid()}.part")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            out.write(orjson.dumps({str(name): value for name, value in row._mapping.items()}))
            out.flush()
            os.fsync(out.fileno())
        part.replace(file)
        written += 1
    return written


def from_files(plant: Plant, kind: str) -> Iterator[tuple[str, str, int, dict[str, Any], str]]:
    """Certificates of a kind that lie in files and whose signature fits: id, council, at, body, signature."""
    for file in sorted(folder_of(plant).glob(f"{kind}-*.json")):
        try:
            row = orjson.loads(file.read_bytes())
            fits = hmac.compare_digest(
                row["signature"], _signature(plant.vault, row["id"], row["council"], row["kind"], row["body"])
            )
            if fits and row["kind"] == kind:
                yield row["id"], row["council"], int(row["at"]), orjson.loads(row["body"]), row["signature"]
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            continue  # no certificate of ours


def _read(vault: Vault, row: Any) -> Certificate:
    fits = hmac.compare_digest(row.signature, _signature(vault, row.id, row.council, row.kind, row.body))
    return Certificate(row.id, row.council, row.kind, row.at, orjson.loads(row.body), fits)


def _signature(vault: Vault, id: str, council: str, kind: str, text: str) -> str:
    return vault.sign("", f"certificate|{id}|{council}|{kind}|{text}".encode())


def as_text(body: Mapping[str, Any]) -> str:
    return orjson.dumps(dict(body), option=orjson.OPT_SORT_KEYS).decode()
