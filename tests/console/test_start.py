"""What starting costs and what stands without a site: version, help, schema, a new site, the sandbox."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pipelines.onlooking import onlooking

ROOT = Path(__file__).parents[2]


def dolen(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "console", *arguments], capture_output=True, text=True, check=False, cwd=ROOT
    )


def test_version_and_help() -> None:
    assert dolen("--version").stdout.startswith("dolen 0.")
    done = dolen("--help")
    assert done.returncode == 0
    text = "new check doctor run sync status trace attention show replay settle close pause resume reconcile"
    for command in (text + " mapping schema audit sandbox demo").split():
        assert f"\n  {command} " in done.stdout


@pytest.mark.parametrize("heavy", ["zeep", "requests", "notifications_python_client"])
def test_status_loads_nothing_that_speaks_to_systems(bare: Any, heavy: str) -> None:
    code = "import sys\nfrom console.main import app\ntry:\n    app(['status'])\n"
    code += f"finally:\n    sys.exit({heavy!r} in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**bare.environment, "DOLEN_SITE": str(bare.folder)}, cwd=ROOT,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


#: What `dolen status` has no use for. Each of them alone costs a tenth of what the whole command may, or more.
UNUSED = (
    "apscheduler", "babel", "connectors", "croniter", "fastapi", "jinja2", "kombu", "lxml", "mappings", "phonenumbers",
    "pydantic.main", "requests", "rich.console", "ruamel", "sqlalchemy.dialects.postgresql", "stdnum", "structlog",
    "zeep",
)  # fmt: skip


def test_status_loads_nothing_that_it_does_not_show(bare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it costs is measured by `dolen bench start`; here is what makes it cheap, which no load can blur."""
    monkeypatch.setattr("time.time_ns", lambda now=time.time_ns: now() + 60_000_000_000)  # its files are old enough
    with closing(onlooking(bare.folder)):
        pass  # the files were read, and an outline kept
    monkeypatch.undo()
    code = "import sys\nfrom console.main import app\ntry:\n    app(['status'])\n"
    code += f"finally:\n    sys.stderr.write(' '.join(sorted(set({UNUSED}) & set(sys.modules))))\n"
    code += "    sys.stderr.write(f' {sum(name.startswith(\"console.commands_\") for name in sys.modules)}')"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**bare.environment, "DOLEN_SITE": str(bare.folder)}, cwd=ROOT,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, " 1"), "of commands only its own"
    assert "torfaen" in done.stdout


def test_schema_is_the_referrals(tmp_path: Path) -> None:
    schema = json.loads(dolen("schema").stdout)
    assert schema["title"] == "Referral"
    done = dolen("schema", "--site-schemas", str(tmp_path))
    assert done.returncode == 0
    for line in done.stdout.splitlines():
        json.loads(Path(line).read_text(encoding="utf-8"))


def test_the_rows_of_a_mapping_are_listed_with_file_and_line() -> None:
    site = str(ROOT / "config" / "example")
    shown = dolen("mapping", "show", "blaenau-gwent/referral", "--site", site)
    assert shown.returncode == 0
    [line] = [line for line in shown.stdout.splitlines() if line.startswith("priority ")]
    assert re.search(r"mappings/blaenau-gwent/referral\.yaml:\d+ +codes$", line)
    rows = json.loads(dolen("mapping", "show", "blaenau-gwent/referral", "--site", site, "--json").stdout)
    assert {row["file"] for row in rows} == {
        "mappings/blaenau-gwent/referral.yaml", "mappings/casework/referral.yaml (shipped)",
    }  # fmt: skip
    missing = dolen("mapping", "show", "casework/referal", "--site", site)
    assert (missing.returncode, "did you mean 'casework/referral'?" in missing.stderr) == (2, True)


def test_a_new_site_passes_check_and_status(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    assert dolen("new", str(folder)).returncode == 0
    done = dolen("check", "--site", str(folder), "--json")
    assert [one for one in json.loads(done.stdout) if one["severity"] == "error"] == []
    assert done.returncode == 0
    assert dolen("status", "--site", str(folder)).returncode == 0


def test_the_example_site_passes_check(bare: Any) -> None:
    found = bare.json("check")
    assert {one["severity"] for one in found} <= {"warning"}
    assert bare.json("mapping", "test")


def test_the_sandbox_gets_its_arguments_and_ends_with_us(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "console", "sandbox", "serve", "--dir", str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout as out:
        assert json.loads(out.readline())["url"].startswith("http://127.0.0.1:")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    assert dolen("sandbox", "serve").returncode == 2
