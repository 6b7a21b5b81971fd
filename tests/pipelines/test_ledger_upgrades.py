"""Bringing a ledger up to date: by many processes at once, with older programs at work beside newer ones.

The steps beyond the first are made here, in a folder of their own: one that only adds (0002), and one after which older
programs may not use the ledger any more (0003).
"""

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, insert, inspect, select, text

from pipelines import upgrades
from pipelines.databases import open_engine
from pipelines.ledger import Ledger, LedgerFault, get_meta, set_meta
from pipelines.tables import artifact

pytest_plugins = ("tests.on_servers",)

STEP = """
from alembic import op
import sqlalchemy as sa

revision = "{revision}"
down_revision = "{before}"
branch_labels = None
depends_on = None
oldest = "{oldest}"


def upgrade():
    op.add_column("artifact", sa.Column("{column}", sa.String, server_default=""))
"""
ADDS = STEP.format(revision="0002", before="0001", oldest="0001", column="note")
BREAKS = STEP.format(revision="0003", before="0002", oldest="0003", column="other")


@pytest.fixture
def steps(tmp_path: Path) -> Path:
    folder = Path(shutil.copytree(upgrades.STEPS, tmp_path / "steps"))
    (folder / "versions" / "0002_adds.py").write_text(ADDS, encoding="utf-8")
    (folder / "versions" / "0003_breaks.py").write_text(BREAKS, encoding="utf-8")
    return folder


@pytest.fixture
def url(either: Callable[[], str]) -> str:
    return either()


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """The database as another, newer program opens it."""
    opened = open_engine(url, setting="ledger.url", fault=LedgerFault)
    yield opened
    opened.dispose()


def columns(engine: Engine) -> set[str]:
    return {column["name"] for column in inspect(engine).get_columns("artifact")}


def keep(ledger: Ledger, digest: str) -> None:
    with ledger.writing() as connection:
        connection.execute(insert(artifact).values(digest=digest, kind="text", body="x", at=1))


def test_processes_that_start_at_once_make_the_tables_once(url: str, tmp_path: Path) -> None:
    start = tmp_path / "start"
    code = (
        "import sys, time, pathlib\n"
        "from pipelines.ledger import Ledger\n"
        "print('ready', flush=True)\n"
        "while not pathlib.Path(sys.argv[2]).exists(): time.sleep(0.01)\n"
        "Ledger(sys.argv[1]).close()\n"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code, url, str(start)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(5)
    ]
    for one in started:
        assert one.stdout is not None
        assert one.stdout.readline() == b"ready\n"
    start.touch()
    said = [one.communicate(timeout=60)[1] for one in started]
    assert [one.returncode for one in started] == [0] * 5, said
    ledger = Ledger(url)
    keep(ledger, "a")
    ledger.close()


def test_an_older_program_works_on_while_a_newer_one_adds(url: str, engine: Engine, steps: Path) -> None:
    old = Ledger(url)
    stop, wrong, kept = threading.Event(), [], []

    def work() -> None:
        try:
            while not stop.is_set():
                keep(old, f"old {len(kept)}")
                kept.append(1)
                with old.reading() as connection:
                    connection.execute(select(artifact)).all()
        except Exception as fault:
            wrong.append(fault)

    thread = threading.Thread(target=work)
    thread.start()
    upgrades.bring_up_to_date(engine, head="0002", steps=steps)
    before = len(kept)
    while len(kept) < before + 5 and not wrong:
        time.sleep(0.01)
    stop.set()
    thread.join()
    assert wrong == []
    assert "note" in columns(engine)
    with engine.begin() as connection:  # the newer one, beside it
        connection.execute(
            text("INSERT INTO artifact (digest, kind, body, at, note) VALUES ('n', 'text', 'x', 1, 'y')")
        )
    again = Ledger(url)  # an older one that starts now
    keep(again, "started later")
    again.still_fits()
    with again.reading() as connection:
        assert connection.execute(select(func.count()).select_from(artifact)).scalar() == len(kept) + 2
    again.close()
    old.close()


def test_a_program_that_is_too_old_says_so_and_changes_nothing(url: str, engine: Engine, steps: Path) -> None:
    old = Ledger(url)
    upgrades.bring_up_to_date(engine, head="0003", steps=steps)
    with pytest.raises(
        LedgerFault, match=r"this one \(tables 0001\) may not use them any more \(tables 0003 or newer\)"
    ):
        Ledger(url)
    with pytest.raises(LedgerFault, match="install the newer version here too"):
        old.still_fits()  # one that was running when it happened
    old.close()
    with engine.connect() as connection:
        assert get_meta(connection, "oldest program") == "0003"
    upgrades.bring_up_to_date(engine, head="0003", steps=steps)  # the newer one itself may start again


def test_a_step_that_fails_leaves_everything_as_it_was(url: str, engine: Engine, steps: Path) -> None:
    ledger = Ledger(url)
    broken = ADDS + "    raise RuntimeError('no')\n"
    (steps / "versions" / "0002_adds.py").write_text(broken, encoding="utf-8")
    with pytest.raises(RuntimeError):
        upgrades.bring_up_to_date(engine, head="0002", steps=steps)
    assert "note" not in columns(engine)
    Ledger(url).close()
    with ledger.writing() as connection:
        set_meta(connection, "a", "1")
    ledger.close()


def test_a_step_lets_those_pass_who_use_the_table(
    postgresql: str, steps: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change of a table waits for a long transaction, and nobody waits behind it for longer than its patience."""
    monkeypatch.setattr(upgrades, "_WAIT_MILLISECONDS", 300)
    monkeypatch.setattr(upgrades, "_PAUSE_SECONDS", 0.3)
    ledger = Ledger(postgresql)
    newer = open_engine(postgresql, setting="ledger.url", fault=LedgerFault)
    slowest, done = 0.0, threading.Event()

    def upgrade() -> None:
        upgrades.bring_up_to_date(newer, head="0002", steps=steps)
        done.set()

    thread = threading.Thread(target=upgrade)
    with ledger.writing() as connection:
        connection.execute(insert(artifact).values(digest="long", kind="text", body="x", at=1))
        thread.start()
        until = time.monotonic() + 2
        while time.monotonic() < until:
            begun = time.monotonic()
            with ledger.reading() as other:
                other.execute(select(artifact)).all()
            slowest = max(slowest, time.monotonic() - begun)
        assert not done.is_set()
    thread.join(timeout=20)
    assert done.is_set()
    assert slowest < 1.5
    assert "note" in columns(newer)
    newer.dispose()
    ledger.close()
