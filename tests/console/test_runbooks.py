"""The runbooks: each incident is staged, every command that its page shows is typed, and the incident is over."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner

from console.main import app
from pipelines import logs
from tests.roles_given import give

pytest_plugins = ("tests.pipelines.pieces",)

PAGE = (Path(__file__).parents[2] / "docs" / "runbooks.md").read_text(encoding="utf-8")
INCIDENTS = ("It did not arrive", "A supplier is down", "The disk is full", "A key is lost", "The queue grows",
             "A person asks for their data")  # fmt: skip
#: Commands that find something wrong, as they must: no system answers here, and the key is not there the first time.
FINDS = ("dolen doctor",)


def steps(incident: str) -> list[str]:
    """The commands that one runbook shows, in order."""
    section = PAGE.partition(f"\n## {incident}\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"```bash\n(.*?)```", section, re.DOTALL)
    return [line.strip() for block in blocks for line in block.splitlines() if line.strip()]


def test_every_runbook_is_tried_here() -> None:
    assert re.findall(r"^## (.*)$", PAGE, re.MULTILINE) == list(INCIDENTS)
    assert all(steps(incident) for incident in INCIDENTS)


@pytest.fixture
def typed(bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A site with one request that waits for casework; gives what types a line of the page and returns what it said."""
    bench.take(bench.request())
    delivery = bench.row("delivery", connection="casework").id
    bench.plant.close()
    give(bench.folder, "data-protection")
    monkeypatch.setenv("DOLEN_SITE", str(bench.folder))
    monkeypatch.setenv("DOLEN_USER", "A. Swyddog")
    real = {"C-000123": "C-1", "d12": f"d{delivery}", "DIR": str(tmp_path / "handed-over")}
    (tmp_path / "handed-over").mkdir()

    def run(line: str, least: int = 0) -> str:
        words = [real.get(word, word) for word in shlex.split(line)[1:]]
        done = CliRunner().invoke(app, words, input="because of the incident\n")
        assert done.exception is None or isinstance(done.exception, SystemExit), (line, done.output)
        expected = {1} if line.startswith(FINDS) else {least}
        assert done.exit_code in expected, (line, done.exit_code, done.output)
        assert "Siân" not in done.output
        return str(done.output)

    yield run
    structlog.reset_defaults()  # a command sets up the log of its process, which is ours here
    logs._least = 20
    bench.begin()


Typed = Callable[..., str]


def test_it_did_not_arrive(typed: Typed, bench: Any) -> None:
    said = {line: typed(line) for line in steps("It did not arrive")}
    assert "casework" in said["dolen where C-000123"]
    assert "waiting" in said["dolen show d12"].lower()
    assert "940" in typed("dolen where C-000123")


def test_a_supplier_is_down(typed: Typed) -> None:
    said = {line: typed(line) for line in steps("A supplier is down")}
    assert "resume" in said["dolen pause torfaen/casework"]
    assert "goes on" in said["dolen resume torfaen/casework"]


def test_the_disk_is_full(typed: Typed) -> None:
    said = {line: typed(line) for line in steps("The disk is full")}
    assert "bytes" in said["dolen capacity"] or "MB" in said["dolen capacity"]
    assert "nothing was let go of" in said["dolen purge --dry-run"]


def test_a_key_is_lost_and_put_back(typed: Typed, bench: Any) -> None:
    key = next(path for path in bench.folder.rglob("*.key"))
    aside = key.with_suffix(".aside")
    ledger = next(bench.folder.rglob("ledger.db"))
    before = ledger.read_bytes()
    key.rename(aside)
    first, *rest = steps("A key is lost")
    said = typed(first, least=1)
    assert "main key is gone" in said
    assert f"var/keys/{key.name}" in said
    assert not key.exists(), "no new key was made"
    same = ledger.read_bytes() == before
    aside.rename(key)
    assert same, "nothing was written"
    for line in rest:
        typed(line)


def test_the_queue_grows(typed: Typed) -> None:
    said = {line: typed(line) for line in steps("The queue grows")}
    assert "torfaen" in said["dolen status"]


def test_a_person_asks_for_their_data(typed: Typed, tmp_path: Path) -> None:
    for line in steps("A person asks for their data"):
        if line.startswith("dolen person erase"):
            assert "not at an end" in typed(line, least=1), "it is refused while something is open"
            typed("dolen close d12")
        said = typed(line)
    assert {file.suffix for file in (tmp_path / "handed-over").iterdir()} == {".html", ".json"}
    assert "erasure" in said, "the certificate is listed last"
