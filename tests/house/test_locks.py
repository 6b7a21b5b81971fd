"""The lock files: whole, hashed, of one mind, and good for the systems that we name.

They are made on Linux by pip-compile; what only Windows or macOS needs is invisible there, so these tests look for it
in what the installed packages declare.
"""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

RUN, DEV, BUILD = "requirements.lock", "requirements-dev.lock", "requirements-build.lock"
PYTHONS = ("3.11", "3.12", "3.13")
SYSTEMS = (("Linux", "linux", "posix"), ("Windows", "win32", "nt"), ("Darwin", "darwin", "posix"))


@pytest.fixture(scope="module")
def locks(root: Path) -> dict[str, dict[str, Version]]:
    """Every lock as the versions that it pins."""
    return {name: pins((root / name).read_text(encoding="utf-8")) for name in (RUN, DEV, BUILD)}


def pins(text: str) -> dict[str, Version]:
    return {
        canonicalize_name(name): Version(version)
        for name, version in re.findall(r"^([A-Za-z0-9._-]+)==(\S+) \\$", text, re.MULTILINE)
    }


@pytest.mark.parametrize("name", [RUN, DEV, BUILD])
def test_every_line_is_a_pin_with_hashes_and_nothing_names_an_index(name: str, root: Path) -> None:
    text = (root / name).read_text(encoding="utf-8")
    wrong = [
        line
        for line in text.splitlines()
        if line and not re.match(r"#|    # |[A-Za-z0-9._-]+==\S+ \\$|    --hash=sha256:[0-9a-f]{64}( \\)?$", line)
    ]
    assert wrong == []
    assert not re.search(r"https?://|file:/|--index|--find-links|--trusted", re.sub(r"--no-emit-[a-z-]+", "", text))


def test_the_locks_agree_wherever_they_pin_the_same_package(locks: dict[str, dict[str, Version]]) -> None:
    assert set(locks[RUN]) <= set(locks[DEV])
    for name, version in {**locks[RUN], **locks[DEV], **locks[BUILD]}.items():
        assert {lock[name] for lock in locks.values() if name in lock} == {version}


def test_the_locks_hold_what_pyproject_asks_for(locks: dict[str, dict[str, Version]], root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    asked = [
        (RUN, project["project"]["dependencies"]),
        (DEV, [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["dev"]]),
        (BUILD, project["build-system"]["requires"]),
    ]
    missing = [
        f"{lock}: {requirement}"
        for lock, requirements in asked
        for requirement in map(Requirement, requirements)
        if not requirement.specifier.contains(
            locks[lock].get(canonicalize_name(requirement.name), Version("0")), prereleases=True
        )
    ]
    assert missing == [], "make the locks anew: CONTRIBUTING.md says how"


def test_no_tool_brings_parts_of_what_the_product_stands_on(locks: dict[str, dict[str, Version]]) -> None:
    """jsonschema looks for what else is installed: with it, it knows formats that it does not know in service."""
    wanted = [Requirement(one) for one in distribution("jsonschema").requires or ()]
    optional = {canonicalize_name(one.name) for one in wanted if one.marker and "extra" in str(one.marker)}
    assert len(optional) > 5
    assert optional & (set(locks[DEV]) - set(locks[RUN])) == set(), f"take them out of {DEV}, and what they alone need"


def test_what_another_system_needs_is_pinned_too(locks: dict[str, dict[str, Version]]) -> None:
    missing = set()
    for lock in locks.values():
        for name in lock:
            try:
                declared = distribution(name).requires or []
            except PackageNotFoundError:
                continue  # pinned for another use than this environment's
            for requirement in map(Requirement, declared):
                if canonicalize_name(requirement.name) not in lock and needed_somewhere(requirement):
                    missing.add(f"{name} needs {requirement}")
    assert missing == set()


def needed_somewhere(requirement: Requirement) -> bool:
    """Tell whether one of the systems that we name needs this, without any extra being asked for."""
    if requirement.marker is None:
        return True
    return any(
        requirement.marker.evaluate(
            {
                "python_version": python,
                "python_full_version": python + ".9",
                "platform_system": system,
                "sys_platform": platform,
                "os_name": name,
                "implementation_name": "cpython",
                "platform_python_implementation": "CPython",
                "extra": "",
            }
        )
        for python in PYTHONS
        for system, platform, name in SYSTEMS
    )
