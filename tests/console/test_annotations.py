"""Findings as annotations: the signs that GitHub and Azure read themselves are escaped; files are named as there."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from config.findings import Finding, Severity
from console.annotations import azure, github

ROOT = Path(__file__).parents[2]
ODD = Finding("mappings/a,b:c;d].yaml", 7, 3, "fields[0].theirs", "50 % of\nit", "x::y", "write `z`", Severity.WARNING)


def test_github() -> None:
    assert github(ODD, Path("my-site")) == (
        "::warning file=my-site/mappings/a%2Cb%3Ac;d].yaml,line=7,col=3::"
        "fields[0].theirs: found 50 %25 of%0Ait, expected x::y; write `z`"
    )


def test_azure() -> None:
    assert azure(ODD, Path()) == (
        "##vso[task.logissue type=warning;sourcepath=mappings/a,b:c%3Bd%5D.yaml;linenumber=7;columnnumber=3]"
        "fields[0].theirs: found 50 %AZP25 of%0Ait, expected x::y; write `z`"
    )


def test_a_shipped_file_is_named_in_the_message_alone() -> None:
    shipped = Finding("mappings/casework/referral.yaml (shipped)", 9, 1, "", "a", "b", "c")
    assert github(shipped, Path("s")) == "::error::mappings/casework/referral.yaml (shipped):9 found a, expected b; c"
    assert azure(shipped, Path("s")).startswith("##vso[task.logissue type=error]mappings/casework/referral.yaml")


def test_a_finding_about_a_whole_file_has_no_line() -> None:
    assert github(Finding("x.yaml", 0, 0, "", "a", "b", "c"), Path()) == "::error file=x.yaml::found a, expected b; c"


def test_the_command_prints_them_and_its_exit_code_says_whether_something_is_wrong(tmp_path: Path) -> None:
    site = Path(shutil.copytree(ROOT / "config" / "example", tmp_path / "site"))
    done = _check(site, "--format", "github")
    assert done.returncode == 0
    assert all(line.startswith("::warning") for line in done.stdout.splitlines())
    overlay = site / "mappings" / "blaenau-gwent" / "referral.yaml"
    overlay.write_text(overlay.read_text(encoding="utf-8").replace("TransportNeeds", "TransportNeed"), encoding="utf-8")
    done = _check(site, "--format", "azure")
    assert done.returncode == 1
    (line,) = [line for line in done.stdout.splitlines() if "`TransportNeed`" in line]
    rows = overlay.read_text(encoding="utf-8").splitlines()
    number = next(at for at, row in enumerate(rows, 1) if "TransportNeed," in row)
    assert f"sourcepath={overlay.as_posix()};linenumber={number};" in line
    assert "TransportNeeds" in line
    assert _check(site, "--json", "--format", "github").returncode == 2


def _check(site: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "console", "check", "--site", str(site), *more]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
