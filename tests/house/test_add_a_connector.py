"""A connector that is a package of its own: the worked example is installed, checked, and held to the contract."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from connectors import family, registry
from connectors.errors import Misconfigured

EXAMPLE = "docs/add-a-connector"


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example as pip installs it, in a folder of its own."""
    source = tmp_path_factory.mktemp("source") / "cabinet"
    shutil.copytree(Path(__file__).parents[2] / EXAMPLE, source)
    target = tmp_path_factory.mktemp("packages")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*command, "--target", str(target), str(source)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


def dolen(packages: Path, cabinet: Path, site: Path, *words: str, said: str = "") -> subprocess.CompletedProcess[str]:
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(packages), str(root)]), "CABINET": str(cabinet)}
    command = [sys.executable, "-m", "console", *words, "--site", str(site)]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, input=said, check=False)


def test_the_example_holds_the_contract(packages: Path, root: Path, tmp_path: Path) -> None:
    site, cabinet = tmp_path / "site", tmp_path / "cabinet"
    shutil.copytree(root / EXAMPLE / "site", site)
    (cabinet / "referrals").mkdir(parents=True)
    checked = dolen(packages, cabinet, site, "check")
    assert (checked.returncode, checked.stdout) == (0, "Nothing to mend.\n"), checked.stdout + checked.stderr
    told = dolen(packages, cabinet, site, "conform", "cabinet", "--writes", "--json", said="a trial")
    found = json.loads(told.stdout)
    assert found["counts"]["broken"] == 0, told.stdout
    assert found["counts"]["held"] >= 18
    (cabinet / "referrals").rmdir() if not found["made"] else shutil.rmtree(cabinet)
    gone = dolen(packages, cabinet, site, "doctor", "cabinet")
    assert gone.returncode == 1
    assert "ask whoever keeps the folder" in gone.stdout


def test_without_the_package_the_profile_is_told_what_there_is(root: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    shutil.copytree(root / EXAMPLE / "site", site)
    checked = dolen(tmp_path, tmp_path, site, "check")
    assert checked.returncode == 1
    assert "protocol" in checked.stdout
    assert "write one of soap, rest" in checked.stdout


def test_a_package_cannot_take_the_name_of_what_is_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(family, "load", lambda _protocol: pytest.fail("asked for what is shipped"))
    assert registry.family_of("soap") is registry.FAMILIES["soap"]


@pytest.fixture
def brought(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages, looked through anew."""
    monkeypatch.syspath_prepend(str(tmp_path))
    family.load.cache_clear()
    family.installed.cache_clear()
    return tmp_path


def bring(folder: Path, name: str, module: str, body: str) -> None:
    (folder / f"{module}.py").write_text(body, encoding="utf-8")
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[dolen.connectors]\nodd = {module}:FAMILY\n", encoding="utf-8")


def test_a_package_that_cannot_be_loaded_is_named(brought: Path) -> None:
    bring(brought, "odd-one", "odd_one_broken", "raise RuntimeError('a secret of somebody')\n")
    with pytest.raises(Misconfigured, match=r"odd-one that brings the protocol odd cannot be loaded \(RuntimeError\)"):
        registry.family_of("odd")


def test_something_else_than_a_family_is_refused(brought: Path) -> None:
    bring(brought, "odd-two", "odd_two_else", "FAMILY = object()\n")
    with pytest.raises(Misconfigured, match=r"is no connectors\.family\.Family"):
        registry.family_of("odd")


def test_two_packages_of_one_name_are_refused(brought: Path) -> None:
    bring(brought, "odd-three", "odd_three", "FAMILY = 1\n")
    bring(brought, "odd-four", "odd_four", "FAMILY = 1\n")
    with pytest.raises(Misconfigured, match="odd-four, odd-three: uninstall all but one"):
        registry.family_of("odd")
