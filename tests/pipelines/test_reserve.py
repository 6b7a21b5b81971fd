"""A ledger whose disk is full: taking in stops, what makes room does not, and it goes on by itself. Catalogue row 7.

Tried on a small disk of its own, which only root can mount, and with `strace` answering for the disk.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, func, insert, select

from pipelines import reserve
from pipelines.databases import DiskFull
from pipelines.ledger import Ledger, get_meta, set_meta
from pipelines.tables import artifact, meta

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root may mount a small disk to fill")
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def ledger(disk: Path) -> Iterator[Ledger]:
    opened = Ledger(f"sqlite:///{disk / 'ledger.db'}")
    yield opened
    opened.close()


def fill(disk: Path) -> Path:
    """Take all the room that there is."""
    filler = disk / "filler"
    for piece in (65_536, 4_096, 1):
        with filler.open("ab", buffering=0) as out, suppress(OSError):
            while True:
                out.write(b"x" * piece)
    return filler


def write_until_full(ledger: Ledger) -> int:
    """Write rows of 50 kB until there is no room; return how many were answered for."""
    for number in range(2_000):
        try:
            with ledger.writing() as connection:
                row = {"digest": f"{number}-{os.urandom(4).hex()}", "kind": "text", "body": "x" * 50_000, "at": 1}
                connection.execute(insert(artifact).values(row))
        except DiskFull:
            return number
    raise AssertionError("the disk was never full")


def enter_forty(connection: Connection) -> None:
    rows = [{"digest": str(number), "kind": "text", "body": "x" * 50_000, "at": 1} for number in range(40)]
    connection.execute(insert(artifact), rows)


def kept(ledger: Ledger) -> int:
    with ledger.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(artifact)).scalar_one())


def test_row_7_taking_in_stops_and_what_makes_room_goes_on(ledger: Ledger, disk: Path) -> None:
    assert (disk / reserve.NAME).stat().st_size == reserve.SIZE
    filler = fill(disk)
    written = write_until_full(ledger)
    assert ledger.reserve.is_full
    assert kept(ledger) == written, "what was answered for is there, and nothing else"
    with pytest.raises(DiskFull, match="nothing is taken in until there is room"), ledger.writing():
        pytest.fail("it was let in")  # refused before anything is tried
    assert (disk / reserve.NAME).exists(), "taking in must not use the reserve up"
    with ledger.writing(making_room=True) as connection:
        connection.execute(delete(artifact))
        set_meta(connection, "closed by", "ann")
    assert kept(ledger) == 0
    with pytest.raises(DiskFull), ledger.writing():
        pytest.fail("it was let in")  # there is still no room worth the name
    filler.unlink()
    with ledger.writing() as connection:  # nobody had to start anything anew
        set_meta(connection, "a", "1")
    assert not ledger.reserve.is_full
    assert (disk / reserve.NAME).stat().st_size == reserve.SIZE, "kept again, for the next time"


def test_row_7_a_command_that_makes_room_works_at_zero_bytes_free(disk: Path) -> None:
    """Nothing else has the ledger open, so that even opening it takes room."""
    url = f"sqlite:///{disk / 'ledger.db'}"
    first = Ledger(url)
    with first.writing() as connection:
        enter_forty(connection)
    first.close()
    fill(disk)
    assert shutil.disk_usage(disk).free == 0
    ledger = Ledger(url)
    with ledger.writing(making_room=True) as connection:
        connection.execute(delete(artifact))
    assert kept(ledger) == 0
    ledger.close()


def test_row_7_beside_one_that_runs_a_command_may_use_the_reserve(ledger: Ledger, disk: Path) -> None:
    other = Ledger(f"sqlite:///{disk / 'ledger.db'}")  # it has not met the full disk itself
    with ledger.writing() as connection:
        enter_forty(connection)
    fill(disk)
    write_until_full(ledger)
    with other.writing(making_room=True) as connection:
        connection.execute(delete(artifact).where(artifact.c.digest.like("1%")))
    assert kept(ledger) == 29
    other.close()


def test_row_7_without_the_reserve_even_deleting_has_no_room(ledger: Ledger, disk: Path) -> None:
    """Why there is one."""
    with ledger.writing() as connection:
        enter_forty(connection)
    fill(disk)
    write_until_full(ledger)
    (disk / reserve.NAME).unlink()
    fill(disk)
    with pytest.raises(DiskFull), ledger.writing(making_room=True) as connection:
        connection.execute(delete(artifact))


def test_row_7_a_command_on_a_full_disk_says_so(disk: Path) -> None:
    Ledger(f"sqlite:///{disk / 'ledger.db'}").close()
    (disk / reserve.NAME).unlink()
    fill(disk)
    code = (
        "import sys\n"
        "from pipelines.ledger import Ledger, set_meta\n"
        "ledger = Ledger(sys.argv[1])\n"
        "with ledger.writing() as connection:\n"
        "    for number in range(2000): set_meta(connection, str(number), 'x' * 5000)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, f"sqlite:///{disk / 'ledger.db'}"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "disk is full" in done.stderr


def test_the_reserve_is_not_made_where_it_would_be_the_last_straw(disk: Path) -> None:
    filler = fill(disk)
    os.truncate(filler, filler.stat().st_size - 2 * reserve.SIZE)
    opened = Ledger(f"sqlite:///{disk / 'ledger.db'}")
    assert not (disk / reserve.NAME).exists()
    opened.close()


WRITER = """
import sys, time
from sqlalchemy.exc import SQLAlchemyError
from pipelines.databases import DiskBroken, DiskFull
from pipelines.ledger import Ledger, LedgerFault, set_meta
ledger = Ledger(sys.argv[1])
for number in range(60):
    try:
        with ledger.writing() as connection:
            set_meta(connection, f"n{number}", "x" * 3000)
    except (SQLAlchemyError, LedgerFault) as fault:
        print(type(fault).__name__, number, flush=True)
        time.sleep(0.01)
    else:
        print("kept", number, flush=True)
