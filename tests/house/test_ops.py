"""What installs Dolen is held by its own tools: units by systemd's, the Containerfile by hadolint, compose by its own.

None of it is started here; docs/install.md says so.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops import bundle

UNITS = ("dolen.service", "dolen-work@.service", "dolen-schedule@.service")
#: systemd's own measure: 0 is shut, 10 is open. A service without any hardening has 9.6.
MOST_EXPOSED = 2.0


@pytest.fixture
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("systemd-analyze is not here; Debian's package systemd has it")
    return found


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_is_understood_whole(analyze: str, root: Path, tmp_path: Path, unit: str) -> None:
    """On a copy whose program is there, since systemd asks for it."""
    program = tmp_path / "dolen"
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    text = (root / "ops/systemd" / unit).read_text(encoding="utf-8")
    (tmp_path / unit).write_text(text.replace("/opt/dolen/.venv/bin/dolen", str(program)), encoding="utf-8")
    told = run(analyze, "verify", "--man=no", tmp_path / unit)
    assert (told.returncode, told.stderr.strip()) == (0, "")


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_is_hardened(analyze: str, root: Path, unit: str) -> None:
    told = run(analyze, "security", "--offline=true", root / "ops/systemd" / unit)
    level = re.search(r"Overall exposure level for .*: ([0-9.]+)", told.stdout)
    assert level is not None, told.stdout + told.stderr
    assert float(level.group(1)) <= MOST_EXPOSED


@pytest.mark.skipif(sys.platform != "linux" or os.uname().machine != "x86_64", reason="hadolint comes for Linux alone")
def test_the_containerfile_is_clean(root: Path) -> None:
    told = run(Path(sys.executable).with_name("hadolint"), root / "ops/Containerfile")
    assert (told.returncode, told.stdout) == (0, "")


def test_the_container_is_nobodys(root: Path) -> None:
    text = (root / "ops/Containerfile").read_text(encoding="utf-8")
    last = text[text.rindex("\nFROM ") :]
    assert "\nUSER 10001\n" in last
    assert "HEALTHCHECK" in last
    assert text.count("--require-hashes") == 2
    assert re.search(r"^FROM \S+:\d+\.\d+", text, re.MULTILINE), "a base image without a version"


def test_compose_is_understood_by_its_model(root: Path) -> None:
    from compose_spec import PyCompose, PyOptions

    text = (root / "ops/compose.yaml").read_text(encoding="utf-8")
    options = PyOptions()
    options.apply_merge = True
    made: Any = PyCompose.from_yaml(text) if not hasattr(options, "from_yaml") else options.from_yaml(text)
    made.validate()
    assert sorted(made.service_names()) == ["dolen", "postgresql", "rabbitmq"]


def services(root: Path) -> Iterator[tuple[str, str]]:
    text = (root / "ops/compose.yaml").read_text(encoding="utf-8")
    body = text[text.index("\nservices:\n") : text.index("\nvolumes:\n")]
    for part in re.split(r"\n(?=  [a-z]+:\n)", body)[1:]:
        yield part.strip().partition(":")[0], part


def test_each_service_is_careful(root: Path) -> None:
    shared = (root / "ops/compose.yaml").read_text(encoding="utf-8")
    for word in ("read_only: true", "cap_drop: [ALL]", "no-new-privileges:true"):
        assert word in shared[: shared.index("\nservices:\n")]
    found = dict(services(root))
    assert set(found) == {"dolen", "postgresql", "rabbitmq"}
    for name, part in found.items():
        assert "<<: *careful" in part, name
        assert re.search(r"image: \S+:\d", part), f"{name} has no version"
        assert re.search(r'user: "[1-9]\d*:[1-9]\d*"', part), f"{name} may be root"


def test_no_secret_stands_in_what_installs(root: Path) -> None:
    for file in (root / "ops").rglob("*"):
        if file.is_file() and file.suffix != ".pyc":
            text = file.read_text(encoding="utf-8")
            assert not re.search(r"(?i)password:\s*[^\s{]|amqps?://\w+:\w+@", text), file.name


def test_a_bundle_names_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bundle.main([]) == 2
    there = tmp_path / "there.tar.gz"
    there.touch()
    assert bundle.main([str(there)]) == 2
    assert "is there already" in capsys.readouterr().err


def test_a_bundle_holds_the_source_and_its_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The fetching itself is pip's and takes an index; it was tried by hand, and docs/install.md says when."""
    package = tmp_path / "one-1.0-py3-none-any.whl"
    package.write_bytes(b"wheel")
    monkeypatch.setattr(bundle, "fetched", lambda _folder: [package])
    target = tmp_path / "bundle.tar.gz"
    assert bundle.main([str(target)]) == 0
    with tarfile.open(target) as made:
        names = made.getnames()
    assert "dolen-offline/run.py" in names
    assert "dolen-offline/wheels/one-1.0-py3-none-any.whl" in names
    assert "dolen-offline/OFFLINE.txt" in names
    assert not [name for name in names if ".venv" in name or "/.git/" in name]
    assert "1 packages" in capsys.readouterr().out


def test_units_name_the_same_paths_as_the_page(root: Path) -> None:
    page = (root / "docs/install.md").read_text(encoding="utf-8")
    for path in ("/opt/dolen", "/srv/dolen/site", "/etc/dolen/secrets"):
        assert path in page
        assert path in (root / "ops/systemd/dolen.service").read_text(encoding="utf-8")

