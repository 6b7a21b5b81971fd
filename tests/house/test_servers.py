"""The nodes that tests speak to: started by one command, the same after a kill, and nothing of them left when stopped.

What they answer is tried where they are used; here it is the command that a developer types.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from tests.servers import NODES, VARIABLES, NotHereError, program

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="dolen-nodes-"))
    made.chmod(0o755)  # nodes run as users of their own, who must get in
    yield made
    shutil.rmtree(made)


@pytest.fixture
def command(folder: Path, root: Path) -> Iterator[Command]:
    try:
        program("postgres")
        program("rabbitmq-server")
    except NotHereError as missing:
        pytest.skip(str(missing))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(root / "tests" / "servers.py"), *arguments, "--dir", str(folder)],
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    yield run
    run("stop")


def belonging_to(folder: Path) -> list[str]:
    """What runs in the folder, or names it."""
    found = []
    for one in psutil.process_iter(["cmdline", "cwd", "status"]):
        about: dict[str, Any] = one.info
        if about["status"] != psutil.STATUS_ZOMBIE and str(folder) in " ".join(
            [*(about["cmdline"] or ()), about["cwd"] or ""]
        ):
            found.append(f"{one.pid} {about['cmdline'][:3]}")
    return found


def test_nodes_keep_address_and_data_over_a_kill_and_leave_nothing_behind(command: Command, folder: Path) -> None:
    urls = json.loads(command("start").stdout)
    assert set(urls) == set(NODES)
    with psycopg.connect(urls["postgresql"], autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (id integer)")
    assert command("kill").returncode == 0
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(urls["postgresql"])
    again = command("start", "--export").stdout
    assert again == "".join(f"export {VARIABLES[name]}='{urls[name]}'\n" for name in NODES)
    with psycopg.connect(urls["postgresql"]) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    assert belonging_to(folder) != []
    assert command("stop").returncode == 0
    assert belonging_to(folder) == []


def test_a_server_that_does_not_exist_is_said(command: Command) -> None:
    told = command("start", "oracle")
    assert told.returncode == 2
    assert "no such server: oracle" in told.stderr