ledger.close()
"""


def under(fault: str, folder: Path) -> list[tuple[str, int]]:
    """What a writer says whose disk answers so. `fault`: what strace injects."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    url = f"sqlite:///{folder / 'ledger.db'}"
    Ledger(url).close()
    call = fault.partition(":")[0]
    done = subprocess.run(
        [strace, "-f", "-qq", "-o", os.devnull, "-e", f"trace={call}", "-e", f"inject={fault}",
         sys.executable, "-c", WRITER, url],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = [line.split() for line in done.stdout.splitlines()]
    return [(words[0], int(words[1])) for words in lines if len(words) == 2]  # the others are its log


def answered_for(said: list[tuple[str, int]], folder: Path) -> None:
    """What was answered for is there; what was not may be there or not."""
    ledger = Ledger(f"sqlite:///{folder / 'ledger.db'}")
    with ledger.reading() as connection:
        found = set(connection.execute(select(meta.c.name).where(meta.c.name.like("n%"))).scalars())
        assert get_meta(connection, "oldest program") is not None
    ledger.close()
    assert {f"n{number}" for word, number in said if word == "kept"} <= found


def test_row_7_a_write_without_room_is_told_as_a_full_disk_and_goes_on(tmp_path: Path) -> None:
    said = under("pwrite64:error=ENOSPC:when=40..42", tmp_path)
    words = [word for word, _ in said]
    assert words.count("DiskFull") >= 1
    assert set(words) == {"kept", "DiskFull"}
    assert words[-1] == "kept", "it goes on by itself"
    answered_for(said, tmp_path)


def test_row_8_after_a_failed_fsync_nothing_is_written_any_more(tmp_path: Path) -> None:
    """Also when the disk answers well again: what a second fsync would say is worth nothing."""
    said = under("fdatasync:error=EIO:when=8..9", tmp_path)
    words = [word for word, _ in said]
    first = words.index("DiskBroken")
    assert set(words[:first]) == {"kept"}
    assert set(words[first + 1 :]) == {"LedgerFault"}
    answered_for(said, tmp_path)


def test_row_8_a_write_that_fails_ends_it_too(tmp_path: Path) -> None:
    said = under("pwrite64:error=EIO:when=40+", tmp_path)
    words = [word for word, _ in said]
    assert "DiskBroken" in words
    assert set(words[words.index("DiskBroken") + 1 :]) == {"LedgerFault"}
    answered_for(said, tmp_path)
