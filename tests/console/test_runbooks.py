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
from tests.found import as_asked
from tests.rig.pushing import lay_out_pushing
from tests.rig.systems import Web
from tests.roles_given import give

pytest_plugins = ("tests.pipelines.pieces",)

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "runbooks.md").read_text(encoding="utf-8")
WELSH_PAGE = (DOCS / "cy" / "runbooks.md").read_text(encoding="utf-8")
#: Each incident, as its page calls it in English and in Welsh.
INCIDENTS = {
    "It did not arrive": "Nid yw wedi cyrraedd",
    "A push that did not come": "Gwthiad na ddaeth",
    "A supplier is down": "Mae system cyflenwr i lawr",
    "The disk is full": "Mae'r ddisg yn llawn",
    "A key is lost": "Mae allwedd ar goll",
    "The queue grows": "Mae'r ciw yn tyfu",
    "A person asks for their data": "Mae rhywun yn gofyn am ei ddata",
}
#: Commands that find something wrong, as they must: no system answers here, and the key is not there the first time.
FINDS = ("dolen doctor",)


def section(page: str, incident: str) -> str:
    """What a page says of one incident."""
    return page.partition(f"\n## {incident}\n")[2].partition("\n## ")[0]


def steps(incident: str, page: str = PAGE) -> list[str]:
    """The commands that one runbook shows, in order."""
    blocks = re.findall(r"```bash\n(.*?)```", section(page, incident), re.DOTALL)
    return [line.strip() for block in blocks for line in block.splitlines() if line.strip()]


def coded(text: str) -> list[str]:
    """What stands as code within the sentences, in alphabetical order: it is the same in both languages."""
    return sorted(re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text))


def test_every_runbook_is_tried_here() -> None:
    assert re.findall(r"^## (.*)$", PAGE, re.MULTILINE) == list(INCIDENTS)
    assert all(steps(incident) for incident in INCIDENTS)
    tried = "\n".join(Path(__file__).read_text(encoding="utf-8").partition("Typed = ")[2].splitlines())
    assert [incident for incident in INCIDENTS if f'steps("{incident}")' not in tried] == []


def test_every_runbook_is_there_in_welsh_with_the_same_commands() -> None:
    """A step that only the English page has, or that was changed on one page alone, would send staff two ways."""
    assert re.findall(r"^## (.*)$", WELSH_PAGE, re.MULTILINE) == list(INCIDENTS.values())
    for english, welsh in INCIDENTS.items():
        one, other = section(PAGE, english), section(WELSH_PAGE, welsh)
        assert steps(welsh, WELSH_PAGE) == steps(english), english
        assert coded(other) == coded(one), english
        for mark in (r"^\d\. ", r"^\*\S", r"\(\d\) "):
            assert len(re.findall(mark, other, re.MULTILINE)) == len(re.findall(mark, one, re.MULTILINE)), english
    assert "yn aros am wiriwr Cymraeg" in WELSH_PAGE
    landing = (DOCS / "cy" / "README.md").read_text(encoding="utf-8")
    assert [title for title in INCIDENTS.values() if f"[{title}](runbooks.md#" not in landing] == []


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


def test_a_push_that_did_not_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A desk that calls us, and that did not when somebody typed a case in. Its changes can be read."""
    web = Web()
    desk = web.add("alder", "desk", "A")
    web.add("alder", "care", "A")
    case = desk.type_in("Siân")
    site = lay_out_pushing(tmp_path, {"alder": "A"}, web.url, port=0, carries="record")
    monkeypatch.setenv("DOLEN_SITE", str(site))
    real = {"C-000123": case.id, "torfaen/contact": "alder/desk"}

    def typed(line: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, [real.get(word, word) for word in shlex.split(line)[1:]])
        assert done.exception is None or isinstance(done.exception, SystemExit), (line, done.output)
        assert "Siân" not in done.output
        return done.exit_code, done.output

    try:
        with as_asked(site):
            where, status, sync, again, doctor = steps("A push that did not come")
            code, said = typed(where)
            assert (code, "Never shown to us" in said) == (1, True), said
            code, said = typed(status)
            assert (code, "alder/desk: it has not called us in the last week" in said) == (0, True), said
            code, said = typed(sync)
            assert (code, "complete" in said) == (0, True), said
            code, said = typed(again)
            assert (code, "It waits for care" in said) == (0, True), said
            assert typed(f"{sync} --from 2026-03-01")[0] == 0
            assert "1 referral;" in typed(status)[1], "what was there already is not taken in twice"
            code, said = typed(doctor)
            assert code == 0, said
    finally:
        web.close()
        structlog.reset_defaults()
        logs._least = 20


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
