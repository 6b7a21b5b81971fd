"""What a back-fill reads from the disk: a folder with an extract, and a database with a table."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from console.bench.loopback_feeds import STAMP


def folder_of(place: Path, form: str, records: int) -> Path:
    """A folder with one extract of so many records, written row by row."""
    place.mkdir()
    ends = {"csv": ("csv", "id,surname,changed\n", ""), "json-lines": ("jsonl", "", ""),
            "xml": ("xml", "<referrals>", "</referrals>")}  # fmt: skip
    ending, head, foot = ends[form]
    with (place / f"referrals_1.{ending}").open("w", encoding="utf-8", newline="\n") as file:
        file.write(head)
        for number in range(records):
            row = {"id": f"R{number}", "surname": f"Llŷr-{number}", "changed": STAMP}
            if form == "csv":
                file.write(",".join(row.values()) + "\n")
            elif form == "xml":
                inner = "".join(f"<{name}>{value}</{name}>" for name, value in row.items())
                file.write(f"<referral>{inner}</referral>\n")
            else:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        file.write(foot)
    return place


def database_of(place: Path, records: int) -> Path:
    """An SQLite file with one table of so many rows, each changed a second after the one before."""
    start = datetime.fromisoformat(STAMP)
    with closing(sqlite3.connect(place)) as database, database:
        database.execute("CREATE TABLE referrals (id INTEGER PRIMARY KEY, surname TEXT, changed TEXT)")
        database.executemany(
            "INSERT INTO referrals VALUES (?, ?, ?)",
            ((number, f"Llŷr-{number}", f"{start + timedelta(seconds=number)}") for number in range(records)),
        )
        database.execute("CREATE INDEX by_change ON referrals (changed, id)")
    return place
